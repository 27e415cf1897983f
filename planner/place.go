package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
)

// cells orders the steps of each lane and column, hangs what needs another of the same cell below it, and folds what
// would make a large plan unreadable.
func (l *layout) cells() {
	byCell := make(map[[2]int][]int)
	for i := range l.plan.Steps {
		if l.col[i] >= 0 {
			c := [2]int{l.lane[i], l.col[i]}
			byCell[c] = append(byCell[c], i)
		}
	}
	l.node = make([]int, len(l.plan.Steps))
	for lane := range l.g.Lanes {
		for col := range l.g.Columns {
			members := byCell[[2]int{lane, col}]
			if len(members) == 0 {
				continue
			}
			ordered, parent := l.ordered(members)
			l.g.Order = append(l.g.Order, ordered...)
			id := l.g.Lanes[lane].System + "." + strconv.Itoa(col)
			if len(l.plan.Steps) > foldAbove && len(members) > foldCell && !slices.Contains(l.drawing.Open, id) {
				l.fold(id, lane, col, ordered)
				continue
			}
			for _, i := range ordered {
				n := l.single(i, lane, col)
				if up, ok := parent[i]; ok {
					n.parent = l.node[up]
				}
				l.node[i] = len(l.nodes)
				l.nodes = append(l.nodes, n)
			}
		}
	}
	l.g.Order = append(l.g.Order, l.message...)
}

// ordered lists a cell: critical first, then plan order, each followed by what hangs below it.
func (l *layout) ordered(members []int) (out []int, parent map[int]int) {
	parent = map[int]int{}
	below := map[int][]int{}
	var roots []int
	for _, i := range members {
		up := -1
		for _, j := range l.needs[i] {
			if slices.Contains(members, j) {
				up = j // the nearest of them
			}
		}
		if up < 0 {
			roots = append(roots, i)
			continue
		}
		parent[i] = up
		below[up] = append(below[up], i)
	}
	var walk func(list []int)
	walk = func(list []int) {
		slices.SortStableFunc(list, func(a, b int) int {
			switch {
			case l.crit[a] == l.crit[b]:
				return 0
			case l.crit[a]:
				return -1
			default:
				return 1
			}
		})
		for _, i := range list {
			out = append(out, i)
			walk(below[i])
		}
	}
	walk(roots)
	return out, parent
}

func (l *layout) single(i, lane, col int) Node {
	s := l.plan.Steps[i]
	return Node{
		ID: "node-" + strconv.Itoa(i+1), Steps: []dayone.StepID{s.ID}, Number: i + 1, Label: l.nodeLabel(s.Key), Title: l.nodeTitle(s), Critical: l.crit[i],
		lane: lane, col: col, parent: -1,
	}
}

func (l *layout) fold(id string, lane, col int, members []int) {
	n := Node{ID: "cell-" + strings.NewReplacer(".", "-", "+", "-").Replace(id), Cell: id, lane: lane, col: col, parent: -1}
	kinds := map[string]int{}
	accounts := 0
	for _, i := range members {
		s := l.plan.Steps[i]
		n.Steps = append(n.Steps, s.ID)
		n.Critical = n.Critical || l.crit[i]
		if s.Key.IsAccount() {
			accounts++
		} else {
			kinds[s.Key.Kind]++
		}
		l.node[i] = len(l.nodes)
	}
	rest := len(members) - accounts
	switch {
	case len(kinds) != 1:
		n.Label = l.g.says(plural(len(members), "step"))
	case accounts == 0:
		for k := range kinds {
			n.Label = l.g.says(plural(rest, k))
		}
	default:
		for k := range kinds {
			n.Label = l.g.says("account") + ", " + l.g.says(plural(rest, k))
		}
	}
	n.Title = l.g.Lanes[lane].Title + ", " + n.Label
	l.nodes = append(l.nodes, n)
}

func (l *layout) nodeLabel(k dayone.Key) string {
	switch {
	case k.IsAccount() && k.As != dayone.Personal:
		return l.g.says(string(k.As) + " account")
	case k.Name != "":
		return k.Name
	default:
		return l.g.says(k.Kind)
	}
}

func (l *layout) nodeTitle(s dayone.Step) string {
	title := cmp.Or(l.drawing.Titles[s.Key.System], s.Key.System) + " "
	if s.Key.As != dayone.Personal {
		title += string(s.Key.As) + " "
	}
	title += l.g.says(s.Key.Kind)
	if s.Key.Name != "" {
		title += " " + s.Key.Name
	}
	return title
}

// place gives nodes, lanes and gate their coordinates.
func (l *layout) place() {
	y := float64(headroom)
	at := 0
	for i := range l.g.Lanes {
		rows := 0
		row := map[int]int{}
		for ; at < len(l.nodes) && l.nodes[at].lane == i; at++ {
			n := &l.nodes[at]
			depth := 0
			for up := n.parent; up >= 0 && depth < 3; up = l.nodes[up].parent {
				depth++
			}
			in := float64(depth * indent)
			n.X, n.W, n.H = l.g.Columns[n.col].X+in, l.width-in, l.m.node
			n.Y = y + l.m.top + float64(row[n.col])*(l.m.node+l.m.gap)
			row[n.col]++
			rows = max(rows, row[n.col])
		}
		h := l.m.top + float64(rows)*(l.m.node+l.m.gap) - l.m.gap + l.m.bottom
		l.g.Lanes[i].Y, l.g.Lanes[i].Height = y, h
		y += h
	}
	l.g.Height = y + 4
	if len(l.message) > 0 {
		l.messages(y)
	}
	l.g.Nodes = l.nodes
	if !l.drawing.Rows {
		return
	}
	number := make(map[dayone.StepID]int, len(l.plan.Steps))
	for i, s := range l.plan.Steps {
		number[s.ID] = i + 1
	}
	for i := range l.nodes {
		l.nodes[i].row = number[l.nodes[i].Steps[0]]
	}
}

// messages stand in a column of their own, behind the gate, around the middle.
func (l *layout) messages(bottom float64) {
	x := l.g.Width - 2 - l.width
	pitch := l.m.node + l.m.gap
	tall := float64(len(l.message))*pitch - l.m.gap
	bottom = max(bottom, headroom+tall+8)
	if len(l.g.Columns) > 0 {
		l.g.Gate = &Gate{X: x - 13.5, Y: headroom + 2, Height: bottom - headroom - 4}
	}
	l.g.Height = bottom + 22
	y := headroom + (bottom-headroom-tall)/2
	for _, i := range l.message {
		n := l.single(i, -1, len(l.g.Columns))
		n.X, n.Y, n.W, n.H = x, y, l.width, l.m.node
		l.node[i] = len(l.nodes)
		l.nodes = append(l.nodes, n)
		if g := l.g.Gate; g != nil {
			l.g.Edges = append(l.g.Edges, Edge{Path: fmt.Sprintf("M%s %sH%s", num(g.X+gateWidth), num(y+l.m.node/2), num(x))})
		}
		y += pitch
	}
	l.g.Columns = append(l.g.Columns, Column{Title: l.g.says(tierTitles[dayone.TierMessages]), X: x})
}
