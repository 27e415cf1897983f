package ldap

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

var _ connector.Changing = source{}

// enough changed records are read one by one; more are read as a list.
const enough = 5000

// Marks begin with how they were made: the cookie of DirSync, a sequence number of one domain controller, or OpenLDAP's CSN.
const (
	byCookie, byNumber, byCSN = "dirsync ", "usn ", "csn "
)

// Changes tells what changed since a mark. Active Directory is asked by DirSync, which needs no more rights than reading; a
// server that refuses it is asked by uSNChanged, whose numbers are one server's own. OpenLDAP is asked by entryCSN.
// MS-ADTS 3.1.1.3.4.1.3
func (s source) Changes(ctx context.Context, since string) (records []dayone.Event, next string, err error) {
	const op = "reading changes"
	var refs []string
	how, at, _ := strings.Cut(since, " ")
	how += " "
	switch {
	case !s.api.f.ad:
		if since != "" && how != byCSN {
			return nil, "", s.old(op)
		}
		refs, next, err = s.byCSN(ctx, op, at)
	case since != "" && how == byNumber:
		refs, next, err = s.byNumber(ctx, op, at)
	case since == "" || how == byCookie:
		refs, next, err = s.byCookie(ctx, op, at)
		if since == "" && s.refusedSync(err) {
			refs, next, err = s.byNumber(ctx, op, "")
		}
	default:
		err = s.old(op)
	}
	if err != nil || since == "" {
		return nil, next, err
	}
	if len(refs) > enough {
		return nil, "", s.api.refuse(op, dayone.ErrNotFound, strconv.Itoa(len(refs))+" entries changed: the whole list is read")
	}
	records, err = s.records(ctx, op, refs)
	return records, next, err
}

func (s source) old(op string) error {
	return s.api.refuse(op, dayone.ErrNotFound, "the mark is of another server, or too old")
}

// records are the people among the entries that changed. Whoever is gone, out of sight or without a number is the list's to
// show, and so are two with the same one.
func (s source) records(ctx context.Context, op string, refs []string) ([]dayone.Event, error) {
	var subjects []string
	number := s.api.f.names["employee_number"]
	slices.Sort(refs)
	for some := range slices.Chunk(slices.Compact(refs), 50) {
		var or strings.Builder
		for _, ref := range some {
			or.WriteString(s.api.f.byID(ref))
		}
		err := s.api.search(ctx, query{op: op, base: s.api.base, scope: lib.ScopeWholeSubtree, filter: "(&" + s.numbered() + "(|" + or.String() + "))", attrs: []string{number}}, func(e *lib.Entry) bool {
			subjects = append(subjects, e.GetEqualFoldAttributeValue(number))
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	var out []dayone.Event
	slices.Sort(subjects)
	for _, subject := range slices.Compact(subjects) {
		e, err := s.Read(ctx, subject)
		switch {
		case errors.Is(err, dayone.ErrNotFound), errors.Is(err, dayone.ErrInvalid):
			continue
		case err != nil:
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// watched are the attributes whose change is told of; name is what changes when an entry is moved.
func (s source) watched() []string {
	out := []string{"objectGUID", "name", "manager", "userAccountControl", "accountExpires", "employeeType", "preferredLanguage", "l", "st", "co", "c"}
	for _, theirs := range s.api.f.names {
		out = append(out, theirs)
	}
	slices.Sort(out)
	return out
}

// What a request for DirSync says: only what we may read, so that no right of replication is needed; and how much at once.
const (
	objectSecurity = 1
	syncBytes      = 1 << 20
)

// byCookie asks by DirSync, whose base is always the root of the domain.
func (s source) byCookie(ctx context.Context, op, at string) (refs []string, next string, err error) {
	cookie, err := base64.StdEncoding.DecodeString(at)
	if err != nil {
		return nil, "", s.old(op)
	}
	err = s.api.do(ctx, op, func(conn *lib.Conn) error {
		root, err := rootOf(conn)
		if err != nil {
			return err
		}
		for {
			sync := lib.NewRequestControlDirSync(objectSecurity, syncBytes, cookie)
			r, err := conn.Search(lib.NewSearchRequest(root.GetAttributeValue("defaultNamingContext"), lib.ScopeWholeSubtree, lib.NeverDerefAliases, 0, 0, false, "(objectClass=user)", s.watched(), []lib.Control{sync}))
			if err != nil {
				return err
			}
			for _, e := range r.Entries {
				if guid := s.api.ref(e); guid != "" {
					refs = append(refs, guid)
				}
			}
			is, ok := lib.FindControl(r.Controls, lib.ControlTypeDirSync).(*lib.ControlDirSync)
			if !ok {
				return lib.NewError(lib.LDAPResultUnavailableCriticalExtension, errors.New("the answer has no cookie"))
			}
			cookie = is.Cookie
			if is.Flags == 0 {
				return nil
			}
		}
	})
	if at != "" && s.refusedSync(err) {
		return nil, "", s.old(op)
	}
	return refs, byCookie + base64.StdEncoding.EncodeToString(cookie), err
}

// refusedSync says that a server does not take DirSync, or not with this cookie: it is there, and signs us in.
func (s source) refusedSync(err error) bool {
	var f *dayone.Fault
	return errors.As(err, &f) && slices.Contains([]string{"LDAP 1", "LDAP 2", "LDAP 12", "LDAP 50", "LDAP 53"}, f.Code)
}

func rootOf(conn *lib.Conn) (*lib.Entry, error) {
	r, err := conn.Search(lib.NewSearchRequest("", lib.ScopeBaseObject, lib.NeverDerefAliases, 1, 10, false, "(objectClass=*)",
		[]string{"defaultNamingContext", "highestCommittedUSN", "dsServiceName"}, nil))
	if err != nil {
		return nil, err
	}
	if len(r.Entries) != 1 {
		return nil, lib.NewError(lib.LDAPResultNoSuchObject, errors.New("the server does not tell what it has"))
	}
	return r.Entries[0], nil
}

// byNumber asks for what is above a sequence number. The number and the answer have to be one server's: on another, or on
// one that was brought back from a backup, the mark is worth nothing.
func (s source) byNumber(ctx context.Context, op, at string) (refs []string, next string, err error) {
	number, server, _ := strings.Cut(at, " ")
	from, bad := strconv.ParseInt(number, 10, 64)
	err = s.api.do(ctx, op, func(conn *lib.Conn) error {
		root, err := rootOf(conn)
		if err != nil {
			return err
		}
		is := root.GetAttributeValue("dsServiceName")
		highest, err := strconv.ParseInt(root.GetAttributeValue("highestCommittedUSN"), 10, 64)
		if err != nil || is == "" {
			return s.api.refuse(op, dayone.ErrUnsupported, "the server counts no changes (highestCommittedUSN); people are read again every night")
		}
		next = byNumber + strconv.FormatInt(highest, 10) + " " + is
		if at == "" {
			return nil
		}
		if bad != nil || !same(is, server) || highest < from {
			return s.old(op)
		}
		filter := "(&" + s.api.f.person + "(uSNChanged>=" + strconv.FormatInt(from+1, 10) + "))"
		return s.api.pages(conn, query{op: op, base: s.api.base, scope: lib.ScopeWholeSubtree, filter: filter, attrs: []string{s.api.f.guid}}, func(e *lib.Entry) bool {
			refs = append(refs, s.api.ref(e))
			return true
		})
	})
	return refs, next, err
}

// byCSN asks OpenLDAP for what has a later change sequence number. The first mark is the latest there is.
func (s source) byCSN(ctx context.Context, op, at string) (refs []string, next string, err error) {
	filter, latest, people := s.api.f.person, at, 0
	if at != "" {
		filter = "(&" + filter + "(entryCSN>=" + lib.EscapeFilter(at) + "))"
	}
	err = s.api.search(ctx, query{op: op, base: s.api.base, scope: lib.ScopeWholeSubtree, filter: filter, attrs: []string{s.api.f.guid, "entryCSN"}}, func(e *lib.Entry) bool {
		people++
		csn := e.GetAttributeValue("entryCSN")
		latest = max(latest, csn) // fixed in width, the instant first
		if csn != "" && csn != at {
			refs = append(refs, s.api.ref(e))
		}
		return true
	})
	if err == nil && latest == "" {
		if people == 0 {
			return nil, "", s.api.unseen(op, "below "+s.api.base+" nobody is shown at all")
		}
		return nil, "", s.api.refuse(op, dayone.ErrUnsupported, "the server shows no entryCSN; people are read again every night")
	}
	return refs, byCSN + latest, err
}
