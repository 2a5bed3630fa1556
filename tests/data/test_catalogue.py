import re

import pytest

from poxlens.data.catalogue import NOT_STATED, SETS
from poxlens.data.labels import plain

NAMES = [
    "msld",
    "msld2",
    "msid",
    "mcsi",
    "dermnet",
    "dermnet-nz",
    "ham10000",
    "isic2019",
    "acne04",
    "folder",
    "csv",
]


def test_every_set_of_the_issue_is_there():
    assert list(SETS) == NAMES
    assert all(spec.name == name for name, spec in SETS.items())


@pytest.mark.parametrize("name", NAMES)
def test_published_counts_agree_with_each_other(name):
    spec = SETS[name]
    by_class = [one.images for one in spec.classes]
    if by_class and None not in by_class:
        assert sum(by_class) == spec.images
    people = [one.patients for one in spec.classes]
    assert (sum(people) if people and None not in people else None) == spec.patients


@pytest.mark.parametrize(
    ("name", "images", "patients", "classes"),
    [
        ("msld", 228, 162, 2),
        ("msld2", 755, 541, 6),
        ("msid", 770, None, 4),
        ("mcsi", 400, None, 4),
        ("dermnet", 19559, None, 23),
        ("ham10000", 10015, None, 7),
        ("isic2019", 25331, None, 8),
        ("acne04", 1457, None, 1),
    ],
)
def test_counts_as_published(name, images, patients, classes):
    spec = SETS[name]
    assert (spec.images, spec.patients, len(spec.classes)) == (images, patients, classes)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_licence_citation_layout_and_where(name):
    spec = SETS[name]
    for text in (spec.title, spec.about, spec.layout, spec.group, spec.licence, spec.citation, spec.facts):
        assert text.strip() == text != ""
    assert all(address.startswith("https://") for address in spec.where)
    assert bool(spec.where) == (name not in ("folder", "csv"))
    if NOT_STATED in spec.licence:
        assert name in ("msld", "msld2", "mcsi")


@pytest.mark.parametrize("name", NAMES)
def test_no_key_means_two_classes_and_patterns_compile(name):
    spec = SETS[name]
    keys = [key for one in spec.classes for key in one.keys]
    assert len(keys) == len(set(keys)) == len(spec.by_key)
    assert all(key == plain(key) != "" for key in keys)
    for table in spec.tables:
        re.compile(table.file)
    assert spec.name_pattern is None or "image" in spec.name_pattern.groupindex


@pytest.mark.parametrize(
    ("name", "file", "image", "patient"),
    [
        ("msld", "M01_02", "M01_02", "M01"),
        ("msld", "NM103_01_7", "NM103_01", "NM103"),
        ("msld2", "MKP_01_01", "MKP_01_01", "MKP_01"),
        ("msld2", "HFMD_144_02_3", "HFMD_144_02", "HFMD_144"),
        ("isic2019", "ISIC_0000001_downsampled", "ISIC_0000001_downsampled", None),
        ("acne04", "levle3_112", "levle3_112", None),
    ],
)
def test_names_tell_image_and_patient(name, file, image, patient):
    groups = SETS[name].name_pattern.match(file).groupdict()
    assert (groups["image"], groups.get("patient")) == (image, patient)


def test_known_sha256_cover_the_sets_that_have_them():
    known = {name: spec.known_sha256() for name, spec in SETS.items()}
    assert {name: len(found) for name, found in known.items() if found} == {"msld": 228, "msid": 770}
    for found in (known["msld"], known["msid"]):
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in found.values())
    assert "m01_01.jpg" in known["msld"]
