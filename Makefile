# The tasks of this repository. `make` alone lists them.
#
# Needed: Debian 12 or alike, Swift 6.3, git, make. What else a target needs it installs through apt, with sudo where
# one is not root, and only what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# For each of its subjects.
FUZZ_SECONDS ?= 30
# Worlds that `make simulate` tries; or the one that it tells all about.
SEEDS ?= 10000
SEED ?=
# Of `make soak`.
SOAK_SECONDS ?= 120
# Of `make rules`.
RULE_REQUESTS ?= 1000000
.PHONY: help run build deb image test soak simulate rules asan tsan fuzz bench chart fresh format lint clean packages-build \
  packages-deb packages-test packages-bench packages-fresh python-test

# What the toolchain runs on, fetches and links with, and slim images lack; then the libraries that Apus stands on.
PACKAGES_BUILD := libcurl4 libncurses6 libsqlite3-0 libxml2 ca-certificates gcc libc6-dev libstdc++-12-dev pkg-config \
  libssl-dev libnghttp2-dev libpcre2-dev libc-ares-dev libyaml-dev
# dpkg-dev finds the packages of shared libraries; the last three are for trying the package.
PACKAGES_DEB := $(PACKAGES_BUILD) dpkg-dev binutils python3 groff-base iproute2 logrotate
PACKAGES_TEST := $(PACKAGES_DEB) curl openssl nginx nghttp2-client python3 python3-h2 python3-httpx python3-grpcio \
  python3-websockets python3-venv testssl.sh dnsmasq-base bind9-dnsutils iproute2 postgresql redis-server redis-tools \
  libfaketime systemd python3-yaml
# Docker's own packages serve as well, and Debian's would replace them.
ifeq ($(wildcard /usr/bin/dockerd /usr/sbin/dockerd),)
PACKAGES_TEST += docker.io
endif
PACKAGES_FRESH := mmdebstrap
PACKAGES_BENCH := haproxy nginx libnginx-mod-stream nghttp2-proxy nghttp2-client wrk python3 openssl util-linux iproute2 \
  curl

BINARY := .build/release/apus

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build with optimisation and start the demo
	@exec $(BINARY) demo

build: packages-build ## the optimised binary, .build/release/apus
	@echo "== building apus"
	@swift build -c release --product apus --static-swift-stdlib

deb: packages-deb build ## a Debian package in .build/deb, tried in a root of its own
	@echo "== packaging apus"
	@.ci/deb $(BINARY) .build/deb
	@.ci/deb-try .build/deb/*.deb

image: packages-deb build ## a container image, .build/image/apus.tar for docker load, tried without a daemon
	@echo "== making the container image"
	@.ci/image $(BINARY) .build/image
	@.ci/image-try .build/image/apus.tar

# Thousands of lines come before and after a failure, so what failed is said again at the end. The optimised binary is
# built as well: the compiler has crashed with -O where it had compiled the same sources for tests.
TEST_LOG := .build/test.log
test: python-test ## every test, then the optimised binary, its package and its image; what CI runs
	@echo "== building apus and its tests"
	@swift build --build-tests
	@echo "== testing"
	@swift test --skip-build --parallel 2>&1 | tee $(TEST_LOG) || { \
	  echo "== what failed (all that was printed: $(TEST_LOG))"; \
	  grep -A 4 -E "^✘|error: " $(TEST_LOG) | grep -v -E "^(✔|◇|--)" | tail -n 80; exit 1; }
	@echo "== all tests passed"
	@$(MAKE) --no-print-directory deb image
	@echo "== running the optimised binary"
	@$(BINARY) --version
	@$(BINARY) check --file-only conf/reference.yaml

soak: python-test ## every change at once under every load, for SOAK_SECONDS (120): nothing is lost
	@echo "== building apus and its tests"
	@swift build --build-tests
	@APUS_SOAK_SECONDS=$(SOAK_SECONDS) swift test --skip-build --filter ScenarioTests.EveryChangeTests

simulate: packages-build ## a worker in SEEDS (10000) worlds in memory; SEED=n tells all that happens in one
	@echo "== building the simulation"
	@swift build --build-tests
	@SIMULATE_SEED=$(SEED) SIMULATE_SEEDS=$(SEEDS) swift test --skip-build --filter SimulationTests/everySeedHolds

rules: packages-build ## RULE_REQUESTS (1000000) random requests to random rules: compiled and plain say the same
	@echo "== building the tests of rules"
	@swift build --build-tests
	@RULE_REQUESTS=$(RULE_REQUESTS) swift test --skip-build --filter RoutingTests.RuleMatchTests

# Statics look like leaks at the end. Freed memory is kept but a moment, as scenarios look at how much is resident.
asan: export ASAN_OPTIONS := detect_leaks=0:quarantine_size_mb=1:suppressions=$(CURDIR)/Tests/AddressSanitizer.suppressions
asan: python-test ## every test under AddressSanitizer, but for those of resident memory, which it changes
	@swift test --scratch-path .build/asan --sanitize address --parallel --skip MemoryTests

# Threads that may wait for a disk are not waited for when the process ends.
tsan: python-test ## every test under ThreadSanitizer, but for those of resident memory
	@TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/ThreadSanitizer.suppressions:report_thread_leaks=0" \
	  swift test --scratch-path .build/tsan --sanitize thread --parallel --skip MemoryTests

# No input is longer than the longest that a parser takes, a ClientHello of 32 KiB, and a little.
# The last -sanitize is the one that counts, so it has to name both. Statics look like leaks at the end.
FUZZ := .build/fuzz/release/Fuzz
FUZZ_FLAGS := -timeout=10 -max_len=36864 -dict=Tests/Fuzz/http.dict
fuzz: export SWIFT_BACKTRACE := enable=no
fuzz: export ASAN_OPTIONS := detect_leaks=0
fuzz: packages-test ## random input to every parser, session and relay, FUZZ_SECONDS (30) each
	@echo "== building the fuzzers"
	@swift build -c release --package-path Tests/Fuzz --scratch-path .build/fuzz \
	  --sanitize fuzzer --sanitize address -Xswiftc -sanitize=fuzzer,address
	@for subject in $$(ls Tests/Fuzz/Corpus); do \
	  echo "== fuzzing $$subject for $(FUZZ_SECONDS) s"; \
	  log=.build/fuzz/$$subject.log; crash=.build/fuzz/$$subject.crash; \
	  mkdir -p .build/fuzz/corpus/$$subject; \
	  $(FUZZ) $$subject $(FUZZ_FLAGS) -max_total_time=$(FUZZ_SECONDS) -exact_artifact_path=$$crash \
	    .build/fuzz/corpus/$$subject Tests/Fuzz/Corpus/$$subject > $$log 2>&1 || { \
	    tail -n 40 $$log; grep -h "broken promise:" $$log || true; \
	    echo "== $$subject: it broke. Replay: SWIFT_BACKTRACE=enable=no $(FUZZ) $$subject $$crash"; exit 1; }; \
	  tail -n 1 $$log; \
	done

bench: build packages-bench ## Apus beside HAProxy, nginx and nghttpx, then the micro-benchmarks
	@python3 Benchmarks/compare/compare.py --apus $(BINARY)
	@cd Benchmarks && swift package benchmark

chart: ## docs/bench.svg from the table of README.md
	@python3 Benchmarks/compare/chart.py README.md docs/bench.svg

fresh: packages-fresh ## the demo and every test on a fresh Debian 12, in a folder
	@.ci/fresh

format: ## write the sources as .swift-format says
	@swift format format --in-place --parallel --recursive Package.swift Sources Tests

lint: ## where the sources differ from that
	@swift format lint --parallel --recursive Package.swift Sources Tests

clean: ## remove what was built
	@rm -rf .build Benchmarks/.build Benchmarks/results

packages-build: PACKAGES := $(PACKAGES_BUILD)
packages-deb: PACKAGES := $(PACKAGES_DEB)
packages-test: PACKAGES := $(PACKAGES_TEST)
packages-bench: PACKAGES := $(PACKAGES_BENCH)
packages-fresh: PACKAGES := $(PACKAGES_FRESH)
packages-build packages-deb packages-test packages-bench packages-fresh:
	@command -v swift > /dev/null || { echo "no swift in PATH: install Swift 6.3 from https://swift.org/install"; exit 1; }
	@missing=""; for package in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q "ok installed" || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "== installing$$missing"; \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get -qq update; \
	  : "RUNLEVEL=1 keeps installed servers from being started"; \
	  $$sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $$missing > /dev/null; \
	fi

# The one thing that Debian does not have: QUIC for Python, in an environment of its own.
python-test: packages-test
	@.build/python/bin/python3 -c "import aioquic" 2> /dev/null || { \
	  echo "== installing aioquic"; \
	  /usr/bin/python3 -m venv .build/python; \
	  .build/python/bin/pip install --quiet --disable-pip-version-check aioquic==1.7.2 \
	    || echo "aioquic cannot be had: the tests of QUIC are skipped"; \
	}
