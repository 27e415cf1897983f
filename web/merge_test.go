package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestTwoEntriesAreMergedAndSplitInThePortal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, _ := b.hire("emp_1", "Ngozi", "Eze", "Sales", b.flow.Now().AddDate(0, -1, 0))
	second, _ := b.hire("emp_2", "N.", "Eze-Smith", "Sales", b.flow.Now().AddDate(0, -1, 0))
	one, two := "/people/"+string(first), "/people/"+string(second)

	want(t, "whom", b.page(one+"/merge"), "Show what will happen", `method="get"`)
	want(t, "nobody", text(t, b.get(one+"/merge?with=ghost")), "Nobody was found")
	want(t, "herself", b.page(one+"/merge?with="+string(first)), "They cannot be merged", "the same person already")
	want(t, "what will happen", b.page(one+"/merge?with="+url.QueryEscape("N. Eze-Smith")), "An employment comes along", "Make them one person", `name="with" value="`+string(second)+`"`)
	res := b.post(one+"/merge", url.Values{"with": {string(second)}, "reason": {" "}})
	want(t, "without a reason", text(t, res), "It was not done", "Say why")
	if res = b.post(one+"/merge", url.Values{"with": {string(second)}, "reason": {"one person"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatal(res.Status, text(t, res))
	}
	if res = b.get(two + "/records?x=1"); res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != one+"/records?x=1" {
		t.Errorf("the other leads to %s %s", res.Status, res.Header.Get("Location"))
	}
	want(t, "records of both", b.page(one+"/records"), "Merged with another person", "Merged into another person")
	if list := b.page("/people"); strings.Contains(list, "Eze-Smith") {
		t.Error("the other is in the list")
	}
	var merges struct {
		Items []struct{ ID, Other, Reason, Undone string }
	}
	b.api("GET", "/api/v1"+one+"/merges", "", 200, &merges)
	if len(merges.Items) != 1 || merges.Items[0].Other != string(second) || merges.Items[0].Reason != "one person" {
		t.Errorf("merges: %+v", merges)
	}

	want(t, "the timeline", b.page(one+"/timeline"), "Not theirs: split it off")
	want(t, "what a split does", b.page(one+"/split?employment=emp_2"), "which is taken back", "Split it off")
	var off struct{ Other, Merge string }
	b.api("GET", "/api/v1"+one+"/split?employment=emp_2", "", 200, &off)
	if off.Other != string(second) || off.Merge != merges.Items[0].ID {
		t.Errorf("what a split does: %+v", off)
	}
	if res = b.post(one+"/split", url.Values{"employment": {"emp_2"}, "reason": {"two after all"}}); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), two) {
		t.Fatal(res.Status, res.Header.Get("Location"))
	}
	want(t, "she is back", b.page(two), "Eze-Smith")
}
