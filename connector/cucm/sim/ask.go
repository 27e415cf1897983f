package sim

import (
	"bytes"
	"net/http"
	"strings"
)

// answer keeps what a handler answers.
type answer struct {
	bytes.Buffer
	head http.Header
	code int
}

func (a *answer) Header() http.Header { return a.head }
func (a *answer) WriteHeader(c int)   { a.code = c }

// Ask sends a request as another client of the cluster does, and returns the answer: what stands in the operation's element is
// given as it is written. An answer that is cut is empty.
func (s *Sim) Ask(op, content string) (out string) {
	r, err := http.NewRequest("POST", "/axl/", strings.NewReader(`<e:Envelope xmlns:e="`+envelopeSpace+`" xmlns:axl="http://www.cisco.com/AXL/API/14.0"><e:Body><axl:`+op+">"+content+"</axl:"+op+"></e:Body></e:Envelope>"))
	if err != nil {
		return err.Error()
	}
	s.mu.Lock()
	r.SetBasicAuth(operator, s.password)
	s.mu.Unlock()
	r.Header.Set("SOAPAction", `"CUCM:DB ver=14.0 `+op+`"`)
	a := &answer{head: http.Header{}}
	defer func() {
		if cut := recover(); cut != nil && cut != http.ErrAbortHandler { //nolint:errorlint // it is thrown as it is
			panic(cut)
		}
	}()
	s.ServeHTTP(a, r)
	return a.String()
}

// OpensBy says whether a PIN is right, as somebody's own telephone asks: a wrong one counts.
func (s *Sim) OpensBy(user, pin string) bool {
	return strings.Contains(s.Ask("doAuthenticateUser", "<userid>"+user+"</userid><pin>"+pin+"</pin>"), "<userAuthenticated>true")
}
