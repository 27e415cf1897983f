package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// approvalLine is an approval as the API tells it.
type approvalLine struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Key      string    `json:"key"`
	Role     string    `json:"role"`
	By       string    `json:"requester"`
	Reason   string    `json:"reason"`
	State    string    `json:"state"`
	Due      time.Time `json:"due"`
	Deciders []struct {
		Mail string `json:"mail"`
		Why  string `json:"why"`
	} `json:"deciders"`
	Votes []struct {
		Of      string `json:"of"`
		By      string `json:"by"`
		Approve bool   `json:"approve"`
		Reason  string `json:"reason"`
	} `json:"votes"`
}

func (a approvalLine) what() string {
	if a.Role != "" {
		return a.Key + " as " + a.Role
	}
	return a.Key
}

// asked says who asked for it and why.
func (a approvalLine) asked() string {
	if a.By == "" {
		return a.Reason
	}
	return strings.TrimSuffix("asked for by "+a.By+": "+a.Reason, ": ")
}

// decided says who decided it, and who entered that.
func (a approvalLine) decided() string {
	n := len(a.Votes)
	if n == 0 {
		return ""
	}
	return "answered by " + dayone.Vote{Of: a.Votes[n-1].Of, By: a.Votes[n-1].By}.Who()
}

func newApprovals() *cobra.Command {
	c := &cobra.Command{
		Use:   "approvals",
		Short: "See what waits for an approval, and decide",
		Long: `Approvals are asked for where a policy gives something with approval:, or the catalogue calls it sensitive. These commands
speak with the running server, at portal.url of the configuration and with its token.

Whoever has the token enters a decision on behalf of one of those who may decide (--for); both are recorded. Nobody decides
for themselves, or about what they asked for.`,
	}
	var all, asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List what waits for an answer", Args: args(0, 0, "nothing"),
		Example: "  dayone approvals list\n  dayone approvals list --all --json",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := serverOf(c)
			if err != nil {
				return err
			}
			ask, pages := url.Values{"limit": {"200"}, "state": {"open"}}, 0
			if all {
				ask.Set("state", "all")
				pages = 1
			}
			raws, next, err := everyPage(c.Context(), s, "/approvals", ask, pages)
			if err != nil {
				return err
			}
			andMore(c, next)
			if asJSON {
				return writeJSON(c.OutOrStdout(), map[string]any{"items": raws})
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, raw := range raws {
				var a approvalLine
				if err := json.Unmarshal(raw, &a); err != nil {
					return err
				}
				var who []string
				for _, d := range a.Deciders {
					who = append(who, d.Mail)
				}
				fmt.Fprintf(w, "%s\t%s\tuntil %s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.State, clockOf(a.Due), a.Name, a.what(), strings.Join(who, ", "), a.asked(), a.decided())
			}
			if len(raws) == 0 {
				fmt.Fprintln(w, "Nothing waits for an answer.")
			}
			return w.Flush()
		},
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	list.Flags().BoolVar(&all, "all", false, "decided ones too, the latest 200")
	list.Flags().BoolVar(&asJSON, "json", false, "as the API answers")
	c.AddCommand(list, newAnswer("approve", "Agree to it"), newAnswer("refuse", "Do not; --reason says why"), newAskAnew(), newDelegate())
	return c
}

func newAnswer(verb, short string) *cobra.Command {
	var behalf, reason string
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Args: args(1, 1, "the id of an approval, as dayone approvals list shows it"),
		Example: fmt.Sprintf("  dayone approvals %s apr_01jd9x0000000000000000000a --for kim@company.com --reason %q", verb, "CHG-1234"),
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(behalf) == "" {
				return who(c, got[0])
			}
			return answer(c, got[0], map[string]string{"verdict": verb, "for": behalf, "reason": reason})
		},
	}
	c.Flags().StringVar(&behalf, "for", "", "mail address of who decides, one of those who may")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

// who says for whom a decision may be entered.
func who(c *cobra.Command, id string) error {
	s, err := serverOf(c)
	if err != nil {
		return err
	}
	var a approvalLine
	if err := s.call(c.Context(), http.MethodGet, "/approvals/"+url.PathEscape(id), nil, nil, &a); err != nil {
		return listed(err, "request for an approval", id, "dayone approvals list")
	}
	var may []string
	for _, d := range a.Deciders {
		may = append(may, d.Mail)
	}
	if len(may) == 0 {
		return &usageError{fmt.Errorf("say with --for who decides; nobody is found who may just now")}
	}
	return &usageError{fmt.Errorf("say with --for who decides: %s", strings.Join(may, " or "))}
}

func newAskAnew() *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: "ask ID", Short: "Ask anew for what was refused, or nobody answered", Args: args(1, 1, "the id of an approval"),
		Example: `  dayone approvals ask apr_01jd9x0000000000000000000a --by kim@company.com --reason "the training is done"`,
		RunE: func(c *cobra.Command, got []string) error {
			return answer(c, got[0], map[string]string{"verdict": "ask anew", "by": by, "reason": reason})
		},
	}
	c.Flags().StringVar(&by, "by", "", "mail address of who asks; nobody who ever asked for it decides")
	c.Flags().StringVar(&reason, "reason", "", "what it is needed for; whoever decides reads it")
	return c
}

func answer(c *cobra.Command, id string, in map[string]string) error {
	s, err := serverOf(c)
	if err != nil {
		return err
	}
	var now approvalLine
	if err := s.call(c.Context(), http.MethodPost, "/approvals/"+url.PathEscape(id), nil, in, &now); err != nil {
		return listed(err, "request for an approval", id, "dayone approvals list")
	}
	out := c.OutOrStdout()
	switch now.State {
	case string(dayone.ApprovalOpen):
		fmt.Fprintf(out, "%s: %s for %s waits for an answer.\n", now.ID, now.what(), now.Name)
	default:
		fmt.Fprintf(out, "%s: %s for %s is %s. The server goes on with it.\n", now.ID, now.what(), now.Name, now.State)
	}
	return nil
}

func newDelegate() *cobra.Command {
	var from, until string
	c := &cobra.Command{
		Use: "delegate WHO TO", Short: "Let somebody decide for somebody else for a time", Args: args(2, 2, "who is away and who decides, by mail address or name"),
		Example: "  dayone approvals delegate kim@company.com sam@company.com --until 2025-08-15",
		RunE: func(c *cobra.Command, got []string) error {
			in := map[string]any{"who": got[0], "to": got[1]}
			for name, day := range map[string]string{"from": from, "until": until} {
				if day == "" {
					continue
				}
				t, err := time.ParseInLocation(time.DateOnly, day, time.Local)
				if err != nil {
					return &usageError{fmt.Errorf("--%s is %q; write 2025-08-15", name, day)}
				}
				if name == "until" { // to the end of that day
					t = t.AddDate(0, 0, 1)
				}
				in[name] = t
			}
			if until == "" {
				return &usageError{fmt.Errorf("say with --until on which day it ends")}
			}
			s, err := serverOf(c)
			if err != nil {
				return err
			}
			var g struct {
				ID    string
				Until time.Time
			}
			if err := s.call(c.Context(), http.MethodPost, "/delegations", nil, in, &g); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s decides for %s until the end of %s.\n", g.ID, got[1], got[0], lastDay(g.Until))
			return err
		},
	}
	c.Flags().StringVar(&from, "from", "", "first day (default: now)")
	c.Flags().StringVar(&until, "until", "", "last day")
	return c
}

// taskLine is a task as the API tells it.
type taskLine struct {
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Due      *time.Time `json:"due"`
	Assignee string     `json:"assignee"`
	Ask      []string   `json:"ask"`
	Proof    bool       `json:"proof"`
	By       string     `json:"by"`
	Nobody   string     `json:"nobody_hears"`
}

func newTasks() *cobra.Command {
	c := &cobra.Command{
		Use:   "tasks",
		Short: "See what waits for a human, give it to somebody, say that it is done",
		Long:  "These commands speak with the running server, at portal.url of the configuration and with its token.",
	}
	var asJSON bool
	var system string
	list := &cobra.Command{
		Use: "list", Short: "List open tasks, the next due first", Args: args(0, 0, "nothing"), Example: "  dayone tasks list\n  dayone tasks list --system laptops",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := serverOf(c)
			if err != nil {
				return err
			}
			ask := url.Values{}
			if system != "" {
				ask.Set("system", system)
			}
			raws, _, err := everyPage(c.Context(), s, "/tasks", ask, 0)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), map[string]any{"items": raws})
			}
			var page struct{ Items []taskLine }
			for _, raw := range raws {
				var t taskLine
				if err := json.Unmarshal(raw, &t); err != nil {
					return err
				}
				page.Items = append(page.Items, t)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, t := range page.Items {
				due, asks := "", t.Ask
				if t.Due != nil {
					due = clockOf(*t.Due)
				}
				if t.Proof {
					asks = append(asks, dayone.Evidence)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.ID, due, cmp.Or(t.Assignee, "nobody"), t.Title, strings.Join(asks, ", "))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, strings.TrimSuffix("No task is open at "+system, " at ")+".")
			}
			return w.Flush()
		},
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	list.Flags().StringVar(&system, "system", "", "only what is to be done at this system, by its name")
	list.Flags().BoolVar(&asJSON, "json", false, "as the API answers")
	c.AddCommand(list, newTaskDone(), newTaskAssign())
	return c
}

// everyPage reads all pages of a list, or so many, and says where it goes on.
func everyPage(ctx context.Context, s *client, path string, ask url.Values, pages int) (all []json.RawMessage, next string, err error) {
	all = []json.RawMessage{}
	for {
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		if err := s.call(ctx, http.MethodGet, path, ask, nil, &page); err != nil {
			return nil, "", err
		}
		all = append(all, page.Items...)
		if pages--; page.Next == "" || pages == 0 {
			return all, page.Next, nil
		}
		next, err := url.Parse(page.Next)
		if err != nil {
			return nil, "", fmt.Errorf("the server's address of the next page cannot be read: %w", dayone.ErrInvalid)
		}
		ask = next.Query()
	}
}

// andMore says beside a list that it goes on, and where.
func andMore(c *cobra.Command, next string) {
	if next != "" {
		fmt.Fprintf(c.ErrOrStderr(), "There are more: dayone api GET '%s'\n", next)
	}
}

func newTaskDone() *cobra.Command {
	var set []string
	var evidence, note string
	c := &cobra.Command{
		Use: "done ID", Short: "Say that a task is done", Args: args(1, 1, "the id of a task"),
		Example: `  dayone tasks done tsk_01jd9x0000000000000000000a --set serial=C02XK1 --evidence https://shop.company.com/orders/7`,
		RunE: func(c *cobra.Command, got []string) error {
			attrs := map[string]string{}
			for _, s := range set {
				name, v, ok := strings.Cut(s, "=")
				if !ok {
					return &usageError{fmt.Errorf("--set is %q; write NAME=VALUE", s)}
				}
				attrs[name] = v
			}
			return task(c, got[0], "complete", map[string]any{"attrs": attrs, "evidence": evidence, "note": note}, "is done")
		},
	}
	c.Flags().StringArrayVar(&set, "set", nil, "NAME=VALUE of what it asks for; may be repeated")
	c.Flags().StringVar(&evidence, "evidence", "", "what shows that it is done: a sentence or a link")
	c.Flags().StringVar(&note, "note", "", "for the record")
	return c
}

func newTaskAssign() *cobra.Command {
	return &cobra.Command{
		Use: "assign ID WHO", Short: "Give a task to a mail address or to group:NAME", Args: args(2, 2, "the id of a task, and a mail address or group:NAME"),
		Example: "  dayone tasks assign tsk_01jd9x0000000000000000000a group:helpdesk",
		RunE: func(c *cobra.Command, got []string) error {
			return task(c, got[0], "assign", map[string]any{"assignee": got[1]}, "is given to "+got[1])
		},
	}
}

func task(c *cobra.Command, id, verb string, in map[string]any, said string) error {
	s, err := serverOf(c)
	if err != nil {
		return err
	}
	var t taskLine
	if err := s.call(c.Context(), http.MethodPost, "/tasks/"+url.PathEscape(id)+"/"+verb, nil, in, &t); err != nil {
		return listed(err, "task", id, "dayone tasks list")
	}
	if _, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s %s.\n", t.ID, t.Title, said); err == nil && t.Nobody != "" && verb == "assign" {
		_, err = fmt.Fprintf(c.ErrOrStderr(), "warning: %s\n", t.Nobody)
	}
	return err
}
