package cucm

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dayone-hq/dayone"
)

// State is what a write does to an element: an element that is not there, one that is there and empty, and one that holds
// something are three different things to AXL.
type State int

// The states of an element.
const (
	Leave State = iota // it is not named: the cluster keeps what it has
	Clear              // it is named and empty: the cluster empties it
	Set                // it is named and holds something
)

// Element is one element of an AXL message: it holds text or other elements, never both.
type Element struct {
	Name string
	UUID string // of the object that it is, or that it names
	CTI  string // ctiid of a line: applications know the line by it
	Type string // of what changed, in a change list
	From string // queueId of a change list
	Text string
	Kids []*Element
}

// Leaf is an element that holds text; Group one that holds others.
func Leaf(name, text string) *Element              { return &Element{Name: name, Text: text} }
func Group(name string, kids ...*Element) *Element { return &Element{Name: name, Kids: kids} }

// State says what writing the element at a path such as "pinCredentials/pinCredUserMustChange" would do.
func (e *Element) State(path string) State {
	switch k := e.At(path); {
	case k == nil:
		return Leave
	case k.empty():
		return Clear
	}
	return Set
}

func (e *Element) empty() bool { return e.Text == "" && len(e.Kids) == 0 }

// At is the first element at a path, or nil.
func (e *Element) At(path string) *Element {
	for name := range strings.SplitSeq(path, "/") {
		if e = e.kid(name); e == nil {
			return nil
		}
	}
	return e
}

// Value is the text at a path; "" also where nothing is.
func (e *Element) Value(path string) string {
	if k := e.At(path); k != nil {
		return k.Text
	}
	return ""
}

// True says that a path holds one of the ways in which AXL writes true.
func (e *Element) True(path string) bool {
	switch e.Value(path) {
	case "true", "t", "1":
		return true
	}
	return false
}

// All are the elements at a path, of which the last name may stand several times.
func (e *Element) All(path string) []*Element {
	if dir, last, ok := cutLast(path); ok {
		if e = e.At(dir); e == nil {
			return nil
		}
		path = last
	}
	var out []*Element
	for _, k := range e.Kids {
		if k.Name == path {
			out = append(out, k)
		}
	}
	return out
}

// Values are the texts at a path.
func (e *Element) Values(path string) []string {
	var out []string
	for _, k := range e.All(path) {
		out = append(out, k.Text)
	}
	return out
}

func cutLast(path string) (dir, last string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

func (e *Element) kid(name string) *Element {
	for _, k := range e.Kids {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Clone is a copy that shares nothing.
func (e *Element) Clone() *Element {
	out := *e
	out.Kids = make([]*Element, len(e.Kids))
	for i, k := range e.Kids {
		out.Kids[i] = k.Clone()
	}
	return &out
}

// write appends the element as XML, each text as it is, so that what is written reads back byte for byte.
func (e *Element) write(b *bytes.Buffer) {
	b.WriteString("<" + e.Name)
	attribute(b, "ctiid", e.CTI)
	attribute(b, "queueId", e.From)
	if e.empty() {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	if len(e.Kids) > 0 {
		for _, k := range e.Kids {
			k.write(b)
		}
	} else {
		_ = xml.EscapeText(b, []byte(e.Text))
	}
	b.WriteString("</" + e.Name + ">")
}

func attribute(b *bytes.Buffer, name, value string) {
	if value != "" {
		b.WriteString(" " + name + `="`)
		_ = xml.EscapeText(b, []byte(value))
		b.WriteByte('"')
	}
}

// maxDepth keeps a hostile answer from exhausting the stack; AXL's own messages are nine deep.
const maxDepth = 32

// parse reads one XML document without its prefixes.
func parse(r io.Reader) (*Element, error) {
	dec := xml.NewDecoder(r)
	var stack []*Element
	var root *Element
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			e := begin(t)
			if len(stack) == maxDepth || len(stack) == 0 && root != nil {
				return nil, fmt.Errorf("elements stand where none may: %w", dayone.ErrInvalid)
			}
			if len(stack) > 0 {
				up := stack[len(stack)-1]
				up.Kids, up.Text = append(up.Kids, e), ""
			} else {
				root = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 && len(stack[len(stack)-1].Kids) == 0 {
				stack[len(stack)-1].Text += string(t)
			}
		}
	}
	if root == nil {
		return nil, io.ErrUnexpectedEOF
	}
	return root, nil
}

func begin(t xml.StartElement) *Element {
	e := &Element{Name: t.Name.Local}
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "uuid":
			e.UUID = strings.ToLower(strings.Trim(a.Value, "{}"))
		case "ctiid":
			e.CTI = a.Value
		case "type":
			e.Type = a.Value
		}
	}
	return e
}
