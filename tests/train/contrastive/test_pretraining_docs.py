"""docs/pretraining.md: its command is understood, its program runs, its defaults are those of the source."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch

from poxlens.cli.main import main
from poxlens.cli.pretrain.simclr import simclr
from poxlens.data.manifest import Row, write_manifest
from poxlens.errors import TrainingError
from poxlens.train.contrastive import run
from poxlens.train.contrastive.encoder import EncoderRecord, save_encoder
from poxlens.train.contrastive.pool import Pool
from poxlens.train.contrastive.settings import RULES, Settings, ViewSettings
from poxlens.train.networks.registry import find_network

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "pretraining.md").read_text("utf-8")


def test_the_command_line(tmp_path, monkeypatch):
    (block,) = re.findall(r"```sh\n(poxlens pretrain.*?)\n```", TEXT, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for name in ("data/manifest.csv", "groups.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("file,label\na.png,mpox\n")
    words = shlex.split(
        block.replace("\\\n", " ").replace("../shared/", "").replace("results/duplicates/", "")
    )
    asked = []

    class ReachedError(TrainingError):
        pass

    def pretrain(images, settings, where, *rest, only_plan, **more):
        asked.append((images, settings, where.out, only_plan))
        raise ReachedError("reached")

    monkeypatch.setattr(run, "pretrain", pretrain)
    assert main(words[1:]) == 1
    ((images, settings, out, only_plan),) = asked
    assert only_plan
    assert out == Path("runs/simclr/mine")
    assert images.groups == Path("groups.csv")
    assert images.exclude_rows[1] == {"dataset": "msld", "label": "mpox"}
    assert len(images.exclude_rows) == 6
    assert settings == Settings()  # the defaults of the command line are those of the library


def test_the_program_checks_and_reads_an_encoder(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "runs" / "simclr" / "mine"
    rows = [Row(f"{name}.png", tmp_path / f"{name}.png", "mpox", sha256=name * 64) for name in "ab"]
    write_manifest(tmp_path / "tested.csv", rows[:1])
    torch.manual_seed(0)
    record = EncoderRecord("mobilenet-v3-small", "simclr", "random", 64, 1, 1, "c" * 64, 0)
    out.mkdir(parents=True)
    save_encoder(out, find_network("mobilenet-v3-small").build(None), record)
    Pool(tuple(rows[1:]), (), (), ()).write(out)
    exec(compile(code, "pretraining.md", "exec"), {})
    assert capsys.readouterr().out == "576\n"
    Pool(tuple(rows), (), (), ()).write(out)
    with pytest.raises(TrainingError, match="has learnt from 1 of the tested images"):
        exec(compile(code, "pretraining.md", "exec"), {})


def test_every_option_and_default_is_told(options_of):
    names = sorted(options_of(simclr))
    assert len(names) > 25
    assert [name for name in names if f"`{name}" not in TEXT and f"{name} " not in TEXT] == []
    settings, usual = Settings(), ViewSettings()
    row = {
        line.split("|")[1].strip(): line.split("|")[2].strip()
        for line in TEXT.splitlines()
        if "|" in line[:1]
    }
    assert row["`--epochs`, `--batch`, `--side`, `--cached-side`"] == (
        f"{settings.epochs}, {settings.batch}, {settings.side}, a quarter more"
    )
    assert row["`--temperature`"] == f"{settings.temperature:g}"
    assert row["`--smallest-crop`, `--colour`"] == f"{usual.smallest:g}, {usual.hue / 0.2:g}"
    assert f"`sgd`, {RULES['sgd'].learning_rate:g} × batch / 256, {settings.warm_up}" in TEXT
    assert f"`lars` ({RULES['lars'].learning_rate:g} × batch / 256)" in TEXT
    assert f"`adamw` ({RULES['adamw'].learning_rate:g})" in TEXT
