package planner

import (
	"cmp"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// Drawing is what a picture needs beside the plan.
type Drawing struct {
	Titles map[string]string               // of systems; one without is shown by its name
	Took   map[dayone.StepID]time.Duration // elapsed, else what such a step usually takes; nil: all the same
	Open   []string                        // cells to show unfolded: "slack.2"
	Rows   bool                            // nodes lead to rows of a list on the same page, "#plan-3", and not to steps of a run
	Say    func(string) string             // what the picture says by itself, as whoever looks reads it; nil: as it is
}

// Graph is a plan laid out: columns are tiers, lanes are systems. It knows no states: a step that moves on changes its
// look and never its place.
type Graph struct {
	Width, Height float64
	say           func(string) string
	Columns       []Column
	Lanes         []Lane
	Nodes         []Node
	Edges         []Edge
	Gate          *Gate           // nil: nothing waits for all the rest
	Critical      []dayone.StepID // the longest way through, in order
	Order         []int           // steps by lane, as lists and timelines show them; messages last
	Steps         int
}

// Column is a tier, or a stage of what has none.
type Column struct {
	Title string
	X     float64
}

// Lane is a system.
type Lane struct {
	System, Title string
	Lines         []string // the title as it is drawn: two lines at most
	Y, Height     float64
}

// Node is a step, or a cell folded to one.
type Node struct {
	ID         string // stays for the life of a run
	Steps      []dayone.StepID
	Number     int    // of the step, from 1; 0 if folded
	Cell       string // folded: what to open; "slack.2"
	Label      string // what stands in it
	Title      string // what it is called: "Okta group sales-team"
	Critical   bool
	X, Y, W, H float64
	lane, col  int
	parent     int // node that it hangs below, or -1
	row        int // of a list on the same page; 0: it leads to a run
}

// Edge is a need that no other need implies.
type Edge struct {
	From     []dayone.StepID // none: the gate
	Path     string
	Critical bool
}

// Gate is the bar that everything enters and messages leave.
type Gate struct{ X, Y, Height float64 }

// Measures of the picture, in pixels. A picture is at most maxWidth wide: what a page of 1280 has beside its menu.
const (
	maxWidth  = 980
	maxLabel  = 96 // of a lane's title
	foldAbove = 40 // steps; then a cell with more than foldCell is one node
	foldCell  = 2
	gutter    = 19
	indent    = 12
	headroom  = 34 // above the first lane: titles of tiers and their rule
	gateWidth = 4
	bold      = 1.06 // how much wider titles of lanes are than other text
)

// measures differ between a plan that fits as it is and one that is folded.
type measures struct{ top, node, gap, bottom float64 }

var (
	wide  = measures{9.5, 23, 5, 8.5}
	dense = measures{5, 24, 5, 5}
)

// Layout places a plan. Equal inputs give equal graphs.
func Layout(p dayone.Plan, d Drawing) Graph {
	l := &layout{plan: p, drawing: d, m: wide}
	l.g.Steps, l.g.say = len(p.Steps), d.Say
	if len(p.Steps) > foldAbove {
		l.m = dense
	}
	l.reduce()
	l.criticalPath()
	l.columns()
	l.lanes()
	l.cells()
	l.place()
	l.route()
	return l.g
}

// says is a text of the picture as whoever looks reads it.
func (g Graph) says(text string) string {
	if g.say == nil {
		return text
	}
	return g.say(text)
}

type layout struct {
	plan    dayone.Plan
	drawing Drawing
	m       measures
	g       Graph

	needs   [][]int // reduced, by step; without messages
	crit    []bool
	next    []int // on the critical path: the step after, or -1
	col     []int // by step; -1: a message
	lane    []int // by step; -1: a message
	node    []int // by step
	width   float64
	nodes   []Node
	message []int // steps
}

func (l *layout) isMessage(i int) bool { return l.plan.Steps[i].Action == dayone.MessageSend }

// reduce keeps the needs that no other need implies.
func (l *layout) reduce() {
	n := len(l.plan.Steps)
	index := make(map[dayone.StepID]int, n)
	for i, s := range l.plan.Steps {
		index[s.ID] = i
	}
	words := (n + 63) / 64
	above := make([][]uint64, n) // everything a step comes after
	l.needs = make([][]int, n)
	for i, s := range l.plan.Steps {
		above[i] = make([]uint64, words)
		if l.isMessage(i) {
			l.message = append(l.message, i)
			continue
		}
		var direct []int
		for _, need := range s.Needs {
			if j, ok := index[need.Step]; ok && j < i && !l.isMessage(j) {
				direct = append(direct, j)
			}
		}
		for _, j := range direct {
			for w, bits := range above[j] {
				above[i][w] |= bits
			}
		}
		for _, j := range direct {
			if above[i][j/64]&(1<<(j%64)) == 0 {
				l.needs[i] = append(l.needs[i], j)
			}
		}
		for _, j := range direct {
			above[i][j/64] |= 1 << (j % 64)
		}
		slices.Sort(l.needs[i])
	}
}

// criticalPath is the chain of needs that takes longest.
func (l *layout) criticalPath() {
	n := len(l.plan.Steps)
	l.crit, l.next = make([]bool, n), make([]int, n)
	total, before := make([]time.Duration, n), make([]int, n)
	end := -1
	for i, s := range l.plan.Steps {
		l.next[i], before[i] = -1, -1
		if l.isMessage(i) {
			continue
		}
		for _, j := range l.needs[i] {
			if before[i] < 0 || total[j] > total[before[i]] {
				before[i] = j
			}
		}
		if before[i] >= 0 {
			total[i] = total[before[i]]
		}
		if l.drawing.Took == nil {
			total[i] += time.Second
		} else {
			total[i] += l.drawing.Took[s.ID]
		}
		if end < 0 || total[i] > total[end] {
			end = i
		}
	}
	if end < 0 || before[end] < 0 {
		return // a single step is no path
	}
	for i := end; i >= 0; i = before[i] {
		l.crit[i] = true
		l.g.Critical = append(l.g.Critical, l.plan.Steps[i].ID)
		if before[i] >= 0 {
			l.next[before[i]] = i
		}
	}
	slices.Reverse(l.g.Critical)
}

// stages name the columns of steps that have no tier: what is taken away has none.
var stages = []string{"First", "Then", "Last"}

var tierTitles = map[dayone.Tier]string{
	dayone.TierIdentity: "Identity", dayone.TierBase: "Base", dayone.TierDepartment: "Department", dayone.TierRole: "Role",
	dayone.TierDevice: "Device", dayone.TierMessages: "Messages",
}

// columns gives each step a column: its tier, or how deep it stands among those without.
func (l *layout) columns() {
	n := len(l.plan.Steps)
	l.col = make([]int, n)
	depth := make([]int, n)
	used := map[int]bool{}
	for i, s := range l.plan.Steps {
		for _, j := range l.needs[i] {
			depth[i] = min(max(depth[i], depth[j]+1), len(stages)-1)
		}
		t := slices.Index(dayone.Tiers, s.Tier)
		switch {
		case l.isMessage(i):
			l.col[i] = -1
			continue
		case t < 0:
			t = len(dayone.Tiers) + depth[i]
		}
		l.col[i] = t
		used[t] = true
	}
	at := map[int]int{}
	for t := range len(dayone.Tiers) + len(stages) {
		if !used[t] {
			continue
		}
		at[t] = len(l.g.Columns)
		title := ""
		if t < len(dayone.Tiers) {
			title = tierTitles[dayone.Tiers[t]]
		} else {
			title = stages[t-len(dayone.Tiers)]
		}
		l.g.Columns = append(l.g.Columns, Column{Title: l.g.says(title)})
	}
	for i, c := range l.col {
		if c >= 0 {
			l.col[i] = at[c]
		}
	}
}

// lanes orders systems by the first column in which they appear, then by plan order.
func (l *layout) lanes() {
	type entry struct {
		system     string
		col, first int
	}
	var all []entry
	seen := map[string]int{}
	for i, s := range l.plan.Steps {
		if l.isMessage(i) {
			continue
		}
		at, ok := seen[s.Key.System]
		if !ok {
			at = len(all)
			seen[s.Key.System] = at
			all = append(all, entry{s.Key.System, l.col[i], i})
		}
		all[at].col = min(all[at].col, l.col[i])
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(a.col, b.col), cmp.Compare(a.first, b.first)) })
	label := 0.0
	at := map[string]int{}
	for i, e := range all {
		title := cmp.Or(l.drawing.Titles[e.system], e.system)
		at[e.system] = i
		lines := Wrap(title, maxLabel/bold)
		l.g.Lanes = append(l.g.Lanes, Lane{System: e.system, Title: title, Lines: lines})
		for _, line := range lines {
			label = max(label, textWidth(line)*bold)
		}
	}
	label += 13
	l.lane = make([]int, len(l.plan.Steps))
	for i, s := range l.plan.Steps {
		l.lane[i] = -1
		if !l.isMessage(i) {
			l.lane[i] = at[s.Key.System]
		}
	}
	columns := float64(len(l.g.Columns))
	if len(l.message) > 0 {
		columns++
	}
	l.width = min(190, (maxWidth-2-label-gutter*(columns-1))/max(columns, 1))
	for i := range l.g.Columns {
		l.g.Columns[i].X = label + float64(i)*(l.width+gutter)
	}
	l.g.Width = label + columns*(l.width+gutter) - gutter + 2
}
