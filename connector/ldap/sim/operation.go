package sim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

const (
	pagedResults  = "1.2.840.113556.1.4.319"
	subtreeDelete = "1.2.840.113556.1.4.805"
	showDeleted   = "1.2.840.113556.1.4.417"
)

// carryOut does what a request asks for and makes the answers.
func (s *Server) carryOut(at *session, p *ber.Packet) []*ber.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := p.Children[1]
	done := func(r *refusal) []*ber.Packet { return []*ber.Packet{message(p, response(op.Tag), r)} }
	if op.Tag == bindRequest {
		r := s.signIn(op)
		at.in = r == nil
		return done(r)
	}
	if !at.in {
		return done(refused(1, "00000000: LdapErr: DSID-0C090CC2, comment: In order to perform this operation a successful bind must be completed on the connection., data 0"))
	}
	switch op.Tag {
	case searchRequest:
		return s.find(at, p)
	case addRequest:
		set := map[string][]string{}
		for _, a := range op.Children[1].Children {
			set[text(a.Children[0])] = texts(a.Children[1])
		}
		return done(s.tree.add(text(op.Children[0]), set))
	case modifyRequest:
		var changes []change
		for _, c := range op.Children[1].Children {
			kind, _ := c.Children[0].Value.(int64)
			changes = append(changes, change{kind: kind, name: text(c.Children[1].Children[0]), values: texts(c.Children[1].Children[1])})
		}
		return done(s.tree.modify(text(op.Children[0]), changes))
	case delRequest:
		return done(s.tree.delete(text(op), control(p, subtreeDelete) != nil))
	case moveRequest:
		above := ""
		if len(op.Children) > 3 {
			above = text(op.Children[3])
		}
		return done(s.tree.move(text(op.Children[0]), text(op.Children[1]), above))
	default:
		return done(refused(2, "0000203D: LdapErr: DSID-0C090F78, comment: Unknown extended request OID, data 0"))
	}
}

func texts(set *ber.Packet) []string {
	var out []string
	for _, v := range set.Children {
		out = append(out, text(v))
	}
	return out
}

// control is the value of one that the request carries, or nil.
func control(p *ber.Packet, oid string) *ber.Packet {
	if len(p.Children) < 3 {
		return nil
	}
	for _, c := range p.Children[2].Children {
		if text(c.Children[0]) == oid {
			return c.Children[len(c.Children)-1]
		}
	}
	return nil
}

func (s *Server) signIn(op *ber.Packet) *refusal {
	name, password := text(op.Children[1]), text(op.Children[2])
	if password == "" {
		return refused(53, "00000057: an anonymous bind is not allowed here")
	}
	for _, e := range s.tree.entries {
		if strings.EqualFold(e.get("userPrincipalName"), name) || key(e.dn) == key(name) {
			return s.tree.bind(e.dn, password)
		}
	}
	return refused(49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 525, v2580")
}

// found is one entry of an answer, already cut down to what was asked for.
type found struct {
	dn     string
	names  []string
	values map[string][]string
}

// find answers a search, a page at a time. A cookie is worth something on its own connection only, and once.
func (s *Server) find(at *session, p *ber.Packet) []*ber.Packet {
	op := p.Children[1]
	if r := unknown(p); r != nil {
		return []*ber.Packet{message(p, searchDone, r)}
	}
	if text(op.Children[0]) == "" {
		return []*ber.Packet{envelope(p, s.root().packet(), nil), message(p, searchDone, nil)}
	}
	base, limit := text(op.Children[0]), op.Children[3].Value.(int64)
	scope, _ := op.Children[1].Value.(int64)
	var all []found
	cookie, size := "", int64(s.opt.PageSize())
	paging := control(p, pagedResults)
	if paging != nil {
		inner := ber.DecodePacket([]byte(text(paging)))
		if inner == nil || len(inner.Children) < 2 {
			return []*ber.Packet{message(p, searchDone, refused(2, "00002080: the paging control cannot be read"))}
		}
		asked, _ := inner.Children[0].Value.(int64)
		size, cookie = min(size, asked), text(inner.Children[1])
	}
	if cookie != "" {
		rest, known := at.pages[cookie]
		if !known {
			return []*ber.Packet{message(p, searchDone, refused(12, "00000057: LdapErr: DSID-0C0907C9, comment: Error processing control, data 0"))}
		}
		delete(at.pages, cookie)
		all = rest
	} else {
		root, ok := s.tree.entries[key(base)]
		if !ok || !s.tree.shows(root) {
			return []*ber.Packet{message(p, searchDone, refused(32, "0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0, best match of: '"+Base+"'"))}
		}
		for _, e := range s.tree.ordered() {
			if within(e, root, scope) && s.tree.shows(e) && s.tree.matches(e, op.Children[6]) {
				all = append(all, s.tree.show(e, texts(op.Children[7])))
			}
		}
		if control(p, showDeleted) != nil && s.tree.graves {
			for _, e := range s.tree.buried {
				if g := grave(e); s.tree.matches(g, op.Children[6]) {
					all = append(all, s.tree.show(g, texts(op.Children[7])))
				}
			}
		}
	}
	var r *refusal
	if limit > 0 && int64(len(all)) > limit {
		all, r = all[:limit], refused(4, "")
	}
	var controls []*ber.Packet
	if paging != nil {
		next := ""
		if int64(len(all)) > size {
			next = "page-" + strconv.Itoa(len(at.pages)) + "-" + strconv.Itoa(len(all))
			at.pages[next] = all[size:]
			all = all[:size]
		}
		controls = append(controls, pageControl(next))
	}
	var out []*ber.Packet
	for _, f := range all {
		out = append(out, envelope(p, f.packet(), nil))
	}
	return append(out, message(p, searchDone, r, controls...))
}

// unknown refuses a control that has to be heeded and is not one of this small server's, such as DirSync.
func unknown(p *ber.Packet) *refusal {
	if len(p.Children) < 3 {
		return nil
	}
	for _, c := range p.Children[2].Children {
		critical := len(c.Children) > 1 && c.Children[1].Value == true
		if oid := text(c.Children[0]); critical && !slices.Contains([]string{pagedResults, subtreeDelete, showDeleted}, oid) {
			return refused(12, "00000057: LdapErr: DSID-0C0907C9, comment: Error processing control "+oid+", data 0")
		}
	}
	return nil
}

// root is what a server tells of itself.
func (s *Server) root() found {
	return found{names: []string{"defaultNamingContext", "highestCommittedUSN", "dsServiceName"}, values: map[string][]string{
		"defaultNamingContext": {Base}, "highestCommittedUSN": {strconv.FormatInt(s.tree.usn, 10)}, "dsServiceName": {"CN=NTDS Settings,CN=" + s.name + ",CN=Servers,CN=Configuration," + Base},
	}}
}

func pageControl(cookie string) *ber.Packet {
	value := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, uint64(0), ""))
	value.AppendChild(octets(cookie))
	c := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	c.AppendChild(octets(pagedResults))
	c.AppendChild(octets(string(value.Bytes())))
	return c
}

func (f found) packet() *ber.Packet {
	body := ber.Encode(ber.ClassApplication, ber.TypeConstructed, searchEntry, nil, "entry")
	body.AppendChild(octets(f.dn))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, name := range f.names {
		a := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		a.AppendChild(octets(name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range f.values[name] {
			set.AppendChild(octets(v))
		}
		a.AppendChild(set)
		list.AppendChild(a)
	}
	body.AppendChild(list)
	return body
}

// within says whether an entry is in the scope of a search: 0 the base itself, 1 what is right below it, 2 the whole tree.
func within(e, base *entry, scope int64) bool {
	switch scope {
	case 0:
		return e == base
	case 1:
		return key(above(e.dn)) == key(base.dn)
	default:
		return e == base || strings.HasSuffix(key(e.dn), ","+key(base.dn))
	}
}

// matches evaluates a filter. RFC 4511, section 4.5.1.7.
func (t *tree) matches(e *entry, f *ber.Packet) bool {
	switch f.Tag {
	case 0:
		return !slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return !t.matches(e, c) })
	case 1:
		return slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return t.matches(e, c) })
	case 2:
		return !t.matches(e, f.Children[0])
	case 7:
		return len(t.values(e, text(f))) > 0
	case 4:
		return slices.ContainsFunc(t.values(e, text(f.Children[0])), func(v string) bool { return substring(v, f.Children[1].Children) })
	case 9:
		return t.rule(e, f)
	case 3, 5, 6, 8:
		name, want := text(f.Children[0]), text(f.Children[1])
		return slices.ContainsFunc(t.values(e, name), func(v string) bool {
			if f.Tag != 3 && strings.EqualFold(name, "uSNChanged") {
				is, _ := strconv.ParseInt(v, 10, 64)
				than, _ := strconv.ParseInt(want, 10, 64)
				return f.Tag == 5 && is >= than || f.Tag == 6 && is <= than
			}
			switch f.Tag {
			case 5:
				return cmp.Compare(v, want) >= 0
			case 6:
				return cmp.Compare(v, want) <= 0
			}
			return equal(name, v, want)
		})
	}
	return false
}

func substring(v string, parts []*ber.Packet) bool {
	v = strings.ToLower(v)
	for _, p := range parts {
		part := strings.ToLower(text(p))
		switch p.Tag {
		case 0:
			if !strings.HasPrefix(v, part) {
				return false
			}
			v = v[len(part):]
		case 1:
			i := strings.Index(v, part)
			if i < 0 {
				return false
			}
			v = v[i+len(part):]
		default:
			return strings.HasSuffix(v, part)
		}
	}
	return true
}

// rule is an extensible match: bits of a number, or a chain of memberships. MS-ADTS 3.1.1.3.4.4.
func (t *tree) rule(e *entry, f *ber.Packet) bool {
	var rule, name, value string
	for _, c := range f.Children {
		switch c.Tag {
		case 1:
			rule = text(c)
		case 2:
			name = text(c)
		case 3:
			value = text(c)
		}
	}
	switch rule {
	case "1.2.840.113556.1.4.803":
		mask, _ := strconv.ParseInt(value, 10, 64)
		is, _ := strconv.ParseInt(e.get(name), 10, 64)
		return is&mask == mask
	case "1.2.840.113556.1.4.1941":
		return t.chain(e, name, value, map[string]bool{})
	}
	return false
}

func (t *tree) chain(e *entry, name, dn string, been map[string]bool) bool {
	if been[key(e.dn)] {
		return false
	}
	been[key(e.dn)] = true
	for _, v := range t.values(e, name) {
		if key(v) == key(dn) {
			return true
		}
		if next := t.entries[key(v)]; next != nil && t.chain(next, name, dn, been) {
			return true
		}
	}
	return false
}
