package main

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// phones FILE starts a Unified CM cluster and writes it into a configuration as cucm-us. When the script is over it is as it was.
func phones(ts *testscript.TestScript, _ bool, args []string) {
	cluster, _ := cucmsim.NewCompany(sim.Options{Page: 50})
	srv := httptest.NewServer(cluster)
	before := cluster.Snapshot()
	ts.Defer(func() {
		srv.Close()
		if !maps.Equal(before, cluster.Snapshot()) {
			ts.Fatalf("the cluster was changed")
		}
	})
	var b strings.Builder
	b.WriteString("\nsystems:\n  cucm-us:\n    connector: cucm\n    settings:\n")
	for name, value := range cluster.Settings(srv.URL) {
		fmt.Fprintf(&b, "      %s: %q\n", name, value)
	}
	was := ts.ReadFile(args[0])
	is := strings.Replace(was, "\nsystems:\n", b.String(), 1)
	if was == is {
		ts.Fatalf("%s has no place for systems", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(is), 0o600))
}
