package storetest

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// cluster is one PostgreSQL server for all tests of a process.
type cluster struct {
	url string // of the database postgres
	dir string
	cmd *exec.Cmd
}

var (
	start = sync.OnceValues(func() (*cluster, error) {
		c, err := startPostgres()
		running.Store(c)
		return c, err
	})
	running atomic.Pointer[cluster]
	next    atomic.Int64
)

// Main runs a package's tests and stops the PostgreSQL server that they may have started. Call it from TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	if c := running.Load(); c != nil {
		c.stop()
	}
	return code
}

// Postgres makes an empty database on a real PostgreSQL server and returns its address. $DAYONE_TEST_POSTGRES names a
// server that is there already (its URL, with the right to create databases); else one is started from the programs of
// the package postgresql. The package's TestMain must call Main.
func Postgres(t testing.TB) string {
	t.Helper()
	admin := os.Getenv("DAYONE_TEST_POSTGRES")
	if admin == "" {
		c, err := start()
		if err != nil {
			t.Skipf("no PostgreSQL: %v; install it with make setup, or name one in DAYONE_TEST_POSTGRES", err)
		}
		admin = c.url
	}
	name := fmt.Sprintf("dayone_%d_%d", os.Getpid(), next.Add(1))
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if db, err := sql.Open("pgx", admin); err == nil {
			_, _ = db.Exec("DROP DATABASE " + name + " WITH (FORCE)")
			_ = db.Close()
		}
	})
	head, query, _ := strings.Cut(admin, "?")
	i := strings.LastIndexByte(head, '/')
	out := head[:i+1] + name
	if query != "" {
		out += "?" + query
	}
	return out
}

// startPostgres makes a cluster in a folder of its own. PostgreSQL refuses to run as root, so it runs as its own user.
func startPostgres() (*cluster, error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		bins = append(bins, path)
	}
	if len(bins) == 0 {
		return nil, fmt.Errorf("initdb is not here")
	}
	slices.Sort(bins)
	bin := filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "dayone-pg")
	if err != nil {
		return nil, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, fmt.Errorf("running as root, and there is no user postgres")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	data := filepath.Join(dir, "data")
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	init.SysProcAttr, init.Dir = attr, dir
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories="+dir, "-c", "max_connections=200", "-c", "shared_buffers=64MB")
	if bench := flag.Lookup("test.bench"); bench == nil || bench.Value.String() == "" {
		cmd.Args = append(cmd.Args, "-c", "fsync=off") // tests kill the server, never the machine; what is measured is durable
	}
	cmd.SysProcAttr, cmd.Stdout, cmd.Stderr, cmd.Dir = attr, log, log, dir
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &cluster{fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port), dir, cmd}
	return c, c.await()
}

// Server is a PostgreSQL server of a test's own, which it may stop and start.
type Server struct {
	t testing.TB
	*cluster
}

// OwnServer starts one, with an empty database, and stops it with the test.
func OwnServer(t testing.TB) *Server {
	t.Helper()
	c, err := startPostgres()
	if err != nil {
		t.Skipf("no PostgreSQL of its own: %v; install it with make setup", err)
	}
	s := &Server{t, c}
	t.Cleanup(s.stop)
	return s
}

// URL of its database.
func (s *Server) URL() string { return s.url }

// Stop ends it as a power cut does.
func (s *Server) Stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	_ = s.cmd.Wait()
}

// Start brings it back, on the same port.
func (s *Server) Start() {
	s.t.Helper()
	again := exec.Command(s.cmd.Path, s.cmd.Args[1:]...)
	again.SysProcAttr, again.Stdout, again.Stderr, again.Dir = s.cmd.SysProcAttr, s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir
	s.cmd = again
	err := again.Start()
	if err == nil {
		err = s.await()
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (c *cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", c.url)
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if db.PingContext(ctx) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("postgres does not answer: %s", log)
		case <-tick.C:
		}
	}
}

func (c *cluster) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGQUIT)
	_ = c.cmd.Wait()
	_ = os.RemoveAll(c.dir)
}
