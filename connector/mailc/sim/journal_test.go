package sim_test

import (
	"net/smtp"
	"os"
	"path/filepath"
	"testing"

	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// A mailbox that is kept has its mails again after a start, and takes further ones; one that was cut while it was written was
// never accepted.
func TestAKeptMailboxHasItsMailsAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mail.journal")
	for i, subject := range []string{"Welcome", "Your manager", "A summary"} {
		s := mailsim.New(sim.Options{})
		s.TLS, s.Open = "none", true
		if err := s.Journal(file); err != nil {
			t.Fatal(err)
		}
		if got := s.Messages(); len(got) != i {
			t.Fatalf("start %d finds %d mails", i+1, len(got))
		}
		addr, err := s.Listen()
		if err != nil {
			t.Fatal(err)
		}
		mail := "From: <a@company.com>\r\nTo: <b@company.com>\r\nDate: Fri, 22 Nov 2024 15:01:00 +0000\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject[:1] + "@company.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
		if err := smtp.SendMail(addr, nil, "a@company.com", []string{"b@company.com"}, []byte(mail)); err != nil {
			t.Fatal(err)
		}
		if got := s.Messages(); len(got) != i+1 || got[0].Subject != "Welcome" || got[0].Text != "Hello.\n" || got[i].Subject != subject {
			t.Errorf("after start %d it has %+v", i+1, got)
		}
		s.Close()
		if i == 1 {
			f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(`{"id":"cut`); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
