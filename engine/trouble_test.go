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
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
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

// A step whose start fails may set others of the same system free: they are not forgotten.
func TestAStartThatFailsFreesOthersOfItsSystem(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	b := start(t, db, k, map[string]*target{"slack": {}})
	channel := step("slack/channel:x")
	channel.Account = dayone.Value{Kind: dayone.TemplateValue, Text: "${slack.account.ref}"} // which nothing brings
	told := step("slack/message:it")
	told.Action, told.Needs = dayone.MessageSend, []dayone.Need{{Step: channel.ID, When: dayone.Settled}}
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{channel, told}})); err != nil {
		t.Fatal(err)
	}
	r := b.finishAs("run_1", dayone.RunIncomplete)
	if got := fmt.Sprint(r.Steps[0].State, " ", r.Steps[1].State); got != "failed done" {
		t.Error(got)
	}
}

// An incomplete run is gone on with as long as its person had no other one since. After that its wants and its books are
// old, and planning anew is the answer.
func TestAnOldRunIsNotTakenUpAgain(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	okta := &target{apply: func(context.Context, dayone.Act) (dayone.Result, error) {
		return dayone.Result{}, dayone.ErrForbidden
	}}
	hold := make(chan struct{})
	slow := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) { <-hold; return done(a), nil }}
	b := start(t, db, k, map[string]*target{"okta": okta, "slow": slow, "free": {}})
	s := step("okta/account")
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{s}})); err != nil {
		t.Fatal(err)
	}
	b.finishAs("run_1", dayone.RunIncomplete)
	decide := func(run dayone.RunID, v engine.Verb) error {
		return b.driver.Decide(t.Context(), run, s.ID, engine.Human{By: "kim", Verb: v, Reason: "not needed"})
	}
	if err := decide("run_1", engine.Retry); err != nil {
		t.Errorf("a retry while it is the newest says %v", err)
	}
	if r := b.finishAs("run_1", dayone.RunIncomplete); r.Steps[0].Attempt != 2 {
		t.Errorf("after it %d calls", r.Steps[0].Attempt)
	}
	if err := decide("run_1", engine.Complete); !errors.Is(err, engine.ErrOver) {
		t.Errorf("completing what waits for nothing says %v", err)
	}
	if err := decide("run_9", engine.Retry); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("of no run it says %v", err)
	}
	if err := b.driver.Decide(t.Context(), "run_1", "", engine.Human{Verb: engine.Supersede}); err != nil {
		t.Errorf("superseding it says %v", err)
	}
	// the next run of the same person is not in the way, nor is the old one in its
	next := aRun("2", dayone.Plan{Steps: []dayone.Step{step("slow/account")}})
	next.Person = "per_1"
	if err := b.driver.Start(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if err := decide("run_1", engine.Retry); !errors.Is(err, engine.ErrOver) {
		t.Errorf("while another is under way it says %v", err)
	}
	if err := decide("run_1", engine.Skip); err != nil {
		t.Errorf("a skip says %v", err)
	}
	if r, err := db.Run(t.Context(), "run_1"); err != nil || r.State != dayone.RunDone || r.Steps[0].State != dayone.StepSkipped {
		t.Errorf("after the skip it is %s, %s, %v", r.State, r.Steps[0].State, err)
	}
	third := aRun("3", dayone.Plan{Steps: []dayone.Step{step("free/account")}})
	third.Person = "per_1"
	if err := b.driver.Start(t.Context(), third); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a third run beside the second: %v", err)
	}
	close(hold)
	b.finishAs("run_2", dayone.RunDone)
	if err := decide("run_1", engine.Retry); !errors.Is(err, engine.ErrOver) || !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("after another one has ended it says %v", err)
	}
	if n := okta.calls.Load(); n != 2 {
		t.Errorf("the system was called %d times", n)
	}
}

// bind makes an account somebody's in the books.
func bind(t *testing.T, db *store.DB, person dayone.PersonID, key, ref string) {
	t.Helper()
	k, err := dayone.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	r := dayone.Run{ID: dayone.RunID("run_of_" + person), Person: person, State: dayone.RunDone}
	if err := db.Commit(t.Context(), []dayone.Progress{{Run: r, New: true, Holdings: []dayone.Holding{{Item: dayone.Item{Key: k, Ref: ref, State: dayone.Active}}}}}); err != nil {
		t.Fatal(err)
	}
}

// shows is a system that has one account, and shows it to whoever comes without an id.
func shows(found dayone.Item, taken *[]string) *target {
	var mu sync.Mutex
	return &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Subject.Ref == "" {
			return dayone.Result{}, &dayone.Fault{System: "okta", Op: "creating account", Err: dayone.ErrConflict, Found: &found}
		}
		mu.Lock()
		defer mu.Unlock()
		*taken = append(*taken, a.Subject.Ref)
		return dayone.Result{Before: &found, Now: &dayone.Item{Ref: a.Subject.Ref, State: dayone.Active}}, nil
	}}
}

// Whose an account is the books say, however well it matches: two people of one employee number are still two.
func TestWhoseAnAccountIsTheBooksSay(t *testing.T) {
	t.Parallel()
	found := dayone.Item{Ref: "00u1", State: dayone.Active, Attrs: dayone.Attrs{"employee_number": dayone.Text("7")}}
	for _, c := range []struct {
		name, owner, as string
		want            string
		note            string
	}{
		{"nobody's", "", "", "done", ""},
		{"her own, of which the plan did not know", "per_1", "okta/account", "done", ""},
		{"somebody else's", "per_0", "okta/account", "waiting", "the account of per_0"},
		{"her own in another place", "per_1", "okta/account:admin", "waiting", "okta/account:admin of the same person"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, k := newStore(t, sqlite(t))
			var taken []string
			b := start(t, db, k, map[string]*target{"okta": shows(found, &taken)})
			r := aRun("1", dayone.Plan{Steps: []dayone.Step{step("okta/account")}})
			r.Plan.Steps[0].Subject.Keys = map[string]string{"employee_number": "7"}
			if c.owner != "" {
				bind(t, db, dayone.PersonID(c.owner), c.as, "00u1")
				if c.owner == "per_1" && c.as != "okta/account" {
					hs, err := db.Holdings(t.Context(), "per_1", true)
					if err != nil {
						t.Fatal(err)
					}
					r.Have = hs
				}
			}
			if err := b.driver.Start(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			got := b.finish("run_1").Steps[0]
			if string(got.State) != c.want || c.want == "done" && len(taken) != 1 || c.want != "done" && len(taken) > 0 {
				t.Errorf("the step is %s (%s), the system was asked to write %v", got.State, got.Error, taken)
			}
			if c.note != "" && !strings.Contains(got.Wait.Note, c.note) {
				t.Errorf("the task says %s", got.Wait.Note)
			}
		})
	}
}

// A human's word binds no account of somebody else either. Else both would be cut when the one leaves.
func TestATaskIsNotCompletedWithSomebodyElsesAccount(t *testing.T) {
	t.Parallel()
	found := dayone.Item{Ref: "00u2", State: dayone.Active, Attrs: dayone.Attrs{"employee_number": dayone.Text("77")}}
	db, k := newStore(t, sqlite(t))
	var taken []string
	b := start(t, db, k, map[string]*target{"okta": shows(found, &taken)}) // and "paper" has no connector
	bind(t, db, "per_0", "okta/account", "00u1")
	bind(t, db, "per_9", "paper/account", "p1")
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{step("okta/account"), step("paper/account")}})); err != nil {
		t.Fatal(err)
	}
	b.finishAs("run_1", dayone.RunWaiting)
	for id, attrs := range map[dayone.StepID]dayone.Attrs{"okta/account": {"adopt": dayone.Text("00u1")}, "paper/account": {"ref": dayone.Text("p1")}} {
		err := b.driver.Decide(t.Context(), "run_1", id, kim(engine.Complete, attrs))
		if !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "per_") {
			t.Errorf("%s with somebody else's: %v", id, err)
		}
	}
	for id, attrs := range map[dayone.StepID]dayone.Attrs{"okta/account": {"adopt": dayone.Text("00u2")}, "paper/account": {"ref": dayone.Text("p2")}} {
		if err := b.driver.Decide(t.Context(), "run_1", id, kim(engine.Complete, attrs)); err != nil {
			t.Errorf("%s with one that is nobody's: %v", id, err)
		}
	}
	b.finishAs("run_1", dayone.RunDone)
	if got := fmt.Sprint(taken); got != "[00u2]" {
		t.Errorf("the system was asked to write %s", got)
	}
}

// A system may hand out one account for two people: whoever is booked second has a conflict, and the engine lives.
func TestOneAccountHandedOutTwiceIsBoundOnce(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{true, false} {
		t.Run(fmt.Sprint("at the same time: ", together), func(t *testing.T) {
			t.Parallel()
			db, k := newStore(t, sqlite(t))
			var gate sync.WaitGroup
			gate.Add(2)
			okta := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
				if together && a.Attempt == 1 && a.Key.IsAccount() {
					gate.Done()
					gate.Wait()
				}
				r := done(a)
				r.Now.Ref = "00u1"
				return r, nil
			}}
			b := start(t, db, k, map[string]*target{"okta": okta})
			for _, id := range []string{"1", "2"} {
				if err := b.driver.Start(t.Context(), aRun(id, dayone.Plan{Steps: []dayone.Step{step("okta/account")}})); err != nil {
					t.Fatal(err)
				}
				if !together {
					b.finish(dayone.RunID("run_" + id))
				}
			}
			one, two := b.finish("run_1").Steps[0], b.finish("run_2").Steps[0]
			if one.State == dayone.StepWaiting {
				one, two = two, one
			}
			if one.State != dayone.StepDone || two.State != dayone.StepWaiting || two.Kind != "conflict" {
				t.Errorf("%s and %s: %s", one.State, two.State, two.Error)
			}
			b.stillWorks("okta")
		})
	}
}

// A run that a newer program began means what this one does not know: it is left alone.
func TestARunOfANewerMachineIsNotTouched(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	newer := aRun("1", dayone.Plan{Steps: []dayone.Step{step("okta/account")}})
	newer.State, newer.Machine = dayone.RunRunning, engine.Version+1
	if err := db.Commit(t.Context(), []dayone.Progress{{Run: newer, New: true}}); err != nil {
		t.Fatal(err)
	}
	okta := &target{}
	d := &engine.Driver{Store: db, Clock: clock.System{}, Keeper: k, Config: engine.DefaultConfig, Target: func(string) (engine.Target, bool) { return okta, true }}
	if err := d.Run(t.Context()); !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(err.Error(), "run_1") {
		t.Errorf("the driver says %v", err)
	}
	if n := okta.calls.Load(); n > 0 {
		t.Errorf("%d calls", n)
	}
}
