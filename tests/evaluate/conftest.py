import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny():
    """The module that makes a tiny bundle with a real graph."""
    path = Path(__file__).parents[1] / "bundle" / "tiny.py"
    spec = importlib.util.spec_from_file_location("tiny_bundle_for_evaluate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
