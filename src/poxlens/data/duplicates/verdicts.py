"""Verdicts on disk, by the content of both files: a search that was killed goes on where it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from poxlens.data.duplicates.confirm import VERSION, Verdict

NAME = "pairs.sqlite"
_ASKED = 400  # keys a query; SQLite allows 999 values

Key = tuple[str, str]  # SHA-256 of the bytes of the first and of the second file


class Verdicts:
    """The verdicts of a store.

    Args:
        folder: the store; made when absent. A damaged file in it is replaced by an empty one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm", "-journal"):
                self._path.with_name(NAME + suffix).unlink(missing_ok=True)
            self._prepare()

    def read(self, keys: Iterable[Key]) -> dict[Key, Verdict]:
        """Those that are known, of this version of the method."""
        wanted = set(keys)
        found: dict[Key, Verdict] = {}
        firsts = sorted({first for first, _ in wanted})
        with closing(self._open()) as base:
            for start in range(0, len(firsts), _ASKED):
                some = firsts[start : start + _ASKED]
                marks = ",".join("?" * len(some))
                query = f"select first, second, verdict from pairs where version = ? and first in ({marks})"
                for first, second, text in base.execute(query, (VERSION, *some)):
                    if (first, second) in wanted:
                        found[first, second] = as_verdict(json.loads(text))
        return found

    def write(self, verdicts: Mapping[Key, Verdict]) -> None:
        """Keep verdicts, all or none of them."""
        rows = [
            (VERSION, first, second, json.dumps(astuple(verdict)))
            for (first, second), verdict in verdicts.items()
        ]
        with closing(self._open()) as base, base:
            base.executemany("insert or replace into pairs values (?, ?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)

    def _prepare(self) -> None:
        with closing(self._open()) as base, base:
            base.execute(
                "create table if not exists pairs (version integer, first text, second text, verdict text,"
                " primary key (version, first, second)) without rowid"
            )
            base.execute("select count(*) from pairs where version = 0").fetchone()


def as_verdict(values: list[Any]) -> Verdict:
    """A verdict out of its JSON form."""
    *plain, matrix = values
    return replace(Verdict(*plain), matrix=tuple(matrix))
