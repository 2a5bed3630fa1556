from __future__ import annotations

import json

import pytest

from poxlens.errors import ExportError
from poxlens.export.bench_page import HEADS, as_json, page, paper_rows, rows_of
from poxlens.export.latency import Form, measure
from poxlens.export.paper import CAMPANA


@pytest.fixture(scope="module")
def forms(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    made = []
    for precision, accuracy in (("fp32", 0.9), ("int8", 0.89)):
        path = folder / f"{precision}.onnx"
        path.write_bytes(tiny.model())
        made.append(Form("tiny", "onnx", precision, path, tiny.SIZE, accuracy))
    return made


@pytest.fixture(scope="module")
def timings(forms):
    return measure(forms, (1,), 60)


def test_every_form_is_timed_against_its_own_floats(timings, forms):
    assert [one.form for one in timings] == forms
    for one in timings:
        assert one.runs == 60
        assert 0 < one.least_ms <= one.quarter_ms <= one.median_ms <= one.three_quarters_ms <= one.p95_ms
        assert one.load_ms > 0
        assert one.first_ms > 0
        assert 0 <= one.memory_mb < 200
        assert one.size_mb == one.form.path.stat().st_size / 1e6
    assert timings[0].times_floats == 1.0
    assert timings[1].times_floats is not None
    # The same file under two names, in turns: the ratio is near 1 however busy the machine is.
    assert 0.4 < timings[1].times_floats < 2.5
    assert timings[1].times_low <= timings[1].times_floats <= timings[1].times_high


def test_too_few_rounds_and_a_broken_file_are_told(forms, tmp_path):
    with pytest.raises(ExportError, match="49 rounds are too few"):
        measure(forms, runs=49)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"none")
    with pytest.raises(ExportError, match=r"broken.onnx cannot be loaded: .*the model cannot be loaded"):
        measure([Form("tiny", "onnx", "fp32", broken, 28)], runs=50)


def test_the_page_shows_ours_beside_the_paper_s(timings):
    shown = page(timings, {"cores": 2})
    assert shown.count("<svg") == 2
    assert shown.count("<circle") == 2 * (2 + len(CAMPANA))
    assert "tiny onnx int8" in shown
    assert "MobileNetV3Large" in shown
    assert "not a diagnosis" in shown
    assert "<script" not in shown
    rows = rows_of(timings)
    assert all(len(row) == len(HEADS) for row in rows)
    assert rows[0][HEADS.index("times its fp32")] == "1.00 (1.00-1.00)"
    assert ["MobileNetV3Large", "yes", "69.98", "0.880 (0.046)", "14", "62"] in paper_rows()


def test_the_json_holds_everything(timings):
    told = json.loads(json.dumps(as_json(timings, {"cores": 2})))
    assert [one["precision"] for one in told["forms"]] == ["fp32", "int8"]
    assert told["forms"][1]["times_floats"] == timings[1].times_floats
    assert told["machine"] == {"cores": 2}
    assert len(told["paper"]) == 10
