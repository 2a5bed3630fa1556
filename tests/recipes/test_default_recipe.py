"""The whole recipe on phantoms: from a table of images to a bundle that screens, the same bytes every time."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from poxlens.bundle.store import load
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import PhantomSpec, draw
from poxlens.errors import TrainingError, WeightsError
from poxlens.photo.resize import InputRule
from poxlens.recipes.default import Recipe, Where, train
from poxlens.recipes.grouping import Limits
from poxlens.recipes.points import Targets
from poxlens.recipes.predictions import read_predictions
from poxlens.recipes.protocol import Plan
from poxlens.recipes.samples import Labels
from poxlens.recipes.shipping import ONE_SOURCE
from poxlens.screen.decision import Outcome
from poxlens.screen.screener import Screener

KINDS = {"pustule": "umbilicated-pustule", "comedone": "comedone", "plain": None}
LABELS = Labels(
    classes=("mpox", "acne", "healthy"),
    meaning={
        "pustule": ("mpox",),
        "comedone": ("acne",),
        "plain": ("healthy",),
        "either": ("acne", "healthy"),
    },
)
RECIPE = Recipe(
    name="phantoms",
    version="0.1",
    networks=("efficientnet-lite0",),
    rule=InputRule(size=96),
    rashes=("mpox", "acne"),
    novelty_size=16,
    probes={"walls": 6},
    limits=Limits(0.993, 0.993, 0.993, 0.993, 0.998),  # phantoms are all alike; a mirrored copy has .9985
    plan=Plan(strengths=(0.01, 0.1), repeats=2, folds=3, inner_folds=2, jobs=1),
    targets=Targets(other=("healthy",), alpha=0.1),
)
EACH, EITHER, WALLS = 16, 4, 6  # phantoms of a kind and source, of two possible classes, and walls


def photo(number, kind):
    lesion = KINDS.get(kind)
    spec = PhantomSpec(
        number, size=160, ita=20 + number % 5 * 8, lesion=lesion, count=10 if lesion else 0, light=0.2
    )
    return draw(spec).image


def write_table(root, each=EACH, sources=("north", "south")):
    """Three kinds in each source, one row known by two classes, a copy in the other source, a broken file, walls."""
    lines = ["file,label,dataset,patient"]

    def add(pixels, name, label, source, patient=""):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        lines.append(f'"{name}",{label},{source},{patient}')

    number = 0
    for source in sources:
        for kind in KINDS:
            for i in range(each):
                patient = f"p{i // 2}" if kind == "pustule" else ""
                add(photo(number, kind), f"{source}/{kind}{i}.png", kind, source, patient)
                number += 1
    add(photo(0, "pustule")[:, ::-1], "south/copy, mirrored.png", "pustule", "south", "p0")
    for i in range(EITHER):
        add(photo(900 + i, "comedone"), f"south/either{i}.png", "either", "south")
    for i in range(WALLS):
        wall = (
            np.random.default_rng(i).integers(0, 256, (20, 20, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        )
        add(wall, f"walls/{i}.png", "wall", "walls")
    (root / "north" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lines.append("north/broken.png,pustule,north,")
    (root / "manifest.csv").write_text("\n".join(lines))
    return read_manifest(root / "manifest.csv")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def out(manifest, cache, tmp_path_factory):
    """The folder of a run."""
    folder = tmp_path_factory.mktemp("run")
    train(manifest, Where(folder, cache=cache), RECIPE, labels=LABELS)
    return folder


@pytest.fixture(scope="module")
def bundle(out):
    return load(out / "bundle")


@pytest.fixture(scope="module")
def screener(bundle):
    return Screener(bundle)  # loads only when the golden examples hold


def test_the_bundle_says_what_it_was_made_from(bundle, manifest):
    told = bundle.manifest
    assert (told.name, told.version, told.target) == ("phantoms", "0.1", "mpox")
    assert tuple(told.classes) == LABELS.classes
    assert told.input == InputRule(size=96)
    assert told.evidence.data_sha256 == manifest.sha256
    assert told.conformal_alpha == 0.1
    assert "screening aid" in told.intended_use.lower()
    assert "not a diagnosis" in told.intended_use.lower()
    assert any("the photos listed above alone" in limit for limit in told.limits)
    assert not any("scraped" in limit for limit in told.limits)  # these were drawn
    assert any("source never seen in training" in limit for limit in told.limits)
    assert 0 < told.rule_out.threshold < 1
    assert 0 < told.rule_in.threshold <= 1
    assert {"model.onnx", "MODEL_CARD.md", "bundle.json"} <= {
        *(file.path for file in told.files),
        "bundle.json",
    }


def test_golden_examples_hold(screener):
    assert screener.engine.golden_difference <= screener.bundle.manifest.models[0].golden_tolerance


def test_it_tells_phantoms_apart(screener):
    """Phantoms of numbers that training never saw."""
    found = {}
    for kind in ("pustule", "comedone"):
        decisions = [screener.screen(png(photo(2000 + number, kind))) for number in range(6)]
        found[kind] = np.mean([decision.probabilities["mpox"] for decision in decisions])
        assert all(decision.outcome in Outcome for decision in decisions)
        assert all(decision.reasons for decision in decisions)
    assert found["pustule"] > found["comedone"] + 0.3


def png(pixels):
    import io

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_predictions_hold_every_sample_once_a_repeat(out, manifest):
    experiments = read_predictions(out / "predictions.csv")
    strict = experiments["strict"]
    readable = {row.file for row in manifest.rows if row.label in LABELS.meaning} - {"north/broken.png"}
    assert set(strict.rows.file) == readable
    assert len(strict.rows.file) == len(readable) == 6 * EACH + 1 + EITHER
    assert np.isfinite(strict.logits).all()
    assert strict.logits.shape == (2, len(readable), 3)
    assert {"loose filter", "random filter", "left out: north", "left out: south"} < set(experiments)
    assert sum(name.startswith("shortcut: ") for name in experiments) == 5
    for name in ("north", "south"):
        assert set(experiments[f"left out: {name}"].rows.source) == {name}
    either = strict.rows.possible[strict.rows.label == "either"]
    assert either.tolist() == [[False, True, True]] * EITHER


def test_figures_come_from_the_predictions_file(out, bundle):
    """The headline figure again, from nothing but the file."""
    from sklearn.metrics import roc_auc_score

    with (out / "predictions.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["experiment"] == "strict"]
    temperature = bundle.manifest.calibration.temperature
    areas = []
    for repeat in "01":
        mine = [row for row in rows if row["repeat"] == repeat]
        z = np.array([[float(row[f"z_{name}"]) for name in LABELS.classes] for row in mine]) / temperature
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        areas.append(roc_auc_score([row["may_be"] == "mpox" for row in mine], p[:, 0]))
    figures = {(figure.group, figure.name): figure.interval for figure in bundle.manifest.evidence.figures}
    assert figures["strict filter", "AUROC"].value == pytest.approx(np.mean(areas), abs=1e-5)
    assert np.mean(areas) > 0.9
    sensitive = figures["all", "sensitivity, rule-out"]
    assert (sensitive.value, sensitive.n) == (
        bundle.manifest.rule_out.sensitivity.value,
        bundle.manifest.rule_out.sensitivity.n,
    )
    assert sensitive.value >= 0.95


def test_a_copy_is_found_and_walls_are_novel(out, bundle):
    """The mirrored copy in the other source is a suspect; walls, no head's business, score as unlike."""
    told = json.loads((out / "recipe.json").read_text())
    assert (told["images"], told["skipped"]) == (6 * EACH + 2 + EITHER + WALLS, 1)
    assert "pairs" in bundle.manifest.evidence.protocol
    assert "(0 pairs)" not in bundle.manifest.evidence.protocol
    figures = {
        (figure.group, figure.name): figure.interval.value for figure in bundle.manifest.evidence.figures
    }
    assert figures["walls against known classes", "novelty AUROC"] > 0.9


def test_what_was_left_out_and_held_together_is_listed(out):
    with (out / "skipped.csv").open(newline="") as stream:
        (skipped,) = csv.DictReader(stream)
    assert skipped["file"] == "north/broken.png"
    assert skipped["reason"].startswith("unreadable.")
    with (out / "groups.csv").open(newline="") as stream:
        groups = {row["file"]: row["group"] for row in csv.DictReader(stream)}
    assert len(groups) == 6 * EACH + 1 + EITHER + WALLS
    assert groups["north/pustule0.png"] == groups["north/pustule1.png"]  # one patient
    assert groups["north/pustule0.png"] != groups["south/pustule0.png"]  # p0 of the other source is another
    assert groups["south/pustule0.png"] == groups["south/copy, mirrored.png"]


def test_the_card_holds_the_figures_and_makes_no_claim(bundle):
    card = bundle.read("MODEL_CARD.md").decode()
    for figure in bundle.manifest.evidence.figures:
        interval = figure.interval
        row = f"| {figure.group} | {figure.name} | {interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} |"
        assert row in card
    assert "PCR decides" in card
    assert "-0.000" not in card
    assert bundle.manifest.evidence.data_sha256 in card
    for class_, source, label, count in (
        ("mpox", "north", "pustule", EACH),
        ("acne or healthy", "south", "either", EITHER),
    ):
        assert f"| {class_} | {source} | {label} | {count} |" in card


def test_a_second_run_gives_the_same_bytes(manifest, cache, out, tmp_path):
    """From the cache, with two processes and three threads."""
    plan = replace(RECIPE.plan, jobs=2)
    train(manifest, Where(tmp_path, cache=cache, workers=3), replace(RECIPE, plan=plan), labels=LABELS)
    names = sorted(path.relative_to(out / "bundle") for path in (out / "bundle").rglob("*") if path.is_file())
    assert len(names) >= 4
    again = sorted(
        p.relative_to(tmp_path / "bundle") for p in (tmp_path / "bundle").rglob("*") if p.is_file()
    )
    assert again == names
    for name in names:
        assert (tmp_path / "bundle" / name).read_bytes() == (out / "bundle" / name).read_bytes(), name
    assert (tmp_path / "predictions.csv").read_bytes() == (out / "predictions.csv").read_bytes()


def without(manifest, unwanted):
    return replace(manifest, rows=tuple(row for row in manifest.rows if not unwanted(row)))


def test_a_target_of_one_source_and_a_class_of_no_image(manifest, cache, tmp_path):
    """As a clinic's own photos are: learnt from, and the card says what could not be tested."""
    one = without(
        manifest,
        lambda row: (row.label, row.dataset) == ("pustule", "south") or row.label in ("plain", "either"),
    )
    bundle = train(one, Where(tmp_path, cache=cache), RECIPE, labels=LABELS)
    assert bundle.manifest.classes == ["mpox", "acne"]
    assert set(bundle.manifest.conformal) == {"mpox", "acne"}
    assert ONE_SOURCE in bundle.manifest.limits
    assert not any("never seen" in figure.group for figure in bundle.manifest.evidence.figures)
    assert 0 < bundle.manifest.rule_out.threshold <= bundle.manifest.rule_in.threshold <= 1
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text("utf-8")
    assert "all mpox images are of one source, so none was tested on a source never seen" in card
    assert "neither was tested on a source that training never saw" in card
    assert "left out of training." not in card
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        experiments = {row["experiment"] for row in csv.DictReader(stream)}
    assert "strict" in experiments
    assert not [name for name in experiments if name.startswith("left out")]


def test_a_target_of_no_source_is_refused_before_the_features(manifest, tmp_path):
    with pytest.raises(TrainingError, match='images of "mpox" are not in the table'):
        train(without(manifest, lambda row: row.label == "pustule"), Where(tmp_path), RECIPE, labels=LABELS)
    with pytest.raises(TrainingError, match='all images are of "mpox": there is nothing to tell it from'):
        train(without(manifest, lambda row: row.label != "pustule"), Where(tmp_path), RECIPE, labels=LABELS)
    assert not (tmp_path / "features").exists()


@pytest.mark.parametrize(
    ("folds", "kept", "told"),
    [
        (9, EACH, '"north: pustule" has 8'),
        (6, 5, '"south: comedone" has 5'),
    ],  # 8 patients of 16 photos; 5 photos
)
def test_a_class_too_small_is_refused_by_name(manifest, cache, tmp_path, folds, kept, told):
    few = {f"south/comedone{i}.png" for i in range(kept, EACH)}
    table = without(manifest, lambda row: row.file in few or row.label == "either")
    plan = replace(RECIPE.plan, folds=folds)
    with pytest.raises(
        TrainingError, match=f"{told} independent groups of images, too few for {folds} folds"
    ):
        train(table, Where(tmp_path, cache=cache), replace(RECIPE, plan=plan), labels=LABELS)
    assert not (tmp_path / "bundle").exists()


def test_missing_weights_are_told_before_an_image_is_read(manifest, tmp_path):
    steps = []

    def step(name, total):
        steps.append(name)
        raise AssertionError("no step should start")

    with pytest.raises(WeightsError, match="mobilenet_v2"):
        train(
            manifest, Where(tmp_path), replace(RECIPE, networks=("mobilenet-v2",)), labels=LABELS, step=step
        )
    assert steps == []
