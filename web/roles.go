package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Groups of roles that may do the same.
var (
	everyRole = dayone.Roles
	ownOnly   = append(slices.Clone(everyRole), dayone.Employee) // what is hers, whoever the rest is not for: the handler looks
	anybody   = []dayone.Role{}                                  // also without a login: the handler itself looks who it is

	admins    = []dayone.Role{dayone.Administrator}
	operators = []dayone.Role{dayone.Administrator, dayone.Operator}
	persons   = []dayone.Role{dayone.Administrator, dayone.HR}                                        // who decides about people
	staff     = []dayone.Role{dayone.Administrator, dayone.HR, dayone.Operator}                       // who works with people
	readers   = []dayone.Role{dayone.Administrator, dayone.HR, dayone.Operator, dayone.Auditor}       // who sees people
	technical = []dayone.Role{dayone.Administrator, dayone.Operator, dayone.Auditor}                  // who sees the machine
	deciders  = []dayone.Role{dayone.Administrator, dayone.Operator, dayone.Approver}                 // who answers
	approvals = []dayone.Role{dayone.Administrator, dayone.Operator, dayone.Approver, dayone.Auditor} // who sees what is to be answered
	discreet  = []dayone.Role{dayone.Administrator, dayone.HR}                                        // unless the configuration names others
)

// allowed is who may go where: the one table of it. An address that is not in it is a fault of the program.
var allowed = map[string][]dayone.Role{
	"GET /static/":                   anybody,
	"GET /healthz":                   anybody,
	"GET /readyz":                    anybody,
	"GET /metrics":                   technical, // and whoever asks on this machine
	"GET /robots.txt":                anybody,
	"GET /api/openapi.json":          anybody,
	"POST /hooks/{source}":           anybody,
	"POST /hooks/systems/{system}":   anybody,
	"GET /login":                     anybody,
	"POST /login":                    anybody,
	"GET /login/start":               anybody,
	"GET /login/done":                anybody,
	"POST /logout":                   anybody,
	"POST /language":                 anybody,
	"POST /look-as":                  anybody, // of the demo alone
	"GET /setup/{token}":             anybody, // with a link, from this machine
	"POST /setup/{token}":            anybody,
	"GET /progress/{person}/{token}": anybody,
	"GET /secret/{token}":            anybody,
	"POST /secret/{token}":           anybody,
	"/api/":                          anybody, // of one that stands by
	"/hooks/":                        anybody,
	"/":                              anybody,
	"GET /{$}":                       everyRole,
	"GET /find":                      everyRole,
	"GET /people":                    readers,
	"GET /people/{id}":               readers,
	"GET /people/{id}/timeline":      readers,
	"GET /people/{id}/photo":         readers,
	"POST /people/{id}/corrections":  staff,
	"POST /people/{id}/corrections/{attribute}/end": staff,
	"GET /alerts":                                            readers,
	"GET /brakes":                                            readers,
	"GET /brakes/{id}":                                       readers,
	"POST /brakes/{id}/release":                              staff,
	"POST /brakes/{id}/discard":                              staff,
	"POST /brakes/{id}/take-back":                            staff,
	"POST /brakes/announcements/{id}/confirm":                operators,
	"POST /brakes/announcements":                             operators,
	"POST /brakes/announcements/{id}/end":                    operators,
	"POST /sources/{source}/read":                            staff,
	"GET /people/{id}/runs":                                  readers,
	"GET /people/{id}/records":                               readers,
	"GET /people/{id}/why":                                   readers,
	"GET /people/{id}/request":                               readers,
	"POST /people/{id}/request":                              staff,
	"POST /requests/{id}/end":                                staff,
	"GET /products":                                          readers,
	"GET /onboard":                                           staff,
	"GET /onboard/bring":                                     staff,
	"POST /onboard/bring":                                    staff,
	"GET /api/v1/sources/{source}/people/{subject}":          staff,
	"POST /api/v1/sources/{source}/people/{subject}":         staff,
	"GET /onboard/{id}":                                      staff,
	"GET /onboard/{id}/preview":                              staff,
	"POST /onboard/{id}":                                     staff,
	"POST /onboard/{id}/undo":                                staff,
	"GET /onboard/{id}/result":                               readers,
	"GET /api/v1/matches":                                    persons,
	"GET /api/v1/matches/{id}":                               persons,
	"GET /api/v1/people/{id}/certificates":                   readers,
	"GET /api/v1/people/{id}/succession":                     readers,
	"GET /api/v1/people/{id}/certificates/{certificate}/pdf": readers,
	"GET /api/v1/people/{id}/erase":                          admins,
	"GET /api/v1/people/{id}/legal-holds":                    readers,
	"GET /api/v1/people/{id}/prehire":                        persons,
	"GET /api/v1/people/{id}/terminate":                      persons,
	"GET /matches":                                           persons,
	"GET /matches/{id}":                                      persons,
	"GET /people/add":                                        persons,
	"GET /people/{id}/certificates/{certificate}/pdf":        readers,
	"GET /people/{id}/erase":                                 admins,
	"GET /people/{id}/extend":                                persons,
	"GET /people/{id}/merge":                                 persons,
	"POST /people/{id}/merge":                                persons,
	"GET /people/{id}/split":                                 persons,
	"POST /people/{id}/split":                                persons,
	"GET /api/v1/people/{id}/merges":                         readers,
	"GET /api/v1/people/{id}/merge":                          persons,
	"POST /api/v1/people/{id}/merge":                         persons,
	"GET /api/v1/people/{id}/split":                          persons,
	"POST /api/v1/people/{id}/split":                         persons,
	"GET /people/{id}/hold":                                  persons,
	"GET /people/{id}/leaving":                               readers,
	"GET /people/{id}/prehire":                               persons,
	"GET /people/{id}/reinstate":                             persons,
	"GET /people/{id}/release":                               persons,
	"GET /people/{id}/terminate":                             persons,
	"GET /prehire/{token}":                                   anybody,
	"POST /api/v1/matches/{id}":                              persons,
	"POST /api/v1/people":                                    persons,
	"POST /api/v1/people/{id}/certificates":                  staff,
	"POST /api/v1/people/{id}/erase":                         admins,
	"POST /api/v1/people/{id}/export":                        persons,
	"POST /api/v1/people/{id}/extend":                        persons,
	"POST /api/v1/people/{id}/hold":                          persons,
	"POST /api/v1/people/{id}/prehire":                       persons,
	"POST /api/v1/people/{id}/reinstate":                     persons,
	"POST /api/v1/people/{id}/release":                       persons,
	"POST /api/v1/people/{id}/terminate":                     persons,
	"POST /matches/{id}":                                     persons,
	"POST /people/add":                                       persons,
	"POST /people/{id}/certificates":                         staff,
	"POST /people/{id}/erase":                                admins,
	"POST /people/{id}/export":                               persons,
	"POST /people/{id}/extend":                               persons,
	"POST /people/{id}/hold":                                 persons,
	"POST /people/{id}/prehire":                              persons,
	"POST /people/{id}/reinstate":                            persons,
	"POST /people/{id}/release":                              persons,
	"POST /people/{id}/terminate":                            persons,
	"POST /prehire/{token}":                                  anybody,
	"GET /confidential":                                      discreet,
	"GET /runs":                                              readers,
	"GET /runs/{id}":                                         readers,
	"GET /runs/{id}/records":                                 readers,
	"GET /runs/{id}/events":                                  readers,
	"POST /runs/{id}/steps/{number}/{verb}":                  operators,
	"GET /runs/{id}/undo":                                    readers,
	"POST /runs/{id}/undo":                                   operators,
	"POST /holds/{id}/end":                                   operators,
	"POST /runs/{id}/cancel":                                 operators,
	"POST /runs/{id}/pause":                                  operators,
	"POST /runs/{id}/resume":                                 operators,
	"GET /systems":                                           technical,
	"POST /systems/{system}/orders":                          operators,
	"POST /systems/{system}/start":                           operators,
	"GET /systems/{system}/list":                             technical,
	"POST /systems/{system}/list":                            operators,
	"POST /systems/orders/{order}/lift":                      operators,
	"GET /tasks":                                             everyRole,
	"GET /tasks/{id}":                                        ownOnly,
	"POST /tasks/{id}":                                       ownOnly, // who is no decider: her own
	"POST /tasks/{id}/assign":                                operators,
	"POST /runs/{id}/issues":                                 staff,
	"GET /approvals":                                         approvals,
	"GET /approvals/{id}":                                    ownOnly,
	"POST /approvals/{id}":                                   ownOnly,
	"POST /approvals/{id}/again":                             deciders,
	"POST /delegations":                                      deciders,
	"POST /delegations/{id}/end":                             deciders,
	"GET /events":                                            readers,
	"POST /events/{id}/replay":                               staff,
	"GET /policies":                                          technical,
	"GET /policies/edit":                                     technical,
	"POST /policies/judge":                                   operators,
	"POST /policies/propose":                                 operators,
	"GET /proposals/{version}":                               technical,
	"POST /proposals/{version}":                              admins,
	"POST /announced/{act}/withdraw":                         admins,
	"GET /policies/{id}/people":                              technical,
	"GET /policies/{id}/text":                                technical,
	"GET /catalogue":                                         technical,
	"GET /records":                                           technical,
	"GET /sessions":                                          ownOnly, // administrators see all
	"POST /sessions/{id}/end":                                ownOnly,
	"GET /tokens":                                            admins,
	"POST /tokens":                                           admins,
	"POST /tokens/{id}/end":                                  admins,
	"GET /me":                                                ownOnly,
	"GET /team":                                              ownOnly,
	"GET /team/{id}":                                         ownOnly,
	"GET /numbers":                                           readers,
	"GET /numbers/all":                                       readers,
	"GET /numbers/pools/{pool}":                              readers,
	"POST /numbers/give":                                     staff,
	"GET /numbers/plan":                                      technical,
	"POST /numbers/plan":                                     operators,
	"GET /numbers/import":                                    operators,
	"POST /numbers/import":                                   operators,
	"GET /numbers/audit":                                     readers,
	"GET /numbers/audit/{system}":                            readers,
	"POST /numbers/audit/{system}/read":                      operators,
	"POST /numbers/audit/{system}/adopt":                     operators,
	"GET /numbers/{number}":                                  readers,
	"POST /numbers/{number}/shown":                           operators,
	"POST /numbers/{number}/shown/{slot}/hide":               operators,
	"POST /numbers/{number}/{verb}":                          operators,
	"GET /systems/{system}":                                  technical,
	"POST /systems/{system}/check":                           operators,
	"POST /systems/{system}/read":                            operators,
	"GET /drift":                                             readers,
	"GET /drift/{id}":                                        readers,
	"POST /drift/{id}/put-right":                             operators,
	"POST /drift/{id}/accept":                                operators,
	"GET /settings/effort":                                   technical,
	"POST /settings/effort":                                  admins,
	"GET /api/v1/systems/{system}":                           technical,
	"POST /api/v1/systems/{system}/check":                    operators,
	"POST /api/v1/systems/{system}/read":                     operators,
	"GET /api/v1/drift":                                      readers,
	"GET /api/v1/drift/{id}":                                 readers,
	"POST /api/v1/drift/{id}/put-right":                      operators,
	"POST /api/v1/drift/{id}/accept":                         operators,
	"GET /api/v1/overview":                                   readers,
	"GET /api/v1/settings/effort":                            technical,
	"PUT /api/v1/settings/effort":                            admins,
	"GET /gallery":                                           everyRole,
	"GET /gallery/{sample}":                                  everyRole,
	"GET /mailbox":                                           operators, // mails hold one-time links
	"GET /mailbox/{number}":                                  operators,

	"GET /api/v1/leader":                                   everyRole,
	"GET /api/v1/people":                                   readers,
	"GET /api/v1/people/{id}":                              readers,
	"GET /api/v1/people/{id}/access":                       readers,
	"GET /api/v1/people/{id}/explain":                      readers,
	"GET /api/v1/people/{id}/requests":                     readers,
	"POST /api/v1/people/{id}/requests":                    staff,
	"POST /api/v1/requests/{id}/end":                       staff,
	"GET /api/v1/tiles":                                    readers,
	"GET /api/v1/products":                                 readers,
	"GET /api/v1/people/{id}/products":                     readers,
	"POST /api/v1/people/{id}/products":                    staff,
	"GET /api/v1/people/{id}/products/preview":             readers,
	"POST /api/v1/people/{id}/products/{product}/end":      staff,
	"GET /api/v1/people/{id}/names":                        readers,
	"POST /api/v1/people/{id}/names":                       staff,
	"GET /people/{id}/codes":                               operators, // with the hand-over code a link opens
	"GET /people/{id}/renew":                               operators,
	"POST /people/{id}/renew":                              operators,
	"GET /api/v1/people/{id}/links":                        operators,
	"GET /api/v1/people/{id}/devices":                      readers,
	"GET /api/v1/me/devices":                               ownOnly,
	"POST /api/v1/people/{id}/renew":                       operators,
	"GET /api/v1/people/{id}/timeline":                     readers,
	"GET /api/v1/people/{id}/photo":                        readers,
	"POST /api/v1/people/{id}/corrections":                 staff,
	"POST /api/v1/people/{id}/corrections/{attribute}/end": staff,
	"POST /api/v1/people/{id}/bindings":                    staff,
	"GET /api/v1/brakes":                                   readers,
	"GET /api/v1/brakes/{id}":                              readers,
	"GET /api/v1/brakes/{id}/missing":                      readers,
	"POST /api/v1/brakes/{id}/release":                     staff,
	"POST /api/v1/brakes/{id}/discard":                     staff,
	"POST /api/v1/brakes/{id}/take-back":                   staff,
	"POST /api/v1/announcements/{id}/confirm":              operators,
	"GET /api/v1/announcements":                            readers,
	"POST /api/v1/announcements":                           operators,
	"DELETE /api/v1/announcements/{id}":                    operators,
	"GET /api/v1/sources":                                  readers,
	"POST /api/v1/sources/{source}/read":                   staff,
	"GET /api/v1/sources/missing":                          readers,
	"GET /api/v1/sources/{source}/people":                  staff,
	"GET /api/v1/confidential":                             discreet,
	"GET /api/v1/runs":                                     readers,
	"GET /api/v1/runs/{id}":                                readers,
	"GET /api/v1/runs/{id}/events":                         readers,
	"POST /api/v1/runs/{id}/steps/{number}/{verb}":         operators,
	callsOfStep:                                    operators, // of that system: the handler looks
	"GET /api/v1/runs/{id}/undo":                   readers,
	"POST /api/v1/runs/{id}/undo":                  operators,
	"GET /api/v1/holds":                            readers,
	"DELETE /api/v1/holds/{id}":                    operators,
	"POST /api/v1/runs/{id}/cancel":                operators,
	"POST /api/v1/runs/{id}/pause":                 operators,
	"POST /api/v1/runs/{id}/resume":                operators,
	"GET /api/v1/systems":                          technical,
	"GET /api/v1/systems/{system}/retirement":      technical,
	"POST /api/v1/systems/{system}/orders":         operators,
	"POST /api/v1/systems/{system}/start":          operators,
	"GET /api/v1/systems/{system}/list":            technical,
	"POST /api/v1/systems/{system}/list":           operators,
	"POST /api/v1/orders/{order}/lift":             operators,
	"GET /api/v1/numbers":                          readers,
	"GET /api/v1/numbers/pools":                    readers,
	"GET /api/v1/numbers/pools/{pool}":             readers,
	"POST /api/v1/numbers/reserve":                 staff,
	"POST /api/v1/numbers/assign":                  operators,
	"GET /api/v1/numbers/plan":                     technical,
	"PUT /api/v1/numbers/plan":                     operators,
	"POST /api/v1/numbers/import":                  operators,
	"GET /api/v1/numbers/audit":                    readers,
	"GET /api/v1/numbers/audit/{system}":           readers,
	"POST /api/v1/numbers/audit/{system}/read":     operators,
	"POST /api/v1/numbers/audit/{system}/adopt":    operators,
	"GET /api/v1/numbers/{number}":                 readers,
	"POST /api/v1/numbers/{number}/shown":          operators,
	"DELETE /api/v1/numbers/{number}/shown/{slot}": operators,
	"POST /api/v1/numbers/{number}/{verb}":         operators,
	"GET /api/v1/tasks":                            everyRole,
	"GET /api/v1/tasks/{id}":                       ownOnly,
	"POST /api/v1/tasks/{id}/complete":             ownOnly, // and a reseller who signs
	"POST /api/v1/tasks/{id}/assign":               operators,
	"POST /api/v1/runs/{id}/issues":                staff,
	"GET /api/v1/approvals":                        approvals,
	"GET /api/v1/approvals/{id}":                   ownOnly,
	"POST /api/v1/approvals/{id}":                  ownOnly,
	"GET /api/v1/delegations":                      approvals,
	"POST /api/v1/delegations":                     deciders,
	"DELETE /api/v1/delegations/{id}":              deciders,
	"GET /api/v1/events":                           readers,
	"POST /api/v1/events/{id}/replay":              staff,
	"GET /api/v1/records":                          technical,
	"GET /api/v1/sessions":                         ownOnly, // administrators see all
	"DELETE /api/v1/sessions/{id}":                 ownOnly,
	"GET /api/v1/tokens":                           admins,
	"POST /api/v1/tokens":                          admins,
	"DELETE /api/v1/tokens/{id}":                   admins,
	"GET /api/v1/me":                               ownOnly,
	"GET /api/v1/team":                             ownOnly,
	"POST /api/v1/plans":                           operators,
	"GET /api/v1/people/{id}/records":              readers,
	"GET /api/v1/runs/{id}/records":                readers,
	"GET /api/v1/policies":                         technical,
	"GET /api/v1/policies/{id}/people":             technical,
	"GET /api/v1/proposals/{version}":              technical,
	"POST /api/v1/proposals/{version}":             admins,
	"POST /api/v1/announced/{act}/withdraw":        admins,
	"GET /api/v1/catalogue":                        technical,
	"POST /api/v1/settings/systems/undo":           admins,
	"GET /api/v1/alerts":                           readers,

	"GET /settings":                                               technical,
	"GET /settings/roles":                                         admins,
	"GET /settings/templates":                                     technical,
	"GET /settings/templates/{name}":                              technical,
	"GET /settings/branding":                                      admins,
	"POST /settings/branding":                                     admins,
	"POST /settings/branding/back":                                admins,
	"GET /settings/calendars":                                     technical,
	"POST /settings/calendars":                                    operators,
	"GET /settings/systems":                                       admins,
	"GET /settings/systems/{name}":                                admins,
	"POST /settings/systems/{name}":                               admins,
	"POST /settings/systems/undo":                                 admins,
	"GET /api/v1/settings/systems":                                admins,
	"PUT /api/v1/settings/systems/{name}":                         admins,
	"GET /settings/webhooks":                                      technical,
	"POST /settings/webhooks/{name}/test":                         operators,
	"POST /settings/webhooks/{name}/deliveries/{id}/again":        operators,
	"GET /api/v1/settings/webhooks":                               technical,
	"POST /api/v1/settings/webhooks/{name}/test":                  operators,
	"POST /api/v1/settings/webhooks/{name}/deliveries/{id}/again": operators,
	"GET /brand/logo":                                             anybody,
	"GET /brand/colours.css":                                      anybody,
	"GET /api/v1/settings/roles":                                  admins,
	"GET /api/v1/settings/templates":                              technical,
	"POST /api/v1/settings/templates/{name}/preview":              operators,
	"POST /api/v1/settings/files":                                 operators,
	"GET /api/v1/settings/branding":                               technical,
	"PUT /api/v1/settings/branding":                               admins,
	"POST /api/v1/settings/branding/back":                         admins,
	"GET /api/v1/settings/calendars":                              technical,
	"POST /api/v1/settings/calendars":                             operators,
}

// rolesOf is the table with the roles that the configuration lets know what is confidential.
func rolesOf(confidential []dayone.Role) map[string][]dayone.Role {
	out := maps.Clone(allowed)
	for _, pattern := range []string{"GET /confidential", "GET /api/v1/confidential"} {
		out[pattern] = confidential
	}
	return out
}

// may says no to a role that is not let in at an address, and which are.
func (p *portal) may(w who, pattern string) error {
	roles := p.roles[pattern]
	if w.Role.In(roles) && everywhere(w.Scope, pattern) {
		return nil
	}
	if w.Role.In(roles) {
		return refuse(dayone.ErrForbidden, fmt.Sprintf(textBeyondScope, w.Role, w.Scope))
	}
	if len(roles) == 0 {
		return refuse(dayone.ErrForbidden, fmt.Sprintf(textNoRole, w.Role))
	}
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		names = append(names, string(r))
	}
	return refuse(dayone.ErrForbidden, fmt.Sprintf(textWrongRole, w.Role, strings.Join(names, ", ")))
}

// shows says whether whoever asks may go to a page: links to others are left out.
func (p *portal) shows(r *http.Request, pattern string) bool {
	w, ok := p.access.session(r)
	return ok && p.lets(w, pattern)
}

// lets says whether somebody may go to an address at all.
func (p *portal) lets(w who, pattern string) bool {
	return w.Role.In(p.roles[pattern]) && everywhere(w.Scope, pattern)
}

// missingRoles says which addresses have no entry in the table.
func missingRoles(list []route) []string {
	var out []string
	for _, r := range list {
		if _, ok := allowed[r.pattern]; !ok {
			out = append(out, r.pattern)
		}
	}
	slices.Sort(out)
	return out
}
