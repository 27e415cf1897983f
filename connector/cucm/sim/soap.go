package sim

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// node is an element on the wire.
type node struct {
	name string
	attr map[string]string
	text string
	kids []*node
}

func leaf(name, text string) *node { return &node{name: name, text: text} }

func group(name string, kids ...*node) *node { return &node{name: name, kids: kids} }

func (n *node) get(path string) *node {
	for part := range strings.SplitSeq(path, "/") {
		i := slices.IndexFunc(n.kids, func(k *node) bool { return k.name == part })
		if i < 0 {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

func (n *node) value(path string) string {
	if k := n.get(path); k != nil {
		return k.text
	}
	return ""
}

func (n *node) yes(path string) bool {
	v := n.value(path)
	return v == "true" || v == "t" || v == "1"
}

// all are the elements below a container: all("associatedDevices", "device").
func (n *node) all(container, item string) []*node {
	if container != "" {
		if n = n.get(container); n == nil {
			return nil
		}
	}
	var out []*node
	for _, k := range n.kids {
		if k.name == item {
			out = append(out, k)
		}
	}
	return out
}

// set replaces the element of that name, or adds it.
func (n *node) set(k *node) {
	for i := range n.kids {
		if n.kids[i].name == k.name {
			n.kids[i] = k
			return
		}
	}
	n.kids = append(n.kids, k)
}

func (n *node) clone() *node {
	out := &node{name: n.name, attr: n.attr, text: n.text}
	for _, k := range n.kids {
		out.kids = append(out.kids, k.clone())
	}
	return out
}

func (n *node) print(b *bytes.Buffer) {
	b.WriteString("<" + n.name)
	for _, a := range []string{"type", "uuid", "ctiid"} {
		if v, ok := n.attr[a]; ok {
			fmt.Fprintf(b, " %s=%q", a, v)
		}
	}
	b.WriteByte('>')
	_ = xml.EscapeText(b, []byte(n.text))
	for _, k := range n.kids {
		k.print(b)
	}
	b.WriteString("</" + n.name + ">")
}

func (n *node) String() string {
	var b bytes.Buffer
	n.print(&b)
	return b.String()
}

const envelopeSpace = "http://schemas.xmlsoap.org/soap/envelope/"

// request reads an envelope: version, operation and its element. Everything inside is unqualified, as the schema wants it.
func request(r io.Reader) (version string, op *node, err error) {
	dec := xml.NewDecoder(r)
	var stack []*node
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attr: map[string]string{}}
			for _, a := range t.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			switch depth := len(stack); {
			case depth < 2 && t.Name.Space != envelopeSpace:
				return "", nil, fmt.Errorf("%s is not in the namespace of SOAP", n.name)
			case depth == 2 && stack[1].name == "Body":
				v, ok := strings.CutPrefix(t.Name.Space, "http://www.cisco.com/AXL/API/")
				if !ok || op != nil {
					return "", nil, fmt.Errorf("the body holds %s of %q", n.name, t.Name.Space)
				}
				version, op = v, n
			case depth > 2 && t.Name.Space != "":
				return "", nil, fmt.Errorf("%s must not be qualified", n.name)
			}
			if len(stack) > 0 {
				up := stack[len(stack)-1]
				up.kids = append(up.kids, n)
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 2 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	if op == nil {
		return "", nil, errors.New("the body holds no operation")
	}
	op.strip()
	return version, op, nil
}

// strip takes the space between elements out.
func (n *node) strip() {
	if len(n.kids) > 0 {
		n.text = ""
	}
	for _, k := range n.kids {
		k.strip()
	}
}

//go:embed schema.txt
var schemaText string

// part is one element that a type may hold.
type part struct {
	name     string
	kind     byte // b: true or false, i: number, u: uuid, f: names another object, 0: text
	must     bool
	many     bool
	anything bool
}

// schema is what each element of each operation may hold, in its order.
var schema = func() map[string][]part {
	out := map[string][]part{}
	for line := range strings.Lines(schemaText) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " =")
		parts := []part{}
		for _, w := range strings.Fields(rest) {
			p := part{anything: w == "..."}
			if strings.HasSuffix(w, "*") {
				p.many, w = true, strings.TrimSuffix(w, "*")
			}
			if strings.HasSuffix(w, "!") {
				p.must, w = true, strings.TrimSuffix(w, "!")
			}
			var kind string
			p.name, kind, _ = strings.Cut(w, ":")
			if kind != "" {
				p.kind = kind[0]
			}
			parts = append(parts, p)
		}
		out[path] = parts
	}
	return out
}()

var (
	boolean = regexp.MustCompile(`^(t|f|true|false|0|1)$`)
	uuidish = regexp.MustCompile(`^\{........-....-....-....-............\}$`)
)

// check says how an element breaks the schema: order, unknown names, what is missing, values of the wrong type.
func check(path string, n *node) error {
	parts, known := schema[path]
	if !known {
		return nil
	}
	at := 0
	seen := map[string]bool{}
	for _, k := range n.kids {
		for at < len(parts) && parts[at].name != k.name && !parts[at].anything {
			at++
		}
		if at == len(parts) {
			return fmt.Errorf("cvc-complex-type.2.4.a: Invalid content was found starting with element '%s' in %s", k.name, path)
		}
		p := parts[at]
		if p.anything {
			continue
		}
		if seen[k.name] && !p.many {
			return fmt.Errorf("cvc-complex-type.2.4.d: element '%s' stands twice in %s", k.name, path)
		}
		seen[k.name] = true
		if err := p.check(path, k); err != nil {
			return err
		}
		if err := check(path+"/"+k.name, k); err != nil {
			return err
		}
	}
	if seen["uuid"] && !strings.Contains(path, "/") && (seen["pattern"] || seen["name"] || seen["userid"] || seen["destination"]) {
		return fmt.Errorf("cvc-complex-type.2.4.d: in %s uuid and name exclude each other", path)
	}
	for _, p := range parts {
		whole := strings.Count(path, "/") == 0 || len(n.kids) > 0 || p.name == "line"
		if p.must && !seen[p.name] && whole && !(seen["uuid"] && !strings.Contains(path, "/")) {
			return fmt.Errorf("cvc-complex-type.2.4.b: The content of element '%s' is not complete. '%s' is expected", path, p.name)
		}
	}
	return nil
}

func (p part) check(path string, k *node) error {
	bad := false
	switch p.kind {
	case 'b':
		bad = !boolean.MatchString(k.text)
	case 'i':
		_, err := strconv.Atoi(k.text)
		bad = err != nil && k.text != ""
	case 'u':
		bad = !uuidish.MatchString(k.text)
	}
	if bad {
		return fmt.Errorf("cvc-datatype-valid: '%s' is no value of element '%s' in %s", k.text, k.name, path)
	}
	return nil
}

// fault is an AXL error: data errors come as 500.
type fault struct {
	code    int
	message string
}

func (f fault) Error() string { return f.message }

func refuse(code int, format string, args ...any) error {
	return fault{code, fmt.Sprintf(format, args...)}
}

// answer writes what was asked for, unless it is a list of more than the server gives at once: then it says how many rows fit.
func (s *Sim) answer(w http.ResponseWriter, version string, op *node, content []*node) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=%q><soapenv:Body><ns:%sResponse xmlns:ns="http://www.cisco.com/AXL/API/%s">`, envelopeSpace, op.name, version)
	for _, c := range content {
		c.print(&b)
	}
	fmt.Fprintf(&b, `</ns:%sResponse></soapenv:Body></soapenv:Envelope>`, op.name)
	if b.Len() > s.limit && strings.HasPrefix(op.name, "list") && len(content) > 0 && len(content[0].kids) > 1 {
		rows := len(content[0].kids) * s.limit / b.Len()
		answerFault(w, op.name, refuse(-1, "Query request too large. Total rows matched: %d rows. Suggestive Row Fetch: less than %d rows", s.matched, max(2, rows)))
		return
	}
	s.largest = max(s.largest, b.Len())
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	_, _ = w.Write(b.Bytes())
}

func answerFault(w http.ResponseWriter, op string, err error) {
	f, ok := errors.AsType[fault](err)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=%q><soapenv:Body><soapenv:Fault><faultcode>soapenv:Server</faultcode>`, envelopeSpace)
	leaf("faultstring", err.Error()).print(&b)
	if ok {
		group("detail", &node{name: "axlError", kids: []*node{leaf("axlcode", strconv.Itoa(f.code)), leaf("axlmessage", f.message), leaf("request", op)}}).print(&b)
	}
	b.WriteString(`</soapenv:Fault></soapenv:Body></soapenv:Envelope>`)
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write(b.Bytes())
}
