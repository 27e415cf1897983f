package web

import (
	"html"
	"html/template"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode"
)

// Templates are written in English and stay readable: their texts are the keys of the catalogue. What a human reads in one is
// found by walking its tree when a page is first built for a language: text between tags, and a few attributes. A sentence
// with names in it is one message, {1} {2} in their places, so that another language may order them as it likes.

// translator replaces the texts of templates.
type translator struct {
	find   func(text string) (string, bool)
	starts map[string]place // of templates that begin inside a tag: by whom they are called
}

// place is where in HTML something stands.
type place struct {
	in        byte   // 0 between tags, '<' within a tag, '=' within a value
	quote     byte   // that ends the value
	attribute string // whose value it is, or the last that was named
	raw       string // script, style: nothing there is text
}

// heardAttrs are attributes that somebody reads or hears.
var heardAttrs = map[string]bool{"placeholder": true, "aria-label": true, "title": true, "alt": true, "data-copied": true, "data-by-hand": true}

// within are elements that stand in a sentence like a word, if they hold no words of their own; what stands in code is never translated.
var within = map[string]bool{"bdi": true, "b": true, "code": true, "kbd": true}

// translate replaces texts of templates that are not known yet, and says which are now.
func (t *translator) translate(all *template.Template, known map[string]bool) map[string]bool {
	done := map[string]bool{}
	for _, x := range all.Templates() { // how they call each other
		if x.Tree != nil && !known[x.Name()] {
			(&sentenceReader{t: &translator{find: nothing, starts: t.starts}}).list(x.Tree.Root, place{})
		}
	}
	for _, x := range all.Templates() {
		if x.Tree == nil || known[x.Name()] {
			continue
		}
		(&sentenceReader{t: t}).list(x.Tree.Root, t.starts[x.Name()])
		done[x.Name()] = true
	}
	return done
}

func nothing(string) (string, bool) { return "", false }

// word is a part of a sentence: a text as HTML, or something that is put in.
type word struct {
	text  string
	nodes []parse.Node // instead of text
	tag   string       // <bdi> begins something of the element bdi, </bdi> ends it
}

// sentenceReader goes through one list of a tree.
type sentenceReader struct {
	t      *translator
	at     place
	out    []parse.Node
	raw    strings.Builder // markup that is kept
	said   []word          // the sentence so far
	blocks bool            // it holds markup that ends sentences
	like   *parse.TextNode
}

// list replaces the texts of a list in place; it says where its end stands, and whether all of it may stand in a sentence.
func (s *sentenceReader) list(l *parse.ListNode, from place) (end place, inline bool) {
	if l == nil {
		return from, true
	}
	s.at, s.out = from, nil
	for _, n := range l.Nodes {
		s.node(n)
	}
	s.flush()
	s.keep()
	l.Nodes = s.out
	return s.at, !s.blocks
}

func (s *sentenceReader) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.TextNode:
		s.like = n
		s.text(string(n.Text))
		return
	case *parse.TemplateNode:
		if s.at.in != 0 {
			s.t.starts[n.Name] = s.at
		} else if n.Name == "i" { // an icon stands before or after what is said
			s.flush()
			s.keep()
			s.out = append(s.out, n)
			return
		}
	case *parse.IfNode:
		if !s.branch(&n.BranchNode, n) {
			return
		}
	case *parse.WithNode:
		if !s.branch(&n.BranchNode, n) {
			return
		}
	case *parse.RangeNode:
		if !s.branch(&n.BranchNode, n) {
			return
		}
	}
	s.put(n)
}

// branch goes through both sides of a condition. true: it stands in the sentence like a word.
func (s *sentenceReader) branch(b *parse.BranchNode, n parse.Node) bool {
	end, one := (&sentenceReader{t: s.t}).list(b.List, s.at)
	_, other := (&sentenceReader{t: s.t}).list(b.ElseList, s.at)
	if s.speaks() && one && other {
		return true
	}
	s.flush()
	s.keep()
	s.out = append(s.out, n)
	s.blocks = s.blocks || s.at.in == 0
	s.at = end
	return false
}

// put takes something that is no text.
func (s *sentenceReader) put(n parse.Node) {
	if s.speaks() {
		s.said = append(s.said, word{nodes: []parse.Node{n}})
		return
	}
	s.keep()
	s.out = append(s.out, n)
}

// speaks says that what stands here is read by somebody.
func (s *sentenceReader) speaks() bool {
	return s.at.in == 0 && s.at.raw == "" || s.at.in == '=' && heardAttrs[s.at.attribute]
}

// text reads HTML up to its end, which may be anywhere in it.
func (s *sentenceReader) text(src string) {
	for src != "" {
		switch {
		case s.at.in == 0:
			src = s.between(src)
		case s.at.in == '<':
			src = s.tag(src)
		default:
			i := strings.IndexByte(src, s.at.quote)
			if i < 0 {
				i = len(src)
			}
			if s.speaks() {
				s.said = append(s.said, word{text: src[:i]})
			} else {
				s.raw.WriteString(src[:i])
			}
			if src = src[i:]; src != "" {
				s.flush()
				s.raw.WriteString(src[:1])
				s.at.in, src = '<', src[1:]
			}
		}
	}
}

// between reads text up to the next tag.
func (s *sentenceReader) between(src string) (rest string) {
	i := strings.IndexByte(src, '<')
	if s.at.raw != "" {
		i = strings.Index(src, "</"+s.at.raw)
	}
	if i < 0 {
		i = len(src)
	}
	if s.at.raw != "" {
		s.raw.WriteString(src[:i])
		s.at.raw = ""
	} else if i > 0 {
		s.said = append(s.said, word{text: src[:i]})
	}
	if src = src[i:]; src == "" {
		return ""
	}
	name := strings.ToLower(strings.TrimLeft(src, "</"))
	name = name[:len(name)-len(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz0123456789"))]
	if end := strings.IndexByte(src, '>'); within[name] && end >= 0 { // whole, so it may stand in the sentence
		kind := "<"
		if strings.HasPrefix(src, "</") {
			kind = "</"
		}
		s.said = append(s.said, word{text: src[:end+1], tag: kind + name})
		return src[end+1:]
	}
	s.flush()
	s.blocks = true
	s.at = place{in: '<'}
	if name == "script" || name == "style" {
		s.at.raw = name
		if strings.HasPrefix(src, "</") {
			s.at.raw = ""
		}
	}
	s.raw.WriteByte('<')
	return src[1:]
}

// tag reads names of attributes up to a value or the end of the tag.
func (s *sentenceReader) tag(src string) (rest string) {
	i := strings.IndexAny(src, `>"'`)
	if i < 0 {
		i = len(src)
	}
	head := src[:i]
	s.raw.WriteString(head)
	if words := strings.Fields(strings.ReplaceAll(head, "=", " ")); len(words) > 0 {
		s.at.attribute = words[len(words)-1]
	}
	if src = src[i:]; src == "" {
		return ""
	}
	s.raw.WriteByte(src[0])
	if src[0] == '>' {
		s.at.in = 0
	} else {
		s.at.in, s.at.quote = '=', src[0]
	}
	return src[1:]
}

// keep turns markup into a node of its own.
func (s *sentenceReader) keep() {
	if s.raw.Len() == 0 {
		return
	}
	s.out = append(s.out, s.node1(s.raw.String()))
	s.raw.Reset()
}

func (s *sentenceReader) node1(text string) parse.Node {
	n := s.like.Copy().(*parse.TextNode)
	n.Text = []byte(text)
	return n
}

// flush says the sentence that was read.
func (s *sentenceReader) flush() {
	said := s.said
	s.said = nil
	var sentence []word
	for i := 0; i < len(said); i++ {
		w := said[i]
		if strings.HasPrefix(w.tag, "<") && !strings.HasPrefix(w.tag, "</") {
			if end := closing(said, i); end > 0 && (w.tag == "<code" || w.tag == "<kbd" || !wordy(said[i+1:end])) {
				sentence = append(sentence, word{nodes: s.nodes(said[i : end+1])})
				i = end
				continue
			}
		}
		if w.tag != "" { // it has words of its own: they are a text by themselves
			s.say(sentence)
			sentence = nil
			s.raw.WriteString(w.text)
			continue
		}
		sentence = append(sentence, w)
	}
	s.say(sentence)
}

func closing(said []word, from int) int {
	for i := from + 1; i < len(said); i++ {
		if said[i].tag == "</"+said[from].tag[1:] {
			return i
		}
	}
	return -1
}

func wordy(said []word) bool {
	for _, w := range said {
		if w.tag == "" && strings.ContainsFunc(html.UnescapeString(w.text), unicode.IsLetter) {
			return true
		}
	}
	return false
}

func (s *sentenceReader) nodes(said []word) []parse.Node {
	var out []parse.Node
	for _, w := range said {
		if w.nodes != nil {
			out = append(out, w.nodes...)
		} else if w.text != "" {
			out = append(out, s.node1(w.text))
		}
	}
	return out
}

// say writes one sentence: in the language, if the catalogue has it, and as it stands otherwise.
func (s *sentenceReader) say(sentence []word) {
	if len(sentence) == 0 {
		return
	}
	as := s.nodes(sentence)
	if text, places, before, after := message(sentence); wordy(sentence) {
		if said, ok := s.t.find(text); ok {
			if nodes, ok := s.fill(said, places); ok {
				s.raw.WriteString(before)
				s.keep()
				s.out = append(s.out, nodes...)
				s.raw.WriteString(after)
				return
			}
		}
	}
	s.keep()
	s.out = append(s.out, as...)
}

// message is a sentence as the catalogue has it, and the blanks around it.
func message(sentence []word) (text string, places [][]parse.Node, before, after string) {
	var b strings.Builder
	for _, w := range sentence {
		if w.nodes == nil {
			b.WriteString(html.UnescapeString(w.text))
			continue
		}
		places = append(places, w.nodes)
		b.WriteString("{" + strconv.Itoa(len(places)) + "}")
	}
	text = b.String()
	trimmed := strings.TrimSpace(text)
	before, after, _ = strings.Cut(text, trimmed)
	return strings.Join(strings.Fields(trimmed), " "), places, before, after
}

// fill puts what varies into the places of a translation; false: it has other places than the text.
func (s *sentenceReader) fill(said string, places [][]parse.Node) ([]parse.Node, bool) {
	var out []parse.Node
	used := make([]bool, len(places))
	for said != "" {
		i := strings.IndexByte(said, '{')
		if i < 0 {
			i = len(said)
		}
		if i > 0 {
			out = append(out, s.node1(html.EscapeString(said[:i])))
		}
		if said = said[i:]; said == "" {
			break
		}
		inner, rest, ok := strings.Cut(said[1:], "}")
		n, err := strconv.Atoi(inner)
		if !ok || err != nil || n < 1 || n > len(places) || used[n-1] {
			return nil, false
		}
		used[n-1] = true
		out, said = append(out, places[n-1]...), rest
	}
	for _, u := range used {
		if !u {
			return nil, false
		}
	}
	return out, true
}
