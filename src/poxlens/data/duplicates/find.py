"""The search: copies by content, near-duplicates by fingerprint, the same photo by keypoints, then groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np

from poxlens.data import candidates as by_fingerprint
from poxlens.data.candidates import Candidate
from poxlens.data.duplicates.checking import check_pairs
from poxlens.data.duplicates.confirm import NOTHING, Verdict
from poxlens.data.duplicates.groups import group_rows
from poxlens.data.duplicates.labels import Compatible
from poxlens.data.duplicates.model import JOINED, KINDS, SAME_PHOTO, Duplicates, Pair
from poxlens.data.duplicates.zooms import LIMIT, zoom_candidates
from poxlens.data.manifest import Manifest, Row
from poxlens.data.scan import Scan

Advance = Callable[[int], None]
Begin = Callable[[str, int], Advance]
_ROUNDS = 3  # of looking at pairs through a third picture
_CROWD = 40  # partners of one picture that are looked at so; more are known to be one photo well enough
_ALL = 8  # copies of one picture up to which all pairs are listed; more hang on the first


def find_duplicates(
    manifest: Manifest,
    scan: Scan,
    *,
    confirm: bool = True,
    zooms: bool | None = None,
    join_suspected: bool = False,
    compatible: Compatible | None = None,
    store: Path | None = None,
    workers: int = 2,
    begin: Begin | None = None,
) -> Duplicates:
    """Find the files of a manifest that show the same photo, and the groups they make.

    Args:
        manifest: N rows.
        scan: of the same rows.
        confirm: compare the pixels of candidates; without it, what is not a copy is near or suspected. In tables
            of more than zooms.LIMIT rows, pairs that are one picture beyond doubt ("near") stay unopened.
        zooms: with `confirm`, look for crops through windows too, which opens every file once more; None: in
            tables of up to zooms.LIMIT rows, and never after a scan for hashes only.
        join_suspected: put suspected pairs in one group too.
        compatible: labels that may agree; without it, labels agree when they are equal.
        store: folder where comparisons are kept, so that an interrupted search goes on; None keeps nothing.
        workers: processes that compare.
        begin: called with the name of a step and its size, gives the function that is told of progress.

    Raises:
        ValueError: the scan is of another number of rows.
        OSError: the store cannot be written.
    """
    rows = manifest.rows
    if len(scan) != len(rows):
        raise ValueError(f"the scan has {len(scan)} rows, the manifest {len(rows)}")
    begin = begin or _silent
    copies = _Copies(scan)
    candidates = copies.first_only(by_fingerprint.find_candidates(scan, workers=workers, begin=begin))
    verdicts: list[Verdict] = [NOTHING] * len(candidates)
    checked = 0
    if confirm:
        search = _Search(manifest, scan, store, workers, begin)
        if (len(scan) <= LIMIT and scan.embedding.shape[1] > 0) if zooms is None else zooms:
            candidates = copies.first_only([*candidates, *search.zoomed()])
        candidates, verdicts = search.confirmed(candidates)
        checked = search.checked
    pairs = [*copies.pairs(), *_judged(candidates, verdicts, copies)]
    pairs.sort(key=lambda pair: (list(KINDS).index(pair.kind), pair.first, pair.second))
    kinds = (*JOINED, "suspected") if join_suspected else JOINED
    group, links = group_rows(rows, (pair for pair in pairs if pair.kind in kinds))
    return Duplicates(
        tuple(pairs),
        group,
        conflicts_of(rows, pairs, compatible or Compatible()),
        links,
        checked,
        tuple(np.flatnonzero(~scan.readable).tolist()),
    )


def _silent(name: str, size: int) -> Advance:
    del name, size
    return lambda _: None


def conflicts_of(rows: Sequence[Row], pairs: Iterable[Pair], compatible: Compatible) -> tuple[Pair, ...]:
    """The pairs that show one photo under labels that contradict each other."""
    return tuple(
        pair
        for pair in pairs
        if pair.kind in SAME_PHOTO and not compatible.agree(rows[pair.first].label, rows[pair.second].label)
    )


class _Search:
    """Candidates from windows and from what was confirmed, and their verdicts."""

    def __init__(
        self, manifest: Manifest, scan: Scan, store: Path | None, workers: int, begin: Begin
    ) -> None:
        self._paths = [row.path for row in manifest.rows]
        self._scan, self._store, self._workers, self._begin = scan, store, workers, begin
        self.checked = 0  # pairs whose pixels were compared

    def zoomed(self) -> list[Candidate]:
        """Those that only windows show."""
        first = {pixels: row for row, pixels in reversed(list(enumerate(self._scan.pixels_sha256))) if pixels}
        rows = sorted(first.values())
        return zoom_candidates(
            rows,
            self._paths,
            self._scan.sha256,
            self._store,
            workers=self._workers,
            advance=self._begin("looking closer", len(rows)),
        )

    def confirmed(self, candidates: list[Candidate]) -> tuple[list[Candidate], list[Verdict]]:
        """All candidates with their verdicts; two that show the same third photo become candidates too."""
        verdicts = self._verdicts("comparing pairs", candidates)
        known = {(one.first, one.second) for one in candidates}
        for _ in range(_ROUNDS):
            fresh = [
                Candidate(first, second, float("nan"), near=False, suspect=False)
                for first, second in _through_a_third(candidates, verdicts)
                if (first, second) not in known
            ]
            if not fresh:
                break
            known.update((one.first, one.second) for one in fresh)
            candidates = [*candidates, *fresh]
            verdicts = [*verdicts, *self._verdicts("comparing pairs through a third", fresh)]
        return candidates, verdicts

    def _verdicts(self, name: str, candidates: list[Candidate]) -> list[Verdict]:
        # Opening a file again costs forty times the scan's look at it: large tables do it only in doubt.
        all_of_them = len(self._scan) <= LIMIT
        asked = [place for place, one in enumerate(candidates) if all_of_them or not one.near]
        verdicts = [NOTHING] * len(candidates)
        told = check_pairs(
            [(candidates[place].first, candidates[place].second) for place in asked],
            self._paths,
            self._scan.sha256,
            self._store,
            workers=self._workers,
            advance=self._begin(name, len(asked)),
        )
        for place, verdict in zip(asked, told, strict=True):
            verdicts[place] = verdict
        self.checked += len(asked)
        return verdicts


def _through_a_third(candidates: Sequence[Candidate], verdicts: Sequence[Verdict]) -> list[tuple[int, int]]:
    """Pairs whose two pictures are both known to show the photo of a third one."""
    partners: dict[int, set[int]] = defaultdict(set)
    for one, verdict in zip(candidates, verdicts, strict=True):
        if verdict.kind == "confirmed" or one.near:
            partners[one.first].add(one.second)
            partners[one.second].add(one.first)
    return sorted({pair for some in partners.values() for pair in combinations(sorted(some)[:_CROWD], 2)})


class _Copies:
    """Rows whose files or pixels are equal."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        parts: dict[str, list[int]] = defaultdict(list)
        for row, (content, pixels) in enumerate(zip(scan.sha256, scan.pixels_sha256, strict=True)):
            if content:  # a file that no decoder reads may still be a copy of another one
                parts[pixels or content].append(row)
        self._parts = [part for part in parts.values() if len(part) > 1]
        self._first = list(range(len(scan)))
        self._same: dict[int, list[int]] = {}
        for part in self._parts:
            self._same[part[0]] = part
            for row in part:
                self._first[row] = part[0]

    def pairs(self) -> Iterator[Pair]:
        """Pairs of equal files and of equal pixels."""
        for part in self._parts:
            every = combinations(part, 2) if len(part) <= _ALL else ((part[0], row) for row in part[1:])
            for first, second in every:
                same = self._scan.sha256[first] == self._scan.sha256[second]
                yield Pair(first, second, "exact" if same else "pixels", 1.0, relation="copy", correlation=1.0,
                           overlap=1.0)  # fmt: skip

    def first_only(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """The candidates between different pictures, each picture by its first row."""
        found: dict[tuple[int, int], Candidate] = {}
        for one in candidates:
            first, second = sorted((self._first[one.first], self._first[one.second]))
            if first == second:
                continue
            known = found.get((first, second), one)
            found[first, second] = replace(
                one if one.similarity > known.similarity else known,
                first=first,
                second=second,
                near=one.near or known.near,
                suspect=one.suspect or known.suspect,
            )
        return [found[key] for key in sorted(found)]

    def all_rows(self, row: int) -> Sequence[int]:
        """A picture's first row, and some of the others."""
        return self._same.get(row, [row])[:_ALL]


def _judged(candidates: Sequence[Candidate], verdicts: Sequence[Verdict], copies: _Copies) -> Iterator[Pair]:
    for one, verdict in zip(candidates, verdicts, strict=True):
        kind = verdict.kind or ("near" if one.near else "suspected" if one.suspect else "")
        if not kind:
            continue
        for some, other in product(copies.all_rows(one.first), copies.all_rows(one.second)):
            pair = Pair(
                min(some, other), max(some, other), kind, round(float(one.similarity), 4), verdict.inliers,
                verdict.mirrored, verdict.relation, verdict.correlation, verdict.overlap, verdict.matrix,
            )  # fmt: skip
            yield pair if some < other else replace(pair, matrix=_back(verdict.matrix))


def _back(matrix: tuple[float, ...]) -> tuple[float, ...]:
    """The map from the second picture to the first."""
    if not matrix:
        return ()
    forth = np.vstack([np.reshape(matrix, (2, 3)), [0.0, 0.0, 1.0]])
    return tuple(round(float(value), 5) for value in np.linalg.inv(forth)[:2].ravel())
