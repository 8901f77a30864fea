"""`python -m resnext`: the tool resnext."""

from resnext._tools import resnext

resnext()
