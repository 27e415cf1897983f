package web

import "testing"

// A run that was cancelled takes no retry, so its page offers none and waits for nobody: what goes on from there is a resumption.
func TestACancelledRunOffersNoRetry(t *testing.T) {
	t.Parallel()
	page := plainWords(pageOf(t, "run-cancelled"))
	readsNot(t, "a run that was cancelled", page, "Retry", "Needs you", "Need you 1")
	reads(t, "a run that was cancelled", page, "Resume", "Given up", "7 given up")
	reads(t, "a run that ended incomplete", plainWords(pageOf(t, "run-incomplete")), "Retry")
}
