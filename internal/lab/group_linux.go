package lab

import "syscall"

// ownGroup lets a server and its children be killed together, and nobody else with them.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
