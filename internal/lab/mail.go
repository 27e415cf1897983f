package lab

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// MailServer is a Postfix that delivers to a Dovecot. Everybody in Domain has a mailbox and the same password; mail to
// other domains is refused.
type MailServer struct {
	SMTP     string // host:port of the submission: STARTTLS, and a login before any mail
	IMAP     string // host:port, encrypted from the start
	CA       string // PEM of the authority that signed the certificate of both
	Domain   string
	Password string

	t testing.TB
}

// Mail starts one.
func Mail(t testing.TB) *MailServer {
	t.Helper()
	const postfix, dovecot = "/usr/lib/postfix/sbin/master", "/usr/sbin/dovecot"
	need(t, postfix, dovecot, "/usr/lib/dovecot/lmtp")
	dir, p := folder(t), ports(t, 3)
	m := &MailServer{SMTP: "127.0.0.1:" + p[0], IMAP: "127.0.0.1:" + p[1], Domain: "corp.test", Password: "lab-password", t: t}
	for d, owner := range map[string]string{"dovecot/mail": "mail", "dovecot/run": "root", "postfix/etc": "root", "postfix/data": "postfix", "postfix/queue/pid": "root"} {
		folderOf(t, owner, filepath.Join(dir, d))
	}
	for _, d := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "public", "saved", "trace"} {
		folderOf(t, "postfix", filepath.Join(dir, "postfix/queue", d)) // `postfix check` would, but it sleeps
	}
	ca, cert, key := authority(t)
	m.CA = ca
	write(t, filepath.Join(dir, "tls.crt"), cert)
	if err := os.WriteFile(filepath.Join(dir, "tls.key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	with := []string{"@DIR@", dir, "@SMTP@", p[0], "@IMAPS@", p[1], "@LMTP@", p[2], "@DOMAIN@", m.Domain, "@PASSWORD@", m.Password, "@TMP@", os.TempDir()}
	write(t, filepath.Join(dir, "dovecot/dovecot.conf"), dovecotConf, with...)
	write(t, filepath.Join(dir, "postfix/etc/main.cf"), mainCF, with...)
	write(t, filepath.Join(dir, "postfix/etc/master.cf"), masterCF, with...)
	start(t, p[1:], []string{filepath.Join(dir, "dovecot/log")}, dovecot, "-F", "-c", filepath.Join(dir, "dovecot/dovecot.conf"))
	start(t, p[:1], []string{filepath.Join(dir, "postfix/log")}, postfix, "-c", filepath.Join(dir, "postfix/etc"), "-d")
	return m
}

// folderOf makes a folder that belongs to a server's user.
func folderOf(t testing.TB, name, path string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
}

// Settings of a connector that sends as this user.
func (m *MailServer) Settings(user string) map[string]string {
	host, port, _ := net.SplitHostPort(m.SMTP)
	who := user + "@" + m.Domain
	return map[string]string{"host": host, "port": port, "tls": "starttls", "ca": m.CA, "user": who, "password": m.Password, "from": who}
}

// Read waits for the message with this Message-ID, written without brackets, in a user's mailbox and returns it as it lies there.
func (m *MailServer) Read(t testing.TB, user, id string) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(m.CA))
	late := time.Now().Add(patience)
	conn, err := tls.Dial("tcp", m.IMAP, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(late)
	c := &imap{t: t, conn: conn, r: bufio.NewReader(conn)}
	c.line() // greeting
	c.do("LOGIN %s@%s %s", user, m.Domain, m.Password)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		c.do("SELECT INBOX")
		found, _ := c.do(`SEARCH HEADER Message-ID "<%s>"`, id)
		for _, line := range found {
			if numbers, ok := strings.CutPrefix(line, "* SEARCH "); ok {
				_, raw := c.do("FETCH %s BODY.PEEK[]", strings.Fields(numbers)[0])
				return raw
			}
		}
		if time.Now().After(late) {
			t.Fatalf("%s did not get <%s>", user, id)
		}
		<-again.C
	}
}

// imap is as much of RFC 3501 as reading one message takes.
type imap struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (c *imap) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("reading the mailbox: %v", err)
	}
	return strings.TrimRight(line, "\r\n")
}

// do sends a command and returns the lines of its answer, and the literal in it.
func (c *imap) do(format string, args ...any) (lines []string, literal string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, "a "+format+"\r\n", args...); err != nil {
		c.t.Fatalf("reading the mailbox: %v", err)
	}
	for {
		line := c.line()
		if end, ok := strings.CutPrefix(line, "a "); ok {
			if !strings.HasPrefix(end, "OK") {
				c.t.Fatalf("reading the mailbox: %s", end)
			}
			return lines, literal
		}
		lines = append(lines, line)
		if size, ok := strings.CutSuffix(line[strings.LastIndexByte(line, '{')+1:], "}"); ok {
			n, err := strconv.Atoi(size)
			b := make([]byte, max(n, 0))
			if err == nil {
				_, err = io.ReadFull(c.r, b)
			}
			if err != nil {
				c.t.Fatalf("reading the mailbox: %v", err)
			}
			literal = string(b)
		}
	}
}

const dovecotConf = `base_dir = @DIR@/dovecot/run
state_dir = @DIR@/dovecot/run
instance_name = lab
log_path = @DIR@/dovecot/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <@DIR@/tls.crt
ssl_key = <@DIR@/tls.key
mail_location = maildir:@DIR@/dovecot/mail/%u
first_valid_uid = 1
auth_mechanisms = plain login
auth_failure_delay = 0 secs
passdb {
  driver = static
  args = password=@PASSWORD@
}
userdb {
  driver = static
  args = uid=mail gid=mail home=@DIR@/dovecot/mail/%u allow_all_users=yes
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = @LMTP@
  }
}
service auth {
  unix_listener auth-postfix {
    mode = 0666
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
namespace inbox {
  inbox = yes
}
`

const mainCF = `compatibility_level = 3.6
queue_directory = @DIR@/postfix/queue
data_directory = @DIR@/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = postfix-lab
multi_instance_enable = yes
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.@DOMAIN@
mydestination =
virtual_mailbox_domains = @DOMAIN@
virtual_transport = lmtp:inet:127.0.0.1:@LMTP@
default_transport = error:no outside mail in tests
maillog_file = @DIR@/postfix/log
maillog_file_prefixes = @TMP@
smtpd_tls_cert_file = @DIR@/tls.crt
smtpd_tls_key_file = @DIR@/tls.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_error_sleep_time = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = @DIR@/dovecot/run/auth-postfix
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
alias_maps =
alias_database =
`

const masterCF = `@SMTP@  inet  n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
`
