"""Import torchvision beside a CPU build of torch. Everything that needs torchvision imports it from here, first.

The torchvision wheel of the registry is linked against CUDA. Beside a CPU torch its operators are not
registered, and a plain import fails with "operator torchvision::nms does not exist"; so do timm and others
that import it. Declaring the two operators is enough for models and transforms.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[Any] = []  # a library object that is collected takes its operators with it


def import_torchvision() -> Any:
    """The torchvision module, usable for `torchvision.models` and transforms."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name == "torchvision" or name.startswith("torchvision.")]:
        del sys.modules[name]
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        library.define(f"{operator}{_SCHEMA}")
    _declared.append(library)
    return importlib.import_module("torchvision")
