# make demo   calibrate the bundled float network, evaluate both, classify one image
# make build  the tools, into build/
# make test   everything that must hold: lint, native tests, arm64 and arm tests under qemu
# make bench  side by side with other runtimes, in a Python environment of its own
.PHONY: all build demo test quick lint bench bench-kernels bench-arm64 clean
.DEFAULT_GOAL := build

GO ?= go
export CGO_ENABLED ?= 0

build:
	$(GO) build -trimpath -ldflags "-s -w" -o build/ ./cmd/...

demo: build
	@scripts/demo.sh

test:
	@scripts/test.sh

# The native tests alone, for the inner loop.
quick:
	$(GO) test ./...

bench: build
	@bench/run.sh

# The kernels of this CPU beside the ceilings of its int8 instructions.
bench-kernels:
	$(GO) run ./bench/kernels

# A model of the arm64 kernels' speed on Raspberry Pis: instructions counted in qemu, cycles by llvm-mca.
bench-arm64:
	@bench/arm64/run.sh

lint:
	@scripts/lint.sh

clean:
	rm -rf build dist
