"""Instructions, modelled cycles and modelled times of one inference; run.sh builds what this needs."""
import argparse
import json
import os
import sys
from collections import deque
from dataclasses import dataclass

import mca

CORES = {"cortex-a53": "A53", "cortex-a72": "A72", "neoverse-n1": "A76", "neoverse-n2": "N2"}

# The CPU that qemu emulates for a kernel set, and the pipeline models of cores that can run it. LLVM has no
# model of its own for the A76; the Neoverse N1 is the same core for servers.
SETS = {
    "neon": ("cortex-a72", ["cortex-a53", "cortex-a72", "neoverse-n1"]),
    "neon53": ("cortex-a53", ["cortex-a53"]),
    "neondot": ("cortex-a76", ["neoverse-n1"]),
    "i8mm": ("max,sve=off", ["neoverse-n2"]),
}


@dataclass
class Board:
    name: str
    core: str
    ghz: float
    # Gigabytes a second from memory, for one core and for all together: assumptions, in round figures.
    one: float
    all: float


BOARDS = [
    Board("Zero 2 W", "cortex-a53", 1.0, 1.8, 2.2),
    Board("Pi 3B+", "cortex-a53", 1.4, 2.2, 2.6),
    Board("Pi 4", "cortex-a72", 1.8, 4.5, 5.5),
    Board("Pi 5", "neoverse-n1", 2.4, 9.0, 14.0),
]

THREADS = 4  # of an inference on all cores of a board

# Milliseconds for which all threads wait at the end of a layer, beside the slowest one: an assumption. Starting a job
# in resnext/pool.go and seeing it end takes some ten changes of a cache line from one core to another.
BARRIER = 0.002

KERNEL = "libresnext/asm."  # in a kernel's symbol,
ASSEMBLY = ".abi0"  # and at the end of one that is written in assembly

# How far the samples' instructions, added up over the layers, may be from those counted in a whole inference.
TOLERANCE = 0.01


def emulate(options, plugin, what):
    """Runs bench/arm64/calls under qemu; gives what it prints."""
    # One thread and no interruption, so that every run executes the same.
    go = "GOMAXPROCS=1,GOGC=off,GODEBUG=asyncpreemptoff=1"
    return mca.run(["qemu-aarch64", "-cpu", SETS[options.set][0], "-E", go,
                    "-plugin", os.path.join(options.dir, "plugin.so") + "," + plugin,
                    os.path.join(options.dir, "calls"), "-set", options.set, "-network", options.network,
                    "-acc16", str(options.acc16), "-threads", str(THREADS), what])


def count(options):
    """Executed instructions of an inference by symbol, most first."""
    path = os.path.join(options.dir, "count.txt")
    emulate(options, "count=" + path, "infer")
    with open(path) as f:
        rows = [line.rstrip("\n").split(" ", 1) for line in f]
    return sorted(((name, int(n)) for n, name in rows), key=lambda row: -row[1])


def is_kernel(symbol):
    return KERNEL in symbol and symbol.endswith(ASSEMBLY)


def survey(options, model):
    """The layers, each with its instructions and cycles on one thread ("cost"), and the same for the slowest of all
    threads ("slowest")."""
    path = os.path.join(options.dir, "trace.bin")
    report = json.loads(emulate(options, "trace=%s,within=%s" % (path, KERNEL), "layers"))
    samples = model.samples(path)
    if len(samples) != len(report["samples"]):
        raise SystemExit("%s has %d samples, expected %d" % (path, len(samples), len(report["samples"])))
    costs = []
    for i, instructions in enumerate(samples):
        progress("sample %d of %d: %s" % (i + 1, len(samples), report["samples"][i]))
        cost = {core: model.cycles(instructions, core) for core in SETS[options.set][1]}
        costs.append(dict(cost, instructions=len(instructions)))
    progress("")
    for layer in report["layers"]:
        terms, tasks = layer.pop("terms"), layer.pop("tasks")
        layer["tasks"] = len(tasks)
        layer["cost"], layer["slowest"] = {}, {}
        for unit in costs[0]:
            def cost(terms):
                return sum(n * costs[int(i)][unit] for i, n in terms.items())
            layer["cost"][unit] = cost(terms)
            layer["slowest"][unit] = slowest([cost(task) for task in tasks])
    return report["layers"]


def slowest(tasks):
    """The time of the thread that is done last. As in resnext/pool.go each takes the tasks of its own share in turn, and
    then what the others have left."""
    n = len(tasks)
    shares = [deque(tasks[n * i // THREADS:n * (i + 1) // THREADS]) for i in range(THREADS)]
    clocks = [0] * THREADS
    while any(shares):
        thread = clocks.index(min(clocks))
        share = next(share for share in shares[thread:] + shares[:thread] if share)
        clocks[thread] += share.popleft()
    return max(clocks)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)


def total(layers, value):
    return sum(layer["times"] * value(layer) for layer in layers)


def times(layers, board):
    """Milliseconds of an inference on one core and on all: computing, moving bytes, and the larger of both by layer; with
    all cores the layers' barriers too."""
    def move(layer, gbytes):
        return (layer["moved_activations"] + layer["moved_numbers"]) / gbytes / 1e6

    def of(cost, gbytes, barrier):
        def compute(layer):
            return layer[cost][board.core] / board.ghz / 1e6
        barriers = total(layers, lambda layer: barrier if layer["tasks"] > 1 else 0)
        return {
            "assumed_gbytes_per_second": gbytes, "compute_ms": total(layers, compute),
            "memory_ms": total(layers, lambda layer: move(layer, gbytes)), "assumed_barriers_ms": barriers,
            "all_ms": barriers + total(layers, lambda layer: max(compute(layer), move(layer, gbytes))),
            "memory_bound_layers": total(layers, lambda layer: move(layer, gbytes) > compute(layer)),
        }

    return {
        "board": board.name, "core": CORES[board.core], "ghz": board.ghz,
        "threads": {1: of("cost", board.one, 0), THREADS: of("slowest", board.all, BARRIER)},
    }


def print_table(rows):
    """Rows of text; the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
    print()


def print_counts(counts):
    everything = sum(n for _, n in counts)
    kernels = [(name, n) for name, n in counts if is_kernel(name)]
    outside = [(name, n) for name, n in counts if not is_kernel(name)]
    largest = 6
    rows = [["executed instructions of one inference", "millions", "share"]]

    def row(name, n):
        rows.append([name, "%.2f" % (n / 1e6), "%.2f%%" % (100 * n / everything)])

    for name, n in kernels:
        row("kernel " + name.split(KERNEL)[1].removesuffix(ASSEMBLY), n)
    for name, n in outside[:largest]:
        row("other  " + name.rsplit("/", 1)[-1], n)
    row("other  %d more" % len(outside[largest:]), sum(n for _, n in outside[largest:]))
    row("all outside the kernels", sum(n for _, n in outside))
    row("total", everything)
    print_table(rows)


def layer_row(name, layers, cores):
    macs = total(layers, lambda layer: layer["macs"])
    moved = total(layers, lambda layer: layer["moved_activations"] + layer["moved_numbers"])
    row = [name, "%d" % total(layers, lambda layer: 1), "%.1f" % (macs / 1e6), "%.2f" % (moved / 1e6)]
    for core in cores:
        cycles = total(layers, lambda layer: layer["cost"][core])
        row += ["%.2f" % (cycles / 1e6), "%.2f" % (macs / cycles) if macs else "-",
                "%.2f" % (cycles / total(layers, lambda layer: layer["slowest"][core]))]
    return row


def print_layers(layers, cores, each):
    head = ["modelled cycles", "layers", "MMAC", "MB moved"]
    for core in cores:
        head += [CORES[core] + " Mcycles", "MAC/cycle", "%d threads" % THREADS]
    rows = [head]
    if each:
        rows += [layer_row("%s  %s" % (layer["name"], layer["kind"]), [layer], cores) for layer in layers]
    else:
        for kind in dict.fromkeys(layer["kind"] for layer in layers):
            rows.append(layer_row(kind, [layer for layer in layers if layer["kind"] == kind], cores))
    rows.append(layer_row("total", layers, cores))
    print_table(rows)


def print_boards(boards):
    rows = [["modelled ms", "core", "GHz", "threads", "GB/s assumed", "compute", "memory", "barriers assumed",
             "larger by layer, and barriers", "layers bound by memory"]]
    for b in boards:
        for threads, t in b["threads"].items():
            rows.append([b["board"], b["core"], "%.1f" % b["ghz"], "%d" % threads,
                         "%.1f" % t["assumed_gbytes_per_second"], "%.1f" % t["compute_ms"], "%.1f" % t["memory_ms"],
                         "%.2f" % t["assumed_barriers_ms"], "%.1f" % t["all_ms"], "%d" % t["memory_bound_layers"]])
    print_table(rows)


def write_json(path, value):
    temporary = path + ".tmp"
    with open(temporary, "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")
        f.flush()
        os.fsync(f.fileno())
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(prog="bench/arm64/run.sh", description=__doc__)
    parser.add_argument("--set", choices=SETS, default="neon", help="kernel set")
    parser.add_argument("--network", default="resnext50_32x4d", help="architecture")
    parser.add_argument("--acc16", type=int, default=4, metavar="N", help="acc16 depth: products in a 16-bit sum, where a set has them")
    parser.add_argument("--layers", action="store_true", help="print each distinct layer, not each kind")
    parser.add_argument("--json", metavar="FILE", help="write all figures there too")
    parser.add_argument("--dir", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--mca", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = mca.Model(options.mca)
    cores = SETS[options.set][1]
    layers = survey(options, model)
    progress("counting the instructions of a whole inference")
    counts = count(options)
    progress("")
    counted = sum(n for name, n in counts if is_kernel(name))
    sampled = total(layers, lambda layer: layer["cost"]["instructions"])
    if abs(sampled / counted - 1) > TOLERANCE:
        raise SystemExit("the samples stand for %.0f instructions, but the kernels executed %d" % (sampled, counted))

    print("%s, kernel set %s; cycles by llvm-mca %s: modelled, not measured. All figures are of one thread, but for how" % (
        options.network, options.set, model.version))
    print("many times as fast %d are.\n" % THREADS)
    print_counts(counts)
    print_layers(layers, cores, options.layers)
    boards = [times(layers, b) for b in BOARDS if b.core in cores]
    if boards:
        print_boards(boards)
    print("The samples stand for %.2f%% of the kernels' counted instructions." % (100 * sampled / counted))
    if options.json:
        write_json(options.json, {
            "network": options.network, "set": options.set, "llvm_mca": model.version, "instructions": dict(counts),
            "sampled_instructions": sampled, "layers": layers, "boards": boards,
        })


if __name__ == "__main__":
    main()
