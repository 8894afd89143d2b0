# The menu over Meson: `make help` lists what there is. Everything is built under build/.
BUILD  := build
HOST   := $(BUILD)/host
PREFIX ?= /usr/local

.PHONY: all host guest deps demo test check-all asan fuzz bench tidy fmt docs ci install clean help setup

all: host guest   ## build the programs into build/bin and the guest's SDK and ROMs beside them

$(HOST)/build.ninja:
	@tools/deps --check build
	meson setup $(HOST) --prefix='$(PREFIX)' $(MESON_OPTIONS)

host: $(HOST)/build.ninja
	@tools/ninja $(HOST) 'the programs and their tests'
	@tools/stage $(BUILD)

guest: host
	@tools/build-guest $(BUILD)

deps:             ## install every Debian package that is missing (apt, with sudo where not root)
	@tools/deps

demo:             ## see it work: upload programs, post bytes, get bytes
	@tools/deps build demo
	@$(MAKE) --no-print-directory all
	@tools/demo $(BUILD)

test:             ## run every test; closes with `N passed, N failed`
	@tools/deps build demo test
	@$(MAKE) --no-print-directory all
	@tools/test $(BUILD)

check-all:        ## the whole suite again under AddressSanitizer and UBSan
	@tools/deps build demo test
	@$(MAKE) --no-print-directory asan

asan:
	@$(MAKE) --no-print-directory all BUILD=build-asan \
	  MESON_OPTIONS="-Db_sanitize=address,undefined -Db_lundef=false"
	@tools/test build-asan

fuzz:             ## run every fuzzer for SECONDS each (15)
	@tools/deps build test
	@tools/fuzz $(or $(SECONDS),15)

bench:            ## ratios against native code, qemu, lighttpd and a bare loop; see bench/RESULTS.md
	@tools/deps build bench
	@$(MAKE) --no-print-directory all
	@bench/run $(BUILD)
	@bench/post $(BUILD)

tidy:             ## who includes whom, function length, banned calls, format
	@tools/tidy

fmt:              ## format every C file
	@git ls-files '*.c' '*.h' | xargs clang-format -i

docs: host        ## write docs/ from the tables
	@tools/docs $(BUILD)

ci:               ## what runs on a submission
	@.ci/run

setup:            ## use the hooks of .githooks in this checkout
	git config core.hooksPath .githooks

install: all      ## install below PREFIX (/usr/local)
	@DESTDIR='$(DESTDIR)' tools/install $(BUILD) '$(PREFIX)'

clean:           ## remove all that was built
	rm -rf build build-asan build-fuzz

help:             ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1\t/p' Makefile | expand -t 14
