package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// slipKeeps is how many of the people whom HR knows its broken list still has.
const slipKeeps = 5

// slip is what happens to every HR system once: its list comes back cut off. Nobody leaves for that; it is held, and somebody who
// looks around has something to decide.
func (s *story) slip(ctx context.Context) error {
	known, err := s.store.EmploymentsOf(ctx, "hr")
	if err != nil {
		return err
	}
	subjects := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(id string) bool { return known[id] == s.person })
	if len(subjects) <= slipKeeps {
		return nil
	}
	for _, id := range subjects[slipKeeps:] {
		s.hr.Remove(id)
	}
	if moved := s.hr.Record(subjects[0]); moved != nil {
		moved["team"] = "Special Projects"
		s.hr.Put(moved)
	}
	read, err := s.flow.ReadSource(ctx, "hr", "the demo")
	if err != nil {
		return fmt.Errorf("reading HR's list: %w", err)
	}
	fmt.Fprintf(s.out, "\nAn export of HR breaks off: its list has %d of %d people. A brake holds it; nobody leaves for that.\n", read.Records, len(known))
	return nil
}
