import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poxlens.recipes.predictions import Predicted, read_predictions, rows_of, write_predictions

CLASSES = ("mpox", "acne", "healthy")


def written(sample, path, files, seed=0):
    """A round trip of samples, some of which only one experiment tests."""
    rng = np.random.default_rng(seed)
    count = len(files)
    samples = [
        sample(
            file,
            ["mpox"] if i % 2 else ["acne", "healthy"],
            dataset="ab"[i % 2],
            label=f"label {i}, odd" if i % 3 else 'say "x"',
            tone=["light", "dark", ""][i % 3],
            usable=i % 4 != 0,
            patch=(i, 2, 30) if i % 5 == 4 else None,
        )
        for i, file in enumerate(files)
    ]
    possible = np.array([[name in s.possible for name in CLASSES] for s in samples])
    rows = rows_of(samples, rng.integers(0, 5, count), rng.random(count), possible)
    strict = rng.normal(0, 5, (3, count, 3))
    some = rng.normal(0, 5, (1, count, 3))
    untested = rng.random(count) < 0.3
    untested[0] = False
    some[:, untested] = np.nan
    fold = rng.integers(0, 5, (3, count))
    strangers = replace(rows, novelty=rng.random(count))
    experiments = {
        "strict": Predicted(rows, strict, fold),
        "left out: a": Predicted(strangers, some, np.zeros((1, count), np.int64)),
    }
    write_predictions(path, experiments, CLASSES)
    return experiments, ~untested


names = (
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=9)
    .map(str.strip)
    .filter(bool)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(names, min_size=1, max_size=12, unique=True), st.integers(0, 99))
def test_everything_comes_back(sample, tmp_path_factory, files, seed):
    path = tmp_path_factory.mktemp("round") / "predictions.csv"
    experiments, tested = written(sample, path, files, seed)
    back = read_predictions(path)
    assert list(back) == ["strict", "left out: a"]
    for name, rows_kept in (("strict", np.ones(len(files), bool)), ("left out: a", tested)):
        found = back[name]
        rows, logits, fold = experiments[name].rows, experiments[name].logits, experiments[name].fold
        assert found.logits == pytest.approx(logits[:, rows_kept], rel=1e-5)
        assert np.array_equal(found.fold, fold[:, rows_kept])
        for field in ("file", "part", "source", "label", "group", "tone", "usable", "possible"):
            assert np.array_equal(getattr(found.rows, field), getattr(rows, field)[rows_kept]), field
        assert found.rows.novelty == pytest.approx(rows.novelty[rows_kept], rel=1e-5)


def test_what_is_read_is_what_is_written_again(sample, tmp_path):
    written(sample, tmp_path / "one.csv", [f"{i}.png" for i in range(9)])
    back = read_predictions(tmp_path / "one.csv")
    write_predictions(tmp_path / "two.csv", {"strict": back["strict"]}, CLASSES)
    one = (tmp_path / "one.csv").read_text("utf-8").splitlines()
    two = (tmp_path / "two.csv").read_text("utf-8").splitlines()
    assert two == one[: len(two)]
    assert len(two) == 1 + 3 * 9


def test_columns(sample, tmp_path):
    written(sample, tmp_path / "p.csv", ["x.png", "y,z.png"])
    with (tmp_path / "p.csv").open(newline="") as stream:
        (first, second, *_) = csv.DictReader(stream)
    assert list(first)[:4] == ["experiment", "repeat", "fold", "file"]
    assert list(first)[-4:] == ["may_be", "z_mpox", "z_acne", "z_healthy"]
    assert (first["may_be"], second["may_be"], second["file"]) == ("acne|healthy", "mpox", "y,z.png")


def test_a_photo_and_its_patches_are_told_apart(sample, tmp_path):
    samples = [sample("p.png", ["healthy"]), sample("p.png", ["healthy"], patch=(1, 2, 3))]
    possible = np.array([[False, False, True]] * 2)
    rows = rows_of(samples, np.zeros(2, np.int64), np.zeros(2), possible)
    z = np.arange(6.0).reshape(1, 2, 3)
    write_predictions(tmp_path / "p.csv", {"strict": Predicted(rows, z, np.zeros((1, 2), int))}, CLASSES)
    found = read_predictions(tmp_path / "p.csv")["strict"]
    assert found.rows.part.tolist() == ["", "1,2,3"]
    assert np.array_equal(found.logits, z)
    assert found.rows.label.tolist() == ["x", "patch"]
