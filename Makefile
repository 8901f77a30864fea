# make demo   calibrate the bundled float network, evaluate both, classify one image
# make build  the tools, into build/
# make test   everything that must hold: lint, native tests, arm64 and arm tests under qemu
# make quick  the native tests that take no more than seconds
# make bench  side by side with other runtimes, in a Python environment of its own
# make wheel  Python wheels, for pip install, into dist/
# make raspi  what a Raspberry Pi's owner unpacks and runs, into dist/
# make lib    libresnext.so and libresnext.a for C programs, into build/lib; make install puts them into PREFIX
.PHONY: all build demo test quick fuzz lint bench bench-kernels bench-arm64 lib lib-arm64 lib-arm install test-hosts bench-c bench-quantisers deb wheel raspi clean
.DEFAULT_GOAL := build

GO ?= go
export CGO_ENABLED ?= 0

build:
	$(GO) build -trimpath -ldflags "-s -w" -o build/ ./cmd/...

demo: build
	@scripts/demo.sh

test:
	@scripts/test.sh

# For the inner loop: the native tests without the longest, and fewer rounds of some; CONTRIBUTING.md says what that
# leaves out. Built like everything else here, with trimmed paths, so that nothing is compiled twice.
long = TestFamily|TestFullSize|TestEveryArchitectureRuns|TestReferenceNetwork|TestDeadChannelsDoNoHarm
quick:
	for module in $$(scripts/modules.sh); do \
		$(GO) -C $$module test -trimpath -short -timeout 60m -skip '^($(long))$$' ./... || exit; \
	done

bench: build
	@bench/run.sh

# Every fuzz target for a minute, or for FUZZTIME.
fuzz:
	@scripts/fuzz.sh

# The kernels of this CPU beside the ceilings of its int8 instructions.
bench-kernels:
	$(GO) run ./bench/kernels

# A model of the arm64 kernels' speed on Raspberry Pis: instructions counted in qemu, cycles by llvm-mca.
bench-arm64:
	@bench/arm64/run.sh

# The library for C programs, by cgo.
lib:
	@bindings/c/build.sh build/lib

lib-arm64:
	@bindings/c/build.sh build/lib-arm64 arm64

lib-arm:
	@bindings/c/build.sh build/lib-arm arm

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib

# Does not build again what is there: root may have no Go.
install:
	@[ -e build/lib/resnext.pc ] || $(MAKE) lib
	@PREFIX=$(PREFIX) LIBDIR=$(LIBDIR) DESTDIR=$(DESTDIR) bindings/c/install.sh build/lib

# The library in Node, Java, Python and Rust, whose tools must be there. Not a part of `make test`.
test-hosts:
	@bindings/c/test/hosts/run.sh

# What a call from C costs.
bench-c: lib
	@bindings/c/bench/run.sh

# Debian packages for amd64 and arm64.
deb:
	@packaging/deb/build.sh

# Wheels for x86-64, 64-bit ARM and, where the cross compiler is there, 32-bit ARM.
wheel:
	@bindings/python/build.sh

raspi:
	@examples/raspi/package/build.sh

# How near int8 networks come to the float one, by calib and by other quantisers.
bench-quantisers:
	@bench/quantisers/run.sh

lint:
	@scripts/lint.sh

clean:
	rm -rf build dist
