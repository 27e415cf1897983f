package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// newWhy is why and why-not: the same answer, asked from either side.
func newWhy(use, short, example string) *cobra.Command {
	var on string
	var asJSON bool
	c := &cobra.Command{
		Use:   use + " PERSON SYSTEM/ENTITLEMENT",
		Short: short,
		Long: `Each policy that speaks of the entitlement, with the value of each of its conditions, asked one by one. With --at, a past
day is judged by what was known and what was in force then, a day to come by what is known now.`,
		Example: example,
		Args:    args(2, 2, "a person and an entitlement such as okta/group:sales-team"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := dayone.ParseKey(args[1])
			if err != nil {
				return &usageError{err}
			}
			s, err := look(c)
			if err != nil {
				return err
			}
			defer s.close()
			if err := s.flow.Active().Offered(key); err != nil && on == "" { // on another day there may have been more
				return err
			}
			row, err := s.flow.Named(c.Context(), args[0])
			if err != nil {
				return err
			}
			var at time.Time
			if on != "" {
				day, err := time.Parse(time.DateOnly, on)
				if err != nil {
					return &usageError{fmt.Errorf("--at %s: write a day, such as 2025-06-02", on)}
				}
				zone, _ := s.flow.Active().SiteOf(row.Location).Location()
				at = time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone) // noon where she works
			}
			x, p, err := s.flow.WhyAt(c.Context(), row.ID, key, at)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), x)
			}
			if on != "" {
				fmt.Fprintf(c.OutOrStdout(), "On %s, with status %s:\n", on, p.Status)
			}
			printExplanation(c.OutOrStdout(), row.Name, x)
			return nil
		},
	}
	c.Flags().StringVar(&on, "at", "", "on this day instead of now, such as 2025-06-02")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}
