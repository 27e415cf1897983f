package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

func TestBadLoginsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, says, hint string }{
		{"portal: {tokens: {kim: {role: oprator, token: x}}}", `portal.tokens.kim.role is "oprator", which is no role`, "operator"},
		{"portal: {tokens: {kim: {token: x}}}", `which is no role`, "write one of administrator, hr"},
		{"portal: {tokens: {kim: {role: hr}}}", "portal.tokens.kim has no token", "${file:kim.token}"},
		{"portal: {tokens: {api: {role: hr, token: x}}}", `"api" is a name of Dayone's own`, "mail address"},
		{"portal: {tokens: {'kim smith': {role: hr, token: x}}}", `"kim smith" is no name for a login`, "mail address"},
		{"portal: {tokens: {kim: {role: hr, tokn: x}}}", `"tokn"`, "token"},
		{"portal: {tokens: {kim: {role: hr, token: x, countries: [Germany]}}}", `country "Germany" is not two capital letters`, "countries: [DE]"},
		{"portal: {tokens: {kim: {role: hr, token: x, countries: []}}}", "portal.tokens.kim.countries is empty, which would be everything", "leave the line out"},
		{"portal: {tokens: {kim: {role: hr, token: x, systems: [okta]}}}", "has no systems", "companies:"},
		{"systems: {okta: {connector: manual}}\nportal: {tokens: {kim: {role: operator, token: x, systems: [okto]}}}", `portal.tokens.kim.systems has "okto"`, "okta"},
		{"portal: {sign_on: {issuer: 'https://login.company.com', client_id: x, roles: {a: {role: administrator, countries: [DE]}}}}", "an administrator has no scope", "countries:"},
		{"portal: {sign_on: {issuer: 'https://login.company.com', client_id: x, roles: {a: {role: hr, contries: [DE]}}}}", `"contries"`, "countries"},
		{"portal: {sign_on: {issuer: 'https://login.company.com', client_id: x, roles: {a: {role: admin}}}}", `"admin", which is no role`, "administrator"},
		{"portal: {sign_on: {client_id: x, roles: {a: hr}}}", "portal.sign_on has no issuer", "issuer:"},
		{"portal: {sign_on: {issuer: 'http://login.company.com', client_id: x, roles: {a: hr}}}", "no address that can be trusted", "https://"},
		{"portal: {sign_on: {issuer: 'https://login.company.com', roles: {a: hr}}}", "has no client_id", "client_id:"},
		{"portal: {sign_on: {issuer: 'https://login.company.com', client_id: x}}", "no group has a role", "roles:"},
		{"portal: {sign_on: {issuer: 'https://login.company.com', client_id: x, roles: {a: admin}}}", `"admin", which is no role`, "administrator"},
		{"portal: {idle: 5s}", "portal.idle is not between", "12h"},
		{"portal: {confidential: [everybody]}", `"everybody", which is no role`, "administrator"},
		{"portal: {confidential: []}", "portal.confidential names nobody", "[administrator, hr]"},
		{"sources: {hr: {connector: webhook, confidential: termination, settings: {secret: x}}}", `sources.hr.confidential is "termination"`, "terminations"},
	} {
		_, err := configText(t, c.text+"\n")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s\n says %v\n and not %q and %q", c.text, err, c.says, c.hint)
		}
	}
}

// What was given to narrow a token and is empty makes none.
func TestATokenForNowhereIsNotForEverywhere(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{{"--country", ""}, {"--country", "DE,"}, {"--country", "DE", "--country", ""}, {"--company", ""}, {"--country", "XX"}} {
		root := newRoot()
		root.SetArgs(append([]string{"token", "make", "foo", "--role", "hr"}, c...))
		var usage *usageError
		if err := root.ExecuteContext(t.Context()); !errors.As(err, &usage) || !strings.Contains(err.Error(), "country") && !strings.Contains(err.Error(), "company") {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestLoginsHaveTokensOfTheirOwn(t *testing.T) {
	t.Parallel()
	const main, kim, lee = "the-administrators-token", "a-long-token-for-kim", "a-long-token-for-lee"
	read := func(kim, lee string) (*config, error) {
		return configText(t, `portal:
  token: `+main+`
  confidential: [hr]
  tokens:
    kim@company.com: {role: hr, token: `+kim+`}
    lee: {role: operator, token: `+lee+`}
`)
	}
	c, err := read(kim, lee)
	if err != nil {
		t.Fatal(err)
	}
	logins, err := c.logins()
	if err != nil || len(logins) != 2 || logins[0].Name != "kim@company.com" || logins[0].Role != dayone.HR || logins[1].Token.Reveal() != lee {
		t.Errorf("logins are %+v (%v)", logins, err)
	}
	for _, bad := range []struct{ kim, lee, says string }{
		{"short", lee, "has 5 characters"}, {kim, kim, "the token of lee is somebody else's, too"}, {main, lee, "the token of kim@company.com is somebody else's, too"},
	} {
		c, err := read(bad.kim, bad.lee)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.logins(); err == nil || !strings.Contains(err.Error(), bad.says) || strings.Contains(err.Error(), bad.kim+`"`) {
			t.Errorf("%v, want %q", err, bad.says)
		}
	}
}

func TestAGroupsRoleHasAScope(t *testing.T) {
	t.Parallel()
	c, err := configText(t, `portal:
  sign_on:
    issuer: https://login.company.com
    client_id: dayone
    trust_addresses: true
    roles:
      it-admins: administrator
      hr-germany: {role: hr, countries: [DE], companies: [Acme GmbH]}
`)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.signOn()
	if err != nil || !s.Trusted || s.Roles["it-admins"] != dayone.Administrator || !s.Reaches["it-admins"].Whole() || s.Roles["hr-germany"] != dayone.HR || s.Reaches["hr-germany"].String() != "country DE, company Acme GmbH" {
		t.Errorf("sign-on is %+v (%v)", s, err)
	}
}
