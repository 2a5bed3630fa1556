"""`poxlens data split` from the command line: what it writes, says and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from poxlens import __version__
from poxlens.cli.main import main
from poxlens.data.phantom import PhantomSpec, draw
from poxlens.data.splits import read_splits

CLASSES = ("acne", "mpox")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """24 phantoms of 12 patients, two classes, half of them dark; table.csv names them."""
    lines = ["file,label,dataset,patient"]
    for number in range(24):
        name = f"{number:02d}.png"
        picture = draw(PhantomSpec(seed=number, size=64, ita=45.0 if number % 2 else -25.0, light=0.1))
        Image.fromarray(picture.image).save(tmp_path / name)
        lines.append(f"{name},{CLASSES[number // 12]},set,P{number // 2:02d}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["data", "split", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


SMALL = ("table.csv", "--out", "splits.json", "--folds", "3")


def test_the_file_and_the_tables_on_the_screen(folder, capsys):
    code, out, err = run(capsys, *SMALL)
    assert code == 0
    assert "estimating skin tone (24)" in err
    splits = read_splits(folder / "splits.json")
    assert splits.plan.folds == 3
    assert splits.version == __version__
    assert splits.plan.inner == "validation"
    assert "3 folds: 24 images in 12 groups, 2 classes" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["fold", "n", "groups", "acne", "mpox", "light", "dark"] in lines
    for fold in "123":
        assert [fold, "8", "4", "4", "4", "4", "4"] in lines
    assert (
        'Furthest from even: 4 images of "acne" in repeat 1, fold 1, where an even deal gives 4.0 (0%).'
        in out
    )
    assert ["acne", "6", "6", "0", "50%", "0", "6", "0", "0", "6", "0"] in lines
    assert "Inner level: one validation part a development part, 4 images." in out
    assert "Near-duplicates are not known: give --groups" in out
    assert f"Written: splits.json (digest {splits.digest[:12]}" in out


def test_the_same_as_json(folder, capsys):
    code, out, _ = run(capsys, *SMALL, "--json", "--repeats", "2", "--inner", "2")
    assert code == 0
    told = json.loads(out)
    assert told["digest"] == read_splits(folder / "splits.json").digest
    assert told["plan"] | {"folds": 3, "repeats": 2, "inner": "k-fold", "inner_folds": 2} == told["plan"]
    assert [[fold["classes"] for fold in folds] for folds in told["repeats"]] == [
        [{"acne": 4, "mpox": 4}] * 3
    ] * 2
    assert told["repeats"][0][0]["tones"] == {"light": 4, "dark": 4, "unknown": 0}
    assert told["largest_deviation"]["share"] == 0
    assert told["groups"] == 12
    assert told["crossing"] == told["unreadable"] == []
    assert told["tones"][0]["del_bino"]["brown"] == 6
    assert [row["label"] for row in told["tones"]] == ["acne", "mpox", None]


def test_listed_groups_are_kept_whole(folder, capsys):
    (folder / "groups.csv").write_text("file,group\n00.png,n1\n02.png,n1\n12.png,n2\n22.png,n2\n")
    code, out, _ = run(capsys, *SMALL, "--groups", "groups.csv", "--no-tones")
    assert code == 0
    splits = read_splits(folder / "splits.json")
    place = {file: row for row, file in enumerate(splits.files)}
    assert splits.group[place["00.png"]] == splits.group[place["03.png"]]
    assert splits.group[place["12.png"]] == splits.group[place["23.png"]]
    assert len(splits.groups_sha256) == 64
    assert "in 10 groups" in out
    assert "20 images are not in the list of groups" in out
    assert "light" not in out


def test_a_plain_split_is_loud(folder, capsys):
    code, out, _ = run(capsys, *SMALL, "--plain", "--no-tones", "--seed", "1")
    assert code == 0
    assert "UNGROUPED: images were dealt one by one" in out
    assert "Leak: group " in out
    assert "leaking n" in out
    code, out, _ = run(capsys, *SMALL, "--plain", "--no-tones", "--seed", "1", "--force", "--json")
    told = json.loads(out)
    assert told["warning"].startswith("UNGROUPED")
    for leak in told["crossing"]:
        assert leak["test"]
        assert leak["train"]
    crossing = sum(fold["crossing_groups"] for fold in told["repeats"][0])
    assert len(told["crossing"]) == crossing > 0


def test_an_official_split_and_where_it_leaks(folder, capsys):
    parts = ["train"] * 10 + ["val", "test"] + ["train"] * 9 + ["test"] * 2 + ["val"]
    (folder / "official.csv").write_text(
        "file,part\n" + "".join(f"{number:02d},{part}\n" for number, part in enumerate(parts))
    )
    code, out, _ = run(capsys, "table.csv", "--out", "s.json", "--official", "official.csv", "--no-tones")
    assert code == 0
    assert "LEAKS: groups (one patient, lesion or photo) stand on both sides" in out
    assert 'Leak: group "set/P05": 11.png is tested, 10.png is learnt from' in out
    splits = read_splits(folder / "s.json")
    assert splits.plan.inner == "official"
    assert [splits.files[row] for row in splits.inner[0][0][0]] == ["10.png", "23.png"]
    code, _, err = run(capsys, "table.csv", "--out", "t.json", "--official", "official.csv", "--inner", "3")
    assert code == 2
    assert "official.csv brings its own validation part" in err


def test_one_group_at_a_time(folder, capsys):
    code, out, _ = run(
        capsys, "table.csv", "--out", "s.json", "--leave-one-group-out", "--no-tones", "--inner", "0"
    )
    assert code == 0
    splits = read_splits(folder / "s.json")
    assert splits.names == (tuple(f"set/P{number:02d}" for number in range(12)),)
    assert splits.inner == (((),) * 12,)
    assert "One group left out at a time: 24 images in 12 groups" in out


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(folder, capsys):
    (folder / "03.png").write_bytes(b"nothing")
    (folder / "17.png").unlink()
    code, out, _ = run(capsys, *SMALL)
    assert code == 1
    assert "Unreadable: 03.png: unreadable." in out
    assert "Unreadable: 17.png: unreadable." in out
    assert read_splits(folder / "splits.json").tone.count("unknown") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv", "--out", "s.json"), "table none.csv: no such file"),
        (("table.csv", "--out", "s.json", "--root", "nowhere"), "--root nowhere: no such folder"),
        (("table.csv", "--out", "."), "--out . is a folder; name a file such as splits.json"),
        (("table.csv", "--out", "table.csv"), "table.csv is there already. Figures may rest on it"),
        (("table.csv", "--out", "s.json", "--folds", "1"), "--folds must be 2 to 1000, not 1"),
        (
            ("table.csv", "--out", "s.json", "--validation", "0.9"),
            "--validation must be a share of 0.05 to 0.5",
        ),
        (("table.csv", "--out", "s.json", "--inner", "1"), "--inner must be 2 to 100, not 1"),
        (
            ("table.csv", "--out", "s.json", "--inner", "3", "--validation", "0.2"),
            "--inner and --validation do not go",
        ),
        (("table.csv", "--out", "s.json", "--plain", "--leave-one-group-out"), "do not go together"),
        (
            ("table.csv", "--out", "s.json", "--leave-one-group-out", "--folds", "3"),
            "--folds and --repeats do not go",
        ),
        (
            ("table.csv", "--out", "s.json", "--stratify", "tone"),
            "--stratify must be label or label+tone, not 'tone'",
        ),
        (("table.csv", "--out", "s.json", "--stratify", "label+tone", "--no-tones"), "needs skin tones"),
        (("table.csv",), "missing option '--out'"),
    ],
)
def test_misuse_is_told_before_anything_is_done(folder, capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert out == ""
    assert not (folder / "s.json").exists()


def test_a_refusal_leaves_no_file(folder, capsys):
    code, _, err = run(capsys, "table.csv", "--out", "s.json", "--no-tones")
    assert code == 1
    assert (
        'class "acne" has 6 independent groups (12 images), too few for 10 folds (other classes too: mpox): use 6'
        in err
    )
    assert not (folder / "s.json").exists()


def test_many_classes_are_told_as_ranges(folder, capsys):
    lines = [f"x{number}.png,class{number % 9},s,P{number}" for number in range(40)]
    (folder / "many.csv").write_text("file,label,dataset,patient\n" + "\n".join(lines) + "\n")
    code, out, _ = run(capsys, "many.csv", "--out", "s.json", "--folds", "4", "--inner", "0", "--no-tones")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert ["fold", "n", "groups", "unknown"] in rows
    assert ["class0", "5", "1", "2"] in rows
    assert ["class8", "4", "1", "1"] in rows
