// Package cucm reaches a Cisco Unified CM cluster by AXL: end users and their groups, and what the cluster shows of lines,
// phones, profiles and its route plan. What is written is read before and after; what is left out of a write stays. It must
// never reset a phone, run SQL that writes, or write a list that it has not just read.
// https://developer.cisco.com/docs/axl/
package cucm

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

// Factory makes connectors to clusters.
var Factory = connector.Factory{Manifest: manifest, New: New}

// target is a Target that lists a cluster with one look at each user.
type target struct {
	*connector.Target
	users users
}

// New reaches one cluster.
func New(cfg connector.Config) (connector.Connector, error) {
	if ca := cfg.Settings["ca"]; ca != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(ca)) {
		return nil, &connector.SettingError{Setting: "ca", Text: "setting ca holds no certificate", Hint: "write it in PEM: -----BEGIN CERTIFICATE-----, by ${file:cucm.pem} for example"}
	}
	zone, err := time.LoadLocation(cfg.Settings["time_zone"])
	if err != nil {
		return nil, &connector.SettingError{Setting: "time_zone", Text: "setting time_zone is no time zone", Hint: "such as UTC or Europe/Berlin"}
	}
	c := Open(cfg)
	u := users{Cluster: c, number: cfg.Settings["employee_number"], custom: cfg.Settings["employee_field"], local: cfg.Settings["local_users"] == "true", tokens: cfg.Settings["revoke_tokens"] == "true", place: cfg.Settings["directory_place"], forwards: cfg.Settings["read_forwards"] != "false", zone: zone}
	kinds := map[string]connector.Entitlements{"user_group": groups{u}, "line": lines{shown{u}}, "phone": phones{shown{u}}, "device_profile": profiles{shown{u}}}
	for kind, n := range catalogues {
		kinds[kind] = catalogue{c, n}
	}
	return &target{users: u, Target: &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.Ping, Accounts: u, Kinds: kinds,
		Left: map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){dayone.KeptToken: u.loggedIn, dayone.KeptAccess: u.devices},
	}}, nil
}

// Open is the cluster itself, for whoever writes its objects one by one.
func Open(cfg connector.Config) *Cluster {
	c := &Cluster{
		version: cfg.Settings["version"], changes: cfg.Settings["change_list"] != "false",
		writer: make(chan struct{}, 1), readers: make(chan struct{}, 2),
	}
	c.Client = httpc.Client{System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now, Classify: classify}
	c.Auth = c.authorize(cfg.Settings["user"], cfg.Secrets["password"])
	return c
}

// Ping asks for the release, then for one user: the first answers to anybody whom the server knows.
func (c *Cluster) Ping(ctx context.Context) error {
	if _, err := c.read(ctx, "reading the release", "getCCMVersion"); err != nil {
		return err
	}
	_, err := c.read(ctx, "checking access", "listUser", Group("searchCriteria", Leaf("userid", "dayone-check")), Group("returnedTags", Leaf("userid", "")), Leaf("skip", "0"), Leaf("first", "1"))
	return err
}

// Apply does one step. Where a directory makes and closes the accounts, Target only waits for it; the PIN is the cluster's own,
// and it, and what is open in a leaver's name, cannot wait.
func (t *target) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	ref := a.Subject.Ref
	if a.Via.System != "" && ref == "" && a.Action == dayone.AccountCreate && a.Want != nil {
		r, err := t.Target.Apply(ctx, a)
		if err == nil && r.Wait != nil && r.Now == nil { // nobody waits for whom no agreement brings
			err = t.users.willBring(ctx, a)
		}
		if err != nil {
			return dayone.Result{}, err
		}
		return r, nil
	}
	if a.Via.System == "" || ref == "" || !a.Key.IsAccount() || a.Want == nil {
		return t.Target.Apply(ctx, a)
	}
	if a.Want.State == dayone.Active && (a.Action == dayone.AccountEnable || a.Action == dayone.AccountCreate) {
		if err := t.users.pin(ctx, ref, false); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return dayone.Result{}, err
		}
	}
	r, err := t.Target.Apply(ctx, a)
	if a.Action == dayone.AccountDisable && errors.Is(err, dayone.ErrNotFound) {
		return dayone.Result{Before: a.Have}, nil // the cluster let go of it a day after the directory did
	}
	if err != nil || a.Action != dayone.AccountDisable {
		return r, err
	}
	if err = t.users.pin(ctx, ref, true); err == nil {
		err = t.users.Revoke(ctx, ref)
	}
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return dayone.Result{}, err
	}
	return r, nil
}

// List streams every user with what hangs on them: one look at each user, and one at each of their devices.
func (t *target) List(ctx context.Context) iter.Seq2[connector.Seen, error] {
	return func(yield func(connector.Seen, error) bool) {
		for o, err := range t.users.everybody(ctx) {
			if err != nil {
				yield(connector.Seen{}, err)
				return
			}
			seen, err := t.seen(ctx, o)
			if !yield(seen, err) || err != nil {
				return
			}
		}
	}
}

func (t *target) seen(ctx context.Context, o *Object) (connector.Seen, error) {
	seen := connector.Seen{Items: []dayone.Item{t.users.item(o)}}
	add := func(kind string, items []dayone.Item) {
		for _, it := range items {
			it.Key.System, it.Key.Kind = t.System, kind
			seen.Items = append(seen.Items, it)
		}
	}
	add("device_profile", profilesOf(o))
	ls, err := t.users.linesOf(ctx, o)
	if err != nil {
		return connector.Seen{}, err
	}
	add("line", ls)
	add("phone", phonesOf(o))
	add("user_group", groupsOf(o))
	return seen, nil
}

// everybody reads each user, whole: lists show neither groups nor locks. One who goes while we read is gone.
func (u users) everybody(ctx context.Context) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		stopped := false
		var failed error
		err := u.List(ctx, User, "userid", []string{"userid"}, func(row *Object) bool {
			o, err := u.Cluster.Get(ctx, User, Key{UUID: row.UUID})
			switch {
			case errors.Is(err, dayone.ErrNotFound):
				return true
			case err != nil:
				failed = err
				return false
			}
			stopped = !yield(o, nil)
			return !stopped
		})
		if err == nil {
			err = failed
		}
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}
