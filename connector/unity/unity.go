// Package unity reaches Cisco Unity Connection by its provisioning interface, CUPI: mailboxes of people, their extensions, PINs and
// distribution lists. A mailbox is made from a template or imported from the directory that feeds the server, and is deleted only
// if nothing names it any more. It must never force a deletion, guess a PIN, or take what it cannot read for gone.
// https://www.cisco.com/c/en/us/td/docs/voice_ip_comm/connection/REST-API/CUPI_API/b_CUPI-API.html
package unity

import (
	"context"
	"crypto/x509"
	_ "embed"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes connectors to servers.
var Factory = connector.Factory{Manifest: manifest, New: New, Shape: shape}

// The kinds that are things: what opens a mailbox, which nobody can read.
const (
	pinKind      = "pin"
	passwordKind = "password"
)

// shape fits the manifest to who masters the PIN: what the cluster writes here is not ours to write, and how long a PIN is the
// server's policy says.
func shape(m *connector.Manifest, settings map[string]string) error {
	if settings["pin_sync"] == "native" {
		delete(m.Kinds, pinKind)
		return nil
	}
	if n := settings["pin_digits"]; n != "" {
		at := m.Kinds[pinKind].Attributes[pinKind]
		at.Secret = "digits:" + n
		m.Kinds[pinKind].Attributes[pinKind] = at
	}
	return nil
}

// target is a Target that lists a server with one look at each distribution list, and ends what an earlier call began.
type target struct {
	*connector.Target
	users users
	lists lists
	pins  beside
}

// New reaches one server, or the publisher of a pair.
func New(cfg connector.Config) (connector.Connector, error) {
	if ca := cfg.Settings["ca"]; ca != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(ca)) {
		return nil, &connector.SettingError{Setting: "ca", Text: "setting ca holds no certificate", Hint: "write it in PEM: -----BEGIN CERTIFICATE-----, by ${file:unity.pem} for example"}
	}
	zone, err := time.LoadLocation(cfg.Settings["time_zone"])
	if err != nil {
		return nil, &connector.SettingError{Setting: "time_zone", Text: "setting time_zone is no time zone", Hint: "such as UTC or Europe/Berlin"}
	}
	pins, err := newBeside(cfg)
	if err != nil {
		return nil, err
	}
	s := &server{members: cfg.Settings["member_query"] != "false", zone: zone}
	s.Client = httpc.Client{System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify}
	s.Auth = basic(cfg.Settings["user"], cfg.Secrets["password"])
	u := users{
		server: s, template: cfg.Settings["template"], ldap: cfg.Settings["accounts"] == "ldap", lookup: cfg.Settings["employee_lookup"],
		web: cfg.Settings["lock_directory_web"] != "false", purge: cfg.Settings["delete_messages"] == "true", native: cfg.Settings["pin_sync"] == "native",
	}
	l := lists{s}
	kinds := map[string]connector.Entitlements{"distribution_list": l, "alternate_extension": extensions{u}}
	for kind, n := range catalogues {
		kinds[kind] = catalogue{s, n}
	}
	things := map[string]connector.Things{passwordKind: secrets{u, "password", true, false, beside{}}}
	if !u.native {
		things[pinKind] = secrets{u, "pin", cfg.Settings["pin_must_change"] != "false", cfg.Settings["pin_sync"] == "dayone", pins}
	}
	return &target{users: u, lists: l, pins: pins, Target: &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: s.Ping, Accounts: u, Kinds: kinds, Things: things,
		Left: map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){dayone.KeptOwnership: u.named},
	}}, nil
}

// directoryLag is how long somebody who is not in the directory's copy yet is waited for, and directoryLook how often it is asked.
const (
	directoryLag  = 48 * time.Hour
	directoryLook = 15 * time.Minute
)

// Apply does one step. A call whose answer was lost may have done its first half, and what is left to do shows in no attribute:
// a retry ends it.
func (t *target) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	r, err := t.Target.Apply(ctx, a)
	if errors.Is(err, errNotBrought) {
		since := a.Since
		if since.IsZero() {
			since = t.Now()
		}
		return dayone.Result{Wait: &dayone.Wait{
			Kind: dayone.WaitPropagation, Check: t.Now().Add(directoryLook), Until: since.Add(directoryLag),
			Note: "the directory has not brought this login to " + t.Manifest.Title + " yet; it comes with the next synchronization (System Settings > LDAP > LDAP Directory Configuration)",
		}}, nil
	}
	if err != nil || !a.Key.IsAccount() || a.Via.System != "" || a.Want == nil || r.Now == nil || a.Attempt < 2 {
		return r, err
	}
	if a.Action == dayone.AccountCreate && r.Before == nil { // it is the one that we made, perhaps without closing its doors
		if err := t.users.harden(ctx, r.Now.Ref, r.Now.Attrs.Text("directory") != "", a.Want.State != dayone.Active); err != nil {
			return dayone.Result{}, err
		}
	}
	if a.Action == dayone.AccountEnable && a.Want.State == dayone.Active {
		if err := t.users.Switch(ctx, r.Now.Ref, dayone.Disabled, dayone.Active); err != nil {
			return dayone.Result{}, err
		}
	}
	if _, ok := a.Want.Attrs["extension"]; ok && a.Action == dayone.AccountUpdate {
		if err := t.users.relight(ctx, r.Now.Ref); err != nil {
			return dayone.Result{}, err
		}
	}
	return r, nil
}

// List streams every mailbox with what hangs on it. Distribution lists are read once, not once for each mailbox.
func (t *target) List(ctx context.Context) iter.Seq2[connector.Seen, error] {
	return func(yield func(connector.Seen, error) bool) {
		member, err := t.lists.everybody(ctx)
		if err != nil {
			yield(connector.Seen{}, err)
			return
		}
		for it, err := range t.users.All(ctx) {
			if err != nil {
				yield(connector.Seen{}, err)
				return
			}
			seen := connector.Seen{Items: []dayone.Item{it}}
			others, err := t.Kinds["alternate_extension"].Held(ctx, it.Ref)
			if errors.Is(err, dayone.ErrNotFound) {
				continue // deleted while we read
			}
			if err != nil {
				yield(connector.Seen{}, err)
				return
			}
			add := func(kind string, items []dayone.Item) {
				for _, it := range items {
					it.Key.System, it.Key.Kind = t.System, kind
					seen.Items = append(seen.Items, it)
				}
			}
			add("alternate_extension", others)
			add("distribution_list", member[it.Ref])
			if !yield(seen, nil) {
				return
			}
		}
	}
}
