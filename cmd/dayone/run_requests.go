package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// saidCalls are the requests of a step as the API has them.
type saidCalls struct {
	Items []struct {
		Attempt      int
		System       string
		At           time.Time
		After, Error string
		Left         int `json:"left_out"`
		Calls        []struct {
			Method, Host, Path, Operation, Fault, Again string
			Query, Keys                                 []string
			More                                        int `json:"more_names"`
			Status                                      int
			TookMS                                      float64 `json:"took_ms"`
			ID                                          string  `json:"request_id"`
		}
	}
}

func newRunRequests() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "requests RUN STEP", Short: "Show the requests that were made for a step, without their values", Args: args(2, 2, "a run's id and the number of its step"),
		Long: `Each attempt of a step, the last one first, with its requests: where each went, what came of it, how long it took, its id at
the vendor, and the names of what was sent. {} stands for every part that is a value. No value, header or answer is kept.
For administrators, and operators of its system.`,
		Example: "  dayone run requests run_01jd9x0000000000000000000a 3",
		RunE: func(c *cobra.Command, got []string) error {
			if _, err := strconv.Atoi(got[1]); err != nil {
				return &usageError{fmt.Errorf("%q is no number of a step; dayone run show %s has them", got[1], got[0])}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			path := "/runs/" + url.PathEscape(got[0]) + "/steps/" + got[1] + "/calls"
			if asJSON {
				var raw any
				if err := cl.call(c.Context(), http.MethodGet, path, nil, nil, &raw); err != nil {
					return listed(err, "step", got[0]+" "+got[1], "dayone run show")
				}
				return writeJSON(c.OutOrStdout(), raw)
			}
			var said saidCalls
			if err := cl.call(c.Context(), http.MethodGet, path, nil, nil, &said); err != nil {
				return listed(err, "step", got[0]+" "+got[1], "dayone run show")
			}
			said.print(c.OutOrStdout())
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (said saidCalls) print(out io.Writer) {
	if len(said.Items) == 0 {
		fmt.Fprintln(out, "No request is kept: nothing was sent yet, its system does not speak HTTP, or they are older than privacy.requests_days.")
	}
	for _, a := range said.Items {
		fmt.Fprintf(out, "Call %d, %s, at %s", a.Attempt, a.System, a.At.Local().Format(time.DateTime))
		for _, x := range [][2]string{{", made again after: ", a.After}, {"; it ended with: ", a.Error}} {
			if x[1] != "" {
				fmt.Fprint(out, x[0]+x[1])
			}
		}
		fmt.Fprintln(out)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, k := range a.Calls {
			path := strings.TrimSpace(k.Path + " " + k.Operation)
			if len(k.Query) > 0 {
				path += "?" + strings.Join(k.Query, "=…&") + "=…"
			}
			notes := []string{}
			for _, x := range [][2]string{{"sent ", strings.Join(k.Keys, ", ")}, {"again after: ", k.Again}, {"id ", k.ID}} {
				if x[1] != "" {
					notes = append(notes, x[0]+x[1])
				}
			}
			answer := cmp.Or(k.Fault, strconv.Itoa(k.Status))
			fmt.Fprintf(w, "  %s %s\t%s\t%s\t%.1f ms\t%s\n", k.Method, path, k.Host, answer, k.TookMS, strings.Join(notes, "; "))
		}
		_ = w.Flush()
		if a.Left > 0 {
			fmt.Fprintf(out, "  %d requests between the first and the last are not kept.\n", a.Left)
		}
	}
}
