package main

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// calls to simulated targets so far. What the dashboard counts, from time to time, is about nobody.
func (s *story) calls() int {
	n := 0
	for _, sys := range demoSystems {
		for _, r := range s.systems[sys.name].Door().Requests() {
			n += map[bool]int{true: 1}[r.Query != "count=1&startIndex=1"]
		}
	}
	return n
}

// judge says how everything stands, and what is not as it should be.
func (s *story) judge(ctx context.Context) (demoReport, []string) {
	report, err := s.report(ctx)
	if err != nil {
		return report, []string{err.Error()}
	}
	var wrong []string
	if report.Grants.After.Failed > 0 || report.Run.Failed > 0 {
		wrong = append(wrong, fmt.Sprintf("%d grants failed", report.Grants.After.Failed))
	}
	if a := report.Grants.After; a.Confirmed+a.PendingFirstLogin != a.Total {
		wrong = append(wrong, fmt.Sprintf("%d of %d grants are confirmed", a.Confirmed, a.Total))
	}
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return report, []string{err.Error()}
	}
	wrong = append(wrong, s.differences(l.Want, sarah)...)
	fmt.Fprintf(s.out, "Grants: %d of %d confirmed in %d systems. Each simulated system, read directly, %s.\n", report.Grants.After.Confirmed, report.Grants.After.Total, len(report.Systems),
		map[bool]string{true: "shows what the policies want", false: "was compared with what the policies want"}[len(wrong) == 0])
	return report, wrong
}

// hush is how long nothing is said before a line says that something goes on.
const hush = 10 * time.Second

// meanwhile does what may take long, and says every few seconds that it goes on.
func (s *story) meanwhile(what string, do func() error) error {
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- do() }()
	t := time.NewTicker(cmp.Or(s.hush, hush))
	defer t.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-t.C:
			fmt.Fprintf(s.out, "  %s: %s so far.\n", what, time.Since(began).Round(time.Second))
		}
	}
}

func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	default:
		return d.Round(100 * time.Microsecond)
	}
}
