package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// What goes wrong with one step, or with one person, and must harm nobody else.

func sqlite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "x.db") }

// stillWorks fails unless the engine carries out a run of somebody else.
func (b *bench) stillWorks(system string) {
	b.t.Helper()
	id := "bystander-" + system
	if err := b.driver.Start(b.t.Context(), aRun(id, dayone.Plan{Steps: []dayone.Step{step(system + "/group:x")}})); err != nil {
		b.t.Fatal(err)
	}
	if r := b.finish(dayone.RunID("run_" + id)); r.State != dayone.RunDone {
		b.t.Errorf("somebody else's run is %s: %s", r.State, r.Steps[0].Error)
	}
}

func withPassword(s dayone.Step) dayone.Step {
	s.Once = "per_1/" + s.Key.String()
	s.Want.Attrs = dayone.Attrs{"password": {Kind: dayone.SecretValue, Text: "password:20"}}
	return s
}

// Once she has opened the link to her first password, its box is empty. That is no news to anybody: not to later steps on
// her account, which carry the recipe still, and not to the step that waits for her first login.
func TestAnOpenedLinkHarmsNobody(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	var mu sync.Mutex
	var given []string // secrets by call
	okta := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if a.Key.IsAccount() {
			given = append(given, fmt.Sprintf("%s attempt %d: %d", a.Action, a.Attempt, len(a.Secrets["password"].Reveal())))
		}
		r := done(a)
		if a.Action == dayone.AccountCreate && a.Attempt == 1 {
			r.Now.State = dayone.Pending
			r.Wait = &dayone.Wait{Kind: dayone.WaitFirstLogin, Note: "sign in"}
		}
		return r, nil
	}}
	b := start(t, db, k, map[string]*target{"okta": okta})
	create := withPassword(step("okta/account"))
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{create}})); err != nil {
		t.Fatal(err)
	}
	b.finish("run_1")
	if err := db.OpenSecret(t.Context(), engine.SecretIDOf(create.Once, "password"), time.Now(), dayone.Record{Person: "per_1"}); err != nil {
		t.Fatal(err)
	}
	if err := b.driver.Decide(t.Context(), "run_1", create.ID, kim(engine.Retry, nil)); err != nil { // somebody looks whether she has signed in
		t.Fatal(err)
	}
	r := b.finishAs("run_1", dayone.RunDone)
	enable := withPassword(step("okta/account"))
	enable.ID, enable.Action, enable.Subject = "enable", dayone.AccountEnable, dayone.Subject{Ref: r.Steps[0].Result.Now.Ref}
	next := aRun("2", dayone.Plan{Steps: []dayone.Step{enable}})
	next.Person = "per_1"
	if err := b.driver.Start(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	b.finishAs("run_2", dayone.RunDone)
	mu.Lock()
	if got, want := strings.Join(given, ", "), "account.create attempt 1: 20, account.create attempt 2: 0, account.enable attempt 1: 0"; got != want {
		t.Errorf("secrets are given to %s\nwant %s", got, want)
	}
	mu.Unlock()
	b.stillWorks("okta")
}

// A thing is born with its secrets as an account is: the retry gets the same one, what a vendor makes is not made before, and
// a thing that is there already is given none, even if its owner has opened the link while it waits.
func TestAThingIsBornWithItsSecrets(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	var mu sync.Mutex
	var given []dayone.Secret
	radius := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		given = append(given, a.Secrets["code"])
		if _, made := a.Secrets["token"]; made {
			t.Error("what the vendor makes was made before")
		}
		r := done(a)
		switch a.Attempt {
		case 1:
			return dayone.Result{}, dayone.ErrUnavailable
		case 2:
			r.Now.State = dayone.Pending
			r.Wait = &dayone.Wait{Kind: dayone.WaitAcceptance, Note: "sign in"}
			r.Secrets = map[string]dayone.Secret{"token": dayone.NewSecret("made-by-the-vendor")}
		}
		return r, nil
	}}
	b := start(t, db, k, map[string]*target{"radius": radius})
	s := step("radius/code")
	s.Want.Attrs = dayone.Attrs{"code": {Kind: dayone.SecretValue, Text: "password:20"}, "token": {Kind: dayone.SecretValue, Text: dayone.VendorMade}}
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{s}})); err != nil {
		t.Fatal(err)
	}
	b.finish("run_1")
	for _, name := range []string{"code", "token"} {
		id := engine.SecretIDOf(s.Once, name)
		if box, _, err := db.Secret(t.Context(), id); err != nil || box == "" {
			t.Errorf("%s is not kept: %v", name, err)
		}
		if err := db.OpenSecret(t.Context(), id, time.Now(), dayone.Record{Person: "per_1"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.driver.Decide(t.Context(), "run_1", s.ID, kim(engine.Retry, nil)); err != nil {
		t.Fatal(err)
	}
	b.finishAs("run_1", dayone.RunDone)
	mu.Lock()
	defer mu.Unlock()
	if len(given) != 3 || len(given[0].Reveal()) != 20 || given[1] != given[0] || !given[2].IsZero() {
		t.Errorf("%d calls; the retry got the same: %v; the last got none: %v", len(given), given[1] == given[0], given[2].IsZero())
	}
	if box, _, err := db.Secret(t.Context(), engine.SecretIDOf(s.Once, "code")); err != nil || box != "" {
		t.Errorf("another code was sealed, which nothing opens: %v", err)
	}
}

// finishAs waits until a run is in a state.
func (b *bench) finishAs(id dayone.RunID, want dayone.RunState) dayone.Run {
	b.t.Helper()
	w := b.driver.Watch(id)
	defer w.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		r, err := b.store.Run(context.Background(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if r.State == want {
			return r
		}
		select {
		case <-w.Ready():
			w.Take()
		case <-deadline.C:
			b.t.Fatalf("run %s is %s, want %s: %+v", id, r.State, want, r.Steps)
		}
	}
}

// brokenKeeper can do one thing less than a keeper.
type brokenKeeper struct {
	engine.Keeper
	make, seal, open error
}

func (k brokenKeeper) Make(recipe string) (dayone.Secret, error) {
	if k.make != nil {
		return dayone.Secret{}, k.make
	}
	return k.Keeper.Make(recipe)
}

func (k brokenKeeper) Seal(s dayone.Secret) (string, error) {
	if k.seal != nil {
		return "", k.seal
	}
	return k.Keeper.Seal(s)
}

func (k brokenKeeper) Open(box string) (dayone.Secret, error) {
	if k.open != nil {
		return dayone.Secret{}, k.open
	}
	return k.Keeper.Open(box)
}

// A secret that cannot be had fails the step that needs it.
func TestASecretThatCannotBeHadFailsItsStepOnly(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]brokenKeeper{
		"made": {make: errors.New("no such recipe")}, "sealed": {seal: errors.New("out of randomness")}, "opened": {open: fmt.Errorf("another master key: %w", dayone.ErrForbidden)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, k := newStore(t, sqlite(t))
			broken.Keeper = k
			b := start(t, db, broken, map[string]*target{"okta": {}})
			s := withPassword(step("okta/account"))
			if broken.open != nil { // it was made when all was well
				box, err := k.Seal(dayone.NewSecret("hunter2"))
				if err != nil {
					t.Fatal(err)
				}
				sealed := dayone.Sealed{ID: engine.SecretIDOf(s.Once, "password"), Person: "per_1", Box: box}
				if err := db.Commit(t.Context(), []dayone.Progress{{Run: dayone.Run{ID: "run_0"}, Secrets: []dayone.Sealed{sealed}}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{s, step("okta/group:a", string(s.ID)), step("okta/group:b")}})); err != nil {
				t.Fatal(err)
			}
			r := b.finishAs("run_1", dayone.RunIncomplete)
			if got := fmt.Sprint(r.Steps[0].State, " ", r.Steps[1].State, " ", r.Steps[2].State); got != "failed blocked done" {
				t.Errorf("%s: %s", got, r.Steps[0].Error)
			}
			b.stillWorks("okta")
		})
	}
}
