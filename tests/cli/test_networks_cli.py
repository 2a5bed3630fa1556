"""`poxlens networks` from the command line."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from poxlens.cli import networks as cli
from poxlens.cli.main import main
from poxlens.train.backbones import NETWORKS
from poxlens.train.networks import nasnet_keras, registry
from poxlens.train.networks.listing import markdown

DOCS = Path(__file__).parents[2] / "docs" / "networks.md"


@pytest.fixture(autouse=True)
def _no_folders(monkeypatch):
    monkeypatch.delenv("POXLENS_WEIGHTS", raising=False)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """mobilenet-v2 with weights that a test can write: their bytes, and a hub that is a file."""
    data = b"weights" * 1000
    source = tmp_path / "hub" / "net.pth"
    source.parent.mkdir()
    source.write_bytes(data)
    network = NETWORKS["mobilenet-v2"]
    known = replace(
        network.weights, file="net.pth", sha256=hashlib.sha256(data).hexdigest(), url=source.as_uri()
    )
    monkeypatch.setitem(registry.NETWORKS, "mobilenet-v2", replace(network, weights=known))
    return data


def test_all_are_listed(capsys):
    assert main(["networks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(NETWORKS)
    (vgg,) = [line.split() for line in lines if line.startswith("vgg16 ")]
    assert vgg == ["vgg16", "14.7", "M", "512", "224", "BSD-3-Clause", "-", "vgg16-397923af.pth"]
    (lite,) = [line.split() for line in lines if line.startswith("efficientnet-lite0 ")]
    assert lite[6] == "here"  # its package is installed


def test_one_in_words_and_in_json(capsys):
    assert main(["networks", "vit-b-16"]) == 0
    text = capsys.readouterr().out
    assert "ViT-B/16 (Yue 2024)" in text
    assert "85,798,656 without the classifier" in text
    assert "768, pooling: token" in text
    assert "224 px, a multiple of 16" in text
    assert "BSD-3-Clause" in text
    assert main(["networks", "nasnet-mobile", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["embedding"] == 1056
    assert told["check"] == "first use"
    assert told["here"] is None
    assert "--convert-nasnet" in told["source"]


def test_all_in_json(capsys):
    assert main(["networks", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told] == list(NETWORKS)
    assert sum(one["paper"] == "Campana 2024" for one in told) == 5
    assert sum(one["paper"] == "Yue 2024" for one in told) == 10


def test_weights_in_a_folder_are_seen_and_wrong_ones_fail(small, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "net.pth").write_bytes(small)
    assert main(["networks", "mobilenet-v2", "--weights", str(folder)]) == 0
    assert str(folder / "net.pth") in capsys.readouterr().out
    monkeypatch.setenv("POXLENS_WEIGHTS", str(folder))
    (folder / "net.pth").write_bytes(small[:-1])
    assert main(["networks"]) == 1
    captured = capsys.readouterr()
    assert "WRONG FILE" in captured.out
    assert "mobilenet-v2: " in captured.err
    assert "is not the published file" in captured.err


def test_weights_are_fetched(small, tmp_path, capsys):
    folder = tmp_path / "fetched"
    assert main(["networks", "mobilenet-v2", "--fetch", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["here"] == str(folder / "net.pth")
    assert (folder / "net.pth").read_bytes() == small
    assert main(["networks", "nasnet-mobile", "--fetch", str(folder)]) == 1
    assert "--convert-nasnet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["VGG-16"], 'unknown network "VGG-16": did you mean vgg16?'),
        (["timm:resnet_18"], "did you mean timm:resnet18"),
        (["--fetch", "folder"], "--fetch needs the name of a network"),
        (["--convert-nasnet", "a.h5"], "belong together"),
    ],
)
def test_misuse(arguments, message, capsys):
    assert main(["networks", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_nasnet_is_converted(tmp_path, monkeypatch, capsys):
    def convert(source, folder):
        return folder / nasnet_keras.FILE, source.name == "published.h5"

    monkeypatch.setattr(nasnet_keras, "convert", convert)
    words = ["networks", "--out", str(tmp_path), "--convert-nasnet"]
    assert main([*words, "published.h5"]) == 0
    captured = capsys.readouterr()
    assert str(tmp_path / "nasnet_mobile.safetensors") in captured.out
    assert captured.err == ""
    assert main([*words, "own.h5"]) == 0
    assert "another MD5 than Keras' published files" in capsys.readouterr().err
    assert main([*words, "own.h5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["published"] is False


def test_the_table_of_the_guide_is_that_of_the_specs(capsys):
    assert main(["networks", "--markdown"]) == 0
    table = capsys.readouterr().out
    assert table == markdown(NETWORKS.values())
    assert table in DOCS.read_text("utf-8")


def test_the_programs_of_the_guide_run():
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    exec(compile(code, "networks.md", "exec"), {})


def test_the_commands_of_the_guide_are_understood(monkeypatch, tmp_path, capsys):
    lines = re.findall(r"^poxlens (networks[^#\n]*)", DOCS.read_text("utf-8"), re.MULTILINE)
    assert len(lines) == 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_fetch", lambda network, folders, cache: None)
    monkeypatch.setattr(nasnet_keras, "convert", lambda source, folder: (folder / "net", True))
    for line in lines:
        assert main(shlex.split(line)) == 0, line
        assert capsys.readouterr().out
