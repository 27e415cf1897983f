//go:build !unix

package exec

import (
	"os/exec"
	"strconv"
)

// group sees to it that a program is ended with everything that it has started.
func group(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
		return cmd.Process.Kill()
	}
}

func end(*exec.Cmd) {}
