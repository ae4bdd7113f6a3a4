# Ringback: everything a person runs. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

CARGO ?= cargo
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# What the build needs from the system, as Debian names it.
PACKAGES := gcc libc6-dev pkg-config libspandsp-dev libspeexdsp-dev
# What the tests need besides: C++ (the headers in it, and libFuzzer), a checker of memory, a
# language that calls C, and speech.
SPEECH_PACKAGES := espeak-ng flite
TEST_PACKAGES := g++ valgrind python3 $(SPEECH_PACKAGES)
# What the benchmark counts with, and what its C peer is built on.
BENCH_PACKAGES := liburing-dev valgrind strace
# Tests that trace the kernel run as root; the build does not.
AS_ROOT := $(if $(SUDO),CARGO_TARGET_$(shell uname -m | tr a-z A-Z)_UNKNOWN_LINUX_GNU_RUNNER=$(SUDO))

.PHONY: help
help: ## Lists what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: deps
deps: ## Installs what the build needs from the system (Debian and its kin, by apt)
	@tests/deps $(PACKAGES)

.PHONY: run
run: deps ## Runs the main job: calls on the software card
	$(CARGO) run --quiet --release --locked -p ringback-cli -- demo

.PHONY: build
build: deps ## Builds the programs: target/release/ringback and ringback-gateway beside it
	$(CARGO) build --release --locked -p ringback-cli
	$(CARGO) build --release --locked -p ringback-gateway

.PHONY: check
check: deps ## The quick inner loop: format, lints, documentation, unit tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --workspace --no-deps --all-features
	$(CARGO) test --locked --quiet --workspace --all-features --lib

# Where the C libraries go: below DESTDIR, which is not part of what is written into files.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
# Where they come from.
BUILT ?= target/release
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
MAJOR := $(firstword $(subst ., ,$(VERSION)))

.PHONY: install install-built
install: deps ## Builds and installs the C libraries and headers; DESTDIR=, PREFIX=, LIBDIR=
	$(CARGO) build --release --locked -p ringback-capi-tsp -p ringback-capi-host
	$(MAKE) --no-print-directory install-built
install-built:
	install -d $(DESTDIR)$(PREFIX)/include/ringback $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 userspace/capi/include/ringback/*.h $(DESTDIR)$(PREFIX)/include/ringback/
	for library in libringback libringback_tsp; do \
		install -m 755 $(BUILT)/$$library.so $(DESTDIR)$(LIBDIR)/$$library.so.$(VERSION); \
		ln -sf $$library.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$$library.so.$(MAJOR); \
		ln -sf $$library.so.$(MAJOR) $(DESTDIR)$(LIBDIR)/$$library.so; \
	done
	for module in ringback ringback-tsp; do \
		sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
			-e 's|@MAJOR@|$(MAJOR)|' \
			userspace/capi/$$module.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/$$module.pc; \
	done

.PHONY: header
header: deps ## Makes the C header ringback/tspi.h of the tables anew
	RINGBACK_WRITE_HEADER=1 $(CARGO) test --locked --quiet -p ringback-tspi --test header in_the_tree

.PHONY: loom
loom: deps ## Models of what threads do to each other, interleaving by interleaving
	RUSTFLAGS="--cfg loom" $(CARGO) test --locked --release --target-dir target/loom \
		-p ringback-request -p ringback-driver -p ringback-provider -p ringback-host --lib model

# Calls take their time and little of a CPU, so more of them run at once than there are CPUs.
TEST_THREADS := $(shell expr 3 \* $$(nproc))

.PHONY: test
test: ## Every test, the lab's included
	@tests/deps $(PACKAGES) $(TEST_PACKAGES)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --workspace --no-deps --all-features
	$(CARGO) test --locked --workspace --all-features --exclude ringback-tests \
		-- --test-threads=$(TEST_THREADS)
	$(AS_ROOT) $(CARGO) test --locked -p ringback-tests -- --test-threads=$(TEST_THREADS)
	$(MAKE) --no-print-directory outside
	$(MAKE) --no-print-directory fuzz-short
	$(MAKE) --no-print-directory loom
	$(MAKE) --no-print-directory asterisk
	$(MAKE) --no-print-directory lab

.PHONY: asterisk
asterisk: deps ## Calls between the gateway and Debian's Asterisk, which is fetched once
	tests/asterisk/run

# How many seconds each fuzzer runs.
FUZZ_SECONDS ?= 300

.PHONY: fuzz fuzz-short
fuzz: ## Fuzzers of what reads data of others; FUZZ_SECONDS=3600 each, FUZZER=name for one
	@tests/deps $(PACKAGES) g++
	FUZZER=$(FUZZER) tests/fuzz/run -max_total_time=$(FUZZ_SECONDS)

# Always the same seed and at most so many inputs, however fast the machine is, so that a change is
# hardly ever refused for what an earlier one has brought.
fuzz-short:
	@tests/deps $(PACKAGES) g++
	tests/fuzz/run -seed=1 -runs=10000 -max_total_time=5

.PHONY: outside
outside: deps ## A driver as somebody else writes it: a crate outside of the workspace
	$(CARGO) fmt --check --manifest-path tests/outside/driver-writer/Cargo.toml
	$(CARGO) test --locked --manifest-path tests/outside/driver-writer/Cargo.toml \
		--target-dir target/outside

# How many worlds are simulated, and from which seed on. `taskset -c 0` in front uses one processor.
WORLDS ?= 10000
SEED ?= $(shell date +%s)

.PHONY: simulation
simulation: deps ## Worlds under a virtual clock, by seed; WORLDS=10000, SEED=from that one on
	seed=$(SEED); RINGBACK_SEEDS=$$seed..$$((seed + $(WORLDS))) $(CARGO) test --locked --release \
		-p ringback-simulation --test seeds no_rule -- --nocapture

# How long threads are let loose on host and provider.
MINUTES ?= 10
# How long calls come and go.
SOAK_MINUTES ?= 60
SCARCE_MINUTES ?= 15

.PHONY: stress
stress: deps ## Threads that do anything to host and provider; MINUTES=30 for longer
	RINGBACK_STRESS_MINUTES=$(MINUTES) $(CARGO) test --locked -p ringback-stress --test seeds \
		-- --nocapture
	RINGBACK_STRESS_MINUTES=$(MINUTES) $(CARGO) test --locked -p ringback-capi-host --test it \
		restarts -- --nocapture

.PHONY: soak soak-scarce
soak: deps ## Calls on all lines for an hour, with memory, descriptors and threads; SOAK_MINUTES=60
	RINGBACK_SOAK_MINUTES=$(SOAK_MINUTES) $(CARGO) test --locked -p ringback-tests --test soak \
		-- --nocapture
soak-scarce: deps ## The same for 15 minutes with little memory, on a processor that others keep busy
	RINGBACK_SOAK_MINUTES=$(SCARCE_MINUTES) \
		CARGO_TARGET_$(shell uname -m | tr a-z A-Z)_UNKNOWN_LINUX_GNU_RUNNER=$(CURDIR)/tests/scarce \
		$(CARGO) test --locked -p ringback-tests --test soak nothing_grows -- --nocapture

# How many minutes of speech are made for the detector of digits.
SPEECH_MINUTES ?= 60

.PHONY: talk-off
talk-off: ## Whether an hour of speech is taken for a digit; SPEECH_MINUTES=60
	@tests/deps $(PACKAGES) $(SPEECH_PACKAGES)
	RINGBACK_SPEECH_MINUTES=$(SPEECH_MINUTES) $(CARGO) test --locked -p ringback-media \
		--test talk_off -- --nocapture

# How many seeds the conformance suite plays, and of which provider.
SEEDS ?= 40
PROVIDER ?=

LAB_SEEDS ?= 3

.PHONY: conform conform-matrix conform-lab
conform: deps ## The conformance suite with fresh seeds; PROVIDER=x.so for another than Ringback's
	$(CARGO) build --locked -p ringback-cli -p ringback-capi-tsp
	RINGBACK_CARD=$${RINGBACK_CARD:-soft} target/debug/ringback conform \
		$(or $(PROVIDER),target/debug/libringback_tsp.so) --seed $$(date +%s) --seeds $(SEEDS)
conform-lab: deps ## The same of Ringback's provider on the module and on mtty, in virtual machines
	SEEDS=$(LAB_SEEDS) tests/lab/run conform conform-mtty
conform-matrix: deps ## Makes tests/RESULTS.md anew: which broken rules the suite finds
	RINGBACK_WRITE_MATRIX=1 $(CARGO) test --locked -p ringback-cli --test it matrix -- --nocapture

.PHONY: bench
bench: ## The latency path beside its peers, and the table of figures; under ten minutes
	@tests/deps $(PACKAGES) $(BENCH_PACKAGES)
	$(CARGO) bench --locked -p ringback-bench --bench figures

.PHONY: lab
lab: deps ## Real kernels in virtual machines; SCENARIO=name for one
	tests/lab/run $(SCENARIO)

.PHONY: lab-debug
lab-debug: deps ## Scenarios on PREEMPT_RT and a kernel that checks itself; SCENARIO=name for one
	tests/lab/run --debug $(SCENARIO)

# What packages are built with, besides what the build needs.
DEB_PACKAGES := debhelper dh-dkms dpkg-dev po-debconf
DIST := ringback-$(VERSION)

.PHONY: dist deb deb-test
dist: ## The source with all crates, which builds without a network: target/dist/ringback-*.tar.gz
	rm -rf target/dist && mkdir -p target/dist
	git archive --prefix=$(DIST)/ HEAD | tar -x -C target/dist
	mkdir target/dist/$(DIST)/.cargo
	cd target/dist/$(DIST) && $(CARGO) vendor --locked vendor >.cargo/config.toml 2>../vendor.log || \
		{ cat ../vendor.log >&2; exit 1; }
	cd target/dist && tar --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime=@$$(git log -1 --format=%ct) -c $(DIST) | gzip -n >$(DIST).tar.gz
deb: dist ## Debian packages of it: target/deb/*.deb
	@tests/deps $(PACKAGES) $(DEB_PACKAGES)
	@grep -q '^ringback ($(VERSION)-' userspace/debian/changelog && \
		grep -q '^PACKAGE_VERSION="$(VERSION)"' kmod-shim/dkms.conf || \
		{ echo "userspace/debian/changelog and kmod-shim/dkms.conf must have version $(VERSION), as Cargo.toml" >&2; exit 1; }
	rm -rf target/deb && mkdir -p target/deb
	cp target/dist/$(DIST).tar.gz target/deb/ringback_$(VERSION).orig.tar.gz
	tar -x -C target/deb -f target/dist/$(DIST).tar.gz
	cp -r target/deb/$(DIST)/userspace/debian target/deb/$(DIST)/debian
	@# -d: Rust need not be Debian's. tests/deps has installed the rest.
	cd target/deb/$(DIST) && dpkg-buildpackage -us -uc -b -d
deb-test: ## Installs, upgrades and purges target/deb/*.deb in the lab's Debian (make deb, make lab)
	$(SUDO) tests/packages target/deb

.PHONY: kmod kmod-install
kmod: ## Builds the kernel module for the running kernel, or for KVER=...
	$(MAKE) -C kmod-shim $(if $(KVER),KVER=$(KVER)) $(if $(SAMPLE),SAMPLE=$(SAMPLE))
kmod-install: ## Installs it
	$(SUDO) $(MAKE) -C kmod-shim install $(if $(KVER),KVER=$(KVER)) $(if $(SAMPLE),SAMPLE=$(SAMPLE))

.PHONY: clean
clean: ## Removes what was built
	$(CARGO) clean
