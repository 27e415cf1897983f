# make test runs everything a change has to pass, and first gets what the tests need: on Debian or Ubuntu as root it installs
# packages, elsewhere it says what is missing and the tests that need it are skipped.

SHELL := /bin/bash -o pipefail
GO ?= go
TOOL := $(GO) tool -modfile=tools/go.mod
export DAYONE_LAB ?= $(CURDIR)/.cache/lab

# real servers and a browser that tests talk to; npm too, which may have come with another Node.js than Debian's
PACKAGES := postgresql postfix dovecot-imapd dovecot-lmtpd radicale chromium fonts-dejavu-core git slapd ldap-utils \
            samba samba-ad-dc samba-dsdb-modules samba-vfs-modules samba-ad-provision

.PHONY: test setup lab format check race generate bench bench-peers demo

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

# a SCIM server that we did not write
lab:
	@if command -v npm >/dev/null; then \
	  mkdir -p $(DAYONE_LAB)/scimmy && cp connector/scim/testdata/scimmy/package*.json $(DAYONE_LAB)/scimmy/ && \
	  if ! cmp -s $(DAYONE_LAB)/scimmy/package-lock.json $(DAYONE_LAB)/scimmy/node_modules/.installed; then \
	    (cd $(DAYONE_LAB)/scimmy && npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.installed); \
	  fi; \
	else echo "there is no npm; the tests that need scimmy are skipped"; fi

format: ; $(TOOL) gofumpt -w .

generate: ; $(GO) generate ./...

check:
	@out="$$($(TOOL) gofumpt -l .)"; if [ -n "$$out" ]; then echo "not formatted; run make format:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) run ./internal/gen -check
	$(GO) mod tidy -diff
	$(GO) mod verify >/dev/null

race:
	$(GO) test -race -shuffle=on -timeout 30m ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# the policy index beside other engines: a module of its own, which gets them
bench-peers: ; cd bench && $(GO) test -bench . -benchtime 0.5s
