package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Photo is a picture as its source has it.
type Photo struct {
	Image []byte
	Kind  string // media type
}

// Pictures are kept in memory for so long, and of so many people: also that there is none.
const (
	photosFor  = time.Hour
	photosMost = 500
)

// photos are what was read of late.
type photos struct {
	mu sync.Mutex
	of map[dayone.PersonID]photoRead
}

type photoRead struct {
	photo Photo
	at    time.Time
}

// Pictured says whether any source has pictures of people.
func (f *Flow) Pictured() bool {
	for _, s := range f.Sources {
		if _, ok := s.Source.(connector.Pictured); ok {
			return true
		}
	}
	return false
}

// Photo is the picture of somebody, from the source that knows the employment said last. ErrNotFound: there is none.
func (f *Flow) Photo(ctx context.Context, id dayone.PersonID) (Photo, error) {
	if _, err := f.Person(ctx, id); err != nil { // not of whom nobody may know
		return Photo{}, err
	}
	none := fmt.Errorf("there is no picture: %w", dayone.ErrNotFound)
	now := f.Clock.Now()
	f.pictures.mu.Lock()
	was, read := f.pictures.of[id]
	f.pictures.mu.Unlock()
	if read && now.Sub(was.at) < photosFor {
		if was.photo.Image == nil {
			return Photo{}, none
		}
		return was.photo, nil
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return Photo{}, err
	}
	var got Photo
	for _, e := range slices.Backward(t.Employments) {
		src, ok := f.Sources[e.Source].Source.(connector.Pictured)
		if !ok {
			continue
		}
		image, kind, err := src.Photo(ctx, e.SourceID)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) && !errors.Is(err, dayone.ErrUnsupported) {
			return Photo{}, err
		}
		if err == nil {
			got = Photo{image, kind}
			break
		}
	}
	f.pictures.mu.Lock()
	defer f.pictures.mu.Unlock()
	if f.pictures.of == nil || len(f.pictures.of) >= photosMost {
		f.pictures.of = map[dayone.PersonID]photoRead{}
	}
	f.pictures.of[id] = photoRead{got, now}
	if got.Image == nil {
		return Photo{}, none
	}
	return got, nil
}
