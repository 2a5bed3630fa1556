from pathlib import Path

import pytest

from poxlens.data.faults import KINDS, all_faults, told
from poxlens.errors import ManifestError

SHA = "ab" * 32


def table(tmp_path: Path, text: str, *files: str) -> Path:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8")
    return path


def found(path: Path, **options) -> list[tuple[str, int | None, str | None]]:
    return [(fault.kind, fault.row, fault.column) for fault in all_faults(path, **options).faults]


def test_a_sound_table_has_no_fault(tmp_path):
    path = table(tmp_path, "file,label\na.jpg,mpox\nb.jpg,acne\n", "a.jpg", "b.jpg")
    sound = all_faults(path)
    assert sound.faults == ()
    assert [(number, row.file) for number, row in sound.rows] == [(2, "a.jpg"), (3, "b.jpg")]
    assert sound.told() == []


def test_every_kind_of_fault_is_told_with_its_row_in_one_go(tmp_path):
    names = [f"m{i}.jpg" for i in range(6)] + [
        "M0.jpg",
        "\u00e9.jpg",
        "e\u0301.jpg",
        "typo.jpg",
        "case.jpg",
        "twin.jpg",
    ]
    lines = ["file,label,sha256,width", *(f"m{i}.jpg,mpox,," for i in range(6))]  # rows 2-7
    lines += ["m0.jpg,mpox,,", "M0.jpg,mpox,,", "\u00e9.jpg,mpox,,", "e\u0301.jpg,mpox,,"]  # 8-11
    lines += ["typo.jpg,mopx,,", "case.jpg,Mpox,,"]  # 12, 13
    lines += [f"case.jpg2,mpox,{SHA},", f"twin.jpg,acne,{SHA},"]  # 14 missing, 15 conflict
    lines += ["gone.jpg,cowpox,,", "x.jpg,mpox,zz,", "y.jpg,mpox,,0", "z.jpg,,,", "q.jpg,mpox,,,"]  # 16-20
    path = table(tmp_path, "\n".join(lines) + "\n", *names)
    faults = found(path)
    assert faults == [
        ("duplicate", 8, "file"),
        ("near_name", 9, "file"),
        ("near_name", 11, "file"),
        ("label_typo", 12, "label"),
        ("label_case", 13, "label"),
        ("missing", 14, "file"),
        ("conflict", 15, "label"),
        ("missing", 16, "file"),
        ("sha256", 17, "sha256"),
        ("size", 18, "width"),
        ("empty", 19, "label"),
        ("cells", 20, None),
        ("empty_class", None, "label"),
    ]
    assert {kind for kind, _, _ in faults} <= set(KINDS)
    assert [number for number, _ in all_faults(path).rows] == [2, 3, 4, 5, 6, 7, *range(9, 17)]


def test_messages_say_what_is_meant(tmp_path):
    text = (
        "file,label\n"
        + "".join(f"{i}.jpg,chickenpox\n" for i in range(5))
        + "5.jpg,chikenpox\nSub/a.JPG,mpox\n"
    )
    path = table(tmp_path, text, *(f"{i}.jpg" for i in range(6)), "Sub/a.jpg")
    assert [str(fault) for fault in all_faults(path).faults] == [
        'row 7, column "label": label "chikenpox" looks like a misspelling of "chickenpox" (5 rows).',
        'row 8, column "file": Sub/a.JPG is not there, but a.jpg is.',
        'class "mpox" has no file that is there.',
    ]


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("image,label", 'row 1: no column "file"; found: image, label; rename "image" to "file"?'),
        ("file,lable", 'row 1: no column "label"; found: file, lable; rename "lable" to "label"?'),
        ("file,diagnosis", 'rename "diagnosis" to "label"?'),
        ("file;label", "columns must be separated by commas"),
        ("file,label,label", 'column "label" is there twice'),
    ],
)
def test_wrong_columns_name_the_nearest(tmp_path, header, hint):
    (line,) = all_faults(table(tmp_path, f"{header}\na.jpg,mpox\n")).told()
    assert hint in line


def test_a_misnamed_optional_column_is_told_and_the_rest_goes_on(tmp_path):
    path = table(tmp_path, "file,label,pateint\na.jpg,mpox,P1\n", "a.jpg")
    (fault,) = all_faults(path).faults
    assert str(fault) == 'row 1: no column "patient"; rename "pateint" to "patient"?'
    assert len(all_faults(path).rows) == 1


def test_classes_that_must_be_there_and_files_that_need_not(tmp_path):
    path = table(tmp_path, "file,label\na.jpg,measels\n")
    assert found(path, classes=("measles",), check_files=False) == [
        ("label_typo", 2, "label"),
        ("empty_class", None, "label"),
    ]


def test_fifty_are_told_and_the_rest_counted(tmp_path):
    path = table(tmp_path, "file,label\n" + "".join(f"{i}.jpg,mpox\n" for i in range(120)))
    faults = all_faults(path)
    assert faults.counts == {"missing": 120, "empty_class": 1}
    lines = faults.told()
    assert len(lines) == 51
    assert lines[-1] == "… and 71 more: 70 files that are not there, 1 classes without an image"
    assert len(told(faults.faults, 0)) == 1


def test_a_broken_quote_ends_the_table_and_a_spreadsheet_is_none(tmp_path):
    path = table(tmp_path, 'file,label\na.jpg,mpox\nb.jpg,"mp"ox\nc.jpg,mpox\n', "a.jpg", "c.jpg")
    assert found(path) == [("csv", 3, None)]
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ManifestError, match="is a spreadsheet"):
        all_faults(path)


@pytest.mark.real_data
def test_the_real_table_has_no_fault():
    path = Path(__file__).parents[2] / "../shared/data/manifest.csv"
    if not path.exists():
        pytest.skip("the real images are not beside the checkout")
    assert all_faults(path).told() == []
