"""Compares ONNX Runtime's answers to an exported model with this library's; see check_onnx.sh.

usage: check_onnx.py MODEL.onnx ANSWERS.jsonl IMAGES.zip, the answers being those of `resnext classify --json`.
"""

import json
import sys
import zipfile

import numpy
import onnx
import onnxruntime
from PIL import Image

LEAST_EQUAL = 0.995  # the rest is what rounding in front of the residual add may change
LEAST_SQNR = 25  # dB, of a network with random weights, whose classes hardly differ
BATCH = 50


def prepare(file, height, width):
    """An image as the graph takes it, [3,H,W] uint8. These have the network's size, so nothing is resized."""
    with Image.open(file) as image:
        pixels = numpy.asarray(image.convert("RGB"))
    if pixels.shape != (height, width, 3):
        sys.exit(f"{file.name}: {pixels.shape}, expected {(height, width, 3)}")
    return pixels.transpose(2, 0, 1)


def main(model, answers, archive):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    if image.type != "tensor(uint8)" or image.shape[:2] != ["N", 3]:
        sys.exit(f"{model}: the input is {image.type} {image.shape}")
    metadata = session.get_modelmeta().custom_metadata_map
    labels = json.loads(metadata.get("labels", "null"))
    preprocess = json.loads(metadata["preprocess"])

    with open(answers) as f:
        ours = [json.loads(line) for line in f]
    with zipfile.ZipFile(archive) as z:
        names = [a["image"].split(".zip/", 1)[1] for a in ours]
        inputs = numpy.stack([prepare(z.open(name), *image.shape[2:]) for name in names])
    theirs = numpy.concatenate([session.run(["logits"], {"image": inputs[i : i + BATCH]})[0] for i in range(0, len(inputs), BATCH)])
    alone = numpy.concatenate([session.run(["logits"], {"image": inputs[i : i + 1]})[0] for i in range(0, len(inputs), 97)])
    batches_agree = numpy.array_equal(alone, theirs[::97])

    logits = numpy.array([a["logits"] for a in ours])
    equal = (logits.argmax(1) == theirs.argmax(1)).mean()
    noise = ((logits - theirs) ** 2).sum()
    sqnr = 10 * numpy.log10((logits**2).sum() / noise)
    print(f"{model}: mean {preprocess['mean']}, ONNX Runtime {onnxruntime.__version__}: the same class for {equal:.2%} of {len(ours)} images, "
          f"logits SQNR {sqnr:.1f} dB")
    if labels is None:
        if sqnr < LEAST_SQNR or not batches_agree:
            sys.exit(f"FAILED: at least {LEAST_SQNR} dB expected; batches and single images agree: {batches_agree}")
        return
    named = all(a["predictions"][0]["label"] == labels[a["predictions"][0]["class"]] for a in ours)
    truth = numpy.array([int(n.split("_", 1)[0]) for n in names])
    top1 = [(x.argmax(1) == truth).mean() for x in (logits, theirs)]
    print(f"top-1 {top1[1]:.2%} (ours {top1[0]:.2%})")
    if equal < LEAST_EQUAL or not batches_agree or not named:
        sys.exit(f"FAILED: at least {LEAST_EQUAL:.1%} expected; batches and single images agree: {batches_agree}; labels agree: {named}")


if __name__ == "__main__":
    main(*sys.argv[1:])
