import numpy as np
import pytest

from poxlens.audit.balance import check_balance, check_tones, count_classes


@pytest.fixture
def world(make, a_row):
    """a: 60 images of 60 persons, half dark; b: 60 images of 6 persons, all light; c: 12 images, one unclear."""
    rows = [a_row(f"a{n}", "a") for n in range(60)]
    rows += [a_row(f"b{n}", "b", patient=f"{n // 10}", dataset="x") for n in range(60)]
    rows += [a_row(f"c{n}", "c") for n in range(12)]
    ita = np.concatenate([np.where(np.arange(60) % 2, -20, 40), np.full(60, 50), [np.nan], np.full(11, 5)])
    return make(rows, ita=ita.astype(np.float32))


def test_images_units_and_tones(world):
    a, b, c = count_classes(world, resamples=200)
    assert (a.images, a.units, a.light, a.dark, a.untold) == (60, 60, 30, 30, 0)
    assert (b.images, b.units, b.light, b.dark, b.untold) == (60, 6, 60, 0, 0)
    assert (c.images, c.units, c.light, c.dark, c.untold) == (12, 12, 0, 11, 1)
    assert a.dark_share.value == pytest.approx(0.5)
    assert (b.dark_share.value, b.dark_share.cases) == (0, 6)
    assert b.dark_share.high == pytest.approx(0.39, abs=0.01)  # Wilson of 0 of 6 persons, not of 60 photos
    assert c.dark_share.value == 1


def test_findings(world):
    classes = count_classes(world, resamples=200)
    found = {one.code: one for one in check_balance(classes, (5, 10))}
    assert {code: one.severity for code, one in found.items()} == {
        "balance.too_small": "fault", "balance.few": "warning", "balance.uneven": "note", "balance.units": "note",
    }  # fmt: skip
    assert [item.name for item in found["balance.too_small"].items] == ["b"]
    assert [item.name for item in found["balance.few"].items] == ["c"]
    assert [item.name for item in found["balance.units"].items] == ["b"]
    assert "10 times" in found["balance.uneven"].title
    assert "balance.too_small" not in {one.code for one in check_balance(classes, (5,))}
    tones = {one.code: one for one in check_tones(classes)}
    assert {item.name for item in tones["tone.few"].items} == {"b", "c"}
    assert "100% dark in c, 0% in b" in tones["tone.confounded"].title


def test_a_balanced_table_is_quiet(make, a_row):
    rows = [a_row(str(n), "ab"[n % 2]) for n in range(120)]
    ita = np.where(np.arange(120) // 2 % 2, -20, 40).astype(np.float32)
    classes = count_classes(make(rows, ita=ita), resamples=200)
    assert check_balance(classes, (5, 10)) == []
    assert check_tones(classes) == []


def test_one_class_is_a_fault(make, a_row):
    classes = count_classes(make([a_row(str(n)) for n in range(40)]), resamples=200)
    assert [one.code for one in check_balance(classes, (5,))] == ["balance.one_class"]
