package number_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

func TestAFileReads(t *testing.T) {
	t.Parallel()
	p := read(t, berlin)
	rows, faults := number.ReadFile("n.csv", "\uFEFFNumber;To;Pool;State;Person;Confirmed;Since;Reason\r\n"+
		"030 1234 017;;berlin;;sarah.chen@company.com;yes;2020-04-01;\r\n"+
		"+49301234020;+49301234024;;held;;;;\"emergency; lift\"\r\n"+
		"2101;;lab;;emp_7;;;\r\n"+
		"+442079460000;;;;;;;\r\n", p)
	if len(faults) > 0 || len(rows) != 4 {
		t.Fatalf("%v\n%v", faults, rows)
	}
	if r := rows[0]; r.First != "+49301234017" || r.State != dayone.NumberAssigned || !r.Confirmed || r.Since.Year() != 2020 || r.Line != 2 {
		t.Errorf("%+v", r)
	}
	if r := rows[1]; r.State != dayone.NumberOnHold || len(r.Numbers(p, at)) != 5 || r.Numbers(p, at)[4].Pool != "berlin" || r.Reason != "emergency; lift" {
		t.Errorf("%+v", r)
	}
	if n := rows[2].Numbers(p, at); len(n) != 1 || n[0].ID != "cucm-eu:DN_LAB:2101" {
		t.Errorf("%+v", n)
	}
	if n := rows[3].Numbers(p, at); len(n) != 1 || n[0].State != dayone.NumberExternal || n[0].Pool != "" {
		t.Errorf("%+v", n)
	}
}

func TestFaultsOfAFileHaveTheirPlace(t *testing.T) {
	t.Parallel()
	p := read(t, berlin)
	for _, c := range []struct{ text, want string }{
		{"", "n.csv:1:1: the file is empty"},
		{"number\n", "holds no numbers"},
		{"numbr\n1", `did you mean "number"?`},
		{"number,number\n1,2", "n.csv:1:8: column \"number\" is there twice"},
		{"person\nx", "column number is missing"},
		{"number\n030 1234017", "n.csv:2:1: \"030 1234017\" does not begin with +"},
		{"number,pool\n030 1234567890123456,berlin", "n.csv:2:1: \"030 1234567890123456\" is no telephone number"},
		{"number,pool\n030 1234017,munich", `n.csv:2:13: numbers.yaml has no pool "munich"`},
		{"number\n2101", "has no + before it: say its pool"},
		{"number,person\n+49301234017,a@x.de\n+49 30 1234017,b@x.de", "n.csv:3:1: +49301234017 stands in line 2 already; a number has one line and one owner"},
		{"number,to,state,reason\n+49301234010,+49301234020,held,x\n+49301234015,,held,x", "n.csv:3:1: +49301234015 is one of line 2"},
		{"number,to,state,reason\n+49301234015,,held,x\n+49301234010,+49301234020,held,x", "n.csv:3:1: +49301234010 is one of line 2"},
		{"number,to,person\n+49301234010,+49301234020,a@x.de", "cannot all be one person's"},
		{"number,state\n+49301234010,assigned", "name a person"},
		{"number,state,person\n+49301234010,held,a@x.de", "leave person empty"},
		{"number,state\n+49301234010,held", "say why it is held"},
		{"number,state\n+49301234010,quarantine", "n.csv:2:14: state is \"quarantine\""},
		{"number,confirmed\n+49301234010,perhaps", "write yes or no"},
		{"number,since\n+49301234010,yesterday", "is no day"},
		{"number,pool\n+49301234010,lab", "is one of pool berlin in numbers.yaml, and the line says lab"},
		{"number\n\"+49301234010", "does not read as CSV"},
		{"number\n\xff", "not UTF-8"},
		{"number,reason\n+49301234010,\n+49301234011,\"li\nft\x00\"\n", "n.csv:4:1: the line holds a control character"},
	} {
		rows, faults := number.ReadFile("n.csv", c.text, p)
		all := ""
		for _, f := range faults {
			all += f.String() + "\n"
		}
		if !strings.Contains(all, c.want) {
			t.Errorf("%q is said to be wrong with %q, and not with %q (%v)", c.text, all, c.want, rows)
		}
	}
}

func TestWhoeverHasANumberKeepsItInAnImport(t *testing.T) {
	t.Parallel()
	p := read(t, berlin)
	pool, _ := p.Pool("berlin")
	fresh := pool.Number(&pool.Ranges[0], "+49301234017", at)
	row := number.Row{State: dayone.NumberAssigned, Confirmed: true, Since: at.AddDate(-1, 0, 0)}
	n, changed, err := number.Import(nil, fresh, row, "per_1", at, pool)
	if err != nil || !changed || n.Owner != "per_1" || n.Confirmed.IsZero() || !n.Since.Equal(row.Since) {
		t.Fatalf("%+v %v %v", n, changed, err)
	}
	if _, changed, err := number.Import(&n, fresh, row, "per_1", at.Add(time.Hour), pool); err != nil || changed {
		t.Errorf("imported twice it changes: %v, %v", changed, err)
	}
	if _, _, err := number.Import(&n, fresh, row, "per_2", at, pool); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("another one takes it: %v", err)
	}
	if _, _, err := number.Import(&n, fresh, number.Row{State: dayone.NumberFree}, "", at, pool); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("it is made available under its owner: %v", err)
	}
}

func TestAnAuditFindsWhatIsWrongAndNothingElse(t *testing.T) {
	t.Parallel()
	p := read(t, berlin)
	pool, _ := p.Pool("berlin")
	a := number.NewAuditor(p, at, true)
	n := func(id string, owner dayone.PersonID, more func(*dayone.Number)) dayone.Number {
		x := pool.Number(&pool.Ranges[0], id, at.AddDate(0, -1, 0))
		x.State, x.Owner, x.Confirmed = dayone.NumberAssigned, owner, at
		if more != nil {
			more(&x)
		}
		return x
	}
	a.Number(n("+49301234001", "fine", nil), dayone.Working, "")
	a.Number(n("+49301234002", "left", nil), dayone.Left, "")
	a.Number(n("+49301234003", "gone", nil), "", "")
	a.Number(n("+49301234004", "fine", nil), dayone.Working, "")
	a.Number(n("+49301234005", "new", func(x *dayone.Number) { x.Confirmed, x.Until = time.Time{}, at.Add(-time.Hour) }), dayone.Working, "")
	a.Number(n("+49301235005", "early", func(x *dayone.Number) { x.Range = "+49301235000" }), dayone.Working, "")
	a.Number(n("+49309999999", "out", func(x *dayone.Number) { x.Pool, x.Range = "", "" }), dayone.Working, "")
	a.Number(n("+49301234006", "", func(x *dayone.Number) { x.State, x.Used = dayone.NumberQuarantine, at.AddDate(-1, 0, 0) }), "", "others show it")
	a.Number(n("+49301234007", "", func(x *dayone.Number) { x.State = dayone.NumberFree }), "", "")
	a.Stated("fine", "DE", "phone", "030 1234001")
	a.Stated("other", "DE", "phone", "+49 30 1234001")
	a.Stated("new", "DE", "phone", "030 1234007")
	a.Stated("nobody", "DE", "phone", "call me")
	a.Stated("asks", "DE", "phone", "030 1234008")
	a.Stated("free", "DE", "phone", "+49301234007")
	a.Pool(*pool, number.Outlook{Free: 3})
	a.Pool(*pool, number.Outlook{Free: 30, Needs: 2, Short: 1, ShortAt: at})
	var got []string
	for _, f := range a.Findings() {
		got = append(got, string(f.Kind)+" "+string(f.Number)+" "+string(f.Person))
		if f.Text == "" || f.Next == "" {
			t.Errorf("%+v says nothing", f)
		}
	}
	want := `leaver +49301234002 left|nobody +49301234003 gone|doubled +49301234001 other|doubled +49301234007 free|other-stated +49301234007 new|out-of-range +49301235005 early|outside +49309999999 out|short  |low  |unconfirmed +49301234005 new|resting +49301234006 |two-numbers +49301234004 fine|unreadable  nobody`
	if all := strings.Join(got, "|"); all != want {
		t.Errorf("found\n%s\nnot\n%s", strings.ReplaceAll(all, "|", "\n"), strings.ReplaceAll(want, "|", "\n"))
	}
}

func TestNumbersReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, country, want string }{
		{"(030) 1234-567", "DE", "+49301234567"},
		{"+1 (408) 555-0100", "", "+14085550100"},
		{"0044 20 7946 0000", "DE", "+442079460000"},
		{"٠٣٠ ١٢٣٤٥٦٧", "DE", "+49301234567"},
		{" +49 30 1234567 ", "US", "+49301234567"},
	} {
		if got, err := number.Parse(c.text, c.country); err != nil || got != c.want {
			t.Errorf("%q is %q, %v", c.text, got, err)
		}
	}
	for _, bad := range []string{"", "x", "+", "+49", "030 1234567", "+49 30 1234567 ext. 12", strings.Repeat("1", 500), "+999 123456789"} {
		if got, err := number.Parse(bad, ""); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%q is %q, %v", bad, got, err)
		}
	}
}
