package ledger_test

import (
	"crypto/rand"
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
