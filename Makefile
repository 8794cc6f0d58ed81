# Every target sets itself up: Python 3.11 or newer and make are all that a fresh machine needs.
.DEFAULT_GOAL := help
.PHONY: help demo test check fmt lint types synth preview bootstrap deploy destroy signed-in lock clean

UV_VERSION := 0.13.9
# A name on PATH is not yet a Python that starts (pyenv's shims): the first that runs and is new enough is taken.
# 3.13 comes first because it is what Lambda runs: only it can precompile the asset.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(shell \
	$(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))

# Node.js comes from a wheel, so that `node` need not be installed and its version is the one that was tested.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

CDK := node_modules/.bin/cdk
CONTEXT = $(if $(PLANS),-c plans="$(PLANS)")

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/ready node_modules/ready ## Deploy into a local AWS and watch a snapshot become usable (KEEP=1 leaves it running)
	@python -m local.demo $(if $(KEEP),--keep)

test: .venv/ready node_modules/ready ## Run every test
	@python -m pytest --cov --cov-report=term:skip-covered

check: .venv/ready node_modules/ready lint types test synth ## Everything that a submission must pass

lint: .venv/ready ## Check format and style
	@ruff format --check . && ruff check .

fmt: .venv/ready ## Format the code
	@ruff format . && ruff check --fix .

types: .venv/ready ## Check types strictly
	@mypy

synth: .venv/ready node_modules/ready ## Write the CloudFormation template to cdk.out
	@$(CDK) synth --quiet $(CONTEXT) && echo "The template and the asset are in cdk.out."

preview: .venv/ready ## Show what prune would keep and delete in your AWS account, and why; deletes nothing
	@python -m lightsail_snapshots_cli.preview $(if $(PLANS),"$(PLANS)")

bootstrap: signed-in ## Prepare your AWS account and Region for the CDK: once, before the first deployment
	@$(CDK) bootstrap $(CONTEXT)

deploy: signed-in ## Deploy into your AWS account (PLANS=other.toml takes another file)
	@$(CDK) deploy $(CONTEXT)

destroy: signed-in ## Take the stack out of your AWS account; every snapshot stays
	@$(CDK) destroy $(CONTEXT)

signed-in: .venv/ready node_modules/ready
	@# Without a Region the CDK would take us-east-1. Version 1 of the AWS CLI does not read AWS_REGION, as the CDK does.
	@region=$${AWS_REGION:-$${AWS_DEFAULT_REGION:-$$(aws configure get region)}}; \
	[ -n "$$region" ] && aws sts get-caller-identity --region "$$region" >/dev/null || { \
		echo "Nothing was done: sign in to your AWS account (AWS_PROFILE), and name a Region (AWS_REGION)." >&2; exit 1; }

lock: .venv/ready ## Pin every dependency again, with hashes
	@for f in lambda/requirements requirements requirements-dev; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $$f.in -o $$f.txt || exit 1; \
	done

clean: ## Remove everything that was built or installed here
	@rm -rf .venv node_modules build cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

.venv/ready: requirements-dev.txt pyproject.toml Makefile
	@$(if $(PYTHON),,echo "Python 3.11 or newer is needed and none was found. Install it (python.org, apt install python3 python3-venv, brew install python) or name it: make PYTHON=/path/to/python3" >&2; exit 1)
	@echo "Setting up: Python packages into .venv (once, about half a minute) ..."
	@$(PYTHON) -m venv .venv || { echo "Python has no venv module here. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@# pip knows mirrors and certificates that uv may not have been told of (pip.conf), and takes a minute longer.
	@.venv/bin/uv pip sync --quiet --require-hashes --python .venv requirements-dev.txt 2>/dev/null || { \
		echo "uv could not fetch the packages; trying pip, which takes a minute or two ..."; \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/ready: package-lock.json .npmrc .venv/ready
	@echo "Setting up: the CDK CLI into node_modules (once, a few seconds) ..."
	@npm ci --loglevel=error
	@touch $@
