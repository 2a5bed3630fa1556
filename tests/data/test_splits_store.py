"""The splits file: written once, read back the same, and refused when anything in it was touched."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from poxlens.data.manifest import read_manifest
from poxlens.data.splits import Plan, make_splits, read_official, read_splits, schema_text, write_splits
from poxlens.errors import SplitError

SCHEMA = Path(__file__).parents[2] / "docs" / "splits.schema.json"


@pytest.fixture
def manifest(tmp_path):
    lines = [
        f"{label}{number}.png,{label},P{number // 2}" for label in ("acne", "mpox") for number in range(24)
    ]
    path = tmp_path / "manifest.csv"
    path.write_text("file,label,patient\n" + "\n".join(lines) + "\n")
    return read_manifest(path)


@pytest.fixture
def splits(manifest):
    tone = ["light", "dark", "unknown"] * 16
    return make_splits(
        manifest, Plan(folds=4, repeats=2, inner="k-fold", inner_folds=3, seed=7), tone=tone, version="1.2.3"
    )


def digest_by_hand(content: dict[str, object]) -> str:
    rest = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def same(one, other) -> bool:
    return all(
        np.array_equal(one.outer[repeat][fold], other.outer[repeat][fold])
        and list(map(list, one.inner[repeat][fold])) == list(map(list, other.inner[repeat][fold]))
        and np.array_equal(one.unused[repeat][fold], other.unused[repeat][fold])
        for repeat, fold in one
    )


def test_what_is_written_is_read_back(tmp_path, manifest, splits):
    path = tmp_path / "splits.json"
    written = write_splits(path, splits)
    found = read_splits(path)
    content = json.loads(path.read_text())
    assert found.digest == written.digest == content["digest"] == digest_by_hand(content)
    assert same(splits, found)
    for name in (
        "plan",
        "files",
        "label",
        "tone",
        "group_names",
        "names",
        "manifest_sha256",
        "groups_sha256",
    ):
        assert getattr(found, name) == getattr(splits, name), name
    assert np.array_equal(found.group, splits.group)
    assert found.version == content["poxlens"] == "1.2.3"
    assert found.manifest_sha256 == manifest.sha256
    assert list(found) == [(repeat, fold) for repeat in range(2) for fold in range(4)]


def test_the_file_says_what_each_fold_holds(tmp_path, splits):
    content = json.loads(write_and_read(tmp_path, splits))
    assert content["n_groups"] == len(set(content["group"])) == 12
    assert content["warning"] == ""
    assert len(content["repeats"]) == 2
    for folds in content["repeats"]:
        for fold in folds:
            labels = [content["labels"][content["label"][row]] for row in fold["test"]]
            tones = [content["tones"][content["tone"][row]] for row in fold["test"]]
            assert fold["n"] == len(fold["test"])
            assert fold["groups"] == len({content["group"][row] for row in fold["test"]})
            assert fold["classes"] == {"acne": labels.count("acne"), "mpox": labels.count("mpox")}
            assert fold["tones"] == {name: tones.count(name) for name in ("light", "dark", "unknown")}
            assert fold["crossing_groups"] == fold["crossing_images"] == 0
        assert sum(fold["n"] for fold in folds) == 48


def write_and_read(tmp_path: Path, splits) -> str:
    path = tmp_path / "out" / "splits.json"
    write_splits(path, splits)
    return path.read_text()


def test_the_file_is_written_once(tmp_path, splits):
    path = tmp_path / "splits.json"
    first = write_splits(path, splits)
    before = path.read_bytes()
    with pytest.raises(SplitError, match=r"splits.json: is there already.*--force"):
        write_splits(path, splits)
    assert path.read_bytes() == before
    assert write_splits(path, splits, replace=True).digest == first.digest
    assert path.read_bytes() == before  # the same split is the same bytes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"name": "1"', '"name": "9"', "was changed after it was written"),
        ('"seed": 7', '"seed": 8', "was changed after it was written"),
        ("poxlens-splits/1", "poxlens-splits/9", 'its format is "poxlens-splits/9", and this poxlens reads'),
        ("{", "", "is not JSON"),
    ],
)
def test_a_touched_file_is_refused(tmp_path, splits, old, new, message):
    path = tmp_path / "splits.json"
    write_splits(path, splits)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SplitError, match=message) as caught:
        read_splits(path)
    assert "splits.json" in str(caught.value)


def forged(tmp_path: Path, splits, change) -> Path:
    """A file that another program wrote: the digest is right, the content need not be."""
    path = tmp_path / "forged.json"
    write_splits(path, splits, replace=True)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content | {"digest": digest_by_hand(content)}))
    return path


def swap(content) -> None:
    one, other = (content["repeats"][0][fold]["test"] for fold in (0, 1))
    one[0], other[0] = other[0], one[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["repeats"][0][0]["test"].append(c["repeats"][0][0]["test"][0]), "names a row twice"),
        (lambda c: c["repeats"][0][0]["test"].append(48), "or one that is not there"),
        (lambda c: c["repeats"][1].pop(), "repeat 2 does not test every image once"),
        (lambda c: c["repeats"][0][1].update(n=3), "repeat 1, fold 2: its counts are not those of its rows"),
        (
            lambda c: c["repeats"][0][0]["inner"][0].append(c["repeats"][0][0]["test"][0]),
            "an inner part holds a row",
        ),
        (lambda c: c["repeats"][0][0].update(test=[]), "tests nothing"),
        (lambda c: c["label"].pop(), "label, tone or group do not fit its files"),
        (lambda c: c.update(more=1), "more: Extra inputs are not permitted"),
        (lambda c: c["plan"].update(folds=1), "folds must be 2"),
        (lambda c: c["group"].__setitem__(0, -1), "group.0"),
        (lambda c: c.update(digest=None) or c.pop("plan"), "plan: Field required"),
    ],
)
def test_a_forged_file_is_refused(tmp_path, splits, change, message):
    with pytest.raises(SplitError, match=message) as caught:
        read_splits(forged(tmp_path, splits, change))
    assert "forged.json" in str(caught.value)


def test_a_file_that_cuts_a_group_unsaid_is_refused(tmp_path, manifest):
    plain = make_splits(manifest, Plan(folds=4, inner="none", grouped=False))
    assert plain.leaks
    path = forged(tmp_path, plain, lambda content: content["plan"].update(grouped=True))
    with pytest.raises(SplitError, match="a group stands on both sides, though the file says that none does"):
        read_splits(path)


def test_a_plain_split_is_labelled_as_leaking(tmp_path, manifest):
    splits = make_splits(manifest, Plan(folds=4, grouped=False))
    content = json.loads(write_and_read(tmp_path, splits))
    assert content["warning"].startswith("UNGROUPED: images were dealt one by one")
    assert content["plan"]["grouped"] is False
    for fold, one in enumerate(content["repeats"][0]):
        train = {int(splits.group[row]) for row in splits.train(0, fold)}
        crossing = [row for row in one["test"] if content["group"][row] in train]
        assert one["crossing_images"] == len(crossing) > 0
        assert one["crossing_groups"] == len({content["group"][row] for row in crossing})


def test_an_official_split_survives_the_file(tmp_path, manifest):
    lines = [f"mpox{number},train" for number in range(12)] + [
        "mpox20,test",
        "acne20,test",
        "acne2,train",
        "acne6,val",
    ]
    path = tmp_path / "official.csv"
    path.write_text("file,part\n" + "\n".join(lines) + "\n")
    shipped = read_official(path, manifest)
    made = make_splits(
        manifest, Plan(kind="official", inner="official"), official=shipped, official_sha256="a" * 64
    )
    write_splits(tmp_path / "splits.json", made)
    found = read_splits(tmp_path / "splits.json")
    assert same(made, found)
    assert found.official_sha256 == "a" * 64
    assert len(found.unused[0][0]) == 48 - 16
    assert len(found.train(0, 0)) == 14
    assert len(found.fit(0, 0, 0)) == 13


def test_a_changed_table_is_refused(tmp_path, manifest, splits):
    splits.check(manifest)
    text = (tmp_path / "manifest.csv").read_text()
    for old, new, message in (
        ("mpox3.png,mpox,", "mpox3.png,acne,", r"1 files have another label \(first: mpox3.png\)"),
        ("mpox3.png,mpox,P1\n", "", r"1 of its files are gone \(first: mpox3.png\)"),
        ("mpox3.png,", "mpox99.png,", r"gone \(first: mpox3.png\); 1 files are new \(first: mpox99.png\)"),
        ("mpox3.png,mpox,P1", "mpox3.png,mpox,P2", "a cell other than file and label"),
        (
            "mpox2.png,mpox,P1\nmpox3.png,mpox,P1",
            "mpox3.png,mpox,P1\nmpox2.png,mpox,P1",
            "the order of its rows",
        ),
    ):
        path = tmp_path / "changed.csv"
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(SplitError, match=message) as caught:
            splits.check(read_manifest(path))
        assert manifest.sha256[:12] in str(caught.value)


def test_the_published_schema_is_that_of_the_reader_and_holds_for_files(tmp_path, manifest, splits):
    assert SCHEMA.read_text("utf-8") == schema_text()
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    content = json.loads(write_and_read(tmp_path, splits))
    validator.validate(content)
    assert not validator.is_valid(content | {"more": 1})
    assert not validator.is_valid(content | {"digest": "short"})
    assert not validator.is_valid({key: value for key, value in content.items() if key != "plan"})


def test_too_many_rows_to_list_are_refused(manifest):
    rows = tuple(
        replace(manifest.rows[0], file=f"{number}.png", patient=str(number)) for number in range(6_000)
    )
    with pytest.raises(SplitError, match=r"36,000,000 rows of inner parts would have to be listed"):
        make_splits(replace(manifest, rows=rows), Plan(kind="leave-one-group-out"))
