package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

func (s *Sim) changed(u *user) {
	s.seq++
	u.changed = s.seq
}

// Forget makes every mark that was given so far too old.
func (s *Sim) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest = s.seq + 1
	s.seq++
}

// deltaMark begins the tokens of links to what changed since; pageMark those of links to the next page of it.
const deltaMark, pageMark = "R0usmci39O", "R0usmcPage"

// delta tells who changed since a token, a page at a time, and where to ask the next time. It expands nothing, and filters by
// ids alone, which is not done here.
func (s *Sim) delta(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name := range q {
		if !slices.Contains([]string{"$select", "$deltatoken", "$skiptoken"}, name) {
			fail(w, 400, "Request_UnsupportedQuery", "The query specified in the URI is not supported: "+name+" and delta.")
			return
		}
	}
	link := func(option, token string) string {
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: url.Values{option: {token}, "$select": {q.Get("$select")}}.Encode()}
		return next.String()
	}
	body := map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users", "value": []map[string]any{}}
	if q.Get("$deltatoken") == "latest" {
		body["@odata.deltaLink"] = link("$deltatoken", deltaMark+strconv.Itoa(s.seq))
		sim.JSON(w, 200, body)
		return
	}
	since, until := 0, s.seq
	if t := q.Get("$deltatoken"); t != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(t, deltaMark))
		switch {
		case err != nil || !strings.HasPrefix(t, deltaMark):
			fail(w, 400, "Request_BadRequest", "Badly formed token.")
			return
		case n < s.oldest:
			fail(w, 410, "syncStateNotFound", "Sync state generation not found.")
			return
		}
		since = n
	}
	if t := q.Get("$skiptoken"); t != "" {
		if n, _ := fmt.Sscanf(t, pageMark+"%d-%d", &since, &until); n != 2 {
			fail(w, 400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
			return
		}
	}
	type change struct {
		at int
		is map[string]any
	}
	var all []change
	for _, u := range s.users {
		if u.changed > since && u.changed <= until {
			all = append(all, change{u.changed, s.view(r, u)})
		}
	}
	for id, at := range s.left {
		if at > since && at <= until {
			all = append(all, change{at, map[string]any{"id": id, "@removed": map[string]any{"reason": "changed"}}})
		}
	}
	slices.SortFunc(all, func(a, b change) int { return a.at - b.at })
	some := all[:min(len(all), s.opt.PageSize())]
	value := []map[string]any{}
	for _, c := range some {
		value = append(value, c.is)
	}
	body["value"] = value
	if len(some) < len(all) {
		body["@odata.nextLink"] = link("$skiptoken", fmt.Sprintf("%s%d-%d", pageMark, some[len(some)-1].at, until))
	} else {
		body["@odata.deltaLink"] = link("$deltatoken", deltaMark+strconv.Itoa(until))
	}
	sim.JSON(w, 200, body)
}

// batch carries out up to twenty calls, each with an answer of its own, and gives the answers in another order.
func (s *Sim) batch(mux http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Requests []struct {
				ID, Method, URL string
				Body            json.RawMessage
			}
		}
		if sim.Read(r, &in) != nil || len(in.Requests) == 0 || len(in.Requests) > 20 {
			fail(w, 400, "BadRequest", "Invalid batch payload format.")
			return
		}
		s.mu.Unlock() // each call takes it
		defer s.mu.Lock()
		responses := []map[string]any{}
		for _, q := range slices.Backward(in.Requests) {
			one, err := http.NewRequestWithContext(r.Context(), q.Method, "http://"+r.Host+root+q.URL, bytes.NewReader(q.Body))
			if err != nil {
				fail(w, 400, "BadRequest", "Invalid URL.")
				return
			}
			one.Header.Set("Authorization", r.Header.Get("Authorization"))
			one.Host = r.Host
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, one)
			responses = append(responses, map[string]any{
				"id": q.ID, "status": rec.Code, "headers": map[string]string{"Content-Type": "application/json"}, "body": json.RawMessage(orNull(rec.Body.Bytes())),
			})
		}
		sim.JSON(w, 200, map[string]any{"responses": responses})
	}
}

func orNull(b []byte) []byte {
	if len(bytes.TrimSpace(b)) == 0 {
		return []byte("null")
	}
	return b
}

var searched = regexp.MustCompile(`^"(displayName|mail|userPrincipalName|givenName|surname):([^"\\]+)"$`)

// search reads "displayName:text" OR "mail:text": names by the beginnings of their words, addresses by their beginning.
func search(text string) (func(*user) bool, error) {
	if text == "" {
		return func(*user) bool { return true }, nil
	}
	var terms [][]string
	for _, t := range strings.Split(text, `" OR "`) { // what stands in quotes is text
		m := searched.FindStringSubmatch(`"` + strings.Trim(t, `"`) + `"`)
		if m == nil {
			return nil, fmt.Errorf("character is not valid in %q", t)
		}
		terms = append(terms, m[1:])
	}
	return func(u *user) bool {
		return slices.ContainsFunc(terms, func(t []string) bool {
			is, want := strings.ToLower(u.text(t[0])), strings.ToLower(t[1])
			if t[0] == "mail" || t[0] == "userPrincipalName" {
				return strings.HasPrefix(is, want)
			}
			words := strings.Fields(is)
			return !slices.ContainsFunc(strings.Fields(want), func(w string) bool {
				return !slices.ContainsFunc(words, func(x string) bool { return strings.HasPrefix(x, w) })
			})
		})
	}, nil
}
