package mailc

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// stage is how far a mail had come.
type stage int

const (
	atDoor stage = iota // greeting, encryption, login
	atSender
	atRecipient
	atContent
)

// pause before a throttled mail is tried again: servers that grey-list want about that much, and none names a time.
const pause = time.Minute

var (
	enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)
	anyLink      = regexp.MustCompile(`(?i)\bhttps?:\S+`)
)

// fault sorts what went wrong: by the server's reply, if there is one. No reply means that nobody knows.
func (c *Client) fault(ctx context.Context, op string, at stage, err error) error {
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
		return cause
	}
	f := &dayone.Fault{System: c.System, Op: op, Err: dayone.ErrUnavailable}
	var ours *dayone.Fault
	var reply *textproto.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &ours):
		f.Err, f.Detail, f.Next = ours.Err, ours.Detail, ours.Next
	case errors.As(err, &reply):
		enhanced := enhancedCode.FindString(reply.Msg)
		f.Err, f.Code = kind(reply.Code, enhanced, at), strings.TrimSpace(strconv.Itoa(reply.Code)+" "+enhanced)
		f.Detail = c.words(reply.Msg, enhanced, at)
		if errors.Is(f.Err, dayone.ErrThrottled) {
			f.RetryAt = c.Now().Add(pause)
		}
	case ctx.Err() != nil:
		f.Detail = "no answer in time"
	case errors.As(err, &cert):
		f.Detail, f.Next = cert.Error(), "put the certificate of your own authority into the setting ca, if it is one"
	case errors.Is(err, io.EOF):
		f.Detail = "the mail server hung up"
	default:
		f.Detail = c.words(err.Error(), "", at)
	}
	return f
}

// kind of a refusal: by the enhanced code (RFC 3463), which says more, then by the plain one (RFC 5321).
func kind(code int, enhanced string, at stage) error {
	switch code {
	case 421, 450, 451, 452:
		return dayone.ErrThrottled
	case 530, 534, 535, 538:
		return dayone.ErrAuth
	}
	if code < 500 {
		return dayone.ErrUnavailable
	}
	class, detail, _ := strings.Cut(strings.TrimPrefix(enhanced, "5."), ".")
	switch {
	case class == "7":
		return dayone.ErrForbidden // policy: relaying, a sender that is not ours, content
	case class == "1" && (detail == "1" || detail == "2" || detail == "6" || detail == "10"):
		return dayone.ErrNotFound // no such mailbox, no such domain, moved away, takes no mail
	case enhanced != "":
		return dayone.ErrInvalid
	case code == 551, code == 550 && at == atRecipient:
		return dayone.ErrNotFound
	case code == 550, code == 554 && at != atContent:
		return dayone.ErrForbidden
	}
	return dayone.ErrInvalid // 552: too big, 553: no mailbox name, 50x: not understood
}

// words are the server's, on one line, without what we logged in with. Those about a message's content may quote it:
// links are left out, for one of them may be somebody's first password.
func (c *Client) words(msg, enhanced string, at stage) string {
	const most = 300
	for _, s := range c.secrets() {
		if len(s) >= 4 {
			msg = strings.ReplaceAll(msg, s, "[redacted]")
		}
	}
	if at == atContent {
		msg = anyLink.ReplaceAllString(msg, "[link]")
	}
	if enhanced != "" {
		msg = strings.ReplaceAll(msg, enhanced+" ", "") // on each line of a reply
	}
	msg = strings.Join(strings.Fields(msg), " ")
	if len(msg) > most {
		msg = strings.ToValidUTF8(msg[:most], "") + "..."
	}
	return msg
}
