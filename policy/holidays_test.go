package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone/policy"
)

// A site counts working days by the holidays of its country beside its own; another country's are nothing to it.
func TestASiteHasTheHolidaysOfItsCountry(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"people.yaml": {Data: []byte("attributes:\n  email: {type: string, from: hr.email}\n")},
		"sites.yaml": {Data: []byte("sites:\n  Oslo: {country: \"NO\", zone: Europe/Oslo, holidays: [2024-11-18, 2024-11-20]}\n" +
			"  Berlin: {country: DE, zone: Europe/Berlin}\n")},
		"holidays.yaml":      {Data: []byte(policy.Holidays{"NO": {"2024-11-20": "A day", "2024-11-21": "Å høytid: \"fri\""}}.String())},
		"policies/base.yaml": {Data: []byte("policies:\n  - id: all\n    owner: it@company.com\n    match: everyone\n    grant: []\n")},
	}
	set, diags := policy.Load(files, nil)
	if set == nil {
		t.Fatal(diags)
	}
	if got := strings.Join(set.Sites["Oslo"].Holidays, " "); got != "2024-11-18 2024-11-20 2024-11-21" {
		t.Errorf("Oslo rests on %s", got)
	}
	if got := set.Sites["Berlin"].Holidays; len(got) != 0 {
		t.Errorf("Berlin rests on %s", got)
	}
	if got := set.Holidays["NO"]["2024-11-21"]; got != `Å høytid: "fri"` {
		t.Errorf("the name came back as %q", got)
	}
	monday := time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC)
	if got := (policy.Offset{WorkingDays: -1}).From(monday, set.Sites["Oslo"].Holidays); got.Day() != 22 {
		t.Errorf("one working day before Monday is %s", got)
	}
	if got := (policy.Offset{WorkingDays: -2}).From(monday, set.Sites["Oslo"].Holidays); got.Day() != 19 {
		t.Errorf("two working days before Monday are %s", got)
	}
	files["holidays.yaml"] = &fstest.MapFile{Data: []byte("holidays:\n  Norway: {2024-11-20: x}\n  DE:\n    2024-13-01: y\n")}
	if _, diags = policy.Load(files, nil); len(diags) != 2 || diags[0].Line != 2 || diags[1].Line != 4 {
		t.Errorf("faults: %v", diags)
	}
}

// A text of a policy is text, though it is written as an escape: it stands in plans, mails and books.
func TestAnEscapeThatIsNoTextIsAFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"holidays:\n  DE:\n    2024-12-25: \"Christmas\\0\"\n":       "holidays.yaml:3:17",
		"holidays:\n  DE:\n    2024-12-25: \"a\\e[2J\"\n":            "holidays.yaml:3:17",
		"holidays:\n  DE:\n    2024-12-25: \"Christmas\\n\\tDay\"\n": "",
	} {
		_, diags := policy.Load(fstest.MapFS{"holidays.yaml": &fstest.MapFile{Data: []byte(text)}}, nil)
		said := ""
		for _, d := range diags {
			if strings.Contains(d.Message, "control character") {
				said = fmt.Sprintf("%s:%d:%d", d.File, d.Line, d.Col)
			}
		}
		if said != want {
			t.Errorf("%q: %q, want %q: %v", text, said, want, diags)
		}
	}
}

func TestCalendarsAreRead(t *testing.T) {
	t.Parallel()
	const ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20251225\r\nDTEND;VALUE=DATE:20251227\r\nSUMMARY:Weihnach\r\n ten\\, zwei Tage\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nDTSTART:20250101T000000Z\r\nSUMMARY:Neujahr\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for name, c := range map[string]struct{ file, text, want, fault string }{
		"a calendar":            {file: "de.ics", text: ics, want: "2025-01-01 Neujahr|2025-12-25 Weihnachten, zwei Tage|2025-12-26 Weihnachten, zwei Tage"},
		"by what is in it":      {file: "upload", text: ics, want: "2025-01-01 Neujahr|2025-12-25 Weihnachten, zwei Tage|2025-12-26 Weihnachten, zwei Tage"},
		"a list with a head":    {file: "a.csv", text: "\ufeffdate,name\n2025-12-25,\"Christmas, at last\"\n2025-01-01\n", want: "2025-01-01 |2025-12-25 Christmas, at last"},
		"a list of a continent": {file: "a.csv", text: "2025-12-25;Noël\n", want: "2025-12-25 Noël"},
		"no day":                {file: "a.csv", text: "2025-12-25,a\n25.12.2025,b\n", fault: "line 2"},
		"no year of anybody":    {file: "a.csv", text: "2025-12-25,a\n9999-12-25,b\n", fault: "9999 is no year"},
		"nothing":               {file: "a.csv", text: "date,name\n", fault: "has no day"},
		"a rule":                {file: "a.ics", text: "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20250101\nRRULE:FREQ=YEARLY\nEND:VEVENT\n", fault: "line 4"},
		"no begin":              {file: "a.ics", text: "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n", fault: "line 2"},
		"a NUL":                 {file: "a.csv", text: "2025-12-25,a\n2025-12-26,b\x00\n", fault: "line 2 holds"},
		"no UTF-8":              {file: "a.csv", text: "2025-12-25,No\xebl\n", fault: "line 1 holds"},
		"an escape":             {file: "a.ics", text: "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20250101\nSUMMARY:x\x1b[2J\nEND:VEVENT\n", fault: "line 4 holds"},
		"for ever":              {file: "a.ics", text: "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20250101\nDTEND:99990101\nEND:VEVENT\n", fault: "line 2"},
	} {
		days, err := policy.ReadHolidays(c.file, []byte(c.text))
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var got []string
		for _, line := range strings.Split(policy.Holidays{"DE": days}.String(), "\n") {
			if strings.HasPrefix(line, "    ") {
				got = append(got, strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(line), `""`, ""), ": ", " "))
			}
		}
		if err != nil || strings.TrimSuffix(strings.Join(got, "|"), " ") != c.want && strings.ReplaceAll(strings.Join(got, "|"), ":|", " |") != c.want {
			t.Errorf("%s: %q, %v", name, strings.Join(got, "|"), err)
		}
	}
}

// What is brought in takes the place of the same years of the same country, and of nothing else.
func TestACalendarTakesThePlaceOfItsYears(t *testing.T) {
	t.Parallel()
	was := policy.Holidays{"DE": {"2024-12-25": "a", "2025-05-01": "b"}, "US": {"2025-07-04": "c"}}
	got := was.With("DE", map[string]string{"2025-12-25": "d"})
	want := policy.Holidays{"DE": {"2024-12-25": "a", "2025-12-25": "d"}, "US": {"2025-07-04": "c"}}
	if got.String() != want.String() {
		t.Errorf("got %s", got)
	}
	if len(was["DE"]) != 2 || was["DE"]["2025-05-01"] != "b" {
		t.Errorf("what was there is another: %v", was)
	}
}
