# Everything a developer does with Oponn. `make` alone lists the targets.
# Needs Go, make and npm; the rest is fetched, pinned, when it is first needed.
# Written so that the make of macOS (3.81) understands it too.

.DEFAULT_GOAL := help
# The checks share two processors and their caches: in parallel they only wait
# for each other, and their output mingles.
.NOTPARALLEL:

GO ?= go
LINT := bin/golangci-lint
VENDOR := views/static/vendor/htmx.min.js
TEST_TIMEOUT ?= 20m

# The packages that a run of tests is limited to:
# make test PKG=./actors/...
PKG ?= ./...

# How many instances `make prod` starts: make prod N=4
N ?= 2

# $(call say,text) announces a step with the prompt of the pages.
say = @if [ -t 1 ] && [ -z "$$NO_COLOR" ]; then \
	  printf '\033[38;2;155;114;203m>\033[0m %s\n' '$(1)'; else printf '> %s\n' '$(1)'; fi

##@ Use

help: ## show this list
	@if [ -t 1 ] && [ -z "$$NO_COLOR" ]; then p='\033[38;2;155;114;203m' b='\033[1m' r='\033[0m'; fi; \
	awk -v p="$$p" -v b="$$b" -v r="$$r" 'BEGIN { FS = ":[^#]*## " } \
	  /^##@ / { printf "\n%s>%s %s%s%s\n", p, r, b, substr($$0, 5), r } \
	  /^[a-z][a-z-]*:.*## / { printf "  %smake %-13s%s %s\n", p, $$1, r, $$2 }' $(MAKEFILE_LIST)

# `exec` hands the terminal's signals to the server itself. Without npm, or
# without a network, the pages still work; only liveness is missing.
run: ## build and serve on http://localhost:8080, everything in one process
	@$(MAKE) --no-print-directory assets || \
	  echo '> going on without htmx: pages work, but results do not move by themselves' >&2
	@$(MAKE) --no-print-directory binary
	@exec bin/oponn serve

build: assets binary ## build bin/oponn with its assets

# All on one port, by SO_REUSEPORT (which spreads the load on Linux only); the
# operators' listeners count up from 8081. One that ends is not started again:
# to see the others carry on is what this is for.
#
# Signals are passed on as they are. Ctrl-C reaches the instances from the
# terminal already, but a shell starts what is in its background with SIGINT
# ignored, so that the same signal again does no harm there; SIGTERM would be a
# second signal and end the drain. The second Ctrl-C is meant to do just that.
prod: settings build ## several instances on one port, with production settings; N=2
	@pids=; \
	pass() { trap 'kill -s TERM $$pids 2>/dev/null' INT TERM; kill -s $$1 $$pids 2>/dev/null; }; \
	trap 'pass INT' INT; trap 'pass TERM' TERM; \
	i=0; while [ $$i -lt $(N) ]; do \
	  echo "> instance $$((i + 1)): operators on http://127.0.0.1:$$((8081 + i))/readyz"; \
	  OPONN_ENV=production OPONN_REUSE_PORT=on OPONN_OPS_ADDR=127.0.0.1:$$((8081 + i)) bin/oponn serve & \
	  pids="$$pids $$!"; i=$$((i + 1)); \
	done; \
	status=0; for pid in $$pids; do \
	  while wait $$pid; ended=$$?; kill -0 $$pid 2>/dev/null; do :; done; \
	  [ $$ended = 0 ] || status=1; \
	done; exit $$status

# Before anything is built, and once instead of by every instance.
settings:
	@missing=; for name in DATABASE_URL REDIS_URL OPONN_KMS_KEY_ID OPONN_SECRET OPONN_PUBLIC_URL; do \
	  printenv "$$name" | grep -q . || grep -qsE "^(export )?$$name=[\"']?[^\"' ]" .env || missing="$$missing $$name"; \
	done; \
	if [ -n "$$missing" ]; then echo "> missing in .env:$$missing (see .env.example and make services-up)" >&2; exit 1; fi; \
	case '$(N)' in ''|*[!0-9]*|0) echo '> N has to be a number above zero' >&2; exit 1;; esac

##@ Services

# Postgres, Redis and LocalStack, all on loopback. Their data stay in volumes.
services-up: compose binary ## start Postgres, Redis and a KMS in Docker; prints a line for .env
	$(call say,starting Postgres and Redis and LocalStack)
	@docker compose up --detach --wait
	$(call say,the master key; this line belongs into .env:)
	@env AWS_ENDPOINT_URL=http://127.0.0.1:$${LOCALSTACK_PORT:-4566} AWS_REGION=eu-central-1 \
	  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local bin/oponn keys init

infra-up: services-up ## the same as services-up

services-down: compose ## stop them; their data stay (docker compose down -v removes them)
	@docker compose --profile app down

upgrade: binary ## bring the database's schema up to date (migrations)
	@bin/oponn migrate up

# The client without an engine is common: ask the engine.
compose:
	@docker compose version >/dev/null 2>&1 || { echo '> docker compose is missing: install Docker with its compose plugin, or run Postgres and Redis yourself (.env.example)' >&2; exit 1; }
	@docker info >/dev/null 2>&1 || { echo '> no Docker engine answers: start Docker and try again' >&2; exit 1; }

##@ Develop

# templ watches, generates, restarts the server and reloads the browser through
# a proxy of its own. Ballots are kept as with `make run`, or as .env says; what
# .env says of addresses is left out, for links have to lead through the proxy.
dev: assets ## serve on http://localhost:7331 and reload when Go, templ, CSS or texts change
	@OPONN_ENV=development OPONN_ADDR=:8080 OPONN_PUBLIC_URL= \
	  $(GO) tool templ generate -watch -log-level warn -proxy=http://localhost:8080 \
	  -watch-pattern='.+\.(go|templ|css|js|svg|json|sql)$$' -ignore-pattern='(^|/)(bin|data|node_modules|\.git)/' \
	  -cmd='$(GO) run ./cmd/oponn serve'

assets: $(VENDOR) ## fetch the scripts that pages load (npm, pinned)

# A real file, so that npm is only asked when the lock file has changed.
$(VENDOR): views/package-lock.json views/vendor.sh
	@command -v npm >/dev/null || { echo '> npm is missing: install it with Node.js' >&2; exit 1; }
	$(call say,fetching htmx)
	@sh views/vendor.sh
	@touch $@

generate: ## write Go from the templ files
	@$(GO) tool templ generate -log-level warn

fmt: $(LINT) ## format Go and templ files
	@$(LINT) fmt
	@$(GO) tool templ fmt -log-level warn .

# Nothing of C in the binary: it runs wherever it is copied.
binary:
	$(call say,building bin/oponn)
	@CGO_ENABLED=0 $(GO) build -trimpath -o bin/oponn ./cmd/oponn

##@ Verify

test: deps assets ## run all tests with the race detector; a skipped one is a failure
	$(call say,counting allocations)
	@$(GO) run ./.ci/testsum -run HotPath . ./http ./keys
	$(call say,testing)
	@$(GO) run ./.ci/testsum -race -timeout $(TEST_TIMEOUT) $(PKG)

# A short campaign is one of the tests. Everything is on loopback and in
# processes of its own; the seed that it prints repeats a schedule.
chaos: N := 100
chaos: deps assets ## let N faults happen in the middle of a load, and check what every client was told; N=100 SEED=
	@CHAOS_FAULTS=$(N) CHAOS_SEED=$(SEED) $(GO) test -count=1 -v -timeout $$(( $(N) * 10 + 600 ))s -run 'TestChaos$$' ./cmd/oponn

soak: T := 30m
soak: deps assets ## make, vote on, watch and delete ballots, and see that nothing stays; T=30m
	@SOAK_TIME=$(T) $(GO) test -count=1 -v -timeout 24h -run 'TestSoak$$' ./cmd/oponn

histories: N := 10000
histories: ## play N short histories of two instances that die, at random; N=10000
	@HISTORIES=$(N) $(GO) test -count=1 -v -timeout 2h -run 'TestHistories$$' ./actors

# Benchmarks run one package at a time: together they measure each other.
bench: assets ## run the benchmarks, and votes beside a bare handler and the textbook's
	@$(GO) test -p 1 -run '^$$' -bench . -benchmem $$($(GO) list $(PKG) | grep -v /yardstick)
	@$(MAKE) --no-print-directory bench-votes

# Each runs the servers, built now, in processes of their own. nchan is Debian's
# nginx module (libnginx-mod-nchan).
YARDSTICK := $(GO) test -run '^$$' -benchtime 1x -timeout 20m ./cmd/oponn/bench/yardstick -bench

bench-votes: assets ## votes on one hot ballot: Oponn beside a bare handler and the textbook's, with ratios
	@$(YARDSTICK) Votes

bench-both: assets ## 10,000 viewers and half of the votes that saturate; and more votes than that
	@$(YARDSTICK) 'Both|Overload'

bench-growth: assets ## 10^3 to 10^7 votes, 1 to 100,000 ballots, one and two instances
	@$(YARDSTICK) 'Growth|TwoInstances'

bench-soak: assets ## memory under an even load: YARDSTICK_SOAK=10m make bench-soak
	@$(YARDSTICK) Soak

bench-metrics: assets ## what counting and measuring costs: votes with and without, in turns
	@$(YARDSTICK) Metrics

bench-streams: assets ## 10,000 viewers: Oponn beside nchan and a plain handler, with ratios
	@$(YARDSTICK) 'Streams|SlowViewers'

bench-crowd: assets ## 50,000 viewers on four instances: how long until the last has seen a vote
	@$(YARDSTICK) Crowd

lint: $(LINT) assets ## lint, with the table of who may import whom
	$(call say,linting)
	@$(LINT) run ./... ./.ci/testsum ./.ci/licences
	@.ci/lint-files

fuzz: T := 10s
fuzz: assets ## run every fuzz target for a while, one after the other: T=10s
	$(call say,fuzzing)
	@GO="$(GO)" .ci/fuzz $(T)

check: tidy-check generate-check format-check licences-check vet lint test fuzz ## everything that has to hold before a push

tidy-check:
	$(call say,checking go.mod)
	@$(GO) mod tidy -diff

generate-check:
	$(call say,checking generated files)
	@.ci/generate-check

format-check: $(LINT)
	$(call say,checking format)
	@$(LINT) fmt --diff
	@.ci/templ-format-check

vet: assets
	$(call say,vetting)
	@$(GO) vet ./... ./.ci/testsum ./.ci/licences

deps: ## install what the tests need where that is possible (Debian as root)
	@.ci/deps

# A module of its own keeps the linter's dependencies out of the server's
# go.mod. A minute and a half the first time; Go's cache keeps what it built.
$(LINT): .ci/tools/go.mod .ci/tools/go.sum
	$(call say,building golangci-lint (once))
	@$(GO) -C .ci/tools build -o "$(CURDIR)/$@" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

##@ Supply chain

# Tools in a module of their own, with their sums: see $(LINT).
bin/govulncheck bin/cyclonedx-gomod: .ci/supply/go.mod .ci/supply/go.sum
	$(call say,building $@ (once))
	@$(GO) -C .ci/supply build -o "$(CURDIR)/bin/" $$($(GO) -C .ci/supply list -f '{{.ImportPath}}' tool | grep '/$(@F)$$')
	@touch $@

vuln: bin/govulncheck assets ## known vulnerabilities in what the program calls
	@.ci/vuln

# Of the binary as it was built: what is in it, and nothing else. The scripts of
# the pages are npm's to tell.
sbom: bin/cyclonedx-gomod build ## what the program is made of (CycloneDX): bin/oponn.cdx.json and bin/scripts.cdx.json
	@bin/cyclonedx-gomod bin -json -std -version "$$(git describe --always --dirty)" -output bin/oponn.cdx.json bin/oponn
	@npm --prefix views sbom --omit dev --package-lock-only --sbom-format cyclonedx >bin/scripts.cdx.json
	$(call say,bin/oponn.cdx.json and bin/scripts.cdx.json)

licences: ## write docs/licences.md: under which licence everything is
	@$(GO) run ./.ci/licences >bin/licences.md && mv bin/licences.md docs/licences.md

licences-check:
	$(call say,checking licences)
	@$(GO) run ./.ci/licences | diff docs/licences.md - || { echo '> docs/licences.md is stale: make licences' >&2; exit 1; }

##@ Other

tour: build ## make the tour of all pages in docs/tour.md, with its pictures
	@$(GO) run ./cmd/screenshots docs bin/oponn

clean: ## remove what was built; data/ stays
	rm -rf bin views/node_modules views/static/vendor coverage.*

.PHONY: chaos soak histories vuln sbom licences licences-check fuzz bench-metrics bench-votes bench-both bench-growth bench-soak help run build prod settings services-up infra-up services-down upgrade compose dev assets generate fmt binary test bench bench-streams bench-crowd tour lint check \
	tidy-check generate-check format-check vet deps clean
