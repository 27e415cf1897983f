package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/rest"
	restsim "github.com/dayone-hq/dayone/connector/rest/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// shape is what a definition makes of the manifest, after texts in it are replaced.
func shape(t *testing.T, definition string, oldNew ...string) (*connector.Manifest, error) {
	t.Helper()
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(definition, oldNew[i]) {
			t.Fatalf("%q is not in the definition", oldNew[i])
		}
		definition = strings.ReplaceAll(definition, oldNew[i], oldNew[i+1])
	}
	m, err := connector.ParseManifest(rest.Factory.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	return m, rest.Shape(m, map[string]string{"definition": definition})
}

const (
	disable = `  disable: {method: POST, path: "/users/${id}/lock", body: {reason: Dayone}}` + "\n"
	remove  = `  delete: {method: DELETE, path: "/users/${id}"}` + "\n"
	enable  = `  enable: {method: POST, path: "/users/${id}/unlock"}` + "\n"
	take    = `    remove: {method: DELETE, path: "/users/${account}/roles/${id}"}` + "\n"
)

// What is wrong with a definition is said when it is checked, and not on somebody's last day.
func TestWrongDefinitions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change []string
		says   string
	}{
		"nothing":               {[]string{restsim.Definition, ""}, "is empty"},
		"no YAML":               {[]string{"title: Intranet", "title: [Intranet"}, "line"},
		"unknown word":          {[]string{"lag: 10s", "lagg: 10s"}, `"lagg"`},
		"unknown word in calls": {[]string{"enable: {method: POST", "enable: {methode: POST"}, `"methode"`},
		"two documents":         {[]string{"kinds:", "---\nkinds:"}, "more than one document"},
		"no way out":            {[]string{disable, "", remove, ""}, "add accounts.disable or accounts.delete, or say in accounts.by_hand.disable"},
		"a role for ever":       {[]string{take, ""}, "kinds.role can be given and not taken"},
		"a role unseen":         {[]string{`    held: {path: "/users/${account}/roles", items: /data}` + "\n", ""}, "kinds.role.held is missing"},
		"no state":              {[]string{"  state: {at: /status, active: ACTIVE, disabled: LOCKED}\n", ""}, "accounts.state is missing"},
		"nobody found":          {[]string{"  list: {path: /users, items: /data}\n", "", "  find:\n", "  find: {}\n  # ", `    employee_number: {path`, `    # {path`, `    login: {path`, `    # {path`, `    email: {path`, `    # {path`}, "add accounts.list, or accounts.find"},
		"unread":                {[]string{"get: {path", "delete: {path", remove, "", "  list: {path: /users, items: /data}\n", ""}, "add accounts.get or accounts.list"},
		"attribute not sent":    {[]string{"      jobTitle: ${title}\n", ""}, "accounts.create does not send ${title}"},
		"nobody knows it":       {[]string{"jobTitle: ${title}", "jobTitle: ${titel}"}, "accounts.create names ${titel}"},
		"no pointer":            {[]string{"email: /mail", "email: mail"}, `accounts.attributes.email is "mail"`},
		"a query in the path":   {[]string{"path: /roles,", `path: "/roles?all=1",`}, "stands below query"},
		"quotes forgotten":      {[]string{`given: "${first_name}"`, `given: {first_name}`}, "put quotes"},
		"no such kind of error": {[]string{"kind: no seat", "kind: seats"}, "no kind \"seats\""},
		"cursor without next":   {[]string{"by: page,", "by: cursor,"}, "next is missing"},
		"no such paging":        {[]string{"by: page,", "by: pages,"}, "by can be page"},
		"pages forgotten":       {[]string{"paging: {by: page, parameter: page, size: per_page, most: 50, total: /meta/total}\n", ""}, "accounts.list.paging is missing"},
		"found by anything":     {[]string{"    login: {path", "    title: {path"}, "accounts.find.title"},
		"by hand what is not":   {[]string{"  get: {path", "  by_hand: {close: call them}\n  get: {path"}, `by_hand has no "close"`},
		"no type":               {[]string{"type: int", "type: number"}, `type "number"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := shape(t, restsim.Definition, c.change...)
			connectortest.Told(t, err, dayone.ErrInvalid, c.says)
		})
	}
}

// What a definition does not describe is a task with a text that says what to do, and not nothing.
func TestByHand(t *testing.T) {
	by := "  by_hand:\n    disable: Facilities (2222) lock it and end its sessions.\n"
	update := restsim.Definition[strings.Index(restsim.Definition, "  update:\n"):strings.Index(restsim.Definition, "  enable:")]
	b := open(t, sim.Options{}, disable, by, enable, "", remove, "", update, "")
	sys := b.guard.Manifest.System("intranet")
	if sys.As(dayone.Staged) != dayone.Active || sys.As(dayone.Disabled) != dayone.Disabled || sys.CanDelete {
		t.Errorf("the system is %+v", sys)
	}
	ref := b.join(sarah)
	b.sim.SignIn(ref)
	for _, c := range []struct {
		action dayone.Action
		want   *dayone.Item
		says   []string
	}{
		{dayone.AccountDisable, &dayone.Item{Ref: ref, State: dayone.Disabled}, []string{"Facilities (2222) lock it and end its sessions", ref}},
		{dayone.AccountUpdate, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Director")}}, []string{"change in Intranet the account " + ref + ": title = Director; then complete"}},
		{dayone.AccountDelete, nil, []string{"delete the account " + ref}},
	} {
		_, err := b.guard.Apply(t.Context(), b.account(c.action, ref, c.want))
		connectortest.Told(t, err, dayone.ErrUnsupported, c.says...)
	}
	if got := b.only(); got.State != dayone.Active || b.sim.Sessions(ref) != 0 { // what can be ended is, until somebody closes it
		t.Errorf("it is %+v with %d sessions", got, b.sim.Sessions(ref))
	}
	if text := b.guard.Manifest.ByHand()[connector.ActOn{Kind: "account", Action: dayone.AccountDisable}]; !strings.HasPrefix(text, "Facilities") {
		t.Errorf("the engine would say %q", text)
	}

	made := open2(b, "    add: {method: PUT, path: \"/users/${account}/roles/${id}\", body: {level: \"${role}\"}}\n", "", take, "")
	_, err := made.Apply(t.Context(), b.role(dayone.EntitlementAdd, ref, "news", "reader"))
	connectortest.Told(t, err, dayone.ErrUnsupported, "give role news as reader of the account "+ref)

	m, err := shape(t, restsim.Definition, disable, "")
	if err != nil || m.System("intranet").As(dayone.Disabled) != dayone.Gone {
		t.Errorf("without disable a leaver's account is %s, %v", m.System("intranet").As(dayone.Disabled), err)
	}
	if m.Title != "Intranet" || m.System("intranet").Title != "Intranet" || m.System("emea").Title != "Intranet (emea)" {
		t.Errorf("it is called %s", m.System("intranet").Title)
	}
}

// Headers go along with each request, and limits are those of the system.
func TestHeadersAndLimits(t *testing.T) {
	b := open(t, sim.Options{}, "limits: {per_minute: 600}", "limits: {per_minute: 60, concurrency: 1, paths: {/api/users: 30}}\nheaders: {X-Tenant: emea}")
	b.join(sarah)
	for _, r := range b.sim.Door().Requests() {
		if r.Header.Get("X-Tenant") != "emea" {
			t.Errorf("%s goes without the header", r)
		}
	}
	if got := b.guard.Manifest.Limits; got.Buckets["default"].PerMinute != 60 || got.Buckets["/api/users"].Match != "/api/users" || b.guard.Width() != 1 {
		t.Errorf("the limits are %+v", got)
	}
}

func open2(b *bench, oldNew ...string) *connector.Guard { return b.reach(b.sim, nil, oldNew...) }

// A role is changed by its own call, by a PUT, or by taking and giving anew; never by giving it beside the other.
func TestRoleChanges(t *testing.T) {
	const put = `add: {method: PUT, path: "/users/${account}/roles/${id}", body: {level: "${role}"}}`
	post := strings.Replace(put, "PUT", "POST", 1)
	for name, c := range map[string]struct{ with, calls string }{
		"put":    {put, "PUT PUT"},
		"post":   {post, "POST DELETE POST"},
		"change": {post + "\n    " + strings.Replace(put, "add", "change", 1), "POST PUT"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, sim.Options{}, put, c.with)
			ref := b.join(sarah)
			b.sim.Door().Forget()
			for _, level := range []string{"reader", "editor"} {
				b.do(b.role(dayone.EntitlementAdd, ref, "news", level))
			}
			var calls []string
			for _, r := range b.sim.Door().Requests() {
				if r.Method != http.MethodGet {
					calls = append(calls, r.Method)
				}
			}
			if got := strings.Join(calls, " "); got != c.calls || b.only().Entitlements[0] != "role:news=editor" {
				t.Errorf("it called %s; she has %v", got, b.only().Entitlements)
			}
		})
	}
}

// Who has a role can be asked of the role as well.
func TestMembersOfEach(t *testing.T) {
	b := open(t, sim.Options{}, `held: {path: "/users/${account}/roles", items: /data}`, `held: {path: "/roles/${id}/members", items: /data, account: /user}`)
	ref := b.join(sarah)
	other := b.sim.Seed(sim.Account{Login: "tom", Entitlements: []string{"role:archive=reader"}})
	b.do(b.role(dayone.EntitlementAdd, ref, "news", "editor"))
	if got := b.sim.Accounts()[0].Entitlements; len(got) != 1 || got[0] != "role:news=editor" {
		t.Errorf("she has %v", got)
	}
	b.do(b.role(dayone.EntitlementRemove, ref, "news", "editor"))
	if got := b.sim.Accounts(); len(got[0].Entitlements) != 0 || len(got[1].Entitlements) != 1 {
		t.Errorf("they have %+v; the other is %s", got, other)
	}
}

// ledger is an old application: forms, a PUT of the whole, errors with 200, groups as texts inside of the account, 404 for a
// search that finds nobody, and an answer without an id when it makes one.
type ledger struct {
	mu   sync.Mutex
	rows map[string]map[string]any
	log  []string
}

const ledgerDefinition = `
title: Ledger
errors:
  - {status: 200, at: /ok, is: "false", kind: conflict}
error: {detail: /why}
accounts:
  id: /user
  attributes: {login: {at: /user, once: true}, display_name: /full, employee_number: {at: /nr, once: true}, title: /rank}
  state: {at: /open, active: "true", disabled: "false"}
  get: {path: "/u/${id}"}
  find:
    login: {path: "/u/${value}"}
    employee_number: {path: "/nr/${value}"}
  create: {method: POST, path: /new, form: {user: "${login}", full: "${display_name}", nr: "${employee_number}", rank: "${title}"}}
  update:
    - {method: PUT, path: "/u/${id}", whole: true, body: {full: "${display_name}", rank: "Rank ${title}"}}
  disable: [{method: POST, path: "/u/${id}/close"}, {method: POST, path: "/u/${id}/logout"}]
  enable: {method: POST, path: "/u/${id}/open"}
kinds:
  book:
    held: {in: /books, id: ""}
    add: {method: POST, path: "/u/${account}/books/${name}"}
    remove: {method: DELETE, path: "/u/${account}/books/${name}"}
`

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	l.log = append(l.log, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(raw)))
	say := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	row := l.rows[part[min(1, len(part)-1)]]
	switch {
	case part[0] == "new":
		form, _ := url.ParseQuery(string(raw))
		if l.rows[form.Get("user")] != nil {
			say(map[string]any{"ok": false, "why": "the user is there"})
			return
		}
		l.rows[form.Get("user")] = map[string]any{"user": form.Get("user"), "full": form.Get("full"), "nr": form.Get("nr"), "rank": form.Get("rank"), "open": true, "books": []string{}}
		say(map[string]any{"ok": true})
	case row == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		say(row)
	case r.Method == http.MethodPut:
		var v map[string]any
		_ = json.Unmarshal(raw, &v)
		row["full"], row["rank"] = v["full"], v["rank"]
	case len(part) == 4 && r.Method == http.MethodPost:
		row["books"] = append(row["books"].([]string), part[3])
	case len(part) == 4:
		row["books"] = []string{}
	case part[2] != "logout":
		row["open"] = part[2] == "open"
	}
}

func TestOldApplication(t *testing.T) {
	t.Parallel()
	b := &bench{T: t, at: time.Now()}
	app := &ledger{rows: map[string]map[string]any{}}
	b.guard = b.reach(app, map[string]string{"url": "", "token": "t0ken", "definition": ledgerDefinition})
	who := dayone.Attrs{"login": dayone.Text("zoë"), "display_name": dayone.Text("Zoë & Co="), "employee_number": dayone.Text("7"), "title": dayone.Text("1")}
	ref := b.join(who) // its answer names no id: it is looked for
	if ref != "zoë" || app.rows["zoë"]["full"] != "Zoë & Co=" {
		t.Fatalf("it is %q: %v", ref, app.rows)
	}
	_, err := b.guard.Apply(t.Context(), dayone.Act{
		Action: dayone.AccountCreate, Key: dayone.Key{System: "intranet", Kind: "account"}, Want: &dayone.Item{State: dayone.Active, Attrs: who}, Attempt: 1, Since: b.now(),
	})
	connectortest.Told(t, err, dayone.ErrConflict, "the user is there")
	b.do(b.account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("2")}}))
	if app.rows["zoë"]["full"] != "Zoë & Co=" || app.rows["zoë"]["rank"] != "Rank 2" {
		t.Errorf("a PUT of the whole left %v", app.rows["zoë"])
	}
	b.do(b.role2("book", dayone.EntitlementAdd, ref, "main"))
	if got := fmt.Sprint(app.rows["zoë"]["books"]); got != "[main]" {
		t.Errorf("she has the books %s", got)
	}
	b.do(b.role2("book", dayone.EntitlementRemove, ref, "main"))
	b.do(b.account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	if log := strings.Join(app.log, "\n"); !strings.Contains(log, "POST /u/zoë/close\nPOST /u/zoë/logout") || app.rows["zoë"]["open"] != false {
		t.Errorf("it was closed so:\n%s", log)
	}
}

func (b *bench) role2(kind string, action dayone.Action, account, name string) dayone.Act {
	a := b.role(action, account, name, "")
	a.Key.Kind = kind
	for _, it := range []*dayone.Item{a.Want, a.Have} {
		if it != nil {
			it.Key.Kind = kind
		}
	}
	return a
}
