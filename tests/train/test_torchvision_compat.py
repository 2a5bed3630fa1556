import importlib
import subprocess
import sys

import pytest

from poxlens.train import torchvision_compat

FRESH = """
from poxlens.train.torchvision_compat import import_torchvision
torchvision = import_torchvision()
assert import_torchvision() is torchvision
import torch, timm
network = torchvision.models.mobilenet_v3_small()
with torch.inference_mode():
    print(tuple(network.eval()(torch.zeros(1, 3, 64, 64)).shape))
"""


def test_models_and_timm_work_in_a_fresh_process():
    shown = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "(1, 1000)"


def test_missing_operators_are_declared_and_the_import_tried_again(monkeypatch):
    """As beside a CPU torch: the first import fails and leaves half a package behind."""
    libraries, tries = [], []

    class Library:
        def __init__(self, *names):
            self.defined = []
            libraries.append((names, self.defined))

        def define(self, schema):
            self.defined.append(schema)

    def failing_once(name):
        tries.append(sorted(module for module in sys.modules if module.startswith("torchvision")))
        if len(tries) == 1:
            raise RuntimeError("operator torchvision::nms does not exist")
        return "the package"

    monkeypatch.setattr(importlib, "import_module", failing_once)
    monkeypatch.setattr(torchvision_compat.torch.library, "Library", Library)
    monkeypatch.setattr(torchvision_compat, "_declared", [])
    monkeypatch.setattr(
        torchvision_compat.sys, "modules", {**sys.modules, "torchvision": None, "torchvision.ops": None}
    )
    assert torchvision_compat.import_torchvision() == "the package"
    assert libraries[0][0] == ("torchvision", "FRAGMENT")
    assert [schema.partition("(")[0] for schema in libraries[0][1]] == ["nms", "qnms"]
    assert len(torchvision_compat._declared) == 1
    assert tries[1] == []  # the half package was thrown away


def test_another_fault_is_not_hidden(monkeypatch):
    def broken(name):
        raise RuntimeError("no memory")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(RuntimeError, match="no memory"):
        torchvision_compat.import_torchvision()
