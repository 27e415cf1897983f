package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	googlesim "github.com/dayone-hq/dayone/connector/google/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// gone is who left two weeks before the story begins. HR said so; on the clusters nobody did anything about it.
const gone = "emp_298"

// leftBefore has HR's list tell of whom it has no word of yet: somebody who has left.
func (d *demoWorld) leftBefore() {
	was := d.hr.Record("emp_233") // somebody of the same house
	if was == nil || d.hr.Record(gone) != nil {
		return
	}
	for name, value := range map[string]any{
		"employee_id": gone, "first_name": "Omar", "last_name": "Haddad", "email": "omar.haddad@company.com", "personal_email": "omar.haddad@example.net",
		"start_date": "2020-01-06", "end_date": "2024-11-08", "national_id": "078-05-298",
	} {
		was[name] = value
	}
	d.hr.Put(was)
}

// measured sets what a step is worth, as a company would: without it nobody can say what was saved.
func (s *story) measured(ctx context.Context) error {
	is, err := s.flow.Saved(ctx)
	if err != nil || is.Baseline.Seq > 0 {
		return err
	}
	_, err = s.flow.SetBaseline(ctx, map[dayone.Action]float64{
		dayone.AccountCreate: 12, dayone.AccountEnable: 4, dayone.AccountDisable: 6, dayone.EntitlementAdd: 5, dayone.EntitlementRemove: 3, dayone.MessageSend: 4,
	}, 0, "the demo", "as the service desk measured them")
	if err != nil {
		return fmt.Errorf("saying what a step is worth: %w", err)
	}
	return nil
}

// drifted is somebody who closes an account at a system and tells nobody. It is compared with the books, and shows.
func (s *story) drifted(ctx context.Context) error {
	const system = "google"
	at := s.systems[system].(*googlesim.Sim)
	all := at.Accounts()
	i := slices.IndexFunc(all, func(a sim.Account) bool { return a.Email == sarah })
	if i < 0 {
		return nil
	}
	at.Set(all[i].Ref, "suspended", true)
	s.clock.Jump(s.clock.Now().Add(2 * time.Hour)) // what was changed a moment ago is not compared: it may be on its way
	if err := s.flow.ReadSystem(ctx, system, "the demo"); err != nil {
		return fmt.Errorf("comparing %s with the books: %w", system, err)
	}
	var is flow.DriftReading
	_, err := s.await(ctx, "the comparison of "+system, func() (flow.Row, bool) {
		all, err := s.flow.DriftReadings(ctx)
		is = all[system]
		return flow.Row{}, err == nil && (!is.At.IsZero() || !is.Failed.IsZero())
	})
	switch {
	case err != nil:
		return err
	case !is.Failed.IsZero():
		return fmt.Errorf("comparing %s with the books: %s: %w", system, is.Note, dayone.ErrUnavailable)
	}
	differ, err := s.flow.CountDrift(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nTwo hours later somebody closes Sarah's account at %s by hand. All accounts there are read and held against the books: %s.\n", system, count(differ[system], "difference"))
	return nil
}

// asked has Sarah ask for what policies offer her and her manager has to agree to: it waits for him.
func (s *story) asked(ctx context.Context) error {
	_, err := s.flow.Request(ctx, dayone.Request{Person: s.person, Key: dayone.Key{System: "phone", Kind: "line"}, By: sarah, Login: sarah, Reason: "Customers ask where they can call me"})
	if err != nil {
		return fmt.Errorf("asking for a telephone line: %w", err)
	}
	if _, err := s.await(ctx, "Sarah's request", func() (flow.Row, bool) {
		n, err := s.flow.CountApprovals(ctx)
		return flow.Row{}, err == nil && n > 0
	}); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "\nSarah asks for a telephone line. Policies offer her one, and her manager has to agree: it waits for John Doe.")
	return nil
}

// viewpoints are as whom the demo can be looked at. The new hire and her manager have no role in the portal, as in a company:
// they see what concerns them.
var viewpoints = []web.Viewpoint{
	{ID: "administrator", Login: "demo", Role: dayone.Administrator, Home: "/"},
	{ID: "new-hire", Name: "Sarah Chen", Login: sarah, Role: dayone.Employee, Home: "/me"},
	{ID: "manager", Name: "John Doe", Login: "john.doe@company.com", Role: dayone.Employee, Home: "/team"},
	{ID: "auditor", Login: "auditor", Role: dayone.Auditor, Home: "/"},
}
