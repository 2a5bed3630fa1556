"""Looks at lists of files, keeps what is new in the store, answers with digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from poxlens.data.fingerprint import SIZE, fingerprints
from poxlens.data.scan import shards
from poxlens.data.scan.look import Look, look
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.photo.source import read_source


@dataclass(frozen=True)
class Answer:
    """What a block of files came to."""

    sha256: list[str]  # "" where the bytes cannot be read
    size: list[int]  # bytes
    fault: list[str]  # of reading the bytes; faults of decoding are in the store


@dataclass
class Seer:
    """Looks at files whose content the store does not know yet."""

    store: Path
    hashes_only: bool = False
    known: set[bytes] = field(default_factory=set)

    @classmethod
    def of(cls, store: Path, *, hashes_only: bool = False) -> Seer:
        """One that knows what the store holds already."""
        held = shards.known(store, hashes_only=hashes_only)
        return cls(store, hashes_only, {row.tobytes() for _, content in held for row in content})

    def see(self, files: Sequence[str]) -> Answer:
        """Look at files, write a shard of the new ones, answer for all."""
        answer = Answer([], [], [])
        fresh: dict[bytes, Look] = {}
        for file in files:
            try:
                data = read_source(file)
            except PhotoError as error:
                answer.sha256.append("")
                answer.size.append(0)
                answer.fault.append(f"{error.reason}: {error.client_message}")
                continue
            digest = sha256_bytes(data)
            content = bytes.fromhex(digest)
            if content not in self.known and content not in fresh:
                fresh[content] = look(data, hashes_only=self.hashes_only)
            answer.sha256.append(digest)
            answer.size.append(len(data))
            answer.fault.append("")
        self._keep(fresh)
        return answer

    def _keep(self, fresh: dict[bytes, Look]) -> None:
        if not fresh:
            return
        looks = list(fresh.values())
        embedding = np.zeros((len(looks), SIZE), np.float16)
        read = [place for place, one in enumerate(looks) if not one.fault]
        if read and not self.hashes_only:
            embedding[read] = fingerprints(np.stack([looks[place].square for place in read]))
        shards.write(self.store, shards.pack(list(fresh), looks, embedding), hashes_only=self.hashes_only)
        self.known.update(fresh)
