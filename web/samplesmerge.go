package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleMerging is somebody whom HR sent as somebody new.
func sampleMerging(row flow.Row, now time.Time) flow.Merging {
	other := row
	other.ID, other.Name, other.Email = "per_01jd9x0000000000000000000b", "S. Chen-Müller", "s.chen-mueller@company.com"
	return flow.Merging{
		Stays: row, Goes: other, Names: []flow.KeptName{{Attr: "email", Kept: row.Email, Other: other.Email}}, Employments: sampleSplitting(now).Employments,
		Moves: []dayone.Key{{System: "gitlab", Kind: "account"}}, Apart: []dayone.Key{{System: "okta", Kind: "account"}}, Twice: []string{"okta"}, Tasks: 1, Older: true,
	}
}

func sampleSplitting(now time.Time) flow.Splitting {
	return flow.Splitting{
		Merge:       &dayone.Merge{ID: "mrg_01jd9x0000000000000000000a", Made: now},
		Employments: []dayone.Employment{{ID: "eng_01jd9x0000000000000000000b", Source: "hr", SourceID: "emp_790", Recorded: now}},
		Back:        []dayone.Key{{System: "gitlab", Kind: "account"}},
	}
}
