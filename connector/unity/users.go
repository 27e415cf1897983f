package unity

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// users are people with a mailbox.
type users struct {
	*server
	template string // by which a mailbox is made if the grant names none
	ldap     bool   // mailboxes are imported from the directory, and none is made beside it
	lookup   string // how an employee number is looked for: query, list, none
	web      bool   // the web password of directory users is ours to lock
	purge    bool   // a mailbox is deleted with the messages in it
	native   bool   // the server and its cluster keep one PIN by themselves, and the cluster's is written
}

var _ connector.Accounts = users{}

// fields maps our attribute names to CUPI's.
var fields = map[string]string{
	"login": "Alias", "email": "EmailAddress", "first_name": "FirstName", "last_name": "LastName", "display_name": "DisplayName",
	"title": "Title", "department": "Department", "employee_number": "EmployeeId", "extension": "DtmfAccessId",
}

// mastered is what the directory says of a user whom it feeds.
var mastered = []string{"login", "email", "first_name", "last_name", "title", "department"}

// errNotBrought: the directory's copy does not have this login yet.
var errNotBrought = fmt.Errorf("the directory has not brought this login yet: %w", dayone.ErrNotYet)

// byAlias is an order that stays while a list is read.
var byAlias = url.Values{"sort": {"(alias asc)"}}

// synced says that a directory feeds the user.
func synced(o object) bool { return o["LdapType"] == "3" && o["LdapCcmPkid"] != "" }

// full reads a user with what lists do not show.
func (u users) full(ctx context.Context, ref string) (object, error) {
	o, _, err := u.get(ctx, "reading mailbox", user(ref))
	if err == nil && o.id() == "" {
		return nil, u.Fault("reading mailbox", dayone.ErrUnavailable, "", "the answer is no user")
	}
	return o, err
}

func (u users) Get(ctx context.Context, ref string) (dayone.Item, error) {
	o, err := u.full(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return u.item(ctx, o)
}

// item is a mailbox as it stands. It is closed if the PIN and the web password are locked, or if the directory let go of it.
func (u users) item(ctx context.Context, o object) (dayone.Item, error) {
	it := dayone.Item{
		Key: dayone.Key{System: u.System, Kind: dayone.AccountKindName}, Ref: o.id(), State: dayone.Active,
		Attrs: dayone.Attrs{"directory": dayone.Text("")},
	}
	if synced(o) {
		it.Attrs["directory"] = dayone.Text("ldap")
	}
	for ours, theirs := range fields {
		it.Attrs[ours] = dayone.Text(o[theirs])
	}
	if at, err := time.Parse(time.RFC3339, o["CreationTime"]); err == nil {
		it.Created = at.UTC()
	}
	pin, err := u.credential(ctx, o.id(), "pin")
	if err != nil {
		return it, err
	}
	it.Attrs["pin_changed"] = dayone.Text(pin.object["TimeChanged"])
	shut := pin.yes("Locked")
	if shut && (u.web || !synced(o)) {
		web, err := u.credential(ctx, o.id(), "password")
		if err != nil {
			return it, err
		}
		shut = web.yes("Locked")
	}
	if shut || o.yes("Inactive") {
		it.State = dayone.Disabled
	}
	return it, nil
}

// Find looks for users by one value. What comes back is compared: a query that a release does not know may match everybody.
func (u users) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	column := fields[by]
	switch {
	case by != "login" && by != "email" && by != "employee_number", by == "employee_number" && u.lookup == "none":
		return nil, dayone.ErrUnsupported
	case by == "employee_number" && u.lookup == "list":
		return u.scan(ctx, value)
	}
	rows, err := u.rows(ctx, "finding mailbox", column, value)
	if err != nil && by == "employee_number" && errors.Is(err, dayone.ErrInvalid) {
		return nil, u.advise(err, "if this release cannot search by employee id, set employee_lookup to list, or to none")
	}
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, row := range rows {
		it, err := u.Get(ctx, row.id())
		if errors.Is(err, dayone.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(it.Attrs.Text(by), value) {
			out = append(out, it)
		}
	}
	return out, nil
}

// rows are the users that a query for one value shows.
func (u users) rows(ctx context.Context, op, column, value string) ([]object, error) {
	q, err := u.is(op, column, value)
	if err != nil {
		return nil, err
	}
	rows, err := u.all(ctx, op, "/vmrest/users", "User", q)
	// a row that shows the column and another value is not meant; one that does not show it has to be read
	return slices.DeleteFunc(rows, func(o object) bool { v, shown := o[column]; return shown && !strings.EqualFold(v, value) }), err
}

// scan reads everybody for an employee number.
func (u users) scan(ctx context.Context, number string) ([]dayone.Item, error) {
	var out []dayone.Item
	for o, err := range u.everybody(ctx) {
		if err != nil {
			return nil, err
		}
		if o["EmployeeId"] != number {
			continue
		}
		it, err := u.item(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// everybody reads each user, whole. One who is deleted while we read is gone.
func (u users) everybody(ctx context.Context) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		stopped := false
		err := u.list(ctx, "listing mailboxes", "/vmrest/users", "User", byAlias, func(row object) (bool, error) {
			o, err := u.full(ctx, row.id())
			if errors.Is(err, dayone.ErrNotFound) {
				return true, nil
			}
			if err != nil {
				return false, err
			}
			stopped = !yield(o, nil)
			return !stopped, nil
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

func (u users) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		for o, err := range u.everybody(ctx) {
			if err != nil {
				yield(dayone.Item{}, err)
				return
			}
			it, err := u.item(ctx, o)
			if errors.Is(err, dayone.ErrNotFound) {
				continue
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// Create makes a mailbox from a template, or imports it. Its PIN and web password are random ones that nobody sees: a template
// gives everybody the same.
func (u users) Create(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	const op = "making mailbox"
	template := u.template
	if t := a.Want.Attrs.Text("template"); t != "" {
		template = t
	}
	login, extension := a.Want.Attrs.Text("login"), a.Want.Attrs.Text("extension")
	switch {
	case login == "":
		return dayone.Result{}, u.Fault(op, dayone.ErrInvalid, "", "a mailbox needs a login: it is the alias")
	case extension == "":
		return dayone.Result{}, u.Fault(op, dayone.ErrInvalid, "", "a mailbox needs an extension: map the attribute extension, or set it with the grant")
	}
	q := url.Values{"templateAlias": {template}}
	path, body := "/vmrest/users", object{}
	for ours, theirs := range fields {
		if v := a.Want.Attrs.Text(ours); v != "" {
			body[theirs] = v
		}
	}
	if u.ldap {
		pkid, err := u.brought(ctx, login)
		if err != nil {
			return dayone.Result{}, err
		}
		path, body = "/vmrest/import/users/ldap", object{"alias": login, "pkid": pkid, "dtmfAccessId": extension}
	}
	answer, err := u.write(ctx, op, "POST", path, q, body)
	if errors.Is(err, dayone.ErrInvalid) {
		return dayone.Result{}, u.collision(ctx, err, login, extension)
	}
	if errors.Is(err, dayone.ErrNotFound) {
		return dayone.Result{}, u.Fault(op, dayone.ErrInvalid, "", "there is no user template "+template+", or the directory let go of this login meanwhile")
	}
	if err != nil {
		return dayone.Result{}, err
	}
	ref, err := u.made(op, answer)
	if err != nil {
		return dayone.Result{}, err
	}
	if err := u.harden(ctx, ref, u.ldap, a.Want.State != dayone.Active); err != nil {
		return dayone.Result{}, err
	}
	if u.ldap { // what the directory does not say
		rest := object{}
		for ours, v := range a.Want.Attrs {
			if theirs := fields[ours]; theirs != "" && ours != "extension" && !slices.Contains(mastered, ours) && v.Text != "" {
				rest[theirs] = v.Text
			}
		}
		if len(rest) > 0 {
			if _, err := u.write(ctx, op, "PUT", user(ref), nil, rest); err != nil {
				return dayone.Result{}, err
			}
		}
	}
	return dayone.Result{Now: &dayone.Item{Ref: ref}}, nil
}

// brought is the id of a login in the server's copy of the directory. It lists those only that have no mailbox yet.
func (u users) brought(ctx context.Context, login string) (string, error) {
	const op = "finding login in the directory"
	q, err := u.is(op, "alias", login)
	if err != nil {
		return "", err
	}
	q.Set("limit", "50")
	a, err := u.Do(ctx, httpc.Request{Op: op, Method: "GET", Path: with("/vmrest/import/users/ldap", q)}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return "", u.gone(ctx, op, err)
	}
	if err != nil {
		return "", err
	}
	var p page
	if err := p.read(a.Body, "ImportUser"); err != nil {
		return "", u.Fault(op, dayone.ErrUnavailable, "", "the answer is none that we understand: "+err.Error())
	}
	for _, o := range p.rows {
		if strings.EqualFold(o["alias"], login) && o["pkid"] != "" {
			return o["pkid"], nil
		}
	}
	return "", errNotBrought
}

// collision says who has the login or the extension that was refused. The server's own words are not documented.
func (u users) collision(ctx context.Context, refused error, login, extension string) error {
	var f *dayone.Fault
	if !errors.As(refused, &f) {
		return refused
	}
	out := *f
	if rows, err := u.rows(ctx, f.Op, "Alias", login); err == nil && len(rows) > 0 {
		out.Err = dayone.ErrConflict
		return &out
	}
	if who := u.holder(ctx, extension); who != "" {
		out.Err = dayone.ErrConflict
		out.Next = "extension " + extension + " is that of " + who + ", and it may be unique in its partition: give another, or take it from there, then retry"
	}
	return &out
}

// holder is what answers at an extension, as far as it can be found; "": nobody is found.
func (u users) holder(ctx context.Context, extension string) string {
	q, err := u.is("finding extension", "DtmfAccessId", extension)
	if err != nil {
		return ""
	}
	for _, where := range []struct{ path, element, name, what string }{
		{"/vmrest/users", "User", "Alias", "user "},
		{"/vmrest/handlers/callhandlers", "Callhandler", "DisplayName", "call handler "},
		{"/vmrest/distributionlists", "DistributionList", "Alias", "distribution list "},
	} {
		rows, err := u.all(ctx, "finding extension", where.path, where.element, q)
		if err != nil {
			continue // it only makes a refusal plainer
		}
		for _, o := range rows {
			if o["DtmfAccessId"] == extension {
				return where.what + o[where.name]
			}
		}
	}
	return ""
}

// Update sets attributes. What a directory masters is changed there. A new extension takes its lamp along.
func (u users) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	const op = "changing mailbox"
	is, err := u.full(ctx, ref)
	if err != nil {
		return err
	}
	body := object{}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if fields[name] == "" {
			continue
		}
		if synced(is) && slices.Contains(mastered, name) {
			return u.Fault(op, dayone.ErrUnsupported, "", "the directory masters "+strings.ReplaceAll(name, "_", " ")+": change it there, and it comes with the next synchronization")
		}
		body[fields[name]] = changed.Text(name)
	}
	if len(body) == 0 {
		return nil
	}
	extension, moves := body["DtmfAccessId"]
	if moves && extension == "" {
		return u.Fault(op, dayone.ErrInvalid, "", "a mailbox keeps an extension until it is deleted; give another one")
	}
	if moves {
		if err := u.lamps(ctx, ref, is["DtmfAccessId"], extension); err != nil {
			return err
		}
	}
	_, err = u.write(ctx, op, "PUT", user(ref), nil, body)
	if moves && errors.Is(err, dayone.ErrInvalid) {
		if who := u.holder(ctx, extension); who != "" {
			return u.advise(err, "extension "+extension+" is that of "+who+": take it from there, then retry")
		}
	}
	if err != nil || !moves {
		return err
	}
	return u.relight(ctx, ref)
}

// advise adds to a refusal what to do about it.
func (s *server) advise(err error, next string) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	out := *f
	out.Next = next
	return &out
}

// Switch locks or opens the PIN and the web password. Opening begins with the web, closing with the phone: what is half done
// shows as open while it closes.
func (u users) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	is, err := u.full(ctx, ref)
	if err != nil {
		return err
	}
	doors := []string{"pin", "password"}
	if !u.web && synced(is) {
		doors = doors[:1]
	}
	shut := to != dayone.Active
	if !shut {
		slices.Reverse(doors)
	}
	for _, door := range doors {
		c, err := u.credential(ctx, ref, door)
		if err != nil {
			return err
		}
		if c.yes("Locked") == shut {
			continue
		}
		if err := u.put(ctx, "locking "+door, ref, door, object{"Locked": fmt.Sprint(shut)}); err != nil {
			return u.webAdvice(err, door, synced(is))
		}
	}
	return nil
}

func (u users) webAdvice(err error, door string, synced bool) error {
	if door == "password" && synced && errors.Is(err, dayone.ErrInvalid) {
		return u.advise(err, "if this release does not let anybody touch the web password of a directory user, set lock_directory_web to false; the PIN is done")
	}
	return err
}

// Delete removes a mailbox that nothing names and in which nothing lies; its messages would go with it.
func (u users) Delete(ctx context.Context, ref string) error {
	const op = "deleting mailbox"
	is, err := u.full(ctx, ref)
	if err != nil {
		return err
	}
	names, err := u.dependencies(ctx, is)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return u.advise(u.Fault(op, dayone.ErrConflict, "", "it is named by "+strings.Join(names, ", ")), "let them name somebody else in Cisco Unity Connection Administration (Users > Show Dependencies), then retry")
	}
	if !u.purge {
		box, _, err := u.get(ctx, "reading mailbox", user(ref)+"/mailboxattributes")
		if err != nil {
			return err
		}
		if n := box["NumMessages"]; n != "0" {
			return u.advise(u.Fault(op, dayone.ErrConflict, "", "there are messages in it ("+n+"), and deleting it destroys them"), "export or delete them, or set delete_messages, then retry")
		}
	}
	_, err = u.write(ctx, op, "DELETE", user(ref), nil, nil)
	var f *dayone.Fault
	if errors.Is(err, dayone.ErrInvalid) && errors.As(err, &f) { // something that the search does not know of
		out := *f
		out.Err, out.Next = dayone.ErrConflict, "see Users > Show Dependencies in Cisco Unity Connection Administration, and whether its mailbox store is mounted; then retry"
		return &out
	}
	return err
}
