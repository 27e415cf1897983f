package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/webhook"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
)

func TestWebhook(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: webhook.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return hrsim.New(o) },
	})
}

var friday = time.Date(2024, 11, 22, 15, 1, 5, 0, time.UTC)

func clock() time.Time { return friday }

// open makes a source with these settings.
func open(t *testing.T, settings map[string]string) connector.Source {
	t.Helper()
	g, err := connector.Open(webhook.Factory, "hr", clock, connector.Options{Settings: settings, PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := g.Source()
	if !ok {
		t.Fatal("it is no source")
	}
	return s
}

// hr is a simulator and a source that reads it.
func hr(t *testing.T, o sim.Options) (*hrsim.Sim, connector.Source) {
	t.Helper()
	t.Parallel()
	o.Now = clock
	s := hrsim.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, open(t, s.Settings(server.URL))
}

func TestTheHire(t *testing.T) {
	body, err := os.ReadFile("testdata/event-sarah.json")
	if err != nil {
		t.Fatal(err)
	}
	if example, err := os.ReadFile("../../examples/events/sarah-hired.json"); err != nil || string(example) != string(body) {
		t.Error("the example is another event", err)
	}
	_, src := hr(t, sim.Options{})
	if err := src.Verify(http.Header{"X-Signature": {hrsim.Sign(body)}}, body, friday); err != nil {
		t.Fatal(err)
	}
	events, err := src.Parse(body)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	e := events[0]
	if e.Source != "hr" || e.SourceID != "evt_abc123" || e.Type != dayone.Hired || e.Subject != "emp_789" || !e.At.Equal(time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)) {
		t.Errorf("the event is %+v", e)
	}
	want := map[string]string{
		"employee_id": "emp_789", "email": "sarah.chen@company.com", "first_name": "Sarah", "last_name": "Chen", "job_title": "Sales Engineer", "department": "Sales",
		"team": "Enterprise", "employment_type": "FTE", "start_date": "2024-11-25", "manager_email": "john.doe@company.com", "location": "San Francisco", "work_arrangement": "Remote",
	}
	if len(e.Fields) != len(want) {
		t.Errorf("%d fields, want %d: %v", len(e.Fields), len(want), e.Fields)
	}
	for name, v := range want {
		if e.Fields[name] != dayone.Text(v) {
			t.Errorf("%s is %v, want %s", name, e.Fields[name], v)
		}
	}
}

// vectors of vendors whose webhooks are public knowledge, and the settings that take them.
var vectors = map[string]struct {
	settings    map[string]string
	header      map[string]string
	body        string
	at          time.Time
	id, subject string
	kind        dayone.EventType
	happened    string
}{
	"bamboohr": {
		settings: map[string]string{
			"secret": "bamboo-test-key", "header": "X-BambooHR-Signature", "timestamp_header": "X-BambooHR-Timestamp", "signed": "body+timestamp",
			"type_path": "type", "id_path": "id", "subject_path": "data.employeeId",
		},
		header: map[string]string{"X-BambooHR-Timestamp": "1739892600", "X-BambooHR-Signature": "9f493b2766934fc0b258e4e436858da91cb4b7b17a63fc31f3d346f846aea1a8"},
		body:   `{"type":"employee.created","timestamp":"2025-02-18T15:30:00Z","data":{"companyId":"12345","employeeId":"100"}}`,
		at:     time.Unix(1739892700, 0), subject: "100", kind: dayone.Hired, happened: "2025-02-18T15:30:00Z",
	},
	"gusto": {
		settings: map[string]string{"secret": "verification-token", "header": "X-Gusto-Signature", "id_path": "uuid", "subject_path": "entity_uuid"},
		header:   map[string]string{"X-Gusto-Signature": "22da3e7d16d1bebf9bcceb115ad47c7e1cb4dae94f5f0cd00733ccc43020d4c5"},
		body: `{"uuid":"f7397a24-57ad-4fae-b011-d258e8232900","event_type":"employee.created","resource_type":"Company","resource_uuid":"5df911a0-e8e9-412d-8aaf-a46ad193dd96",` +
			`"entity_type":"Employee","entity_uuid":"0f4cae3b-7f3e-4d65-9c0e-1f2d6f1f3b11","timestamp":1732287660}`,
		at: friday, id: "f7397a24-57ad-4fae-b011-d258e8232900", subject: "0f4cae3b-7f3e-4d65-9c0e-1f2d6f1f3b11", kind: dayone.Hired, happened: "2024-11-22T15:01:00Z",
	},
	"hibob": {
		settings: map[string]string{
			"secret": "bob-secret", "header": "Bob-Signature", "algorithm": "sha512", "encoding": "base64", "type_path": "type", "id_path": "",
			"time_path": "triggeredAt", "subject_path": "data.employeeId",
		},
		header: map[string]string{"Bob-Signature": "u/uYjfeOginUipf9KwPMKyng0KwtY0/lOskjz3G5kWkaeMk+clzvkYsHCHWiSaFleDJQjKwQEJ0Lrx3DL21Bsw=="},
		body:   `{"version":"v2","type":"employee.created","companyId":606643,"triggeredBy":"123","triggeredAt":"2025-01-21T10:00:00.000","data":{"employeeId":"3332883884017713938"}}`,
		at:     friday, subject: "3332883884017713938", kind: dayone.Hired, happened: "2025-01-21T10:00:00Z",
	},
}

func header(m map[string]string) http.Header {
	h := http.Header{}
	for k, v := range m {
		h.Set(k, v)
	}
	return h
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for name, v := range vectors {
		t.Run(name, func(t *testing.T) {
			src := open(t, v.settings)
			if err := src.Verify(header(v.header), []byte(v.body), v.at); err != nil {
				t.Fatal(err)
			}
			events, err := src.Parse([]byte(v.body))
			if err != nil {
				t.Fatal(err)
			}
			e := events[0]
			if e.SourceID != v.id || e.Subject != v.subject || e.Type != v.kind || e.At.Format(time.RFC3339) != v.happened {
				t.Errorf("the event is %+v", e)
			}
			if err := src.Verify(header(v.header), []byte(v.body+" "), v.at); !errors.Is(err, dayone.ErrAuth) {
				t.Errorf("a changed body says %v", err)
			}
			for k := range v.header {
				less := maps.Clone(v.header)
				delete(less, k)
				if err := src.Verify(header(less), []byte(v.body), v.at); !errors.Is(err, dayone.ErrAuth) {
					t.Errorf("without %s it says %v", k, err)
				}
			}
		})
	}
}

// The vectors above are those of the specifications, where these are at hand.
func TestVectorsAreTheSpecified(t *testing.T) {
	t.Parallel()
	file := connectortest.SpecificationFile("signature-vectors.json")
	if file == "" {
		t.Skip("the vendors' specifications are not here; set DAYONE_SPECS to the folder that has them")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var specified map[string]struct {
		Headers map[string]string
		Secret  string
		Body    string
	}
	if err := json.Unmarshal(raw, &specified); err != nil {
		t.Fatal(err)
	}
	for name, v := range vectors {
		s := specified[name]
		if s.Body != v.body || s.Secret != v.settings["secret"] || !maps.Equal(s.Headers, v.header) {
			t.Errorf("%s differs from %s", name, file)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":1}`)
	sign := func(settings map[string]string, stamp string) string { return signature(t, settings, stamp, body) }
	base := map[string]string{"secret": "first-secret", "secret_2": "second-secret", "prefix": "sha256="}
	src := open(t, base)
	for name, c := range map[string]struct {
		header string
		ok     bool
	}{
		"the first secret":   {"sha256=" + sign(map[string]string{"secret": "first-secret"}, ""), true},
		"the second":         {"sha256=" + sign(map[string]string{"secret": "second-secret"}, ""), true},
		"a third":            {"sha256=" + sign(map[string]string{"secret": "third-secret"}, ""), false},
		"without prefix":     {sign(map[string]string{"secret": "first-secret"}, ""), true},
		"capital letters":    {strings.ToUpper(sign(map[string]string{"secret": "first-secret"}, "")), true},
		"another prefix":     {"sha1=" + sign(map[string]string{"secret": "first-secret"}, ""), false},
		"cut off":            {sign(map[string]string{"secret": "first-secret"}, "")[:62], false},
		"nothing":            {"", false},
		"a prefix, no more":  {"sha256=", false},
		"no hex":             {"sha256=zz", false},
		"the other encoding": {"sha256=aGVsbG8=", false},
	} {
		err := src.Verify(header(map[string]string{"X-Signature": c.header}), body, friday)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, dayone.ErrAuth) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}

	stamped := map[string]string{"secret": "first-secret", "timestamp_header": "X-Timestamp", "timestamp_window": "1m", "signed": "timestamp.body"}
	src = open(t, stamped)
	for name, c := range map[string]struct {
		stamp, signed string
		ok            bool
	}{
		"now":                 {"1732287665", "1732287665", true},
		"in milliseconds":     {"1732287665123", "1732287665123", true},
		"as RFC 3339":         {"2024-11-22T15:00:30Z", "2024-11-22T15:00:30Z", true},
		"a minute ago":        {"1732287605", "1732287605", true},
		"longer ago":          {"1732287604", "1732287604", false},
		"ahead of us":         {"1732287726", "1732287726", false},
		"made younger":        {"1732287665", "1732280000", false},
		"no time":             {"soon", "soon", false},
		"none":                {"", "", false},
		"the end of all time": {"9223372036854775807", "9223372036854775807", false},
	} {
		h := header(map[string]string{"X-Signature": sign(stamped, c.signed), "X-Timestamp": c.stamp})
		if err := src.Verify(h, body, friday); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever connects an HR system for the first time sees in the log which setting tells how it writes its signatures.
func TestASignatureWrittenOtherwiseNamesItsSetting(t *testing.T) {
	t.Parallel()
	body := []byte(`{}`)
	mac := hmac.New(sha256.New, []byte("first-secret"))
	mac.Write(body)
	sum := mac.Sum(nil)
	for given, want := range map[string]string{
		"sha256=" + hex.EncodeToString(sum):                                      `the signature is no hex; set prefix: "sha256="`,
		base64.StdEncoding.EncodeToString(sum):                                   "the signature is no hex; set encoding: base64",
		"v1=" + base64.StdEncoding.EncodeToString(sum):                           `the signature is no hex; set prefix: "v1=" and encoding: base64`,
		hex.EncodeToString(append(sum, sum...)):                                  "the signature has 64 bytes, and sha256 makes 32; see the setting algorithm",
		"nonsense":                                                               "the signature is no hex",
		strings.Repeat("x", 16) + "=" + hex.EncodeToString(sum):                  "the signature is no hex",
		strings.Repeat("x", 9000) + "=" + base64.StdEncoding.EncodeToString(sum): "the signature is no hex",
	} {
		err := open(t, map[string]string{"secret": "first-secret"}).Verify(header(map[string]string{"X-Signature": given}), body, friday)
		if !errors.Is(err, dayone.ErrAuth) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.80s says %v", given, err)
		}
		if err != nil && strings.Contains(err.Error(), hex.EncodeToString(sum)) {
			t.Errorf("the error holds the signature: %v", err)
		}
	}
	err := open(t, map[string]string{"secret": "first-secret"}).Verify(header(map[string]string{"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(sum)}), body, friday)
	if err == nil || !strings.HasSuffix(err.Error(), "there is no signature in X-Signature; set header: X-Hub-Signature-256") {
		t.Errorf("in another header: %v", err)
	}
	set := map[string]string{"secret": "first-secret", "prefix": "v1=", "encoding": "base64"}
	if err := open(t, set).Verify(header(map[string]string{"X-Signature": "v1=" + base64.StdEncoding.EncodeToString(sum)}), body, friday); err != nil {
		t.Errorf("as it was told: %v", err)
	}
}

// The first instant of all is what a system writes that has no date. It is not taken for a missing time: then nobody would hear of it.
func TestTheFirstInstantOfAllIsATime(t *testing.T) {
	t.Parallel()
	src := open(t, map[string]string{"secret": "s"})
	for when, want := range map[string]string{"0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z", "2024-11-22T15:00:00Z": "2024-11-22T15:00:00Z", "soon": ""} {
		events, err := src.Parse([]byte(`{"event_type":"employee.hired","event_id":"e1","timestamp":"` + when + `","data":{"employee_id":"1"}}`))
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %v, %v", when, events, err)
		}
		if at := events[0].At; at.IsZero() != (want == "") || want != "" && at.Format(time.RFC3339) != want {
			t.Errorf("%s is read as %s", when, at)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	src := open(t, map[string]string{"secret": "s", "fields": "level, remote, skills, name, custom.region, empty, when, big, mixed, wide, deep"})
	parse := func(data string) dayone.Event {
		t.Helper()
		events, err := src.Parse([]byte(`{"event_type":"employee.updated","event_id":"e1","data":` + data + `}`))
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %v %v", data, events, err)
		}
		return events[0]
	}
	e := parse(`{"employee_id":"emp_1","level":4,"remote":true,"skills":["go","cel","go"],"name":"Zoë ${okta.account.ref} 山田","custom":{"region":"EMEA","secret":"x"},
		"empty":"","gone":null,"salary":98765.43,"national_id":"078-05-1120","when":null,"big":123456789012345678901234567890,"mixed":[{"national_id":"078-05-1120"}],"wide":4.0,"deep":4.5}`)
	want := map[string]dayone.Value{
		"level": dayone.Int(4), "remote": dayone.Bool(true), "skills": dayone.List("cel", "go"), "name": dayone.Text("Zoë ${okta.account.ref} 山田"),
		"custom.region": dayone.Text("EMEA"), "empty": dayone.Text(""), "big": dayone.Text("123456789012345678901234567890"), "mixed": dayone.Text("[...]"),
		"wide": dayone.Int(4), "deep": dayone.Text("4.5"), "when": {},
	}
	if !maps.Equal(e.Fields, want) {
		t.Errorf("the fields are %v", e.Fields)
	}
	if e := parse(`{"custom":null,"employee_id":"emp_1"}`); !maps.Equal(e.Fields, map[string]dayone.Value{"custom.region": {}}) || e.Full {
		t.Errorf("what is inside null is empty, and the rest is not said: %+v", e)
	}
	whole := open(t, map[string]string{"secret": "s", "body": "full"})
	if events, err := whole.Parse([]byte(`{"event_type":"employee.updated","data":{"employee_id":"emp_1"}}`)); err != nil || !events[0].Full {
		t.Errorf("a source that sends whole records: %+v %v", events, err)
	}
	if e := parse(`{"employee_id":4711}`); e.Subject != "4711" || !e.At.IsZero() {
		t.Errorf("a number as id: %+v", e)
	}

	for body, want := range map[string]string{
		"{\n\"a\": 1,\n\"ö\": nope\n}": `3:7: invalid character 'o' in literal null`,
		"{\n  \"a\": 1\n":              `3:1: unexpected end`,
		"{} {}":                        `1:4: invalid character '{' after`,
		"":                             `1:1: unexpected end`,
		"Ping test":                    `1:1: invalid character 'P'`,
		"{\"a\": \"\xff\"}":            `1:8: this is no UTF-8`,
		`"Ping test"`:                  "a webhook is a JSON object",
		"[]":                           "there is no event in it",
		`{"event_type":"employee.hired","data":{}}`:                                         "data.employee_id is missing",
		`{"data":{"employee_id":"emp_1"}}`:                                                  "event_type is missing",
		`{"event_type":"employee.hired","data":{"employee_id":{"x":"emp_1"}}}`:              "data.employee_id is missing",
		`{"event_type":"employee.hired","data":["employee_id"]}`:                            "data.employee_id is missing",
		`{"event_type":"employee.knighted","event_id":"e7","data":{"employee_id":"emp_1"}}`: `"employee.knighted" is unknown`,
	} {
		events, err := src.Parse([]byte(body))
		if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q says %v, want %s", body, err, want)
		}
		for _, e := range events {
			if e.Type != "" {
				t.Errorf("%q makes an event of type %q", body, e.Type)
			}
		}
	}
	events, err := src.Parse([]byte(`{"event_type":"employee.knighted","event_id":"e7","data":{"employee_id":"emp_1","level":9}}`))
	if err == nil || len(events) != 1 || events[0].SourceID != "e7" || events[0].Subject != "emp_1" || events[0].Fields["level"] != dayone.Int(9) {
		t.Errorf("an unknown event cannot be identified: %+v", events)
	}

	// several in one body: a bad one does not take the others with it
	events, err = src.Parse([]byte(`[{"event_type":"employee.hired","event_id":"e1","data":{"employee_id":"a"}},{"event_type":"?","event_id":"e2","data":{"employee_id":"b"}},
		{"event_type":"employee.terminated","event_id":"e3","timestamp":"some day","data":{"employee_id":"c"}}]`))
	if !errors.Is(err, dayone.ErrInvalid) || len(events) != 3 || events[0].Type != dayone.Hired || events[1].Type != "" || events[2].Type != dayone.Terminated {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for want, settings := range map[string]map[string]string{
		"needs the setting secret": {},
		"timestamp_window is":      {"secret": "s", "timestamp_window": "soon"},
		"no timestamp_header":      {"secret": "s", "signed": "timestamp.body"},
		`types has "a=b"`:          {"secret": "s", "types": "hired = hired, a=b"},
		"it can be sha256":         {"secret": "s", "algorithm": "md5"},
	} {
		_, err := connector.Open(webhook.Factory, "hr", clock, connector.Options{Settings: settings})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v says %v, want %s", settings, err, want)
		}
	}
	src := open(t, map[string]string{"secret": "s"})
	if _, err := src.Read(t.Context(), "emp_1"); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("without url Read says %v", err)
	}
	for _, err := range src.Everybody(t.Context()) {
		if !errors.Is(err, dayone.ErrUnsupported) {
			t.Errorf("without url Everybody says %v", err)
		}
	}
	flat := open(t, map[string]string{"secret": "s", "type_path": "what", "subject_path": "no", "data_path": "", "types": "new=hired\ngone=terminated", "fields": "no\nname"})
	if events, err := flat.Parse([]byte(`{"what":"gone","no":7,"name":"Kim"}`)); err != nil || events[0].Type != dayone.Terminated || events[0].Fields["name"] != dayone.Text("Kim") {
		t.Errorf("a flat webhook: %+v, %v", events, err)
	}
}

func TestRead(t *testing.T) {
	s, src := hr(t, sim.Options{Lag: 1})
	e, err := src.Read(t.Context(), "emp_789")
	if err != nil {
		t.Fatal(err)
	}
	if e.Type != dayone.Updated || !e.Full || e.Source != "hr" || e.Subject != "emp_789" || e.At.Format(time.RFC3339) != "2024-11-22T15:00:30Z" {
		t.Errorf("the record is %+v", e)
	}
	for name, want := range map[string]dayone.Value{
		"home_address": dayone.Text("1 Main St, San Francisco, CA 94105"), "level": dayone.Int(4), "personal_email": dayone.Text("sarah.chen@example.net"),
		"mobile": dayone.Text("+14155550123"), "country": dayone.Text("US"), "custom.quota_region": dayone.Text("AMER"), "work_arrangement": dayone.Text("Remote"),
	} {
		if e.Fields[name] != want {
			t.Errorf("%s is %v, want %v", name, e.Fields[name], want)
		}
	}
	for _, name := range []string{"preferred_name", "salary", "national_id", "updated_at"} {
		if v, has := e.Fields[name]; has {
			t.Errorf("%s came through as %v", name, v)
		}
	}
	if _, err := src.Read(t.Context(), "emp_000"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody says %v", err)
	}
	if e, err := src.Read(t.Context(), "emp_287"); err != nil || e.Fields["last_name"] != dayone.Text("山田") {
		t.Errorf("%+v, %v", e, err)
	}
	s.Put(map[string]any{"employee_id": "emp_900/1?x", "email": "new@company.com"})
	if _, err := src.Read(t.Context(), "emp_900/1?x"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a record that lags says %v", err)
	}
	if e, err := src.Read(t.Context(), "emp_900/1?x"); err != nil || !e.At.Equal(friday) {
		t.Errorf("%+v, %v", e, err)
	}
	for _, c := range []struct {
		f    sim.Fault
		want error
	}{
		{sim.Fault{Status: 503}, dayone.ErrUnavailable},
		{sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "0"}}, dayone.ErrThrottled},
		{sim.Fault{Status: 401, Body: `{"error":"unauthorized"}`}, dayone.ErrAuth},
		{sim.Fault{Drop: true, Times: -1}, dayone.ErrUnavailable},
		{sim.Fault{Status: 200, Body: `{"employee_id": `}, dayone.ErrUnavailable},
		{sim.Fault{Status: 200, Body: `{"employee_id": "emp_1"}`}, dayone.ErrInvalid},
		{sim.Fault{Status: 200, Body: `[]`}, dayone.ErrInvalid},
	} {
		s.Door().Inject(c.f)
		if _, err := src.Read(t.Context(), "emp_789"); !errors.Is(err, c.want) {
			t.Errorf("%+v says %v, want %v", c.f, err, c.want)
		}
		s.Door().Heal()
	}
}

func TestEverybody(t *testing.T) {
	s, src := hr(t, sim.Options{Page: 5})
	n, salaries := 0, 0
	for e, err := range src.Everybody(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if _, has := e.Fields["salary"]; has || e.Fields["email"].Text == "" {
			salaries++
		}
	}
	if n != 12 || salaries > 0 {
		t.Errorf("%d people, %d of them with a salary", n, salaries)
	}
	if got := len(s.Door().Requests()); got != 3 {
		t.Errorf("%d requests for three pages", got)
	}
	for range src.Everybody(t.Context()) {
		break // a reader may stop early
	}

	// a record without a number is told, and the others follow
	s.Put(map[string]any{"email": "nobody@company.com"})
	s.Put(map[string]any{"employee_id": "emp_999"})
	last, bad := "", 0
	for e, err := range src.Everybody(t.Context()) {
		if err != nil {
			bad++
		}
		last = e.Subject
	}
	if bad != 1 || last != "emp_999" {
		t.Errorf("%d bad records, the last is %q", bad, last)
	}
	for body, want := range map[string]error{`{"employees":[],"next_page":1}`: dayone.ErrInvalid, `{"data":[]}`: dayone.ErrInvalid, `{"employees":[],"next_page":"x"}`: dayone.ErrInvalid} {
		s.Door().Inject(sim.Fault{Status: 200, Body: body})
		rounds := 0
		for _, err := range src.Everybody(t.Context()) {
			if rounds++; !errors.Is(err, want) || rounds > 1 {
				t.Errorf("%s says %v", body, err)
			}
		}
	}
}

// What the simulator sends is what the source takes: every change, and bytes as they are.
func TestSimulatorSends(t *testing.T) {
	s, src := hr(t, sim.Options{})
	var mu sync.Mutex
	var got []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err := src.Verify(r.Header, body, friday); err != nil {
			w.WriteHeader(401)
			return
		}
		events, err := src.Parse(body)
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			got = append(got, fmt.Sprintf("%s %s %s", e.SourceID, e.Type, e.Subject))
		}
		w.WriteHeader(202)
	}))
	defer hook.Close()
	s.Subscribe(hook.Client(), hook.URL)
	s.Put(map[string]any{"employee_id": "emp_800", "email": "a@company.com"})
	s.Wait()
	s.Put(map[string]any{"employee_id": "emp_800", "email": "a@company.com", "level": 2})
	s.Wait()
	s.Put(map[string]any{"employee_id": "emp_800", "email": "a@company.com", "end_date": "2024-12-31"})
	s.Wait()
	s.Remove("emp_800")
	s.Wait()
	want := []string{"evt_000001 hired emp_800", "evt_000002 updated emp_800", "evt_000003 terminated emp_800", "evt_000004 updated emp_800"}
	if !slices.Equal(got, want) {
		t.Errorf("the webhooks said %q", got)
	}
	body, _ := os.ReadFile("testdata/event-sarah.json")
	if status, err := s.Post(t.Context(), hook.Client(), hook.URL, body); err != nil || status != 202 || got[4] != "evt_abc123 hired emp_789" {
		t.Errorf("%d %v %q", status, err, got)
	}
}

// signature is made here once more, independently of the source.
func signature(t *testing.T, settings map[string]string, stamp string, body []byte) string {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(settings["secret"]))
	if settings["signed"] == "timestamp.body" {
		mac.Write([]byte(stamp + "."))
	}
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
