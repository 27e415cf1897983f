package atlassian

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// directory are managed accounts by SCIM. https://developer.atlassian.com/cloud/admin/user-provisioning/rest/
type directory struct {
	scim.Accounts
	*client
}

var _ accounts = directory{}

// account is the Atlassian account behind a user of the directory.
const account = "urn:scim:schemas:extension:atlassian-external:1.0:atlassianAccountId"

// paths of what Atlassian's schema has; the enterprise extension is read only by those who look there.
var paths = map[string]string{
	"login": "userName", "email": "emails", "first_name": "name.givenName", "last_name": "name.familyName", "display_name": "displayName",
	"title": "title", "department": "department", "employee_number": "externalId", "account_id": account,
}

// quirks: the only filters are eq on userName and externalId, and a mail address is the user name.
var quirks = scim.Quirks{ContentType: "application/json", Page: 100, HeldBy: scim.ByUser, Filters: map[string]string{"emails": "userName"}}

func newDirectory(cfg connector.Config, c *client) directory {
	s := scim.NewClient(cfg, c.org.Base+"/scim/directory/"+url.PathEscape(cfg.Settings["directory"]), httpc.Bearer("Bearer", cfg.Secrets["scim_token"]), quirks)
	s.Classify = func(status int, header http.Header, body []byte) (string, string, error) {
		code, detail, kind := scim.Classify(status, header, body)
		if detail == "" && kind == nil {
			return classify(status, header, body) // the gate's own
		}
		return code, detail, kind
	}
	d := directory{client: c}
	d.Accounts = scim.Accounts{Client: s, Attrs: paths, Finish: d.finish}
	return d
}

// check tells a directory that is not there from one that is empty.
func (d directory) check(ctx context.Context) error {
	err := d.Client.Ping(ctx)
	var f *dayone.Fault
	if errors.As(err, &f) && f.Err == dayone.ErrNotFound {
		out := *f
		out.Err, out.Next = dayone.ErrInvalid, "check the setting directory: there is none of this id, or it was removed"
		return &out
	}
	return err
}

// finish looks whether the access to the site was suspended: SCIM does not know.
func (d directory) finish(ctx context.Context, r scim.Resource, it *dayone.Item) error {
	id := r.Text(account)
	if !d.hasSite || id == "" {
		return nil
	}
	u, err := d.siteUser(ctx, id)
	switch {
	case errors.Is(err, dayone.ErrNotFound): // no access to the site at all
		return nil
	case err != nil:
		return err
	}
	suspended(it, u)
	return nil
}

// suspended marks an open account whose access was suspended.
func suspended(it *dayone.Item, u siteUser) {
	it.Attrs["suspended"] = dayone.Bool(it.State == dayone.Active && !u.Active)
}

// Get takes who is not shown for deactivated: a directory never forgets anybody, and says 404 of whoever is deactivated. That
// holds only as long as the directory itself is there.
func (d directory) Get(ctx context.Context, ref string) (dayone.Item, error) {
	it, err := d.Accounts.Get(ctx, ref)
	if !errors.Is(err, dayone.ErrNotFound) || ref == "" {
		return it, err
	}
	if err := d.check(ctx); err != nil {
		return dayone.Item{}, err
	}
	return dayone.Item{Key: dayone.Key{System: d.system, Kind: dayone.AccountKindName}, Ref: ref, State: dayone.Disabled, Attrs: dayone.Attrs{}}, nil
}

// Update waits for an account that is deactivated and not shown: what is there has to be read to be changed.
func (d directory) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	err := d.Accounts.Update(ctx, ref, changed)
	if errors.Is(err, dayone.ErrNotFound) {
		return d.Client.Fault("changing user", dayone.ErrNotYet, "", "the directory does not show a deactivated user; it is changed when it is open")
	}
	return err
}

func (d directory) accountID(ctx context.Context, ref string) (string, error) {
	r, err := d.Client.Get(ctx, scim.User, ref)
	if err != nil {
		return "", err
	}
	id := r.Text(account)
	if id == "" {
		return "", d.Client.Fault("reading user", dayone.ErrNotYet, "", "its Atlassian account is not made yet")
	}
	return id, nil
}

// Switch closes and opens the account. Tokens go with it: afterwards nobody may be able to say whose they were. A suspension
// ends when somebody is let in again.
func (d directory) Switch(ctx context.Context, ref string, from, to dayone.State) error {
	id, err := d.accountID(ctx, ref)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) && !errors.Is(err, dayone.ErrNotYet) {
		return err
	}
	if err := d.Accounts.Switch(ctx, ref, from, to); err != nil {
		if errors.Is(err, dayone.ErrNotFound) && to == dayone.Active {
			return &dayone.Fault{
				System: d.system, Op: "opening account", Err: dayone.ErrUnsupported, Detail: "the directory does not show this user any more",
				Next: "activate the account in Atlassian Administration under Directory > Managed accounts, then retry",
			}
		}
		return err
	}
	switch {
	case id == "":
		return nil
	case to != dayone.Active:
		return d.dropTokens(ctx, id)
	case d.hasOrg:
		return d.restored(d.access(ctx, id, "restore"))
	}
	return nil
}

// Revoke deletes tokens that are left.
func (d directory) Revoke(ctx context.Context, ref string) error {
	id, err := d.accountID(ctx, ref)
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrNotYet) {
		return nil // closed and not shown: they went with the closing; the certificate says that it cannot see
	}
	if err != nil {
		return err
	}
	return d.dropTokens(ctx, id)
}

// All reads the site's users once.
func (d directory) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		users := map[string]siteUser{}
		if d.hasSite {
			all, err := d.everybody(ctx)
			if err != nil {
				yield(dayone.Item{}, err)
				return
			}
			for _, u := range all {
				users[u.ID] = u
			}
		}
		plain := d.Accounts
		plain.Finish = func(_ context.Context, r scim.Resource, it *dayone.Item) error {
			if u, ok := users[r.Text(account)]; ok {
				suspended(it, u)
			}
			return nil
		}
		plain.All(ctx)(yield)
	}
}

// Delete is left to a human: a directory only deactivates.
func (d directory) Delete(context.Context, string) error {
	return d.Client.Fault("deleting account", dayone.ErrUnsupported, "", "a directory only deactivates; delete the account in Atlassian Administration, if it has to go")
}
