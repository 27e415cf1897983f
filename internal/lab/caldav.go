package lab

import (
	"os"
	"path/filepath"
	"testing"
)

// CalDAVServer is a Radicale with one user, who has no calendar yet.
type CalDAVServer struct {
	URL      string // of the user's home, with a slash at the end
	User     string
	Password string
}

// CalDAV starts one.
func CalDAV(t testing.TB) *CalDAVServer {
	t.Helper()
	need(t, "radicale")
	dir, port := folder(t), ports(t, 1)
	s := &CalDAVServer{URL: "http://127.0.0.1:" + port[0] + "/it/", User: "it", Password: "lab-password"}
	if err := os.Mkdir(filepath.Join(dir, "collections"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "users"), s.User+":"+s.Password+"\n")
	write(t, filepath.Join(dir, "config"), radicaleConf, "@DIR@", dir, "@PORT@", port[0])
	start(t, port, nil, "radicale", "-C", filepath.Join(dir, "config"))
	return s
}

const radicaleConf = `[server]
hosts = 127.0.0.1:@PORT@
[auth]
type = htpasswd
htpasswd_filename = @DIR@/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = @DIR@/collections
`
