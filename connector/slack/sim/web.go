package sim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// call is one call of the Web API. It answers the fields of a success, or a code.
type call func(s *Sim, r *http.Request) (map[string]any, string)

type method struct {
	perMinute int // tier of its rate limit
	reads     bool
	call      call
}

// methods of the Web API. https://docs.slack.dev/reference/methods
var methods = map[string]method{
	"auth.test":                 {100, true, (*Sim).authTest},
	"conversations.list":        {20, true, (*Sim).listChannels},
	"conversations.history":     {50, true, (*Sim).history},
	"conversations.invite":      {50, false, (*Sim).invite},
	"conversations.kick":        {50, false, (*Sim).kick},
	"conversations.join":        {50, false, (*Sim).join},
	"users.conversations":       {50, true, (*Sim).userChannels},
	"chat.postMessage":          {60, false, (*Sim).postMessage},
	"admin.users.session.reset": {20, false, (*Sim).resetSessions},
}

func (s *Sim) serveWeb(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := methods[r.PathValue("method")]
	bearer, sent := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	fail := func(status int, code string) { sim.JSON(w, status, map[string]any{"ok": false, "error": code}) }
	switch {
	case !known:
		fail(200, "unknown_method")
	case !sent && !sim.Replaying(r):
		fail(200, "not_authed")
	case strings.HasPrefix(r.PathValue("method"), "admin.") && bearer == token:
		fail(200, "not_allowed_token_type")
	case bearer != token && !(bearer == orgToken && strings.HasPrefix(r.PathValue("method"), "admin.")) && !sim.Replaying(r):
		fail(200, "invalid_auth")
	case r.Method != "POST" && !m.reads:
		fail(200, "invalid_post_type")
	case r.ParseForm() != nil:
		fail(200, "invalid_form_data")
	default:
		if wait := s.over(r.PathValue("method"), m.perMinute); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
			fail(429, "ratelimited")
			return
		}
		out, code := m.call(s, r)
		if code != "" {
			out = map[string]any{"ok": false, "error": code}
			if r.PathValue("method") == "conversations.invite" {
				out["errors"] = []any{map[string]any{"user": r.Form.Get("users"), "ok": false, "error": code}}
			}
			sim.JSON(w, 200, out)
			return
		}
		out["ok"] = true
		sim.JSON(w, 200, out)
	}
}

// over counts calls in the minutes of the clock, and says how many seconds to wait.
func (s *Sim) over(what string, perMinute int) int {
	if !s.tiers {
		return 0
	}
	now := s.opt.Time().Unix()
	key := fmt.Sprint(what, now/60)
	if s.calls[key]++; s.calls[key] > perMinute {
		return int(60 - now%60)
	}
	return 0
}

// resetSessions signs somebody out on every device.
func (s *Sim) resetSessions(r *http.Request) (map[string]any, string) {
	id := r.Form.Get("user_id")
	if _, known := s.people[id]; !known {
		return nil, "user_not_found"
	}
	s.resets[id]++
	return map[string]any{}, ""
}

func (s *Sim) authTest(*http.Request) (map[string]any, string) {
	return map[string]any{"url": "https://acme.slack.com/", "team": "Acme", "user": "dayone", "team_id": "T0000000001", "user_id": bot, "bot_id": "B0000000001"}, ""
}

func (c *channel) show() map[string]any {
	return map[string]any{
		"id": c.id, "name": c.name, "name_normalized": c.name, "is_channel": !c.private, "is_group": false, "is_im": false, "is_mpim": false,
		"created": c.created.Unix(), "is_archived": false, "is_general": c.general, "is_private": c.private, "creator": "U0000OWNER",
		"topic": map[string]any{"value": ""}, "purpose": map[string]any{"value": ""},
	}
}

// visible channels are the public ones and those in which the app is.
func (s *Sim) visible(r *http.Request) []*channel {
	types := strings.Split(cmp.Or(r.Form.Get("types"), "public_channel"), ",")
	var out []*channel
	for _, c := range s.channels {
		kind := "public_channel"
		if c.private {
			kind = "private_channel"
		}
		if slices.Contains(types, kind) && (!c.private || c.members[bot]) {
			out = append(out, c)
		}
	}
	return out
}

// page cuts a list; its cursor is opaque, and empty at the end.
func page[T any](s *Sim, r *http.Request, name string, all []T) (map[string]any, string) {
	from, size := 0, s.opt.PageSize()
	if c := r.Form.Get("cursor"); c != "" {
		raw, err := base64.StdEncoding.DecodeString(c)
		n, bad := strconv.Atoi(strings.TrimPrefix(string(raw), "next:"))
		if err != nil || bad != nil || n > len(all) {
			return nil, "invalid_cursor"
		}
		from = n
	}
	if l := r.Form.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 || n > 999 {
			return nil, "invalid_limit"
		}
		size = min(size, n)
	}
	to, next := min(from+size, len(all)), ""
	if to < len(all) {
		next = base64.StdEncoding.EncodeToString([]byte("next:" + strconv.Itoa(to)))
	}
	return map[string]any{name: append([]T{}, all[from:to]...), "response_metadata": map[string]any{"next_cursor": next}}, ""
}

func (s *Sim) listChannels(r *http.Request) (map[string]any, string) {
	var out []map[string]any
	for _, c := range s.visible(r) {
		x := c.show()
		x["is_member"], x["num_members"] = c.members[bot], len(c.members)
		out = append(out, x)
	}
	return page(s, r, "channels", out)
}

func (s *Sim) userChannels(r *http.Request) (map[string]any, string) {
	id := r.Form.Get("user")
	if id == "" {
		id = bot
	}
	if _, ok := s.people[id]; !ok {
		return nil, "user_not_found"
	}
	var out []map[string]any
	for _, c := range s.visible(r) {
		if c.members[id] {
			out = append(out, c.show())
		}
	}
	return page(s, r, "channels", out)
}

// at is the channel of a call, if the app may see it.
func (s *Sim) at(r *http.Request) (*channel, string) {
	c := s.channel(r.Form.Get("channel"))
	if c == nil || c.private && !c.members[bot] {
		return nil, "channel_not_found"
	}
	return c, ""
}

// byID is the same for methods that take no names.
func (s *Sim) byID(r *http.Request) (*channel, string) {
	c, code := s.at(r)
	if code == "" && c.id != r.Form.Get("channel") {
		return nil, "channel_not_found"
	}
	return c, code
}

func (s *Sim) invite(r *http.Request) (map[string]any, string) {
	c, code := s.byID(r)
	if code != "" {
		return nil, code
	}
	id := r.Form.Get("users")
	p, known := s.people[id]
	switch {
	case id == "":
		return nil, "no_user"
	case !known:
		return nil, "user_not_found"
	case id == bot:
		return nil, "cant_invite_self"
	case !c.members[bot]:
		return nil, "not_in_channel"
	case c.members[id]:
		return nil, "already_in_channel"
	case !p.active:
		return nil, "cant_invite"
	}
	c.members[id] = true
	return map[string]any{"channel": c.show()}, ""
}

func (s *Sim) kick(r *http.Request) (map[string]any, string) {
	c, code := s.byID(r)
	if code != "" {
		return nil, code
	}
	id := r.Form.Get("user")
	p, known := s.people[id]
	switch {
	case !known:
		return nil, "user_not_found"
	case id == bot:
		return nil, "cant_kick_self"
	case !c.members[bot], !c.members[id]:
		return nil, "not_in_channel"
	case c.general && !p.guest:
		return nil, "cant_kick_from_general"
	}
	delete(c.members, id)
	return map[string]any{}, ""
}

func (s *Sim) join(r *http.Request) (map[string]any, string) {
	c, code := s.byID(r)
	switch {
	case code != "":
		return nil, code
	case c.private && !c.members[bot]:
		return nil, "method_not_supported_for_channel_type"
	}
	c.members[bot] = true
	return map[string]any{"channel": c.show()}, ""
}

func (s *Sim) postMessage(r *http.Request) (map[string]any, string) {
	c, code := s.at(r)
	if code != "" {
		return nil, code
	}
	m := Message{Channel: "#" + c.name, Text: r.Form.Get("text")}
	switch {
	case !c.members[bot]:
		return nil, "not_in_channel"
	case strings.TrimSpace(m.Text) == "":
		return nil, "no_text"
	case len([]rune(m.Text)) > 40000:
		return nil, "msg_too_long"
	}
	if raw := r.Form.Get("metadata"); raw != "" {
		if json.Unmarshal([]byte(raw), &m.Metadata) != nil || m.Metadata.EventType == "" || m.Metadata.EventPayload == nil {
			return nil, "invalid_metadata_format"
		}
	}
	s.posted++
	m.TS = fmt.Sprintf("%d.%06d", s.opt.Time().Unix(), s.posted*100)
	c.posts, s.messages = append(c.posts, m), append(s.messages, m)
	return map[string]any{"channel": c.id, "ts": m.TS, "message": map[string]any{"type": "message", "user": bot, "bot_id": "B0000000001", "text": m.Text, "ts": m.TS}}, ""
}

// history is the newest first, and shows what an app put on a message only to who asks for it.
func (s *Sim) history(r *http.Request) (map[string]any, string) {
	c, code := s.byID(r)
	switch {
	case code != "":
		return nil, code
	case !c.members[bot]:
		return nil, "not_in_channel"
	}
	oldest := 0.0
	if o := r.Form.Get("oldest"); o != "" {
		var err error
		if oldest, err = strconv.ParseFloat(o, 64); err != nil {
			return nil, "invalid_ts_oldest"
		}
	}
	var out []map[string]any
	for _, m := range slices.Backward(c.posts) {
		if ts, _ := strconv.ParseFloat(m.TS, 64); ts <= oldest {
			continue
		}
		x := map[string]any{"type": "message", "user": bot, "text": m.Text, "ts": m.TS}
		if r.Form.Get("include_all_metadata") == "true" && m.Metadata.EventType != "" {
			x["metadata"] = m.Metadata
		}
		out = append(out, x)
	}
	return page(s, r, "messages", out)
}
