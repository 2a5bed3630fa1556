"""From phantoms to a trained run, from the run to a bundle for the phone, and back through its check. ONNX only."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from poxlens.bundle.store import load
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import PhantomSpec, draw
from poxlens.errors import ExportError
from poxlens.export.forms import KINDS
from poxlens.export.parity import Limits
from poxlens.photo.resize import InputRule
from poxlens.recipes.default import Recipe, Where, silent, train
from poxlens.recipes.grouping import Limits as Likeness
from poxlens.recipes.phone.check import check_forms, rows_to_test
from poxlens.recipes.phone.ship import Choices, export, forms_folder, to_pack
from poxlens.recipes.phone.trained import is_trained, trained_material
from poxlens.recipes.phone.written import read_written
from poxlens.recipes.points import Targets
from poxlens.recipes.protocol import Plan
from poxlens.recipes.samples import Labels
from poxlens.screen.engine import Engine
from poxlens.screen.screener import Screener

LESIONS = {"pustule": "umbilicated-pustule", "comedone": "comedone"}
LABELS = Labels(classes=("mpox", "acne"), meaning={"pustule": ("mpox",), "comedone": ("acne",)})
RECIPE = Recipe(
    name="phantoms",
    version="0.1",
    networks=("efficientnet-lite0",),
    backbone_bytes=11_000_000,  # half precision: weights in eight bits twice would test the phantoms, not the forms
    rule=InputRule(size=64),
    rashes=("mpox", "acne"),
    novelty_size=8,
    probes={},
    limits=Likeness(0.9999, 0.9999, 0.9999, 0.9999, 0.9999),
    plan=Plan(strengths=(0.01,), repeats=1, folds=2, inner_folds=2, jobs=1),
    targets=Targets(other=(), alpha=0.1),
)
ONNX = tuple(kind for kind in KINDS if kind[0] == "onnx")
# Few phantoms of noise on skin: one of them is more than the share that may change on real images.
LENIENT = Limits(points=0.1, changed=0.15, heatmap=0.8, novelty=0.8)
CHOICES = Choices(ONNX, (("onnx", "int8"),), calibration=20, limits=LENIENT)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    lines = ["file,label,dataset"]
    for number in range(64):
        kind = list(LESIONS)[number % 2]
        spec = PhantomSpec(number, size=96, ita=20 + number % 5 * 8, lesion=LESIONS[kind], count=9, light=0.2)
        Image.fromarray(draw(spec).image).save(root / f"{number}.png")
        lines.append(f"{number}.png,{kind},{'north' if number < 32 else 'south'}")
    (root / "manifest.csv").write_text("\n".join(lines))
    return read_manifest(root / "manifest.csv")


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(table, Where(folder), RECIPE, labels=LABELS)
    return folder


@pytest.fixture(scope="module")
def material(run, table):
    return trained_material(run, table, Where(run), silent, labels=LABELS)


@pytest.fixture(scope="module")
def out(material, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "phone"
    export(material, folder, CHOICES, silent)
    return folder


def test_the_bundle_holds_eight_bits_with_golden_outputs_of_its_own(out, run):
    bundle = load(out)
    (model,) = bundle.manifest.models
    assert (model.runtime, model.precision, model.file, model.golden_tolerance) == (
        "onnx",
        "int8",
        "model-int8.onnx",
        0.02,
    )
    assert model.golden is not None
    assert model.golden != bundle.manifest.golden
    engine = Engine(bundle)
    assert engine.golden_difference <= 1e-3
    before = load(run / "bundle")
    assert bundle.manifest.rule_out == before.manifest.rule_out
    assert bundle.manifest.golden[0].logits == pytest.approx(before.manifest.golden[0].logits, abs=0.02)
    small = next(file.bytes for file in bundle.manifest.files if file.path == model.file)
    assert small < 4_200_000


def test_where_nothing_is_asked_the_first_that_passes_is_packed():
    def met(*names):
        return {kind: SimpleNamespace(met="-".join(kind) in names) for kind in KINDS}

    everything = met(*("-".join(kind) for kind in KINDS))
    assert to_pack(everything, Choices()) == [("litert", "int8"), ("onnx", "int8")]
    some = met("litert-fp16", "litert-w8", "litert-fp32", "onnx-fp16", "onnx-fp32")
    assert to_pack(some, Choices()) == [("litert", "w8"), ("onnx", "fp16")]
    assert to_pack(some, Choices(packed=(("onnx", "int8"), ("onnx", "fp32")))) == [("onnx", "fp32")]
    assert to_pack(met("onnx-fp32"), Choices()) == []


def test_the_bundle_screens(out, table):
    decision = Screener(load(out)).screen(table.rows[0].path)
    assert decision.heatmaps is None or decision.heatmaps.shape == (2, 2, 2)
    assert decision.outcome


def test_card_and_evidence_tell_what_changed(out):
    bundle = load(out)
    card = bundle.read("MODEL_CARD.md").decode()
    assert card.count("# phantoms 0.1") == 1
    for words in (
        "## Forms for the phone",
        "model-fp16.onnx",
        "dB of signal over noise",
        "channels without weight",
    ):
        assert words in card
    told = {(figure.name, figure.group) for figure in bundle.manifest.evidence.figures}
    assert ("change of accuracy", "onnx int8 against 32-bit floats") in told


def test_the_record_names_images_layers_and_forms(out, material):
    record = json.loads((forms_folder(out) / "export.json").read_text())
    assert len(record["calibration"]["images"]) == 20
    assert len(record["eight_bits"]["layers"]) == 49
    assert set(record["forms"]) == {"model.onnx", "model-fp16.onnx", "model-w8.onnx", "model-int8.onnx"}
    floats = record["forms"]["model.onnx"]["parity"]
    assert floats["met"]
    assert floats["largest_change"] == 0
    assert record["head_parameters"] == 1280 * 2 + 2
    assert {path.name for path in forms_folder(out).iterdir()} == {*record["forms"], "export.json"}


def test_images_of_the_ranges_are_not_tested(out, material):
    record = json.loads((forms_folder(out) / "export.json").read_text())
    places = np.array(record["calibration"]["places"])
    rows = rows_to_test(material, material.fold_heads(), places)
    assert not rows[places].any()
    assert rows.sum() == len(material.file) - 20  # each phantom is a group of its own
    assert record["forms"]["model.onnx"]["parity"]["n"] == rows.sum()


def test_the_check_finds_what_the_export_found(out, material):
    written = read_written(out, forms_folder(out))
    assert written.packed == {"model-int8.onnx"}
    parity = check_forms(material, written.forms, written.calibrated(material.file), silent, LENIENT)
    record = json.loads((forms_folder(out) / "export.json").read_text())["forms"]
    assert parity["onnx", "int8"].mean_change == record["model-int8.onnx"]["parity"]["mean_change"]
    assert parity["onnx", "fp16"].classes_changed <= 0.05


def test_the_same_bytes_when_made_twice(out, material, tmp_path):
    again = tmp_path / "phone"
    export(material, again, CHOICES, silent)
    for first, second in ((out, again), (forms_folder(out), forms_folder(again))):
        files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
        assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
        for path in files:
            assert (first / path).read_bytes() == (second / path).read_bytes(), path


def test_what_misses_the_limits_is_not_packed(material, tmp_path):
    hard = replace(CHOICES, limits=Limits(heatmap=1.01))
    with pytest.raises(ExportError, match=r"no bundle was written.*heat maps correlate with"):
        export(material, tmp_path / "phone", hard, silent)
    assert not (tmp_path / "phone").exists()
    assert (tmp_path / "phone-forms" / "export.json").is_file()


def test_a_damaged_set_of_ranges_leaves_nothing_behind(material, tmp_path):
    blank = replace(material, images=np.zeros_like(material.images))
    with pytest.raises(ExportError, match="of one colour"):
        export(blank, tmp_path / "phone", CHOICES, silent)
    assert list(tmp_path.iterdir()) == []


def test_weights_of_another_run_are_refused(material, tmp_path):
    other = replace(material, phone=replace(material.phone, stored=None, head=material.phone.head))
    shifted = replace(
        other.phone.head, layers=((other.phone.head.layers[0][0], other.phone.head.layers[0][1] + 0.5),)
    )
    with pytest.raises(ExportError, match=r"differs from the run's by 0\.[5-9]"):
        export(replace(other, phone=replace(other.phone, head=shifted)), tmp_path / "phone", CHOICES, silent)
    assert list(tmp_path.iterdir()) == []


def test_another_table_or_a_folder_that_is_no_run_is_refused(run, table, tmp_path):
    with pytest.raises(ExportError, match="learnt from another table of images"):
        trained_material(run, replace(table, sha256="0" * 64), Where(run), silent, labels=LABELS)
    assert is_trained(run)
    assert is_trained(run / "bundle")
    assert not is_trained(tmp_path)


def test_a_folder_of_other_things_is_not_written_over(material, tmp_path):
    (tmp_path / "phone-forms").mkdir()
    (tmp_path / "phone-forms" / "thesis.txt").write_text("x")
    with pytest.raises(ExportError, match="holds other things than forms"):
        export(material, tmp_path / "phone", CHOICES, silent)
    assert (tmp_path / "phone-forms" / "thesis.txt").read_text() == "x"
    with pytest.raises(ExportError, match="holds other things than a bundle"):
        export(material, tmp_path / "phone-forms", CHOICES, silent)


def test_a_bundle_without_its_record_cannot_be_checked(out, tmp_path):
    copy = shutil.copytree(out, tmp_path / "phone")
    with pytest.raises(ExportError, match="names the images that are not to be tested on"):
        read_written(copy, forms_folder(copy))
