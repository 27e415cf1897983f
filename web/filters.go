package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// A list that is narrowed by a word that nothing is called by would be empty, and read as "there is none". It is refused.

// filterWords are the words that lists may be narrowed by: the API's as its document has them, and those of pages that have others.
var filterWords = map[string]map[string][]string{
	"GET /api/v1/people": {"status": append(wordsOf(dayone.Statuses), unplanned), "sort": sortWords()},
	"GET /api/v1/runs":   {"state": wordsOf(allRunStates)},
	"GET /api/v1/events": {"state": wordsOf(allEventStates)},
	"GET /api/v1/holds":  {"ended": yesOrNo},
	"GET /people":        {"sort": sortWords()},
	"GET /runs":          {"state": slices.Sorted(maps.Keys(runStates))},

	"GET /numbers/audit/{system}":        {"kind": wordsOf(flow.PlatformKinds)},
	"GET /api/v1/numbers/audit/{system}": {"kind": wordsOf(flow.PlatformKinds)},

	"GET /api/v1/records":             {"detail": yesOrNo},
	"GET /api/v1/runs/{id}/records":   {"detail": yesOrNo},
	"GET /api/v1/people/{id}/records": {"detail": yesOrNo},
}

var (
	yesOrNo      = []string{"true", "false"}
	allRunStates = []dayone.RunState{
		dayone.RunRunning, dayone.RunWaiting, dayone.RunDone, dayone.RunIncomplete, dayone.RunUndoing, dayone.RunUndone, dayone.RunUndoIncomplete, dayone.RunHeld,
		dayone.RunSuperseded, dayone.RunCancelled,
	}
	allEventStates = []dayone.EventState{
		dayone.EventReceived, dayone.EventApplied, dayone.EventUnchanged, dayone.EventQuarantined, dayone.EventHeld, dayone.EventAsked, dayone.EventDiscarded,
	}
)

// longestPage is the most that limit may say. Most lists give less, and say where they go on.
const longestPage = 1000

func wordsOf[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// narrowed says what is wrong with how the API is asked. What is left empty narrows nothing.
func narrowed(r *http.Request) error {
	q := r.URL.Query()
	if len(q) > 0 {
		if err := askable(q, apiParameters()[r.Pattern]); err != nil {
			return err
		}
	}
	if r.Method != http.MethodGet {
		return nil
	}
	if text := q.Get("limit"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > longestPage {
			return refuse(dayone.ErrInvalid, fmt.Sprintf("limit is a number from 1 to %d.", longestPage))
		}
	}
	return fits(r)
}

// fits says whether the words that narrow a list, of the API or on a page, and the place where it goes on are such.
func fits(r *http.Request) error {
	q := r.URL.Query()
	for name, words := range filterWords[r.Pattern] {
		for _, v := range q[name] {
			if v != "" && !slices.Contains(words, v) {
				return refuse(dayone.ErrInvalid, fmt.Sprintf(textNoWord, name, strings.Join(words, ", ")))
			}
		}
	}
	if strings.HasSuffix(r.Pattern, "/records") {
		if text := q.Get("before"); text != "" {
			if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 1 {
				return refuse(dayone.ErrInvalid, textNoLine)
			}
		}
	}
	if strings.HasSuffix(r.Pattern, "/numbers/audit/{system}") {
		if text := q.Get("after"); text != "" {
			if n, err := strconv.Atoi(text); err != nil || n < 0 {
				return refuse(dayone.ErrInvalid, textNoFinding)
			}
		}
	}
	return nil
}

// askable refuses a parameter that an address does not know: more would be shown, or done, than was asked for.
func askable(asked url.Values, known []string) error {
	return among(asked, known, textNoAsking)
}

// only refuses a field that a form does not have: one that is left out means everybody, everything, at once or for ever there, and
// so would one that is misspelt.
func only(r *http.Request, known ...string) error { return among(r.PostForm, known, textNoField) }

func among(asked url.Values, known []string, text string) error {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !slices.Contains(known, name) {
			return refuse(dayone.ErrInvalid, fmt.Sprintf(text, name, cmp.Or(strings.Join(known, ", "), "nothing")))
		}
	}
	return nil
}
