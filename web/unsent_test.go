package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// Whoever looks for a mail that waits reads what it waits for, how it reads so far, and where that is done.
func TestAMailThatWaitsSaysForWhat(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "order it", Ask: []string{"serial"}}, nil)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	path, welcome := "/runs/"+string(run.ID), 0
	for i, s := range run.Steps {
		if s.Step.Key.Kind == "message" && s.Step.Key.Name == "welcome" {
			welcome = i + 1
		}
	}
	if welcome == 0 {
		t.Fatal("no step writes to her")
	}
	const waits = "It waits for Procurement: assign order"
	b.until("the order to become a task", func() bool {
		now := b.started("sarah.chen@company.com")
		return now.Step("procurement/order entitlement.add").State == dayone.StepWaiting
	})
	task := regexp.MustCompile(`/tasks/tsk_[a-z0-9]+`).FindString(b.page("/tasks"))
	if task == "" {
		t.Fatal("there is no task")
	}
	for _, page := range []string{path, "/onboard/" + string(run.Person) + "/result", "/people/" + string(run.Person)} {
		want(t, page, b.page(page), waits, `href="`+task+`">Open the task`, "Read it")
	}
	want(t, "the need", b.page(path), "Messages that wait for it: ")
	type unsent struct {
		Waits []struct {
			Number    int
			Key, Task string
		} `json:"waits_for"`
		Goes    time.Time `json:"goes_without"`
		Message struct{ Subject, Text string }
	}
	var api struct{ Steps []struct{ Unsent *unsent } }
	b.api("GET", "/api/v1"+path, "", http.StatusOK, &api)
	if u := api.Steps[welcome-1].Unsent; u == nil || len(u.Waits) != 1 || u.Waits[0].Key != "procurement/order" || "/tasks/"+u.Waits[0].Task != task || u.Goes.IsZero() ||
		!strings.Contains(u.Message.Subject, "Welcome to Company!") || !strings.Contains(u.Message.Text, "a one-time link, made when this is sent") {
		t.Errorf("the API says of her welcome %+v", u)
	}
	letter := path + "?step=" + itoa(welcome)
	want(t, "the letter", b.page(letter), "How it reads so far", "Welcome to Company!", "a one-time link, made when this is sent")

	if res := b.post(task, url.Values{"ask.serial": {"C02XK1ABCD"}}); res.StatusCode >= 400 {
		t.Fatalf("completing the task: %s", res.Status)
	}
	b.until("the welcome mail", func() bool {
		now := b.started("sarah.chen@company.com")
		return now.Steps[welcome-1].State == dayone.StepDone
	})
	if strings.Contains(b.page(letter), "How it reads so far") || strings.Contains(b.page("/people/"+string(run.Person)), waits) {
		t.Error("what was sent is still said to wait")
	}
	api.Steps = nil
	if b.api("GET", "/api/v1"+path, "", http.StatusOK, &api); api.Steps[welcome-1].Unsent != nil {
		t.Error("the API says of what was sent that it waits")
	}
}

// Who may not read on the pages what is still to be written to somebody does not read it by the API either.
func TestAnAuditorReadsNoMailThatIsStillToGoOut(t *testing.T) {
	t.Parallel()
	b := newCompany(t, withRoles)
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "order it", Ask: []string{"serial"}}, nil)
	b.hireSarah()
	path := "/api/v1/runs/" + string(b.runOf("sarah.chen@company.com").ID)
	for role, reads := range map[dayone.Role]bool{dayone.HR: true, dayone.Auditor: false} {
		body := text(t, b.from("127.0.0.1:1", "GET", path, "Authorization", "Bearer "+tokenOf(role)))
		if !strings.Contains(body, `"waits_for"`) || strings.Contains(body, "made when this is sent") != reads {
			t.Errorf("%s reads the mail or not as it ought not to, want %v: %s", role, reads, body)
		}
	}
}

// What would be written is shown in a preview to those who may onboard, and to nobody else.
func TestAnAuditorReadsNoMailOfAPreview(t *testing.T) {
	t.Parallel()
	b := newCompany(t, withRoles)
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "order it", Ask: []string{"serial"}}, nil)
	b.hireSarah()
	path := "/api/v1/people/" + string(b.runOf("sarah.chen@company.com").Person) + "/products/preview"
	for role, reads := range map[dayone.Role]bool{dayone.HR: true, dayone.Auditor: false} {
		body := text(t, b.from("127.0.0.1:1", "GET", path, "Authorization", "Bearer "+tokenOf(role)))
		if !strings.Contains(body, `"plan"`) || strings.Contains(body, `"subject"`) != reads {
			t.Errorf("%s reads the mail or not as it ought not to, want %v: %s", role, reads, body)
		}
	}
}
