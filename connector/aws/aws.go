// Package aws reaches an IAM Identity Center instance: the users of its directory, and the permission sets that are assigned
// to them in an AWS account.
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/welcome.html
package aws

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes AWS IAM Identity Center connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one instance.
func New(cfg connector.Config) (connector.Connector, error) {
	where, err := readPlaces(cfg.Settings["account_id"], cfg.Settings["accounts"])
	if err != nil {
		return nil, err
	}
	if cfg.Secrets["access_key_id"].IsZero() != cfg.Secrets["secret_access_key"].IsZero() {
		return nil, fmt.Errorf("settings access_key_id and secret_access_key belong together: %w", dayone.ErrInvalid)
	}
	if (cfg.Settings["scim_url"] == "") != cfg.Secrets["scim_token"].IsZero() {
		return nil, fmt.Errorf("settings scim_url and scim_token belong together: %w", dayone.ErrInvalid)
	}
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	unset := map[string]string{}
	if cfg.Secrets["scim_token"].IsZero() {
		const both = "set scim_url and scim_token: only SCIM opens and closes users"
		unset["account enable"], unset["account disable"] = both, both
	}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Unset: unset,
		Ping:     c.ping,
		Accounts: accounts{c},
		Kinds:    map[string]connector.Entitlements{"permission-set": sets{c, where}},
	}, nil
}

// ping looks whether instance and directory are a pair that we may use, and whether SCIM lets us in.
func (c *client) ping(ctx context.Context) error {
	var seen []string
	found := false
	err := c.instances(ctx, func(instance, store string) {
		found = found || instance == *c.instance && store == *c.store
		seen = append(seen, instance+" with "+store)
	})
	switch {
	case err != nil:
		return err
	case !found:
		return c.Fault("listing instances", dayone.ErrInvalid, "", "instance_arn and identity_store_id are none of: "+strings.Join(seen, ", "))
	}
	if err := c.listUsers(ctx, func(user) bool { return false }); err != nil {
		return err
	}
	if c.Base == "" {
		return nil
	}
	return c.scimConfig(ctx)
}

// places are the accounts in which permission sets are assigned.
type places struct {
	usual string
	by    map[string]string // name of a permission set: account
}

var accountID = regexp.MustCompile(`^\d{12}$`)

func readPlaces(usual, others string) (places, error) {
	p := places{usual, map[string]string{}}
	if !accountID.MatchString(usual) {
		return p, fmt.Errorf("setting account_id: %q is no AWS account of 12 digits: %w", usual, dayone.ErrInvalid)
	}
	for _, word := range strings.FieldsFunc(others, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		name, id, _ := strings.Cut(word, "=")
		if name == "" || !accountID.MatchString(id) {
			return p, fmt.Errorf("setting accounts: %q is not NAME=ACCOUNT: %w", word, dayone.ErrInvalid)
		}
		p.by[name] = id
	}
	return p, nil
}

// of is the account for a permission set.
func (p places) of(name string) string {
	if id, ok := p.by[name]; ok {
		return id
	}
	return p.usual
}

type accounts struct{ *client }

// item shows a user.
func (a accounts) item(u user) dayone.Item {
	it := dayone.Item{Key: dayone.Key{System: a.System, Kind: dayone.AccountKindName}, Ref: u.ID, State: dayone.Active, Created: u.Created.UTC(), Attrs: dayone.Attrs{
		"user_name": dayone.Text(u.UserName), "email": dayone.Text(u.Email), "first_name": dayone.Text(u.GivenName), "last_name": dayone.Text(u.FamilyName),
		"display_name": dayone.Text(u.DisplayName), "title": dayone.Text(u.Title), "department": dayone.Text(u.Department), "employee_number": dayone.Text(u.EmployeeNumber),
	}}
	if u.Disabled {
		it.State = dayone.Disabled
	}
	return it
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.item(u), nil
}

// Find reads the whole directory for an employee number, by which it cannot be asked. It is done for a person once: from
// then on the id is known.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	paths := map[string]string{"user_name": "userName", "email": "emails.value"}
	if by == "employee_number" {
		var out []dayone.Item
		err := a.listUsers(ctx, func(u user) bool {
			if u.EmployeeNumber == value {
				out = append(out, a.item(u))
			}
			return true
		})
		return out, err
	}
	if paths[by] == "" {
		return nil, dayone.ErrUnsupported
	}
	id, err := a.userID(ctx, paths[by], value)
	var it dayone.Item
	if err == nil {
		it, err = a.Get(ctx, id)
	}
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []dayone.Item{it}, nil
}

func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	as := act.Want.Attrs
	id, err := a.createUser(ctx, user{
		UserName: as.Text("user_name"), DisplayName: as.Text("display_name"), Title: as.Text("title"), Email: as.Text("email"), GivenName: as.Text("first_name"),
		FamilyName: as.Text("last_name"), EmployeeNumber: as.Text("employee_number"), Department: as.Text("department"),
	})
	if err != nil {
		return dayone.Result{}, err
	}
	return dayone.Result{Now: &dayone.Item{Key: act.Key, Ref: id}}, nil
}

// fields maps our attribute names to the paths of an update.
var fields = map[string]string{
	"email": "emails", "first_name": "name.givenName", "last_name": "name.familyName", "display_name": "displayName", "title": "title",
	"department": enterprise + ".department", "employee_number": enterprise + ".employeeNumber",
}

// Update sets everything that can be set, and leaves a new user name to a human: it is fixed.
func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	var paths []string
	var values []any
	for _, name := range changed.Names() {
		path, ok := fields[name]
		if !ok {
			continue
		}
		var value any
		switch text := changed.Text(name); {
		case text == "": // nil takes it away
		case name == "email":
			value = []map[string]any{{"value": text, "type": "work", "primary": true}}
		default:
			value = text
		}
		paths, values = append(paths, path), append(values, value)
	}
	if len(paths) > 0 {
		if err := a.updateUser(ctx, ref, paths, values); err != nil {
			return err
		}
	}
	if name, ok := changed["user_name"]; ok {
		return a.Fault("updating user", dayone.ErrUnsupported, "", fmt.Sprintf("a user name cannot be changed; make a new user %s, move what the old one owns, and delete it", name.Text))
	}
	return nil
}

// Switch goes by SCIM; the directory's own API shows the state and cannot change it.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if a.Base == "" {
		return a.Fault("changing state of user", dayone.ErrUnsupported, "", "only SCIM can; do it in the console under Users, or set scim_url and scim_token")
	}
	return a.setActive(ctx, ref, to == dayone.Active)
}

func (a accounts) Delete(ctx context.Context, ref string) error { return a.deleteUser(ctx, ref) }

func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		stopped := false
		err := a.listUsers(ctx, func(u user) bool {
			stopped = !yield(a.item(u), nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

// sets are permission sets. Their ref is ACCOUNT/ARN: the same set in another account is another access.
type sets struct {
	*client
	where places
}

func refOf(account, arn string) string { return account + "/" + arn }

func assignmentOf(user, ref string) assignment {
	account, arn, _ := strings.Cut(ref, "/")
	return assignment{User: user, Set: arn, Account: account}
}

// Held names a set as the catalogue does if it is assigned where we would, else NAME@ACCOUNT: a leaver loses it, too.
func (s sets) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	held, err := s.listAssignments(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	known := map[string]set{}
	for _, a := range held {
		p, ok := known[a.Set]
		if !ok {
			if p, err = s.describeSet(ctx, a.Set); err != nil {
				return nil, err
			}
			known[a.Set] = p
		}
		it := dayone.Item{Key: dayone.Key{Name: p.Name}, Ref: refOf(a.Account, a.Set), State: dayone.Active, Attrs: dayone.Attrs{}}
		if a.Account != s.where.of(p.Name) {
			it.Key.Name += "@" + a.Account
		}
		if hours, ok := p.hours(); ok {
			it.Attrs["session_hours"] = dayone.Int(hours)
		}
		out = append(out, it)
	}
	return out, nil
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$`)

// hours of a session, if they are whole: PT8H. One hour where nothing is said.
func (p set) hours() (int64, bool) {
	if p.Duration == "" {
		return 1, true
	}
	m := isoDuration.FindStringSubmatch(p.Duration)
	if m == nil {
		return 0, false
	}
	var minutes int64
	for i, factor := range []int64{24 * 60, 60, 1} {
		if n, err := strconv.ParseInt(m[i+1], 10, 32); err == nil {
			minutes += n * factor
		}
	}
	return minutes / 60, minutes > 0 && minutes%60 == 0
}

func (s sets) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		var failed error
		err := s.listSets(ctx, func(arn string) bool {
			var p set
			if p, failed = s.describeSet(ctx, arn); failed != nil {
				return false
			}
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: p.Name}, Ref: refOf(s.where.of(p.Name), arn), Title: p.Description}, nil)
			return !stopped
		})
		if err == nil {
			err = failed
		}
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

// failureRest is how long a failed assignment is reported instead of tried again.
const failureRest = 5 * time.Minute

// Add begins the assignment; Target sees when it is there. A set whose sessions last otherwise than asked is not given.
func (s sets) Add(ctx context.Context, account string, want dayone.Item) error {
	a := assignmentOf(account, want.Ref)
	if asked, ok := want.Attrs["session_hours"].Int(); ok {
		p, err := s.describeSet(ctx, a.Set)
		if err != nil {
			return err
		}
		if has, whole := p.hours(); !whole || has != asked {
			return s.Fault("assigning permission set", dayone.ErrInvalid, "", fmt.Sprintf(
				"sessions of %s last %s for everybody, not %d hours; change its session duration in Identity Center, or session_hours in the policy", p.Name, p.Duration, asked))
		}
	}
	return s.begin(ctx, "assigning permission set", a, s.failedAssigns, s.assign)
}

// Remove begins the removal.
func (s sets) Remove(ctx context.Context, account string, is dayone.Item) error {
	return s.begin(ctx, "removing permission set", assignmentOf(account, is.Ref), s.failedUnassigns, s.unassign)
}

// begin starts what goes on in the background. That it failed comes to light only after the call that began it was answered,
// and nobody keeps that call's id: so the failures of the last minutes are looked through first.
func (s sets) begin(ctx context.Context, op string, a assignment, failed func(context.Context, time.Time) ([]outcome, error),
	do func(context.Context, assignment) (outcome, error),
) error {
	outcomes, err := failed(ctx, s.Now().Add(-failureRest))
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.assignment == a {
			return s.Fault(op, dayone.ErrInvalid, "FAILED", fmt.Sprintf("%s (this is said for %s after it; then it is tried again)", o.Reason, failureRest))
		}
	}
	o, err := do(ctx, a)
	if err == nil && o.Failed {
		err = s.Fault(op, dayone.ErrInvalid, "FAILED", o.Reason)
	}
	return err
}
