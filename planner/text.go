package planner

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// Text writes a plan as people read it: one line a step, in order, with what it needs, how it is taken back and why it
// is there. name is how the person is called.
func Text(w io.Writer, p dayone.Plan, name string, zone *time.Location) error {
	if zone == nil {
		zone = time.UTC
	}
	at := p.At.In(zone).Format("2006-01-02 15:04 MST")
	head := fmt.Sprintf("plan for %s at %s", name, at)
	if len(p.Steps) == 0 {
		head += ": nothing to do"
	} else {
		head += fmt.Sprintf("   %s   %s", plural(len(p.Steps), "step"), p.Hash()[:12])
	}
	rows := make([][]string, 0, len(p.Steps))
	number := map[dayone.StepID]int{}
	for i, s := range p.Steps {
		number[s.ID] = i + 1
	}
	for i, s := range p.Steps {
		rows = append(rows, []string{
			strconv.Itoa(i + 1), sign(s.Action), s.Key.String(), what(s), needText(s, number),
			asksText(s), critical(s), "undo " + undoText(s.Undo), reasonText(s.Because),
		})
	}
	var b strings.Builder
	b.WriteString(head + "\n")
	table(&b, rows, 0)
	for _, l := range p.Later {
		fmt.Fprintf(&b, "  later  %s from %s\n", l.Key, l.From.In(zone).Format("Mon 2 Jan 2006 15:04"))
	}
	said := map[string]bool{}
	for _, f := range p.Findings {
		if !said[f.Text] { // of several grants at one system
			fmt.Fprintf(&b, "  note   %s\n", f.Text)
		}
		said[f.Text] = true
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

func sign(a dayone.Action) string {
	switch {
	case a == dayone.MessageSend:
		return ">"
	case a.Takes():
		return "-"
	case a == dayone.AccountCreate, a == dayone.EntitlementAdd:
		return "+"
	case a == dayone.AccountConfirm, a == dayone.EntitlementConfirm:
		return "?"
	default:
		return "~"
	}
}

func what(s dayone.Step) string {
	switch s.Action {
	case dayone.EntitlementRemove:
		return "remove"
	case dayone.EntitlementAdd:
		out := s.Want.Role
		switch {
		case s.Have == nil:
		case s.Have.Key != s.Key:
			out += " instead of " + s.Have.Key.Name
		case s.Have.Role != s.Want.Role:
			out += " instead of " + s.Have.Role
		}
		return strings.TrimSpace(out)
	case dayone.AccountCreate:
		out := "create"
		if s.Want.State != dayone.Active {
			out += " " + string(s.Want.State)
		}
		if s.Via.System != "" {
			out += " through " + s.Via.System
		}
		return out
	case dayone.MessageSend:
		return "to " + s.Want.Attrs["to"].String()
	default:
		_, verb, _ := strings.Cut(string(s.Action), ".")
		if s.Want != nil && s.Action == dayone.AccountUpdate {
			verb += " " + strings.Join(s.Want.Attrs.Names(), ", ")
		}
		return verb
	}
}

func needText(s dayone.Step, number map[dayone.StepID]int) string {
	by := map[dayone.When][]int{}
	for _, n := range s.Needs {
		by[n.When] = append(by[n.When], number[n.Step])
	}
	if s.Action == dayone.MessageSend && len(by[dayone.Settled]) > 0 {
		return "all settled"
	}
	var out []string
	for _, w := range []struct {
		when dayone.When
		text string
	}{{dayone.Done, "needs"}, {dayone.Tried, "after trying"}, {dayone.Settled, "once settled"}} {
		ns := by[w.when]
		slices.Sort(ns)
		for i, n := range ns {
			if i == 0 {
				out = append(out, w.text+" "+strconv.Itoa(n))
			} else {
				out[len(out)-1] += ", " + strconv.Itoa(n)
			}
		}
	}
	return strings.Join(out, "; ")
}

func critical(s dayone.Step) string {
	if s.Critical != dayone.Rollback {
		return "" // stop is what everybody expects; continue harms nobody
	}
	return "rollback on failure"
}

func undoText(u dayone.Undo) string {
	if why, no := strings.CutPrefix(string(u), string(dayone.UndoNone)); no {
		return "no: " + why
	}
	return string(u)
}

// table pads columns to their widest cell; the first is right-aligned. Empty columns vanish.
func table(b *strings.Builder, rows [][]string, rightAligned int) {
	if len(rows) == 0 {
		return
	}
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, r := range rows {
		line := " "
		for i, c := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			switch {
			case width[i] == 0:
			case i == rightAligned:
				line += " " + pad + c
			case i == 1:
				line += " " + c
			default:
				line += " " + c + pad + " "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
