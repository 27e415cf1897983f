package lab_test

import (
	"net/http"
	"net/smtp"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/internal/lab"
)

func TestMail(t *testing.T) {
	t.Parallel()
	m := lab.Mail(t)
	c, err := smtp.Dial(m.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); !ok {
		t.Error("no STARTTLS")
	}
	if ok, _ := c.Extension("AUTH"); ok {
		t.Error("a login is offered in the clear")
	}
	if err := c.Mail("x@" + m.Domain); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("ada@" + m.Domain); err == nil || !strings.HasPrefix(err.Error(), "554") {
		t.Errorf("mail without a login says %v", err)
	}
}

func TestCalDAV(t *testing.T) {
	t.Parallel()
	s := lab.CalDAV(t)
	for password, want := range map[string]int{s.Password: http.StatusCreated, "wrong": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), "MKCALENDAR", s.URL+"cal/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(s.User, password)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("MKCALENDAR says %d, want %d", resp.StatusCode, want)
		}
	}
}
