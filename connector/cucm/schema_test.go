package cucm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dayone-hq/dayone/connector/connectortest"
)

// inner is what stands in the body of an envelope.
var inner = regexp.MustCompile(`(?s)<soapenv:Body>(.*)</soapenv:Body>`)

// validate holds every request that the tests sent against the vendor's schema of each version that is on this machine. They
// are the vendor's, so none is in the repository: a customer has them in the AXL Toolkit of the cluster.
func validate() error {
	bodies := map[string][]byte{}
	for _, s := range clusters.list {
		for _, r := range s.Door().Requests() {
			if b := inner.FindSubmatch(r.Body); b != nil {
				bodies[string(b[1])] = b[1]
			}
		}
	}
	dir := connectortest.SpecificationFile("axl")
	tool, err := exec.LookPath("xmllint")
	for _, version := range []string{"12.5", "14.0", "15.0"} {
		schema := filepath.Join(dir, version, "AXLSoap.xsd")
		if _, missing := os.Stat(schema); dir == "" || missing != nil || err != nil {
			fmt.Println("requests are not held against AXL", version+": its schema, or xmllint, is not here")
			continue
		}
		if err := against(tool, schema, version, bodies); err != nil {
			return err
		}
		fmt.Println(len(bodies), "different requests hold against the vendor's schema of AXL", version)
	}
	return nil
}

var spoken = regexp.MustCompile(`^<axl:([A-Za-z]+)`)

// against runs the schema over all requests at once. The codec is one for all versions, so each request is valid in each.
func against(tool, schema, version string, bodies map[string][]byte) error {
	dir, err := os.MkdirTemp("", "axl")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	args := []string{"--noout", "--schema", schema}
	n := 0
	for _, b := range bodies {
		n++
		file := filepath.Join(dir, fmt.Sprintf("%05d.xml", n))
		body := spoken.ReplaceAllString(string(b), `<axl:$1 xmlns:axl="http://www.cisco.com/AXL/API/`+version+`"`)
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			return err
		}
		args = append(args, file)
	}
	if n == 0 {
		return nil
	}
	out, err := exec.Command(tool, args...).CombinedOutput()
	if err != nil {
		var wrong []string
		for line := range strings.Lines(string(out)) {
			if !strings.HasSuffix(strings.TrimSpace(line), " validates") {
				wrong = append(wrong, strings.TrimSpace(line))
			}
		}
		return fmt.Errorf("the vendor's schema of AXL %s refuses what the tests send: %w\n%s", version, err, strings.Join(wrong[:min(len(wrong), 20)], "\n"))
	}
	return nil
}
