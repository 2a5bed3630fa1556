"""`poxlens data leak-demo`: end to end on phantoms with random labels, and what is asked wrongly is told."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.phantom import draw, random_spec

PERSONS = 16


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two phantoms a person; every second person is said to have mpox, whatever the phantom shows."""
    folder = tmp_path_factory.mktemp("photos")
    lines = ["file,label,dataset,patient"]
    for person in range(PERSONS):
        image = Image.fromarray(draw(random_spec(person, size=160, ita=30)).image)
        for number, part in enumerate((image, image.crop((8, 8, 152, 152)))):
            name = f"{person}-{number}.png"
            part.save(folder / name)
            lines.append(f"{name},{('mpox', 'others')[(person * 7 // 3) % 2]},a,{person}")
    Image.fromarray(draw(random_spec(99, size=160, ita=30)).image).save(folder / "b.png")
    lines.append("b.png,mpox,b,1")
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return folder


def command(photos, out, *more):
    fixed = ["data", "leak-demo", photos / "t.csv", "--out", out, "--offline", "--jobs", "1", "--copies", "2"]
    return [*map(str, fixed), *map(str, more)]


@pytest.fixture(scope="module")
def finished(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("leak") / "out"
    groups = out.parent / "groups.csv"
    groups.write_text("file,group\n0-0.png,x\nb.png,x\n")
    options = ["--dataset", "a", "--with", "b", "--groups", groups, "--repeats", "1", "--folds", "3"]
    assert main(command(photos, out, *options, "--head", "1-nn", "--head", "logistic")) == 0
    return out, options


def test_everything_is_written(finished):
    out, _ = finished
    names = {path.name for path in out.iterdir()}
    protocols = ("common", "image", "grouped", "merged", "strict")
    assert names == {"leak.html", "leak.svg", "metrics.json", "features", "parts"} | {
        f"predictions-{name}.csv.gz" for name in protocols
    }
    told = json.loads((out / "metrics.json").read_text())
    assert (told["images"], told["groups"], told["others"]) == (2 * PERSONS, PERSONS, 1)
    assert told["counts"] == {"mpox": 18, "others": 14}
    assert told["plan"]["copies"] == 2
    for name, digest in told["predictions"].items():
        assert hashlib.sha256(gzip.decompress((out / name).read_bytes())).hexdigest() == digest


def test_copies_of_an_image_stand_on_both_sides_only_under_the_common_protocol(finished):
    out, _ = finished
    shared = {}
    for protocol in ("common", "image", "grouped"):
        data = gzip.decompress((out / f"predictions-{protocol}.csv.gz").read_bytes()).decode()
        rows = [r for r in csv.DictReader(io.StringIO(data)) if (r["head"], r["copies"]) == ("1-nn", "2")]
        for key in ("file", "group"):
            folds: dict[str, set[str]] = {}
            for cells in rows:
                folds.setdefault(cells[key], set()).add(cells["fold"])
            shared[protocol, key] = sum(len(found) > 1 for found in folds.values())
    assert shared["common", "file"] > 20
    assert shared["image", "file"] == 0
    assert shared["image", "group"] > 5
    assert shared["grouped", "file"] == shared["grouped", "group"] == 0


def test_labels_without_meaning_are_learnt_only_where_the_split_leaks(finished):
    out, _ = finished
    told = json.loads((out / "metrics.json").read_text())
    value = {
        (m["protocol"], m["head"]): m["clustered"]["accuracy"]["value"]
        for m in told["measured"]
        if m["copies"] == 2
    }
    assert value["common", "1-nn"] > 0.85
    assert value["image", "1-nn"] > 0.8
    assert value["grouped", "1-nn"] < 0.75
    (gap,) = [g for g in told["gaps"] if (g["head"], g["copies"], g["above"]) == ("1-nn", 2, "common")]
    assert gap["figures"]["accuracy"]["low"] > 0


def test_the_page_holds_every_figure_and_no_photo(finished):
    out, _ = finished
    page = (out / "leak.html").read_text()
    told = json.loads((out / "metrics.json").read_text())
    assert "<img" not in page
    assert "<script" not in page
    for measured in told["measured"]:
        if measured["copies"] == 2:
            assert f"{measured['clustered']['accuracy']['value']:.3f}" in page
    for protocol in told["protocols"]:
        assert f'<th scope="row">{protocol}</th>' in page


def test_the_figure_is_a_valid_svg_of_its_own(finished):
    out, _ = finished
    root = ElementTree.fromstring((out / "leak.svg").read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"common", "grouped", "strict", "1-nn", "logistic", "accuracy", "AUROC", "macro F1"} <= texts
    assert not list(root.iter("{http://www.w3.org/2000/svg}image"))


def test_again_as_json_gives_the_same_from_the_parts(finished, photos, capsys):
    out, options = finished
    before = (out / "metrics.json").read_text()
    assert main(command(photos, out, *options, "--head", "1-nn", "--head", "logistic", "--json")) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == json.loads(before)
    assert "features of images and copies (99)" in shown.err
    assert (out / "metrics.json").read_text() == before


def test_the_table_on_the_terminal(finished, photos, capsys):
    out, options = finished
    assert main(command(photos, out, *options, "--head", "1-nn", "--head", "logistic")) == 0
    shown = capsys.readouterr().out
    assert "32 images in 16 groups, 2 copies of each" in shown
    assert re.search(r"1-nn +common +96 +100%", shown)
    assert "common − grouped" in shown
    assert "leak.html" in shown


def test_an_unreadable_image_is_listed_and_the_rest_go_on(photos, tmp_path, capsys):
    (photos / "broken.png").write_bytes(b"no image")
    table = tmp_path / "t.csv"
    table.write_text((photos / "t.csv").read_text() + "broken.png,mpox,a,77\nnone.png,mpox,a,78\n")
    arguments = ["data", "leak-demo", table, "--root", photos, "--out", tmp_path / "out", "--offline"]
    arguments += ["--jobs", "1", "--copies", "1", "--repeats", "1", "--folds", "2", "--head", "1-nn"]
    assert main([*map(str, arguments)]) == 1
    shown = capsys.readouterr().out
    assert "Not read: broken.png (unreadable." in shown
    assert "Not read: none.png (unreadable." in shown
    told = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert [one["file"] for one in told["skipped"]] == ["broken.png", "none.png"]
    assert told["images"] == 2 * PERSONS + 1
    assert "broken.png was not used" in (tmp_path / "out" / "leak.html").read_text()


def test_a_network_is_fine_tuned_when_asked(photos, tmp_path, monkeypatch):
    from poxlens.recipes.leak import network, run

    monkeypatch.setattr(
        network, "load_backbone", lambda names, weights: run.load_backbone(("efficientnet-lite0",))
    )
    monkeypatch.setitem(network.NETWORKS, "mobilenet-v3-small", network.NETWORKS["efficientnet-lite0"])
    out = tmp_path / "out"
    options = [
        "--dataset",
        "a",
        "--repeats",
        "1",
        "--folds",
        "2",
        "--head",
        "1-nn",
        "--fine-tune",
        "--epochs",
        "1",
    ]
    assert main(command(photos, out, *options)) == 0
    told = json.loads((out / "metrics.json").read_text())
    mine = {m["protocol"]: m for m in told["measured"] if m["head"] == "fine-tuned"}
    assert set(mine) == {"common", "common, originals", "image", "grouped"}
    assert mine["common"]["rows"] == 96
    assert mine["grouped"]["rows"] == 32


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dataset", "z"], 'no row has the data set "z"'),
        (["--target", "pox"], 'no image has the label "pox"'),
        (["--network", "vgg"], "--network must be one of"),
        (["--head", "tree"], "--head must be one of"),
        (["--with", "b"], "--with needs --dataset"),
        (["--dataset", "a", "--with", "b"], "--with needs --groups"),
        (["--dataset", "a", "--with", "a", "--groups", "x"], "cannot be both"),
        (["--copies", "0"], "--copies"),
        (["--folds", "1"], "--folds"),
        (["--groups", "none.csv"], "cannot be read"),
        (["--root", "nowhere"], "no such folder"),
    ],
)
def test_misuse_is_told_before_any_work(photos, tmp_path, capsys, options, said):
    assert main(command(photos, tmp_path / "out", *options)) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_table_of_groups_of_other_files_is_misuse(photos, tmp_path, capsys):
    (tmp_path / "g.csv").write_text("file,group\nelse.png,1\n")
    assert main(command(photos, tmp_path / "out", "--groups", tmp_path / "g.csv")) == 2
    assert "names no file of" in capsys.readouterr().err


def test_a_faulty_table_is_misuse(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("file,kind\na,b\n")
    assert main(["data", "leak-demo", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out")]) == 2
    assert 'no column "label"' in capsys.readouterr().err


def test_too_few_groups_for_the_folds(photos, tmp_path, capsys):
    options = ["--dataset", "a", "--folds", "20", "--repeats", "1", "--head", "1-nn"]
    assert main(command(photos, tmp_path / "out", *options)) == 1
    assert "too few for 20 folds" in capsys.readouterr().err
