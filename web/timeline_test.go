package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

type timelineBody struct {
	Status     string
	Known      bool
	Attributes []struct {
		Name, From, Says string
		Value            dayone.Value
		Correction       *struct{ By, Reason string }
	}
	Changes []struct {
		Seq                            int
		Intent, By, Reason, Event, Run string
	}
	Next string
}

func (t timelineBody) attribute(name string) (value, says string, corrected bool) {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a.Value.Text, a.Says, a.Correction != nil
		}
	}
	return "", "", false
}

func TestACorrectionThroughTheAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, _ := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	base := "/api/v1/people/" + string(person)
	var line timelineBody
	b.api("GET", base+"/timeline", "", http.StatusOK, &line)
	if value, says, _ := line.attribute("department"); value != "Sales" || says != "from hr" {
		t.Errorf("department is %q, %s", value, says)
	}
	if line.Changes[0].Intent != "future hire" || line.Changes[0].Event == "" {
		t.Errorf("the hire is %+v", line.Changes[0])
	}
	until := time.Now().AddDate(0, 0, 9).Format(time.DateOnly)
	for body, says := range map[string]string{
		`{"values":{"level":"many"},"until":"` + until + `","reason":"x"}`:      "whole number",
		`{"values":{"departmen":"Sales"},"until":"` + until + `","reason":"x"}`: "department",
		`{"values":{"department":"Legal"},"until":"soon","reason":"x"}`:         "2025-01-31",
		`{"values":{"department":"Legal"},"until":"` + until + `"}`:             "Say why",
	} {
		var refused refusedBody
		b.api("POST", base+"/corrections", body, http.StatusBadRequest, &refused)
		if !strings.Contains(refused.Error.Message, says) {
			t.Errorf("%s is refused with %q", body, refused.Error.Message)
		}
	}
	b.api("POST", base+"/corrections", `{"values":{"department":"Engineering"},"until":"`+until+`","reason":"HR is on holiday"}`, http.StatusCreated, nil)
	b.api("GET", base+"/timeline?limit=1", "", http.StatusOK, &line)
	if value, says, corrected := line.attribute("department"); value != "Engineering" || !corrected || says != "from a correction made here, hr says Sales" {
		t.Errorf("department is %q, %s", value, says)
	}
	if c := line.Changes[0]; c.Intent != "corrected by hand: department" || c.Reason != "HR is on holiday" || c.By == "" {
		t.Errorf("the correction is %+v", c)
	}
	if line.Next == "" {
		t.Fatal("there is no older page")
	}
	b.api("GET", line.Next, "", http.StatusOK, &line)
	b.api("GET", base+"/timeline?known_at=2020-01-01", "", http.StatusOK, &line)
	if line.Known || len(line.Changes) > 0 {
		t.Errorf("in 2020 was known: %+v", line)
	}
	for _, bad := range []string{"as_of=tomorrow", "known_at=2025-02-30", "before=x"} {
		b.api("GET", base+"/timeline?"+bad, "", http.StatusBadRequest, nil)
	}
	b.api("POST", base+"/corrections/department/end", `{"reason":"it was right"}`, http.StatusOK, nil)
	b.api("POST", base+"/corrections/department/end", `{}`, http.StatusConflict, nil)
	b.api("POST", base+"/bindings", `{"source":"nowhere","subject":"1","reason":"x"}`, http.StatusBadRequest, nil)
	b.api("POST", base+"/bindings", `{"source":"hr","subject":"emp_1","reason":"x"}`, http.StatusConflict, nil)
	b.api("POST", base+"/bindings", `{"source":"hr","subject":"emp_9","reason":"the same person"}`, http.StatusNoContent, nil)
}

func TestTheTimelinePageCorrectsAndLooksBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, _ := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	page := "/people/" + string(person) + "/timeline"
	want(t, "timeline", b.page(page), "Future hire", "What counts, and who says it", "said by hr", "/events?event=evt_")
	want(t, "then", b.page(page+"?known_at=2020-01-01"), "Nothing was known then", "This is not how it stands now", `value="2020-01-01"`)
	form := url.Values{"attribute": {"level"}, "value": {"many"}, "until": {time.Now().AddDate(0, 0, 9).Format(time.DateOnly)}, "reason": {"HR is on holiday"}}
	res := b.post("/people/"+string(person)+"/corrections", form)
	refused := text(t, res)
	want(t, "refused", refused, "It was not corrected", "whole number", `value="many"`)
	form.Set("attribute", "department")
	form.Set("value", "Engineering")
	done := func(path string, form url.Values) string {
		t.Helper()
		res := b.post(path, form)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %s", path, res.Status)
		}
		return b.page(res.Header.Get("Location"))
	}
	want(t, "corrected", done("/people/"+string(person)+"/corrections", form), "It is corrected", "a correction made here", "hr says Sales", "HR is on holiday", "Corrected by hand: department")
	want(t, "ended", done("/people/"+string(person)+"/corrections/department/end", url.Values{"reason": {"it was right"}}), "What sources say counts again", "Correction by hand ended: department")
	event := b.page(page)
	at := strings.Index(event, "/events?event=")
	want(t, "event", b.page(event[at:at+strings.Index(event[at:], `"`)]), "correction ended")
}
