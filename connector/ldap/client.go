package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// idle connections that are kept; servers close those that nobody uses for a quarter of an hour.
const idle = 4

// busyFor is how long a server that calls itself busy is left alone; LDAP has no word for it.
const busyFor = 10 * time.Second

// client talks to one server of a domain, by connections that one call has to itself.
type client struct {
	connector.Config
	set     map[string]string
	f       flavour
	base    string
	people  string // the DN where new accounts go
	closed  string // the DN where closed accounts go; "" if they stay
	groups  string
	servers []*url.URL
	trust   *x509.CertPool
	timeout time.Duration
	page    uint32

	mu   sync.Mutex
	at   int // the server that we stay with
	free []*lib.Conn

	where map[string]string // the unit in which an account was seen last
	seen  map[string]string

	numbers sync.Map // employee number: the account that was seen with it
}

func newClient(cfg connector.Config) (*client, error) {
	c := &client{Config: cfg, set: cfg.Settings, timeout: time.Duration(cfg.Manifest.Timeout)}
	c.f = flavours[c.set["flavour"]].with(c.set)
	wrong := func(name, text string) error { return &connector.SettingError{Setting: name, Text: text} }
	for _, s := range strings.FieldsFunc(c.set["urls"], func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "ldaps" && u.Scheme != "ldap" || u.User != nil {
			return nil, wrong("urls", "setting urls holds something that is no ldaps:// or ldap:// address")
		}
		c.servers = append(c.servers, u)
	}
	if len(c.servers) == 0 {
		return nil, wrong("urls", "setting urls names no server")
	}
	if ca := c.set["ca"]; ca != "" {
		c.trust = x509.NewCertPool()
		if !c.trust.AppendCertsFromPEM([]byte(ca)) {
			return nil, wrong("ca", "setting ca is no certificate in PEM")
		}
	}
	if _, err := lib.ParseDN(c.set["base"]); err != nil {
		return nil, wrong("base", "setting base is no distinguished name")
	}
	c.base = c.set["base"]
	c.people, c.groups = c.dn(c.set["people_ou"]), cmp.Or(c.set["group_base"], c.base)
	if ou := c.set["disabled_ou"]; ou != "" {
		c.closed = c.dn(ou)
	}
	n, err := strconv.ParseUint(c.set["page"], 10, 16)
	if err != nil || n == 0 {
		return nil, wrong("page", "setting page is no number from 1 to 65535")
	}
	c.page = uint32(n)
	for name, dn := range map[string]string{"people_ou": c.people, "disabled_ou": c.closed, "group_base": c.groups} {
		if _, err := lib.ParseDN(dn); err != nil {
			return nil, wrong(name, "setting "+name+" makes no distinguished name: "+dn)
		}
	}
	for name, f := range map[string]string{"filter": c.f.person, "group_filter": c.f.group} {
		if _, err := lib.CompileFilter(f); err != nil {
			return nil, wrong(name, "setting "+name+" is no LDAP filter; it begins and ends with brackets")
		}
	}
	return c, nil
}

// do lends a connection to one call. A call whose context ends loses it.
func (c *client) do(ctx context.Context, op string, call func(*lib.Conn) error) error {
	conn, err := c.get(ctx)
	if err == nil {
		err = c.during(ctx, conn, call)
		c.put(conn, err)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %s: %w", c.System, op, ctx.Err())
	}
	return c.fault(op, err)
}

func (c *client) during(ctx context.Context, conn *lib.Conn, call func(*lib.Conn) error) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	return call(conn)
}

func (c *client) get(ctx context.Context) (*lib.Conn, error) {
	c.mu.Lock()
	for len(c.free) > 0 {
		conn := c.free[len(c.free)-1]
		c.free = c.free[:len(c.free)-1]
		if !conn.IsClosing() {
			c.mu.Unlock()
			return conn, nil
		}
	}
	first := c.at
	c.mu.Unlock()
	var failed error
	for i := range c.servers {
		n := (first + i) % len(c.servers)
		conn, err := c.dial(ctx, c.servers[n])
		if err == nil {
			c.mu.Lock()
			c.at = n
			c.mu.Unlock()
			return conn, nil
		}
		failed = err
		if ctx.Err() != nil || lib.IsErrorWithCode(err, lib.LDAPResultInvalidCredentials) {
			break // another server says the same, and one more wrong password locks the account
		}
	}
	return nil, failed
}

// put takes a connection back, unless it broke: who knows what else stands in its way.
func (c *client) put(conn *lib.Conn, err error) {
	var refused *lib.Error
	broken := conn.IsClosing() || err != nil && (!errors.As(err, &refused) || refused.ResultCode >= lib.ErrorNetwork)
	c.mu.Lock()
	if !broken && len(c.free) < idle {
		c.free = append(c.free, conn)
		conn = nil
	}
	c.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

// dial signs in. Nothing is said before the line is encrypted.
func (c *client) dial(ctx context.Context, u *url.URL) (*lib.Conn, error) {
	host, port := u.Hostname(), u.Port()
	secure := &tls.Config{ServerName: host, RootCAs: c.trust, MinVersion: tls.VersionTLS12}
	d := net.Dialer{Timeout: c.timeout}
	ready := func(raw net.Conn, encrypted bool) *lib.Conn {
		conn := lib.NewConn(raw, encrypted)
		conn.SetTimeout(c.timeout)
		conn.Start()
		return conn
	}
	var conn *lib.Conn
	if u.Scheme == "ldaps" {
		raw, err := (&tls.Dialer{NetDialer: &d, Config: secure}).DialContext(ctx, "tcp", net.JoinHostPort(host, cmp.Or(port, "636")))
		if err != nil {
			return nil, err
		}
		conn = ready(raw, true)
	} else {
		raw, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, cmp.Or(port, "389")))
		if err != nil {
			return nil, err
		}
		conn = ready(raw, false)
		if err := c.during(ctx, conn, func(conn *lib.Conn) error { return conn.StartTLS(secure) }); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	err := c.during(ctx, conn, func(conn *lib.Conn) error {
		return conn.Bind(c.set["bind_dn"], c.Secrets["bind_password"].Reveal())
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// query is one search.
type query struct {
	op, base, filter string
	scope            int
	attrs            []string
	limit            int // 0: all of them
}

// search streams entries, a page at a time, until there are no more or yield says that these are enough.
func (c *client) search(ctx context.Context, q query, yield func(*lib.Entry) bool) error {
	err := c.do(ctx, q.op, func(conn *lib.Conn) error { return c.pages(conn, q, yield) })
	if errors.Is(err, dayone.ErrNotFound) && (q.base == c.base || q.base == c.groups) {
		return c.unseen(q.op, "there is no "+q.base+", or the account of bind_dn may not see it")
	}
	return err
}

// pages does it on one connection.
func (c *client) pages(conn *lib.Conn, q query, yield func(*lib.Entry) bool) error {
	paging := lib.NewControlPaging(c.page)
	for {
		r, err := conn.Search(lib.NewSearchRequest(q.base, q.scope, lib.NeverDerefAliases, q.limit, int(c.timeout.Seconds()), false, q.filter, q.attrs, []lib.Control{paging}))
		if err != nil && (q.limit == 0 || !lib.IsErrorWithCode(err, lib.LDAPResultSizeLimitExceeded)) {
			return err
		}
		for _, e := range r.Entries {
			if !yield(e) {
				return nil
			}
		}
		next, more := lib.FindControl(r.Controls, lib.ControlTypePaging).(*lib.ControlPaging)
		if err != nil || !more || len(next.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(next.Cookie)
	}
}

// unseen is a directory of which too little is shown to say of anybody that they are not in it.
func (c *client) unseen(op, why string) error {
	f := c.refuse(op, dayone.ErrForbidden, why)
	f.Next = "let the account of bind_dn read all that is below base, or correct the settings base, people_ou, disabled_ou, group_base and filter; then retry"
	return f
}

// whole says whether the directory shows itself as far as we can tell: somebody below base, and the units where accounts go.
// A server says of what may not be seen that it is not there, so without this nobody is believed to be gone.
func (c *client) whole(ctx context.Context, op string) error {
	somebody := false
	err := c.search(ctx, query{op: op, base: c.base, filter: c.f.person, scope: lib.ScopeWholeSubtree, attrs: []string{"1.1"}, limit: 1}, func(*lib.Entry) bool {
		somebody = true
		return false
	})
	if err != nil {
		return err
	}
	if !somebody {
		return c.unseen(op, "it is not found, but below "+c.base+" nobody is shown at all")
	}
	for _, unit := range []string{c.people, c.closed} {
		if unit == "" {
			continue
		}
		there, err := c.exists(ctx, op, unit)
		if err != nil {
			return err
		}
		if !there {
			return c.unseen(op, "it is not found, but "+unit+" is not shown either")
		}
	}
	return nil
}

// one reads the only entry of a filter. ErrNotFound; ErrInvalid if there are more.
func (c *client) one(ctx context.Context, op, base, filter string, attrs ...string) (*lib.Entry, error) {
	var found []*lib.Entry
	err := c.search(ctx, query{op: op, base: base, filter: filter, scope: lib.ScopeWholeSubtree, attrs: attrs, limit: 2}, func(e *lib.Entry) bool {
		found = append(found, e)
		return len(found) < 2
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, c.refuse(op, dayone.ErrNotFound, "there is no such entry below "+base)
	case len(found) > 1:
		return nil, c.refuse(op, dayone.ErrInvalid, "more than one entry has it")
	}
	return found[0], nil
}

func (c *client) refuse(op string, kind error, detail string) *dayone.Fault {
	return &dayone.Fault{System: c.System, Op: op, Detail: detail, Err: kind}
}

// fault gives a server's refusal its kind. RFC 4511, appendix A; what Active Directory means stands in the text.
func (c *client) fault(op string, err error) error {
	f := &dayone.Fault{System: c.System, Op: op, Detail: err.Error(), Err: dayone.ErrUnavailable}
	var own *dayone.Fault
	if errors.As(err, &own) {
		return own
	}
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var bad *tls.CertificateVerificationError
	if errors.As(err, &unknown) || errors.As(err, &wrongHost) || errors.As(err, &bad) {
		f.Err, f.Next = dayone.ErrAuth, "give the authority of the server's certificate in the setting ca, and the name that stands in it in urls"
		return f
	}
	var refused *lib.Error
	if !errors.As(err, &refused) || refused.ResultCode >= lib.ErrorNetwork {
		return f
	}
	code := refused.ResultCode
	f.Code = "LDAP " + strconv.Itoa(int(code))
	if refused.Err != nil {
		f.Detail = lib.LDAPResultCodeMap[code] + ": " + refused.Err.Error()
	}
	text := f.Detail
	switch code {
	case lib.LDAPResultInvalidCredentials:
		f.Err, f.Next = dayone.ErrAuth, whyNotIn(text)
	case lib.LDAPResultStrongAuthRequired, lib.LDAPResultConfidentialityRequired, lib.LDAPResultInappropriateAuthentication, lib.LDAPResultAuthMethodNotSupported:
		f.Err = dayone.ErrAuth
	case lib.LDAPResultInsufficientAccessRights:
		f.Err, f.Next = dayone.ErrForbidden, "delegate this to the account of bind_dn on the organizational unit or the group"
	case lib.LDAPResultNoSuchObject, lib.LDAPResultNoSuchAttribute:
		f.Err = dayone.ErrNotFound
	case lib.LDAPResultEntryAlreadyExists, lib.LDAPResultAttributeOrValueExists:
		f.Err = dayone.ErrConflict
	case lib.LDAPResultUnwillingToPerform, lib.LDAPResultConstraintViolation:
		f.Err, f.Next = dayone.ErrInvalid, ""
		switch {
		case strings.Contains(text, "00000561"): // ERROR_MEMBER_NOT_IN_GROUP
			f.Err = dayone.ErrNotFound
		case strings.Contains(text, "0000052D"): // ERROR_PASSWORD_RESTRICTION
			f.Next = "the domain's password policy refuses the password; give the attribute password a longer recipe, or exempt new accounts"
		case strings.Contains(text, "000021C8"): // ERROR_DS_CROSS_DOMAIN... "attribute must be unique"
			f.Err = dayone.ErrConflict
		}
	case lib.LDAPResultBusy:
		f.Err, f.RetryAt = dayone.ErrThrottled, c.Now().Add(busyFor)
	case lib.LDAPResultUnavailable, lib.LDAPResultTimeLimitExceeded, lib.LDAPResultAdminLimitExceeded, lib.LDAPResultOther, lib.LDAPResultOperationsError, lib.LDAPResultLoopDetect:
		f.Err = dayone.ErrUnavailable
	case lib.LDAPResultReferral:
		f.Err, f.Next = dayone.ErrInvalid, "the entry belongs to another domain; make that a system of its own"
	case lib.LDAPResultObjectClassViolation:
		f.Err = dayone.ErrUnsupported
	default:
		f.Err = dayone.ErrInvalid
	}
	return f
}

// whyNotIn reads the sub-code of Active Directory. MS-ADTS 3.1.1.3.1.10 and winerror.h.
func whyNotIn(text string) string {
	for code, why := range map[string]string{
		"data 52e": "the password in bind_password is wrong", "data 525": "nobody has the name in bind_dn",
		"data 533": "the account of bind_dn is disabled", "data 701": "the account of bind_dn has expired",
		"data 532": "the password of bind_dn has expired", "data 773": "the password of bind_dn has to be changed first",
		"data 775": "the account of bind_dn is locked",
	} {
		if strings.Contains(text, code) {
			return why
		}
	}
	return "look at bind_dn and bind_password"
}
