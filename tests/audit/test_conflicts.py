from poxlens.audit.conflicts import check_conflicts, find_conflicts
from poxlens.data.duplicates.labels import Compatible


def test_one_photo_under_two_labels(make, a_row, a_pair):
    labels = ("mpox", "acne", "mpox", "others", "chickenpox", "mpox", "acne")
    rows = [a_row(str(n), label) for n, label in enumerate(labels)]
    sha = [f"{n:064x}" for n in (0, 0, 2, 3, 4, 5, 6)]
    pairs = [a_pair(0, 1, "exact"), a_pair(2, 3), a_pair(3, 4, "near"), a_pair(2, 5), a_pair(5, 6, "suspected"),
             a_pair(4, 6, "scene")]  # fmt: skip
    material = make(rows, pairs, sha256=sha)
    found = find_conflicts(material)
    assert [(one.first, one.second, one.kind) for one in found] == [
        (0, 1, "exact"), (3, 4, "near"), (2, 3, "confirmed"),
    ]  # fmt: skip
    agree = Compatible({"others": frozenset({"chickenpox", "measles"})})
    kept = find_conflicts(material, agree)
    assert [(one.first, one.second) for one in kept] == [(0, 1), (2, 3)]
    findings = {one.code: one for one in check_conflicts(material, kept)}
    assert {code: one.severity for code, one in findings.items()} == {
        "labels.same_file": "fault", "labels.conflict": "fault",
    }  # fmt: skip
    item = findings["labels.conflict"].items[0]
    assert (item.name, item.other, item.detail) == ("2", "3", "mpox here, others there; confirmed")


def test_agreeing_labels_are_quiet(make, a_row, a_pair):
    material = make([a_row("0"), a_row("1")], [a_pair(0, 1)])
    assert check_conflicts(material, find_conflicts(material)) == []
