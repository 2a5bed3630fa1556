"""leak-demo: who may stand on which side of a split, and figures that are those of the predictions on disk."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from poxlens.data.manifest import Manifest, Row
from poxlens.errors import ManifestError, TrainingError
from poxlens.evaluate.intervals import Estimate, wilson
from poxlens.files import sha256_bytes
from poxlens.recipes.default import Where
from poxlens.recipes.leak import experiment
from poxlens.recipes.leak_collection import choose_rows, collect, read_groups
from poxlens.recipes.leak_figures import gap, measure, originals
from poxlens.recipes.leak_heads import HEADS, Reduction
from poxlens.recipes.leak_predictions import read_tested, write_tested
from poxlens.recipes.leak_protocols import PROTOCOLS, Collection, Units, folds_of
from poxlens.recipes.leak_report import TOLD, figures, written
from poxlens.recipes.leak_tasks import Plan, Task

COPIES, FOLDS = 3, 4


def collection(count=60, per_group=2, *, others=0, seed=0, classes=("mpox", "others")):
    """Groups of `per_group` images of one class; the first `others` groups also hold an image of another set."""
    group = np.repeat(np.arange(count // per_group), per_group)
    label = np.random.default_rng(seed).permutation(np.arange(count // per_group) % len(classes))[group]
    files = [f"a/{number}.jpg" for number in range(count)] + [f"b/{number}.jpg" for number in range(others)]
    return Collection(
        files=tuple(files),
        label=np.concatenate([label, label[::per_group][:others]]),
        group=np.concatenate([group, np.arange(others)]),
        tested=np.arange(count + others) < count,
        classes=classes,
    )


@pytest.fixture(scope="module")
def random_labels():
    """Images that look like nothing: labels drawn at random, copies close to their image, a look-alike in the group."""
    rng = np.random.default_rng(7)
    made = collection(160, 2, seed=3)
    common = rng.normal(size=(80, 1, 1, 40))
    image = common + 0.7 * rng.normal(size=(80, 2, 1, 40))
    features = (image + 0.5 * rng.normal(size=(80, 2, COPIES + 1, 40))).reshape(-1, 40).astype(np.float32)
    return made, features


@pytest.fixture(scope="module")
def plan():
    return Plan(copies=COPIES, fewer=(0, 1), repeats=2, fewer_repeats=1, folds=FOLDS)


@pytest.fixture(scope="module")
def tested(random_labels, plan, tmp_path_factory):
    return experiment(*random_labels, plan, Where(tmp_path_factory.mktemp("leak"), workers=1))


def of(tested, head, protocol, copies=COPIES):
    return next(t for t in tested if (t.head, t.protocol, t.copies) == (head, protocol, copies))


# Who may stand where


def test_common_tests_every_copy_once_and_splits_the_copies_of_an_image():
    made = collection()
    units = Units.of(made, COPIES)
    folds = list(folds_of(made, "common", COPIES, FOLDS, 0))
    assert np.array_equal(sum(fold.test.astype(int) for fold in folds), np.ones(60 * (COPIES + 1)))
    for fold in folds:
        assert not (fold.train & fold.test).any()
        both = np.intersect1d(units.image[fold.train], units.image[fold.test])
        assert len(both) > 0.9 * len(np.unique(units.image[fold.test]))


def test_image_keeps_an_image_whole_but_splits_groups():
    made = collection()
    units = Units.of(made, COPIES)
    folds = list(folds_of(made, "image", COPIES, FOLDS, 0))
    shared = 0
    for fold in folds:
        assert len(np.intersect1d(units.image[fold.train], units.image[fold.test])) == 0
        assert (units.copy[fold.test] == 0).all()
        assert fold.train.sum() == 45 * (COPIES + 1)
        groups = made.group[units.image]
        shared += len(np.intersect1d(groups[fold.train], groups[fold.test]))
    assert shared > 20
    assert np.array_equal(np.flatnonzero(sum(f.test for f in folds)), np.flatnonzero(units.copy == 0))


@pytest.mark.parametrize("protocol", ["grouped", "strict"])
def test_no_group_is_on_both_sides(protocol):
    made = collection(others=20)
    units = Units.of(made, COPIES)
    group = made.group[units.image]
    seen = np.zeros(len(group), int)
    for fold in folds_of(made, protocol, COPIES, FOLDS, 0):
        assert len(np.intersect1d(group[fold.train], group[fold.test])) == 0
        assert (units.copy[fold.test] == 0).all()
        assert made.tested[units.image[fold.test]].all()
        seen += fold.test
    assert np.array_equal(np.flatnonzero(seen), np.flatnonzero((units.copy == 0) & (units.image < 60)))
    assert seen.max() == 1


def test_other_data_sets_are_learnt_from_in_merged_and_but_for_look_alikes_in_strict():
    made = collection(others=20)
    units = Units.of(made, COPIES)
    other = ~made.tested[units.image]
    for name in ("common", "image", "grouped"):
        assert not any((fold.train & other).any() for fold in folds_of(made, name, COPIES, FOLDS, 0))
    for merged, strict, grouped in zip(
        *(folds_of(made, name, COPIES, FOLDS, 0) for name in ("merged", "strict", "grouped")), strict=True
    ):
        assert np.array_equal(merged.test, strict.test)
        assert np.array_equal(merged.test, grouped.test)
        assert merged.train[other].all()
        alike = np.isin(made.group[units.image], made.group[units.image[merged.test]])
        assert np.array_equal(merged.train & ~strict.train, other & alike)
        assert np.array_equal(strict.train & ~other, grouped.train)


def test_classes_are_spread_over_folds():
    made = collection()
    units = Units.of(made, 0)
    for name in PROTOCOLS:
        for fold in folds_of(made, name, 0, FOLDS, 0):
            assert 0.3 <= made.label[units.image[fold.test]].mean() <= 0.7


def test_splits_differ_by_seed_and_only_by_seed():
    made = collection()
    first, again, other = (
        np.stack([fold.test for fold in folds_of(made, "grouped", 1, FOLDS, seed)]) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("protocol", "kind"), [("common", "images"), ("grouped", "groups of images")])
def test_too_small_a_class_is_named(protocol, kind):
    made = replace(collection(8, 4), label=np.array([0, 0, 0, 1, 1, 1, 1, 1]))
    with pytest.raises(TrainingError, match=f'"mpox" has . {kind}, too few for 4 folds'):
        list(folds_of(made, protocol, 1, 4, 0))


def test_an_unknown_protocol_is_refused():
    with pytest.raises(ValueError, match="no protocol 'hope'"):
        list(folds_of(collection(), "hope", 1, 4, 0))


# The proof that the tool shows leakage


def test_random_labels_look_learnt_under_the_common_protocol_and_only_there(tested):
    common = measure(of(tested, "1-nn", "common"), "mpox", resamples=300)
    honest = measure(of(tested, "1-nn", "grouped"), "mpox", resamples=300)
    assert common.clustered["accuracy"].value > 0.95
    assert common.clustered["AUROC"].value > 0.97
    assert common.seen == 1.0
    assert honest.seen == 0.0
    for name in ("accuracy", "AUROC", "macro F1"):
        assert honest.clustered[name].low < 0.5 < honest.clustered[name].high
        assert abs(honest.clustered[name].value - 0.5) < 0.1


def test_a_random_split_of_images_leaks_through_look_alikes(tested):
    image = measure(of(tested, "1-nn", "image"), "mpox", resamples=300)
    honest = measure(of(tested, "1-nn", "grouped"), "mpox", resamples=300)
    assert image.clustered["accuracy"].value > honest.clustered["accuracy"].value + 0.1
    assert 0.5 < image.seen < 1


def test_the_gap_is_the_difference_and_its_interval_excludes_zero(tested):
    above, below = of(tested, "1-nn", "common"), of(tested, "1-nn", "grouped")
    found = gap(above, below, "mpox", resamples=300)
    for name, estimate in found.figures.items():
        first, second = (measure(t, "mpox", resamples=10).clustered[name].value for t in (above, below))
        assert estimate.value == pytest.approx(first - second, abs=1e-12)
        assert estimate.low > 0.2
    with pytest.raises(ValueError, match="the same groups"):
        gap(above, replace(below, group=below.group.copy() + "x"), "mpox")


def test_the_naive_interval_is_narrower_than_the_one_over_groups(tested):
    common = measure(of(tested, "logistic", "common"), "mpox", resamples=500)
    width = {
        kind: figures["accuracy"].high - figures["accuracy"].low
        for kind, figures in (("naive", common.naive), ("groups", common.clustered))
    }
    assert width["groups"] > 1.2 * width["naive"]


def test_what_can_be_learnt_is_learnt_honestly():
    rng = np.random.default_rng(0)
    made = collection(120, 2)
    features = rng.normal(size=(120, COPIES + 1, 4)).astype(np.float32)
    features[..., 0] += 6 * made.label[:, None]
    for head in HEADS:
        fold = next(folds_of(made, "grouped", COPIES, FOLDS, 0))
        flat = features.reshape(-1, 4)
        label = made.label[Units.of(made, COPIES).image]
        reduce = Reduction(flat[fold.train])
        train, test = reduce(flat[fold.train]), reduce(flat[fold.test])
        shares = HEADS[head][0](train, label[fold.train], np.ones(len(train), np.float32), test, 2)
        assert np.allclose(shares.sum(1), 1, atol=1e-5)
        assert (shares.argmax(1) == label[fold.test]).mean() > 0.85


def test_three_classes_have_a_column_each():
    rng = np.random.default_rng(0)
    label = np.arange(90) % 3
    train = (np.eye(3)[label] * 8 + rng.normal(size=(90, 3))).astype(np.float32)
    for head in HEADS:
        shares = HEADS[head][0](train, label, np.ones(90, np.float32), train[:30], 3)
        assert shares.shape == (30, 3)
        assert (shares.argmax(1) == label[:30]).all()


def test_the_nearest_neighbour_is_the_one_of_cosine():
    train = np.array([[1, 0], [0, 9], [0.5, 0.5]], np.float32)
    test = np.array([[5, 0.1], [0.1, 1], [3, 2.9]], np.float32)
    shares = HEADS["1-nn"][0](train, np.array([0, 1, 2]), np.ones(3, np.float32), test, 3)
    assert shares.argmax(1).tolist() == [0, 1, 2]


def test_the_reduction_keeps_distances_when_it_keeps_all_directions():
    rows = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    reduce = Reduction(rows)
    standard = (rows - rows.mean(0)) / rows.std(0)
    assert np.allclose(
        np.linalg.norm(reduce(rows)[0] - reduce(rows)[1:], axis=1),
        np.linalg.norm(standard[0] - standard[1:], axis=1),
        atol=1e-4,
    )
    assert Reduction(rows, 2)(rows).shape == (50, 2)
    variances = reduce(rows).var(0)
    assert (np.diff(variances) <= 1e-6).all()


# Figures are those of the files


def test_predictions_survive_the_way_to_disk_and_back(tested, tmp_path):
    files = write_tested(tmp_path, tested)
    assert sorted(files) == ["common", "grouped", "image"]
    back = [one for path in files.values() for one in read_tested(path)]
    for one in tested:
        again = of(back, one.head, one.protocol, one.copies)
        for name in ("file", "copy", "group", "label", "fold"):
            assert np.array_equal(getattr(again, name), getattr(one, name)), name
        assert np.abs(again.probability - one.probability).max() <= 5.1e-5
    first = files["common"].read_bytes()
    assert write_tested(tmp_path, tested)["common"].read_bytes() == first


def test_figures_can_be_computed_again_from_the_file_alone(tested, plan, tmp_path):
    """A second implementation: the csv module and scikit-learn."""
    import csv
    import io

    files = write_tested(tmp_path, tested)
    measured, _ = figures([one for path in files.values() for one in read_tested(path)], plan, resamples=50)
    rows = [
        cells
        for path in files.values()
        for cells in csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode()))
    ]
    assert list(rows[0])[:9] == [
        "head",
        "copies",
        "repeat",
        "fold",
        "protocol",
        "file",
        "copy",
        "group",
        "label",
    ]
    checked = 0
    for one in measured:
        wanted = (one.head, str(one.copies), one.protocol.removesuffix(", originals"))
        mine = [cells for cells in rows if (cells["head"], cells["copies"], cells["protocol"]) == wanted]
        if one.protocol.endswith("originals"):
            mine = [cells for cells in mine if cells["copy"] == "0"]
        scores: dict[str, list[float]] = {"accuracy": [], "AUROC": [], "macro F1": []}
        for repeat in sorted({cells["repeat"] for cells in mine}):
            some = [cells for cells in mine if cells["repeat"] == repeat]
            truth = [cells["label"] for cells in some]
            said = ["mpox" if float(c["p_mpox"]) >= float(c["p_others"]) else "others" for c in some]
            scores["accuracy"].append(accuracy_score(truth, said))
            scores["macro F1"].append(f1_score(truth, said, average="macro"))
            score = [float(cells["p_mpox"]) for cells in some]
            scores["AUROC"].append(roc_auc_score([label == "mpox" for label in truth], score))
        for name, values in scores.items():
            assert one.clustered[name].value == pytest.approx(np.mean(values), abs=1e-9)
        assert one.rows == len(mine) / one.repeats
        assert one.seen == (
            0.0 if one.protocol == "grouped" else pytest.approx(_seen_again(rows, wanted, mine))
        )
        assert one.images == len({cells["file"] for cells in mine}) == 160
        assert one.groups == len({cells["group"] for cells in mine}) == 80
        checked += 1
    assert checked == 4 * (
        4 + 2 * 2
    )  # heads x (common, originals, image, grouped; common and grouped with 0 and 1)


def _seen_again(rows, wanted, mine):
    """Share of rows that have a row of their group in another fold of the same repeat, counted plainly."""
    same = [c for c in rows if (c["head"], c["copies"], c["protocol"]) == wanted]
    folds: dict[tuple[str, str], set[str]] = {}
    for cells in same:
        folds.setdefault((cells["repeat"], cells["group"]), set()).add(cells["fold"])
    return np.mean([len(folds[cells["repeat"], cells["group"]]) > 1 for cells in mine])


def test_more_copies_leak_more(tested):
    values = [
        measure(of(tested, "1-nn", "common", k), "mpox", resamples=10).clustered["accuracy"].value
        for k in (0, 1, 3)
    ]
    assert values == sorted(values)
    assert values[2] > values[0] + 0.1


def test_originals_are_the_unaugmented_rows(tested):
    common = of(tested, "svm", "common")
    alone = originals(common)
    assert len(alone.file) == 160
    assert (alone.copy == 0).all()
    assert np.array_equal(alone.probability, common.probability[:, common.copy == 0])


@pytest.mark.parametrize(
    ("line", "old", "new", "said"),
    [
        (0, "head,", "hat,", "its first columns are others"),
        (1, "1-nn,3,", "1-nn,x,", 'row 2, column "copies": x is no number'),
        (4, "(mpox|others)", "pox", 'row 5, column "label": pox has no probability'),
        (2, "common,", "common", "row 3: has not as many cells"),
        (3, "1-nn,3,0,", "1-nn,3,1,", "not in the same order"),
        (-1, None, None, "not 2 whole repeats"),
    ],
)
def test_a_damaged_file_is_told(tested, tmp_path, line, old, new, said):
    path = write_tested(tmp_path, [of(tested, "1-nn", "common")])["common"]
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    if old is None:
        lines = lines[:-1]
    else:
        assert re.search(old, lines[line])
        lines[line] = re.sub(old, new, lines[line], count=1)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ManifestError, match=said):
        read_tested(path)


def test_a_missing_or_cut_file_is_told(tested, tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_tested(tmp_path / "none.csv.gz")
    path = write_tested(tmp_path, [of(tested, "1-nn", "common")])["common"]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ManifestError, match="cannot be read"):
        read_tested(path)


def test_a_finished_task_is_not_computed_again(random_labels, plan, tmp_path, monkeypatch):
    from poxlens.recipes import leak_tasks

    done = []
    compute = leak_tasks._computed
    monkeypatch.setattr(
        leak_tasks, "_computed", lambda task, *rest: done.append(task) or compute(task, *rest)
    )
    small = replace(plan, heads=("1-nn",))
    where = Where(tmp_path, workers=1)
    first = experiment(*random_labels, small, where)
    count = len(done)
    assert count == 3 * 2 + 2 * 2
    assert Task("common", 0, 0) in done
    second = experiment(*random_labels, small, where)
    assert len(done) == count
    for one, again in zip(first, second, strict=True):
        assert np.array_equal(one.probability, again.probability)
    damaged = sorted((tmp_path / "parts").iterdir())[0]
    damaged.write_bytes(damaged.read_bytes()[:50])
    experiment(*random_labels, small, where)
    assert len(done) == count + 1
    made, features = random_labels
    experiment(made, features + np.float32(1), small, where)  # other features are another run
    assert len(done) == 2 * count + 1


def test_how_figures_are_written():
    assert written(Estimate(0.9531, 0.9, 1.0, 10, 5)) == "0.953 [0.900–1.000]"
    assert written(Estimate(-0.05, -0.1, 0.02, 10, 5), signed=True) == "−0.050 [−0.100 to +0.020]"
    assert written(Estimate(1.0, float("nan"), float("nan"), 10, 5)) == "1.000 [no interval]"
    assert written(None) == "–"


# From the table to the collection


def row(file, label="mpox", dataset="a", patient="", group=""):
    return Row(file, Path(file), label, dataset=dataset, patient=patient, group=group)


def manifest(*rows):
    return Manifest(tuple(rows), Path(), "0" * 64)


def test_groups_join_persons_table_groups_and_files_of_the_groups_table():
    rows = [
        row("a1", patient="1"),
        row("a2", patient="1"),
        row("a3"),  # joined to a2 by the table of groups
        row("b1", dataset="b", patient="1"),  # patient numbers repeat between data sets
        row("b2", dataset="b", group="x"),
        row("b3", dataset="b", group="x"),
        row("a4", group="x"),  # a group of another data set
        row("b4", dataset="b"),  # joined to a1 across data sets
    ]
    made = collect(rows, ["mpox"] * 8, ("mpox", "others"), {"a2": "7", "a3": "7", "a1": "9", "b4": "9"}, "a")
    assert made.group.tolist() == [0, 0, 0, 1, 2, 2, 3, 0]
    assert made.tested.tolist() == [True, True, True, False, False, False, True, False]


def test_two_labels_are_two_classes_and_foreign_labels_mean_the_rest():
    table = manifest(
        row("1"), row("2", "others"), row("3", "measles", "b"), row("4", "mpox", "b"), row("5", "x", "c")
    )
    rows, named, classes = choose_rows(table, "a", ["b"], "mpox")
    assert classes == ("mpox", "others")
    assert [(r.file, name) for r, name in zip(rows, named, strict=True)] == [
        ("1", "mpox"),
        ("2", "others"),
        ("3", "others"),
        ("4", "mpox"),
    ]


def test_more_labels_are_classes_of_their_own_unless_binary():
    table = manifest(row("1"), row("2", "measles"), row("3", "chickenpox"), row("4", "acne", "b"))
    _, named, classes = choose_rows(table, "a", ["b"], "mpox")
    assert classes == ("mpox", "chickenpox", "measles")
    assert named == ["mpox", "measles", "chickenpox"]  # acne is no class here
    _, named, classes = choose_rows(table, "a", ["b"], "mpox", binary=True)
    assert classes == ("mpox", "others")
    assert named == ["mpox", "others", "others", "others"]


@pytest.mark.parametrize(
    ("dataset", "target", "said"),
    [
        ("z", "mpox", 'no row has the data set "z"; there are: a, b'),
        ("a", "pox", 'no image has the label "pox"; there are: measles, mpox'),
        ("b", "mpox", 'every image has the label "mpox"'),
    ],
)
def test_what_the_table_lacks_is_named(dataset, target, said):
    table = manifest(row("1"), row("2", "measles"), row("3", dataset="b"))
    with pytest.raises(TrainingError, match=said):
        choose_rows(table, dataset, [], target)


def test_a_table_of_groups(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("\ufefffile,why,group\na/./1.jpg,x,7\nb.jpg,,8\n")
    assert read_groups(path) == {"a/1.jpg": "7", "b.jpg": "8"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,cluster\na,1\n", 'row 1: no column "group"'),
        ("file,group\na,1\nb,\n", "row 3: file or group is empty"),
        ("file,group\na,1\na,2\n", 'row 3, column "file": a is there already'),
        (None, "cannot be read"),
    ],
)
def test_a_faulty_table_of_groups_is_told_by_row(tmp_path, text, said):
    path = tmp_path / "groups.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ManifestError, match=said):
        read_groups(path)


# The page in docs and the committed results

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "leak"
COMMITTED = sorted(path.parent.name for path in RESULTS.glob("*/metrics.json"))


def test_there_are_committed_figures():
    assert "msld" in COMMITTED


@pytest.mark.parametrize("name", COMMITTED)
def test_the_committed_figures_are_those_of_the_committed_predictions(name):
    told = json.loads((RESULTS / name / "metrics.json").read_text("utf-8"))
    target, checked = told["plan"]["target"], 0
    for file, digest in told["predictions"].items():
        path = RESULTS / name / file
        if not path.exists():  # too large to keep: its digest stands in metrics.json
            continue
        assert sha256_bytes(gzip.decompress(path.read_bytes())) == digest
        for one in read_tested(path):
            (stored,) = [
                m
                for m in told["measured"]
                if (m["head"], m["copies"], m["protocol"]) == (one.head, one.copies, one.protocol)
            ]
            again = measure(one, target, resamples=1)
            for figure, value in again.clustered.items():
                assert value.value == pytest.approx(stored["clustered"][figure]["value"], abs=1e-9)
            assert again.seen == pytest.approx(stored["seen"])
            checked += 1
    assert checked >= 8


@pytest.mark.parametrize("name", COMMITTED)
def test_every_figure_of_the_page_in_docs_is_a_committed_one(name):
    text = (ROOT / "docs" / "leak.md").read_text("utf-8")
    told = json.loads((RESULTS / name / "metrics.json").read_text("utf-8"))

    def estimate(cells):
        value, low, high = (float("nan") if cells[k] is None else cells[k] for k in ("value", "low", "high"))
        return Estimate(value, low, high, cells["n"], cells["cases"])

    for one in told["measured"]:
        if one["copies"] == told["plan"]["copies"]:
            cells = (written(estimate(one["clustered"][figure])) for figure in told["figures"])
            row = f"| {one['head']} | {one['protocol']} | {100 * one['seen']:.0f} % | {' | '.join(cells)} |"
            assert row in text, row
    for one in told["gaps"]:
        if one["copies"] == told["plan"]["copies"]:
            cells = (written(estimate(one["figures"][figure]), signed=True) for figure in told["figures"])
            row = f"| {one['head']}: {one['above']} − {one['below']} | {' | '.join(cells)} |"
            assert row in text, row


def test_every_protocol_head_and_option_of_the_command_is_in_docs():
    import inspect

    from poxlens.cli.data.leak_demo import leak_demo

    text = (ROOT / "docs" / "leak.md").read_text("utf-8")
    for name in (*TOLD, *HEADS):
        assert f"`{name}`" in text
    for parameter in inspect.signature(leak_demo, eval_str=True).parameters.values():
        for option in parameter.annotation.__metadata__[0].param_decls or ():
            assert option in text, option


def test_arithmetic_of_the_page_in_docs():
    """Counts that the page names behind published percentages."""
    assert [f"{100 * k / 135:.2f}" for k in (112, 110, 107)] == ["82.96", "81.48", "79.26"]
    assert f"{100 * 41 / 45:.2f}" == "91.11"
    assert [f"{100 * bound:.0f}" for bound in wilson(41, 45)] == ["79", "96"]
    assert f"{100 * 227 / 228:.2f}" == "99.56"
    assert f"{100 * 636 / 638:.2f}" == "99.69"
    assert round(0.2 * 3192) == 638
    assert 3192 == 14 * 228 == 1428 + 1764
