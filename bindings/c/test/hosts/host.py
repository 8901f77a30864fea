"""host.py: libresnext in Python, by ctypes: threads under a storm of signals, and pools of processes of each kind."""

import ctypes
import multiprocessing
import signal
import threading

INPUT, CLASSES, EFORK = 32 * 32 * 3, 6, 7

lib = ctypes.CDLL("libresnext.so.0")
lib.resnext_last_error.restype = ctypes.c_char_p
pixels = open("input", "rb").read()
golden = open("input.logits", "rb").read()


def check(status):
    if status:
        raise SystemExit(f"status {status}: {lib.resnext_last_error().decode()}")


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("threads", ctypes.c_uint32), ("reserved", ctypes.c_uint32)]


def open_tiny():
    model = ctypes.c_void_p()
    check(lib.resnext_model_open(b"tiny.safetensors", None, ctypes.byref(model)))
    return model


def infer(model, times, threads=1):
    session, logits = ctypes.c_void_p(), (ctypes.c_float * CLASSES)()
    options = Options(ctypes.sizeof(Options), threads, 0)
    check(lib.resnext_session_new(model, ctypes.byref(options), ctypes.byref(session)))
    for _ in range(times):
        check(lib.resnext_infer_input(session, pixels, ctypes.c_size_t(INPUT), logits, ctypes.c_size_t(CLASSES)))
        assert bytes(logits) == golden, list(logits)
    check(lib.resnext_session_close(session))


def in_process(times):
    """In a process of a pool, which has not used the library before."""
    model = open_tiny()
    infer(model, times)
    check(lib.resnext_model_close(model))
    return times


def in_fork(results):
    """In a fork of a process that uses the library."""
    status = lib.resnext_model_open(b"tiny.safetensors", None, ctypes.byref(ctypes.c_void_p()))
    results.put((status, lib.resnext_last_error()))


def pools(kinds):
    for kind in kinds:
        with multiprocessing.get_context(kind).Pool(3) as pool:
            assert pool.map(in_process, [20] * 6) == [20] * 6, kind


def main():
    alarms = []
    pools(["fork", "spawn", "forkserver"])  # before the first call here

    model = open_tiny()
    signal.signal(signal.SIGALRM, lambda number, frame: alarms.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    failures = []

    def work(number):
        try:
            infer(model, 300, 1 + number % 2)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    infer(model, 100)
    for thread in threads:
        thread.join()
    while len(alarms) < 20:
        infer(model, 1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert not failures, failures

    pools(["spawn", "forkserver"])  # and afterwards
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    child = fork.Process(target=in_fork, args=(results,))
    child.start()
    status, words = results.get()
    child.join()
    assert status == EFORK and b"fork of process" in words, (status, words)
    infer(model, 100)
    check(lib.resnext_model_close(model))


if __name__ == "__main__":
    main()
