package main

import (
	"context"
	"crypto/rand"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
)

// differs DATA makes a reading of Okta in the books of a demo that shows two things of Sarah otherwise: she is not in a group that a
// policy gives her, and is in one that nobody gave her.
func differs(ts *testscript.TestScript, _ bool, args []string) {
	ctx, data := context.Background(), ts.MkAbs(args[0])
	now, err := lastMoment(data)
	ts.Check(err)
	c := clock.NewMoved(now)
	cfg := &config{Database: "sqlite:" + filepath.Join(data, "dayone.db"), MasterKey: filepath.Join(data, "master.key")}
	_, db, err := openBooks(ctx, cfg, wiring{clock: c}, dayone.NewIDs(c.Now, rand.Reader))
	ts.Check(err)
	sarah, err := db.PersonByEmail(ctx, "sarah.chen@company.com")
	ts.Check(err)
	lost, more := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}, dayone.Key{System: "okta", Kind: "group", Name: "finance"}
	ts.Check(db.SaveDrift(ctx, "okta", c.Now(), []dayone.Drift{
		{ID: "drf_01jd9x0000000000000000000a", Person: sarah.ID, Key: lost, Kind: dayone.DriftMissing, Is: dayone.Item{Key: lost}, Was: string(dayone.Active), By: []string{"sales-team"}},
		{ID: "drf_01jd9x0000000000000000000b", Person: sarah.ID, Key: more, Kind: dayone.DriftExtra, Is: dayone.Item{Key: more, State: dayone.Active, Ref: "00g00000000000000009"}},
	}, nil))
	ts.Check(db.Close())
}
