package sheet_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sheet"
)

// TestMain makes this binary a writer that replaces a file again and again until it is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "write" {
		for i := 0; ; i++ {
			if err := sheet.Replace(os.Args[2], content(i), time.Time{}); err != nil {
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

// content is a file that says of itself whether it is whole.
func content(i int) []byte {
	line := []byte("id,n\n" + strconv.Itoa(i) + "," + strconv.Itoa(i) + "\n")
	return append(bytes.Repeat(line, 2000), "end\n"...)
}

// Whoever dies while a file is replaced leaves the one before or the new one, never half of one.
func TestAFileIsReplacedWholeThroughADeath(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "list.csv")
	for range 5 {
		cmd := exec.Command(self, "write", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(file)
		for deadline := time.Now().Add(10 * time.Second); ; {
			now, err := os.ReadFile(file)
			if err == nil && !bytes.Equal(now, before) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it never wrote")
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		raw, _, err := sheet.Load(file)
		if err != nil || !bytes.HasSuffix(raw, []byte("\nend\n")) || len(raw) < 2000*9 {
			t.Fatalf("it left %d bytes, %v", len(raw), err)
		}
	}
}

func TestLocksAreOnesOwn(t *testing.T) {
	t.Parallel()
	now := time.Now()
	lock := filepath.Join(t.TempDir(), "list.lock")
	free, err := sheet.Lock(lock, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	free()
	if _, err := os.Stat(lock); err == nil {
		t.Error("it was not given back")
	}
	host, _ := os.Hostname()
	for by, held := range map[string]bool{
		"nightly import\n": true, "dayone elsewhere 1\n": true, "dayone " + host + " 1\n": true, // somebody else's, another machine's, a process that lives
		"dayone " + host + " 1999999999\n": false, "dayone " + host + " " + strconv.Itoa(os.Getpid()) + "\n": false, // one that died, and an earlier life of ours
	} {
		if err := os.WriteFile(lock, []byte(by), 0o600); err != nil {
			t.Fatal(err)
		}
		free, err := sheet.Lock(lock, now, time.Hour)
		if held != errors.Is(err, dayone.ErrThrottled) {
			t.Errorf("%q says %v", by, err)
		}
		if err == nil {
			free()
		}
	}
	if _, err := sheet.Lock(filepath.Join(lock, "below", "a", "file"), now, time.Hour); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a folder that is not there says %v", err)
	}
}
