package number_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

var pool = number.Pool{Name: "berlin", Platform: "cucm-eu", Emergency: "ERL", Reservation: 30 * 24 * time.Hour, Activation: 72 * time.Hour, Quarantine: 180 * 24 * time.Hour}

func applied(t *testing.T, n dayone.Number, o number.Order) dayone.Number {
	t.Helper()
	got, ev, err := number.Apply(n, o, pool)
	if err != nil {
		t.Fatalf("%s of %s: %v", o.Verb, n.State, err)
	}
	if ev.From != n.State || ev.To != got.State || ev.What == "" {
		t.Errorf("the history says %+v", ev)
	}
	return got
}

func refused(t *testing.T, n dayone.Number, o number.Order, kind error) {
	t.Helper()
	if got, _, err := number.Apply(n, o, pool); !errors.Is(err, kind) {
		t.Errorf("%s of %s gives %v, %v", o.Verb, n.State, got, err)
	}
}

func TestTheLifeOfANumber(t *testing.T) {
	t.Parallel()
	n := dayone.Number{ID: "+49301234001", E164: "+49301234001", Pool: "berlin", State: dayone.NumberFree}
	n = applied(t, n, number.Order{Verb: number.Reserve, At: at, For: dayone.NumberNote{Name: "A candidate", Ref: "emp_7"}})
	if n.State != dayone.NumberReserved || !n.Until.Equal(at.Add(pool.Reservation)) {
		t.Fatalf("%+v", n)
	}
	refused(t, n, number.Order{Verb: number.Assign, At: at, Person: "per_2"}, dayone.ErrConflict) // it is kept for emp_7
	refused(t, n, number.Order{Verb: number.Lapse, At: at}, dayone.ErrConflict)
	n = applied(t, n, number.Order{Verb: number.Assign, At: at, Person: "per_1", For: dayone.NumberNote{Ref: "emp_7"}})
	if n.Owner != "per_1" || n.For != (dayone.NumberNote{}) || n.Until.IsZero() {
		t.Fatalf("%+v", n)
	}
	refused(t, n, number.Order{Verb: number.Reserve, At: at, Person: "per_2"}, dayone.ErrConflict)
	refused(t, n, number.Order{Verb: number.Hold, At: at, For: dayone.NumberNote{Reason: "x"}}, dayone.ErrConflict)
	refused(t, n, number.Order{Verb: number.Retire, At: at}, dayone.ErrConflict)
	if _, _, err := number.Apply(n, number.Order{Verb: number.Confirm, At: at}, number.Pool{}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a number goes into use without an emergency location: %v", err)
	}
	n = applied(t, n, number.Order{Verb: number.Confirm, At: at})
	others := []dayone.Appearance{{Role: dayone.ShownAssistant, Person: "per_3"}}
	refused(t, n, number.Order{Verb: number.Release, At: at, Shown: others}, dayone.ErrConflict)
	heir := applied(t, n, number.Order{Verb: number.Release, At: at, Shown: others, Heir: "per_3"})
	if heir.State != dayone.NumberAssigned || heir.Owner != "per_3" || heir.Last != "per_1" {
		t.Errorf("inherited: %+v", heir)
	}
	n = applied(t, n, number.Order{Verb: number.Release, At: at, Shown: []dayone.Appearance{{Role: dayone.ShownSecond, Person: "per_1"}}})
	if n.State != dayone.NumberQuarantine || n.Owner != "" || n.Last != "per_1" || !n.Until.Equal(at.Add(pool.Quarantine)) {
		t.Fatalf("%+v", n)
	}
	refused(t, n, number.Order{Verb: number.Assign, At: at, Person: "per_2"}, dayone.ErrConflict)
	back := applied(t, n, number.Order{Verb: number.Reserve, At: at, Person: "per_1"}) // she comes back
	if again := applied(t, back, number.Order{Verb: number.Release, At: at.Add(time.Hour)}); again.State != dayone.NumberQuarantine || !again.Until.Equal(n.Until) {
		t.Errorf("what rested rests on after a reservation that came to nothing: %+v", again)
	}
	if again := applied(t, back, number.Order{Verb: number.Lapse, At: back.Until}); again.State != dayone.NumberQuarantine {
		t.Errorf("and after one that nobody used: %+v", again)
	}
	held := applied(t, n, number.Order{Verb: number.Hold, At: at, For: dayone.NumberNote{Reason: "was in a brochure"}})
	if rests := applied(t, held, number.Order{Verb: number.Release, At: at.Add(time.Hour)}); rests.State != dayone.NumberQuarantine || !rests.Until.Equal(n.Until) {
		t.Errorf("a hold shortens the rest: %+v", rests)
	}
	late := at.Add(pool.Quarantine)
	refused(t, n, number.Order{Verb: number.Lapse, At: late, Kept: "others show it"}, dayone.ErrConflict)
	n = applied(t, n, number.Order{Verb: number.Lapse, At: late})
	if n.State != dayone.NumberFree || n.Last != "per_1" || !n.Used.Equal(at) {
		t.Errorf("%+v", n)
	}
}

// Whatever is ordered in whatever order: a number that is somebody's has an owner and others have none; nobody gets a number
// that another has, is kept, or had within the time that it rests.
func TestANumberIsNeverTwoPeoples(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := dayone.Number{ID: "n", State: dayone.NumberFree}
		now, left := at, map[dayone.PersonID]time.Time{}
		verbs := append([]number.Verb{number.Lapse}, number.Verbs...)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 24*60).Draw(t, "hours")) * time.Hour)
			o := number.Order{Verb: rapid.SampledFrom(verbs).Draw(t, "verb"), At: now, Person: dayone.PersonID(rapid.SampledFrom([]string{"", "per_1", "per_2"}).Draw(t, "person"))}
			o.For = dayone.NumberNote{Ref: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "ref"), Reason: rapid.SampledFrom([]string{"", "why"}).Draw(t, "reason")}
			was := n
			is, ev, err := number.Apply(n, o, pool)
			if err != nil {
				if is != was && dayone.KindOf(err) == nil {
					t.Fatalf("%v", err)
				}
				continue
			}
			n = is
			if owned := n.State == dayone.NumberAssigned || n.State == dayone.NumberReserved && n.For.Ref == "" && n.For.Name == ""; owned != (n.Owner != "") {
				t.Fatalf("%s has owner %q after %s", n.State, n.Owner, o.Verb)
			}
			if timed := n.State == dayone.NumberReserved || n.State == dayone.NumberQuarantine; timed && !n.Until.After(now) {
				t.Fatalf("%s has no timer after %s", n.State, o.Verb)
			}
			if n.Owner != "" && n.Owner != was.Owner {
				if was.Owner != "" && o.Heir == "" {
					t.Fatalf("it went from %s to %s by %s", was.Owner, n.Owner, o.Verb)
				}
				for who, when := range left {
					if who != n.Owner && now.Before(when.Add(pool.Quarantine)) {
						t.Fatalf("%s gets what %s left %v ago", n.Owner, who, now.Sub(when))
					}
				}
			}
			if was.State == dayone.NumberAssigned && n.State != dayone.NumberAssigned {
				left[was.Owner] = now
			}
			if ev.To != n.State || ev.From != was.State {
				t.Fatalf("history %+v", ev)
			}
		}
	})
}

func TestWhichNumberSomebodyGets(t *testing.T) {
	t.Parallel()
	n := func(id string, state dayone.NumberState, more func(*dayone.Number)) dayone.Number {
		x := dayone.Number{ID: dayone.NumberID(id), E164: id, Pool: "berlin", State: state}
		if more != nil {
			more(&x)
		}
		return x
	}
	used := func(days int) func(*dayone.Number) {
		return func(x *dayone.Number) { x.Used = at.AddDate(0, 0, -days) }
	}
	free := []dayone.Number{n("+49301", dayone.NumberFree, used(400)), n("+49302", dayone.NumberFree, used(900)), n("+49303", dayone.NumberFree, func(x *dayone.Number) { x.Vanity = true })}
	before := n("+49307", dayone.NumberQuarantine, func(x *dayone.Number) { x.Last = "per_1" })
	all := number.Found{Next: free}
	for _, c := range []struct {
		what string
		wish number.Wish
		add  func(*number.Found)
		want dayone.NumberID
	}{
		{"the one free for longest", number.Wish{}, nil, "+49302"},
		{"one that nobody ever had", number.Wish{}, func(f *number.Found) { f.Next = append(f.Next, n("+49309", dayone.NumberFree, nil)) }, "+49309"},
		{"the same last digits", number.Wish{Like: "01"}, func(f *number.Found) { f.Alike = []dayone.Number{n("+4930501", dayone.NumberFree, nil)} }, "+4930501"},
		{"what she had before", number.Wish{Person: "per_1", Like: "01"}, func(f *number.Found) {
			f.Before, f.Alike = []dayone.Number{before}, []dayone.Number{n("+4930501", dayone.NumberFree, nil)}
		}, "+49307"},
		{"not what another had", number.Wish{Person: "per_2"}, func(f *number.Found) { f.Before = []dayone.Number{before} }, "+49302"},
		{"what is reserved for her", number.Wish{Person: "per_1"}, func(f *number.Found) {
			f.Kept, f.Before = []dayone.Number{n("+49308", dayone.NumberReserved, nil)}, []dayone.Number{before}
		}, "+49308"},
		{"what she has", number.Wish{Person: "per_1"}, func(f *number.Found) {
			f.Own, f.Kept = []dayone.Number{n("+49306", dayone.NumberAssigned, nil)}, []dayone.Number{before}
		}, "+49306"},
		{"another one", number.Wish{Person: "per_1", Another: true}, func(f *number.Found) { f.Own = []dayone.Number{n("+49306", dayone.NumberAssigned, nil)} }, "+49302"},
	} {
		f := all
		if c.wish.At = at; c.add != nil {
			c.add(&f)
		}
		if got, why, err := number.Choose(c.wish, f, pool); err != nil || got.ID != c.want || why == "" {
			t.Errorf("%s: %s (%s), %v", c.what, got.ID, why, err)
		}
	}
	if _, _, err := number.Choose(number.Wish{At: at}, number.Found{Next: free[2:]}, pool); !errors.Is(err, dayone.ErrNoSeat) {
		t.Errorf("a vanity number is given to whoever comes: %v", err)
	}
	shut := pool
	shut.Ranges = []number.Range{{First: "a", Port: number.PortingIn, From: at.AddDate(0, 1, 0)}}
	kept := free[1]
	kept.Range = "a"
	if _, _, err := number.Choose(number.Wish{At: at}, number.Found{Next: []dayone.Number{kept}}, shut); !errors.Is(err, dayone.ErrNoSeat) {
		t.Errorf("a number is given before its port date: %v", err)
	}
	if got, _, err := number.Choose(number.Wish{At: at.AddDate(0, 2, 0)}, number.Found{Next: []dayone.Number{kept}}, shut); err != nil || got.ID != kept.ID {
		t.Errorf("and not to somebody who starts after it: %v", err)
	}
}

func TestHowLongAPoolLasts(t *testing.T) {
	t.Parallel()
	need := func(days ...int) (out []number.Need) {
		for i, d := range days {
			out = append(out, number.Need{Person: dayone.PersonID(fmt.Sprint(i)), At: at.AddDate(0, 0, d)})
		}
		return out
	}
	o := number.Foresee(at, 1, []time.Time{at.AddDate(0, 0, 10)}, need(3, 5, 20, 4), 30, 0, 90*24*time.Hour)
	if o.Short != 2 || !o.ShortAt.Equal(at.AddDate(0, 0, 4)) || o.Needs != 4 { // day 3 takes the free one, day 20 the one that is back
		t.Errorf("%+v", o)
	}
	o = number.Foresee(at, 20, nil, nil, 30, 0, 90*24*time.Hour)
	if days := o.Exhausted.Sub(at).Hours() / 24; days < 59.9 || days > 60.1 || o.PerMonth < 9.9 || o.PerMonth > 10.1 {
		t.Errorf("20 left at one in three days last %v days: %+v", days, o)
	}
	if o := number.Foresee(at, 20, nil, nil, 10, 12, 90*24*time.Hour); !o.Exhausted.IsZero() {
		t.Errorf("a pool that fills is exhausted on %v", o.Exhausted)
	}
}
