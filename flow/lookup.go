package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Looked is somebody whom a directory shows.
type Looked struct {
	Subject, Name, Email, Title, Department string
	Person                                  dayone.PersonID // if she is known here
}

// mostLooked is how many one search gives.
const mostLooked = 50

// LookUp finds people in a source that is a directory: by name, mail address or login. ErrUnsupported: it is none.
func (f *Flow) LookUp(ctx context.Context, source, text string, limit int) ([]Looked, error) {
	src, ok := f.Sources[source]
	if !ok {
		return nil, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	dir, ok := src.Source.(connector.Directory)
	if !ok {
		return nil, fmt.Errorf("nobody can be looked up in %s; it is no directory: %w", source, dayone.ErrUnsupported)
	}
	if text = strings.TrimSpace(text); len([]rune(text)) < 2 {
		return nil, fmt.Errorf("write two letters at least: %w", dayone.ErrInvalid)
	}
	records, err := dir.Search(ctx, text, min(max(limit, 1), mostLooked))
	if err != nil {
		return nil, err
	}
	out := []Looked{}
	for _, r := range records {
		x := lookedOf(r)
		id, known, err := f.Store.PersonOf(ctx, source, r.Subject)
		if err != nil {
			return nil, err
		}
		switch {
		case known:
			if _, err := f.Person(ctx, id); errors.Is(err, dayone.ErrNotFound) {
				continue // only few may know that she comes
			} else if err != nil {
				return nil, err
			}
			x.Person = id
		case src.Discreet && !mayKnow(ctx), !scopeOf(ctx).AllPeople():
			continue
		}
		out = append(out, x)
	}
	return out, nil
}

// lookedOf is a record as a search shows it.
func lookedOf(r dayone.Event) Looked {
	of := func(name string) string { return r.Fields[name].Text }
	x := Looked{Subject: r.Subject, Name: strings.TrimSpace(of("first_name") + " " + of("last_name")), Email: of("email"), Title: of("job_title"), Department: of("department")}
	if x.Name == "" {
		x.Name = of("preferred_name")
	}
	return x
}
