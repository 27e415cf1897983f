package unity_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// raw sends what the connector never does.
func (b *server) raw(method, path, body string) int {
	b.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	set := b.Sim.Settings("")
	r.SetBasicAuth(set["user"], set["password"])
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.Sim.ServeHTTP(w, r)
	_, _ = io.Copy(io.Discard, w.Body) // its words are nobody's here
	return w.Code
}

// TestTheJudge: each thing that a careful connector never does fails the test that does it, and what it may do fails none.
func TestTheJudge(t *testing.T) {
	t.Parallel()
	user := func(id string) string { return "/vmrest/users/" + id }
	for name, c := range map[string]struct {
		do   func(b *server, hers, others string)
		want string // "": nothing is wrong
	}{
		"her own":          {func(b *server, hers, _ string) { b.raw("PUT", user(hers), `{"DisplayName":"x"}`) }, ""},
		"her own, deleted": {func(b *server, hers, _ string) { b.raw("DELETE", user(hers), "") }, ""},
		"what it made": {func(b *server, _, _ string) {
			made := b.Do(b.hire(dayone.Active))
			b.Do(b.change(made.Now.Ref, dayone.Attrs{"title": dayone.Text("Lead")}))
		}, ""},
		"a refused write":       {func(b *server, _, others string) { b.raw("PUT", user(others), `{"DtmfAccessId":"two"}`) }, ""},
		"a colleague's":         {func(b *server, _, others string) { b.raw("PUT", user(others), `{"DisplayName":"x"}`) }, "which is of [mboss]"},
		"a colleague's PIN":     {func(b *server, _, others string) { b.raw("PUT", user(others)+"/credential/pin", `{"Locked":"true"}`) }, "which is of [mboss]"},
		"a colleague's, listed": {func(b *server, _, others string) { b.raw("POST", listed(b), `{"MemberUserObjectId":"`+others+`"}`) }, "which is of [mboss]"},
		"a colleague, deleted":  {func(b *server, _, _ string) { b.raw("DELETE", user(idOf(b, "local")), "") }, "which is of [local]"},
		"a handler":             {func(b *server, _, _ string) { b.raw("PUT", "/vmrest/handlers/callhandlers/x", `{"DisplayName":"x"}`) }, "PUT of /vmrest/handlers/callhandlers/x was sent"},
		"a list itself":         {func(b *server, _, _ string) { b.raw("DELETE", "/vmrest/distributionlists/x", "") }, "DELETE of /vmrest/distributionlists/x was sent"},
		"forced":                {func(b *server, hers, _ string) { b.raw("DELETE", user(hers)+"?force=true", "") }, "was forced"},
		"forced by its body":    {func(b *server, hers, _ string) { b.raw("DELETE", user(hers), `{"Force":"true"}`) }, "was forced"},
		"with its messages": {func(b *server, hers, _ string) {
			b.Sim.Message("hhunt")
			b.raw("DELETE", user(hers), "")
		}, "destroyed 1 messages"},
		"two at once": {func(b *server, hers, _ string) {
			b.Sim.Door().SetLatency(20 * time.Millisecond)
			done := make(chan int)
			for range 2 {
				go func() { done <- b.raw("PUT", user(hers), `{"DisplayName":"x"}`) }()
			}
			<-done
			<-done
		}, "2 wrote at the same time"},
		"a PIN in an address": {func(b *server, hers, _ string) { b.raw("GET", user(hers)+"?pin=8321046", "") }, "has a secret in its address"},
		"a password in an address": {func(b *server, _, _ string) {
			b.raw("GET", "/vmrest/users?p="+url.QueryEscape("sim-cupi-password"), "")
		}, "has a secret in its address"},
		"a PIN in an error": {func(b *server, _, _ string) {
			b.hear(&dayone.Fault{Err: dayone.ErrInvalid, Detail: "the PIN 8321046 is refused"})
		}, "a secret stands in"},
		"a password in an error": {func(b *server, _, _ string) { b.hear(errors.New("Own.Choice-2104 is too short")) }, "a secret stands in"},
		"a PIN in a result": {func(b *server, _, _ string) {
			b.hear(dayone.Result{Now: &dayone.Item{Attrs: dayone.Attrs{"pin": dayone.Text("8321046")}}})
		}, "a secret stands in"},
		"a PIN that was refused": {func(b *server, hers, _ string) {
			b.opens(hers, "pin", "11112222")
			b.hear(errors.New("not 11112222"))
		}, "a secret stands in"},
		"digits that are none": {func(b *server, _, _ string) { b.hear(errors.New("at 183210467")) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := stage(t)
			c.do(b, b.ref("hhunt"), idOf(b, "mboss"))
			got := strings.Join(b.breaches(), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("it is judged %q, want %q", got, c.want)
			}
		})
	}
}

// idOf is the id of somebody whose run it is not.
func idOf(b *server, login string) string {
	for _, a := range b.Sim.Accounts() {
		if a.Login == login {
			return a.Ref
		}
	}
	b.Fatalf("there is no %s", login)
	return ""
}

func listed(b *server) string {
	for name, row := range b.Sim.Snapshot() {
		if at, ok := strings.CutPrefix(name, "distributionlists "); ok && strings.Contains(row, "Alias:sales") {
			return "/vmrest/distributionlists/" + at + "/distributionlistmembers"
		}
	}
	b.Fatal("there is no list")
	return ""
}
