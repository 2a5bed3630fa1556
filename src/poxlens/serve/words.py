"""Every sentence that a decision can show, for the page's message files.

The page must say what the command line says. `python -m poxlens.serve.words > web/src/messages/rule.en.json` after a
change; a test holds the file equal.
"""

from __future__ import annotations

import json

from poxlens.photo.quality import ADVICE
from poxlens.photo.unreadable import UNREADABLE
from poxlens.screen.reasons import DISCLAIMER, REASONS
from poxlens.screen.stability import UNSTABLE
from poxlens.serve.advice import CLASS_NAMES, NEXT_STEPS, TITLES, UNREADABLE_STEP

# Faults of paths and disks that no file chosen in a browser can have.
_ONLY_ON_DISK = {"missing", "folder", "not_a_file", "permission"}


def words() -> dict[str, str]:
    """Message key -> English text: reasons by their code, then titles, next steps, class names, disclaimer."""
    unreadable = {
        code: text for code, text in UNREADABLE.items() if code.rpartition(".")[2] not in _ONLY_ON_DISK
    }
    titles = {f"title.{outcome}": title for outcome, (title, _) in TITLES.items()}
    below = {f"subtitle.{outcome}": subtitle for outcome, (_, subtitle) in TITLES.items()}
    steps = {
        f"next.{outcome}.{n}": step
        for outcome, steps in NEXT_STEPS.items()
        for n, step in enumerate(steps, 1)
    }
    classes = {f"class.{code}": name for code, name in CLASS_NAMES.items()}
    return {
        **unreadable,
        **ADVICE,
        **REASONS,
        **titles,
        **below,
        **steps,
        "next.unreadable": UNREADABLE_STEP,
        **classes,
        "map.unstable": UNSTABLE,
        "disclaimer": DISCLAIMER,
    }


def words_text() -> str:
    """The file of the page: indented JSON with a line feed at the end."""
    return json.dumps(words(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(words_text(), end="")
