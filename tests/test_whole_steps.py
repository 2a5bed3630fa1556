"""The benchmark of whole training steps: pieces that are kept, judged by the target, halved where memory lacks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from benchmarks import training_steps, whole_steps
from benchmarks.measure import Result, Side
from PIL import Image

from poxlens.errors import TrainingError

NETWORK = ["--network", "mobilenet-v3-small", "--device", "cpu"]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """With a thread a core, steps wait for whatever else the machine does; one pair warms up enough here."""
    monkeypatch.setattr(whole_steps, "_WARM_UP", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def result(ratio=0.8, n=2):
    return Result(
        "x",
        ratio,
        0.5,
        False,
        (ratio, ratio),
        n,
        Side("a", ratio * 300, "images"),
        Side("b", 300.0, "images"),
    )


def piece(kind="simclr", batch=16):
    return whole_steps.Piece("mobilenet-v3-small", kind, 32, batch, 2, "fp32", "cpu", 1, "random")


@pytest.fixture
def measured(monkeypatch):
    """Names of the pieces that are measured; the ratio of each can be set."""
    found = {"names": [], "ratio": 0.8}

    def measure(one, device, pixels):
        found["names"].append(one.file)
        return whole_steps.Measured(one.batch, (), result(found["ratio"], one.pairs))

    monkeypatch.setattr(whole_steps, "measure", measure)
    return found


def test_both_kinds_are_timed_and_kept(tmp_path, capsys):
    command = ["--out", str(tmp_path), *NETWORK, "--quick", "--json"]
    assert whole_steps.main(command) == 0
    first = json.loads(capsys.readouterr().out)["pieces"]
    assert list(first) == ["mobilenet-v3-small-simclr", "mobilenet-v3-small-fine-tuning"]
    for kept in first.values():
        told = kept["result"]
        assert (told["n"], told["target"], told["at_most"], kept["batch"], kept["notes"]) == (
            2,
            0.5,
            False,
            4,
            [],
        )
        assert told["ratio"] == pytest.approx(told["ours"]["value"] / told["theirs"]["value"])
        assert told["ours"]["unit"] == "images a processor second"
        assert kept["asked"]["pixels"] == "random"
        assert kept["machine"]["device"] == "cpu"
    assert whole_steps.main(command) == 0  # read, not measured again: the same figures to the last digit
    assert json.loads(capsys.readouterr().out)["pieces"] == first


@pytest.mark.parametrize(("ratio", "code", "word"), [(0.8, 0, "pass"), (0.45, 1, "MISS")])
def test_a_miss_fails(tmp_path, capsys, measured, ratio, code, word):
    measured["ratio"] = ratio
    assert whole_steps.main(["--out", str(tmp_path), *NETWORK]) == code
    text = capsys.readouterr().out
    assert f"{word}  x: {ratio:.3f} (target ≥ 0.5; n 12" in text
    assert "pixels: random" in text
    assert whole_steps.main(["--out", str(tmp_path), *NETWORK]) == code
    assert len(measured["names"]) == 2


def test_the_largest_two_networks_are_the_default(tmp_path, measured):
    assert whole_steps.main(["--out", str(tmp_path), "--device", "cpu"]) == 0
    assert measured["names"] == [
        "resnext-101-64x4d-simclr.json",
        "resnext-101-64x4d-fine-tuning.json",
        "swin-b-simclr.json",
        "swin-b-fine-tuning.json",
    ]
    kept = json.loads((tmp_path / "swin-b-simclr.json").read_text())["asked"]
    assert (kept["side"], kept["batch"], kept["pairs"], kept["precision"]) == (224, 256, 12, "fp32")


def test_a_run_in_pieces_goes_on(tmp_path, capsys, measured):
    command = ["--out", str(tmp_path), *NETWORK]
    assert whole_steps.main([*command, "--minutes", "0"]) == 0
    told = capsys.readouterr().out
    assert "not measured yet: mobilenet-v3-small-simclr, mobilenet-v3-small-fine-tuning" in told
    assert not measured["names"]
    (tmp_path / "mobilenet-v3-small-simclr.json").write_text("{")  # cut off: measured again
    assert whole_steps.main(command) == 0
    assert len(measured["names"]) == 2
    assert "not measured yet" not in capsys.readouterr().out
    assert whole_steps.main([*command, "--side", "64"]) == 0  # other settings are other pieces
    assert len(measured["names"]) == 4


def test_a_network_that_fails_is_named_and_the_rest_goes_on(tmp_path, capsys, monkeypatch):
    def measure(one, device, pixels):
        if one.kind == "simclr":
            raise TrainingError("too large by far")
        return whole_steps.Measured(one.batch, (), result(n=one.pairs))

    monkeypatch.setattr(whole_steps, "measure", measure)
    assert whole_steps.main(["--out", str(tmp_path), *NETWORK]) == 1
    text = capsys.readouterr().out
    assert "FAILED  mobilenet-v3-small-simclr: too large by far" in text
    assert "pass  x: 0.800" in text
    assert [file.name for file in tmp_path.iterdir()] == ["mobilenet-v3-small-fine-tuning.json"]


@pytest.mark.parametrize("fault", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_a_batch_that_does_not_fit_is_halved_and_said(monkeypatch, fault):
    asked = []

    def timed(one, batch, device, pixels):
        asked.append(batch)
        if batch > 4:
            raise fault
        return result()

    monkeypatch.setattr(whole_steps, "_timed", timed)
    found = whole_steps.measure(piece(), CPU, None)
    assert (asked, found.batch) == ([16, 8, 4], 4)
    assert found.notes == (
        "16 images did not fit into the memory: 8 from there on",
        "8 images did not fit into the memory: 4 from there on",
    )
    with pytest.raises(TrainingError, match="7 images do not fit"):
        whole_steps.measure(piece(batch=7), CPU, None)


def test_another_fault_is_no_lack_of_memory(monkeypatch):
    def timed(one, batch, device, pixels):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(whole_steps, "_timed", timed)
    with pytest.raises(RuntimeError, match="shapes"):
        whole_steps.measure(piece(), CPU, None)


def test_a_step_that_training_cut_in_parts_is_not_timed(tmp_path, monkeypatch):
    """Both trainings go on with parts; the benchmark takes a smaller batch instead."""
    from poxlens.train.contrastive.stepping import Learner
    from poxlens.train.supervised.stepping import Stepper

    embed, whole = Learner._at_once, Stepper._gradients

    def at_once(learner, views, seed):
        if len(views) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return embed(learner, views, seed)

    def gradients(stepper, rows, seed):
        if stepper.part > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(stepper, rows, seed)

    monkeypatch.setattr(Learner, "_at_once", at_once)
    monkeypatch.setattr(Stepper, "_gradients", gradients)
    for kind in whole_steps.KINDS:
        found = whole_steps.measure(piece(kind, 8), CPU, None)
        assert found.batch == 4
        assert found.notes == ("8 images did not fit into the memory: 4 from there on",)
        assert found.result.ratio > 0


def test_packed_images_are_taken_and_said(tmp_path, capsys, measured):
    table = tmp_path / "photos"
    table.mkdir()
    for number in range(6):
        Image.fromarray(np.full((50, 60, 3), 40 * number, np.uint8)).save(table / f"{number}.png")
    (table / "5.png").write_bytes(b"damaged")
    lines = ["file,label", *(f"{number}.png,mpox" for number in range(6))]
    (table / "manifest.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    command = ["--out", str(out), "--side", "32"]
    assert whole_steps.main([*command, "--pack", str(table / "manifest.csv"), "--count", "4"]) == 0
    told = capsys.readouterr().out
    assert "3 images at 40 px, 0 MB; 1 could not be read" in told
    packed = np.load(out / "pixels.npy")
    assert packed[:, 20, 20, 0].tolist() == pytest.approx([0, 40, 120], abs=6)
    assert whole_steps.main([*command, *NETWORK]) == 0
    assert "pixels: 3 images, SHA-256 " in capsys.readouterr().out
    assert whole_steps.main(["--out", str(out), "--side", "64", *NETWORK]) == 2
    assert "holds no images of 80 px" in capsys.readouterr().err


def test_pixels_reach_the_steps(tmp_path):
    packed = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 40, 40, 3), np.uint8)
    training_steps.simclr_step(tmp_path, "mobilenet-v3-small", 32, 4, pixels=packed)
    (file,) = tmp_path.glob("*.npy")
    assert np.load(file)[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_misuse(tmp_path, capsys):
    assert whole_steps.main(["--out", str(tmp_path), "--pack", str(tmp_path / "none.csv")]) == 2
    assert "none.csv" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        whole_steps.main(["--out", str(tmp_path), "--tuning-batch", "2"])
    assert stopped.value.code == 2
    if not torch.cuda.is_available():
        assert whole_steps.main(["--out", str(tmp_path), "--device", "cuda"]) == 2
        assert "finds no GPU" in capsys.readouterr().err
