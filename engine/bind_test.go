package engine

import (
	"strconv"
	"testing"

	"github.com/dayone-hq/dayone"
)

// Two calls of one attempt have one log, which is no longer than that of one.
func TestTheRequestsOfTwoCallsAreBounded(t *testing.T) {
	t.Parallel()
	requests := func(from, n int) (out []dayone.Call) {
		for i := range n {
			out = append(out, dayone.Call{Path: strconv.Itoa(from + i)})
		}
		return out
	}
	calls, left := joined(dayone.Result{Calls: requests(0, 2)}, dayone.Result{Calls: requests(2, 3)})
	if len(calls) != 5 || left != 0 {
		t.Errorf("%d and %d left", len(calls), left)
	}
	calls, left = joined(dayone.Result{Calls: requests(0, 40), Left: 7}, dayone.Result{Calls: requests(100, 30), Left: 2})
	if len(calls) != dayone.CallsKept || left != 39 || calls[0].Path != "0" || calls[len(calls)-1].Path != "129" {
		t.Errorf("%d and %d left: %v", len(calls), left, calls)
	}
}
