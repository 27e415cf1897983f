package connectortest

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

// Whatever is logged is heard, at the lowest level and within a value as well; what hides itself stays hidden.
func TestALogIsHeard(t *testing.T) {
	t.Parallel()
	l := &Log{}
	log := slog.New(l.handler())
	log.Log(context.Background(), slog.LevelDebug-100, "sent", "pin", "73018264")
	log.With("body", struct{ Pin string }{"5551"}).WithGroup("answer").Debug("came", "time", "90210")
	log.Info("set", "pin", dayone.NewSecret("never-shown"))
	all := strings.Join(l.Lines(), "\n")
	for _, said := range []string{"73018264", "5551", "90210"} {
		if strings.Count(all, said) != 2 {
			t.Errorf("%s is not heard in text and JSON: %s", said, all)
		}
	}
	if strings.Contains(all, "never-shown") {
		t.Errorf("a secret does not hide itself: %s", all)
	}
}
