package web

import (
	"bytes"
	"cmp"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A page offers nobody what the table of roles refuses. No template has to think of it: what is built passes here before it
// leaves, and each link and form is looked up in the table that would refuse it. It is done to the finished page, as parts of
// some are built once for all who look.
//
//   - A link that may not be followed is plain text; one that looks like a button is left out.
//   - A form that may not be sent is left out, and so is what then has nothing in it but its heading. With data-said, why not
//     and who may is said in its place; with data-shown, what it holds stays, without its buttons.
//   - data-for names what a link is there for, if that is not where it leads: "POST /runs/x/undo". Without it the link is left out.
//
// Whether one thing is in sight is not decided here: that is for what the address leads to.

// lets is what somebody may do, as far as the table says.
type lets struct {
	p     *portal
	who   who
	r     *http.Request
	asked map[string]bool   // by pattern
	found map[string]string // patterns by what an address looks like
	probe http.Request
}

// letsOf is what whoever asks may do; nil: everything is offered, as nobody is in.
func (p *portal) letsOf(r *http.Request) *lets {
	w, in := p.access.session(r)
	if !in {
		return nil
	}
	return &lets{p: p, who: w, r: r, asked: map[string]bool{}, found: map[string]string{}, probe: http.Request{Host: r.Host, URL: &url.URL{}}}
}

// pattern is the address in the table to which a reference leads; "": to none, or elsewhere, or it stays on the page.
func (l *lets) pattern(method, ref string) string {
	path, _, _ := strings.Cut(html.UnescapeString(ref), "#")
	path, _, _ = strings.Cut(path, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return ""
	}
	like := method + " " + likeness(path)
	if pattern, known := l.found[like]; known {
		return pattern
	}
	bare, err := url.PathUnescape(path)
	if err != nil {
		return ""
	}
	l.probe.Method = method
	l.probe.URL.Path, l.probe.URL.RawPath = bare, path
	_, pattern := l.p.mux.Handler(&l.probe)
	l.found[like] = pattern
	return pattern
}

// likeness is a path without the id in it: those of all rows of a list are alike, and no address in the table has one.
func likeness(path string) string {
	i := strings.IndexByte(path, '_')
	if end := i + 27; i >= 4 && path[i-4] == '/' && (len(path) == end || len(path) > end && path[end] == '/') && !strings.Contains(path[i:end], "/") {
		return path[:i] + path[end:]
	}
	return path
}

// refuses says that the table does. What is not in it is nobody's, and what anybody may is hers, too.
func (l *lets) refuses(pattern string) bool {
	roles, known := allowed[pattern]
	if !known || len(roles) == 0 || pattern == "GET /{$}" { // which leads an employee to what is hers
		return false
	}
	may, asked := l.asked[pattern]
	if !asked {
		may = l.p.lets(l.who, pattern)
		l.asked[pattern] = may
	}
	return !may
}

// only is a page, or a part of one, without what is refused.
func (l *lets) only(page []byte) []byte {
	if l == nil {
		return page
	}
	var out []byte // what is kept so far, once something is left out
	kept, at := 0, 0
	for {
		i := bytes.IndexByte(page[at:], '<')
		if i < 0 {
			break
		}
		at += i
		name := offerIn(page[at:])
		if name == "" {
			at++
			continue
		}
		end := at + bytes.IndexByte(page[at:], '>') + 1
		if end <= at {
			break
		}
		tag := string(page[at:end])
		pattern, whole := l.asks(name, tag)
		if pattern == "" {
			at = end
			continue
		}
		closing := "</" + name + ">"
		inner := bytes.Index(page[end:], []byte(closing))
		if inner < 0 {
			at = end // a fault of the template, which is not made worse
			continue
		}
		out = append(out, page[kept:at]...)
		inside := page[end : end+inner]
		at = end + inner + len(closing)
		switch {
		case name == "form" && strings.Contains(tag, " data-said"):
			out = still(out, "div", tag, []byte(`<p class="muted">`+html.EscapeString(l.why(pattern))+`</p>`))
		case name == "form" && strings.Contains(tag, " data-shown"):
			out = still(out, "div", tag, buttons.ReplaceAll(inside, nil))
		case name == "a" && !whole && !isButton(attr(tag, "class")):
			out = still(out, "span", tag, inside)
		default:
			out, at = hollow(out, page, at)
		}
		kept = at
	}
	if kept == 0 {
		return page
	}
	return append(out, page[kept:]...)
}

// buttons are what sends a form.
var buttons = regexp.MustCompile(`(?s)<button\b.*?</button>`)

// still appends an element that looks like what it stands for, and does nothing.
func still(out []byte, name, tag string, inside []byte) []byte {
	out = append(append(out, '<'), name...)
	for _, look := range []string{"class", "title"} {
		if value := attr(tag, look); value != "" {
			out = append(out, ` `+look+`="`+value+`"`...)
		}
	}
	out = append(append(out, '>'), inside...)
	return append(append(append(out, "</"...), name...), '>')
}

// offerIn is the name of an element that may lead or send somewhere.
func offerIn(rest []byte) string {
	for _, name := range []string{"a", "form", "button"} {
		if n := len(name) + 1; len(rest) > n && rest[n] == ' ' && string(rest[1:n]) == name {
			return name
		}
	}
	return ""
}

// asks is the address in the table for which an element cannot stay as it is, "" if it can; whole says that it is left out
// with its text.
func (l *lets) asks(name, tag string) (pattern string, whole bool) {
	if why := attr(tag, "data-for"); why != "" {
		method, to, _ := strings.Cut(why, " ")
		if pattern = l.pattern(method, to); l.refuses(pattern) {
			return pattern, true
		}
	}
	method, to := http.MethodGet, attr(tag, "href")
	switch {
	case name == "button":
		method, to = http.MethodPost, attr(tag, "formaction")
	case name == "form":
		to = attr(tag, "action")
		if strings.Contains(tag, ` method="post"`) {
			method = http.MethodPost
			to = cmp.Or(to, l.r.URL.Path) // the page itself
		}
	}
	if pattern = l.pattern(method, to); l.refuses(pattern) {
		return pattern, name != "a"
	}
	return "", false
}

// why says in words of the reader why an address is not open to her, as its refusal would.
func (l *lets) why(pattern string) string {
	if err := l.p.may(l.who, pattern); err != nil {
		return heard(l.p.viewerOf(l.r), err.Error())
	}
	return ""
}

func isButton(class string) bool {
	return class == "btn" || strings.HasPrefix(class, "btn ")
}

// attr is the value of an attribute, as it stands there; templates quote all of them.
func attr(tag, name string) string {
	_, rest, ok := strings.Cut(tag, " "+name+`="`)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// hollow leaves out what has nothing left in it, or nothing but its heading, where something was left out: out ends before it,
// and page goes on after it.
func hollow(out, page []byte, at int) (before []byte, after int) {
	for {
		rest := bytes.TrimLeft(page[at:], " \n")
		end := bytes.IndexByte(rest, '>') + 1
		if end == 0 || !bytes.HasPrefix(rest, []byte("</")) || !slices.Contains(hollows, string(rest[2:end-1])) {
			return out, at
		}
		head := bytes.TrimRight(out, " \n")
		for _, heading := range []string{"header", "summary", "h3"} {
			if !bytes.HasSuffix(head, []byte("</"+heading+">")) {
				continue
			}
			i := bytes.LastIndex(head, []byte("<"+heading))
			if i < 0 || heading == "header" && bytes.Count(head[i:], []byte("<")) > 4 { // it says more than what it is called
				return out, at
			}
			head = bytes.TrimRight(head[:i], " \n")
		}
		name := string(rest[2 : end-1])
		open := bytes.LastIndexByte(head, '<')
		if open < 0 || !opens(string(head[open:]), name) {
			return out, at
		}
		out, at = head[:open], len(page)-len(rest)+end
	}
}

// hollows are elements that are there for what stands in them.
var hollows = []string{"section", "details", "div", "p", "span"}

// opens says that a text is the tag by which such an element begins, and nothing else. What a stream fills later stays.
func opens(text, name string) bool {
	after, is := strings.CutPrefix(text, "<"+name)
	return is && strings.HasSuffix(after, ">") && (after[0] == ' ' || after[0] == '>') && (name == "section" || !strings.Contains(after, " id="))
}
