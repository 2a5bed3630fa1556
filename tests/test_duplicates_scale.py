"""The scale benchmark measures what it says: its images, its score, its verdicts, its long kill."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from benchmarks import duplicates_scale, phantom_crowd
from benchmarks.duplicates_scale import AUDIT, HASHES, OURS, Run, judge, score

from poxlens.data.manifest import read_manifest
from poxlens.data.scan import scan, shards

ROOT = Path(__file__).parents[1]


def run(name, count, seconds, recall=0.9, memory=100.0, stopped=False):
    return Run(name, count, (seconds, 0.0), recall, 1.0, {}, 200.0, memory, stopped=stopped)


def test_a_thumbnail_depends_on_its_number_alone():
    one = phantom_crowd.thumbnail(17)
    assert one.shape == (128, 128, 3)
    np.testing.assert_array_equal(one, phantom_crowd.thumbnail(17))
    assert np.abs(one.astype(int) - phantom_crowd.thumbnail(18)).mean() > 3


def test_one_in_ten_is_a_copy_of_one_that_is_none(tmp_path):
    crowd = phantom_crowd.make(tmp_path, 70, workers=1)
    assert len(crowd.copies) == 7
    assert set(crowd.kinds.values()) == set(phantom_crowd.COPIES)
    assert not set(crowd.copies) & set(crowd.copies.values())
    rows = read_manifest(crowd.manifest).rows
    assert len(rows) == 70
    assert all(row.path.exists() for row in rows)
    for copy, original in crowd.copies.items():
        assert rows[copy].label == rows[original].label


def test_score_counts_planted_pairs(tmp_path):
    crowd = phantom_crowd.Crowd(tmp_path, {8: 1, 9: 2}, {8: "crop", 9: "mirror"})
    name = phantom_crowd.name
    told = [[name(8), name(1)], [name(1), name(2)], [name(3), name(4)], [name(1), name(8)]]
    assert score(crowd, told) == (0.5, pytest.approx(1 / 3), {"crop": 1.0, "mirror": 0.0})
    assert score(crowd, []) == (0.0, 0.0, {"crop": 0.0, "mirror": 0.0})


def test_verdicts():
    ours = [run(OURS, 1000, 10), run(HASHES, 1000, 4, 0.7)]
    assert judge([*ours, run("imagededup phash", 1000, 6, 0.6), run("imagededup cnn", 1000, 15, 0.9)]) == []
    slow, blind = run("imagededup phash", 1000, 5.9, 0.6), run("imagededup cnn", 1000, 70, 0.91)
    faults = judge([*ours, slow, blind])
    assert len(faults) == 2
    assert "poxlens hash is 1.48 times as fast as imagededup phash" in faults[0]
    assert "recall 0.900" in faults[1]
    unknown = run("imagededup cnn", 1000, 30, float("nan"), stopped=True)
    assert judge([*ours, unknown]) == []
    for name in (OURS, HASHES, AUDIT):
        assert judge([run(name, 1000, 1), run(name, 10_000, 15, memory=150)]) == []
        assert len(judge([run(name, 1000, 1), run(name, 10_000, 16)])) == 1
        (fault,) = judge([run(name, 1000, 1), run(name, 10_000, 10, memory=151)])
        assert "memory grows 1.51 times" in fault


def test_the_benchmark_runs_and_says_what_it_leaves_out(capsys):
    assert duplicates_scale.main(["--count", "140", "--json"]) == 0
    shown = capsys.readouterr()
    assert "imagededup is left out" in shown.err
    whole, hashes = json.loads(shown.out)["runs"]
    assert (whole["name"], hashes["name"]) == (OURS, HASHES)
    for found, least in ((whole, 5 / 7), (hashes, 4 / 7)):
        assert found["count"] == 140
        assert found["recall"] >= least
        assert found["precision"] == 1.0
        assert found["memory"] > 20
        assert 0.1 < found["processor"] < 600


@pytest.mark.soak
def test_ten_thousand_images_killed_ten_times(tmp_path):
    """Each kill after a random while; what was finished is never lost, and the end is that of a clean run."""
    crowd = phantom_crowd.make(tmp_path, 10_000)
    manifest, store = read_manifest(crowd.manifest), tmp_path / "store"
    script = (
        "import sys; from pathlib import Path; from poxlens.data.manifest import read_manifest;"
        "from poxlens.data.scan import scan; scan(read_manifest(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    rng, kept = np.random.default_rng(0), 0
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(crowd.manifest), str(store)], cwd=ROOT
        ) as process:
            time.sleep(float(rng.uniform(0.2, 6)))
            process.send_signal(signal.SIGKILL)
        time.sleep(3)  # workers end with the block they are at
        now = sum(len(content) for _, content in shards.known(store)) if store.exists() else 0
        assert now >= kept
        kept = now
    seen, clean = scan(manifest, store), scan(manifest, tmp_path / "clean")
    for name in ("hashes", "embedding", "traits", "thumb"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(clean, name))
