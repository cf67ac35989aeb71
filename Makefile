# Everything here sets itself up; nothing here reaches an AWS account.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
# More arguments for the tool behind a target, e.g. make units ARGS="-k plan".
ARGS ?=
WORKERS ?= 2

VENV := .venv
STAMP := $(VENV)/.stamp
LINK := .collections/ansible_collections/dockyard/aws
LOCALSTACK := build/localstack
STEP = $(VENV)/bin/python scripts/step.py
CODE := plugins tests scripts docs/ci
SCENARIOS ?= $(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml))
INVENTORIES := $(patsubst %/,%,$(wildcard inventories/*/))

# Credentials, profiles and endpoints of the caller stay out of every target.
unexport $(filter AWS_%,$(.VARIABLES))
export AWS_ACCESS_KEY_ID := testing
export AWS_SECRET_ACCESS_KEY := testing
export AWS_EC2_METADATA_DISABLED := true
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export NO_PROXY := 127.0.0.1,localhost,$(NO_PROXY)
export no_proxy := $(NO_PROXY)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
# Keeps ~/.ansible of the caller as it is.
export ANSIBLE_HOME := $(CURDIR)/build/home/.ansible
export BLACK_CACHE_DIR := $(CURDIR)/.cache/black
export RUFF_CACHE_DIR := $(CURDIR)/.cache/ruff

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
	  || grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) $(LINK) ## install everything into .venv; all other targets do this themselves

$(STAMP): requirements-test.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the tools into $(VENV) (a few minutes the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-test.txt 2>$(VENV)/pip.log \
	  || { cat $(VENV)/pip.log; rm -f $(VENV)/pip.log; exit 1; }
	@rm -f $(VENV)/pip.log
	@touch $@

$(LINK):
	@mkdir -p $(dir $@)
	@ln -sfn ../../.. $@

.PHONY: demo
demo: setup ## plan, create and re-run both environments on an emulator, and deploy to one
	@$(VENV)/bin/python scripts/demo.py $(ARGS)

.PHONY: fmt
fmt: setup ## format inventories, playbooks and task definitions
	@$(VENV)/bin/python scripts/format.py $(ARGS)

.PHONY: check
check: setup ## check what fmt formats, and validate every inventory without AWS
	@result=0; \
	  $(STEP) "format" $(VENV)/bin/python scripts/format.py --check $(ARGS) || result=1; \
	  $(STEP) "yamllint" yamllint --strict inventories playbooks || result=1; \
	  for inventory in $(INVENTORIES); do \
	    $(STEP) "validate $$inventory" ansible-playbook playbooks/validate.yml -i $$inventory || result=1; done; \
	  exit $$result

.PHONY: test
test: setup ## run every check from lint to molecule, with a summary at the end
	@$(VENV)/bin/python scripts/run_tests.py

.PHONY: lint
lint: setup ## run black, ruff, mypy, yamllint, ansible-lint and what else reads the code
	@result=0; \
	  $(STEP) "black" black --check --quiet --diff $(CODE) || result=1; \
	  $(STEP) "ruff" ruff check --quiet --output-format concise $(CODE) || result=1; \
	  $(STEP) "mypy" mypy -p ansible_collections.dockyard.aws.plugins.module_utils || result=1; \
	  $(STEP) "mypy scripts" mypy scripts || result=1; \
	  $(STEP) "yamllint" yamllint --strict . || result=1; \
	  $(STEP) "changelog" antsibull-changelog lint || result=1; \
	  $(STEP) "role specs" $(VENV)/bin/python scripts/argument_specs.py --check || result=1; \
	  $(STEP) "ansible-lint" ansible-lint --nocolor -q || result=1; \
	  exit $$result

.PHONY: fmt-code
fmt-code: setup ## format the Python code with black and ruff
	@black --quiet $(CODE)
	@ruff check --quiet --fix $(CODE)

.PHONY: role-specs
role-specs: setup ## write roles/*/meta/argument_specs.yml from the layers
	@$(VENV)/bin/python scripts/argument_specs.py

.PHONY: units
units: setup ## run the unit tests
	@$(VENV)/bin/python -m pytest -q -n $(WORKERS) tests/unit $(ARGS)

.PHONY: integration
integration: setup ## run playbooks against the emulator
	@$(VENV)/bin/python -m pytest -q -n $(WORKERS) tests/integration $(ARGS)

.PHONY: browser
browser: setup $(LOCALSTACK)/.stamp ## look at the website of lms in Chromium, on LocalStack (500 MB the first time)
	@$(VENV)/bin/python -m pytest -q -rs tests/integration/test_browser.py $(ARGS)

$(LOCALSTACK)/.stamp: tests/localstack/requirements.txt
	@echo "Installing LocalStack into $(LOCALSTACK) (some minutes) ..."
	@rm -rf $(LOCALSTACK) && $(PYTHON) -m venv $(LOCALSTACK)
	@$(LOCALSTACK)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

.PHONY: soak
soak: setup ## kill runs at every API call, race and interrupt them (an hour or two; not part of make test)
	@$(VENV)/bin/python -m pytest -q -n $(WORKERS) --dist=load tests/soak $(ARGS)

.PHONY: molecule
molecule: setup ## run all molecule scenarios
	@[ -n "$(SCENARIOS)" ] || { echo "there is no scenario molecule/*/molecule.yml"; exit 1; }
	@$(VENV)/bin/python scripts/scenarios.py $(SCENARIOS) -- $(ARGS)

.PHONY: sanity
sanity: setup ## run ansible-test sanity on a staged copy
	@$(STEP) "ansible-test sanity" $(VENV)/bin/python scripts/sanity.py $(ARGS)

# antsibull-docs copies the dependencies from the virtual environment, and with the ceiling it does not ask git about
# them, which ignores everything there.
.PHONY: docs-check
docs-check: setup ## read the documentation of every plugin and role
	@result=0; \
	  $(STEP) "ansible-doc" $(VENV)/bin/python scripts/docs_check.py || result=1; \
	  GIT_CEILING_DIRECTORIES="$(CURDIR)/$(VENV)" \
	  $(STEP) "antsibull-docs" antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck \
	    --validate-collection-refs=self . || result=1; \
	  exit $$result

.PHONY: build-check
build-check: setup ## build the collection, install it elsewhere and use it from there
	@$(STEP) "build and install" $(VENV)/bin/python scripts/build_check.py

.PHONY: bench
bench: setup ## measure API calls and CPU time of runs, and of publishing a website
	@$(VENV)/bin/python tests/bench/run.py $(ARGS)

.PHONY: release-notes
release-notes: setup ## turn the changelog fragments into CHANGELOG.rst for the version in galaxy.yml
	@antsibull-changelog release $(ARGS)

.PHONY: lock
lock: ## write requirements-test.txt anew from requirements-test.in
	@rm -rf build/lock
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-test.in
	@{ head -n 1 requirements-test.txt; build/lock/bin/python -m pip freeze; } > build/lock/requirements.txt
	@mv build/lock/requirements.txt requirements-test.txt
	@rm -rf build/lock

.PHONY: clean
clean: ## remove everything that these targets made
	@rm -rf $(VENV) .collections .cache build tests/output
