package unity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/dayone-hq/dayone"
)

// naming are the fields by which a handler names a user, or the handler that answers for one.
var naming = map[string]string{
	"RecipientSubscriberObjectId": "its messages go to them", "AfterMessageTargetHandlerObjectId": "callers are sent to them after a message",
	"ExitTargetHandlerObjectId": "callers are sent to them at the end", "NoInputTargetHandlerObjectId": "callers who say nothing are sent to them",
	"NoSelectionTargetHandlerObjectId": "callers who choose nobody are sent to them", "ZeroTargetHandlerObjectId": "callers who press zero are sent to them",
}

// dependencies are what names a user, so that the server would not delete them. Handlers of other users are not looked through:
// there are as many as there are users, and the server refuses for them all the same.
func (u users) dependencies(ctx context.Context, is object) ([]string, error) {
	own := is["CallHandlerObjectId"]
	var out []string
	for _, where := range []struct {
		path, element, what string
		query               url.Values
		keys                bool
	}{
		{"/vmrest/handlers/callhandlers", "Callhandler", "call handler", url.Values{"query": {"(IsPrimary is 0)"}}, true},
		{"/vmrest/handlers/interviewhandlers", "InterviewHandler", "interview handler", nil, false},
		{"/vmrest/handlers/directoryhandlers", "DirectoryHandler", "directory handler", nil, false},
	} {
		rows, err := u.all(ctx, "looking for what names the mailbox", where.path, where.element, where.query)
		if err != nil {
			return nil, err
		}
		for _, h := range rows {
			if h.id() == own || h.yes("IsPrimary") {
				continue
			}
			why := names(h, is.id(), own)
			if why == "" && where.keys {
				if why, err = u.keys(ctx, h.id(), own); err != nil {
					return nil, err
				}
			}
			if why != "" {
				out = append(out, fmt.Sprintf("%s %q (%s)", where.what, h["DisplayName"], why))
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

func names(h object, ref, own string) string {
	for field, why := range naming {
		if v := h[field]; v != "" && (v == ref || v == own) {
			return why
		}
	}
	return ""
}

// keys says which key of a call handler leads to a user's own handler. A handler that went while we read has none.
func (u users) keys(ctx context.Context, handler, own string) (string, error) {
	if own == "" {
		return "", nil
	}
	rows, err := u.all(ctx, "looking for what names the mailbox", "/vmrest/handlers/callhandlers/"+url.PathEscape(handler)+"/menuentries", "MenuEntry", nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range rows {
		if e["TargetHandlerObjectId"] == own {
			return "key " + e["TouchtoneKey"] + " leads to them", nil
		}
	}
	return "", nil
}

// named is what still leads callers to a leaver.
func (u users) named(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	is, err := u.full(ctx, account.Ref)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := u.dependencies(ctx, is)
	var out []dayone.Remain
	for _, name := range list {
		out = append(out, dayone.Remain{Name: name, Note: "callers are still led to this mailbox", Act: "let it name somebody else in Cisco Unity Connection Administration"})
	}
	return out, err
}
