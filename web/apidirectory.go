package web

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/dayone-hq/dayone"
)

// apiLooked is somebody whom a directory shows.
type apiLooked struct {
	Subject    string          `json:"subject"`
	Name       string          `json:"name"`
	Email      string          `json:"email,omitempty"`
	Title      string          `json:"title,omitempty"`
	Department string          `json:"department,omitempty"`
	Person     dayone.PersonID `json:"person,omitempty"`
}

// apiLookUp finds people in a source that is a directory.
func (p *portal) apiLookUp(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), 20
	if t := q.Get("limit"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			return fmt.Errorf("limit is no number: %w", dayone.ErrInvalid)
		}
		limit = n
	}
	found, err := p.flow.LookUp(r.Context(), r.PathValue("source"), q.Get("q"), limit)
	if err != nil {
		return worth(err)
	}
	out := apiPage[apiLooked]{Items: []apiLooked{}}
	for _, x := range found {
		out.Items = append(out.Items, apiLooked{x.Subject, x.Name, x.Email, x.Title, x.Department, x.Person})
	}
	return answerJSON(w, http.StatusOK, out)
}
