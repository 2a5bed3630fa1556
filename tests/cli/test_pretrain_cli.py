"""`poxlens pretrain simclr` from the command line to the encoder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import draw, random_spec
from poxlens.files import sha256_file
from poxlens.train.backbones import load_backbone
from poxlens.train.contrastive.encoder import load_encoder, read_encoder_record
from poxlens.train.contrastive.pool import check_unseen
from poxlens.train.contrastive.run import Where, start_of
from poxlens.train.contrastive.settings import Settings

SMALL = ["--side", "32", "--epochs", "2", "--batch", "4", "--precision", "fp32", "--jobs", "1", "--offline"]

CHILD = """
import os, signal, sys
from poxlens.train.contrastive.training import Schedule, Training

plain = Training.run

def run(self, **options):
    self.schedule = Schedule(keep_every=0, watch_every=1)

    def advance(count):
        if len(self.losses) == 5:  # the second step of the second epoch
            os.kill(os.getpid(), signal.SIGKILL)

    return plain(self, **{**options, "advance": advance})

Training.run = run
from poxlens.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Twelve images to learn from, six labelled ones, and one that is none."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "pool").mkdir()
    lines = ["file,label"]
    for number in range(18):
        name = f"pool/{number}.png" if number < 14 else f"{number}.png"
        Image.fromarray(draw(random_spec(number, size=48)).image).save(folder / name)
        if number >= 12:
            lines.append(f"{name},{'mpox' if number % 2 else 'normal'}")
    (folder / "pool" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    (folder / "tested.csv").write_text("\n".join(lines) + "\n")
    return folder


def command(images, out, *more):
    sources = [str(images / "pool"), "--exclude", str(images / "tested.csv"), "--out", str(out)]
    return ["pretrain", "simclr", *sources, *SMALL, *map(str, more)]


def losses(out):
    return torch.load(out / "checkpoint.pt", weights_only=True)["losses"]


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory):
    """An unbroken run, its folder and what it printed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    done = subprocess.run(
        [sys.executable, "-m", "poxlens", *command(images, out, "--json", "--watch-every", 1)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # one image is no photo
    return out, json.loads(done.stdout), done.stderr


def test_a_run_leaves_an_encoder_and_all_that_is_known_of_it(images, whole):
    out, told, said = whole
    assert told["images"] == 12
    assert told["done"]
    assert told["epochs"] == 2
    assert told["watched"] == 6
    assert [file for file, _ in told["skipped"]] == ["pool/broken.jpg"]
    assert told["sha256"] == sha256_file(out / "encoder.safetensors")
    assert [one["epoch"] for one in told["watched_figures"]] == [0, 1, 2]
    assert "Plan: 12 images, 3 steps of 4 an epoch, 2 epochs" in said
    record = read_encoder_record(out)
    assert (record.network, record.start, record.images, record.epochs) == (
        "mobilenet-v3-small",
        "random",
        12,
        2,
    )
    assert record.pool_sha256 == sha256_file(out / "pool.csv") == told["pool_sha256"]
    config = json.loads((out / "config.json").read_text())
    assert config["settings"]["seed"] == 0
    assert config["settings"]["cached_side"] == 40
    assert config["pool"]["exclude"] == {str(images / "tested.csv"): sha256_file(images / "tested.csv")}
    assert config["versions"]["torch"] == torch.__version__
    assert len((out / "curve.csv").read_text().splitlines()) == 4
    assert "<polyline" in (out / "index.html").read_text()


def test_the_encoder_is_what_was_trained_and_knows_no_tested_image(images, whole):
    out = whole[0]
    backbone = load_encoder("mobilenet-v3-small", out)
    state = torch.load(out / "checkpoint.pt", weights_only=True)["encoder"]
    found = backbone.parts.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], value) for name, value in state.items())
    check_unseen(out, read_manifest(images / "tested.csv").rows)


def test_killed_within_an_epoch_it_goes_on_to_the_same_losses(images, whole, tmp_path):
    out = tmp_path / "run"
    arguments = command(images, out, "--watch-every", 1)
    killed = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (out / "encoder.safetensors").exists()
    assert losses(out) == losses(whole[0])[:4]
    again = subprocess.run(
        [sys.executable, "-m", "poxlens", *arguments, "--resume"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1, again.stderr  # of the image that is no photo
    assert losses(out) == losses(whole[0])
    assert sha256_file(out / "encoder.safetensors") == whole[1]["sha256"]
    assert (out / "curve.csv").read_bytes() == (whole[0] / "curve.csv").read_bytes()


def test_a_plan_trains_nothing(images, tmp_path, capsys):
    assert main(command(images, tmp_path / "run", "--plan", "--json")) == 1
    told = json.loads(capsys.readouterr().out)
    plan = told["plan"]
    assert (plan["images"], plan["steps"], plan["batch"], plan["fits"]) == (12, 3, 4, True)
    assert plan["seconds"] == pytest.approx(plan["batch"] * 3 * 2 / plan["images_per_second"], rel=0.01)
    assert "encoder" not in told
    assert not (tmp_path / "run" / "config.json").exists()
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_out_of_time_it_stops_and_starts_from_another_encoder(images, whole, tmp_path, capsys):
    start = ("--start", whole[0], "--minutes", 0, "--exclude-rows", "file=pool/broken.jpg")
    assert main(command(images, tmp_path / "run", *start)) == 0
    shown = capsys.readouterr().out
    assert "12 images to learn from" in shown
    assert "stopped after 0 epochs: go on with --resume" in shown
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["start"] == f"encoder {whole[1]['sha256']}"


def test_a_run_that_is_done_stays_as_it_is(images, whole, capsys):
    before = (whole[0] / "encoder.safetensors").read_bytes()
    assert main(command(images, whole[0], "--resume", "--json", "--watch-every", 1)) == 1  # the damaged image
    told = json.loads(capsys.readouterr().out)
    assert told["done"]
    assert told["loss"] == whole[1]["loss"]
    assert (whole[0] / "encoder.safetensors").read_bytes() == before


def test_it_starts_from_published_weights(tmp_path):
    settings = Settings(network="efficientnet-lite0", side=64)
    found, origin = start_of(settings, Where(tmp_path, start="imagenet"))
    assert origin == "imagenet"
    expected = load_backbone(["efficientnet-lite0"]).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.state_dict().items())
    one, two, other = (
        start_of(replace(settings, seed=seed), Where(tmp_path))[0].state_dict() for seed in (0, 0, 1)
    )
    name = next(name for name, value in one.items() if name.startswith("parts") and value.ndim == 4)
    assert torch.equal(one[name], two[name])
    assert not torch.equal(one[name], other[name])


def refused(capsys, arguments, code=2):
    assert main(arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def test_what_is_asked_wrongly_is_told_before_anything_is_computed(images, whole, tmp_path, capsys):
    out = tmp_path / "run"
    assert "add --resume" in refused(capsys, command(images, whole[0]))
    assert "no such file" in refused(capsys, ["pretrain", "simclr", str(tmp_path / "no"), "--out", str(out)])
    for more, words in (
        (("--optimiser", "rmsprop"), "--optimiser must be one of sgd, lars, adamw"),
        (("--precision", "int8"), "--precision must be one of"),
        (("--exclude-rows", "colour=red"), "write COLUMN=VALUE"),
        (("--batch", "1"), "batch"),
    ):
        assert words in refused(capsys, command(images, out, *more))
    assert not out.exists()


def test_a_network_or_start_that_is_not_there_is_told(images, tmp_path, capsys):
    out = tmp_path / "run"
    assert "did you mean mobilenet-v3-small" in refused(
        capsys, command(images, out, "--network", "mobilenet-v3-smal"), 1
    )
    assert "must be" in refused(capsys, command(images, out, "--start", tmp_path / "none"), 1)
    assert "takes no images of 30 px" in refused(capsys, command(images, out, "--side", "30"), 1)


def test_the_family_of_verbs_says_what_there_is(capsys):
    assert main(["pretrain"]) == 2
    assert "simclr" in capsys.readouterr().err
    assert main(["pretrain", "--help"]) == 0
    assert "simclr" in capsys.readouterr().out
    assert "no method 'moco'" in refused(capsys, ["pretrain", "moco"])
