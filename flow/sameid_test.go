package flow_test

import (
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

// An id that is used for something else is no repetition: what came with it is kept, and a human looks. What is sent again is.
func TestAnIDThatIsUsedAgainForAnotherLosesNothing(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	for name, c := range map[string]struct {
		body  string
		again bool
	}{
		"itself":  {`{"event_id":"same","event_type":"employee.updated","data":{"employee_id":"77","department":"Sales"}}`, true},
		"wrapped": {`{"try":2,"event_id":"same","event_type":"employee.updated","data":{"employee_id":"77","department":"Sales"}}`, true},
		"content": {`{"event_id":"same","event_type":"employee.updated","data":{"employee_id":"77","department":"Legal"}}`, false},
		"subject": {`{"event_id":"same","event_type":"employee.updated","data":{"employee_id":"78","department":"Sales"}}`, false},
	} {
		first := h.hears([]byte(`{"event_id":"same","event_type":"employee.updated","data":{"employee_id":"77","department":"Sales"}}`))[0]
		got := h.hears([]byte(c.body))[0]
		if c.again {
			if !got.Again || got.ID != first.ID {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if got.Again || got.ID == first.ID || got.State != dayone.EventQuarantined || !strings.Contains(got.Note, "something else") {
			t.Errorf("%s: %+v", name, got)
		}
		if twice := h.hears([]byte(c.body))[0]; twice.ID != got.ID {
			t.Errorf("%s: said twice it is kept twice: %+v", name, twice)
		}
	}
}
