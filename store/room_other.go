//go:build !linux && !darwin

package store

import "github.com/dayone-hq/dayone"

func room(string) (free, total uint64, err error) { return 0, 0, dayone.ErrUnsupported }
