package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// MariaDBServer speaks MySQL's protocol, encrypted only. Its database is empty, and its user may do
// everything there, and in others that he makes and whose names begin like that.
type MariaDBServer struct {
	Host     string // host:port
	CA       string // PEM of the authority that signed its certificate
	Database string
	User     string
	Password string
}

// MariaDB starts one.
func MariaDB(t testing.TB) *MariaDBServer {
	t.Helper()
	const share = "/usr/share/mysql/"
	need(t, "mariadbd")
	dir, port := folder(t), ports(t, 1)
	s := &MariaDBServer{Host: "127.0.0.1:" + port[0], Database: "app", User: "lab", Password: "lab-password"}
	ca, cert, key := authority(t)
	s.CA = ca
	for name, text := range map[string]string{"ca.pem": ca, "tls.crt": cert, "tls.key": key} {
		write(t, filepath.Join(dir, name), text)
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(dir, "tmp") // a server that starts takes temporary tables of others out of the folder that all share
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	first := "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL, @skip_auth_anonymous = 1;\n" // each on a line of its own
	for _, name := range []string{"mysql_system_tables.sql", "mysql_system_tables_data.sql"} {
		raw, err := os.ReadFile(share + name)
		if err != nil {
			t.Fatal(err)
		}
		first += string(raw) + "\n"
	}
	first += "CREATE DATABASE app CHARACTER SET utf8mb4;\nFLUSH PRIVILEGES;\nCREATE USER lab@'%' IDENTIFIED BY 'lab-password';\nGRANT ALL ON `app%`.* TO lab@'%';\n"
	common := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + tmp, "--user=root", "--lc-messages-dir=" + share, "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"}
	making := exec.Command("mariadbd", append(common, "--bootstrap")...)
	making.Stdin = strings.NewReader(first)
	if out, err := making.CombinedOutput(); err != nil {
		t.Fatalf("making a database: %v\n%s", err, out)
	}
	start(t, port, nil, "mariadbd", append(common, "--port="+port[0], "--bind-address=127.0.0.1", "--socket="+filepath.Join(dir, "sock"), "--pid-file="+filepath.Join(dir, "pid"),
		"--skip-name-resolve", "--require-secure-transport=ON", "--ssl-ca="+filepath.Join(dir, "ca.pem"), "--ssl-cert="+filepath.Join(dir, "tls.crt"), "--ssl-key="+filepath.Join(dir, "tls.key"))...)
	return s
}
