package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// Options of a portal.
type Options struct {
	Base        string        // its address, https://dayone.company.com; requests for any other host are refused
	Open        bool          // the demo: no login, but only from this machine
	LookAs      []Viewpoint   // as whom it can be looked at while it is open, the first unless somebody chooses; else nobody can
	Token       dayone.Secret // lets in; without it nobody gets in, unless Open
	Tokens      []Token       // let others in, each with a role
	SignOn      *SignOn       // lets in whom the identity provider knows; nil: there is none
	SystemForms SystemForms   // writes systems into the configuration; nil: there is none
	Given       []RoleGiven   // roles that the configuration gives, for the page of roles
	Discreet    []dayone.Role // know what is confidential; nil: administrator and hr
	// SetupAnywhere: the set-up link works from other machines, too.
	SetupAnywhere bool
	TokenFile     string  // the file that holds the token, as the configuration names it; "": it is in none
	Language      string  // of whoever has chosen none, and whose browser asks for none that there is; "": English
	Mailbox       Mailbox // the demo's mail simulator; nil: no such page
	Version       string
	Meters        *Meters // told by whoever wires the server; nil: calls and commits are not measured
	Log           *slog.Logger
	// Stopping is closed when the server is to stop: pages that live end then, since nothing else ends them; nil: it never is.
	Stopping <-chan struct{}
	// Limits are how much may be asked; zero: as much as anybody likes.
	Limits Limits
	// Proxies may say for whom they ask, by X-Forwarded-For.
	Proxies []netip.Prefix
	// BodyWithin is how long the body of a request may take to arrive; zero: 15 seconds.
	BodyWithin time.Duration
	// How long a login holds, and how long if nobody does anything; zero: 12 hours and 2.
	SessionFor, IdleFor time.Duration
	// TaskAuth says who completes a task, if neither a session nor the token does: a reseller whose callback is signed.
	TaskAuth func(r *http.Request, body []byte) (by string, ok bool)
}

// Mailbox is where the demo's mails lie.
type Mailbox interface{ Messages() []Mail }

// Mail as a mail program shows it.
type Mail struct {
	ID      string
	At      time.Time
	From    string
	To      []string
	Subject string
	Text    string
	ICS     string // its calendar part; "": no invitation
}

// portal is everything that handlers share. Nothing in it changes after New but the memory of pace, and who is in.
type portal struct {
	flow    *flow.Flow // of a standby: nil
	ids     *dayone.IDs
	now     func() time.Time
	opt     Options
	base    *url.URL
	log     *slog.Logger
	access  access
	spent   spent
	signOn  *signOn // nil: tokens only
	limits  *limiter
	inForce inForce
	roles   map[string][]dayone.Role // by address
	view    *renderer
	spec    []byte // OpenAPI, as JSON
	mux     *http.ServeMux
}

// New makes the handler of everything: portal, API, webhooks, health. An error in templates or in the API's document is a
// fault of the program and panics at once.
func New(f *flow.Flow, o Options) http.Handler {
	p := newPortal(o, cmp.Or(o.Base, f.Base), f.Now, f.IDs)
	p.flow = f
	p.access.issued = p.issued
	p.handle(p.routes())
	return p.guard(p.mux)
}

// route is an address and who answers there.
type route struct {
	pattern string
	answer  http.Handler
}

// routes are all addresses there are.
func (p *portal) routes() []route {
	list := []route{
		// without login
		{"GET /static/", p.view.static()},
		{"GET /healthz", http.HandlerFunc(p.healthz)},
		{"GET /readyz", http.HandlerFunc(p.readyz)},
		{"GET /metrics", p.metrics()},
		{"GET /robots.txt", http.HandlerFunc(robots)},
		{"GET /api/openapi.json", http.HandlerFunc(p.openapi)},
		{"POST /hooks/{source}", p.anyone(p.hook)},
		{"POST /hooks/systems/{system}", p.anyone(p.callback)},
		{"GET /login", p.anyone(p.login)},
		{"POST /login", p.anyone(p.enter)},
		{"GET /login/start", p.anyone(p.startSignOn)},
		{"GET /login/done", p.anyone(p.endSignOn)},
		{"POST /logout", p.anyone(p.leave)},
		{"POST /language", p.anyone(p.speak)},
		{"GET /setup/{token}", p.anyone(p.setup)},
		{"POST /setup/{token}", p.anyone(p.setUp)},
		{"GET /progress/{person}/{token}", p.anyone(p.progress)},
		{"GET /secret/{token}", p.anyone(p.sealed)},
		{"POST /secret/{token}", p.anyone(p.unseal)},

		{"GET /prehire/{token}", p.anyone(p.preHireForm)},
		{"POST /prehire/{token}", p.anyone(p.answerPreHire)},

		// pages
		{"GET /{$}", p.page(p.dashboard)},
		{"GET /find", p.page(p.find)},
		{"GET /people", p.page(p.people)},
		{"GET /people/add", p.page(p.addPerson)},
		{"POST /people/add", p.page(p.addPersonIt)},
		{"GET /people/{id}", p.page(p.personAccess)},
		{"GET /people/{id}/timeline", p.page(p.personTimeline)},
		{"GET /people/{id}/photo", p.page(p.photo)},
		{"POST /people/{id}/corrections", p.page(p.correctIt)},
		{"POST /people/{id}/corrections/{attribute}/end", p.page(p.endCorrection)},
		{"GET /people/{id}/extend", p.page(p.extend)},
		{"POST /people/{id}/extend", p.page(p.extendIt)},
		{"GET /people/{id}/prehire", p.page(p.preHireAgain)},
		{"POST /people/{id}/prehire", p.page(p.preHireAgainIt)},
		{"GET /matches", p.page(p.matches)},
		{"GET /matches/{id}", p.page(p.match)},
		{"POST /matches/{id}", p.page(p.decideMatch)},
		{"GET /people/{id}/runs", p.page(p.personRuns)},
		{"GET /people/{id}/records", p.page(p.personRecords)},
		{"GET /people/{id}/why", p.page(p.why)},
		{"GET /people/{id}/request", p.page(p.request)},
		{"POST /people/{id}/request", p.page(p.requestIt)},
		{"GET /people/{id}/leaving", p.page(p.leaving)},
		{"POST /people/{id}/certificates", p.page(p.makeCertificate)},
		{"GET /people/{id}/certificates/{certificate}/pdf", p.page(p.certificatePDF)},
		{"POST /people/{id}/export", p.page(p.export)},
		{"GET /people/{id}/terminate", p.page(p.askOrder("terminate"))},
		{"POST /people/{id}/terminate", p.page(p.giveOrder("terminate"))},
		{"GET /people/{id}/reinstate", p.page(p.askOrder("reinstate"))},
		{"POST /people/{id}/reinstate", p.page(p.giveOrder("reinstate"))},
		{"GET /people/{id}/hold", p.page(p.askOrder("hold"))},
		{"POST /people/{id}/hold", p.page(p.giveOrder("hold"))},
		{"GET /people/{id}/release", p.page(p.askOrder("release"))},
		{"POST /people/{id}/release", p.page(p.giveOrder("release"))},
		{"GET /people/{id}/erase", p.page(p.askOrder("erase"))},
		{"POST /people/{id}/erase", p.page(p.giveOrder("erase"))},
		{"GET /people/{id}/merge", p.page(p.merge)},
		{"POST /people/{id}/merge", p.page(p.mergeIt)},
		{"GET /people/{id}/split", p.page(p.split)},
		{"POST /people/{id}/split", p.page(p.splitIt)},
		{"POST /requests/{id}/end", p.page(p.endRequest)},
		{"GET /products", p.page(p.products)},
		{"GET /onboard", p.page(p.onboard)},
		{"GET /onboard/bring", p.page(p.bring)},
		{"POST /onboard/bring", p.page(p.bringIt)},
		{"GET /onboard/{id}", p.page(p.onboardProducts)},
		{"GET /onboard/{id}/preview", p.page(p.onboardPreview)},
		{"POST /onboard/{id}", p.page(p.onboardStart)},
		{"POST /onboard/{id}/undo", p.page(p.undoPick)},
		{"GET /onboard/{id}/result", p.page(p.onboardResult)},
		{"GET /confidential", p.page(p.confidential)},
		{"GET /runs", p.page(p.runs)},
		{"GET /runs/{id}", p.page(p.run)},
		{"GET /runs/{id}/records", p.page(p.runRecords)},
		{"GET /runs/{id}/events", p.page(p.runLive)},
		{"POST /runs/{id}/steps/{number}/{verb}", p.page(p.decide)},
		{"GET /runs/{id}/undo", p.page(p.undo)},
		{"POST /runs/{id}/undo", p.page(p.undoIt)},
		{"POST /holds/{id}/end", p.page(p.endHold)},
		{"POST /runs/{id}/cancel", p.page(p.decideRun(engine.Cancel))},
		{"POST /runs/{id}/pause", p.page(p.decideRun(engine.Pause))},
		{"POST /runs/{id}/resume", p.page(p.decideRun(engine.GoOn))},
		{"GET /systems", p.page(p.systems)},
		{"POST /systems/{system}/orders", p.page(p.order)},
		{"POST /systems/{system}/start", p.page(p.start)},
		{"POST /systems/orders/{order}/lift", p.page(p.lift)},
		{"GET /systems/{system}/list", p.page(p.list)},
		{"POST /systems/{system}/list", p.page(patiently(p.bringList))},
		{"GET /systems/{system}", p.page(p.system)},
		{"POST /systems/{system}/check", p.page(p.checkSystem)},
		{"POST /systems/{system}/read", p.page(p.readSystem)},
		{"GET /drift", p.page(p.drift)},
		{"GET /drift/{id}", p.page(p.oneDrift)},
		{"POST /drift/{id}/put-right", p.page(p.decideDrift)},
		{"POST /drift/{id}/accept", p.page(p.decideDrift)},
		{"GET /settings/effort", p.page(p.effort)},
		{"POST /settings/effort", p.page(p.saveEffort)},
		{"GET /alerts", p.page(p.alerts)},
		{"GET /brakes", p.page(p.brakes)},
		{"GET /brakes/{id}", p.page(p.brake)},
		{"POST /brakes/{id}/release", p.page(patiently(p.decideBrake))},
		{"POST /brakes/{id}/discard", p.page(patiently(p.decideBrake))},
		{"POST /brakes/{id}/take-back", p.page(p.decideBrake)},
		{"POST /brakes/announcements", p.page(p.announce)},
		{"POST /brakes/announcements/{id}/confirm", p.page(p.confirmAnnouncement)},
		{"POST /brakes/announcements/{id}/end", p.page(p.endAnnouncement)},
		{"POST /sources/{source}/read", p.page(patiently(p.readSource))},
		{"GET /people/{id}/codes", p.page(p.codes)},
		{"GET /people/{id}/renew", p.page(p.renew)},
		{"POST /people/{id}/renew", p.page(p.renewIt)},
		{"GET /numbers", p.page(p.numbers)},
		{"GET /numbers/all", p.page(p.allNumbers)},
		{"GET /numbers/pools/{pool}", p.page(p.numberPool)},
		{"POST /numbers/give", p.page(p.giveNumber)},
		{"GET /numbers/plan", p.page(p.numberPlan)},
		{"POST /numbers/plan", p.page(p.saveNumberPlan)},
		{"GET /numbers/import", p.page(p.importNumbers)},
		{"POST /numbers/import", p.page(patiently(p.importNumbersIt))},
		{"GET /numbers/audit", p.page(patiently(p.auditNumbers))},
		{"GET /numbers/audit/{system}", p.page(patiently(p.platform))},
		{"POST /numbers/audit/{system}/read", p.page(patiently(p.readPlatform))},
		{"POST /numbers/audit/{system}/adopt", p.page(patiently(p.adoptPlatform))},
		{"GET /numbers/{number}", p.page(p.number)},
		{"POST /numbers/{number}/shown", p.page(p.showNumberIt)},
		{"POST /numbers/{number}/shown/{slot}/hide", p.page(p.hideNumber)},
		{"POST /numbers/{number}/{verb}", p.page(p.orderNumberIt)},
		{"GET /tasks", p.page(p.tasks)},
		{"GET /tasks/{id}", p.page(p.task)},
		{"POST /tasks/{id}", p.page(p.completeTask)},
		{"POST /tasks/{id}/assign", p.page(p.assignTask)},
		{"POST /runs/{id}/issues", p.page(p.reportIssue)},
		{"GET /approvals", p.page(p.approvals)},
		{"GET /approvals/{id}", p.page(p.approval)},
		{"POST /approvals/{id}", p.page(p.decideApproval)},
		{"POST /approvals/{id}/again", p.page(p.askAnew)},
		{"POST /delegations", p.page(p.delegate)},
		{"POST /delegations/{id}/end", p.page(p.endDelegation)},
		{"GET /events", p.page(p.events)},
		{"POST /events/{id}/replay", p.page(p.replay)},
		{"GET /policies", p.page(p.policies)},
		{"GET /policies/edit", p.page(p.editPolicy)},
		{"POST /policies/judge", p.page(p.judgePolicy)},
		{"POST /policies/propose", p.page(p.proposePolicy)},
		{"GET /proposals/{version}", p.page(p.proposal)},
		{"POST /proposals/{version}", p.page(patiently(p.approveProposal))},
		{"POST /announced/{act}/withdraw", p.page(p.withdraw)},
		{"GET /policies/{id}/people", p.page(p.policyPeople)},
		{"GET /policies/{id}/text", p.page(p.policyText)},
		{"GET /catalogue", p.page(p.catalogue)},
		{"GET /records", p.page(p.records)},
		{"GET /me", p.page(p.mine)},
		{"GET /team", p.page(p.team)},
		{"GET /team/{id}", p.page(p.teamMember)},
		{"GET /tokens", p.page(p.tokens)},
		{"POST /tokens", p.page(p.makeToken)},
		{"POST /tokens/{id}/end", p.page(p.endToken)},
		{"GET /settings", p.page(p.settings)},
		{"GET /settings/roles", p.page(p.roleList)},
		{"GET /settings/templates", p.page(p.messageTemplates)},
		{"GET /settings/templates/{name}", p.page(p.messageTemplate)},
		{"GET /settings/branding", p.page(p.branding)},
		{"POST /settings/branding", p.page(p.saveBranding)},
		{"POST /settings/branding/back", p.page(p.brandingBack)},
		{"GET /settings/calendars", p.page(p.calendars)},
		{"POST /settings/calendars", p.page(p.bringCalendar)},
		{"GET /settings/systems", p.page(p.systemForms)},
		{"GET /settings/systems/{name}", p.page(p.systemForm)},
		{"POST /settings/systems/{name}", p.page(p.writeSystem)},
		{"POST /settings/systems/undo", p.page(p.undoSystem)},
		{"GET /settings/webhooks", p.page(p.webhooks)},
		{"POST /settings/webhooks/{name}/test", p.page(p.testWebhook)},
		{"POST /settings/webhooks/{name}/deliveries/{id}/again", p.page(p.deliverAgain)},
		{"GET /brand/logo", p.anyone(p.logo)},
		{"GET /brand/colours.css", p.anyone(p.colours)},
		{"GET /sessions", p.page(p.sessions)},
		{"POST /sessions/{id}/end", p.page(p.endSession)},
		{"GET /gallery", p.page(p.gallery)},
		{"GET /gallery/{sample}", p.page(p.sample)},

		// API
		{"GET /api/v1/leader", p.api(p.apiLeader)},
		{"GET /api/v1/people", p.api(p.apiPeople)},
		{"POST /api/v1/people", p.api(p.apiAddPerson)},
		{"GET /api/v1/people/{id}", p.api(p.apiPerson)},
		{"GET /api/v1/people/{id}/timeline", p.api(p.apiTimeline)},
		{"GET /api/v1/people/{id}/photo", p.api(p.photo)},
		{"POST /api/v1/people/{id}/corrections", p.api(p.apiCorrect)},
		{"POST /api/v1/people/{id}/corrections/{attribute}/end", p.api(p.apiEndCorrection)},
		{"POST /api/v1/people/{id}/bindings", p.api(p.apiBind)},
		{"POST /api/v1/people/{id}/extend", p.api(p.apiExtend)},
		{"GET /api/v1/people/{id}/prehire", p.api(p.apiPreHire)},
		{"POST /api/v1/people/{id}/prehire", p.api(p.apiSendPreHire)},
		{"GET /api/v1/matches", p.api(p.apiMatches)},
		{"GET /api/v1/matches/{id}", p.api(p.apiMatch)},
		{"POST /api/v1/matches/{id}", p.api(p.apiDecideMatch)},
		{"GET /api/v1/people/{id}/access", p.api(p.apiAccess)},
		{"GET /api/v1/people/{id}/explain", p.api(p.apiExplain)},
		{"GET /api/v1/people/{id}/requests", p.api(p.apiRequests)},
		{"POST /api/v1/people/{id}/requests", p.api(p.apiRequest)},
		{"GET /api/v1/people/{id}/names", p.api(p.apiRenamings)},
		{"POST /api/v1/people/{id}/names", p.api(p.apiRename)},
		{"GET /api/v1/people/{id}/links", p.api(p.apiLinks)},
		{"GET /api/v1/people/{id}/devices", p.api(p.apiBelongings)},
		{"GET /api/v1/me/devices", p.api(p.apiOwnBelongings)},
		{"POST /api/v1/people/{id}/renew", p.api(p.apiRenew)},
		{"POST /api/v1/requests/{id}/end", p.api(p.apiEndRequest)},
		{"GET /api/v1/tiles", p.api(p.apiTiles)},
		{"GET /api/v1/products", p.api(p.apiProducts)},
		{"GET /api/v1/people/{id}/products", p.api(p.apiPersonProducts)},
		{"POST /api/v1/people/{id}/products", p.api(p.apiPickProducts)},
		{"GET /api/v1/people/{id}/products/preview", p.api(p.apiPreviewPick)},
		{"POST /api/v1/people/{id}/products/{product}/end", p.api(p.apiEndProduct)},
		{"GET /api/v1/people/{id}/terminate", p.api(p.apiTerminatePreview)},
		{"GET /api/v1/people/{id}/succession", p.api(p.apiSuccession)},
		{"POST /api/v1/people/{id}/terminate", p.api(apiLeavingWord(p.apiTerminate))},
		{"POST /api/v1/people/{id}/reinstate", p.api(apiLeavingWord(p.apiReinstate))},
		{"GET /api/v1/people/{id}/legal-holds", p.api(p.apiLegalHolds)},
		{"POST /api/v1/people/{id}/hold", p.api(apiLeavingWord(p.apiHold))},
		{"POST /api/v1/people/{id}/release", p.api(apiLeavingWord(p.apiRelease))},
		{"GET /api/v1/people/{id}/certificates", p.api(p.apiCertificates)},
		{"POST /api/v1/people/{id}/certificates", p.api(p.apiCertify)},
		{"GET /api/v1/people/{id}/certificates/{certificate}/pdf", p.api(p.certificatePDF)},
		{"GET /api/v1/people/{id}/erase", p.api(p.apiErasePreview)},
		{"POST /api/v1/people/{id}/erase", p.api(p.apiErase)},
		{"GET /api/v1/people/{id}/merges", p.api(p.apiMerges)},
		{"GET /api/v1/people/{id}/merge", p.api(p.apiMergePreview)},
		{"POST /api/v1/people/{id}/merge", p.api(p.apiMerge)},
		{"GET /api/v1/people/{id}/split", p.api(p.apiSplitPreview)},
		{"POST /api/v1/people/{id}/split", p.api(p.apiSplit)},
		{"POST /api/v1/people/{id}/export", p.api(p.export)},
		{"GET /api/v1/confidential", p.api(p.apiConfidential)},
		{"GET /api/v1/runs", p.api(p.apiRuns)},
		{"GET /api/v1/runs/{id}", p.api(p.apiRun)},
		{"GET /api/v1/runs/{id}/events", p.api(p.apiRunLive)},
		{"POST /api/v1/runs/{id}/steps/{number}/{verb}", p.api(p.apiDecide)},
		{callsOfStep, p.api(p.apiCalls)},
		{"GET /api/v1/runs/{id}/undo", p.api(p.apiUndoPreview)},
		{"POST /api/v1/runs/{id}/undo", p.api(p.apiUndo)},
		{"GET /api/v1/holds", p.api(p.apiHolds)},
		{"DELETE /api/v1/holds/{id}", p.api(p.apiEndHold)},
		{"POST /api/v1/runs/{id}/cancel", p.api(p.apiDecideRun(engine.Cancel))},
		{"POST /api/v1/runs/{id}/pause", p.api(p.apiDecideRun(engine.Pause))},
		{"POST /api/v1/runs/{id}/resume", p.api(p.apiDecideRun(engine.GoOn))},
		{"GET /api/v1/systems", p.api(p.apiSystems)},
		{"GET /api/v1/systems/{system}", p.api(p.apiOneSystem)},
		{"POST /api/v1/systems/{system}/check", p.api(p.apiCheckSystem)},
		{"POST /api/v1/systems/{system}/read", p.api(p.apiReadSystem)},
		{"GET /api/v1/drift", p.api(p.apiDrifts)},
		{"GET /api/v1/drift/{id}", p.api(p.apiOneDrift)},
		{"POST /api/v1/drift/{id}/put-right", p.api(p.apiDecideDrift)},
		{"POST /api/v1/drift/{id}/accept", p.api(p.apiDecideDrift)},
		{"GET /api/v1/overview", p.api(p.apiOverview)},
		{"GET /api/v1/settings/effort", p.api(p.apiEffort)},
		{"PUT /api/v1/settings/effort", p.api(p.apiSaveEffort)},
		{"GET /api/v1/systems/{system}/retirement", p.api(p.apiRetirement)},
		{"POST /api/v1/systems/{system}/orders", p.api(p.apiOrder)},
		{"POST /api/v1/systems/{system}/start", p.api(p.apiStart())},
		{"GET /api/v1/systems/{system}/list", p.api(p.apiList)},
		{"POST /api/v1/systems/{system}/list", p.api(patiently(p.apiBringList))},
		{"POST /api/v1/orders/{order}/lift", p.api(p.apiLift())},
		{"GET /api/v1/brakes", p.api(p.apiBrakes)},
		{"GET /api/v1/brakes/{id}", p.api(p.apiBrake)},
		{"GET /api/v1/brakes/{id}/missing", p.api(p.apiBrakeMissing)},
		{"POST /api/v1/brakes/{id}/release", p.api(patiently(p.apiDecideBrake))},
		{"POST /api/v1/brakes/{id}/discard", p.api(patiently(p.apiDecideBrake))},
		{"POST /api/v1/brakes/{id}/take-back", p.api(p.apiDecideBrake)},
		{"GET /api/v1/announcements", p.api(p.apiAnnouncements)},
		{"POST /api/v1/announcements", p.api(p.apiAnnounce)},
		{"POST /api/v1/announcements/{id}/confirm", p.api(p.apiConfirmAnnouncement)},
		{"DELETE /api/v1/announcements/{id}", p.api(p.apiEndAnnouncement)},
		{"GET /api/v1/sources", p.api(p.apiSources)},
		{"POST /api/v1/sources/{source}/read", p.api(patiently(p.apiReadSource))},
		{"GET /api/v1/sources/missing", p.api(p.apiMissing)},
		{"GET /api/v1/sources/{source}/people", p.api(p.apiLookUp)},
		{"GET /api/v1/sources/{source}/people/{subject}", p.api(p.apiNewcomer)},
		{"POST /api/v1/sources/{source}/people/{subject}", p.api(p.apiBringIn)},
		{"GET /api/v1/numbers", p.api(p.apiNumbers)},
		{"GET /api/v1/numbers/pools", p.api(p.apiPools)},
		{"GET /api/v1/numbers/pools/{pool}", p.api(p.apiPool)},
		{"POST /api/v1/numbers/reserve", p.api(p.apiGive(false))},
		{"POST /api/v1/numbers/assign", p.api(p.apiGive(true))},
		{"GET /api/v1/numbers/plan", p.api(p.apiNumberPlan)},
		{"PUT /api/v1/numbers/plan", p.api(p.apiSaveNumberPlan)},
		{"POST /api/v1/numbers/import", p.api(patiently(p.apiImportNumbers))},
		{"GET /api/v1/numbers/audit", p.api(patiently(p.apiAuditNumbers))},
		{"GET /api/v1/numbers/audit/{system}", p.api(patiently(p.apiPlatform))},
		{"POST /api/v1/numbers/audit/{system}/read", p.api(patiently(p.apiReadPlatform))},
		{"POST /api/v1/numbers/audit/{system}/adopt", p.api(patiently(p.apiAdoptPlatform))},
		{"GET /api/v1/numbers/{number}", p.api(p.apiNumber)},
		{"POST /api/v1/numbers/{number}/shown", p.api(p.apiShowNumber)},
		{"DELETE /api/v1/numbers/{number}/shown/{slot}", p.api(p.apiHideNumber)},
		{"POST /api/v1/numbers/{number}/{verb}", p.api(p.apiOrderNumber)},
		{"GET /api/v1/tasks", p.api(p.apiTasks)},
		{"GET /api/v1/tasks/{id}", p.api(p.apiTask)},
		{"POST /api/v1/tasks/{id}/complete", p.anyone(p.apiCompleteTask)},
		{"POST /api/v1/tasks/{id}/assign", p.api(p.apiAssign)},
		{"POST /api/v1/runs/{id}/issues", p.api(p.apiReport)},
		{"GET /api/v1/approvals", p.api(p.apiApprovals)},
		{"GET /api/v1/approvals/{id}", p.api(p.apiApproval)},
		{"POST /api/v1/approvals/{id}", p.api(p.apiAnswer)},
		{"GET /api/v1/delegations", p.api(p.apiDelegations)},
		{"POST /api/v1/delegations", p.api(p.apiDelegate)},
		{"DELETE /api/v1/delegations/{id}", p.api(p.apiEndDelegation)},
		{"GET /api/v1/events", p.api(p.apiEvents)},
		{"POST /api/v1/events/{id}/replay", p.api(p.apiReplay)},
		{"GET /api/v1/records", p.api(p.apiRecords)},
		{"GET /api/v1/me", p.api(p.apiMine)},
		{"GET /api/v1/team", p.api(p.apiTeam)},
		{"GET /api/v1/tokens", p.api(p.apiTokens)},
		{"POST /api/v1/tokens", p.api(p.apiMakeToken)},
		{"DELETE /api/v1/tokens/{id}", p.api(p.apiEndToken)},
		{"GET /api/v1/settings/roles", p.api(p.apiRoles)},
		{"GET /api/v1/settings/templates", p.api(p.apiTemplates)},
		{"POST /api/v1/settings/templates/{name}/preview", p.api(p.apiPreview)},
		{"POST /api/v1/settings/files", p.api(p.apiFile)},
		{"GET /api/v1/settings/branding", p.api(p.apiBranding)},
		{"PUT /api/v1/settings/branding", p.api(p.apiSetBranding)},
		{"POST /api/v1/settings/branding/back", p.api(p.apiBrandingBack)},
		{"GET /api/v1/settings/systems", p.api(p.apiSystemForms)},
		{"PUT /api/v1/settings/systems/{name}", p.api(p.apiWriteSystem)},
		{"GET /api/v1/settings/webhooks", p.api(p.apiWebhooks)},
		{"POST /api/v1/settings/webhooks/{name}/test", p.api(p.apiTestWebhook)},
		{"POST /api/v1/settings/webhooks/{name}/deliveries/{id}/again", p.api(p.apiDeliverAgain)},
		{"GET /api/v1/settings/calendars", p.api(p.apiCalendars)},
		{"POST /api/v1/settings/calendars", p.api(p.apiBringCalendar)},
		{"GET /api/v1/sessions", p.api(p.apiSessions)},
		{"DELETE /api/v1/sessions/{id}", p.api(p.apiEndSession)},
		{"GET /api/v1/people/{id}/records", p.api(p.apiPersonRecords)},
		{"GET /api/v1/runs/{id}/records", p.api(p.apiRunRecords)},
		{"GET /api/v1/policies", p.api(p.apiPolicies)},
		{"GET /api/v1/policies/{id}/people", p.api(p.apiPolicyPeople)},
		{"GET /api/v1/proposals/{version}", p.api(p.apiProposal)},
		{"POST /api/v1/proposals/{version}", p.api(patiently(p.apiApprove))},
		{"POST /api/v1/announced/{act}/withdraw", p.api(p.apiWithdraw)},
		{"GET /api/v1/catalogue", p.api(p.apiCatalogue)},
		{"POST /api/v1/settings/systems/undo", p.api(p.apiUndoSystemForm)},
		{"POST /api/v1/plans", p.api(patiently(p.apiPlans))},
		{"GET /api/v1/alerts", p.api(p.apiAlerts)},
	}
	if p.opt.Mailbox != nil {
		list = append(list, route{"GET /mailbox", p.page(p.mailbox)}, route{"GET /mailbox/{number}", p.page(p.mail)})
	}
	if len(p.access.views) > 0 {
		list = append(list, route{"POST /look-as", p.anyone(p.look)})
	}
	return list
}
