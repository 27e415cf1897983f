// Package lab starts real servers for tests: mail, calendars, directories, a database. Each runs on free ports of this machine only, from files of
// its own in a temporary folder, and ends with its test. It must not be imported but by tests, nor touch a configuration
// of the machine.
//
// A test whose server is not installed, or that may not start it, is skipped with a line that says how to get it.
package lab

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience with a server that starts, or with mail on its way, on a busy machine.
const patience = 30 * time.Second

// need skips the test unless it may start these programs.
func need(t testing.TB, programs ...string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("real servers are started on Linux only")
	}
	if os.Getuid() != 0 {
		t.Skipf("%s is not started: run this test as root, after `make setup`", programs[0])
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed: `make setup` gets it", p)
		}
	}
}

// folder is open to the servers' own users, unlike testing's.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dayone-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ports finds free ones. Another process may take one before the server does: then the server says so and the test fails.
func ports(t testing.TB, n int) []string {
	t.Helper()
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		out = append(out, port)
	}
	return out
}

// write puts a file there; old and new are as for strings.NewReplacer. It seems an hour old: Postfix waits until nobody
// can still be writing its configuration.
func write(t testing.TB, path, text string, oldNew ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.NewReplacer(oldNew...).Replace(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

// output of a process, read while it is written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// keeper runs a server until its own input ends, with the test or with a test process that died, then kills the whole
// group: there is nothing in it that is worth a farewell, and some servers take seconds for theirs.
const keeper = `{ "$@" </dev/null; kill -KILL 0; } & read -r _; kill -KILL 0`

// start runs a server until the test ends, or until what it returns kills it, and returns when it listens: on these ports, or
// addresses. logs are files of its own that are shown if it fails.
func start(t testing.TB, listens, logs []string, program string, args ...string) (kill func()) {
	t.Helper()
	said := &output{}
	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "sh", program}, args...)...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = said, said, ownGroup()
	cmd.WaitDelay = time.Second // a child that has left the group may keep the output open
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	kill = func() {
		_ = hold.Close()
		<-ended
	}
	t.Cleanup(kill)
	late := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for _, at := range listens {
		if !strings.Contains(at, ":") {
			at = "127.0.0.1:" + at
		}
		for {
			conn, err := net.DialTimeout("tcp", at, time.Second)
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-again.C:
				continue
			case <-ended:
			case <-late:
			}
			for _, l := range logs {
				text, _ := os.ReadFile(l)
				fmt.Fprintf(said, "%s: %s\n", l, text)
			}
			t.Fatalf("%s does not listen on %s: %v\n%s", program, at, err, said)
		}
	}
	return kill
}

// authority makes a certificate authority and, signed by it, what a server on this machine shows.
func authority(t testing.TB, at ...net.IP) (ca, cert, key string) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 7),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: append(at, net.IPv4(127, 0, 0, 1)), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	fail(err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	fail(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	fail(err)
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text("CERTIFICATE", rootDER), text("CERTIFICATE", leafDER), text("PRIVATE KEY", keyDER)
}
