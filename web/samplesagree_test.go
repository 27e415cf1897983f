package web

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/flow"
)

// A page of the gallery has the menu that the page itself has: pictures of it are shown as the product's own.
func TestMenuOfASampleIsThatOfItsPage(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`page\{\s*Template: "([a-z-]+)",[^{}]*?Nav: "([a-z]+)"`)
	navs := map[string][]string{"person": {"people"}, "leaving": {"people"}, "person-runs": {"people"}} // pages of which one function shows any
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			navs[m[1]] = append(navs[m[1]], m[2])
		}
	}
	if len(navs) < 50 {
		t.Errorf("only %d pages say where they stand in the menu", len(navs))
	}
	delete(navs, "gallery")
	for template, of := range navs {
		if !slices.Contains(of, sampleNavs[template]) {
			t.Errorf("on the page of %s the menu is at %v, on its sample at %q", template, of, sampleNavs[template])
		}
	}
	for template := range sampleNavs {
		if navs[template] == nil {
			t.Errorf("no page of %s says that it stands in the menu at %q", template, sampleNavs[template])
		}
	}
}

// What is made up agrees with itself: numbers add up, days are those that there are, and one page does not contradict another.
func TestSamplesAgree(t *testing.T) {
	t.Parallel()
	text := func(name string) string {
		s := regexp.MustCompile(`<[^>]+>`).ReplaceAllString(pageOf(t, name), " ")
		return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
	}
	hours := regexp.MustCompile(`([\d,]+) hours that nobody`).FindStringSubmatch(text("effort"))
	if hours == nil || !strings.Contains(text("dashboard"), "Hours saved, 12 months "+hours[1]+" ") {
		t.Errorf("the dashboard has saved other hours than the page of hours: %v", hours)
	}
	for _, name := range []string{"prehire", "prehire-done"} {
		if s := text(name); strings.Contains(s, "Saturday") || strings.Contains(s, "Sunday") {
			t.Errorf("%s: the first day is no working day", name)
		}
	}
	view := viewer{zone: time.UTC, now: noon}
	tomorrow := "2[3-9] November 2024"
	for _, s := range samples(view) {
		if s.template == "undo" && regexp.MustCompile(tomorrow).MatchString(text(s.name)) {
			t.Errorf("%s: somebody signed in on a day to come", s.name)
		}
	}
	asked := map[string]bool{}
	for _, s := range samples(view) {
		v, ok := s.main.(approvalsView)
		if !ok {
			continue
		}
		for _, it := range slices.Concat(v.Open, v.Past) {
			if asked[it.Title.Text] {
				t.Errorf("%s: %s is asked for twice", s.name, it.Title.Text)
			}
			asked[it.Title.Text] = true
		}
	}
	_, brake, _ := sampleBrakes(view)
	if len(brake.Items) != 300 || !strings.Contains(brake.Note, "300 people") {
		t.Errorf("%d are held: %s", len(brake.Items), brake.Note)
	}
	pool := text("number-pool")
	for _, part := range []string{"783 assigned 14 reserved 32 at rest 6 held 65 available", "64 of 1,000"} { // 900 in all, of which one ends in 00
		if !strings.Contains(pool, part) {
			t.Errorf("the pool has not %s:\n%s", part, pool)
		}
	}
	over := sampleDone(view)
	var longest flow.Pace
	for _, id := range over.graph.Critical {
		p := over.usual(over.run.Step(id).Step)
		longest.Median += p.Median
	}
	for _, s := range over.run.Steps {
		if took := over.usual(s.Step).Median; took < s.Ended.Sub(s.Started) {
			t.Errorf("%s took longer than is usual", s.Step.ID)
		}
	}
	if longest.Median < 5*time.Second {
		t.Errorf("the longest way takes %v", longest.Median)
	}
}
