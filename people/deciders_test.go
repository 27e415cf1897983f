package people_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
)

// offices is a directory written down.
type offices struct {
	people   map[string]people.Colleague
	groups   map[string][]string
	standIns map[string][]people.StandIn
}

func (o offices) Colleague(mail string) people.Colleague    { return o.people[mail] }
func (o offices) Members(group string) []string             { return o.groups[group] }
func (o offices) StandIns(of string) (out []people.StandIn) { return o.standIns[of] }
func (o offices) with(mail string, s dayone.Status) offices {
	return o.set(mail, s, o.people[mail].Manager)
}

func (o offices) under(mail, manager string) offices {
	return o.set(mail, o.people[mail].Status, manager)
}

func (o offices) lets(of, to string, from, until time.Time) offices {
	out := o.set(of, o.people[of].Status, o.people[of].Manager)
	out.standIns = map[string][]people.StandIn{of: {{To: to, From: from, Until: until}}}
	return out
}

func (o offices) set(mail string, s dayone.Status, manager string) offices {
	out := offices{people: map[string]people.Colleague{}, groups: o.groups, standIns: o.standIns}
	for k, v := range o.people {
		out.people[k] = v
	}
	out.people[mail] = people.Colleague{Mail: mail, Manager: manager, Status: s, Known: true}
	return out
}

func company() offices {
	o := offices{groups: map[string][]string{"security": {"sam", "sue"}, "it": {"ida"}}}
	for mail, manager := range map[string]string{"erin": "mia", "mia": "vera", "vera": "", "sam": "vera", "sue": "vera", "ida": "vera", "olga": "vera", "dan": "vera"} {
		o = o.set(mail, dayone.Working, manager)
	}
	return o
}

func TestWhoDecides(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 3, 3, 9, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	base := company()
	for _, c := range []struct {
		name      string
		dir       offices
		by        []string
		requester string
		escalated bool
		want      string
		why       string
	}{
		{"manager", base, []string{"manager"}, "", false, "mia", "manager"},
		{"manager on leave", base.with("mia", dayone.OnLeave), []string{"manager"}, "", false, "vera", "manager of mia (on leave)"},
		{"manager on leave, who let somebody", base.with("mia", dayone.OnLeave).lets("mia", "dan", now.Add(-day), now.Add(day)), []string{"manager"}, "", false, "dan", "stands in for mia"},
		{"manager who is here and let somebody", base.lets("mia", "dan", now.Add(-day), now.Add(day)), []string{"manager"}, "", false, "dan", ""},
		{"manager gone", base.with("mia", dayone.Left), []string{"manager"}, "", false, "vera", "manager of mia (gone)"},
		{"manager who has not begun", base.with("mia", dayone.PreHire), []string{"manager"}, "", false, "vera", ""},
		{"no manager", base.under("erin", ""), []string{"manager"}, "", false, "olga", "owner, as nobody nearer can decide"},
		{"a manager of whom only the address is known", base.under("erin", "boss"), []string{"manager"}, "", false, "boss", ""},
		{"cyclic", base.with("mia", dayone.OnLeave).under("mia", "dan").with("dan", dayone.Left).under("dan", "mia"), []string{"manager"}, "", false, "olga", ""},
		{"cyclic over herself", base.with("mia", dayone.Left).under("mia", "erin"), []string{"manager"}, "", false, "olga", ""},
		{"self", base.under("erin", "erin"), []string{"manager"}, "", false, "olga", ""},
		{"nobody but the fallback", base.under("erin", "").with("olga", dayone.Left), []string{"manager"}, "", false, "ida", "fallback"},
		{"nobody at all", base.under("erin", "").with("olga", dayone.Left).with("ida", dayone.Left), []string{"manager"}, "", false, "", ""},
		{"changed in mid-wait", base.under("erin", "dan"), []string{"manager"}, "", false, "dan", "manager"},
		{"delegate expired", base.with("mia", dayone.OnLeave).lets("mia", "dan", now.Add(-2*day), now), []string{"manager"}, "", false, "vera", ""},
		{"delegate not yet", base.with("mia", dayone.OnLeave).lets("mia", "dan", now.Add(day), now.Add(2*day)), []string{"manager"}, "", false, "vera", ""},
		{"delegate is who gets it", base.lets("mia", "erin", now.Add(-day), now.Add(day)), []string{"manager"}, "", false, "mia", ""},
		{"delegate on leave", base.lets("mia", "dan", now.Add(-day), now.Add(day)).with("dan", dayone.OnLeave), []string{"manager"}, "", false, "mia", ""},
		{"requester is approver", base, []string{"manager"}, "mia", false, "vera", "manager of mia (asked for it)"},
		{"requester lets somebody", base.lets("mia", "dan", now.Add(-day), now.Add(day)), []string{"manager"}, "mia", false, "vera", ""},
		{"owner", base, []string{"owner"}, "", false, "olga", "owner"},
		{"owner gone", base.with("olga", dayone.Left), []string{"owner"}, "", false, "vera", ""},
		{"group", base, []string{"group:security"}, "", false, "sam sue", "one of security"},
		{"group without anybody", base, []string{"group:nobody"}, "", false, "olga", ""},
		{"group of herself", offices{people: base.people, groups: map[string][]string{"security": {"erin", "sue"}}}, []string{"group:security"}, "", false, "sue", ""},
		{"by name", base, []string{"Dan"}, "", false, "dan", "named by the policy"},
		{"two words", base, []string{"manager", "group:security"}, "", false, "mia; sam sue", ""},
		{"escalated", base, []string{"manager"}, "", true, "mia vera", "manager of mia (asked as well)"},
		{"escalated at the top", base.under("erin", "vera"), []string{"manager"}, "", true, "vera olga", ""},
		{"escalated group", base, []string{"group:security"}, "", true, "sam sue olga", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			seats := people.Deciders(people.Question{
				For: c.dir.people["erin"], Askers: []string{"", c.requester}, Rule: dayone.Approval{By: c.by, Need: "any"}, Owner: "olga", Fallback: []string{"group:it"}, Escalated: c.escalated,
			}, c.dir, now)
			var got, why []string
			for _, s := range seats {
				var mails []string
				for _, d := range s.Deciders {
					mails, why = append(mails, d.Mail), append(why, d.Why)
					if d.As != s.As || d.Why == "" {
						t.Errorf("%+v", d)
					}
				}
				got = append(got, strings.Join(mails, " "))
			}
			if strings.Join(got, "; ") != c.want || !strings.Contains(fmt.Sprint(why), c.why) {
				t.Errorf("%v decides (%q), want %s (%s)", got, why, c.want, c.why)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	all := dayone.Approval{By: []string{"manager", "group:security"}, Need: "all"}
	yes := func(as ...string) dayone.Vote { return dayone.Vote{As: as, Yes: true} }
	for _, c := range []struct {
		rule  dayone.Approval
		votes []dayone.Vote
		want  dayone.ApprovalState
	}{
		{all, nil, dayone.ApprovalOpen},
		{all, []dayone.Vote{yes("manager")}, dayone.ApprovalOpen},
		{all, []dayone.Vote{yes("manager"), yes("group:security")}, dayone.ApprovalGiven},
		{all, []dayone.Vote{yes("manager", "group:security")}, dayone.ApprovalGiven},
		{all, []dayone.Vote{yes("manager"), {As: []string{"group:security"}}}, dayone.ApprovalRefused},
		{dayone.Approval{By: all.By, Need: "any"}, []dayone.Vote{yes("group:security")}, dayone.ApprovalGiven},
		{dayone.Approval{By: all.By, Need: "any"}, nil, dayone.ApprovalOpen},
		{dayone.Approval{}, nil, dayone.ApprovalOpen},
	} {
		if got := people.Verdict(c.rule, c.votes); got != c.want {
			t.Errorf("%+v of %+v is %s, want %s", c.votes, c.rule, got, c.want)
		}
	}
}
