package slack

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// client has two doors: SCIM for accounts, the Web API for channels and messages. Each has its own token.
type client struct {
	web    httpc.Client
	org    *httpc.Client // of an Enterprise Grid, which may end sessions; nil: there is none
	scim   *scim.Client
	noSCIM bool
	now    func() time.Time
}

func newClient(cfg connector.Config) *client {
	c := &client{now: cfg.Now, noSCIM: cfg.Secrets["scim_token"].IsZero()}
	c.web = httpc.Client{
		System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now,
		Auth: httpc.Bearer("Bearer", cfg.Secrets["token"]), Classify: classify,
	}
	if token := cfg.Secrets["org_token"]; !token.IsZero() {
		org := c.web
		org.Auth = httpc.Bearer("Bearer", token)
		c.org = &org
	}
	auth := httpc.Bearer("Bearer", cfg.Secrets["scim_token"])
	if c.noSCIM {
		auth = func(context.Context, *http.Request) error { return byHand(cfg.System) }
	}
	// https://docs.slack.dev/reference/scim-api: PATCH overwrites the values that it names
	c.scim = scim.NewClient(cfg, cfg.Settings["scim_url"], auth, scim.Quirks{Patch: scim.ByValue, Page: 200})
	c.scim.Classify = classifySCIM
	return c
}

func byHand(system string) error {
	return &dayone.Fault{
		System: system, Op: "reaching SCIM", Err: dayone.ErrUnsupported, Detail: "there is no scim_token",
		Next: "invite or deactivate the person under Manage members, or set scim_token where the plan is Business+ or Enterprise",
	}
}

// check asks both doors.
func (c *client) check(ctx context.Context) error {
	if err := c.call(ctx, "checking", "GET", "auth.test", nil, nil); err != nil || c.noSCIM {
		return err
	}
	return c.scim.Ping(ctx)
}

// kinds of the codes that both doors use. https://docs.slack.dev/reference/methods: "Errors" of each method
var kinds = map[string]error{
	"not_authed": dayone.ErrAuth, "invalid_auth": dayone.ErrAuth, "account_inactive": dayone.ErrAuth, "token_revoked": dayone.ErrAuth, "token_expired": dayone.ErrAuth,
	"invalid_authentication": dayone.ErrAuth,
	"missing_scope":          dayone.ErrForbidden, "no_permission": dayone.ErrForbidden, "not_allowed_token_type": dayone.ErrForbidden,
	"restricted_action": dayone.ErrForbidden, "access_denied": dayone.ErrForbidden, "cant_invite": dayone.ErrForbidden, "not_in_channel": dayone.ErrForbidden,
	"method_not_supported_for_channel_type": dayone.ErrForbidden, "user_is_restricted": dayone.ErrForbidden,
	"user_not_found": dayone.ErrNotFound, "users_not_found": dayone.ErrNotFound, "channel_not_found": dayone.ErrNotFound, "no_user": dayone.ErrNotFound,
	"already_in_channel": dayone.ErrConflict, "username_taken": dayone.ErrConflict, "email_taken": dayone.ErrConflict,
	"ratelimited": dayone.ErrThrottled, "rate_limited": dayone.ErrThrottled,
	"internal_error": dayone.ErrUnavailable, "fatal_error": dayone.ErrUnavailable, "service_unavailable": dayone.ErrUnavailable,
	"request_timeout": dayone.ErrUnavailable, "team_added_to_org": dayone.ErrUnavailable, badCursor: dayone.ErrUnavailable,
	"cant_kick_from_general": dayone.ErrUnsupported, "feature_not_enabled": dayone.ErrUnsupported, "paid_teams_only": dayone.ErrUnsupported,
}

// badCursor is the code of a list that changed while it was read, or was left for too long: a later reading is none the worse.
const badCursor = "invalid_cursor"

// next is what an administrator does about a code.
var next = map[string]string{
	"missing_scope":                         "add the scope to the app and install it again",
	"not_in_channel":                        "invite the app to the channel",
	"method_not_supported_for_channel_type": "invite the app to the channel: it cannot join a private one by itself",
	"channel_not_found":                     "if the channel is private, invite the app to it",
	"cant_kick_from_general":                "nothing has to be done: whoever has an open account is in the general channel",
	"feature_not_enabled":                   "SCIM needs Business+ or Enterprise; invite or deactivate the person under Manage members",
	"paid_teams_only":                       "SCIM needs Business+ or Enterprise; invite or deactivate the person under Manage members",
}

// answer is what every answer of the Web API has.
type answer struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Needed   string `json:"needed"`
	Provided string `json:"provided"`
}

func (a answer) detail() string {
	if a.Needed == "" {
		return ""
	}
	return "it needs " + a.Needed + " and has " + a.Provided
}

// classify reads {"ok":false,"error":"ratelimited"} where the status is no success.
func classify(_ int, _ http.Header, body []byte) (string, string, error) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return "", "", nil
	}
	return a.Error, a.detail(), kinds[a.Error]
}

// classifySCIM reads {"Errors":{"description":"user_not_found","code":404}}.
func classifySCIM(status int, header http.Header, body []byte) (string, string, error) {
	code, detail, kind := scim.Classify(status, header, body)
	if k, ok := kinds[code]; ok {
		kind = k
	}
	return code, detail, kind
}

// call makes one call of the Web API. Its errors come with status 200. https://docs.slack.dev/apis/web-api#responses
func (c *client) call(ctx context.Context, op, verb, method string, args url.Values, out any) error {
	return c.callBy(ctx, &c.web, op, verb, method, args, out)
}

// callBy makes it by one of our tokens.
func (c *client) callBy(ctx context.Context, by *httpc.Client, op, verb, method string, args url.Values, out any) error {
	q := httpc.Request{Op: op, Method: verb, Path: "/" + method}
	if verb == "GET" {
		q.Query = args
	} else {
		q.Form = args
	}
	var body json.RawMessage
	got, err := by.Do(ctx, q, &body)
	if err != nil {
		return err
	}
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return c.web.Fault(op, dayone.ErrUnavailable, "", "the answer is none of Slack's")
	}
	if !a.OK {
		return c.refusal(op, got.Header, a)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return c.web.Fault(op, dayone.ErrUnavailable, "", "the answer is no JSON that we understand: "+err.Error())
	}
	return nil
}

func (c *client) refusal(op string, header http.Header, a answer) error {
	f := &dayone.Fault{System: c.web.System, Op: op, Err: kinds[a.Error], Code: a.Error, Detail: a.detail(), Next: next[a.Error]}
	if f.Err == nil {
		f.Err = dayone.ErrInvalid
	}
	if f.Err == dayone.ErrThrottled {
		f.RetryAt = connector.RetryAt(header, c.now())
	}
	return f
}

type channel struct {
	ID      string `json:"id"`
	Name    string `json:"name"` // without #
	Purpose struct {
		Value string `json:"value"`
	} `json:"purpose"`
}

// post is a message as the history shows it.
type post struct {
	TS       string   `json:"ts"`
	Metadata metadata `json:"metadata"`
}

func (p post) once() string {
	if p.Metadata.Type != eventType {
		return ""
	}
	s, _ := p.Metadata.Payload["once"].(string)
	return s
}

// metadata that apps put on a message for each other. https://docs.slack.dev/messaging/message-metadata
type metadata struct {
	Type    string         `json:"event_type"`
	Payload map[string]any `json:"event_payload"`
}

const eventType = "dayone_message"

// posted is where a message stands.
type posted struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

type page struct {
	Channels []channel `json:"channels"`
	Messages []post    `json:"messages"`
	Meta     struct {
		Next string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// readings are how often a list is read from its beginning before it has to wait.
const readings = 3

// pages follows cursors; the last one is empty. A cursor that holds no longer has the list read anew: each is told by a page that
// is the first. https://docs.slack.dev/apis/web-api/pagination
func (c *client) pages(ctx context.Context, op, method string, args url.Values, each func(p page, first bool) bool) error {
	for reading := 1; ; {
		var p page
		err := c.call(ctx, op, "GET", method, args, &p)
		first := !args.Has("cursor")
		switch {
		case !first && code(err) == badCursor && reading < readings:
			args.Del("cursor")
			reading++
			continue
		case err != nil:
			return err
		case !each(p, first) || p.Meta.Next == "":
			return nil
		}
		args.Set("cursor", p.Meta.Next)
	}
}

// listChannels shows public channels, and the private ones that the app is in, each of them once.
// https://docs.slack.dev/reference/methods/conversations.list
func (c *client) listChannels(ctx context.Context, each func(channel) bool) error {
	shown := map[string]bool{}
	return c.pages(ctx, "listing channels", "conversations.list", ofChannels(), func(p page, _ bool) bool {
		for _, x := range p.Channels {
			if !shown[x.ID] && !each(x) {
				return false
			}
			shown[x.ID] = true
		}
		return true
	})
}

// userChannels are the channels of one user, as far as the app may see them: a page or two, where conversations.members
// would take pages for every channel there is. https://docs.slack.dev/reference/methods/users.conversations
func (c *client) userChannels(ctx context.Context, user string) ([]channel, error) {
	args := ofChannels()
	args.Set("user", user)
	var out []channel
	err := c.pages(ctx, "reading channels of user", "users.conversations", args, func(p page, first bool) bool {
		if first { // what was read of an earlier state is held no longer, perhaps
			out = nil
		}
		out = append(out, p.Channels...)
		return true
	})
	return out, err
}

func ofChannels() url.Values {
	return url.Values{"types": {"public_channel,private_channel"}, "exclude_archived": {"true"}, "limit": {"999"}}
}

// history shows what was posted since. https://docs.slack.dev/reference/methods/conversations.history
func (c *client) history(ctx context.Context, channel string, since time.Time, each func(post) bool) error {
	args := url.Values{
		"channel": {channel}, "oldest": {strconv.FormatInt(max(since.Unix(), 0), 10)}, "include_all_metadata": {"true"}, "limit": {"200"},
	}
	return c.pages(ctx, "reading channel", "conversations.history", args, func(p page, _ bool) bool {
		for _, x := range p.Messages {
			if !each(x) {
				return false
			}
		}
		return true
	})
}

// invite puts a user into a channel. https://docs.slack.dev/reference/methods/conversations.invite
func (c *client) invite(ctx context.Context, channel, user string) error {
	return c.call(ctx, "inviting to channel", "POST", "conversations.invite", url.Values{"channel": {channel}, "users": {user}}, nil)
}

// kick takes a user out. https://docs.slack.dev/reference/methods/conversations.kick
func (c *client) kick(ctx context.Context, channel, user string) error {
	return c.call(ctx, "removing from channel", "POST", "conversations.kick", url.Values{"channel": {channel}, "user": {user}}, nil)
}

// join makes the app itself a member. https://docs.slack.dev/reference/methods/conversations.join
func (c *client) join(ctx context.Context, channel string) error {
	return c.call(ctx, "joining channel", "POST", "conversations.join", url.Values{"channel": {channel}}, nil)
}

// postMessage posts to a channel by id or name; once marks it for us. https://docs.slack.dev/reference/methods/chat.postMessage
func (c *client) postMessage(ctx context.Context, channel, text, once string) (posted, error) {
	mark, err := json.Marshal(metadata{eventType, map[string]any{"once": once}})
	if err != nil {
		return posted{}, c.web.Fault("sending message", dayone.ErrInvalid, "", err.Error())
	}
	var p posted
	err = c.call(ctx, "sending message", "POST", "chat.postMessage", url.Values{
		"channel": {channel}, "text": {text}, "metadata": {string(mark)}, "unfurl_links": {"false"}, "unfurl_media": {"false"},
	}, &p)
	return p, err
}
