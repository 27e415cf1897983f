package connectortest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
)

func badCredentials(t *testing.T, s Suite) {
	b := s.setup(t, func(_ *sim.Options, settings map[string]string) {
		m, _ := connector.ParseManifest(s.Factory.Manifest)
		for name := range settings {
			if m.Settings[name].Type == "secret" {
				settings[name] = wrong(settings[name])
			}
		}
	})
	err := b.guard.Check(b.ctx)
	if !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("Check with wrong credentials says %v, want %v", err, dayone.ErrAuth)
	}
	good := s.setup(t)
	if err := good.guard.Check(good.ctx); err != nil {
		t.Errorf("Check with good credentials says %v", err)
	}
}

// wrong keeps a key's shape where that is what has to be parsed: a PEM block stays one, and in a JSON object all is wrong but
// addresses.
func wrong(v string) string {
	if strings.HasPrefix(v, "-----BEGIN") {
		return v
	}
	var object map[string]string
	if json.Unmarshal([]byte(v), &object) != nil {
		return "wrong-" + v
	}
	for name, text := range object {
		if !strings.HasPrefix(text, "http") {
			object[name] = wrong(text)
		}
	}
	b, _ := json.Marshal(object) // a map of texts always encodes
	return string(b)
}

func cancelled(t *testing.T, s Suite) {
	b := s.setup(t, func(o *sim.Options, _ map[string]string) { o.Latency = 10 * time.Second })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.guard.Check(ctx) }()
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a cancelled call says nothing went wrong")
		}
	case <-time.After(5 * time.Second):
		t.Error("a cancelled call goes on")
	}
}

func dryRun(t *testing.T, s Suite) {
	b := s.setup(t)
	g, err := connector.Open(s.Factory, system, time.Now, connector.Options{Settings: b.sim.Settings("http://127.0.0.1:1"), DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Apply(b.ctx, dayone.Act{Action: dayone.AccountCreate, Key: dayone.Key{System: system, Kind: dayone.AccountKindName}})
	if !errors.Is(err, dayone.ErrDryRun) {
		t.Errorf("a dry run says %v", err)
	}
}

func errorKinds(t *testing.T, s Suite) {
	for _, c := range []struct {
		name string
		f    sim.Fault
		want error
	}{
		{"503", sim.Fault{Status: 503, Body: "<html>busy</html>"}, dayone.ErrUnavailable},
		{"502", sim.Fault{Status: 502, Body: "<html>bad gateway</html>"}, dayone.ErrUnavailable},
		{"429", sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{}`}, dayone.ErrThrottled},
		{"dropped", sim.Fault{Drop: true, Times: -1}, dayone.ErrUnavailable},
		{"no JSON", sim.Fault{Status: 200, Body: `{"truncated": `}, dayone.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := s.setup(t)
			b.sim.Door().Validate(nil)
			c.f.Path = cmp.Or(s.ReadPath, s.CreatePath)
			b.sim.Door().Inject(c.f)
			began := time.Now()
			_, err := b.guard.Apply(b.ctx, b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, ""))
			if !errors.Is(err, c.want) {
				t.Errorf("says %v, want %v", err, c.want)
			}
			if time.Since(began) > 3*time.Second {
				t.Error("a connector must not sleep or retry")
			}
			var f *dayone.Fault
			if !errors.As(err, &f) || f.System != system {
				t.Errorf("the error does not name the system: %v", err)
			}
			if c.name == "429" && (f == nil || f.RetryAt.Sub(began) < 6*time.Second) {
				t.Errorf("Retry-After is not honoured: %v", f)
			}
		})
	}
}

// cutAnswer: the call is carried out, its answer is lost, and the retry finds what was made.
func cutAnswer(t *testing.T, s Suite) {
	b := s.setup(t)
	a := b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, "")
	b.sim.Door().Inject(sim.Fault{Method: s.CreateMethod, Path: s.CreatePath, Cut: true})
	if _, err := b.guard.Apply(b.ctx, a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a cut answer says %v", err)
	}
	before := len(b.sim.Accounts())
	if before == 0 || b.mine() == nil {
		t.Fatal("the simulator did not carry the call out; is CreatePath right?")
	}
	a.Attempt = 2
	r, err := b.try(a)
	if err != nil {
		t.Fatalf("the retry says %v", err)
	}
	if r.Now == nil || r.Now.Ref != b.mine().Ref {
		t.Errorf("the retry found %+v", r.Now)
	}
	if got := len(b.sim.Accounts()); got != before {
		t.Errorf("%d accounts after the retry, want %d", got, before)
	}
}

// noSecrets: whatever goes wrong, no error holds a token or a password.
func noSecrets(t *testing.T, s Suite) {
	b := s.setup(t)
	b.sim.Door().Validate(nil)
	a := b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, "")
	var secrets []string
	settings := b.sim.Settings("http://x.invalid")
	for name, st := range b.man.Settings {
		if st.Type == "secret" && settings[name] != "" {
			secrets = append(secrets, settings[name])
		}
	}
	for _, s := range a.Secrets {
		secrets = append(secrets, s.Reveal())
	}
	echo := fmt.Sprintf(`{"errorCode":"E1","message":%q,"detail":%q,"error":%q}`, strings.Join(secrets, " "), strings.Join(secrets, " "), strings.Join(secrets, " "))
	for _, status := range []int{400, 401, 403, 409, 500} {
		b.sim.Door().Inject(sim.Fault{Path: cmp.Or(s.ReadPath, s.CreatePath), Status: status, Body: echo})
		_, err := b.guard.Apply(b.ctx, a)
		b.sim.Door().Heal()
		if err == nil {
			continue
		}
		for _, sec := range secrets {
			if strings.Contains(err.Error(), sec) || strings.Contains(fmt.Sprintf("%+v", err), sec) {
				t.Errorf("status %d: the error holds a secret", status)
			}
		}
	}
}
