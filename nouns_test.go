package dayone_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

func TestKeysReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"okta/account", "ad/account:admin", "okta/group:sales-team", "ad+admin/group:tier0", "slack/channel:#general", "phone/line",
		"google/group:employees@company.com", "jira/role:a:b/c", "notion/space:Räume & mehr",
	} {
		k, err := dayone.ParseKey(s)
		if err != nil || k.String() != s {
			t.Errorf("%s reads as %+v, %v and is written %s", s, k, err, k)
		}
	}
	for _, s := range []string{"", "okta", "okta/", "/group", "ad/account:nonsense", "ad+boss/group:x"} {
		if k, err := dayone.ParseKey(s); err == nil {
			t.Errorf("%q reads as %+v", s, k)
		}
	}
	b, err := json.Marshal(map[string]dayone.Key{"none": {}})
	var back map[string]dayone.Key
	if err != nil || json.Unmarshal(b, &back) != nil || back["none"] != (dayone.Key{}) {
		t.Errorf("an empty key is written %s, %v", b, err)
	}
}

func TestValuesSurviveJSON(t *testing.T) {
	t.Parallel()
	for _, v := range []dayone.Value{
		dayone.Text(""), dayone.Text(`"<&>$ {x}` + "\n"), dayone.Text("山田"), dayone.Int(-8), dayone.Int(1 << 60), dayone.Bool(true), dayone.Bool(false), dayone.List(), dayone.List("b", "a", "a"),
		dayone.Date(time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC)),
		{Kind: dayone.TemplateValue, Text: "${okta.account.ref}"},
		{Kind: dayone.SecretValue, Text: "password:20"},
	} {
		b, err := json.Marshal(v)
		var back dayone.Value
		if err != nil || json.Unmarshal(b, &back) != nil || back != v {
			t.Errorf("%+v is written %s (%v) and reads as %+v", v, b, err, back)
		}
	}
	for _, bad := range []string{`1.5`, `{"a":"b","c":"d"}`, `{"nonsense":"x"}`, `[1]`, `null`} {
		var v dayone.Value
		if v.UnmarshalJSON([]byte(bad)) == nil {
			t.Errorf("%s reads as %+v", bad, v)
		}
	}
}

func TestSecretsShowNothing(t *testing.T) {
	t.Parallel()
	s := dayone.NewSecret("hunter2")
	for _, f := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d"} {
		if out := fmt.Sprintf(f, s); strings.Contains(out, "hunter2") || strings.Contains(out, "68756e746572") {
			t.Errorf(f+" shows it", s)
		}
		if out := fmt.Sprintf(f, struct{ S dayone.Secret }{s}); strings.Contains(out, "hunter2") {
			t.Errorf("inside a struct it shows with %s: %s", f, out)
		}
	}
	if b, err := json.Marshal(map[string]any{"s": s}); err == nil {
		t.Errorf("it is marshalled: %s", b)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)
	g := dayone.NewIDs(func() time.Time { return at }, bytes.NewReader(bytes.Repeat([]byte{0xff}, 100)))
	last := ""
	for range 1000 {
		id := g.New("run")
		if !dayone.ValidID("run", id) {
			t.Fatalf("%s is not valid", id)
		}
		if id <= last {
			t.Fatalf("%s comes after %s", id, last)
		}
		last = id
	}
	for _, bad := range []string{"", "run_", "per_" + last[4:], last + "0", "run_" + strings.Repeat("u", 26), "run_'; drop table"} {
		if dayone.ValidID("run", bad) {
			t.Errorf("%q passes as an id", bad)
		}
	}
}

func TestPlanHashLeavesTheCommitOut(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Person: "per_1", Steps: []dayone.Step{{ID: "a", Because: []dayone.Reason{{Policy: "p", At: "f:1", Commit: "abc"}}}}}
	q := p
	q.Steps = []dayone.Step{{ID: "a", Because: []dayone.Reason{{Policy: "p", At: "f:1", Commit: "def"}}}}
	if p.Hash() != q.Hash() {
		t.Error("another commit changes the hash")
	}
	q.Steps[0].Because[0].At = "f:2"
	if p.Hash() == q.Hash() {
		t.Error("another line does not")
	}
	b, err := json.Marshal(p)
	var back dayone.Plan
	if err != nil || json.Unmarshal(b, &back) != nil || back.Hash() != p.Hash() {
		t.Errorf("through JSON the hash changes: %v", err)
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	f := &dayone.Fault{System: "okta", Op: "creating user", Code: "E0000047", Err: dayone.ErrThrottled}
	err := fmt.Errorf("running: %w", f)
	if dayone.KindOf(err) != dayone.ErrThrottled || !dayone.Again(err) {
		t.Errorf("%v is %v", err, dayone.KindOf(err))
	}
	if dayone.KindOf(fmt.Errorf("disk on fire")) != nil {
		t.Error("a fault of ours has a kind")
	}
}
