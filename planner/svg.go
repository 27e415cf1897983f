package planner

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/dayone-hq/dayone"
)

// Look is how a state is drawn: an icon and a class.
type Look string

const (
	LookPending    Look = "pending"
	LookDone       Look = "done"
	LookAlready    Look = "already"
	LookRunning    Look = "running"
	LookWaiting    Look = "waiting"
	LookTask       Look = "task"
	LookFirstLogin Look = "first login"
	LookApproval   Look = "approval"
	LookFailed     Look = "failed"
	LookBlocked    Look = "blocked"
	LookSkipped    Look = "skipped"
	LookUndone     Look = "undone"
)

// Mark is the state of a step in a picture. Text is what people read: "Done, changed".
type Mark struct {
	Look Look
	Text string
}

// drawn is the class of a node, the class of its tick when folded, and the inside of its icon, 16 by 16. Worst comes
// first: a folded cell shows the worst of its steps.
type drawn struct {
	look        Look
	class, tick string
	icon        string
}

var looks = []drawn{
	{LookFailed, "n-f", "k-f", `<path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4"/>`},
	{LookRunning, "n-r", "k-r", `<path d="M14.2 8A6.2 6.2 0 1 1 8 1.8"/>`},
	{LookTask, "n-w", "k-w2", `<rect x="3" y="3" width="10" height="11" rx="1.5"/><path d="M6 2h4v2.4H6zM5.8 9.2l1.5 1.5 2.8-3.1"/>`},
	{LookApproval, "n-w", "k-w2", `<circle cx="6" cy="5" r="2.6"/><path d="M1.6 13.6c.3-2.7 2-4.2 4.4-4.2 1 0 1.9.3 2.6.8M12 8.6v2.6M12 13.6v.1"/>`},
	{LookFirstLogin, "n-w", "k-w2", `<circle cx="5" cy="11" r="3"/><path d="m7.2 8.8 6-6M11 5l2 2"/>`},
	{LookWaiting, "n-w", "k-w2", `<circle cx="8" cy="8" r="6.3"/><path d="M8 4.4V8l2.4 1.6"/>`},
	{LookBlocked, "n-b", "k-b", `<circle cx="8" cy="8" r="6.3"/><path d="M4.6 8h6.8"/>`},
	{LookPending, "n-p", "k-p2", `<circle cx="8" cy="8" r="6.3" stroke-dasharray="2 2.4"/>`},
	{LookSkipped, "n-b", "k-b", `<path d="m4 4 4 4-4 4M9 4l4 4-4 4"/>`},
	{LookUndone, "n-b", "k-b", `<path d="M5.6 3 2.6 6l3 3M2.8 6h6.4a3.9 3.9 0 0 1 0 7.8H6"/>`},
	{LookDone, "n-d", "k-d", `<circle cx="8" cy="8" r="6.3"/><path d="m5.2 8.2 2 2 3.6-4.1"/>`},
	{LookAlready, "n-a", "k-d", `<path d="m1.8 8.6 2.6 2.6 5-5.8M8.4 10.6l.7.6 5.1-5.8"/>`},
}

// rank is the place of a look in the table; what nobody knows is not started.
func rank(l Look) int {
	i := slices.IndexFunc(looks, func(d drawn) bool { return d.look == l })
	if i < 0 {
		return rank(LookPending)
	}
	return i
}

// worst is the mark that a node shows.
func (n Node) worst(states map[dayone.StepID]Mark) (Mark, drawn) {
	best, mark := len(looks), Mark{}
	for _, id := range n.Steps {
		if r := rank(states[id].Look); r < best {
			best, mark = r, states[id]
		}
	}
	return mark, looks[best]
}

// Worst is the mark that a node shows: of a folded cell, the one that needs looking at most.
func (n Node) Worst(states map[dayone.StepID]Mark) Mark {
	mark, _ := n.worst(states)
	return mark
}

// lost says that nothing will come along a line any more.
func lost(l Look) bool { return l == LookFailed || l == LookBlocked }

// SVG draws a graph with the states of its steps; nil: a plan that nobody has begun. Equal inputs give equal bytes.
// Colours are classes of the portal's stylesheet, positions are attributes: no style is inline.
func SVG(g Graph, states map[dayone.StepID]Mark) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="graph" width="%s" height="%s" viewBox="0 0 %s %s" role="group" aria-label="%s">`+"\n",
		num(g.Width), num(g.Height), num(g.Width), num(g.Height), html.EscapeString(g.says("Plan as a graph: systems down, tiers across. The list of steps below says the same in words.")))
	right := g.Width
	if g.Gate != nil {
		right = g.Gate.X - 2
	}
	for i, l := range g.Lanes {
		if i%2 == 0 {
			fmt.Fprintf(&b, `<rect class="lane alt" x="0" y="%s" width="%s" height="%s"/>`+"\n", num(l.Y), num(right), num(l.Height))
		}
		for n, line := range l.Lines {
			y := l.Y + min(24.5, l.Height/2+4) + (float64(n)-float64(len(l.Lines)-1)/2)*lineHeight
			fmt.Fprintf(&b, `<text class="lane-t" x="5" y="%s">%s</text>`+"\n", num(y), html.EscapeString(line))
		}
	}
	for _, c := range g.Columns {
		fmt.Fprintf(&b, `<text class="tier" x="%s" y="18">%s</text>`+"\n", num(c.X), html.EscapeString(c.Title))
	}
	fmt.Fprintf(&b, `<path class="rule" d="M0 29.5H%s"/>`+"\n", num(g.Width))
	for _, e := range g.Edges {
		class := "edge"
		if e.Critical {
			class += " crit"
		}
		if slices.ContainsFunc(e.From, func(id dayone.StepID) bool { return lost(states[id].Look) }) {
			class += " cut"
		}
		fmt.Fprintf(&b, `<path class="%s" d="%s"/>`+"\n", class, e.Path)
	}
	if q := g.Gate; q != nil {
		fmt.Fprintf(&b, `<rect class="gate" x="%s" y="%s" width="%d" height="%s" rx="2"><title>%s</title></rect><text class="tier" x="%s" y="%s" text-anchor="middle">%s</text>`+"\n",
			num(q.X), num(q.Y), gateWidth, num(q.Height), html.EscapeString(g.says("Ready gate: opens when every step before it is settled")), num(q.X+gateWidth/2), num(q.Y+q.Height+17), html.EscapeString(g.says("ready gate")))
	}
	for _, n := range g.Nodes {
		b.WriteString(n.SVG(states))
		b.WriteString("\n")
	}
	b.WriteString("</svg>")
	return b.String()
}

// SVG draws one node by itself, for a page that swaps it.
func (n Node) SVG(states map[dayone.StepID]Mark) string {
	mark, d := n.worst(states)
	label := n.Title
	if mark.Text != "" {
		label += ": " + mark.Text
	}
	label = html.EscapeString(label)
	href := "?step=" + strconv.Itoa(n.Number) + "#step-detail"
	switch {
	case n.row > 0:
		href = "#plan-" + strconv.Itoa(n.row)
	case n.Number == 0:
		href = "?open=" + html.EscapeString(n.Cell) + "#run-graph"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<a class="node %s" id="%s" href="%s" aria-label="%s"><title>%s</title><rect x="%s" y="%s" width="%s" height="%s" rx="4"/>`,
		d.class, html.EscapeString(n.ID), href, label, label, num(n.X), num(n.Y), num(n.W), num(n.H))
	fmt.Fprintf(&b, `<svg class="ico" x="%s" y="%s" width="12" height="12" viewBox="0 0 16 16">%s</svg>`, num(n.X+6), num(n.Y+5.5), d.icon)
	n.label(&b)
	if n.Number == 0 {
		n.ticks(&b, states)
	}
	b.WriteString("</a>")
	return b.String()
}

// label writes the whole label: what does not fit is clipped, not cut, so that a page can be searched for it. Three dots
// say that there is more.
func (n Node) label(b *strings.Builder) {
	text, y := html.EscapeString(n.Label), n.Y+n.H/2+4.2
	room := n.W - 26
	if textWidth(n.Label) <= room {
		fmt.Fprintf(b, `<text x="%s" y="%s">%s</text>`, num(n.X+21), num(y), text)
		return
	}
	room -= 11
	fmt.Fprintf(b, `<svg x="%s" y="%s" width="%s" height="%s"><text x="0" y="%s">%s</text></svg>`, num(n.X+21), num(n.Y), num(room), num(n.H), num(n.H/2+4.2), text)
	fmt.Fprintf(b, `<path class="more" d="M%s %sh.1m3 0h.1m3 0h.1"/>`, num(n.X+21+room+2), num(y-.8))
}

// ticks are a folded cell's own strip: one mark a step.
func (n Node) ticks(b *strings.Builder, states map[dayone.StepID]Mark) {
	each := (n.W - 8 - float64(len(n.Steps)-1)) / float64(len(n.Steps))
	for i, id := range n.Steps {
		fmt.Fprintf(b, `<rect class="%s seg-t" x="%s" y="%s" width="%s" height="2"/>`,
			looks[rank(states[id].Look)].tick, num(n.X+4+float64(i)*(each+1)), num(n.Y+n.H-4), num(max(each, .5)))
	}
}

// num writes a coordinate with at most one digit behind the point.
func num(f float64) string {
	return strconv.FormatFloat(math.Round(f*10)/10+0, 'f', -1, 64)
}

// textWidth estimates the width of a label at 12 px, by class of character: nobody measures fonts here.
func textWidth(s string) float64 {
	w := 0.0
	for _, r := range s {
		w += runeWidth(r)
	}
	return w
}

func runeWidth(r rune) float64 {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case strings.ContainsRune("iljtfrI.,:;'|!()[] -/", r):
		return 4
	case strings.ContainsRune("mwMW@%&", r), r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana):
		return 12
	case unicode.IsUpper(r), r == '#', r == '_':
		return 8.4
	default:
		return 7.2
	}
}

// lineHeight is how far two lines of one label stand apart.
const lineHeight = 14

// Wrap breaks a label between words into two lines at most; what does not fit then is cut.
func Wrap(s string, width float64) []string {
	if textWidth(s) <= width {
		return []string{s}
	}
	words := strings.Fields(s)
	for n := len(words) - 1; n > 0; n-- {
		if first := strings.Join(words[:n], " "); textWidth(first) <= width {
			return []string{first, Cut(strings.Join(words[n:], " "), width)}
		}
	}
	return []string{Cut(s, width)}
}

// Cut shortens a label to a width; the whole text stands in the title.
func Cut(s string, width float64) string {
	if textWidth(s) <= width {
		return s
	}
	w := 12.0 // of the ellipsis
	var b strings.Builder
	for _, r := range s {
		if w += runeWidth(r); w > width {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ") + "…"
}
