# Two commands for a fresh machine: `make verify` and `make test`. ARGS goes to the run of the features, such as
# ARGS="-n 2 -m core".
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.SILENT:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ARGS ?=
BIN := .venv/bin
STAMP := .venv/.built-from

help:
	echo 'make verify   all set-up, then the main job: the features on the embedded cluster   (ARGS="-n 2 -m core")'
	echo 'make test     all set-up, then the proof of the project itself, with a run of the features for gateway and for native'
	echo 'make check    format, lint, spelling, types, import contracts, offline tests: a minute or three, and no cluster'
	echo 'make fix      format the code, and mend what lint can mend by itself'
	echo 'make faults   every seeded fault against the scenario that must catch it: many minutes'
	echo 'make kills    kills aimed at the writing of an index, and losses of power, 60 each unless ROUNDS says otherwise: what is torn, and that nothing is lost'
	echo 'make jobs     the image of the suite, and runs of it inside a cluster as a Job and from a schedule: ten minutes'
	echo 'make soak     kills, memory and claims that run out, again and again under two writers, and what Chroma as it comes makes of the kills: an hour'
	echo 'make costs    what it costs that a release keeps its data: starts, writes, queries and bytes beside one that does not'
	echo 'make night    a release under its users while it is verified three times, and runs that are ended at ten random moments: an hour and a half'
	echo 'make test-distributions   set-up and a run on other distributions, entered and as virtual machines: hours'
	echo 'make table    the documented component beside the features, with the verdicts of the last reports'
	echo 'make setup    the virtual environment, and all that the embedded cluster is made of'
	echo 'make lock     the locks anew from pyproject.toml'
	echo 'make clean    remove what this checkout has made; what the cluster is made of stays in the cache'

# Three workers on two cores, since a run mostly waits: 376 s, and 481 s with two. Each has a namespace of its own.
verify:
	$(stages)
	$(set-up)
	stage "features" $(BIN)/pytest features/ $(or $(ARGS),-n 3)

# What the suite looks at before it acts, beside whom, and what it sweeps up, whichever release it is about: one run of them does.
OF_THE_SUITE := $(patsubst %,--ignore features/%.feature,precheck surroundings sweep)

test: ENVIRONMENT := venv-dev
test:
	$(stages)
	$(set-up)
	$(checks)
	stage "tests of the embedded cluster" $(BIN)/pytest tests/live/cluster
	stage "tests of addresses" $(BIN)/pytest tests/live/endpoint -rs
	stage "features" $(BIN)/pytest features/ $(or $(ARGS),-n 3)
	$(if $(ARGS),,stage "rights that the features used" $(BIN)/pytest tests/live/rights -q)
	stage "image of the release native" $(BIN)/python -m cluster setup --recipes manifests/images --image chroma:0.5.23 || cannot=$$?
	case $${cannot:-0} in
	0) stage "features of the release native" $(BIN)/pytest features/ --release native --report-dir reports/native -n 3 $(OF_THE_SUITE) ;;
	3) remarks+=("The release native was left out: its image cannot be had on this machine, for the reason above.") ;;
	*) exit "$$cannot" ;;
	esac

# For README.md and docs/component.md: section of the documentation, what proves it, and what the last reports say of that.
table: venv
	$(BIN)/python -m support.reporting.traceability reports/conformance.json $(wildcard reports/native/conformance.json)

check:
	$(stages)
	stage "virtual environment" $(MAKE) venv-dev
	$(checks)

fix: venv-dev
	left=0
	$(BIN)/ruff check --fix --quiet . || left=$$?
	$(BIN)/ruff format --quiet .
	exit "$$left"

faults:
	$(stages)
	$(set-up)
	stage "seeded faults" $(BIN)/pytest tests/live/faults $(or $(ARGS),-n 2)

# What may befall Chroma while it writes an index, without a cluster; what was torn is in the output.
kills: venv-dev
	ROUNDS=$(or $(ROUNDS),60) $(BIN)/pytest tests/unit/persistence/test_kills.py tests/unit/persistence/test_power.py -q -rA

# Apart from `make test`, since the image of the suite is made for it alone.
jobs: ENVIRONMENT := venv-dev
jobs:
	$(stages)
	$(set-up)
	stage "the suite inside a cluster" $(BIN)/pytest tests/live/jobs

# On a cluster, and through the whole way of a user; `make kills` kills a process, in seconds.
soak: ENVIRONMENT := venv-dev
soak:
	$(stages)
	$(set-up)
	stage "a soak" $(BIN)/python -m tests.live.cluster.soak $(ARGS)

costs: ENVIRONMENT := venv-dev
costs:
	$(stages)
	$(set-up)
	stage "costs" $(BIN)/python -m tests.live.cluster.costs $(ARGS)

# The users of a release must not notice that it is verified, nor that this is ended at whatever moment.
night: ENVIRONMENT := venv-dev
night:
	$(stages)
	$(set-up)
	stage "a night" $(BIN)/python -m tests.live.cluster.night $(ARGS)
	stage "interruptions" env INTERRUPTIONS=10 $(BIN)/pytest tests/live/cluster/test_verify.py -k ended_one

test-distributions: venv-dev
	$(BIN)/python -m tests.distributions $(ARGS)

setup:
	$(stages)
	$(set-up)

# The second one holds what the first lacks for the project's own checks, the third what of the first a run on an address
# needs; both in the versions of the first.
lock: venv-dev
	lock() {
		$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
			--custom-compile-command "make lock" --quiet "$$@"
	}
	lock --output-file requirements.lock pyproject.toml
	lock --output-file requirements-dev.lock --group dev --constraint requirements.lock
	lock --output-file requirements-endpoint.lock --group endpoint --constraint requirements.lock

clean:
	rm -rf .venv reports .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Rebuilt when a lock, the interpreter or its place is another, since its programs name both; the stamp comes last, so that
# half an environment has none. One that holds the tools of the project's own checks serves for a run as well.
venv: LOCKS := requirements.lock
venv-dev: LOCKS := requirements.lock requirements-dev.lock
venv venv-dev:
	exec {one_at_a_time}<Makefile
	flock "$$one_at_a_time"
	$(find-python)
	# Not the one of this very environment, should that be active.
	python=$$("$$python" -c 'import os, sys; print(os.path.realpath(sys._base_executable))')
	interpreter=$$("$$python" -c 'import sys; print(sys.executable, sys.version)')
	key() { echo "$$(cat pyproject.toml "$$@" | sha256sum) $$interpreter $$PWD"; }
	stamp=$$(cat $(STAMP) 2>/dev/null || true)
	if [[ "$$stamp" == "$$(key $(LOCKS))" || "$$stamp" == "$$(key requirements.lock requirements-dev.lock)" ]]; then exit 0; fi
	echo "building .venv with $$python, from $(LOCKS)"
	rm -f $(STAMP)
	"$$python" -m cluster.build.environment .venv $(LOCKS)
	key $(LOCKS) >$(STAMP)

.PHONY: help verify test table check fix faults kills soak costs jobs night test-distributions setup lock clean venv venv-dev

define set-up
stage "virtual environment" $(MAKE) $(or $(ENVIRONMENT),venv)
stage "programs and images of the cluster" $(BIN)/python -m cluster setup --recipes manifests/images
endef

define checks
stage "format" $(BIN)/ruff format --check --quiet .
stage "lint" $(BIN)/ruff check --quiet .
stage "spelling" $(BIN)/codespell
stage "types" $(BIN)/mypy
stage "import contracts" $(BIN)/lint-imports
stage "offline tests" $(BIN)/pytest tests --ignore tests/live -q -n auto --hypothesis-seed=0
endef

# stage TITLE COMMAND...: runs the command and notes how long it took; at the end, however it comes, that is told.
# The command runs beside this shell, which can thus pass on a SIGTERM: it would otherwise outlive it.
define stages
stages=() remarks=() child=
seconds_since() { local tenths=$$(( ($${EPOCHREALTIME/[.,]/} - $${1/[.,]/}) / 100000 )); printf '%d.%d' $$((tenths / 10)) $$((tenths % 10)); }
stage() {
	local title=$$1 start=$$EPOCHREALTIME code=0 verdict=
	printf '\n== %s\n' "$$title"
	shift
	env --default-signal=INT,QUIT "$$@" <&0 &
	child=$$!
	wait "$$child" || code=$$?
	while kill -0 "$$child" 2>/dev/null; do code=0; wait "$$child" || code=$$?; done
	(( code == 0 )) || verdict="  FAILED ($$code)"
	stages+=("$$(printf '%8s s  %s%s' "$$(seconds_since "$$start")" "$$title" "$$verdict")")
	return "$$code"
}
began=$$EPOCHREALTIME
trap 'kill -TERM "$$child" 2>/dev/null || true' TERM
trap : INT
trap 'printf "\n== where the time went\n"; printf "%s\n" "$${stages[@]}" "$$(printf "%8s s  in all" "$$(seconds_since "$$began")")" "$${remarks[@]}"' EXIT
endef

# The first Python that is new enough, with what Debian keeps in a package of its own: installed where we may.
define find-python
find_python() {
	for python in python3 python3.14 python3.13 python3.12 python3.11; do
		if "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then return; fi
	done
	return 1
}
if ! find_python && (( EUID == 0 )) && command -v apt-get >/dev/null; then
	echo "installing python3 and python3-venv"
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3 python3-venv >/dev/null || true
fi
find_python || { echo "error: no Python 3.11 or later with the module venv: install python3 and python3-venv (Debian 12, Ubuntu 24.04 or later)" >&2; exit 1; }
endef
