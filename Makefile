# Everything that a person or CI does with this project. `make run` and `make test` need nothing but Debian 12 and Swift.

SHELL := /bin/bash
.DEFAULT_GOAL := help

export VPSD_DATA_DIR ?= $(CURDIR)/var
export VPSD_IMAGE_DIR ?= $(VPSD_DATA_DIR)/images

VPSD := .build/release/vpsd
REAL_TESTS := LibvirtDriverTests|EndToEndTests

.PHONY: help setup build image run demo stop test test-fast test-real lint fmt bench clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: ## Install what is missing from Debian's packages (root or sudo)
	@scripts/setup

build: setup ## Build the release binary
	swift build -c release --product vpsd

image: build ## Build the Debian 12 image, once
	@$(VPSD) image build debian-12 --if-missing

run: image ## Build all, start the service, and print what to do next
	@$(VPSD) serve

demo: image ## From nothing to an SSH login on a fresh data directory, with the seconds
	@scripts/demo $(VPSD)

stop: ## Stop the service, its servers and our own libvirtd
	@$(VPSD) shutdown --servers

test: test-fast test-real ## Run every test, those with real virtual machines too

test-build: setup
	swift build --build-tests

test-fast: test-build ## Run the tests that need no virtual machine
	swift test --skip-build --skip '$(REAL_TESTS)'

test-real: test-build ## Run the tests that boot virtual machines
	.build/debug/vpsd image build debian-12 --if-missing
	swift test --skip-build --no-parallel --filter '$(REAL_TESTS)'

lint: ## Check format and house rules
	@scripts/lint

fmt: ## Format the sources
	swift format -i -r Package.swift Sources Tests

clean: ## Remove what was built, but no data
	rm -rf .build
