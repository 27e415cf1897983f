package unity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/dayone-hq/dayone"
)

const lookingFor = "looking for what names mailboxes"

// fieldsThatName are the fields by which a handler names a user, or the handler that answers for one.
var fieldsThatName = map[string]string{
	"RecipientSubscriberObjectId": "its messages go to them", "AfterMessageTargetHandlerObjectId": "callers are sent to them after a message",
	"ExitTargetHandlerObjectId": "callers are sent to them at the end", "NoInputTargetHandlerObjectId": "callers who say nothing are sent to them",
	"NoSelectionTargetHandlerObjectId": "callers who choose nobody are sent to them", "ZeroTargetHandlerObjectId": "callers who press zero are sent to them",
}

// naming tells of every place at which a handler names a user, or the handler that answers for one, by the id that it names.
// Handlers of users are not looked through: there are as many as there are users, and the server refuses for them all the same.
func (s *server) naming(ctx context.Context, each func(id, words string)) error {
	for _, where := range []struct {
		path, element, what string
		query               url.Values
	}{
		{"/vmrest/handlers/callhandlers", "Callhandler", "call handler", url.Values{"query": {"(IsPrimary is 0)"}}},
		{"/vmrest/handlers/interviewhandlers", "InterviewHandler", "interview handler", nil},
		{"/vmrest/handlers/directoryhandlers", "DirectoryHandler", "directory handler", nil},
	} {
		rows, err := s.all(ctx, lookingFor, where.path, where.element, where.query)
		if where.query != nil && errors.Is(err, dayone.ErrInvalid) { // a release that cannot search by it shows everybody's, too
			rows, err = s.all(ctx, lookingFor, where.path, where.element, nil)
		}
		if err != nil {
			return err
		}
		for _, h := range rows {
			if h.yes("IsPrimary") {
				continue
			}
			what := fmt.Sprintf("%s %q", where.what, h["DisplayName"])
			for field, why := range fieldsThatName {
				if h[field] != "" {
					each(h[field], what+" ("+why+")")
				}
			}
			if where.element != "Callhandler" {
				continue
			}
			keys, err := s.all(ctx, lookingFor, where.path+"/"+url.PathEscape(h.id())+"/menuentries", "MenuEntry", nil)
			if errors.Is(err, dayone.ErrNotFound) {
				continue // it went while we read
			}
			if err != nil {
				return err
			}
			for _, k := range keys {
				if k["TargetHandlerObjectId"] != "" {
					each(k["TargetHandlerObjectId"], what+" (key "+k["TouchtoneKey"]+" leads to them)")
				}
			}
		}
	}
	return nil
}

// dependencies are what names a user, so that the server would not delete them.
func (u users) dependencies(ctx context.Context, is object) ([]string, error) {
	var out []string
	err := u.naming(ctx, func(id, words string) {
		if id == is.id() || id == is["CallHandlerObjectId"] {
			out = append(out, words)
		}
	})
	slices.Sort(out)
	return out, err
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
