import json

import pytest

from poxlens.cli.main import main
from poxlens.data.catalogue import SETS


def test_the_list_has_every_set_with_its_counts(capsys):
    assert main(["data", "sets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = {line.split()[0]: line.split()[1:3] for line in lines[1:] if line and line.split()[0] in SETS}
    assert list(shown) == list(SETS)
    assert shown["msld2"] == ["755", "541"]
    assert shown["isic2019"] == ["25,331", "–"]


def test_json_lists_all_and_one_in_full(capsys):
    assert main(["data", "sets", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == list(SETS)
    assert main(["data", "sets", "MSID", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["images"] == 770
    assert {one["label"]: one["images"] for one in told["classes"]} == {
        "mpox": 279,
        "chickenpox": 107,
        "measles": 91,
        "normal": 293,
    }
    assert told["known_sha256"] == 770


@pytest.mark.parametrize(
    ("word", "name"), [("msld", "msld"), ("MSLD v2.0", "msld2"), ("ISIC-2018", "ham10000")]
)
def test_one_set_in_full_by_any_of_its_names(capsys, word, name):
    assert main(["data", "sets", word]) == 0
    out = " ".join(capsys.readouterr().out.split())
    spec = SETS[name]
    assert out.startswith(f"{name} {spec.title}")
    for text in (spec.licence, spec.layout, spec.group, *spec.where, *spec.faults):
        assert text in out


def test_an_unknown_set_is_misuse_with_a_hint(capsys):
    assert main(["data", "sets", "mslid"]) == 2
    assert "no set 'mslid'; did you mean ms" in capsys.readouterr().err
    assert main(["data", "sets", "zzzzzz"]) == 2
    assert "known are msld, msld2" in capsys.readouterr().err
