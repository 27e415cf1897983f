package lab

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Node runs a script of Node.js until the test ends, with the modules that `make lab` put into $DAYONE_LAB/NAME, and returns
// the rest of the line with which it says that it is ready. The script ends when its input does, with the test or with a test process that
// died.
func Node(t testing.TB, name, module, script, ready string, env ...string) string {
	t.Helper()
	dir := filepath.Join(os.Getenv("DAYONE_LAB"), name)
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(dir, "node_modules", module)); err != nil || missing != nil {
		t.Skipf("there is no node, or no %s in $DAYONE_LAB/%s/node_modules: `make lab` gets it", module, name)
	}
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "--input-type=module", "--eval", string(text))
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...) // what is evaluated looks for its modules in dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), ready); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // else it would wait until somebody reads
			return rest
		}
	}
	t.Fatalf("%s ended before it was ready", module)
	return ""
}

// Port is a free one of this machine, for a server that has to know it beforehand.
func Port(t testing.TB) string { return ports(t, 1)[0] }
