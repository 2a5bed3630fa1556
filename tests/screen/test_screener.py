from __future__ import annotations

import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from poxlens.photo.decode import decode
from poxlens.photo.resize import prepare
from poxlens.screen.context import Context
from poxlens.screen.decision import Outcome
from poxlens.screen.engine import probabilities
from poxlens.screen.screener import Screener
from poxlens.screen.stability import LIMIT


def test_a_photo_is_decided_by_its_own_numbers(screener, phantoms, tiny_path):
    decision = screener.screen(phantoms[0])
    manifest = screener.bundle.manifest
    prepared = prepare(decode(phantoms[0]).pixels, manifest.input)
    red = prepared[..., 0].mean() / 255.0
    expected = probabilities(np.array([2.0 * red, *[0.0] * 6]), manifest.calibration.temperature)
    assert decision.probabilities["mpox"] == pytest.approx(expected[0], abs=1e-5)
    assert decision.outcome is Outcome.uncertain
    assert decision.bundle == screener.bundle.label
    np.testing.assert_array_equal(decision.prepared, prepared)
    assert decision.heatmap.shape == (7, 7)
    np.testing.assert_array_equal(decision.heatmap, decision.heatmaps[0])
    assert [check.name for check in decision.quality] == [
        "short_side",
        "aspect",
        "dark",
        "bright",
        "blur",
        "skin",
    ]
    assert decision.skin_tone.group in ("light", "dark")
    assert set(decision.ms) == {"decode", "quality", "model", "total"}
    assert decision.ms["total"] >= decision.ms["decode"] + decision.ms["quality"] + decision.ms["model"] > 0


def test_a_map_is_checked_only_where_asked_and_changes_nothing_else(screener, phantoms, tiny_path):
    checked = Screener(tiny_path, check_maps=True)
    for photo in phantoms[:3]:
        plain, decision = screener.screen(photo), checked.screen(photo)
        assert plain.heatmap_stability is None
        assert "heatmap_check" not in plain.to_json()
        # The tiny model's map is the photo's own colour, so mirroring mirrors it.
        assert decision.heatmap_stability == pytest.approx(1.0, abs=1e-6)
        assert decision.to_json()["heatmap_check"]["unstable"] is False
        assert decision.outcome is plain.outcome
        assert decision.probabilities == plain.probabilities
        np.testing.assert_array_equal(decision.heatmap, plain.heatmap)
        assert set(decision.ms) == {"decode", "quality", "model", "heatmap", "total"}


def test_a_map_that_does_not_turn_with_the_photo_is_unstable(phantoms, tiny_path):
    class Stuck:
        """Points left in every photo."""

        def __init__(self, engine):
            self.engine = engine

        def loaded(self):
            self.engine.loaded()

        def run(self, images):
            found = self.engine.run(images)
            found.heatmap[:] = np.linspace(1, 0, 7)
            return found

    screener = Screener(tiny_path, check_maps=True)
    before = screener.screen(phantoms[0])
    screener.engine = Stuck(screener.engine)
    decision = screener.screen(phantoms[0])
    assert decision.heatmap_stability == pytest.approx(-1.0, abs=1e-6)
    assert decision.heatmap_unstable
    assert decision.to_json()["heatmap_check"] == {"stability": -1.0, "limit": LIMIT, "unstable": True}
    assert decision.outcome is before.outcome


def test_every_kind_of_source_gives_the_same(screener, phantoms, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(phantoms[1])
    sources = [path, str(path), phantoms[1], io.BytesIO(phantoms[1]), decode(phantoms[1])]
    found = [screener.screen(source).probabilities for source in sources]
    assert found == [found[0]] * 5


def test_the_model_decides_each_outcome(tiny, tmp_path, phantoms):
    def outcome(bias, photo=phantoms[0], **changes):
        name = f"b{len(list(tmp_path.iterdir()))}"
        model = tiny.model(bias=bias, **changes)
        return Screener(tiny.build(tmp_path / name, onnx_bytes=model)).screen(photo).outcome

    assert outcome([9, 0, 0, 0, 0, 0, 0]) is Outcome.refer
    assert outcome([-9, 9, 0, 0, 0, 0, 0]) is Outcome.not_suspected
    assert outcome([0] * 7) is Outcome.uncertain
    assert outcome([9, 0, 0, 0, 0, 0, 0], centre=(0, 1, 1)) is Outcome.cannot_assess


def test_a_bad_photo_is_a_decision(screener, tmp_path, grey):
    for source, code in [
        (tmp_path / "missing.jpg", "unreadable.missing"),
        (tmp_path, "unreadable.folder"),
        (b"", "unreadable.empty"),
        (b"hello, this is text", "unreadable.not_an_image"),
        (grey, "quality.skin"),
    ]:
        decision = screener.screen(source)
        assert decision.outcome is Outcome.cannot_assess
        assert decision.reasons[0].code == code
        assert decision.readable == code.startswith("quality")
        assert dict(decision.probabilities) == {}
        assert decision.ms["total"] > 0


def test_context_reaches_the_decision(screener, phantoms):
    decision = screener.screen(phantoms[0], context=Context(contact_with_case_21d=True))
    assert decision.outcome is Outcome.refer
    assert decision.context == Context(contact_with_case_21d=True)


def test_many_photos_come_in_order_and_equal_single_ones(screener, phantoms):
    photos = [*phantoms, b"broken", *phantoms]
    found = list(screener.screen_many(photos, workers=4))
    assert [item for item, _ in found] == photos
    for item, decision in found:
        alone = screener.screen(item)
        assert decision.outcome is alone.outcome
        assert decision.probabilities == alone.probabilities


def test_eight_threads_share_one_screener(screener, phantoms):
    expected = [screener.screen(photo).probabilities for photo in phantoms]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: screener.screen(phantoms[i % 8]).probabilities, range(64)))
    assert found == expected * 8


def test_photos_are_taken_only_as_far_ahead_as_there_is_work(screener, phantoms):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield phantoms[taken % 8]

    stream = screener.screen_many(endless(), workers=2)
    assert taken == 0
    for seen in range(1, 6):
        next(stream)
        assert taken <= seen + 4
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("poxlens_")]


def test_workers_are_checked_before_anything_is_done(screener):
    with pytest.raises(ValueError, match="workers must be 1 or more, not 0"):
        screener.screen_many([], workers=0)


def test_importing_poxlens_imports_no_heavy_thing():
    code = (
        "import sys, poxlens; heavy = {'onnxruntime', 'pydantic', 'torch', 'numpy', 'PIL', 'typer', 'rich'};"
        "print(sorted(heavy & set(sys.modules)));"
        "from poxlens import Screener, Decision, Context;"
        "heavy = (heavy - {'numpy', 'PIL'}) | {'scipy', 'onnx'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["[]", "[]"]
