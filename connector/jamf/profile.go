package jamf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// folder of the policy folder in which the profiles stand.
const folder = "devices"

// domain is the preference domain for what Apple has no payload for.
const domain = "io.github.dayone-hq.laptop"

// laptop is what a laptop gets: devices/NAME.yaml.
type laptop struct {
	Title     string
	Welcome   string   // on the login window
	Apps      []string // names, for the installers that are scoped to the same group
	VPN       *vpn
	Bookmarks []bookmark
	Picture   string   // wallpaper: a file on the laptop
	Checklist []string // on the wallpaper
	Reminder  string
	At        string // 15:04 of the first day

	name, file string
	payloads   dict
	version    string // short hash of the payloads
}

type vpn struct {
	Name, Server string
	Domains      []string // connects for these by itself
}

type bookmark struct{ Name, URL string }

// readLaptop reads a file strictly; errors say where.
func readLaptop(files fs.FS, name string) (*laptop, error) {
	file := path.Join(folder, name+".yaml")
	if files == nil {
		return nil, errors.New("there is no policy folder to read " + file + " from")
	}
	if strings.ContainsAny(name, `/\`) || !fs.ValidPath(file) {
		return nil, fmt.Errorf("%q cannot be the name of a profile", name)
	}
	raw, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, err
	}
	r := &reader{file: file}
	l := r.laptop(raw)
	if len(r.faults) > 0 {
		return nil, errors.New(strings.Join(r.faults, "; "))
	}
	l.name, l.file = name, file
	l.payloads = l.build()
	sum := sha256.Sum256([]byte(encode(l.payloads)))
	l.version = hex.EncodeToString(sum[:6])
	return l, nil
}

// reader walks YAML and keeps every fault with its position.
type reader struct {
	file   string
	faults []string
}

func (r *reader) bad(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf("%s:%d:%d: ", r.file, n.Line, n.Column)+fmt.Sprintf(format, args...))
}

func (r *reader) laptop(raw []byte) *laptop {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		r.faults = append(r.faults, r.file+": is empty")
		return nil
	} else if err != nil {
		r.faults = append(r.faults, r.file+": "+strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		r.faults = append(r.faults, r.file+": holds more than one document")
		return nil
	}
	top := r.fields(doc.Content[0], "a profile", "title", "welcome", "apps", "vpn", "bookmarks", "wallpaper", "reminder")
	l := &laptop{Title: r.text(top["title"]), Welcome: r.text(top["welcome"]), Apps: r.texts(top["apps"])}
	if l.Title == "" {
		r.bad(doc.Content[0], "a profile needs a title")
	}
	if n := top["vpn"]; n != nil {
		in := r.fields(n, "vpn", "name", "server", "domains")
		l.VPN = &vpn{r.need(n, in, "name"), r.need(n, in, "server"), r.texts(in["domains"])}
		if strings.ContainsAny(l.VPN.Server, "/: ") {
			r.bad(in["server"], "%q is no host name", l.VPN.Server)
		}
	}
	for _, n := range r.items(top["bookmarks"]) {
		in := r.fields(n, "a bookmark", "name", "url")
		b := bookmark{r.need(n, in, "name"), r.need(n, in, "url")}
		if u, err := url.Parse(b.URL); b.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			r.bad(in["url"], "%q is no address; write https://...", b.URL)
		}
		l.Bookmarks = append(l.Bookmarks, b)
	}
	if n := top["wallpaper"]; n != nil {
		in := r.fields(n, "wallpaper", "picture", "checklist")
		l.Picture, l.Checklist = r.text(in["picture"]), r.texts(in["checklist"])
		if l.Picture != "" && !path.IsAbs(l.Picture) {
			r.bad(in["picture"], "%q is no path on the laptop; write /Library/...", l.Picture)
		}
	}
	if n := top["reminder"]; n != nil {
		in := r.fields(n, "reminder", "title", "at")
		l.Reminder, l.At = r.need(n, in, "title"), r.need(n, in, "at")
		if _, err := time.Parse("15:04", l.At); l.At != "" && err != nil {
			r.bad(in["at"], "%q is no time of day; write \"08:30\"", l.At)
		}
	}
	return l
}

func (r *reader) fields(n *yaml.Node, what string, names ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "%s is written as name: value", what)
		return nil
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(names, k.Value):
			r.bad(k, "%s has no %q; it has %s", what, k.Value, strings.Join(names, ", "))
		case out[k.Value] != nil:
			r.bad(k, "%s stands here twice", k.Value)
		default:
			out[k.Value] = v
		}
	}
	return out
}

// text is one line: Jamf does not keep line breaks and tabs inside a payload.
func (r *reader) text(n *yaml.Node) string {
	switch {
	case n == nil:
		return ""
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str":
		r.bad(n, "this must be text; put it in quotes")
		return ""
	case strings.TrimSpace(n.Value) == "":
		r.bad(n, "this must not be empty")
	case strings.ContainsFunc(n.Value, unicode.IsControl):
		r.bad(n, "this must be one line without tabs")
	}
	return strings.TrimSpace(n.Value)
}

func (r *reader) need(at *yaml.Node, in map[string]*yaml.Node, name string) string {
	if in != nil && in[name] == nil {
		r.bad(at, "%s is missing", name)
	}
	return r.text(in[name])
}

func (r *reader) items(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.bad(n, "this must be a list")
		return nil
	}
	return n.Content
}

func (r *reader) texts(n *yaml.Node) []string {
	var out []string
	for _, item := range r.items(n) {
		out = append(out, r.text(item))
	}
	return out
}

// build makes the configuration profile: https://developer.apple.com/documentation/devicemanagement/profile-specific-payload-keys
func (l *laptop) build() dict {
	var content []any
	add := func(typ, title string, p dict) {
		p["PayloadType"], p["PayloadVersion"], p["PayloadDisplayName"] = typ, 1, title
		p["PayloadIdentifier"], p["PayloadUUID"] = "dayone."+l.name+"."+typ, uuid(l.name, typ)
		content = append(content, p)
	}
	if v := l.VPN; v != nil {
		ike := dict{"RemoteAddress": v.Server, "RemoteIdentifier": v.Server, "LocalIdentifier": "", "AuthenticationMethod": "None", "ExtendedAuthEnabled": 1}
		if len(v.Domains) > 0 {
			ike["OnDemandEnabled"] = 1
			ike["OnDemandRules"] = []any{dict{"Action": "EvaluateConnection", "ActionParameters": []any{
				dict{"Domains": texts(v.Domains), "DomainAction": "ConnectIfNeeded"},
			}}}
		}
		add("com.apple.vpn.managed", "VPN", dict{"UserDefinedName": v.Name, "VPNType": "IKEv2", "IKEv2": ike})
	}
	if l.Welcome != "" {
		add("com.apple.loginwindow", "Login window", dict{"LoginwindowText": l.Welcome})
	}
	if l.Picture != "" {
		add("com.apple.desktop", "Wallpaper", dict{"override-picture-path": l.Picture})
	}
	ours := dict{"Title": l.Title, "Apps": texts(l.Apps), "Checklist": texts(l.Checklist)}
	if l.Reminder != "" {
		ours["Reminder"] = dict{"Title": l.Reminder, "At": l.At}
	}
	domains := dict{domain: forced(ours)}
	if len(l.Bookmarks) > 0 {
		marks := []any{dict{"toplevel_name": "Company"}}
		for _, b := range l.Bookmarks {
			marks = append(marks, dict{"name": b.Name, "url": b.URL})
		}
		domains["com.google.Chrome"] = forced(dict{"ManagedBookmarks": marks})
	}
	add(managed, "Settings", dict{"PayloadContent": domains})
	return dict{
		"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadScope": "System", "PayloadDisplayName": l.Title,
		"PayloadIdentifier": "dayone." + l.name, "PayloadUUID": uuid(l.name, ""), "PayloadContent": content,
	}
}

// managed is the type of the payload that holds preference domains.
const managed = "com.apple.ManagedClient.preferences"

func forced(settings dict) dict {
	return dict{"Forced": []any{dict{"mcx_preference_settings": settings}}}
}

func texts(in []string) []any {
	out := make([]any, 0, len(in))
	for _, s := range in {
		out = append(out, s)
	}
	return out
}

// uuid is the same for the same profile and payload, so that equal files make equal payloads.
func uuid(name, typ string) string {
	h := sha256.Sum256([]byte("dayone\x00" + name + "\x00" + typ))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}

const mark = "Made by Dayone from "

// version is the hash in the description of a profile that we made, or "".
func version(description string) string {
	rest, ours := strings.CutPrefix(description, mark)
	_, v, _ := strings.Cut(rest, "; version ")
	if !ours {
		return ""
	}
	return v
}

// general is the profile as Jamf takes it. Its identity stays what Jamf has made of it: else laptops keep the old one
// beside the new.
func (l *laptop) general(name string, have *configProfile) general {
	p := make(dict, len(l.payloads))
	for k, v := range l.payloads {
		p[k] = v
	}
	if have != nil {
		if old, err := decode(have.General.Payloads); err == nil {
			for _, k := range []string{"PayloadUUID", "PayloadIdentifier"} {
				if v, ok := old[k]; ok {
					p[k] = v
				}
			}
		}
	}
	return general{
		Name: name, Description: mark + l.file + "; version " + l.version, DistributionMethod: "Install Automatically", Level: "System",
		RedeployOnUpdate: "All", Payloads: encode(p),
	}
}

// is says whether Jamf has this version of the profile, unharmed.
func (l *laptop) is(have configProfile) bool {
	theirs, err := decode(have.General.Payloads)
	if err != nil || version(have.General.Description) != l.version {
		return false
	}
	ours, _ := l.payloads["PayloadContent"].([]any)
	entries, _ := theirs["PayloadContent"].([]any)
	if len(entries) != len(ours) {
		return false
	}
	for _, o := range ours {
		p := o.(dict)
		i := slices.IndexFunc(entries, func(e any) bool { // Jamf changes their order
			d, ok := e.(dict)
			return ok && d["PayloadType"] == p["PayloadType"]
		})
		if i < 0 || !covers(entries[i].(dict), p) {
			return false
		}
	}
	return true
}

// covers says whether an entry as Jamf stores it has all that we set. Jamf names entries itself and adds keys, but adds
// none to preference domains: a key there is somebody's.
func covers(theirs, ours dict) bool {
	for k, v := range ours {
		switch k {
		case "PayloadUUID", "PayloadIdentifier", "PayloadDisplayName":
			continue
		}
		if !same(theirs[k], v, ours["PayloadType"] == managed) {
			return false
		}
	}
	return true
}

func same(theirs, ours any, exact bool) bool {
	switch o := ours.(type) {
	case dict:
		t, ok := theirs.(dict)
		if !ok || exact && len(t) != len(o) {
			return false
		}
		for k, v := range o {
			if !same(t[k], v, exact) {
				return false
			}
		}
		return true
	case []any:
		t, _ := theirs.([]any)
		return slices.EqualFunc(t, o, func(a, b any) bool { return same(a, b, exact) })
	case string:
		t, _ := theirs.(string) // an empty text may be left out
		return strings.TrimSpace(t) == strings.TrimSpace(o)
	default:
		return theirs == ours
	}
}

// scoped says whether the profile reaches the computers of a group.
func (p configProfile) scoped(groupID string) bool {
	return p.Scope != nil && (p.Scope.AllComputers || slices.Contains(p.Scope.Groups, group{groupID}))
}
