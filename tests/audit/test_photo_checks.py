import numpy as np

from poxlens.audit.photos import check_files, check_looks, check_personal, check_table
from poxlens.data.table import Fault
from poxlens.photo.rules import QualityLimits


def by_code(findings):
    return {one.code: one for one in findings}


def test_sound_files_are_quiet(make, a_row):
    material = make([a_row(str(n)) for n in range(5)])
    assert check_files(material) == []
    assert check_personal(material) == []
    assert check_table(()) == []


def test_missing_unreadable_changed_and_resized(make, a_row):
    sha = [f"{n:064x}" for n in range(5)]
    rows = [a_row("gone"), a_row("bad"), a_row("changed", sha256="f" * 64), a_row("same", sha256=sha[3]),
            a_row("resized", width=600)]  # fmt: skip
    fault = ["unreadable.missing: is not there", "unreadable.corrupt: is damaged", "", "", ""]
    found = by_code(check_files(make(rows, fault=fault, sha256=["", *sha[1:]])))
    assert set(found) == {"files.missing", "files.unreadable", "files.changed", "files.size"}
    assert {code: one.items[0].name for code, one in found.items()} == {
        "files.missing": "gone", "files.unreadable": "bad", "files.changed": "changed", "files.size": "resized",
    }  # fmt: skip
    assert all(len(one.items) == 1 for one in found.values())
    assert found["files.size"].items[0].detail == "640 x 480 px, the table says 600 x ?"
    assert found["files.unreadable"].items[0].detail == "is damaged"


def test_looks(make, a_row):
    rows = [
        a_row(name) for name in ("sound", "tiny", "grey", "aspect", "blurred", "bare", "framed", "broken")
    ]
    width = np.array([640, 90, 640, 2000, 640, 640, 640, 0], np.int32)
    material = make(
        rows,
        width=width,
        height=np.array([480, 90, *[480] * 5, 0], np.int32),
        fault=[""] * 7 + ["unreadable.corrupt: x"],
        traits={
            "a_sd": [5, 5, 0.1, 5, 5, 5, 5, np.nan],
            "b_sd": [5, 5, 0.1, 5, 5, 5, 5, np.nan],
            "log_sharpness": [2, 2, 2, 2, 0.5, 2, 2, np.nan],
            "skin_share": [0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.9, np.nan],
            "border_flat": [0, 0, 0, 0, 0, 0.25, 0.75, np.nan],
        },
    )
    found = by_code(check_looks(material, QualityLimits()))
    assert {code.partition(".")[2]: [item.name for item in one.items] for code, one in found.items()} == {
        "tiny": ["tiny"], "aspect": ["aspect"], "blurred": ["blurred"], "grey": ["grey"], "no_skin": ["bare"],
        "framed": ["framed"],
    }  # fmt: skip
    assert found["files.tiny"].items[0].detail == "90 px"
    assert found["files.blurred"].items[0].detail == "sharpness 2.2"
    assert found["files.aspect"].items[0].detail == "4.2 : 1"


def test_personal_metadata_by_kind(make, a_row):
    rows = [a_row(str(n)) for n in range(4)]
    (finding,) = check_personal(make(rows, personal=[("camera", "gps"), (), ("camera",), ("name",)]))
    assert finding.severity == "warning"
    assert [item.name for item in finding.items] == ["0", "2", "3"]
    assert dict(finding.numbers) == {"files": 3, "gps": 1, "name": 1, "camera": 2}
    (mild,) = check_personal(make(rows, personal=[("camera",), (), (), ()]))
    assert mild.severity == "note"


def test_faults_of_the_table_are_told_by_kind_once():
    faults = [
        Fault("label_case", 'label "Mpox" is "mpox" written differently.', 3, "label", "x.jpg"),
        Fault("missing", "y.jpg is not there.", 4, "file", "y.jpg"),
        Fault("cells", "has 2 cells where the header has 3.", 5),
        Fault("column", 'no column "patient"; rename "lesion_id" to "patient"?', 1),
    ]
    found = by_code(check_table(faults))
    assert {code: one.severity for code, one in found.items()} == {
        "table.label_case": "fault", "table.cells": "fault", "table.column": "warning",
    }  # fmt: skip
    assert found["table.cells"].items[0].name == "row 5"
    assert "row 3" in found["table.label_case"].items[0].detail
