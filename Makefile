# Everything that a person or CI does with this project. `make run` and `make test` need nothing but Debian 12 and Swift.

SHELL := /bin/bash
.DEFAULT_GOAL := help

export VPSD_DATA_DIR ?= $(CURDIR)/var
export VPSD_IMAGE_DIR ?= $(VPSD_DATA_DIR)/images

VPSD := .build/release/vpsd
VPSCTL := .build/release/vpsctl
PREFIX ?= /usr/local
# Real machines need root: a libvirtd of our own, and ports below 1024.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")
CLIENTS := Tests/Clients
PYTHON := .build/clients/bin/python
REAL_TESTS := LibvirtDriverTests|EndToEndTests
# Beside each other, which `swift test` itself does not let them be.
RUN_TESTS := .build/debug/vpsdPackageTests.xctest --testing-library swift-testing --no-parallel
# A system as its publisher makes it, for tests.
STOCK_IMAGE := $(CURDIR)/.build/images/stock/current/disk.qcow2
# On a host with an uplink, which is made for them.
ROUTED_TESTS := HostNetworkTests.(RoutedHostTests|BridgedHostTests)|EndToEndTests.(RoutedServersTests|BridgedServersTests|OutboundTests)
# They talk through sockets, or with programs, that go by the clock of the machine: two at once, and beside nothing else.
SOCKET_TESTS := ReverseDNSTests|NoticeDeliveryTests.(MailMessageTests|MailProgramTests|WebhookTests)|APITests.(ConnectionTests|ConsoleTests|PersistenceTests|TrustedProxyTests|HostileHeadTests|FieldReportConnectionTests|FirewallConnectionTests|IPv6ConnectionTests|RepliesInMemoryTests|RepliesInMemoryConnectionTests)|vpsdTests.(AddressCommandTests|LoadedLibrariesTests|ReverseNameServiceTests|MigrateStoreTests|DescriptorTests|OperatorCommandTests|DoctorCommandTests|NotifyCommandTests|PostgreSQLServiceTests|OwnHostServiceTests|CatalogueCommandTests|ServerCommandTests|AccountCommandTests|CreditCommandTests|ProcessLockTests|Image.*Tests)|vpsctlTests
# Once more on a server of PostgreSQL, and of all others those that take longer.
BOTH_DATABASES_TESTS := SQLStoreTests
LONG_BOTH_DATABASES_TESTS := EngineTests|APITests|PanelTests
# Each has a database of its own with a few connections, of which a server has so many. And where a process has more than some 1,300
# files open, Foundation's `Process` reads past what it has (swift-corelibs-foundation, findMaximumOpenFromProcSelfFD).
FEWER_AT_ONCE := SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16
# Each mostly waits for a program.
TWO_AT_ONCE := SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2
# Once more where QEMU need not be root, with a libvirtd of our own and with the host's.
OWN_LIBVIRTD_TESTS := LibvirtDriverTests.MachineLifeTests
# A whole life takes a minute and more, and `RoutedServersTests` have one with a QEMU that is not root and a libvirtd of our own.
LONG_OWN_LIBVIRTD_TESTS := LibvirtDriverTests.MachineLifeTests/life
HOST_LIBVIRTD_TESTS := LibvirtDriverTests.(MachineLifeTests|DiskCopyTests|InstantMachineTests/clones)
# The whole life once more with the host's, and the host's restart, which take minutes.
LONG_HOST_LIBVIRTD_TESTS := EndToEndTests.(ServerLifeTests|HostRestartTests)|LibvirtDriverTests.InstantMachineTests/fullDisk

.PHONY: help setup build install deb image run demo stop cluster cluster-demo cluster-stop test test-fast test-services test-crowd test-replicas test-billing test-clients test-monitoring test-proxies test-database test-samples test-contract test-panel panel-pictures test-real test-machines test-hosts test-containers test-image test-incus test-incus-long test-lxd test-long test-package image-for-tests container-for-tests chaos lint fmt bench-setup bench bench-check bench-mixed profile bench-hostile bench-billing bench-databases bench-replicas bench-panel bench-network bench-boot soak clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: ## Install what is missing from Debian's packages (root or sudo)
	@scripts/setup

# `vpsd --version` tells it; a copy of the sources without git has none.
build: export VPSD_COMMIT = $(shell git describe --always --dirty --exclude='*' --abbrev=12 2>/dev/null)
# What a crash tells, names and lines, is there without all that a debugger wants to know of variables.
build: setup ## Build the release binaries
	swift build -c release --target Programs -Xswiftc -gline-tables-only

install: build ## Install vpsctl, its man pages and its completions below PREFIX (/usr/local)
	install -D -m 755 $(VPSCTL) $(PREFIX)/bin/vpsctl
	install -D -m 644 -t $(PREFIX)/share/man/man1 docs/man/*.1
	mkdir -p $(PREFIX)/share/bash-completion/completions $(PREFIX)/share/zsh/site-functions $(PREFIX)/share/fish/vendor_completions.d
	$(VPSCTL) completion bash >$(PREFIX)/share/bash-completion/completions/vpsctl
	$(VPSCTL) completion zsh >$(PREFIX)/share/zsh/site-functions/_vpsctl
	$(VPSCTL) completion fish >$(PREFIX)/share/fish/vendor_completions.d/vpsctl.fish

deb: build ## Make the Debian package, in .build/deb
	@scripts/setup package
	@packaging/deb/build .build/release .build/deb

image: build ## Build the Debian 12 image, once
	@$(AS_ROOT) $(VPSD) image build debian-12 --if-missing

run: image ## Build all, start the service, and print what to do next
	@$(AS_ROOT) $(VPSD) serve

demo: image ## From nothing to an SSH login on a fresh data directory, with the seconds
	@$(AS_ROOT) scripts/demo $(VPSD)

stop: ## Stop the service, its servers and our own libvirtd
	@$(AS_ROOT) $(VPSD) shutdown --servers

cluster: image ## Start an Incus cluster of three members, PostgreSQL, three services and nginx, and print what to do next (root)
	@scripts/setup cluster
	@$(AS_ROOT) scripts/cluster up $(VPSD)

cluster-demo: ## Twelve servers there, while each service, a member and the database's server are killed in turn
	@$(AS_ROOT) scripts/cluster demo

cluster-stop: ## End all of that
	@$(AS_ROOT) scripts/cluster stop

test: test-fast test-services test-clients test-real ## Run every test, those with real virtual machines too

test-build: setup
	swift build --build-tests

test-clients-setup: test-build
	@scripts/setup tests

test-fast: test-clients-setup ## Run the tests that need no virtual machine
	$(FEWER_AT_ONCE) swift test --skip-build --skip '$(REAL_TESTS)|$(ROUTED_TESTS)|$(SOCKET_TESTS)'
	$(TWO_AT_ONCE) swift test --skip-build --filter '$(SOCKET_TESTS)'
	VPSD_TEST_DATABASE=postgresql $(FEWER_AT_ONCE) swift test --skip-build --filter '$(BOTH_DATABASES_TESTS)'

# Two at a time: what the replicas do is mostly to be in trouble.
test-services: test-clients-setup ## The program under a crowd, in trouble with its database, and under a clock that runs
	$(MAKE) -o test-build -o test-clients-setup --jobs=2 --output-sync=target test-replicas test-billing test-crowd

test-crowd: test-build ## A thousand creates at once, and the service killed in the middle: all become active
	@$(CLIENTS)/crowd.py .build/debug/vpsd 1000 --kill

test-replicas: test-clients-setup ## Three services on one PostgreSQL with a standby, and one of each trouble while servers are ordered
	@$(AS_ROOT) $(CLIENTS)/replicas.py .build/debug/vpsd

test-billing: test-clients-setup ## Hours, suspension and payment with the program under a clock that is 600 times as fast
	@$(CLIENTS)/billing.py .build/debug/vpsd

test-incus: test-clients-setup image-for-tests ## Servers that are containers, on a real Incus, made of the Debian 12 image (some minutes)
	@scripts/setup incus
	$(AS_ROOT) Tests/Hosts/incus $(RUN_TESTS) --filter 'IncusDriverTests.ConformanceTests|EndToEndTests.ContainerServersTests'
	$(AS_ROOT) Tests/Hosts/network --incus $(RUN_TESTS) --filter 'EndToEndTests.RoutedContainersTests'
	$(AS_ROOT) Tests/Hosts/incus --members 3 $(RUN_TESTS) --filter 'EndToEndTests.ClusterServersTests/(spread|drains)|RealTermTests/everyWay|SharedClusterTests/takenOver'
	$(AS_ROOT) Tests/Hosts/incus --others $(RUN_TESTS) --filter 'EndToEndTests.MovingContainersTests/thereAndBack'

test-incus-long: test-incus ## The same on a cluster of three members, of which one is killed and one is frozen, and on two Incus, of which one is (half an hour)
	$(AS_ROOT) env VPSD_LONG_TESTS=1 Tests/Hosts/incus --members 3 $(RUN_TESTS) --filter 'IncusDriverTests.(Conformance|Inheritance|RealTerm)Tests|EndToEndTests.(ClusterServers|SharedCluster)Tests'
	$(AS_ROOT) env VPSD_LONG_TESTS=1 Tests/Hosts/incus --others $(RUN_TESTS) --filter 'IncusDriverTests.ConformanceTests|EndToEndTests.MovingContainersTests'

test-lxd: test-clients-setup image-for-tests ## The same servers on the LXD 5.0 of Debian 12 (some minutes)
	@scripts/setup lxd
	$(AS_ROOT) Tests/Hosts/incus --engine lxd $(RUN_TESTS) --filter 'IncusDriverTests.ConformanceTests|EndToEndTests.ContainerServersTests' \
		--skip asFastAsIncus
	$(AS_ROOT) Tests/Hosts/incus --engine lxd --others $(RUN_TESTS) --filter 'EndToEndTests.MovingContainersTests/thereAndBack'

test-image: test-clients-setup image ## Boot the Debian 12 image and check what images/README.md promises (some minutes)
	@images/test $(VPSD_IMAGE_DIR)/debian-12/current

test-long: test-image test-package test-incus-long test-lxd $(STOCK_IMAGE) ## That, containers of a real Incus, systems with cloud-init, a backup that outlives its image, PostgreSQL under all suites, whole lives with the host's libvirtd, servers from templates while processes are killed and the disk is full, and ten thousand creates at once
	$(AS_ROOT) env VPSD_STOCK_IMAGE=$(STOCK_IMAGE) VPSD_LONG_TESTS=1 swift test --skip-build --no-parallel --filter 'StockImageTests|PrunedImageTests|BurnedHostTests|StockSystemTests|NeighbourTests|InstantMachineTests'
	VPSD_LONG_TESTS=1 swift test --skip-build --no-parallel --filter 'vpsctlTests.TroubleTests/troubleOfAll'
	VPSD_TEST_DATABASE=postgresql $(FEWER_AT_ONCE) swift test --skip-build --filter '$(LONG_BOTH_DATABASES_TESTS)' --skip '$(SOCKET_TESTS)'
	@for seed in 1 2 3; do $(AS_ROOT) $(CLIENTS)/replicas.py $(VPSD) --rounds 36 --seed $$seed || exit 1; done
	@$(AS_ROOT) $(CLIENTS)/replicas.py $(VPSD) --rolling --rounds 5
	@$(CLIENTS)/crowd.py $(VPSD) 10000
	@$(CLIENTS)/crowd.py $(VPSD) 10000 --kill
	$(AS_ROOT) Tests/Hosts/unprivileged swift test --skip-build --no-parallel --filter '$(LONG_OWN_LIBVIRTD_TESTS)'
	$(AS_ROOT) Tests/Hosts/unprivileged --libvirtd swift test --skip-build --no-parallel --filter '$(LONG_HOST_LIBVIRTD_TESTS)'
	$(AS_ROOT) Tests/Hosts/loopback $(CLIENTS)/instant.py $(VPSD)
	$(AS_ROOT) Tests/Hosts/network --libvirtd $(CLIENTS)/instant.py $(VPSD) --postgresql
	$(AS_ROOT) Tests/Hosts/network --libvirtd swift test --skip-build --no-parallel --filter 'EndToEndTests.RoutedServersTests'
	$(AS_ROOT) env VPSD_LONG_TESTS=1 Tests/Hosts/network swift test --skip-build --no-parallel --filter 'EndToEndTests.BridgedServersTests'
	@$(AS_ROOT) Tests/Hosts/network $(CLIENTS)/machines.py $(VPSD) $(VPSD_IMAGE_DIR)

# Beside each other: each mostly waits for a program that is not the service.
test-clients: test-clients-setup ## What is counted of a service, proxies before it, samples, requests and the panel, each with others' programs
	$(MAKE) -o test-clients-setup --jobs=3 --output-sync=target test-samples test-panel test-contract test-monitoring test-proxies test-database

test-monitoring: test-clients-setup ## What is counted of a service and logged by it, with Prometheus
	@$(CLIENTS)/monitoring.py .build/debug/vpsd

test-proxies: test-clients-setup ## nginx and Caddy before the service
	@$(CLIENTS)/proxies.py .build/debug/vpsd

test-database: test-clients-setup ## Copies of a PostgreSQL as docs/scale.md makes them, and pgbouncer before it
	@$(CLIENTS)/database.py .build/debug/vpsd

test-samples: test-clients-setup ## Run the samples of the documentation with curl, Python, node and PHP
	@$(CLIENTS)/samples.py .build/debug/vpsd $(PYTHON)

test-contract: test-clients-setup ## Send thousands of right and wrong requests by docs/openapi.yaml (schemathesis)
	@$(CLIENTS)/hostile.py .build/debug/vpsd
	@$(CLIENTS)/contract.py .build/debug/vpsd $(PYTHON)

test-panel: test-clients-setup ## Use the panel in a real browser (chromium), on simulated machines
	@$(PYTHON) $(CLIENTS)/panel.py .build/debug/vpsd

panel-pictures: test-clients-setup ## The same, and take the pictures in docs/panel
	@$(PYTHON) $(CLIENTS)/panel.py .build/debug/vpsd docs/panel

test-real: test-clients-setup ## Run the tests that boot virtual machines, on this host and beside it on hosts that are made for them
	$(MAKE) --jobs=2 --output-sync=target container-for-tests $(STOCK_IMAGE)
	@scripts/setup incus
	$(MAKE) --jobs=2 --output-sync=target test-machines test-hosts test-containers

image-for-tests:
	$(AS_ROOT) .build/debug/vpsd image build debian-12 --if-missing

# Before any test, so that none finds another image than before.
container-for-tests: image-for-tests
	@image=$(VPSD_IMAGE_DIR)/debian-12/current; [ -e $$image/container.tar.zst ] || $(AS_ROOT) images/container $$image

$(STOCK_IMAGE): images/build Tests/Images/build $(wildcard images/debian-12/* Tests/Images/stock/*)
	$(AS_ROOT) Tests/Images/build .build/images

# Each takes about as long as the other.
test-machines:
	$(AS_ROOT) env VPSD_STOCK_IMAGE=$(STOCK_IMAGE) $(RUN_TESTS) --filter EndToEndTests --skip '$(ROUTED_TESTS)'

test-hosts:
	$(AS_ROOT) Tests/Hosts/loopback $(RUN_TESTS) --filter LibvirtDriverTests
	$(AS_ROOT) Tests/Hosts/network $(RUN_TESTS) --filter '$(ROUTED_TESTS)'
	$(AS_ROOT) Tests/Hosts/unprivileged $(RUN_TESTS) --filter '$(OWN_LIBVIRTD_TESTS)' --skip '$(LONG_OWN_LIBVIRTD_TESTS)'
	$(AS_ROOT) Tests/Hosts/unprivileged --libvirtd $(RUN_TESTS) --filter '$(HOST_LIBVIRTD_TESTS)'

test-containers:
	$(AS_ROOT) Tests/Hosts/incus $(RUN_TESTS) --filter 'IncusDriverTests.ConformanceTests|EndToEndTests.ContainerServersTests/wholeLife'

test-package: deb image ## The life of the Debian package on a new Debian: lintian, installed, upgraded, removed, purged (some minutes)
	$(AS_ROOT) packaging/deb/test .build/deb/vpsd_*.deb $(VPSD_IMAGE_DIR)

chaos: test-build ## Break everything that can be broken, with real virtual machines, and count what is left (20 minutes)
	$(AS_ROOT) .build/debug/vpsd image build debian-12 --if-missing
	$(AS_ROOT) env CHAOS_TRIES=$${CHAOS_TRIES:-1} swift test --skip-build --no-parallel --filter ChaosTests

lint: ## Check format and house rules
	@scripts/lint

fmt: ## Format the sources
	swift format -i -r Package.swift Sources Tests

bench-setup: build
	@scripts/setup bench

bench: bench-setup ## What requests, creates, many servers and starts cost, beside nginx, Go, FastAPI and Django, in one run
	@bench/figures $(VPSD)

bench-check: bench-setup ## The same, which fails where something is slower by a fifth than bench/figures.json says
	@bench/figures $(VPSD) --check

bench-mixed: bench-setup ## Reads, creates and tokens that are not valid, all for a minute: whether the service goes on to answer
	@bench/mixed $(VPSD)

profile: bench-setup ## Flame graphs of reading a server and a list, in .build/profile
	@mkdir -p .build/profile
	@bench/profile $(VPSD) /api/v1/servers/1/ .build/profile/one-server.svg
	@bench/profile $(VPSD) /api/v1/servers/ .build/profile/list.svg

bench-hostile: build ## Compare what hostile and harmless input of the same size cost
	@bench/hostile $(VPSD)

bench-billing: build ## Charge an hour of a hundred thousand servers while others ask for theirs (five minutes)
	@bench/billing $(VPSD)

bench-databases: build ## Compare creates and looks with a file and with a server of PostgreSQL
	@bench/databases $(VPSD)

bench-replicas: build ## What a thousand to fifty thousand servers cost three services on one PostgreSQL (half an hour)
	@bench/replicas $(VPSD)

bench-panel: build ## What pages of the panel cost, in CPU and in bytes
	@bench/panel $(VPSD)

bench-network: test-build ## Rules, routes and packets of a thousand servers, in namespaces, without machines
	$(AS_ROOT) NETWORK_BENCH=1000 Tests/Hosts/network swift test --skip-build --no-parallel --filter NetworkBench

bench-boot: build image ## Compare how long a customer waits for a server from a template, for one that boots, and for a container, on loopback and on a routed network
	@scripts/setup incus
	$(AS_ROOT) Tests/Hosts/incus bench/boot $(VPSD)
	$(AS_ROOT) Tests/Hosts/network bench/boot $(VPSD)

soak: build ## Thousands of simulated servers for minutes: does anything grow, does anything slow down
	@bench/soak $(VPSD)

clean: ## Remove what was built, but no data
	rm -rf .build
