package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// Nobody holds a connection by sending a byte now and then: a body has an end in time, and the connection with it.
func TestABodyThatDoesNotArriveIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken, func(o *web.Options, _ *flow.Deps) { o.BodyWithin = 50 * time.Millisecond })
	for _, path := range []string{"/hooks/hr", "/hooks/systems/okta", "/login", "/secret/x"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nt", path, strings.TrimPrefix(b.url, "http://"))
		from := bufio.NewReader(c)
		res, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if res.StatusCode != http.StatusRequestTimeout || !res.Close {
			t.Errorf("%s: %s, closed %v", path, res.Status, res.Close)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if _, err := from.ReadByte(); err == nil {
			t.Errorf("%s: the connection goes on", path)
		}
	}
}

// The end is that of the body, and not of the answer: that may take longer.
func TestAnAnswerMayTakeLongerThanItsBody(t *testing.T) {
	t.Parallel()
	b := newCompany(t, func(o *web.Options, _ *flow.Deps) { o.BodyWithin = 50 * time.Millisecond })
	release := b.any.hold()
	defer release()
	b.hireSarah()
	var run dayone.Run
	b.until("the run", func() bool {
		run = b.started("sarah.chen@company.com")
		return run.State == dayone.RunRunning
	})
	live := b.stream("/runs/" + string(run.ID) + "/events")
	began := time.Now()
	for time.Since(began) < time.Second { // pages of their own pass in between, on the same connections
		if _, ok := live(); !ok {
			t.Fatal("the live page ended")
		}
		b.page("/people")
	}
}

func TestLivePagesEndWhenTheServerStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	b := newCompany(t, func(o *web.Options, _ *flow.Deps) { o.Stopping = stopping })
	release := b.any.hold()
	defer release()
	b.hireSarah()
	var run dayone.Run
	b.until("the run", func() bool {
		run = b.started("sarah.chen@company.com")
		return run.State == dayone.RunRunning
	})
	page, data := b.stream("/runs/"+string(run.ID)+"/events"), b.stream("/api/v1/runs/"+string(run.ID)+"/events")
	close(stopping)
	for _, next := range []func() (frame, bool){page, data} {
		for more := true; more; { // until the server ends it
			_, more = next()
		}
	}
	b.page("/people") // all else is answered to the end
}

// Whoever has copied a cookie is out, too, when its owner signs out; other browsers stay in.
func TestASessionThatWasEndedIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	login := func() *http.Cookie {
		b.client.Jar, _ = cookiejar.New(nil)
		return b.post("/login", url.Values{"token": {token}}).Cookies()[0]
	}
	in := func(c *http.Cookie) bool {
		b.client.Jar, _ = cookiejar.New(nil)
		return b.get("/people", "Cookie", c.String()).StatusCode == http.StatusOK
	}
	other, mine := login(), login()
	if mine.Value == other.Value || !in(mine) || !in(other) {
		t.Fatal("two sessions are not two")
	}
	req, err := http.NewRequest(http.MethodPost, b.url+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(mine)
	b.do(req)
	if in(mine) {
		t.Error("a copied cookie outlives its session")
	}
	if !in(other) {
		t.Error("another browser was signed out, too")
	}
}

func TestNobodyIsSearchedForByATextWithoutEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	long := strings.Repeat("ä", 60_000/2)
	for path, says := range map[string]string{"/people": "Nobody has a name this long", "/find": "Nobody has a name this long", "/api/v1/people": "Nobody has a name this long", "/catalogue": "Nothing in the catalogue", "/api/v1/catalogue": "Nothing in the catalogue"} {
		if res := b.get(path + "?q=" + strings.Repeat("ä", 200)); res.StatusCode != http.StatusOK {
			t.Errorf("%s for a long name: %s", path, res.Status)
		}
		for _, q := range []string{strings.Repeat("ä", 201), long[:10_000]} {
			res := b.get(path + "?q=" + q)
			if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), says) {
				t.Errorf("%s for %d bytes: %s, %v, without %q", path, len(q), res.Status, err, says)
			}
		}
	}
}

// What is done cannot be retried or skipped, and a blank is no reason.
func TestAStepThatIsOverIsNotDecidedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, id := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	step := "/api/v1/runs/" + string(id) + "/steps/1"
	for verb, body := range map[string]string{"retry": `{}`, "skip": `{"reason":"she has it"}`} {
		b.api("POST", step+"/"+verb, body, http.StatusConflict, nil)
		if res := b.post(strings.TrimPrefix(step, "/api/v1")+"/"+verb, url.Values{"reason": {"she has it"}}); res.StatusCode != http.StatusConflict {
			t.Errorf("%s on the page: %s", verb, res.Status)
		}
	}
	b.api("POST", step+"/skip", `{"reason":" \t "}`, http.StatusBadRequest, nil)
}

// slowList is a source whose list takes longer than a server has for a page.
type slowList struct {
	connector.Source
	takes time.Duration
}

func (s slowList) Everybody(context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) {
		<-time.After(s.takes)
		yield(dayone.Event{}, dayone.ErrUnavailable)
	}
}

// What takes long is answered when it is done, however short the time is that a server has for pages.
func TestWhatTakesLongIsAnsweredAllTheSame(t *testing.T) {
	t.Parallel()
	const deadline = 50 * time.Millisecond
	b := newBench(t, func(_ *web.Options, d *flow.Deps) {
		src := d.Sources["hr"]
		src.Source = slowList{src.Source, 4 * deadline}
		d.Sources["hr"] = src
	})
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	srv.Config.Handler, srv.Config.WriteTimeout = web.New(b.flow, web.Options{Base: base, Open: true, Version: "test", Log: slog.New(slog.DiscardHandler)}), deadline
	srv.Start()
	defer srv.Close()
	for _, path := range []string{"/sources/hr/read", "/api/v1/sources/hr/read"} {
		req, err := http.NewRequest(http.MethodPost, base+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		res, err := b.client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if said, err := io.ReadAll(res.Body); err != nil || len(said) == 0 {
			t.Errorf("%s: %s, %q, %v", path, res.Status, said, err)
		}
		_ = res.Body.Close()
	}
}
