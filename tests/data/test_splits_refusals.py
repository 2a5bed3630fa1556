"""What cannot be split is refused by name: class, group, file, row, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from poxlens.data.manifest import Manifest, Row
from poxlens.data.official import Placed, write_official
from poxlens.data.splits import Plan, find_groups, make_splits, read_groups, read_official
from poxlens.data.splits.checks import largest_share
from poxlens.errors import SplitError

SHA = "0" * 64


def table(*patients: tuple[str, int], start: int = 0) -> Manifest:
    """A patient each with so many photos of one class."""
    rows = [
        Row(f"{label}/{number:02d}_{photo:02d}.png", Path("x"), label, "set", patient=f"P{number:02d}")
        for number, (label, photos) in enumerate(patients, start=start)
        for photo in range(photos)
    ]
    return Manifest(tuple(rows), Path(), SHA)


def refusal(manifest: Manifest, plan: Plan, **more: object) -> str:
    with pytest.raises(SplitError) as caught:
        make_splits(manifest, plan, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_class_with_too_few_groups():
    manifest = table(*[("mpox", 2)] * 12, *[("acne", 3)] * 4)
    assert refusal(manifest, Plan(inner="none")) == (
        'class "acne" has 4 independent groups (12 images), too few for 10 folds: use 4 folds or fewer, merge it with'
        " another class, or leave its rows out of the table."
    )
    make_splits(manifest, Plan(folds=4, inner="none"))
    single = table(*[("mpox", 2)] * 12, ("acne", 30), ("other", 1))
    assert refusal(single, Plan(folds=2, inner="none")) == (
        'class "acne" has 1 independent group (30 images), too few for 2 folds (other classes too: other): merge it'
        " with another class, or leave its rows out of the table."
    )


def test_a_class_that_is_lost_in_the_inner_level():
    manifest = table(*[("mpox", 2)] * 12, *[("acne", 3)] * 4)
    told = refusal(manifest, Plan(folds=4, inner="k-fold", inner_folds=4))
    assert told.startswith(
        'inner level of fold "1": class "acne" has 3 independent groups (9 images), too few for 4'
    )
    make_splits(manifest, Plan(folds=4, inner="k-fold", inner_folds=3))


def test_a_group_that_holds_more_than_its_share():
    manifest = table(*[("mpox", 1)] * 20, ("mpox", 10), *[("acne", 1)] * 30)
    assert refusal(manifest, Plan(inner="none")) == (
        'group "set/P20" holds 10 of the 30 images of class "mpox", where a fold of 10 has room for 3: use 6 folds or'
        " fewer, look whether all of it belongs together, or allow uneven folds (--allow-uneven)."
    )
    make_splits(manifest, Plan(folds=6, inner="none"))
    assert "P20" in refusal(manifest, Plan(folds=7, inner="none"))
    make_splits(manifest, Plan(inner="none", allow_uneven=True))
    make_splits(manifest, Plan(inner="none", grouped=False))


def test_the_share_a_group_may_hold():
    assert [largest_share(folds) for folds in (2, 3, 4, 5, 10)] == pytest.approx(
        [3 / 4, 2 / 3, 1 / 2, 2 / 5, 1 / 5]
    )


def test_nothing_to_leave_out():
    assert refusal(table(("mpox", 9)), Plan(kind="leave-one-group-out")) == (
        'all images belong to one group, "set/P00": there is nothing to leave out'
    )
    told = refusal(
        table(("mpox", 2), ("mpox", 2), ("acne", 4)), Plan(kind="leave-one-group-out", inner="none")
    )
    assert told.startswith('class "acne" has one group, "set/P02": without it nothing of the class is left')


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 1}, "folds must be 2 to 1000, not 1"),
        ({"repeats": 0}, "repeats must be 1 to 1000, not 0"),
        ({"validation": 0.9}, "validation must be a share of 0.05 to 0.5, not 0.9"),
        ({"seed": -1}, "seed must be 0 to 4294967295, not -1"),
        ({"kind": "leave-one-group-out", "repeats": 2}, "leave-one-group-out is the same every time"),
        ({"kind": "official", "grouped": False}, "an ungrouped"),
        ({"inner": "official"}, "a k-fold split ships no validation part"),
    ],
)
def test_plans_that_make_no_sense(changes, message):
    with pytest.raises(SplitError, match=message):
        Plan(**changes)


def test_official_and_its_list_go_together_and_tones_are_needed_to_balance_them():
    manifest = table(*[("mpox", 1)] * 10)
    assert "only an official split has one" in refusal(manifest, Plan(kind="official"))
    told = refusal(manifest, Plan(folds=2, inner="none", stratify="label+tone"))
    assert told == 'stratify "label+tone" needs the skin tone of every image'


def official(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "official.csv"
    path.write_text(text)
    return path


FIVE = table(("mpox", 2), ("mpox", 1), ("acne", 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "official.csv: is empty"),
        ("file,part\n", "names no image"),
        (
            "photo,part\n00_00,train\n",
            "row 1: no column that names the image; one of: file, image, filename, name",
        ),
        ("file,set\n00_00,train\n", 'row 1: no column "part" (train, val, test) and none named "fold"'),
        ("file,part\n00_00,train\nM99,test\n", 'row 3: "M99" is no image of the table'),
        ("file,part\n00_00,trian\n", 'row 2, column "part": "trian" is not train, val or test'),
        (
            "file,part\n00_00,train\n00_00,test\n",
            "row 3: mpox/00_00.png is in train in row 2 and in test here",
        ),
        ("file,part\n00_00,train\nmpox/00_00.png,train\n", "row 3: mpox/00_00.png is in row 2 already"),
        ("file,part\n00_00,train\n", "the split has no test part"),
        ("file,split,part\n00_00,fold1,test\n", "fold1 has no train part"),
        ("file,fold\n00_00,1\n00_00,2\n", "row 3: mpox/00_00.png is in fold 1 in row 2 and in fold 2 here"),
        ("file,fold\n00_00,\n", 'row 2, column "fold": is empty'),
        ("file,part\n00_00\n", "row 2: has 1 cells where the header has 2"),
        ("file,part,part\n", 'row 1: column "part" is there twice'),
        ('file,part\n"00_00,train\n', "is not CSV"),
    ],
)
def test_official_lists_that_do_not_fit(tmp_path, text, message):
    with pytest.raises(SplitError) as caught:
        read_official(official(tmp_path, text), FIVE)
    assert message in str(caught.value)
    assert "official.csv" in str(caught.value)


def test_a_name_that_two_images_have(tmp_path):
    rows = (Row("a/1.png", Path("x"), "mpox"), Row("b/1.png", Path("x"), "acne"))
    manifest = Manifest(rows, Path(), SHA)
    with pytest.raises(SplitError, match=r'row 2: "1" is the name of 2 images \(a/1.png, b/1.png\)'):
        read_official(official(tmp_path, "file,part\n1,train\n"), manifest)
    (found,) = read_official(official(tmp_path, "file,part\na/1.png,train\nb/1.png,test\n"), manifest)
    assert found.parts == {"train": [0], "val": [], "test": [1]}


def test_an_official_split_whose_test_part_lacks_a_class(tmp_path):
    (found,) = read_official(official(tmp_path, "file,part\n00_00,test\n01_00,train\n02_00,train\n"), FIVE)
    assert refusal(FIVE, Plan(kind="official", inner="none"), official=[found]) == (
        'official split "official": its test part has no image of class "acne". Merge the class with another, leave'
        " its rows out of the table, or use fewer folds."
    )


def test_the_ways_an_official_list_may_be_written(tmp_path):
    by_split = read_official(
        official(tmp_path, "image,patient,split\n00_00,P0,Train\n00_01,P0,Val\n02_00,P2,Test\n"), FIVE
    )
    assert [(one.name, one.parts) for one in by_split] == [("", {"train": [0], "val": [1], "test": [3]})]
    text = "file,split,part\n" + "".join(
        f"original/{name}.jpg.png,{fold},{part}\n".replace(".jpg", "")
        for fold, parts in (("a", "train train test train test"), ("b", "test train train test train"))
        for name, part in zip(("00_00", "00_01", "01_00", "02_00", "02_01"), parts.split(), strict=True)
    )
    two = read_official(official(tmp_path, text), FIVE)
    assert [one.name for one in two] == ["a", "b"]
    assert [one.parts["test"] for one in two] == [[2, 4], [0, 3]]
    folds = read_official(
        official(tmp_path, "filename,fold\n00_00.png,10\n02_00.png,2\n02_01.png,10\n"), FIVE
    )
    assert [(one.name, one.parts["train"], one.parts["test"]) for one in folds] == [
        ("fold 2", [0, 4], [3]),
        ("fold 10", [3], [0, 4]),
    ]


def test_the_list_that_an_import_writes_is_read(tmp_path):
    path = tmp_path / "images.official.csv"
    placed = [
        Placed(row.file, "fold2", part)
        for row, part in zip(FIVE.rows, ("train", "val", "test", "train", "test"), strict=True)
    ]
    write_official(
        path,
        [
            *placed,
            *(Placed(one.file, "fold1", "train") for one in placed[:3]),
            Placed(placed[4].file, "fold1", "test"),
        ],
    )
    found = {
        one.name: {part: sorted(rows) for part, rows in one.parts.items()}
        for one in read_official(path, FIVE)
    }
    assert found == {
        "fold1": {"train": [0, 1, 2], "val": [], "test": [4]},
        "fold2": {"train": [0, 3], "val": [1], "test": [2, 4]},
    }


def test_an_official_split_that_cuts_groups_says_so(tmp_path):
    (found,) = read_official(
        official(tmp_path, "file,part\n00_00,train\n00_01,test\n01_00,val\n02_00,train\n02_01,test\n"), FIVE
    )
    splits = make_splits(FIVE, Plan(kind="official", inner="official"), official=[found])
    assert splits.leaks
    assert [splits.group_names[group] for group in splits.crossing(0, 0)] == ["set/P02", "set/P00"]
    assert splits.warning.startswith("LEAKS: groups")
    assert len(splits.unused[0][0]) == 0
    assert np.array_equal(splits.fit(0, 0, 0), [0, 3])


def test_lists_of_groups_that_do_not_fit(tmp_path):
    path = tmp_path / "groups.csv"
    for text, message in (
        ("file,label\n", 'row 1: no column "group"; found: file, label'),
        ("file,group\nmpox/00_00.png,\n", "row 2: file and group must both be filled"),
        (
            "file,group\nmpox/00_00.png,g1\nmpox/00_00.png,g2\n",
            'row 3: mpox/00_00.png is in group "g2" here and in "g1"',
        ),
        ("file,group\nelsewhere.png,g1\n", "names none of the 5 files of the table"),
    ):
        path.write_text(text)
        with pytest.raises(SplitError) as caught:
            read_groups(path, FIVE)
        assert message in str(caught.value)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SplitError, match="not a CSV in UTF-8"):
        read_groups(path, FIVE)
    with pytest.raises(SplitError, match="cannot be read"):
        read_groups(tmp_path / "none.csv", FIVE)


def test_groups_are_joined_by_patient_group_digest_and_list(tmp_path):
    one, two = "1" * 64, "2" * 64
    rows = (
        Row("e.png", Path("x"), "a", "s1", patient="7"),
        Row("d.png", Path("x"), "a", "s2", patient="7"),  # patient 7 of another set is another person
        Row("c.png", Path("x"), "a", "s1", patient="7", sha256=one),
        Row("b.png", Path("x"), "a", "s2", sha256=one),  # the same bytes
        Row("a.png", Path("x"), "a", "s2", group="7"),  # a group is no patient
        Row("f.png", Path("x"), "a", "s1", group="7", sha256=two),
        Row("g.png", Path("x"), "a"),
        Row("h.png", Path("x"), "a"),
    )
    manifest = Manifest(rows, Path(), SHA)
    found = find_groups(manifest)
    assert found.names == ("7", "b.png", "s2/7", "g.png", "h.png")
    assert found.of.tolist() == [1, 2, 1, 1, 0, 0, 3, 4]
    listed = tmp_path / "groups.csv"
    listed.write_text(
        "File,Group,similarity\ng.png,n1,0.9\nh.png,n1,0.9\nd.png,n2,0.8\ne.png,n2,0.8\nother.png,n1,1\n"
    )
    joined = find_groups(manifest, read_groups(listed, manifest))
    assert joined.of.tolist() == [1, 1, 1, 1, 0, 0, 2, 2]
    assert joined.count == 3
