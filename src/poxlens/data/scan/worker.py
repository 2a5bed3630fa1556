"""A process of a scan: `python -m poxlens.data.scan.worker STORE all|hashes`.

It reads one JSON list of paths a line and answers with one JSON line; it ends when its input ends, so no worker
outlives a scan that was killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from poxlens.data.scan.seer import Seer


def main(store: str, facts: str) -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the scan that started this process decides when it ends
    # A decoder that prints must not break the answers: they go to a stream of their own.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as answers:
        os.dup2(2, 1)
        seer = Seer.of(Path(store), hashes_only=facts == "hashes")
        for line in sys.stdin:
            answer = seer.see(json.loads(line))
            print(json.dumps([answer.sha256, answer.size, answer.fault]), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
