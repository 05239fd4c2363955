# Each target is one word for one habit; `make help` lists them. What is missing is installed first (deploy/install-deps).
SHELL := /bin/bash
JOBS ?= $(shell nproc)
.DEFAULT_GOAL := help
.PHONY: help mutate demo test build lint format bench fuzz clean test-fresh test-asan test-tsan kill9 browser canary deps

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

deps:
	@deploy/install-deps

demo: build ## play one case with simulated partners and stay up; ONCE=1 checks every arrival and ends
	@node tests/system/demo/run.mjs $(if $(ONCE),--once)

test: deps ## release build, all tests, unit tests under sanitizers; last line: N passed, M failed
	@tests/support/run-all

build: deps ## build/release/bin/schakel
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS)

lint: build ## formatting, clang-tidy on everything, include rules
	@git ls-files '*.cpp' '*.hpp' '*.cc' | xargs clang-format-19 --dry-run --Werror
	@tests/support/tidy
	@node --test tests/architecture/

format: deps ## format all C++
	@git ls-files '*.cpp' '*.hpp' '*.cc' | xargs clang-format-19 -i

bench: deps ## the figures of docs/performance.md
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target $$(ls tests/bench/*_bench.cpp | xargs -n 1 basename -s .cpp) schakel
	@for b in build/release/bin/*_bench; do "$$b" --benchmark_counters_tabular=true || exit 1; done
	@node tests/bench/ingest.mjs --seconds 8

fuzz: deps ## each fuzz target for FUZZ_SECONDS=60
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz -j $(JOBS) --target $$(ls tests/fuzz/*_fuzz.cpp | xargs -n 1 basename -s .cpp)
	@for f in build/fuzz/bin/*_fuzz; do n=$$(basename $$f); mkdir -p build/fuzz/corpus/$$n; \
	  $$f -max_total_time=$(or $(FUZZ_SECONDS),60) -timeout=10 -rss_limit_mb=2048 build/fuzz/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done

mutate: deps ## change each rule in turn and look whether a scenario notices; REGION=KNH for one
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target rule_mutants
	@build/release/bin/rule_mutants $(if $(REGION),--region $(REGION))

clean: ## remove build/
	@rm -rf build

test-fresh: ## demo and test on a bare Debian 12 root (needs root and mmdebstrap)
	@tests/system/fresh

test-asan: deps ## all tests under AddressSanitizer and UBSan
	@cmake --preset asan >/dev/null && cmake --build --preset asan -j $(JOBS) && LSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/lsan.supp" ctest --test-dir build/asan --output-on-failure --timeout 1800

test-tsan: deps ## all unit tests under ThreadSanitizer
	@cmake --preset tsan >/dev/null && cmake --build --preset tsan -j $(JOBS) && TSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/tsan.supp" ctest --test-dir build/tsan -L unit --output-on-failure --timeout 1800

kill9: build ## 1000 kill -9 cycles under load with an oracle; CYCLES=N for another number
	@tests/system/kill9 --cycles $${CYCLES:-1000}

browser: build ## Playwright and axe in Chromium: every page over a pretended broker, then the whole over the real one
	@deploy/install-deps --browser
	@SCHAKEL_FAKE=build/release/bin/portal_fake_backend node tests/browser/run.mjs
	@node tests/browser/broker.mjs

canary: build ## fictional BSN and names through every path; none may be seen in any output
	@tests/system/canary
