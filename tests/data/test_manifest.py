import contextlib
import errno
import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import jsonschema
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poxlens.data.manifest import COLUMNS, Row, read_manifest, write_manifest
from poxlens.data.manifest_schema import json_schema, row_object, schema_text
from poxlens.data.table import column_hint
from poxlens.errors import ManifestError, MissingExtraError

SHA = "ab" * 32


def write(tmp_path: Path, data: bytes | str, name: str = "table.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_full_table_is_read_cell_by_cell(tmp_path):
    text = (
        "file,dataset,label,condition,patient,group,width,height,sha256,remark\n"
        f"a/1.jpg,msld,mpox,papules,M01,g1,224,225,{SHA.upper()},x\n"
        'a/2.jpg,msld,others,"one, two",M02,,,,,\n'
    )
    path = write(tmp_path, text)
    manifest = read_manifest(path)
    assert manifest.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert manifest.root == tmp_path
    assert manifest.labels == ("mpox", "others")
    assert manifest.rows == (
        Row(
            "a/1.jpg",
            tmp_path / "a/1.jpg",
            "mpox",
            "msld",
            "papules",
            "M01",
            "g1",
            width=224,
            height=225,
            sha256=SHA,
        ),
        Row("a/2.jpg", tmp_path / "a/2.jpg", "others", "msld", "one, two", "M02"),
    )


def test_only_file_and_label_are_needed_and_root_can_be_elsewhere(tmp_path):
    manifest = read_manifest(
        write(tmp_path, "Label , File\nmpox, x.png \n\nacne,y.png\n,\n"), root=Path("far")
    )
    assert [(row.file, row.path, row.label) for row in manifest.rows] == [
        ("x.png", Path("far/x.png"), "mpox"),
        ("y.png", Path("far/y.png"), "acne"),
    ]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_mark_and_line_ends_do_not_matter(tmp_path, bom, end):
    data = bom + end.join([b"file,label", "é.jpg,mpox".encode(), b"b.jpg,acne"])
    assert [(row.file, row.label) for row in read_manifest(write(tmp_path, data)).rows] == [
        ("é.jpg", "mpox"),
        ("b.jpg", "acne"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("file,dataset\na,b\n", 'row 1: no column "label"; found: file, dataset'),
        ("name\na\n", 'row 1: no column "file" and "label"; found: name'),
        ("file,label\na,mpox\nb,acne\n./a,acne\n", 'row 4, column "file": ./a is in row 2 already'),
        ("file,label\na,mpox\n\n\nb, \n", 'row 5, column "label": is empty'),
        ("file,label\n,mpox\n", 'row 2, column "file": is empty'),
        ("file,label\na,mpox,oops\n", "row 2: has 3 cells where the header has 2"),
        ("file,label,dataset\na,mpox\n", "row 2: has 2 cells where the header has 3"),
        ("file;label\na;mpox\n", "row 1: columns must be separated by commas"),
        ("file\tlabel\na\tmpox\n", "row 1: columns must be separated by commas"),
        ("file,label,file\na,mpox,b\n", 'row 1: column "file" is there twice'),
        ('file,label\na,"mpox\n', "row 2: is not CSV"),
        ('file,label\na,mpox\nb,"mp"ox\n', "row 3: is not CSV"),
        ("file,label\n", "holds no image"),
        ("", "is empty"),
        (" \n\n", "is empty"),
        (f"file,label,sha256\na,mpox,{SHA[:-1]}\n", 'row 2, column "sha256": "' + SHA[:-1] + '" is not 64'),
        ("file,label,width\na,mpox,0\n", 'row 2, column "width": "0" is not a size'),
        ("file,label,height\na,mpox,12.5\n", 'row 2, column "height": "12.5" is not a size'),
        ("file,label,height\na,mpox," + "9" * 5000 + "\n", 'row 2, column "height"'),
        (b"file,label\na,mpox\nb,caf\xe9\nc,\xc3\xa9\n", "row 3: byte 0xe9 is not UTF-8"),
        ("file,label\na,mpox\n".encode("utf-16"), "is UTF-16, not a CSV"),
        (b"PK\x03\x04rest", "is a spreadsheet"),
        (b"file,label\na\0,mpox\n", "row 2: holds a NUL"),
    ],
)
def test_each_fault_names_row_and_column(tmp_path, data, message):
    with pytest.raises(ManifestError) as caught:
        read_manifest(write(tmp_path, data))
    assert message in str(caught.value)
    assert "table.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "missing", "hint"),
    [
        (["file", "label", "light"], "height", ""),  # a column of its own, and no misspelling
        (["file", "label", "with"], "width", '; rename "with" to "width"?'),
        (["file", "label", "heigth"], "height", '; rename "heigth" to "height"?'),
        (["file", "label", "patients"], "patient", '; rename "patients" to "patient"?'),
        (["file", "labels"], "label", '; rename "labels" to "label"?'),
        (
            ["fyle", "label"],
            "file",
            '; rename "fyle" to "file"?',
        ),  # what must be there is guessed more boldly
        (["file", "label", "tone"], "skin_tone", ""),
    ],
)
def test_a_column_hint_is_of_misspellings(columns, missing, hint):
    assert column_hint(missing, columns) == hint


def test_a_table_that_is_not_there_or_is_a_folder(tmp_path):
    with pytest.raises(ManifestError, match=r"none\.csv: cannot be read: No such file"):
        read_manifest(tmp_path / "none.csv")
    with pytest.raises(ManifestError, match="cannot be read: Is a directory"):
        read_manifest(tmp_path)


def test_person_and_cluster_keys():
    def row(file, **cells):
        return Row(file, Path(file), "mpox", **cells)

    assert row("a", dataset="x", patient="1").person == row("b", dataset="x", patient="1").person
    assert row("a", dataset="x", patient="1").person != row("b", dataset="y", patient="1").person
    assert row("a").person != row("b").person
    assert row("a", group="g", patient="1").cluster == row("b", group="g", patient="2").cluster
    assert row("a", patient="1").cluster == row("a", patient="1").person
    assert row("a", group="a").cluster != row("b", patient="a").cluster


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120))
def test_no_bytes_make_anything_but_a_table_or_a_manifest_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_bytes(b"file,label\n" + data)
    with contextlib.suppress(ManifestError):
        manifest = read_manifest(path)
        assert manifest.rows
        assert all(row.file and row.label for row in manifest.rows)


@pytest.mark.real_data
def test_the_real_table_has_its_5391_rows():
    path = Path(__file__).parents[2] / "../shared/data/manifest.csv"
    if not path.exists():
        pytest.skip("the real images are not beside the checkout")
    manifest = read_manifest(path)
    assert len(manifest.rows) == 5391
    assert sum(row.label == "mpox" for row in manifest.rows) == 381
    assert len({row.person for row in manifest.rows if row.dataset == "msld"}) == 162
    assert all(row.width and row.height and len(row.sha256) == 64 for row in manifest.rows)


CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12).map(str.strip)
ROWS = st.lists(
    st.builds(
        Row,
        file=CELL.filter(bool),
        path=st.just(Path()),
        label=CELL.filter(bool),
        dataset=CELL,
        condition=CELL,
        patient=CELL,
        group=CELL,
        body_site=CELL,
        stage=CELL,
        skin_tone=CELL,
        flags=CELL.map(lambda text: tuple(text.split())),
        width=st.none() | st.integers(1, 999_999_999),
        height=st.none() | st.integers(1, 999_999_999),
        sha256=st.just("") | st.binary(min_size=32, max_size=32).map(bytes.hex),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: str(PurePosixPath(row.file)),
)


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_csv_to_parquet_to_csv_gives_the_same_rows_and_bytes(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("round")
    expected = tuple(replace(row, path=folder / row.file) for row in rows)
    digest = write_manifest(folder / "a.csv", rows)
    first = read_manifest(folder / "a.csv")
    assert first.rows == expected
    assert first.sha256 == digest
    write_manifest(folder / "b.parquet", first.rows)
    second = read_manifest(folder / "b.parquet")
    assert second.rows == expected
    write_manifest(folder / "c.csv", second.rows)
    assert (folder / "c.csv").read_bytes() == (folder / "a.csv").read_bytes()


def row(file="a.jpg", **cells):
    return Row(file, Path(file), cells.pop("label", "mpox"), **cells)


def test_columns_are_written_in_the_published_order(tmp_path):
    write_manifest(tmp_path / "t.csv", [row(sha256=SHA, flags=("augmented", "caption"), width=3, height=4)])
    assert (tmp_path / "t.csv").read_text() == (
        "file,sha256,dataset,label,condition,patient,group,body_site,stage,width,height,skin_tone,flags\n"
        f"a.jpg,{SHA},,mpox,,,,,,3,4,,augmented caption\n"
    )


@pytest.mark.parametrize(
    ("rows", "name", "message"),
    [
        ([], "t.csv", "no image to write"),
        ([row()], "t.xlsx", r"ends in \.csv or \.parquet"),
        ([row(), row("./a.jpg")], "t.csv", 'row 3, column "file": ./a.jpg is in row 2 already'),
        ([row(label="")], "t.csv", 'row 2, column "label": is empty'),
        ([row(label=" mpox")], "t.csv", 'row 2, column "label": .* cannot stand'),
        ([row("a\udcff.jpg")], "t.parquet", 'row 2, column "file": .* cannot stand'),
        ([row(flags=("a b",))], "t.csv", 'row 2, column "flags": a flag has a space'),
        ([row(sha256="AB" * 32)], "t.csv", 'row 2, column "sha256": must be in lower case'),
        ([row(), row("b.jpg", width=0)], "t.csv", 'row 3, column "width": "0" is not a size'),
    ],
)
def test_what_would_not_be_read_back_is_not_written(tmp_path, rows, name, message):
    with pytest.raises(ManifestError, match=message):
        write_manifest(tmp_path / name, rows)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_full_disk_leaves_the_old_table_and_nothing_else(tmp_path, monkeypatch, name):
    write_manifest(tmp_path / name, [row()])
    before = (tmp_path / name).read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_manifest(tmp_path / name, [row(), row("b.jpg")])
    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_parquet_of_another_program_is_read(tmp_path):
    table = pyarrow.table(
        {
            "File": ["a.jpg", "b.jpg"],
            "label": ["mpox", "acne"],
            "width": pyarrow.array([224.0, float("nan")]),
            "flags": [["augmented", "caption"], None],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    first, second = read_manifest(tmp_path / "t.parquet").rows
    assert (first.width, first.flags) == (224, ("augmented", "caption"))
    assert (second.width, second.flags) == (None, ())


def test_faults_of_a_parquet_name_the_same_rows_as_those_of_its_csv(tmp_path):
    table = {"file": ["a", "b", "a"], "label": ["mpox", "acne", "mpox"]}
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "t.parquet")
    with pytest.raises(ManifestError, match='row 4, column "file": a is in row 2 already'):
        read_manifest(tmp_path / "t.parquet")
    (tmp_path / "x.parquet").write_bytes(b"file,label\na,mpox\n")
    with pytest.raises(ManifestError, match="is not Parquet, whatever its name says"):
        read_manifest(tmp_path / "x.parquet")
    (tmp_path / "y.csv").write_bytes((tmp_path / "t.parquet").read_bytes()[:-20])
    with pytest.raises(ManifestError, match="is damaged Parquet"):
        read_manifest(tmp_path / "y.csv")


def test_the_published_schema_is_the_code_s_and_holds_for_a_row():
    published = Path(__file__).parents[2] / "docs/manifest.schema.json"
    assert published.read_text("utf-8") == schema_text()
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(schema["properties"]) == list(COLUMNS)
    full = row(sha256=SHA, flags=("augmented",), width=1, height=2, patient="P1", stage="mild")
    jsonschema.validate(row_object(full), schema)
    for wrong in ({"label": "mpox"}, {**row_object(full), "width": 0}, {**row_object(full), "sha256": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    write_manifest(tmp_path / "t.parquet", [row()])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "poxlens\[data\]"'):
        read_manifest(tmp_path / "t.parquet")
    with pytest.raises(MissingExtraError, match="A table in Parquet needs"):
        write_manifest(tmp_path / "u.parquet", [row()])
    write_manifest(tmp_path / "u.csv", [row()])
    assert len(read_manifest(tmp_path / "u.csv").rows) == 1
