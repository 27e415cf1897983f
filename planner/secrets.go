package planner

import "github.com/dayone-hq/dayone"

// makes says that a step brings about what was not there, or renews it: only then are secrets made with it, a password with
// its account, a code with the thing that it opens.
func makes(a dayone.Action, h dayone.Holding) bool {
	return a == dayone.AccountCreate || a == dayone.EntitlementAdd && (h.State == "" || h.Renews())
}

// withoutSecrets: a password is made with its account and never again.
func withoutSecrets(as dayone.Attrs) dayone.Attrs {
	out := dayone.Attrs{}
	for name, v := range as {
		if v.Kind != dayone.SecretValue {
			out[name] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func hasSecrets(as dayone.Attrs) bool {
	for _, v := range as {
		if v.Kind == dayone.SecretValue {
			return true
		}
	}
	return false
}
