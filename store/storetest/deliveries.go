package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What one webhook was told is listed, and sent once more as the same; another way's letters are not among it.
func deliveries(t *testing.T, d *store.DB) {
	ctx := t.Context()
	one := dayone.Letter{Once: "msg_1", Via: "webhook:a", Kind: "run.ready", About: "run_1", Body: "{}", Made: at}
	for _, l := range []dayone.Letter{one, one, {Once: "ltr_1", Via: "webhook", Kind: "alert.opened", Body: "{}", Made: at}} {
		if err := d.SaveAlerts(ctx, nil, []dayone.Letter{l}); err != nil {
			t.Fatal(err)
		}
	}
	lines := atCommits(t, d, func() error {
		test := dayone.Letter{Once: "msg_2", Via: "webhook:a", Kind: "webhook.test", Body: "{}", Made: at.Add(time.Minute), Error: "no"}
		return d.KeepSent(ctx, test, at.Add(time.Minute), dayone.Record{At: at, What: "webhook tested", By: "kim"})
	})
	if !slices.Equal(lines, []int64{1}) {
		t.Errorf("after each commit of a test the ledger has %v lines", lines)
	}
	if err := d.SentLetter(ctx, "msg_1", "", at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	got := must[[]dayone.Letter](t)(d.Letters(ctx, "webhook:a", 10))
	if len(got) != 2 || got[0].Once != "msg_2" || got[0].Error != "no" || got[0].Sent.IsZero() || !got[1].Sent.Equal(at.Add(time.Second)) {
		t.Fatalf("listed are %+v", got)
	}
	if due := must[[]dayone.Letter](t)(d.DueLetters(ctx, "webhook:a", at.Add(time.Hour), 10)); len(due) != 0 {
		t.Errorf("due are %+v", due)
	}
	if err := d.LetterAgain(ctx, "msg_1", "webhook:a", at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if due := must[[]dayone.Letter](t)(d.DueLetters(ctx, "webhook:a", at.Add(time.Hour), 10)); len(due) != 1 || due[0].Once != "msg_1" {
		t.Errorf("due are %+v", due)
	}
	for _, x := range [][2]string{{"ltr_1", "webhook:a"}, {"msg_1", "webhook:b"}, {"msg_9", "webhook:a"}} {
		if err := d.LetterAgain(ctx, x[0], x[1], at); !errors.Is(err, dayone.ErrNotFound) {
			t.Errorf("%v: %v", x, err)
		}
	}
}
