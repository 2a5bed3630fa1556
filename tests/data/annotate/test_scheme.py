"""The set of labels: the one that comes with poxlens, and what is refused of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from poxlens.data.annotate.scheme import RESERVED, Scheme, read_scheme
from poxlens.errors import AnnotationError

OWN = """
title = "Light"
notice = "By two students."
[[label]]
name = "light"
title = "Light"
column = "flags_are_not_a_column"
[[label.value]]
name = "flash"
key = "f"
[[label.value]]
name = "day"
key = "d"
"""


@pytest.fixture(scope="module")
def mpox() -> Scheme:
    return read_scheme()


def test_the_scheme_of_the_paper(mpox: Scheme) -> None:
    assert mpox.names == ("body_site", "range", "stage")
    assert mpox.choices["grade"] == ("I", "II", "III", "Others")
    assert (
        mpox.notice == "Non-clinical: read off the photos alone, not by a clinician and not checked by one."
    )
    keys = [value.key for label in mpox.label for value in label.value]
    assert len(keys) == len(set(keys)) == 14
    assert not set(keys) & set(RESERVED)


@pytest.mark.parametrize(
    ("site", "grade"),
    [
        ("face", "I"), ("neck", "I"), ("hand", "I"), ("arm", "II"), ("leg", "II"), ("back", "III"), ("chest", "III"),
        ("other", "Others"), ("close", "Others"),
    ],
)  # fmt: skip
def test_grades_of_the_paper(mpox: Scheme, site: str, grade: str) -> None:
    near = "close" if site == "close" else "distance"
    assert mpox.derive({"body_site": site, "range": near}) == {"grade": grade}
    assert mpox.derive({"body_site": site, "range": "close"}) == {"grade": "Others"}


def test_no_grade_without_a_site_seen_from_a_distance(mpox: Scheme) -> None:
    assert mpox.derive({"range": "distance", "stage": "later"}) == {"grade": ""}
    assert mpox.derive({}) == {"grade": ""}


def test_a_value_sets_what_follows_from_it_and_the_latest_answer_counts(mpox: Scheme) -> None:
    close = mpox.after({"stage": "later"}, "body_site", "close")
    assert close == {"body_site": "close", "range": "close", "stage": "later"}
    assert mpox.after(close, "range", "distance") == {"range": "distance", "stage": "later"}
    assert mpox.after(close, "body_site", "hand")["range"] == "close"
    assert mpox.after(close, "stage", "") == {"body_site": "close", "range": "close"}


def test_a_contradiction_is_told(mpox: Scheme) -> None:
    assert (
        mpox.clash({"body_site": "close", "range": "distance"})
        == "body_site close means range close, not distance"
    )
    assert mpox.clash({"body_site": "close"}) == ""
    assert mpox.clash({"body_site": "hand", "range": "distance"}) == ""


def test_complete_is_of_what_is_asked(mpox: Scheme) -> None:
    assert not mpox.complete({"body_site": "hand", "range": "close"})
    assert mpox.complete({"body_site": "hand", "range": "close"}, ("body_site",))


def test_a_scheme_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "light.toml"
    path.write_text(OWN.replace("flags_are_not_a_column", "condition"))
    found = read_scheme(path)
    assert found.choices == {"light": ("flash", "day")}
    assert found.label[0].column == "condition"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", '"flags_are_not_a_column" is no column of a table of images'),
        ('key = "d"', 'key = "f"', 'key "f" is there twice'),
        ('key = "d"', 'key = "z"', 'key "z" is used by the page'),
        ('key = "d"', 'key = "D"', "label.0.value.1.key"),
        ('name = "day"', 'name = "flash"', 'value of light "flash" is there twice'),
        ('name = "day"', 'name = "by day"', "label.0.value.1.name"),
        ('name = "light"', 'name = "file"', 'a label cannot be called "file"'),
        ('key = "d"', 'key = "d"\nsets = { light = "dusk" }', '"dusk" is no light; choose flash, day'),
        ('key = "d"', 'key = "d"\nsets = { lamp = "on" }', 'there is no label "lamp"; labels: light'),
        ('key = "d"', 'key = "d"\ncolour = "red"', "label.0.value.1.colour"),
        ('title = "Light"\nn', "n", "title: Field required"),
        ("[[label]]", "[[label", "is not TOML"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    text = (
        OWN
        if not before
        else OWN.replace('column = "flags_are_not_a_column"\n', "").replace(before, after, 1)
    )
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(AnnotationError, match=r"own\.toml") as fault:
        read_scheme(tmp_path / "own.toml")
    assert told in str(fault.value)


def test_a_rule_that_gives_no_value_of_its_label_is_refused(tmp_path: Path) -> None:
    text = OWN.replace('column = "flags_are_not_a_column"\n', "")
    rule = '[[derived]]\nname = "lit"\nvalues = ["yes", "no"]\n[[derived.rule]]\nvalue = "maybe"\n'
    rule += 'when = { light = ["day"] }\n'
    (tmp_path / "own.toml").write_text(text + rule)
    with pytest.raises(AnnotationError, match='a rule of lit gives "maybe", which is none of its values'):
        read_scheme(tmp_path / "own.toml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"none\.toml: cannot be read: No such file"):
        read_scheme(tmp_path / "none.toml")
