package main

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/policy"
)

// mostUndoDays is for how long a run can be undone at most: what it was about is hardly so any more after a year.
const mostUndoDays = 366

// check judges what can be judged without a secret, a file or a call.
func (c *config) check() {
	bad := func(err error) {
		if f, ok := err.(faults); ok {
			c.places.faults = append(c.places.faults, f...)
		}
	}
	c.checkPortal(bad)
	c.checkLogins(bad)
	c.checkSignOn(bad)
	if c.Messages.OpensAt >= 24*time.Hour {
		bad(c.wrong("messages.links_open_at", "value", "write 7h for seven in the morning", "messages.links_open_at is %s, and the first day has 24 hours", c.Messages.OpensAt))
	}
	if c.Alone.Notice < time.Hour {
		bad(c.wrong("alone.notice", "value", "write 24h", "alone.notice is %s; below an hour nobody sees what is coming", c.Alone.Notice))
	}
	for _, n := range []struct {
		path string
		days int
	}{{"approvals.remind_after", c.Approvals.RemindAfter}, {"approvals.escalate_after", c.Approvals.EscalateAfter}} {
		if n.days < 1 || n.days > 90 {
			bad(c.wrong(n.path, "value", "write working days, 1 to 90", "%s is %d", n.path, n.days))
		}
	}
	somebody := func(path, who string) {
		if name, isGroup := strings.CutPrefix(who, "group:"); isGroup && name == "" || !isGroup && !strings.Contains(who, "@") {
			bad(c.wrong(path, "value", "write a mail address, or group:NAME", "%s names %q, which is neither", path, who))
		}
	}
	for _, who := range c.Approvals.Fallback {
		somebody("approvals.fallback", who)
	}
	if c.Tasks.Assignee != "" {
		somebody("tasks.assignee", c.Tasks.Assignee)
	}
	if c.KeepDays < 1 {
		bad(c.wrong("keep_bodies_days", "value", "write 30", "keep_bodies_days is %d, and what was just received cannot be looked at without its body", c.KeepDays))
	}
	if c.Standby && strings.HasPrefix(c.Database, "sqlite:") {
		bad(c.wrong("standby", "value", "leave it out, or name a database of PostgreSQL", "standby is for several servers on one PostgreSQL; a file of SQLite is one server's"))
	}
	if c.Lease < time.Second {
		bad(c.wrong("lease", "value", "write 10s", "lease is %s, and a server that lives may be silent for a moment: one second at least", c.Lease))
	}
	if c.UndoDays < 1 || c.UndoDays > mostUndoDays {
		bad(c.wrong("undo_days", "value", "write 30", "undo_days is %d; a run can be undone for at least one day and at most %d", c.UndoDays, mostUndoDays))
	}
	c.checkPrivacy(bad)
	if _, _, err := net.SplitHostPort(c.Portal.Listen); err != nil {
		bad(c.wrong("portal.listen", "value", "write 127.0.0.1:8080, or :8080 for every address of this machine", "portal.listen is %q", c.Portal.Listen))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		path, s := "sources."+name, c.Sources[name]
		if _, err := time.Parse(time.DateOnly, s.Since); s.Since != "" && err != nil {
			bad(c.wrong(path+".since", "value", "write 2025-01-31", "%s.since is %q, which is no day", path, s.Since))
		}
		if name == dayone.Portal {
			bad(c.wrongKey(path, "name", "call it hr", "%q is the source of what people enter here", name))
		}
		c.checkBrakes(path, s, bad)
		c.checkDiscretion(path, s.Confidential, bad)
		m, err := c.connector(path, s.Connector)
		bad(err)
		if m == nil {
			continue
		}
		if !m.Can("source") {
			bad(c.wrong(path+".connector", "heading", "move it below systems:"+andName(name, m), "%s: %s is no source of people", path, m.Title))
			continue
		}
		c.checkSettings(path, m, s.Settings, bad)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		path, s := "systems."+name, c.Systems[name]
		if !systemName.MatchString(name) {
			bad(c.wrongKey(path, "name", "use lower case letters, digits and -", "%q is no name for a system", name))
		}
		m, err := c.connector(path, s.Connector)
		bad(err)
		if m == nil {
			continue
		}
		if s.Owner != "" {
			somebody(path+".owner", s.Owner)
		}
		if slices.Equal(m.Capabilities, []string{"source"}) {
			bad(c.wrong(path+".connector", "heading", "move it below sources:", "%s: %s is where people come from, and no system that is provisioned", path, m.Title))
			continue
		}
		c.checkSettings(path, m, s.Settings, bad)
		if m, err = c.manifest(name); err != nil {
			bad(err)
			continue
		}
		for bucket, n := range s.PerMinute {
			if n == 0 {
				bad(c.wrong(path+".per_minute."+bucket, "value", "write how many requests a minute are allowed, or leave it out for those that "+m.Title+" allows", "%s.per_minute.%s is 0", path, bucket))
			}
			if _, ok := m.Limits.Buckets[bucket]; !ok && bucket != "default" {
				known := slices.Compact(slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(m.Limits.Buckets)), "default"))))
				bad(c.wrongKey(path+".per_minute."+bucket, "unknown-key", cmp.Or(dayone.Meant(bucket, known), "there are "+strings.Join(known, ", ")), "%s has no limit %q", m.Title, bucket))
			}
		}
		_, err = c.system(name, m)
		bad(err)
		c.checkCare(path, s, bad)
	}
	c.checkOrder(bad)
	c.checkOutside(bad)
	c.checkAlerts(bad)
	c.checkWebhooks(bad)
	c.checkRemovals(bad)
	bad(c.checkCarrier("messages.mail", c.Messages.Mail, sendsMail, "sends mail to an address"))
	bad(c.checkCarrier("messages.calendar", c.Messages.Calendar, sendsInvitations, "sends invitations"))
	c.places.faults.sort()
}

// checkPortal judges the address that people reach: links are made of it, and requests for any other are refused.
func (c *config) checkPortal(bad func(error)) {
	const hint = "write https://dayone.company.com"
	if s := c.Portal.Setup; s != "" && s != setupHere && s != setupAnywhere {
		bad(c.wrong("portal.setup", "value", "write "+setupAnywhere+", or leave it out", "portal.setup is %q", s))
	}
	c.checkLimits(bad)
	if tag := c.Portal.Language; tag != "" && !locale.Known(tag) {
		bad(c.wrong("portal.language", "value", "there are "+strings.Join(locale.Tags(), ", "), "portal.language is %q", tag))
	}
	u, err := url.Parse(c.Portal.URL)
	switch {
	case err != nil || u.Host == "":
		bad(c.wrong("portal.url", "value", hint, "portal.url is %q, which is no address", c.Portal.URL))
	case u.Scheme != "https" && u.Scheme != "http":
		bad(c.wrong("portal.url", "value", hint, "portal.url begins with %s://, and the portal speaks http or, behind a proxy, https", u.Scheme))
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		bad(c.wrong("portal.url", "value", "write "+u.Scheme+"://"+u.Host, "portal.url is %q; it is only the beginning of every address: scheme, host and port", c.Portal.URL))
	}
}

// checkOrder finds systems of which each waits for the next, round in a circle: none of them would ever begin.
func (c *config) checkOrder(bad func(error)) {
	const under, over = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string)
	visit = func(name string) {
		state[name] = under
		path = append(path, name)
		s := c.Systems[name]
		places := map[string]string{}
		if via, err := dayone.ParseKey(s.ProvisionedBy); err == nil {
			places[via.System] = "provisioned_by"
		}
		for i, need := range s.Needs {
			places[need] = fmt.Sprintf("needs.%d", i)
		}
		for _, need := range slices.Sorted(maps.Keys(places)) {
			switch _, ok := c.Systems[need]; {
			case !ok: // policies may know it
			case state[need] == under:
				circle := append(slices.Clone(path[slices.Index(path, need):]), need)
				bad(c.wrong("systems."+name+"."+places[need], "circle", "leave one of them out",
					"accounts would wait for each other for ever: %s", strings.Join(circle, " after ")))
			case state[need] != over:
				visit(need)
			}
		}
		path = path[:len(path)-1]
		state[name] = over
	}
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		if state[name] != over {
			visit(name)
		}
	}
}

// andName is what else a system needs that only carries messages.
func andName(name string, m *connector.Manifest) string {
	switch {
	case m.Can("calendar"):
		return " and write messages: {calendar: " + name + "}"
	case sendsMail(m):
		return " and write messages: {mail: " + name + "}"
	default:
		return ""
	}
}

// sendsMail tells what writes to any address from what writes to its own channels: mail can be a page.
func sendsMail(m *connector.Manifest) bool {
	_, page := m.Kinds["message"].Attributes["html"]
	return m.Can("messenger") && page
}

func sendsInvitations(m *connector.Manifest) bool { return m.Can("calendar") }

// connector is the manifest of a configured one.
func (c *config) connector(path, name string) (*connector.Manifest, error) {
	factories := all.Factories()
	f, ok := factories[name]
	if !ok {
		known := slices.Sorted(maps.Keys(factories))
		return nil, c.wrong(path+".connector", "unknown-connector", cmp.Or(dayone.Meant(name, known), "write connector: and one of "+strings.Join(known, ", ")),
			"%s: there is no connector %q", path, name)
	}
	return connector.ParseManifest(f.Manifest)
}

// checkSettings finds settings that nobody knows and those that are missing. What they say is judged when they are used.
func (c *config) checkSettings(path string, m *connector.Manifest, given map[string]string, bad func(error)) {
	known := slices.Sorted(maps.Keys(m.Settings))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := m.Settings[name]; !ok {
			bad(c.wrongKey(path+".settings."+name, "unknown-setting", cmp.Or(dayone.Meant(name, known), "it has "+strings.Join(known, ", ")), "%s has no setting %q", m.Title, name))
		}
	}
	for _, name := range known {
		s := m.Settings[name]
		if _, ok := given[name]; s.Required && s.Default == "" && !ok {
			write := cmp.Or(s.Example, "...")
			if s.Type == "secret" {
				write = "${env:" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path[strings.IndexByte(path, '.')+1:]+"_"+name)) + "}"
			}
			bad(c.wrongKey(path+".settings", "missing", fmt.Sprintf("write settings: {%s: %q}", name, write), "%s: %s needs the setting %s: %s", path, m.Title, name, s.Help))
		}
	}
}

// checkCarrier judges which system carries mails or invitations.
func (c *config) checkCarrier(path, name string, can func(*connector.Manifest) bool, does string) error {
	if name == "" {
		return nil
	}
	var fit []string
	for name, f := range all.Factories() {
		if m, err := connector.ParseManifest(f.Manifest); err == nil && can(m) {
			fit = append(fit, name)
		}
	}
	slices.Sort(fit)
	s, ok := c.Systems[name]
	if !ok {
		return c.wrong(path, "unknown-system", cmp.Or(dayone.Meant(name, slices.Sorted(maps.Keys(c.Systems))), "configure it below systems: with connector: "+strings.Join(fit, " or ")),
			"%s names the system %q, which is not configured", path, name)
	}
	m, err := c.connector("systems."+name, s.Connector)
	if err != nil || can(m) {
		return nil // a connector that is not there has been reported
	}
	hint := "configure one with connector: " + strings.Join(fit, " or ")
	for other, s := range c.Systems {
		if slices.Contains(fit, s.Connector) {
			hint = "write " + other
		}
	}
	return c.wrong(path, "value", hint, "%s names %s, and %s is not what %s", path, name, m.Title, does)
}

var systemName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// checkAgainst judges what the file says of systems that only the policies know.
func (c *config) checkAgainst(set *policy.Set) error {
	var found faults
	known := slices.Sorted(maps.Keys(set.Systems))
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		path := "systems." + name
		for i, need := range c.Systems[name].Needs {
			if _, ok := set.Systems[need]; !ok {
				found = append(found, c.wrong(path+".needs."+strconv.Itoa(i), "unknown-system", dayone.Meant(need, known), "%s needs the system %q, which nobody knows", name, need).(faults)...)
			}
		}
		via := set.Systems[name].Via
		if _, ok := set.Systems[via.System]; via.System != "" && !ok {
			found = append(found, c.wrong(path+".provisioned_by", "unknown-system", dayone.Meant(via.System, known), "%s is provisioned by the system %q, which nobody knows", name, via.System).(faults)...)
		}
	}
	if err := c.checkRetained(set); err != nil {
		found = append(found, err.(faults)...)
	}
	if err := c.checkAsked(set); err != nil {
		found = append(found, err.(faults)...)
	}
	if len(found) > 0 {
		found.sort()
		return found
	}
	return nil
}

// idle are configured systems at which nothing will ever be done, and why that may be.
func (c *config) idle(set *policy.Set) map[string]string {
	named := append(set.Named(), c.Messages.Mail, c.Messages.Calendar)
	if chat, err := dayone.ParseKey(c.Alerts.Chat); err == nil {
		named = append(named, chat.System)
	}
	free := slices.DeleteFunc(slices.Clone(named), func(name string) bool { _, ok := c.Systems[name]; return ok || name == "" })
	slices.Sort(free)
	hint := "policies name no system that is not configured"
	if len(free) > 0 {
		hint = "policies name " + strings.Join(slices.Compact(free), ", ")
	}
	out := map[string]string{}
	for name := range c.Systems {
		if !slices.Contains(named, name) {
			out[name] = cmp.Or(dayone.Meant(name, free), hint)
		}
	}
	return out
}
