package web

import (
	"errors"
	"net/http"

	"github.com/dayone-hq/dayone"
)

// noPhoto stands where a source has no picture of somebody, or does not answer: a page never waits for it.
const noPhoto = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><circle cx="24" cy="24" r="24" fill="#8a949f" fill-opacity=".25"/><circle cx="24" cy="19" r="8" fill="#8a949f"/><path d="M9 42a15 13 0 0 1 30 0z" fill="#8a949f"/></svg>`

// photo is the picture of a person. Nothing in it is run: the page shows it as an image, and its own address runs nothing.
func (p *portal) photo(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	got, err := p.flow.Photo(r.Context(), id)
	if errors.Is(err, dayone.ErrNotFound) {
		if _, err := p.flow.Person(r.Context(), id); err != nil {
			return err
		}
	} else if err != nil {
		p.log.Warn("a picture cannot be read", "person", id, "error", err)
	}
	kind, image := got.Kind, got.Image
	if err != nil {
		kind, image = "image/svg+xml", []byte(noPhoto)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = w.Write(image)
	return nil
}
