package sim

import (
	"net/http"
	"slices"
)

// SetPhoto gives a user a picture.
func (s *Sim) SetPhoto(ref string, image []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.photos == nil {
		s.photos = map[string][]byte{}
	}
	s.photos[ref] = image
}

// photo answers with the bytes, in one of the sizes that are kept.
func (s *Sim) photo(w http.ResponseWriter, r *http.Request, u *user) {
	if !slices.Contains([]string{"48x48", "64x64", "96x96", "120x120", "240x240"}, r.PathValue("size")) {
		fail(w, 400, "ErrorInvalidImageId", "The image ID isn't valid.")
		return
	}
	image := s.photos[u.id]
	if image == nil {
		fail(w, 404, "ImageNotFound", "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.")
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(image)
}
