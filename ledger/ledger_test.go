package ledger_test

import (
	"crypto/rand"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/ledger"
)

func lines(t *testing.T, n int) []ledger.Line {
	t.Helper()
	var out []ledger.Line
	chain := ""
	for i := range n {
		l, err := ledger.Append(chain, int64(i+1), dayone.Record{
			At: time.Date(2024, 11, 22, 15, 5, i, 0, time.UTC), Person: "per_1", Run: "run_1", Step: "okta/account account.create", What: "granted", System: "okta",
			Because: []dayone.Reason{{Policy: "base-employee", At: "policies/base.yaml:14"}},
			Detail:  &dayone.Detail{Now: &dayone.Item{Ref: "00u1", Attrs: dayone.Attrs{"email": dayone.Text("sarah.chen@company.com")}}},
		}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
		chain = l.Chain
	}
	return out
}

func TestLinesVerify(t *testing.T) {
	t.Parallel()
	var v ledger.Verifier
	for _, l := range lines(t, 20) {
		if err := v.Next(l.Seq, l.Leaf, l.Chain); err != nil {
			t.Fatal(err)
		}
	}
	if v.Lines() != 20 {
		t.Errorf("%d lines", v.Lines())
	}
}

func TestTamperingIsSeen(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func([]ledger.Line) []ledger.Line{
		"a word is changed": func(l []ledger.Line) []ledger.Line {
			l[3].Leaf = strings.Replace(l[3].Leaf, "granted", "removed", 1)
			return l
		},
		"a line is taken out": func(l []ledger.Line) []ledger.Line { return append(l[:3:3], l[4:]...) },
		"two lines are swapped": func(l []ledger.Line) []ledger.Line {
			l[3], l[4] = l[4], l[3]
			l[3].Seq, l[4].Seq = l[4].Seq, l[3].Seq
			return l
		},
	} {
		var v ledger.Verifier
		var err error
		for _, l := range harm(lines(t, 8)) {
			if err = v.Next(l.Seq, l.Leaf, l.Chain); err != nil {
				break
			}
		}
		if err == nil {
			t.Errorf("%s, and nobody sees it", name)
		}
	}
}

func TestLeafNamesNobody(t *testing.T) {
	t.Parallel()
	l := lines(t, 1)[0]
	if strings.Contains(l.Leaf, "sarah") {
		t.Errorf("the line holds a personal value: %s", l.Leaf)
	}
	d, err := ledger.DetailOf(l.Digest, l.Detail)
	if err != nil || d.Now.Ref != "00u1" {
		t.Errorf("%+v, %v", d, err)
	}
	l.Detail[40] ^= 1
	if _, err := ledger.DetailOf(l.Digest, l.Detail); err == nil {
		t.Error("a changed detail passes")
	}
}

func BenchmarkVerify(b *testing.B) {
	one, err := ledger.Append("", 1, dayone.Record{At: time.Unix(0, 0), Person: "per_01jd9x5m6q8z3k4v7w2t1r0s9p", Run: "run_01jd9x5m6q8z3k4v7w2t1r0s9p", What: "granted", System: "okta", Step: "okta/group:sales-team entitlement.add"}, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var v ledger.Verifier
		if err := v.Next(1, one.Leaf, one.Chain); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// asReflected is a leaf as encoding/json writes it, which the format was defined by.
type asReflected struct {
	Version int             `json:"v"`
	Seq     int64           `json:"seq"`
	At      string          `json:"at"`
	Person  dayone.PersonID `json:"person,omitempty"`
	Run     dayone.RunID    `json:"run,omitempty"`
	Step    string          `json:"step,omitempty"`
	System  string          `json:"system,omitempty"`
	What    string          `json:"what"`
	Because []struct {
		Policy string `json:"policy"`
		At     string `json:"at,omitempty"`
		Commit string `json:"commit,omitempty"`
		Hash   string `json:"hash,omitempty"`
	} `json:"because,omitempty"`
	By     string `json:"by,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// Lines written by hand are those that encoding/json would write, whatever words they hold: every proof ever given depends
// on it.
func FuzzLeafIsCanonical(f *testing.F) {
	f.Add(int64(1), int64(1e15), "per_1", "okta", "granted", "sales-engineer", "policies/sales.yaml:22", "", 1)
	f.Add(int64(-1), int64(-5), "", "", "", "", "", "", 0)
	f.Add(int64(7), int64(0), "Łukasz", "<o&k>", "a\"b\\c\n", "\xff\x00", "\u2028", "x\x7f", 3)
	f.Fuzz(func(t *testing.T, seq, us int64, person, system, what, policy, at, by string, reasons int) {
		r := dayone.Record{At: time.UnixMicro(us % 2e17), Person: dayone.PersonID(person), Run: dayone.RunID(by), Step: dayone.StepID(policy), System: system, What: what, By: by}
		want := asReflected{Version: 1, Seq: seq, At: r.At.UTC().Format("2006-01-02T15:04:05.000000Z"), Person: r.Person, Run: r.Run, Step: string(r.Step), System: system, What: what, By: by}
		for i := range min(max(reasons, 0), 4) {
			why := dayone.Reason{Policy: policy, At: at}
			if i%2 == 1 {
				why.Commit, why.Hash = what, system
			}
			r.Because = append(r.Because, why)
			want.Because = append(want.Because, struct {
				Policy string `json:"policy"`
				At     string `json:"at,omitempty"`
				Commit string `json:"commit,omitempty"`
				Hash   string `json:"hash,omitempty"`
			}(why))
		}
		if reasons%2 == 1 {
			r.Detail = &dayone.Detail{Note: what}
		}
		l, err := ledger.Make(seq, r, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		want.Digest = l.Digest
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if l.Leaf != string(raw) {
			t.Errorf("wrote\n%s\nwant\n%s", l.Leaf, raw)
		}
	})
}

// A detail reads as what was put into it, whatever a system calls its things.
func FuzzDetailReadsBack(f *testing.F) {
	f.Add("okta", "sales-team", "ref", "member", "title", "Sales <Engineer>", "why", int64(1e15), byte(7))
	f.Add("a", "x:y/z", "", "", "", "", "", int64(0), byte(0))
	f.Add("Łódź", "\"quoted\"", "\\", "\x01", "\u2028", "\n", "&", int64(-1), byte(3))
	f.Fuzz(func(t *testing.T, system, name, ref, role, attr, value, note string, us int64, which byte) {
		if _, err := dayone.ParseKey(dayone.Key{System: system, Kind: "group", Name: name}.String()); err != nil {
			t.Skip("no key")
		}
		it := dayone.Item{Key: dayone.Key{System: system, Kind: "group", Name: name}, Ref: ref, State: dayone.Active, Role: role}
		if which&4 != 0 {
			it.Attrs, it.Created = dayone.Attrs{attr: dayone.Text(value), "n": dayone.Int(us), "l": dayone.List(value, name)}, time.UnixMicro(us%2e17).UTC()
		}
		d := dayone.Detail{Note: note}
		if which&1 != 0 {
			d.Before = &it
		}
		if which&2 != 0 {
			d.Now = &it
		}
		l, err := ledger.Make(1, dayone.Record{What: "granted", Detail: &d}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ledger.DetailOf(l.Digest, l.Detail)
		if err != nil {
			t.Fatalf("%s: %v", l.Detail[16:], err)
		}
		was, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var want dayone.Detail
		if err := json.Unmarshal(was, &want); err != nil {
			t.Fatal(err)
		}
		if is, _ := json.Marshal(got); string(is) != reread(t, want) {
			t.Errorf("reads as\n%s\nnot\n%s", is, was)
		}
	})
}

func reread(t *testing.T, d dayone.Detail) string {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Whoever adds a field to what a line says, or to its detail, writes it out in leaf, detail or item, which are by hand.
func TestNothingOfALineIsForgotten(t *testing.T) {
	t.Parallel()
	for typ, known := range map[reflect.Type]int{
		reflect.TypeFor[dayone.Record](): 10, reflect.TypeFor[dayone.Reason](): 4, reflect.TypeFor[dayone.Detail](): 3, reflect.TypeFor[dayone.Item](): 6,
	} {
		if n := typ.NumField(); n != known {
			t.Errorf("%s has %d fields, and package ledger writes out %d", typ, n, known)
		}
	}
}
