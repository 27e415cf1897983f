package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// The catalogue: every word that is not in a template. A sentence is never built from pieces; what varies is a name or a
// number in its own place.

const (
	textCrossSite  = "This came from another site, so it was not done."
	textOnlyHere   = "The demo answers only on the machine it runs on."
	textStandsBy   = "This server stands by for another one that is at work. Ask that one, or again in a few seconds."
	textNoCaller   = "Send a session cookie or Authorization: Bearer with the access token."
	textSignedOut  = "You are signed out. Load the page again to sign in."
	textNoText     = "%q holds what nobody can read: a control character, or bytes that are no UTF-8. Take it out and send it again."
	textTwice      = "%q is given twice, and it means one thing. Leave one of them and send it again; nothing was done."
	textNoUTF8     = "The body is not written in UTF-8. Write it so and send it again."
	textNoField    = "%q is no field of this form; it has %s. Nothing was done."
	textNoAsking   = "%q is nothing that this address can be asked; it takes %s."
	textBadMark    = "This is no place in a list: take the address of the next page as it was given."
	textNoWord     = "As %s this list takes one of %s."
	textNoLine     = "What before says is the number of no line of the ledger."
	textNoFinding  = "What after says is no number of findings that were on the pages before."
	textNoChange   = "What before says is the number of no change, as the page before it has it."
	textNoInstant  = "%q is no day. Write 2025-01-31, or an instant such as 2025-01-31T09:00:00Z."
	textLongName   = "Nobody has a name this long: search for 200 characters at most."
	textLongThing  = "Nothing in the catalogue has a name this long: search for 200 characters at most."
	textBadJSON    = "The body is no JSON that this address takes."
	textNoMember   = "This address takes no field %q; the document of the API lists what it takes. Nothing was done."
	textBadField   = "Field %q takes no %s; the document of the API says what it takes. Nothing was done."
	textNoStep     = "This run has no such step."
	textNoVerb     = "A step can be retried or skipped."
	textNotTaken   = "Your answer was not taken"
	textNoReason   = "Say why: the reason goes into the record."
	textNoKey      = "Name an access as system/kind or system/kind:name, for example okta/group:sales."
	textBadHook    = "The source cannot read this body: it names no event that it knows."
	textHookAuth   = "The signature is missing or wrong."
	textHookLarge  = "The body has more than 1 MiB."
	textNoLanguage = "There is no such language here."
	textNoSource   = "There is no such source."
	textStaysEnded = "Their access was ended here, and another employment opens nothing until they are reinstated, unless HR hires them anew for a day after that."
	textBindKnows  = "Only who may know what is confidential binds records: the record may be of somebody who is not announced yet."
	textNoRole     = "Your role, %s, may not do this, and no other may."
	textWrongRole  = "Your role, %s, may not do this. It is for: %s."

	textSetupHere    = "The set-up link works on the machine that Dayone runs on, by its own address: open it there, or through a tunnel: ssh -L 8080:127.0.0.1:8080. With setup: anywhere below portal: in dayone.yaml it works from elsewhere."
	textSetupGone    = "This link has expired, was used, or is not whole. On the server, dayone login setup-link makes another."
	textPasswordHint = "12 characters at least. A few words that nobody says together are good"
	textStillCounted = "For how many each holds is still counted; load this page again in a moment"
	textBeyondScope  = "Your role, %s, is for %s. This is about more than that, and for those whose role has no such limit."
	textRoleFor      = "%s for %s"
	textInScope      = "Lines about what is in your scope"
	textOwnToken     = "Your own, as the administrator of Dayone gave it to you"
	textNotIn        = "You were not let in"
	textNoStream     = "This server cannot stream here."
	textFindNames    = "Names are found by their beginning, and by the beginning of each word in them; mail addresses by theirs."
	textKnownOnly    = "Known from an import or a directory; nothing is planned yet."
	textNoZone       = "zone is the name of a time zone, such as Europe/Berlin."
	textTableTooLong = "This list has more than %s rows, and a table is never cut; narrow it by its filters."
	textUndone       = "undone right after"
	textNoDirectory  = "%s does not answer; whom it shows is missing here."

	textManages    = "Nothing was planned for this person so far. Once you start, what policies give is planned, too, and stays right from then on."
	textRecognised = "An account that is there already is recognised by the id that an import kept of it, else by its employee number; one that only has the same mail address, login or name is a question to somebody first."
	textLongNumber = "No number is this long: search for 64 signs at most."
)

// authorityTexts say who decides about an entitlement, where policies do not just add.
var authorityTexts = map[dayone.Authority]string{
	dayone.Exclusive: "policies alone decide: what they do not give goes",
	dayone.Observe:   "only observed: neither given nor taken before its owner leaves",
}

// driftStays say why what policies alone decide about waits for a human.
var driftStays = map[dayone.DriftStay]string{
	dayone.DriftContested: "it was put right twice within 30 days and differs again: somebody or something changes it back",
	dayone.DriftBraked:    "more people differ at once than may lose something in a day",
}

// Drift, and one system.
const (
	textDriftOnly        = "It is reported; nothing follows from it until somebody decides, except where the catalogue leaves the decision to policies alone."
	textDriftNobody      = "nothing that is known here"
	textDriftClosed      = "it was closed here"
	textDriftBaseline    = "it was there before Dayone"
	textDriftNoSystem    = "A system is compared once its connector can list its accounts. A system that only sends messages has no accounts."
	textDriftNightly     = "Accounts are read and held against the books each night, and when somebody asks."
	textDriftAsked       = "Accounts are read and held against the books when somebody asks; each night is turned off (brakes.lists_at)."
	textDriftUnread      = "To compare one now, open a system and choose Read and compare now."
	textDriftNone        = "What changed within an hour of a reading is looked at the next time."
	textDriftSome        = "%s were not compared yet."
	textDriftOne         = "%s was not compared yet."
	textDriftRead        = "%s, %s; read"
	textDriftFailed      = "Tried %s: %s. What was known stays known."
	textDriftGone        = "This is no drift any more: somebody saw to it, or the system shows it as it should be."
	textDriftNothing     = "Nothing would follow but that the books have it as it is: no policy asks for anything else."
	textDriftAccept      = "The books take over what the system shows, and a hold keeps policies from changing it. At its end somebody is asked."
	textDriftAcceptExtra = "It counts as theirs from now on, as what was there before Dayone: no policy takes it, and it goes when they leave. It has no other end; what is to have one is given by a request."
	textAuditLink        = "Its lines, users and devices beside the books"
	textShownOnly        = "shown only"
	textByHand           = "nothing: people give and take it by hand"
	textSystemUnset      = "No connector is configured, so people do there what policies ask for."
	textSystemGood       = "It was asked just now. What is written there is only known once it is written."
)

// What a dashboard says of failures, speed and hours.
const (
	textReadyHow         = "From the first word of their source to the last thing that others had to do for the first day; what only waits for their own first login is not waited for."
	textReadyNone        = "No starter of these days has a run that ended well, so nothing is known yet."
	textSavedHow         = "Steps that Dayone did by itself since %s, each times the minutes that you say a human needs for it. What was so already, what people did, and reading back are not counted. Runs count once they have ended."
	textSavedNone        = "Nobody has said how many minutes a human needs for a step, so no hours are counted."
	textSavedUntold      = "The hours saved are counted for everybody, so they are not told to a role that sees some people alone."
	textSavedUntoldSmall = "counted for everybody"
	textEffortUnset      = "not counted"
)

// Signing in.
const (
	textSignOnButton    = "Sign in with %s"
	textNoProvider      = "The identity provider does not answer. Try again in a minute."
	textStaleSignIn     = "This sign-in has expired, or was begun in another browser. Begin again here."
	textRefusedSignIn   = "The identity provider did not confirm who you are. Begin again; if it happens again, tell IT."
	textSignInNoRole    = "You are %s there, but none of your groups has a role in Dayone. Ask whoever runs Dayone for one."
	textSignInLeft      = "You are %s there, and have left here, as HR says. If this is wrong, ask HR."
	textTooManyTries    = "Too many wrong tokens came from where you are. Wait %s."
	textSession         = "Signed in %s, last seen %s, from %s."
	textThisSession     = "It is this one: ending it signs you out."
	textToken           = "%s, made by %s %s, until %s, %s."
	textTokenLeft       = "Made by somebody who has left. End it, or see that somebody else answers for it."
	textTokenMakesToken = "A token that was made here makes no other. Use the portal, or the administrator's own."
	textTokenEnded      = "%s ended it %s."
	textNoSession       = "There is no such session; it may have ended."
)

// Numbers and devices of somebody. What was not read is unknown, and not none.
const (
	textNoNumber        = "No number of the books is theirs."
	textNoNumberUnread  = "No number of the books is theirs. Whether a telephone system has one that was never adopted is not known: it was not read."
	textNoRequest       = "Until then nothing can be requested for them."
	textNoDevice        = "No policy gives a device, and none is held. No telephone system is connected."
	textNoDeviceRead    = "No policy gives a device, none is held, and no telephone system shows one."
	textNoDeviceUnread  = "No policy gives a device, and none is held. Whether there is a phone is not known."
	textDeviceWaits     = "Waits for something that nobody has said of them."
	textPhonesUnread    = "%s was never read, or what was read was thrown away: what is theirs there is unknown."
	textPhonesComparing = "%s was read, and is being compared with the books: what is theirs there is unknown until then."
	textPhonesReading   = "%s is being read: what is theirs there is unknown until then."
	textPhonesFailed    = "%s could not be read (%s): what is theirs there is unknown."
	textPhonesRead      = "%s as read on %s (%s)."
	textPhonesSince     = "It could not be read again since: %s."
	textMailboxes       = "Voice mailbox at %s."
	textOwnUnread       = "We have not looked at the telephone system lately, so a phone of yours may be missing here."
)

// The log of requests of a step.
const (
	textNoCalls   = "None is kept: nothing was sent yet, it is no system that speaks HTTP, or they are older than settings keep them."
	textCallsNote = "Names alone are kept, and only those that Dayone's own source has: {} stands for every other part of an address or a field. No value, header or answer is kept."
)

// jabbers are the beginnings of names of devices on a Cisco Unified CM.
var jabbers = map[string]string{"SEP": "Desk phone", "CSF": "Jabber on a computer", "TCT": "Jabber on an iPhone", "BOT": "Jabber on Android", "TAB": "Jabber on a tablet"}

const textNotKnown = "HR has not told us of anybody with the address %s yet."

// toHerself is what a new hire reads where her manager reads something else.
var toHerself = map[string]string{
	"IT sets everything up in time. Look again closer to the first day.": "IT sets everything up in time. Look again closer to your first day.",
	"Everything is prepared.": "Everything is prepared for you.",
}

// What somebody looked after who has left.
const (
	textHeirNone = "They looked after nothing in our books."
	textHeirSoon = "What they looked after is being handed over."
)

var handedTexts = map[dayone.HandedKind]string{
	dayone.HandedTask: "A task that was theirs", dayone.HandedSponsor: "Somebody for whom they answered", dayone.HandedDelegation: "A delegation",
	dayone.HandedApproval: "A question for which nobody is found who may decide", dayone.HandedReport: "Somebody whose manager they are, as HR says",
	dayone.HandedPolicy: "A policy that names them", dayone.HandedSetting: "A setting that names them",
}

// toasts are what an act has done, by the word in the address it redirects to.
var toasts = map[string]string{
	string(engine.Retry): "The step is tried again", string(engine.Skip): "The step is skipped", "completed": "The task is done", "requested": "It is requested", "corrected": "It is corrected", "correction-ended": "What sources say counts again", "ended": "The request is ended",
	"webhook-tested": "It was taken", "webhook-again": "It is sent again",
	"setup-undone": "The configuration reads as before",
	"branding":     "It looks like this now", "branding-back": "It looks as it did before",
	"replayed": "The event is looked at again", "proposed": "The proposal is saved; its plan has to be approved",
	"applied": "The policies are in force", "announced": "Announced; it takes effect when its notice is over", "withdrawn": "Withdrawn; what is in force stays",
	"token-ended": "The token has ended", "session-ended": "The session has ended", "undo": "It is being undone", "hold": "The hold has ended",
	"run-cancel": "The run is cancelled", "run-pause": "The run is paused", "run-resume": "The run goes on",
	string(dayone.OrderStop): "Stopped; calls under way end", "started": "Started again", "lifted": "It does not count any more",
	string(dayone.OrderRelease): "It is being retired; nothing is changed there", string(dayone.OrderClose): "It is being retired; its accounts are closed within the brakes",
	string(dayone.OrderMaintenance): "The maintenance is announced", string(dayone.OrderManual): "Its steps are tasks now", string(dayone.OrderAutomatic): "It works by itself now",
	"answered": "The answer is kept; what it is about goes on by itself", "asked": "They are asked again", "delegated": "It is kept", "taken back": "They decide for themselves again",
	"released": "Let through, just as it was reviewed", "discarded": "Thrown away", "layoff": "The lay-off is announced", "layoff ended": "The announcement is taken back", "layoff confirmed": "The lay-off is confirmed, and counts", "release proposed": "It waits for a second person; nothing goes yet", "release taken back": "The proposal is taken back", "read": "The list was read; below stands what became of it",
	"added": "They are added", "held": "They may be known already: decide it here", "beyond": "Somebody beyond your role may be the same; a colleague whose role has no limits decides that", "matched": "It is decided, and looked at now", "extended": "The last day is put off", "renewed": "It is being made anew", "asked-again": "They are asked again",
	"terminate": "Access has ended", "reinstate": "Access comes back", "legal-hold": "The legal hold stands", "legal-hold-released": "The legal hold is released", "erased": "They are erased",
	"certified":   "Every system was asked",
	"drift-right": "The books follow the system; what policies want is planned now", "drift-accepted": "It stays as it is", "system-read": "It is being read; load the page again in a while",
	"effort":       "Hours are counted like this from now on",
	"brought":      "They are here now",
	"begun":        "It has begun: what policies give is planned from now on",
	"start-undone": "What was asked for is taken back",
	"not-begun":    "No run has begun yet, so there is nothing to take back so far",
	"merged":       "They are one person now", "split": "They are two persons now",
	"number-reserved": "The number is kept for them", "number-assigned": "The number is theirs", "number-confirm": "It is confirmed", "number-release": "It is released", "number-hold": "It is held",
	"number-retire": "It is retired", "number-shown": "The place is added", "number-hidden": "It rings there no more", "number-plan": "numbers.yaml is saved, and counts", "number-import": "The file is imported",
	"number-adopt": "The books have it now; it is compared again",
	"assigned":     "The task is given to them", "reported": "The issue is reported as a task",
}

var statusTexts = map[dayone.Status]string{
	dayone.PreHire: "Pre-hire", dayone.Working: "Active", dayone.OnLeave: "On leave", dayone.Left: "Left",
}

// statusState is how a person stands.
func statusState(s dayone.Status) state {
	text := cmp.Or(statusTexts[s], string(s))
	switch s {
	case dayone.PreHire:
		return state{Icon: "dot", Text: text}
	case dayone.Working:
		return state{Icon: "check", Class: "s-done", Text: text}
	case dayone.OnLeave:
		return state{Icon: "clock", Class: "s-wait", Text: text}
	default:
		return state{Icon: "block", Text: text}
	}
}

// unplannedState is somebody for whom no plan can be made.
var unplannedState = state{Icon: "x", Class: "s-fail", Text: "Cannot be planned"}

// unplannedNext says what to do about it.
const unplannedNext = "Mend what it names, in the policies or in the configuration. It is tried again within an hour."

// runState is how a run stands.
func runState(s dayone.RunState) state {
	switch s {
	case dayone.RunRunning:
		return state{Icon: "run", Class: "s-run", Text: "Running"}
	case dayone.RunWaiting:
		return state{Icon: "clock", Class: "s-wait", Text: "Waiting"}
	case dayone.RunDone:
		return state{Icon: "check", Class: "s-done", Text: "Done"}
	case dayone.RunIncomplete:
		return state{Icon: "x", Class: "s-fail", Text: "Incomplete"}
	case dayone.RunUndoing:
		return state{Icon: "undo", Class: "s-run", Text: "Undoing"}
	case dayone.RunUndone:
		return state{Icon: "undo", Text: "Undone"}
	case dayone.RunUndoIncomplete:
		return state{Icon: "x", Class: "s-fail", Text: "Undo incomplete"}
	case dayone.RunHeld:
		return state{Icon: "pause", Class: "s-wait", Text: "Paused"}
	case dayone.RunSuperseded:
		return state{Icon: "skip", Text: "Continued"}
	case dayone.RunCancelled:
		return state{Icon: "block", Text: "Cancelled"}
	default:
		return state{Icon: "dot", Text: string(s)}
	}
}

// accessState is how an access stands against what is wanted.
func accessState(a flow.AccessState) state {
	switch a {
	case flow.AsWanted:
		return state{Icon: "check", Class: "s-done", Text: "As wanted"}
	case flow.WaitsLogin:
		return state{Icon: "key", Class: "s-wait", Text: "Waiting for first login"}
	case flow.ToCome:
		return state{Icon: "dot", Text: "To come"}
	case flow.ToChange:
		return state{Icon: "drift", Class: "s-wait", Text: "To change"}
	case flow.ToGo:
		return state{Icon: "block", Class: "s-wait", Text: "To go"}
	case flow.Kept:
		return state{Icon: "warn", Class: "s-wait", Text: "Kept, condition unknown"}
	case flow.NotOurs:
		return state{Icon: "warn", Class: "s-wait", Text: "Not from policy"}
	case flow.Observed:
		return state{Icon: "info", Text: "Observed"}
	case flow.Planned:
		return state{Icon: "clock", Text: "Later"}
	case flow.Held:
		return state{Icon: "pause", Class: "s-wait", Text: "Held"}
	case flow.StaysOpen:
		return state{Icon: "warn", Class: "s-fail", Text: "Stays open"}
	case flow.NotPlanned:
		return state{Icon: "pause", Text: "Not planned"}
	case flow.Asks:
		return state{Icon: "hand", Class: "s-wait", Text: "Needs approval"}
	default:
		return state{Icon: "dot", Text: string(a)}
	}
}

// eventState is how far an event got.
func eventState(s dayone.EventState) state {
	switch s {
	case dayone.EventReceived:
		return state{Icon: "run", Class: "s-run", Text: "Received"}
	case dayone.EventApplied:
		return state{Icon: "check", Class: "s-done", Text: "Applied"}
	case dayone.EventUnchanged:
		return state{Icon: "already", Class: "s-done", Text: "Nothing new"}
	case dayone.EventAsked:
		return state{Icon: "people", Class: "s-wait", Text: "Whose is it?"}
	case dayone.EventHeld:
		return state{Icon: "hand", Class: "s-wait", Text: "Held"}
	case dayone.EventQuarantined:
		return state{Icon: "x", Class: "s-fail", Text: "Quarantined"}
	case dayone.EventDiscarded:
		return state{Icon: "block", Text: "Thrown away"}
	default:
		return state{Icon: "dot", Text: string(s)}
	}
}

// truthState is what a condition came to.
func truthState(truth string) state {
	switch truth {
	case "yes":
		return state{Icon: "check", Class: "s-done", Text: "Holds"}
	case "no":
		return state{Icon: "block", Text: "Does not hold"}
	default:
		return state{Icon: "warn", Class: "s-wait", Text: "Unknown"}
	}
}

// explained are the answers to "why".
var explained = map[string]struct {
	state state
	text  string
}{
	"given":         {state{Icon: "check", Class: "s-done", Text: "Given"}, "A policy gives it now."},
	"brought along": {state{Icon: "check", Class: "s-done", Text: "Brought along"}, "No policy gives it by itself."},
	"pending":       {state{Icon: "hand", Class: "s-wait", Text: "Needs approval"}, "A policy gives it once it is approved."},
	"offered":       {state{Icon: "plus", Text: "May be requested"}, "No policy gives it, one offers it on request."},
	"later":         {state{Icon: "clock", Text: "To come"}, "A policy gives it, but its time has not come."},
	"kept":          {state{Icon: "warn", Class: "s-wait", Text: "Kept"}, "It is there, and whether a policy gives it cannot be told: it is neither changed nor taken."},
	"unknown":       {state{Icon: "warn", Class: "s-wait", Text: "Waits for a fact"}, "It is not there, and it is not given before what it needs is known."},
	"denied":        {state{Icon: "block", Class: "s-fail", Text: "Denied"}, "A policy denies it. A deny always wins."},
	"withheld":      {state{Icon: "block", Class: "s-fail", Text: "Withheld"}, "It would break a separation of duties."},
	"not given":     {state{Icon: "block", Text: "Not given"}, "No policy gives it."},
}

// does is what a policy's line does.
var does = map[string]string{"grants": "Grants it", "offers": "Offers it on request", "denies": "Denies it"}

// stepTitle says what a step does; kind and via are titles of its kind, and of the system that provisions it.
func (v viewer) stepTitle(s dayone.Step, kind, via string) string {
	if kind == "" || kind == "account" {
		kind = strings.ReplaceAll(s.Key.Kind, "-", " ")
	}
	kind = v.kind(kind)
	account := v.label("account")
	if s.Key.As != dayone.Personal {
		account = v.say("%s account", v.label(string(s.Key.As)))
	}
	role := ""
	if s.Want != nil {
		role = s.Want.Role
	}
	switch s.Action {
	case dayone.AccountCreate:
		if s.Via.System != "" {
			return v.say("Create %s through %s", account, via)
		}
		return v.say("Create %s", account)
	case dayone.AccountUpdate:
		return v.say("Update %s", account)
	case dayone.AccountEnable:
		return v.say("Open %s", account)
	case dayone.AccountDisable:
		return v.say("Close %s", account)
	case dayone.AccountDelete:
		return v.say("Delete %s", account)
	case dayone.AccountConfirm:
		return v.say("Check %s", account)
	case dayone.EntitlementAdd:
		switch {
		case s.Key.Name == "":
			return v.say("Assign %s", kind)
		case s.Have != nil && role != "":
			return v.say("Change %s %s to %s", kind, s.Key.Name, role)
		case role != "":
			return v.say("Add to %s %s as %s", kind, s.Key.Name, role)
		default:
			return v.say("Add %s", joined(" ", kind, s.Key.Name))
		}
	case dayone.EntitlementRemove:
		if s.Key.Kind == "invitation" {
			return v.say("Call off %s", s.Key.Name)
		}
		if slices.Contains(joins, s.Key.Kind) && s.Key.Name != "" { // nothing but the membership ends
			return v.say("Remove from %s %s", kind, s.Key.Name)
		}
		return v.say("Take back %s", joined(" ", kind, s.Key.Name))
	case dayone.EntitlementConfirm:
		return v.say("Check %s", joined(" ", kind, s.Key.Name))
	case dayone.MessageSend:
		name := messageOf(s)
		text, ours := messageTexts[name]
		switch {
		case ours:
			return v.label(text)
		case s.Key.Kind == "invitation":
			return v.say("Invite to %s", name)
		}
		return v.say("Send message %s", name)
	default:
		return string(s.Action) + " " + s.Key.String()
	}
}

// runTitle is the title of a run as the viewer reads it. It is written once, in English, with somebody's name in it.
func (v viewer) runTitle(title string) string {
	if of, undo := strings.CutPrefix(title, "Undo: "); undo {
		return v.say("Undo: %s", v.runTitle(of))
	}
	return v.heard(title)
}

// messageTexts are what the messages do that come with Dayone, by their templates. One that the company wrote in the place of
// such a template does the same.
var messageTexts = map[string]string{
	"welcome": "Welcome the new hire", "manager-ready": "Tell the manager how far everything is", "it-summary": "Tell IT how it went", "at-risk": "Warn that the first day is at risk",
	"moved": "Tell what the move has changed", "leaving": "Announce the last day", "left": "Tell that they have left", "waiting": "Say that somebody is needed",
	"new-code": "Send the link to a new code", "new-code-manager": "Ask the manager to give the hand-over code",
	"intro-call": "Invite to the intro call", "team-standup": "Invite to the team's standup", "buddy-meeting": "Invite to the meeting with the buddy",
}

// messageOf is the template of a message. Its key may name the occasion as well.
func messageOf(s dayone.Step) string {
	for _, item := range []*dayone.Item{s.Want, s.Have} {
		if item != nil && item.Attrs.Text("template") != "" {
			return item.Attrs.Text("template")
		}
	}
	return s.Key.Name
}

// failTexts say what a failure means and what to do, by its kind. %s is the system.
var failTexts = map[string]struct{ what, next string }{
	dayone.ErrNotFound.Error():    {"%s does not know what this step needs.", "Look it up there, mend the policy or the catalogue, then retry."},
	dayone.ErrConflict.Error():    {"%s has something in this place that nobody here knows.", "Decide in the task whose it is."},
	dayone.ErrInvalid.Error():     {"%s does not take what it was asked.", "Mend the value that it names, then retry."},
	dayone.ErrForbidden.Error():   {"%s does not allow it.", "Give the service account the right that the error names, then retry."},
	dayone.ErrAuth.Error():        {"%s does not let us in.", "Renew the credentials of this system, then retry."},
	dayone.ErrThrottled.Error():   {"%s took no more requests for too long.", "Retry in an hour."},
	dayone.ErrUnavailable.Error(): {"%s did not answer for too long.", "Retry when it is back."},
	dayone.ErrNotYet.Error():      {"%s did not catch up with itself in time.", "Retry."},
	dayone.ErrNoSeat.Error():      {"%s has no free seat.", "Free a seat or buy one. It goes on by itself."},
	dayone.ErrUnsupported.Error(): {"%s cannot do this by itself.", "Do it by hand and complete the task."},
	"":                            {"%s was not reached: something here is wrong.", "Look at the error below, then retry."},
}

// failText is what a failure means and what to do, as the viewer reads it.
func (v viewer) failText(kind, system string) (what, next string) {
	t, ok := failTexts[kind]
	if !ok {
		t = failTexts[""]
	}
	return v.say(t.what, system), v.label(t.next)
}

// failText is the same for programs.
func failText(kind, system string) (what, next string) { return viewer{}.failText(kind, system) }

// waitTexts are the words for what a step waits for.
var waitTexts = map[dayone.WaitKind]struct{ icon, text string }{
	dayone.WaitApproval:    {"hand", "Waiting for approval"},
	dayone.WaitTask:        {"task", "Waiting for a task"},
	dayone.WaitFirstLogin:  {"key", "Waiting for first login"},
	dayone.WaitAcceptance:  {"key", "Waiting for acceptance"},
	dayone.WaitPropagation: {"clock", "Waiting for propagation"},
	dayone.WaitSeat:        {"clock", "Waiting for a seat"},
	dayone.WaitSystem:      {"clock", "Waiting for the system"},
}

// undoText says beforehand how a step is taken back.
func (v viewer) undoText(u dayone.Undo) string {
	why, none := strings.CutPrefix(string(u), string(dayone.UndoNone))
	switch {
	case none:
		return v.say("No way back: %s.", v.heard(why))
	case u == dayone.UndoDelete:
		return "Delete it, if nobody has used it; else close it."
	case u == dayone.UndoDisable:
		return "Close it."
	case u == dayone.UndoRestore:
		return "Put it back as it was."
	default:
		return "Nothing to take back."
	}
}

// critical says what the failure of a step does to the rest.
var criticalTexts = map[dayone.Critical]string{
	dayone.Stop: "If it fails, what needs it stops", "": "If it fails, what needs it stops",
	dayone.Rollback: "If it fails, what this run gave is taken back", dayone.Continue: "If it fails, everything else goes on",
}

var needTexts = map[dayone.When]string{dayone.Done: "done", dayone.Settled: "settled", dayone.Tried: "tried"}

// asked are labels and hints of what tasks ask for; others are shown by their names.
var asked = map[string]struct{ label, hint, kind string }{
	"serial":       {"Serial number", "On the box or in the reseller's confirmation, for example C02XK1ABCD", ""},
	"tracking":     {"Tracking number", "Goes into the mails to the new hire and the manager", ""},
	"carrier":      {"Carrier", "For example UPS", ""},
	"arrives":      {"Arrival day", "", "date"},
	"model":        {"Model", "", ""},
	"order_number": {"Order number", "", ""},
	"ref":          {"Id in the system", "What the system calls it and never changes", ""},
	"email":        {"Mail address", "", "email"},
	"extension":    {"Extension", "", ""},
	"decision":     {"Decision", "follow policies, or the day until which it is still left alone, for example 2025-06-30", ""},
	"rename_on":    {"From which day on", "A day such as 2025-06-30, or keep: then the names stay as they are", ""},
	"e164":         {"Number", "With country code, for example +14155550100", ""},
}

func fieldOf(name string) field {
	f := field{ID: "ask-" + name, Name: "ask." + name, Label: sentence(strings.ReplaceAll(name, "_", " ")), Type: "text", Mono: true}
	if a, ok := asked[name]; ok {
		f.Label, f.Hint, f.Type = a.label, a.hint, cmp.Or(a.kind, "text")
	}
	return f
}

// textMinutes says at the form of hours saved what it takes for a step.
const textMinutes = "%s: write minutes from 0 to 1440 as a number, such as 12 or 7.5."

// textNoMail stands where a mail would have been sent.
const textNoMail = "no mail: no mail system is configured"

// shortly is why a step waits, for lists: of a system without a connector the task says the rest.
func shortly(kind, note string) string {
	if kind == dayone.ErrUnsupported.Error() && strings.Contains(note, engine.NoConnector) {
		return "No connector: by hand"
	}
	return note
}

// sentence has its first letter upper case.
func sentence(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// plain is what a system is for, in words of people who do not run it; by connector.
var plain = map[string]struct{ icon, text string }{
	"okta": {"key", "Signing in"}, "entra": {"key", "Signing in"}, "google": {"mail", "Mail and calendar"}, "m365": {"mail", "Mail and office"},
	"slack": {"inbox", "Chat"}, "teams": {"inbox", "Chat"}, "salesforce": {"people", "Customers"}, "gitlab": {"policy", "Code"}, "github": {"policy", "Code"},
	"notion": {"record", "Handbook and notes"}, "aws": {"system", "Cloud workspace"}, "jamf": {"device", "Laptop settings"}, "procurement": {"device", "Laptop"},
	"phone": {"phone", "Phone number"}, "cucm": {"phone", "Phone number"}, "training": {"review", "Training"},
}

// spelled are names of systems that are not written as others are.
var spelled = map[string]string{
	"gitlab": "GitLab", "github": "GitHub", "bamboohr": "BambooHR", "servicenow": "ServiceNow", "m365": "Microsoft 365", "cucm": "CUCM", "ldap": "LDAP", "scim": "SCIM", "box": "Box",
}

// attrTexts are names of a person's attributes.
var attrTexts = map[string]string{
	"email": "Work mail", "personal_email": "Personal mail", "employee_number": "Employee number", "job_title": "Job title",
	"home_address": "Home address", "start_date": "Start date", "end_date": "End date", "first_name": "First name", "last_name": "Last name",
	"preferred_name": "Preferred name", "work_arrangement": "Work arrangement", "employment_type": "Employment type", "cost_center": "Cost centre",
	"engagement.type": "Type of employment", "engagement.start": "First day", "engagement.last_day": "Last day", "engagement.stop": "Access ended at", "engagement.leave": "On leave", "engagement.ending": "Last day, as the event said", "engagement.announced": "Announced on",
}

func attrText(name string) string {
	if t, ok := attrTexts[name]; ok {
		return t
	}
	name = strings.TrimPrefix(name, "custom.")
	return sentence(strings.ReplaceAll(strings.ReplaceAll(name, "_", " "), ".", ", "))
}

var tierTexts = map[dayone.Tier]string{
	dayone.TierIdentity: "Identity", dayone.TierBase: "Base", dayone.TierDepartment: "Department", dayone.TierRole: "Role",
	dayone.TierDevice: "Device", dayone.TierMessages: "Messages",
}

// What pages say of a telephone system.
const (
	textPlatformNever     = "It was not read yet."
	textPlatformRead      = "Its lines, devices, users and patterns are read and compared with the books and the people. That takes a while on a large one, and changes nothing on it."
	textPlatformBegins    = "It is about to begin."
	textPlatformComparing = "It is being compared with the books."
	textPlatformBroken    = "The last reading broke off"
	textAdoptableOne      = "1 number is known there as the books do not know it. Adopting writes it into the books: whose it is, where it rings, too, and what nobody is to have. Nothing is changed on the system."
	textAdoptable         = "%s numbers are known there as the books do not know them. Adopting writes them into the books: whose each is, where it rings, too, and what nobody is to have. Nothing is changed on the system."
	textNothingToAdopt    = "The books know all that the system shows."
)

// portTexts are how a range comes or goes; one that is simply ours needs no word.
var portTexts = map[string]string{"porting-in": "porting in", "porting-out": "porting out", "lost": "lost"}

// confidenceTexts are how sure it is whose something is.
var confidenceTexts = map[string]string{
	"certain": "Certain: we hold the account as theirs", "sure": "Sure: employee number, login or mail address", "likely": "Likely: number, device, or a login like the mail address",
	"possible": "Possible: a name alone",
}

// platformTitles are what an audit of a telephone system finds; those that hurt somebody are marked so.
var platformTitles = map[flow.PlatformKind]struct {
	title string
	bad   bool
}{
	"leaver-line": {"Lines of people who left", true}, "leaver-login": {"People who left are signed in", true}, "leaver-device": {"Devices of people who left", true}, "leaver-user": {"Accounts of people who left", true},
	"leaver-mailbox": {"Mailboxes of people who left", true}, "leaver-reach": {"It rings outside at people who left", true}, "double": {"Several people have it", true}, "other-holder": {"The books say somebody else's", true},
	"class-differs": {"It may call more, or less, than its class of service", true},
	"used-free":     {"In use, and the books may give it away", true}, "pattern": {"Something else answers numbers of a pool", true}, "elsewhere": {"The books have it elsewhere", true},
	"missing": {"Somebody's in the books, and not there", false}, "directory-differs": {"The directory says another number", false}, "stated-differs": {"A source says another number", false},
	"mailbox-elsewhere": {"A mailbox answers at somebody else's number", true}, "outside": {"In use, and in no pool", true}, "orphan-line": {"No device shows this line", false}, "orphan-device": {"Its owner is no user", false},
	"nobody-line": {"In use, and nobody knows whose", false}, "nobody-user": {"No person fits this user", false}, "nobody-mailbox": {"No person fits the mailbox's owner", false}, "ambiguous": {"Several people could be meant", false},
	"local-user": {"Made by hand beside a directory", false}, "unread-pattern": {"A pattern cannot be read", true},
}

const textTooManyPasswords = "Too many wrong passwords were tried. Wait %s, and try again."

// Of proposals.
const (
	textNoMark           = "Say in mark which plan you approve: that of GET at this address."
	textAnnouncedAlready = "It is announced already, and takes effect by itself. Withdraw it first to approve it anew."
	textOtherPlan        = "The plan is another one now: people, holdings or policies changed since it was shown. Look at it again."
)

// Of limits.
const (
	textTooMuch     = "Too much was asked in a short time. Wait %s, and try again."
	textTooLarge    = "The body has more than the %d bytes that this address takes."
	textNoRoom      = "the disk of the database is full"
	textNoDisk      = "the disk of the database takes no writes"
	textTooManyLive = "Too many live pages are open with this login. Close some, wait %s, and try again."
)
