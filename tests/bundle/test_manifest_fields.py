from __future__ import annotations

import copy
import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poxlens.bundle.fields import FieldError, plain, read
from poxlens.bundle.manifest import Interval, Manifest
from poxlens.bundle.schema import json_schema, schema_text
from poxlens.bundle.store import load


@pytest.fixture(scope="module")
def table(tiny_path):
    return json.loads(load(tiny_path).read("bundle.json"))


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(json_schema())


def fault_of(value):
    try:
        read(Manifest, value)
    except FieldError as fault:
        return str(fault)
    return ""


def paths(value, prefix=()):
    yield prefix
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from paths(child, (*prefix, key))


def put(value, path, new):
    changed = copy.deepcopy(value)
    if not path:
        return new
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed


def test_the_published_schema_is_the_model_s():
    published = Path(__file__).parents[2] / "docs" / "bundle.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_strict(validator, table):
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    validator.validate(table)
    records = [validator.schema, *validator.schema["$defs"].values()]
    assert len(records) == 13
    for record in records:
        assert record["additionalProperties"] is False
        optional = {"golden"} if "golden_tolerance" in record["properties"] else set()
        assert record["required"] == [name for name in record["properties"] if name not in optional]
    assert "class" in validator.schema["$defs"]["OperatingPoint"]["properties"]


def test_a_manifest_survives_json(table):
    assert plain(read(Manifest, table)) == table


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_reader_and_schema_agree_on_every_change_of_kind(table, validator, data):
    """A value of another JSON type anywhere: both refuse it, or both take it."""
    path = data.draw(st.sampled_from(list(paths(table))))
    new = data.draw(st.sampled_from([None, True, 3, 2.5, "text", [], ["x"], {}, {"a": 1}]))
    changed = put(table, path, new)
    fault = fault_of(changed)
    if validator.is_valid(changed):
        # What JSON Schema cannot say: fields that contradict each other.
        crossing = ("interval", "quantile for each", "target", "one value", "not among", "twice")
        assert not fault or any(word in fault for word in crossing)
    else:
        assert fault


@pytest.mark.parametrize(
    ("path", "new", "message"),
    [
        (("version",), 3, "version: must be a text, not 3"),
        (("version",), "", r"version: must match"),
        (("classes",), ["mpox"], "classes: must have at least 2 entries"),
        (("classes", 1), "mpox", "classes: a class is named twice"),
        (("target",), "zoster", "target: 'zoster' is not one of the classes"),
        (("rule_in", "class"), "acne", "rule_in.class: must be the target 'mpox', not 'acne'"),
        (("rule_out", "threshold"), 1.5, "rule_out.threshold: must be at most 1, not 1.5"),
        (
            ("rule_out", "sensitivity", "low"),
            0.99,
            "rule_out.sensitivity.value: must lie within its interval",
        ),
        (("rule_out", "sensitivity", "n"), 2.0, "rule_out.sensitivity.n: must be a whole number"),
        (("rule_out", "sensitivity", "n"), -1, "rule_out.sensitivity.n: must be at least 0"),
        (("rule_out", "sensitivity", "n"), True, "rule_out.sensitivity.n: must be a whole number"),
        (("calibration", "temperature"), 0, "calibration.temperature: must be above 0, not 0"),
        (("calibration", "method"), "isotonic", "calibration.method: must be 'temperature'"),
        (("models", 0, "runtime"), "tf", r"models\[0\].runtime: must be 'onnx' or 'litert'"),
        (("models", 0, "file"), "other.onnx", r"models\[0\].file: other.onnx is not among the listed files"),
        (("golden", 0, "file"), "golden/x.png", r"golden\[0\].file: golden/x.png is not among"),
        (
            ("golden", 0, "logits"),
            [1.0],
            r"golden\[0\].logits: must have one value for each of the 7 classes",
        ),
        (("golden", 0, "embedding_head"), [0.0] * 17, r"golden\[0\].embedding_head: must have at most 16"),
        (("golden",), [], "golden: must not be empty"),
        (
            ("conformal",),
            {"mpox": {"quantile": 0.5, "n": 3}},
            "conformal: must have one quantile for each class",
        ),
        (("gate", "quality", "min_short_side"), "128", "gate.quality.min_short_side: must be a whole number"),
        (("gate", "quality"), {}, "gate.quality.min_short_side: missing"),
        (("input", "size"), 0, "input: size must be at least 1 px"),
        (("files", 0, "sha256"), "0" * 63, r"files\[0\].sha256: must match"),
        (("files", 0, "path"), "Model.onnx", "files: a path is listed twice"),
        (("files", 0, "path"), "bundle.json", "files: bundle.json does not list itself"),
        (("evidence", "extra"), 1, "evidence.extra: unknown field"),
        (("licence",), None, "licence: must be a text, not None"),
    ],
)
def test_a_wrong_field_is_named(table, path, new, message):
    with pytest.raises(FieldError, match=message):
        read(Manifest, put(table, path, new))


def test_every_field_is_required(table):
    assert fault_of(table) == ""
    for name in table:
        short = {key: value for key, value in table.items() if key != name}
        with pytest.raises(FieldError, match=f"^{name}: missing$"):
            read(Manifest, short)


def test_a_model_may_have_golden_outputs_of_its_own(table, validator):
    own = [{**table["golden"][0], "novelty": 7.5}]
    changed = put(table, ("models", 0, "golden"), own)
    validator.validate(changed)
    found = read(Manifest, changed)
    assert found.models[0].golden is not None
    assert found.models[0].golden[0].novelty == 7.5
    assert plain(found) == changed
    assert "golden" not in plain(read(Manifest, table))["models"][0]
    with pytest.raises(FieldError, match=r"models\[0\].golden\[0\].logits: must have one value for each"):
        read(Manifest, put(table, ("models", 0, "golden"), [{**own[0], "logits": [0.5]}]))
    with pytest.raises(FieldError, match=r"models\[0\].golden\[0\].file: golden/none.png is not among"):
        read(Manifest, put(table, ("models", 0, "golden"), [{**own[0], "file": "golden/none.png"}]))


def test_a_bundle_needs_its_card(table):
    kept = [file for file in table["files"] if file["path"] != "MODEL_CARD.md"]
    with pytest.raises(FieldError, match=r"files: MODEL_CARD\.md is not among"):
        read(Manifest, {**table, "files": kept})


def test_records_are_values():
    one, other = Interval(0.5, 0.4, 0.6, 10), Interval(0.5, 0.4, 0.6, 10)
    assert one == other
    assert one != Interval(0.5, 0.4, 0.6, 11)
    assert repr(one) == "Interval(value=0.5, low=0.4, high=0.6, n=10)"
    with pytest.raises(FrozenInstanceError):
        one.value = 0.7  # type: ignore[misc]
