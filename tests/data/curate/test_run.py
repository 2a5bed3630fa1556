"""A whole table: order, reasons, going on after a kill, bad files named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from poxlens.data.curate.proposals import read_proposals
from poxlens.data.curate.run import JOURNAL, curate
from poxlens.errors import CurationError

REASONS = {
    "a/left.png": "crop.skin",
    "a/whole.png": "crop.skin",
    "b/left.png": "crop.skin",
    "b/strip.png": "none.background",
    "b/wall.png": "none.no_skin",
    "b/small.png": "none.too_small",
    "b/torn.png": "none.unreadable",
}


def run(table, out, finder, **more):
    return curate(table, out, least_side=200, finder=finder, **more)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_image_has_a_proposal_in_the_tables_order(small_table, tmp_path, colour_finder, workers):
    seen = []
    found = run(small_table, tmp_path / "out", colour_finder, workers=workers, advance=lambda: seen.append(1))
    assert {one.file: one.reason for one in found.proposals} == REASONS
    assert [one.file for one in found.proposals] == [row.file for row in small_table.rows]
    assert read_proposals(tmp_path / "out" / "proposals.json") == found
    assert len(seen) == 7


def test_what_is_finished_is_not_done_again(small_table, tmp_path, colour_finder):
    first = run(small_table, tmp_path, colour_finder)
    calls = colour_finder.calls
    written = (tmp_path / "proposals.json").read_bytes()
    assert run(small_table, tmp_path, colour_finder) == first
    assert colour_finder.calls == calls
    assert (tmp_path / "proposals.json").read_bytes() == written


def test_a_changed_file_or_setting_is_done_again(small_table, tmp_path, colour_finder):
    run(small_table, tmp_path, colour_finder)
    calls = colour_finder.calls
    path = small_table.rows[0].path
    path.write_bytes(small_table.rows[4].path.read_bytes())
    found = run(small_table, tmp_path, colour_finder)
    assert found.proposals[0].reason == "none.no_skin"
    assert colour_finder.calls == calls + 1
    again = curate(small_table, tmp_path, least_side=100, finder=colour_finder)
    assert again.by_file["b/small.png"].reason == "crop.skin"


def test_a_journal_cut_off_anywhere_costs_that_line_alone(small_table, tmp_path, colour_finder):
    first = run(small_table, tmp_path, colour_finder, workers=1)
    journal = tmp_path / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3]) + lines[3][:50])
    assert run(small_table, tmp_path, colour_finder) == first
    kept = [
        json.loads(line)
        for line in journal.read_bytes().split(b"\n")
        if line.startswith(b"{") and line.endswith(b"}")
    ]
    assert {one["proposal"]["file"] for one in kept} == set(REASONS)


def test_a_missing_file_and_a_wrong_sum_are_named(small_table, tmp_path, colour_finder):
    rows = list(small_table.rows)
    rows[1].path.unlink()
    rows[2] = replace(rows[2], sha256="0" * 64)
    found = run(replace(small_table, rows=tuple(rows)), tmp_path, colour_finder)
    assert found.proposals[1].reason == found.proposals[2].reason == "none.unreadable"
    assert "a/whole.png" in found.proposals[1].sentence
    assert "SHA-256" in found.proposals[2].sentence
    assert found.proposals[0].reason == "crop.skin"


def test_a_file_in_the_folders_place_is_told(small_table, tmp_path, colour_finder):
    (tmp_path / "out").write_text("")
    with pytest.raises(CurationError, match="is a file"):
        run(small_table, tmp_path / "out", colour_finder)


def test_killed_and_started_again_it_goes_on(small_table, tmp_path, colour_finder):
    """kill -9 while it works: what the journal holds is not done again."""
    out = tmp_path / "out"
    script = (
        "import sys, time; from pathlib import Path\n"
        "from dataclasses import replace\n"
        "from poxlens.data.curate.run import curate; from poxlens.data.manifest import read_manifest\n"
        "import numpy as np\n"
        "class Slow:\n"
        "    sha256 = 'c' * 64\n"
        "    def maps(self, pixels):\n"
        "        time.sleep(0.4); grid = np.zeros((24, 32), np.float32); return grid, grid\n"
        "curate(read_manifest(Path(sys.argv[1]), root=Path(sys.argv[2])), Path(sys.argv[3]),"
        " least_side=200, finder=Slow(), workers=1)\n"
    )
    arguments = [sys.executable, "-c", script, str(tmp_path / "table.csv"), str(small_table.root), str(out)]
    process = subprocess.Popen(arguments)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (out / JOURNAL).exists() and (out / JOURNAL).read_bytes().count(b"\n") >= 2:
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "proposals.json").exists()
    finished = [json.loads(line) for line in (out / JOURNAL).read_bytes().split(b"\n")[:-1]]
    assert 2 <= len(finished) < 7
    # Same settings but a finder that says otherwise: what was finished stays as it was, unreadable files apart.
    found = run(small_table, out, colour_finder)
    kept = [one["proposal"] for one in finished if one["proposal"]["reason"] != "none.unreadable"]
    assert kept
    for one in kept:
        assert list(found.by_file[one["file"]].box or ()) == list(one["box"] or ())
    assert len(found.proposals) == 7
    fresh = {row.file for row in small_table.rows} - {one["file"] for one in kept}
    assert colour_finder.calls <= 4 * len(fresh)
