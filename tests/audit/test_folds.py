import numpy as np
import pytest

from poxlens.audit.folds import of_table, read_assignments
from poxlens.data.manifest import read_manifest, write_manifest
from poxlens.data.splits import Plan, make_splits, write_splits
from poxlens.errors import ManifestError

FILES = ["a/1.jpg", "a/2.jpg", "b/2.jpg", "b/3.png"]


def test_folds_by_file():
    (one,) = of_table("x.csv", "file,fold\na/1.jpg,10\nb/3.png,2\na/2.jpg,2\n", FILES)
    assert one.parts == ("fold 2", "fold 10")
    assert one.part.tolist() == [1, 0, -1, 0]
    assert not one.inner


def test_train_and_test_by_name_without_folder_or_ending():
    (one,) = of_table("x.csv", "\ufeffimage,patient,Split\n1,P1,Train\n3,P2,Test\n\n".lstrip("\ufeff"), FILES)
    assert one.parts == ("test", "train")
    assert one.part.tolist() == [1, -1, -1, 0]


def test_several_columns_are_several_ways():
    text = "filename,fold_1,fold_2,note\na/1.jpg,1,2,x\na/2.jpg,2,,y\n"
    one, two = of_table("x.csv", text, FILES)
    assert (one.name, two.name) == ("fold_1", "fold_2")
    assert one.part.tolist() == [0, 1, -1, -1]
    assert two.part.tolist() == [0, -1, -1, -1]


def test_a_file_in_two_parts_is_kept_as_such():
    (one,) = of_table("x.csv", "file,set\na/1.jpg,train\na/1.jpg,test\na/2.jpg,test\na/2.jpg,test\n", FILES)
    assert one.twice == ((0, "train", "test"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,fold\nnone.jpg,1\n", 'x.csv, row 2, column "name": none.jpg is no file of the table'),
        ("file,fold\n2,1\n", 'row 2, column "file": 2 fits 2 files of the table'),
        (
            "file,label\na/1.jpg,x\n",
            "row 1: no column that says where a file was dealt to; one of: fold, part",
        ),
        ("photo,fold\na/1.jpg,1\n", "row 1: no column with the file; one of: file, filename"),
        ("file,fold\na/1.jpg\n", "row 2: has 1 cells where the header has 2"),
        ('file,fold\n"a/1.jpg,1\n', "is not CSV"),
        ("file,fold\n", "deals no image"),
        ("", "no column with the file"),
    ],
)
def test_faults_are_named(text, message):
    with pytest.raises(ManifestError, match=message.replace("(", r"\(")):
        of_table("x.csv", text, FILES)


@pytest.fixture
def table(tmp_path, a_row):
    rows = [a_row(f"{n}.jpg", "ab"[n % 2], patient=f"p{n // 2}", dataset="x") for n in range(40)]
    write_manifest(tmp_path / "table.csv", rows)
    return read_manifest(tmp_path / "table.csv")


def test_the_projects_own_splits(table, tmp_path):
    splits = make_splits(table, Plan(folds=4, repeats=2, inner="k-fold", inner_folds=3))
    write_splits(tmp_path / "s.json", splits)
    found = read_assignments(tmp_path / "s.json", table)
    outer = [one for one in found if not one.inner]
    assert [one.name for one in outer] == ["repeat 1", "repeat 2"]
    for repeat, one in enumerate(outer):
        assert one.parts == ("fold 1", "fold 2", "fold 3", "fold 4")
        for fold in range(4):
            assert np.array_equal(np.flatnonzero(one.part == fold), splits.outer[repeat][fold])
    inner = [one for one in found if one.inner]
    assert len(inner) == 2 * 4 * 3
    first = inner[0]
    assert np.array_equal(np.flatnonzero(first.part == 0), splits.inner[0][0][0])
    assert np.array_equal(np.flatnonzero(first.part == 1), splits.fit(0, 0, 0))
    assert np.array_equal(np.flatnonzero(first.part == -1), splits.outer[0][0])


def test_splits_of_another_table_are_refused_and_of_a_larger_one_read(table, tmp_path, a_row):
    write_splits(tmp_path / "s.json", make_splits(table, Plan(folds=4)))
    more = [a_row("new.jpg"), *table.rows]
    write_manifest(tmp_path / "more.csv", more)
    outer = read_assignments(tmp_path / "s.json", read_manifest(tmp_path / "more.csv"))[0]
    assert outer.part[0] == -1
    assert (outer.part[1:] >= 0).all()
    write_manifest(tmp_path / "less.csv", table.rows[5:])
    with pytest.raises(ManifestError, match=r"deals 0.jpg, which the table does not have \(5 such\)"):
        read_assignments(tmp_path / "s.json", read_manifest(tmp_path / "less.csv"))


def test_what_is_not_there_or_no_text(table, tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_assignments(tmp_path / "none.csv", table)
    (tmp_path / "odd.csv").write_bytes(b"file,fold\n\xff,1\n")
    with pytest.raises(ManifestError, match="row 2: is not UTF-8"):
        read_assignments(tmp_path / "odd.csv", table)
