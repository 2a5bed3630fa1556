"""All images of a table, side by side; interrupted at any point, a later run goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from poxlens.data.curate import reasons
from poxlens.data.curate.finder import Finder, shipped_finder
from poxlens.data.curate.proposals import (
    NAME,
    NONE,
    Proposal,
    Proposals,
    proposal_from_json,
    write_proposals,
)
from poxlens.data.curate.propose import LEAST_SIDE, Rule, propose
from poxlens.data.manifest import Manifest, Row
from poxlens.errors import CurationError
from poxlens.files import sha256_bytes

JOURNAL = "proposals.part.jsonl"
_FLUSH = 16  # proposals between two fsyncs: what a power cut can cost; a killed process loses none
_MOST_BYTES = 512_000_000  # of one file; a longer one is no photo


def curate(
    manifest: Manifest,
    out: Path,
    *,
    least_side: int = LEAST_SIDE,
    rule: Rule | None = None,
    workers: int = 2,
    finder: Finder | None = None,
    advance: Callable[[], object] | None = None,
) -> Proposals:
    """Propose a crop for every image of the table and write OUT/proposals.json.

    Each finished image goes to a journal beside it at once. A later call with the same settings takes a file from
    there when its size and time of change are the same; proposals are in the table's order whatever the workers
    did, so the same images give the same bytes.

    Args:
        manifest: the table.
        out: folder for `proposals.json`.
        least_side: the smallest crop, px.
        rule: what decides; None for the shipped rule.
        workers: images worked on side by side.
        finder: the network; None for the shipped one.
        advance: called after each image.

    Raises:
        CurationError: `out` is a file.
        OSError: `out` cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise CurationError(f"{out}: is a file; name a folder.")
    out.mkdir(parents=True, exist_ok=True)
    rule, finder = rule or Rule(), finder or shipped_finder()
    settings = {"least_side": least_side, **rule.to_json(), "finder_sha256": finder.sha256}
    journal = _Journal(out / JOURNAL, settings)
    found: dict[str, Proposal] = {}
    waiting: list[Row] = []
    for row in manifest.rows:
        known = journal.known(row)
        if known is None:
            waiting.append(row)
        else:
            found[row.file] = known
            _call(advance)

    def work(row: Row) -> Proposal:
        return _propose(row, least_side, rule, finder)

    with journal:
        for row, proposal in _side_by_side(work, waiting, workers):
            found[row.file] = proposal
            journal.add(row, proposal)
            _call(advance)
    proposals = Proposals(
        manifest_sha256=manifest.sha256,
        root=str(manifest.root),
        least_side=least_side,
        settings={key: value for key, value in settings.items() if key != "least_side"},
        proposals=tuple(found[row.file] for row in manifest.rows),
    )
    write_proposals(out / NAME, proposals)
    return proposals


def _propose(row: Row, least_side: int, rule: Rule, finder: Finder) -> Proposal:
    try:
        if row.path.stat().st_size > _MOST_BYTES:
            return _unreadable(row, f"{row.file}: is larger than {_MOST_BYTES // 1_000_000} MB, no photo.")
        data = row.path.read_bytes()
    except OSError as fault:
        return _unreadable(row, f"{row.file}: cannot be read: {fault.strerror or fault}.")
    if row.sha256 and sha256_bytes(data) != row.sha256:
        told = f"{row.file}: its SHA-256 is not the one in the table; the file was changed."
        return replace(_unreadable(row, told), sha256=sha256_bytes(data))
    return propose(data, row.file, row.label, least_side=least_side, rule=rule, finder=finder)


def _unreadable(row: Row, told: str) -> Proposal:
    return Proposal(row.file, row.label, "", 0, 0, NONE, None, reasons.UNREADABLE, told, 0.0)


def _side_by_side(
    work: Callable[[Row], Proposal], rows: list[Row], workers: int
) -> Iterator[tuple[Row, Proposal]]:
    """Each row with its proposal as it is finished; a bounded number are in hand, so memory stays flat."""
    remaining = iter(rows)
    running: dict[Future[Proposal], Row] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                for row in remaining:
                    running[pool.submit(work, row)] = row
                    if len(running) >= 2 * workers:
                        break
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()


class _Journal:
    """Finished proposals, a line each, with the settings they were made with."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path, self._settings = path, sha256_bytes(json.dumps(settings, sort_keys=True).encode())
        self._lines: dict[str, tuple[list[int], dict[str, Any]]] = {}
        self._added = 0
        self._whole = True
        if path.exists():
            self._read()

    def known(self, row: Row) -> Proposal | None:
        """The proposal made before for this row's file as it is now."""
        stamp, line = self._lines.get(row.file, (None, None))
        if line is None or stamp is None or stamp != _stamp(row):
            return None
        try:
            proposal = proposal_from_json(line)
        except (KeyError, TypeError, ValueError):
            return None
        # A file that could not be read may be mended, or its sum in the table corrected: look again.
        if proposal.reason == reasons.UNREADABLE or (row.sha256 and row.sha256 != proposal.sha256):
            return None
        return replace(proposal, label=row.label)

    def __enter__(self) -> _Journal:
        self._stream = self._path.open("ab")
        if not self._whole:
            self._stream.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def add(self, row: Row, proposal: Proposal) -> None:
        line = {"settings": self._settings, "stamp": _stamp(row), "proposal": asdict(proposal)}
        self._stream.write(json.dumps(line).encode("ascii") + b"\n")
        self._stream.flush()
        self._added += 1
        if self._added % _FLUSH == 0:
            os.fsync(self._stream.fileno())

    def _read(self) -> None:
        data = self._path.read_bytes()
        self._whole = not data or data.endswith(b"\n")
        for text in data.split(b"\n"):
            try:
                line = json.loads(text)
                if line["settings"] == self._settings:
                    self._lines[line["proposal"]["file"]] = (line["stamp"], line["proposal"])
            except (ValueError, KeyError, TypeError):
                continue  # cut off by a kill: that image is done again


def _stamp(row: Row) -> list[int] | None:
    try:
        status = row.path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _call(advance: Callable[[], object] | None) -> None:
    if advance is not None:
        advance()
