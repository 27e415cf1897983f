package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// phoneReading is a telephone system of some lines.
func phoneReading(lines int) *dayone.Platform {
	p := &dayone.Platform{
		Of: []dayone.PlatformKind{dayone.PlatformLines, dayone.PlatformUsers}, Users: []dayone.PlatformUser{{Login: "zmiller", FirstName: "Zoë", Email: "zoe@company.com"}},
		Patterns: []dayone.PlatformPattern{{Pattern: "21XX", Class: dayone.PatternRoute}}, Devices: []dayone.PlatformDevice{{Name: "SEP1", Space: "CSS"}},
		Mailboxes: []dayone.PlatformMailbox{{Alias: "zmiller", Needs: []string{"x"}}}, Reaches: []dayone.PlatformReach{{Number: "+49"}},
	}
	for i := range lines {
		p.Lines = append(p.Lines, dayone.PlatformLine{Pattern: fmt.Sprint(i), Partition: "DN", Description: "Zoë Miller", NoSpace: true, Primary: []string{"zmiller"}, At: []dayone.PlatformAppearance{{Device: "SEP1", Index: 1}}})
	}
	return p
}

// phoneReadings: what was read is kept whole or not at all, and the last one that is whole counts until the next is.
func phoneReadings(t *testing.T, d *store.DB) {
	ctx := t.Context()
	who := Sarah(t, d)
	_, _, err := d.Phones(ctx, "cucm")
	if !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nothing was read: %v", err)
	}
	same := func(want *dayone.Platform, read time.Time) {
		t.Helper()
		got, when, err := d.Phones(ctx, "cucm")
		if err != nil || !when.Equal(read) {
			t.Fatalf("read at %s, want %s (%v)", when, read, err)
		}
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("it is (-kept +read)\n%s", diff)
		}
	}
	state := func() store.PhoneSystem { return must[map[string]store.PhoneSystem](t)(d.PhoneSystems(ctx))["cucm"] }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, other := phoneReading(2500), phoneReading(3)
	check(d.BeginPhones(ctx, "cucm", at))
	if s := state(); !s.Began.Equal(at) || !s.Read.IsZero() {
		t.Errorf("under way: %+v", s)
	}
	check(d.KeepPhones(ctx, "cucm", "pho_1", first, at.Add(time.Hour)))
	check(d.KeepPhones(ctx, "unity", "pho_u", other, at))
	same(first, at.Add(time.Hour))

	check(d.BeginPhones(ctx, "cucm", at.Add(2*time.Hour)))
	short, cancel := context.WithCancel(ctx) // it falls in the middle of writing
	commits := 0
	d.Committing = func() {
		if commits++; commits == 3 {
			cancel()
		}
	}
	if err := d.KeepPhones(short, "cucm", "pho_2", phoneReading(5000), at.Add(3*time.Hour)); err == nil {
		t.Error("it was written to its end")
	}
	d.Committing = nil
	same(first, at.Add(time.Hour))
	if s := state(); !s.Began.Equal(at.Add(2 * time.Hour)) {
		t.Errorf("it does not show that it was interrupted: %+v", s)
	}
	check(d.BrokePhones(ctx, "cucm", "it is down", at.Add(4*time.Hour)))
	if s := state(); !s.Began.IsZero() || s.Note != "it is down" || !s.Failed.Equal(at.Add(4*time.Hour)) || !s.Tried.Equal(at.Add(2*time.Hour)) {
		t.Errorf("broken off: %+v", s)
	}
	same(first, at.Add(time.Hour))
	check(d.KeepPhones(ctx, "cucm", "pho_3", other, at.Add(5*time.Hour)))
	same(other, at.Add(5*time.Hour))
	if s := state(); s.Note != "" || !s.Failed.IsZero() {
		t.Errorf("read after that: %+v", s)
	}

	if err := d.Erase(ctx, who, at); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cucm", "unity"} {
		if _, _, err := d.Phones(ctx, name); !errors.Is(err, dayone.ErrNotFound) {
			t.Errorf("somebody was erased, and %s is kept: %v", name, err)
		}
	}
}
