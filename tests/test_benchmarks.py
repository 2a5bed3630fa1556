"""The benchmarks run, compare like with like and judge by their targets."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmarks are not part of the package

from benchmarks import __main__ as program  # noqa: E402
from benchmarks.bare import session  # noqa: E402
from benchmarks.measure import Result, Side, compare, interleaved  # noqa: E402
from benchmarks.model import backbone_of  # noqa: E402

from poxlens.errors import BundleError  # noqa: E402

spec = importlib.util.spec_from_file_location(
    "tiny_bundle_for_benchmarks", ROOT / "tests" / "bundle" / "tiny.py"
)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)


def graph() -> bytes:
    """The tiny graph with its cells named as a recipe names its backbone's feature map."""
    model = onnx.load_from_string(tiny.model())
    for node in model.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == "cells":
                    names[place] = "features"
    return model.SerializeToString()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "bundle"
    tiny.build(folder, onnx_bytes=graph())
    return folder


def test_the_backbone_is_cut_at_its_feature_map_and_gives_the_same():
    image = np.random.default_rng(0).integers(0, 256, (1, tiny.SIZE, tiny.SIZE, 3), dtype=np.uint8)
    cut = backbone_of(graph())
    kept = [node.op_type for node in onnx.load_from_string(cut).graph.node]
    assert kept == ["Cast", "Div", "Transpose", "AveragePool"]
    assert [weight.name for weight in onnx.load_from_string(cut).graph.initializer] == ["scale"]
    features = session(cut).run(None, {"image": image})[0]
    cells = image[0].reshape(7, 4, 7, 4, 3).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(features[0], cells.transpose(2, 0, 1), atol=1e-5)
    with pytest.raises(BundleError, match='no tensor "features"'):
        backbone_of(tiny.model())


def test_runs_are_taken_in_turns_and_timed():
    order = []
    seconds = interleaved(lambda: order.append("a"), lambda: order.append("b"), 4, warm_up=1)
    assert order[:2] == ["a", "b"]
    assert "".join(order[2:]) == "baabbaab"
    assert [len(side) for side in seconds] == [4, 4]
    assert min(min(side) for side in seconds) > 0


def test_a_result_is_the_ratio_of_medians_with_the_spread_of_pairs():
    found = compare("x", ("a", [2.0, 4.0, 9.0]), ("b", [1.0, 2.0, 3.0]), target=1.9, unit="ms")
    assert found.ratio == 2.0
    assert (found.ours.value, found.theirs.value) == (4000.0, 2000.0)
    assert found.spread == pytest.approx((2.0, 2.8))
    assert not found.met
    assert Result("x", 0.9, 0.8, False, (0.9, 0.9), 1, Side("a", 1, "s"), Side("b", 1, "s")).met


def test_all_benchmarks_run(bundle, capsys):
    code = program.main(["--quick", "--json", "--bundle", str(bundle)])
    shown = capsys.readouterr()
    assert code == 0
    found = json.loads(shown.out)
    assert [result["n"] for result in found["results"]] == [2, 5, 5, 3, 3, 1]
    assert [result["target"] for result in found["results"]] == [2.0, 1.3, 1.1, 1.5, 1.5, 0.8]
    for result in found["results"]:
        assert result["ratio"] > 0
        assert result["spread"][0] <= result["spread"][1]
        assert result["ours"]["value"] / result["theirs"]["value"] == pytest.approx(result["ratio"])
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["python"].startswith("3.")
    assert "onnxruntime" in found["machine"]


def test_table_gives_verdicts_and_a_miss_fails(bundle, capsys, monkeypatch):
    sides = (Side("poxlens", 3.0, "ms"), Side("bare", 1.0, "ms"))
    slow = Result("slow thing", 3.0, 2.0, True, (2.5, 3.5), 9, *sides)
    quick = Result("quick thing", 1.0, 2.0, True, (0.9, 1.1), 9, *sides)
    monkeypatch.setattr(
        program, "BENCHMARKS", {"one": lambda *_, **__: [slow], "two": lambda *_, **__: [quick]}
    )
    assert program.main(["--bundle", str(bundle)]) == 1
    text = capsys.readouterr().out
    assert "MISS  slow thing: 3 (target ≤ 2; n 9," in text
    assert "pass  quick thing: 1 (target ≤ 2; n 9," in text
    assert program.main(["--bundle", str(bundle), "--only", "two"]) == 0


def test_without_a_bundle_it_says_so_and_exits_2(tmp_path):
    call = [sys.executable, "-m", "benchmarks", "--bundle", str(tmp_path / "none")]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no bundle at" in done.stderr
    assert "Traceback" not in done.stderr
