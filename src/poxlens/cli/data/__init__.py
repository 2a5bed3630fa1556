"""`poxlens data VERB`: imports the module of the verb asked for and no other."""

from __future__ import annotations

import sys

from poxlens.cli.main import MISUSE, OK, MisuseError, run_typer

VERBS = {
    "sets": "List the public data sets that poxlens knows: layout, counts, licence, citation.",
    "import": "Make a table of images from a folder, checked against what is known of the set.",
    "curate": "Propose a close-up crop of skin for each image, or say why there is none.",
    "review": "Open the local page where a person accepts, rejects or drags each proposed crop.",
    "annotate": "Open the local page where a person labels images by keyboard: body site, range, stage, or your own.",
    "agree": "Compare two people's labels: kappa with intervals, disagreements, one table that both stand for.",
    "add-labels": "Write such labels into a table of images, so that figures can be given by them.",
    "build-mcsi-like": "Build four balanced classes of skin close-ups as Campana 2024 did for MCSI.",
    "duplicates": "Find the same photo in other files: copies, crops, mirrored, re-toned; and label conflicts.",
    "split": "Deal images to folds that keep patients and near-duplicates whole.",
    "audit": "Find what would make figures lie: leaks, conflicts, classes known by their source.",
    "leak-demo": "Train one head under the field's common protocol and the honest one, and compare.",
}
"""Verb -> what it does."""


def run(arguments: list[str]) -> int:
    """Run `poxlens data` with these arguments; the exit code."""
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        (sys.stdout if arguments else sys.stderr).write(usage())
        return OK if arguments else MISUSE
    verb = arguments[0]
    if verb not in VERBS:
        from difflib import get_close_matches

        close = get_close_matches(verb, VERBS, n=1)
        hint = f"did you mean {close[0]}?" if close else "see: poxlens data --help"
        raise MisuseError(f"data: no verb {verb!r}; {hint}")
    return run_typer(f"data {verb}", arguments[1:])


def usage() -> str:
    """The text of `poxlens data --help`."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    return (
        "Usage: poxlens data VERB [OPTIONS] ...\n\n"
        "Make a folder of images into a data set whose figures mean something, and find the faults in anybody's.\n\n"
        f"Verbs:\n{verbs}\n\n"
        "Options:\n  --help  Print this text; `poxlens data VERB --help` for a verb.\n"
    )
