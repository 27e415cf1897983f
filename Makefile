# make test runs everything a change has to pass, and first gets what the tests need: on Debian or Ubuntu as root it installs
# packages, elsewhere it says what is missing and the tests that need it are skipped.

SHELL := /bin/bash -o pipefail
GO ?= go
TOOL := $(GO) tool -modfile=tools/go.mod
export DAYONE_LAB ?= $(CURDIR)/.cache/lab

# real servers and a browser that tests talk to; npm too, which may have come with another Node.js than Debian's
PACKAGES := postgresql mariadb-server-core postfix dovecot-imapd dovecot-lmtpd radicale chromium fonts-dejavu-core git slapd ldap-utils \
            samba samba-ad-dc samba-dsdb-modules samba-vfs-modules samba-ad-provision

.PHONY: test setup lab lint-openapi format check race generate bench bench-peers demo shots

test: setup lab check race

demo: ; $(GO) run ./cmd/dayone demo

setup:
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; \
	  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 $$missing >/dev/null; \
	else echo "not installed:$$missing; the tests that need them are skipped. On Debian: sudo make setup"; fi

# servers that we did not write: of SCIM, and of OpenID Connect
lab:
	@if command -v npm >/dev/null; then \
	  for from in connector/scim/testdata/scimmy web/testdata/oidc; do \
	    to=$(DAYONE_LAB)/$$(basename $$from); mkdir -p $$to && cp $$from/package*.json $$to/ && \
	    if ! cmp -s $$to/package-lock.json $$to/node_modules/.installed; then \
	      (cd $$to && npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.installed) || exit 1; \
	    fi; \
	  done; \
	else echo "there is no npm; the tests that need scimmy or oidc-provider are skipped"; fi

# two linters of others over the document of the API; web/testdata/openapi pins them and has the exceptions
lint-openapi:
	@to=$(DAYONE_LAB)/openapi; mkdir -p $$to && cp -r web/testdata/openapi/. $$to/ && $(GO) run ./web/testdata/openapi > $$to/openapi.json && cd $$to && \
	if ! cmp -s package-lock.json node_modules/.installed; then npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.installed || exit 1; fi && \
	npx --offline spectral lint --fail-severity=warn -r .spectral.yaml openapi.json && npx --offline redocly lint openapi.json

format: ; $(TOOL) gofumpt -w .

generate: ; $(GO) generate ./...

check:
	@out="$$($(TOOL) gofumpt -l .)"; if [ -n "$$out" ]; then echo "not formatted; run make format:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) run ./internal/gen -check
	$(GO) mod tidy -diff
	$(GO) mod verify >/dev/null

# SQLite is C that was translated to Go and locks by itself: watching its every byte makes the suite three times slower, and
# finds no race of ours. All that calls it is watched.
race:
	$(GO) test -race -gcflags=modernc.org/...=-race=false -shuffle=on -timeout 30m ./...

# a picture of every page and of every role's journey, at both widths and in both themes; go test says where they are
shots:
	$(GO) test ./web -run 'TestBrowser' -everything -shots -artifacts -outputdir $(CURDIR)/.cache -timeout 40m -v | grep -a 'artifacts\|^---\|^ok\|FAIL'

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# the policy index beside other engines: a module of its own, which gets them
bench-peers: ; cd bench && $(GO) test -bench . -benchtime 0.5s
