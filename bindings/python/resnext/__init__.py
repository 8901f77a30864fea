"""ResNet, ResNeXt and RegNet in 8-bit integers, the same answer to the bit on every CPU.

    import resnext

    model = resnext.Model("model.int8.safetensors")
    for label, probability in model.classify("cat.jpg"):
        print(f"{100 * probability:6.2f}%  {label}")

A picture is an array of uint8, [height,width,3] in R G B, an image of Pillow's, or, where Pillow is installed, a path or the
bytes of a file. A Model may be used by any number of threads. `python -m resnext` is the tool resnext.
"""

from resnext._library import Error, ForkError, version as __version__
from resnext._model import Head, Info, Model, Prediction, normalise
from resnext._pictures import Picture, Pictures

__all__ = ["Error", "ForkError", "Head", "Info", "Model", "Picture", "Pictures", "Prediction", "__version__", "normalise"]
