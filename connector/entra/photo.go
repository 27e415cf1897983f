package entra

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// photoSize is one of those that Graph keeps, in pixels.
const photoSize = "96x96"

// maxPhoto in bytes: what is larger is no picture of that size.
const maxPhoto = 512 << 10

// Photo is the picture of somebody. https://learn.microsoft.com/graph/api/profilephoto-get
func (s source) Photo(ctx context.Context, subject string) ([]byte, string, error) {
	const op = "reading photo"
	if s.api.set["photos"] != "true" {
		return nil, "", s.api.Fault(op, dayone.ErrUnsupported, "", "the setting photos is off")
	}
	ref := subject
	if s.api.set["subject"] != "id" {
		e, err := s.Read(ctx, subject)
		if err != nil {
			return nil, "", err
		}
		ref = e.Fields["id"].Text
	}
	q := httpc.Request{Op: op, Method: "GET", Path: userPath(ref) + "/photos/" + url.PathEscape(photoSize) + "/$value", Accept: "image/*"}
	a, err := s.api.Do(ctx, q, nil)
	if err != nil {
		return nil, "", advised(err, permission(q))
	}
	kind := http.DetectContentType(a.Body) // what it is, not what it is called: a page of ours shows it
	if len(a.Body) > maxPhoto || !strings.HasPrefix(kind, "image/") {
		return nil, "", s.api.Fault(op, dayone.ErrInvalid, "", "the answer is no picture")
	}
	return a.Body, kind, nil
}
