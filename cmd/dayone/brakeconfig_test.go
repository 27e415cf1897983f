package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLimitsOfBrakesAreJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ yaml, says, hint string }{
		{"brakes: {percent: 200}", "brakes.percent is 200", "at most 100"},
		{"brakes: {people: 0}", "brakes.people is 0", "off:"},
		{"brakes: {off: 'true'}", "takes the reason", "write why"},
		{"sources: {hr: {connector: webhook, settings: {secret: x}, read_at: late}}", "no time of day", "never"},
		{"sources: {hr: {connector: webhook, settings: {secret: x}, absent: gone}}", `absent is "gone"`, "report or leaves"},
		{"sources: {hr: {connector: webhook, settings: {secret: x}, brakes: {shift: 0}}}", "shift is 0", "above 0"},
		{"sources: {hr: {connector: webhook, settings: {secret: x}, brakes: {termination: 3}}}", `no "termination"`, "terminations"},
	} {
		at := filepath.Join(t.TempDir(), "dayone.yaml")
		if err := os.WriteFile(at, []byte(c.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readConfig(at)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %v", c.yaml, err)
		}
	}
	at := filepath.Join(t.TempDir(), "dayone.yaml")
	if err := os.WriteFile(at, []byte("sources: {hr: {connector: webhook, settings: {secret: x}, absent: leaves, read_at: never, brakes: {off: a test system}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := readConfig(at)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Sources["hr"]; s.Absent != absentLeaves || s.Brakes.Off != "a test system" || s.ReadAt != readNever {
		t.Errorf("%+v", s)
	}
}
