package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/cucm"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/number/platform"
)

// routeFile is the route plan of a platform, as a file has it.
type routeFile struct {
	name, platform string
	patterns       []dayone.PlatformPattern
	lines          []int // of each of them
}

// checkNumberPlan judges numbers.yaml by itself, and by route plans, without a server and without the books.
func checkNumberPlan(c *cobra.Command, file string, routes []string) error {
	text, err := readNumbersFile(file)
	if err != nil {
		return err
	}
	plan, faults := number.ReadPlan(text)
	if len(faults) > 0 {
		return printFaults(c, file, located(faults))
	}
	var all []dayone.Number
	for _, piece := range number.Compare(&number.Plan{}, &plan).Added {
		all = append(all, piece.Numbers(time.Time{})...)
	}
	wrong := false
	for _, arg := range routes {
		r, err := readRoutes(c, arg, &plan)
		if err != nil {
			return err
		}
		wrong = r.judge(c, file, &plan, all) || wrong
	}
	if wrong {
		return &shownError{errFaults}
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%s is sound: %s with %s.\n", file, count(len(plan.Pools), "pool"), count(len(all), "number"))
	if len(plan.Stated) > 0 || slices.ContainsFunc(plan.Pools, func(p number.Pool) bool { return p.When != "" }) {
		fmt.Fprintln(out, "Conditions (when) and attributes (stated_by) are of the policies: they are checked when it is saved, or with --dry-run.")
	}
	if len(routes) == 0 {
		fmt.Fprintln(out, "What else answers its numbers is not known: --routes names the route plan of its platform, as CSV.")
	}
	return nil
}

func located(faults []number.Fault) []numberFault {
	var out []numberFault
	for _, f := range faults {
		out = append(out, numberFault{File: f.File, Text: f.Text, Line: f.Line, Col: f.Col})
	}
	return out
}

// judge prints what of a route plan answers numbers of the pools, where editors jump to. It says whether there is anything.
func (r *routeFile) judge(c *cobra.Command, file string, plan *number.Plan, all []dayone.Number) bool {
	at := map[string]int{}
	for i, p := range r.patterns {
		if name := p.Pattern + "@" + p.Partition; at[name] == 0 {
			at[name] = r.lines[i]
		}
	}
	is := platform.Compare(platform.Books{System: r.platform, Plan: plan, Numbers: all}, &dayone.Platform{Of: []dayone.PlatformKind{dayone.PlatformPatterns}, Patterns: r.patterns})
	wrong := false
	for _, f := range is.Findings {
		switch f.Kind {
		case platform.PatternConflict:
			pool, _ := plan.Pool(f.Pool)
			fmt.Fprintf(c.ErrOrStderr(), "%s:%d:%d: pool %s: %s (%s:%d, partition %s). Hold these numbers once it is saved, or change the pattern on the platform.\n", file, pool.At.Line, pool.At.Col, f.Pool, f.Text, r.name, at[f.Name], f.Name[strings.LastIndexByte(f.Name, '@')+1:])
		case platform.UnreadPattern:
			fmt.Fprintf(c.ErrOrStderr(), "%s:%d:1: %s: %s.\n", r.name, at[f.Name], f.Name, f.Text)
		default:
			continue
		}
		wrong = true
	}
	for _, l := range is.Leads {
		fmt.Fprintf(c.OutOrStdout(), "%s %s@%s leads to %s of pool %s, as it should.\n", l.Kind, l.Pattern, l.Partition, count(l.Numbers, "number"), l.Pool)
	}
	return wrong
}

// readRoutes reads a route plan: [PLATFORM=]FILE. Its columns are those of the report of a Unified CM.
func readRoutes(c *cobra.Command, arg string, plan *number.Plan) (*routeFile, error) {
	r := &routeFile{name: arg}
	var platforms []string
	for _, p := range plan.Pools {
		if !slices.Contains(platforms, p.Platform) {
			platforms = append(platforms, p.Platform)
		}
	}
	if name, file, ok := strings.Cut(arg, "="); ok {
		r.platform, r.name = name, file
	} else if len(platforms) == 1 {
		r.platform = platforms[0]
	}
	if !slices.Contains(platforms, r.platform) {
		return nil, &usageError{fmt.Errorf("say of which platform %s is: --routes PLATFORM=%s, where the platform is one of %s", r.name, r.name, strings.Join(platforms, ", "))}
	}
	text, err := readNumbersFile(r.name)
	if err != nil {
		return nil, err
	}
	faults := r.read(text)
	if len(faults) > 0 {
		return nil, printFaults(c, r.name, faults)
	}
	return r, nil
}

func (r *routeFile) read(text string) []numberFault {
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF")))
	in.FieldsPerRecord, in.LazyQuotes = -1, true
	head, err := in.Read()
	if err != nil {
		return []numberFault{{Text: "the file is empty; its first line names the columns: pattern, partition, type, detail", Line: 1, Col: 1}}
	}
	at := map[string]int{}
	for i, h := range head {
		for _, word := range []string{"pattern", "partition", "type", "detail"} {
			if _, had := at[word]; !had && strings.Contains(strings.ToLower(h), word) {
				at[word] = i
				break
			}
		}
	}
	for _, word := range []string{"pattern", "type"} {
		if _, ok := at[word]; !ok {
			return []numberFault{{Text: "no column is called " + word, Line: 1, Col: 1}}
		}
	}
	for {
		rec, err := in.Read()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			line, col := in.FieldPos(0)
			return []numberFault{{Text: "the line does not read as CSV", Line: line, Col: col}}
		}
		cell := func(word string) string {
			if i, ok := at[word]; ok && i < len(rec) {
				return strings.TrimSpace(rec[i])
			}
			return ""
		}
		if cell("pattern") == "" {
			continue
		}
		line, _ := in.FieldPos(0)
		kind := cell("type")
		r.patterns = append(r.patterns, dayone.PlatformPattern{Pattern: cell("pattern"), Partition: cell("partition"), Kind: kind, Detail: cell("detail"), Class: cucm.ClassOf(kind)})
		r.lines = append(r.lines, line)
	}
}
