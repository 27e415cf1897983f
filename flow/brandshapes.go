package flow

import (
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A drawing may show a part of itself again. Parts that show parts ten times each are more shapes than any browser draws, so
// what is drawn in the end is counted.

// mostShapes of a logo, those counted that are shown again.
const mostShapes = 20_000

// drawing is what shows what.
type drawing struct {
	parts   []drawn
	open    []int          // from the root
	ids     map[string]int // the first that has it counts
	painted []string       // ids that styles name
}

type drawn struct {
	name   string
	inner  []int
	shows  []string
	weight int // 0: not known yet; -1: it is being weighed
}

// shown are references within the file.
var shown = regexp.MustCompile(`(?i)url\(\s*["']?\s*#([^"')]*)`)

func shownBy(text string) (out []string) {
	for _, m := range shown.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.TrimSpace(m[1]))
	}
	return out
}

func (d *drawing) begin(t xml.StartElement) error {
	if d.ids == nil {
		d.ids = map[string]int{}
	}
	at, part := len(d.parts), drawn{name: t.Name.Local}
	for _, a := range t.Attr {
		switch name := strings.ToLower(a.Name.Local); name {
		case "id":
			if _, twice := d.ids[a.Value]; !twice {
				d.ids[a.Value] = at
			}
		case "href":
			part.shows = append(part.shows, strings.TrimPrefix(strings.TrimSpace(a.Value), "#"))
		default:
			part.shows = append(part.shows, shownBy(a.Value)...)
		}
	}
	if n := len(d.open); n > 0 {
		outer := &d.parts[d.open[n-1]]
		if outer.name == "style" {
			return errors.New("a style holds no elements")
		}
		outer.inner = append(outer.inner, at)
	}
	d.parts, d.open = append(d.parts, part), append(d.open, at)
	return nil
}

func (d *drawing) end(text string) {
	if n := len(d.open); n > 0 {
		if d.parts[d.open[n-1]].name == "style" {
			d.painted = append(d.painted, shownBy(text)...)
		}
		d.open = d.open[:n-1]
	}
}

// judge weighs it. Of styles it is not known to what they apply, so they name what shows nothing else: gradients.
func (d *drawing) judge() error {
	for _, id := range d.painted {
		if at, there := d.ids[id]; there && !strings.HasSuffix(d.parts[at].name, "Gradient") {
			return fmt.Errorf("a style of the logo shows %s, and may show gradients only; name it at the element", shortly(id))
		}
	}
	_, err := d.weigh(0)
	return err
}

func (d *drawing) weigh(at int) (int, error) {
	part := &d.parts[at]
	switch {
	case part.weight < 0:
		return 0, fmt.Errorf("<%s> of the logo shows itself", shortly(part.name))
	case part.weight > 0:
		return part.weight, nil
	}
	part.weight = -1
	inner := part.inner
	for _, id := range part.shows {
		if to, there := d.ids[id]; there {
			inner = append(inner[:len(inner):len(inner)], to)
		}
	}
	sum := 1
	for _, x := range inner {
		w, err := d.weigh(x)
		if err != nil {
			return 0, err
		}
		if sum += w; sum > mostShapes {
			return 0, fmt.Errorf("the logo draws more than %d shapes", mostShapes)
		}
	}
	part.weight = sum
	return sum, nil
}
