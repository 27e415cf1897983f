package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// way is one edge on its way to become a path.
type way struct {
	from, to int // nodes; to is -1 for the gate
	steps    []dayone.StepID
	critical bool
	kind     wayKind
	y        float64 // where its vertical part ends: the target's row, or a channel
}

type wayKind int

const (
	hanging  wayKind = iota // below its need, by a trunk at the left
	straight                // same row, nothing between
	bending                 // right, one bend, right: along the target's row
	channel                 // right, along the top of the target's lane, down into it
	bracket                 // same column, another lane: around the left
)

// route draws needs as orthogonal lines. Each source has an x of its own in its gutter, so lines of one source merge
// into one trunk and those of two never do.
func (l *layout) route() {
	ways := l.ways()
	slots := l.channels(ways)
	for i := range ways {
		if ways[i].kind == channel {
			ways[i].y = slots[i]
		}
	}
	x := l.trunks(ways)
	slices.SortStableFunc(ways, func(a, b way) int { // critical lines lie on top
		switch {
		case a.critical == b.critical:
			return 0
		case b.critical:
			return -1
		default:
			return 1
		}
	})
	gate := l.g.Edges
	l.g.Edges = nil
	for _, w := range ways {
		l.g.Edges = append(l.g.Edges, Edge{From: w.steps, Path: l.path(w, x[[2]int{l.gutterOf(w), w.from}]), Critical: w.critical})
	}
	l.g.Edges = append(l.g.Edges, gate...)
}

func (l *layout) ways() []way {
	var out []way
	at := map[[2]int]int{}
	for v := range l.plan.Steps {
		for _, u := range l.needs[v] {
			a, b := l.node[u], l.node[v]
			if a == b {
				continue // folded together
			}
			key := [2]int{a, b}
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, way{from: a, to: b})
			}
			out[i].steps = append(out[i].steps, l.plan.Steps[u].ID)
			out[i].critical = out[i].critical || l.next[u] == v
		}
	}
	slices.SortStableFunc(out, func(a, b way) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	if n := len(l.g.Critical); n > 0 && l.g.Gate != nil {
		last := slices.IndexFunc(l.plan.Steps, func(s dayone.Step) bool { return s.ID == l.g.Critical[n-1] })
		out = append(out, way{from: l.node[last], to: -1, critical: true})
	}
	for i := range out {
		out[i].kind, out[i].y = l.kindOf(out[i])
	}
	return out
}

// target is where a way ends: the left edge of its node, or the gate.
func (l *layout) target(w way) (x, y float64, col, lane int) {
	if w.to < 0 {
		n := l.nodes[w.from]
		return l.g.Gate.X, n.Y + n.H/2, len(l.g.Columns) - 1, n.lane
	}
	n := l.nodes[w.to]
	return n.X, n.Y + n.H/2, n.col, n.lane
}

func (l *layout) kindOf(w way) (wayKind, float64) {
	u := l.nodes[w.from]
	_, y, col, _ := l.target(w)
	switch {
	case w.to >= 0 && l.nodes[w.to].parent == w.from:
		return hanging, y
	case col == u.col:
		return bracket, y
	case col > u.col && l.free(y, u.col+1, col-1, w):
		if y == u.Y+u.H/2 {
			return straight, y
		}
		return bending, y
	default:
		return channel, y
	}
}

// free says whether a line at y meets no node between two columns, both counted.
func (l *layout) free(y float64, from, to int, w way) bool {
	for i, n := range l.nodes {
		if i == w.from || i == w.to || n.lane < 0 || n.col < from || n.col > to {
			continue
		}
		if y > n.Y-3 && y < n.Y+n.H+3 {
			return false
		}
	}
	if w.to >= 0 && l.nodes[w.to].col == to+1 && l.nodes[w.to].X > l.g.Columns[to+1].X {
		for i, n := range l.nodes { // a target that is indented: its own column must be free, too
			if i != w.to && n.col == to+1 && n.lane >= 0 && y > n.Y-3 && y < n.Y+n.H+3 {
				return false
			}
		}
	}
	return true
}

// channels gives each source that runs along the top of a lane a line of its own there.
func (l *layout) channels(ways []way) map[int]float64 {
	out := map[int]float64{}
	lines := []float64{.47, .25, .7}
	used := map[int][]int{} // sources by lane
	for i, w := range ways {
		if w.kind != channel {
			continue
		}
		_, _, _, lane := l.target(w)
		k := slices.Index(used[lane], w.from)
		if k < 0 {
			k = len(used[lane])
			used[lane] = append(used[lane], w.from)
		}
		out[i] = l.g.Lanes[lane].Y + l.m.top*lines[k%len(lines)]
	}
	return out
}

// gutterOf is the gutter, by the column left of it, in which a way has its vertical part.
func (l *layout) gutterOf(w way) int {
	if w.kind == bracket {
		return l.nodes[w.from].col - 1
	}
	return l.nodes[w.from].col
}

// trunks finds an x for every source in every gutter that it uses: two whose lines would touch never share one.
func (l *layout) trunks(ways []way) map[[2]int]float64 {
	type span struct {
		key      [2]int // gutter, source
		from, to float64
		slot     int
	}
	var spans []span
	at := map[[2]int]int{}
	for _, w := range ways {
		if w.kind == hanging || w.kind == straight {
			continue
		}
		key := [2]int{l.gutterOf(w), w.from}
		y := l.nodes[w.from].Y + l.nodes[w.from].H/2
		i, ok := at[key]
		if !ok {
			i = len(spans)
			at[key] = i
			spans = append(spans, span{key: key, from: y, to: y})
		}
		spans[i].from, spans[i].to = min(spans[i].from, w.y), max(spans[i].to, w.y)
	}
	most := map[int]int{}
	for i := range spans {
		for taken := true; taken; {
			taken = false
			for _, o := range spans[:i] {
				if o.key[0] == spans[i].key[0] && o.slot == spans[i].slot && o.from < spans[i].to+6 && spans[i].from < o.to+6 {
					taken = true
					spans[i].slot++
				}
			}
		}
		most[spans[i].key[0]] = max(most[spans[i].key[0]], spans[i].slot)
	}
	out := map[[2]int]float64{}
	for _, s := range spans {
		left := 0.0
		if s.key[0] >= 0 {
			left = l.g.Columns[s.key[0]].X + l.width
		} else {
			left = l.g.Columns[0].X - gutter
		}
		step := 7.0
		if m := most[s.key[0]]; m > 1 {
			step = 9 / float64(m)
		}
		out[s.key] = left + 6 + float64(s.slot)*step
	}
	return out
}

func (l *layout) path(w way, x float64) string {
	u := l.nodes[w.from]
	uy := u.Y + u.H/2
	tx, ty, _, _ := l.target(w)
	switch w.kind {
	case hanging:
		return fmt.Sprintf("M%s %sV%sq0 3 3 3H%s", num(u.X+5), num(u.Y+u.H), num(ty-3), num(tx))
	case straight:
		return fmt.Sprintf("M%s %sH%s", num(u.X+u.W), num(uy), num(tx))
	case bracket:
		return rounded([]point{{u.X, uy}, {x, uy}, {x, ty}, {tx, ty}})
	case bending:
		return rounded([]point{{u.X + u.W, uy}, {x, uy}, {x, ty}, {tx, ty}})
	default:
		if w.to < 0 {
			return rounded([]point{{u.X + u.W, uy}, {x, uy}, {x, w.y}, {tx, w.y}})
		}
		return rounded([]point{{u.X + u.W, uy}, {x, uy}, {x, w.y}, {tx - 8, w.y}, {tx - 8, ty}, {tx, ty}})
	}
}

type point struct{ x, y float64 }

// rounded is a path along points, with corners of at most 4 px.
func rounded(ps []point) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", num(ps[0].x), num(ps[0].y))
	for i := 1; i < len(ps)-1; i++ {
		a, p, c := ps[i-1], ps[i], ps[i+1]
		r := min(4, length(a, p)/2, length(p, c)/2)
		in, out := toward(p, a, r), toward(p, c, r)
		fmt.Fprintf(&b, "L%s %sQ%s %s %s %s", num(in.x), num(in.y), num(p.x), num(p.y), num(out.x), num(out.y))
	}
	last := ps[len(ps)-1]
	fmt.Fprintf(&b, "L%s %s", num(last.x), num(last.y))
	return b.String()
}

func length(a, b point) float64 { return abs(a.x-b.x) + abs(a.y-b.y) }

// toward is the point r away from p in the direction of q; both lie on a horizontal or vertical line.
func toward(p, q point, r float64) point {
	d := length(p, q)
	if d == 0 {
		return p
	}
	return point{p.x + (q.x-p.x)/d*r, p.y + (q.y-p.y)/d*r}
}

func abs(f float64) float64 { return max(f, -f) }
