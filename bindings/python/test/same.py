"""same.py: the answers of one wheel and of another, which may be for another machine.

    same.py write FOLDER    writes pictures and what this Python's wheel gives for them
    same.py check FOLDER    must give the same bytes
"""

import os
import platform
import sys

import numpy
import resnext

FILES = ("logits", "features", "multilabel")


def answers(folder, pictures):
    model = resnext.Model(os.path.join(folder, "model"))
    several = resnext.Model(os.path.join(folder, "multilabel"))
    print(f"python: {platform.python_version()} for {platform.machine()}, numpy {numpy.__version__}, kernels {model.info.kernels}")
    return model.infer(pictures), model.embed(list(pictures)), numpy.array([[q for _, q in several.classify(p)] for p in pictures])


def main():
    what, folder = sys.argv[1:]
    file = os.path.join(folder, "pictures.npy")
    if what == "write":
        numpy.save(file, numpy.random.default_rng(5).integers(0, 256, (5, 31, 40, 3), numpy.uint8))
    for name, got in zip(FILES, answers(folder, numpy.load(file))):
        path = os.path.join(folder, name + ".npy")
        if what == "write":
            numpy.save(path, got)
        elif numpy.load(path).tobytes() != got.tobytes():
            sys.exit(f"same.py: {name} are others here")


if __name__ == "__main__":
    main()
