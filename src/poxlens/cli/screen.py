"""`poxlens screen`: photos in, decisions out, in the terminal or as JSON lines.

Parsed with argparse: with typer, the process would take 40 ms longer, a fifth of what it may take in all.
"""

from __future__ import annotations

import argparse
import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from poxlens.cli.main import FAILED, OK, MisuseError
from poxlens.cli.photos import STDIN, label, photos
from poxlens.errors import PoxlensError
from poxlens.screen.context import Context, ContextError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from poxlens.cli.answers import Report
    from poxlens.cli.heatmaps import HeatmapFolder
    from poxlens.screen.decision import Decision
    from poxlens.screen.screener import Screener


@dataclass(frozen=True)
class Options:
    """What `poxlens screen` was asked to do.

    Args:
        sources: files, folders or "-" for standard input.
        json: print JSON lines instead of the readable answer.
        heatmap: folder for the overlays.
        bundle: another bundle than the embedded one.
        person: all photos show one person.
        context: answers about the person.
        workers: threads; None for one a core.
    """

    sources: tuple[str, ...]
    json: bool
    heatmap: Path | None
    bundle: Path | None
    person: bool
    context: Context | None
    workers: int | None


def run(arguments: list[str]) -> int:
    """Run the verb.

    Args:
        arguments: what follows `poxlens screen`.

    Returns:
        0; 1 when a photo could not be read or nothing was found.

    Raises:
        MisuseError: for arguments that make no sense.
        PoxlensError: when the bundle is refused.
    """
    try:
        options = parse(arguments)
    except SystemExit as end:  # argparse ends so after --help
        return int(end.code or 0)
    from poxlens.bundle.store import load
    from poxlens.screen.background import Background

    # The bundle is verified while its runtime is imported; the model loads while the photo is decoded.
    # Nothing that the model does not need is imported before its load, half of a screening, has begun.
    loading = Background(lambda: load(options.bundle))
    from poxlens.screen.engine import Engine, import_runtime, likely_runtime

    import_runtime(likely_runtime(options.bundle))
    bundle = loading.result()
    engine = Engine(bundle, wait=False)
    from poxlens.cli.answers import JsonReport, TextReport
    from poxlens.screen.screener import Screener

    report = JsonReport() if options.json else TextReport(several=_several(options.sources))
    # Who writes the maps down is told which of them do not hold still; one more pass of the model each.
    screener = Screener(bundle, engine=engine, check_maps=options.heatmap is not None)
    return _screen_all(screener, options, report)


def parse(arguments: list[str]) -> Options:
    """Options from the command line.

    Raises:
        MisuseError: saying what is wrong.
        SystemExit: after `--help`.
    """
    found = parser().parse_args(arguments)
    if found.workers is not None and found.workers < 1:
        raise MisuseError(f"screen: --workers must be 1 or more, not {found.workers}")
    if found.sources.count(STDIN) > 1:
        raise MisuseError("screen: standard input (-) can be read only once")
    if found.bundle is not None and not found.bundle.exists():
        raise MisuseError(f"screen: --bundle {found.bundle}: no such folder or file")
    try:
        context = None if found.context is None else Context.from_file(found.context)
    except ContextError as fault:
        raise MisuseError(f"screen: --context: {str(fault).replace('context: ', '', 1)}") from None
    return Options(
        tuple(found.sources), found.json, found.heatmap, found.bundle, found.person, context, found.workers
    )


def parser() -> argparse.ArgumentParser:
    """The one definition of the verb's options."""
    made = _Parser(
        prog="poxlens screen",
        usage="poxlens screen [OPTIONS] FILE|DIR|- ...",
        description="Screen close-up photos of a rash for mpox: an outcome with its reasons.\n"
        "A screening aid, not a diagnosis; PCR decides.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    photos = made.add_argument_group("Photos")
    photos.add_argument(
        "sources",
        nargs="+",
        metavar="FILE|DIR|-",
        help="photos; folders with all below them; - for standard input",
    )
    options = made.add_argument_group("Options")
    options.add_argument("--json", action="store_true", help="one JSON object a line")
    options.add_argument(
        "--heatmap", type=Path, metavar="DIR", help="write what spoke for mpox, drawn over each photo, as PNG"
    )
    options.add_argument(
        "--bundle", type=Path, metavar="PATH", help="another bundle (folder or .zip) than the embedded"
    )
    options.add_argument(
        "--person", action="store_true", help="all photos show one person: add one answer for all"
    )
    options.add_argument(
        "--context",
        type=Path,
        metavar="FILE",
        help="JSON with answers about the person, which can turn any outcome into a referral",
    )
    options.add_argument(
        "--workers", type=int, metavar="N", help="photos worked on side by side (default: one a core)"
    )
    options.add_argument("--help", action="help", help="print this text")
    return made


_EPILOG = """\
Outcomes: refer, uncertain, not_suspected, cannot_assess.
Context:  {"contact_with_case_21d": true, "fever": false, "swollen_lymph_nodes": null}
Examples:
  poxlens screen rash.jpg --heatmap maps/
  poxlens screen arm.jpg face.jpg --person --context answers.json
  poxlens screen photos/ --json > answers.jsonl
Exit code: 0 done, 1 when a photo could not be read, 2 for misuse.
"""


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        return "U" + super().format_help()[1:]  # as the other verbs write it

    def error(self, message: str) -> NoReturn:
        raise MisuseError(f"screen: {message}; see: poxlens screen --help")


def _screen_all(screener: Screener, options: Options, report: Report) -> int:
    from poxlens.screen.decision import combine

    heatmaps = None if options.heatmap is None else _heatmap_folder(options.heatmap)
    # A person's answers count once, for the person and not again for each photo.
    context = None if options.person else options.context
    failed = False
    labels: list[str] = []
    decisions: list[Decision] = []
    with report:
        for item, decision in _decisions(screener, options, context, report):
            name = label(item)
            report.count += 1
            report.photo(name, decision, heatmaps.write(name, decision) if heatmaps else None)
            failed = failed or not decision.readable
            if options.person:
                labels.append(name)
                decisions.append(replace(decision, prepared=None))  # 150 kB a photo
        if decisions:
            report.person(labels, combine(decisions, context=options.context))
    if not report.count and not report.faults:
        raise PoxlensError("screen: no photos found in the folder; hidden files are left out")
    return FAILED if failed or report.faults else OK


def _decisions(
    screener: Screener, options: Options, context: Context | None, report: Report
) -> Iterator[tuple[Path | BinaryIO, Decision]]:
    if not _several(options.sources) and STDIN not in options.sources:
        path = Path(options.sources[0])
        decision = screener.screen(path, context=context)
        screener.engine.ready()  # also where the photo did not need the model: a bad bundle must show
        return iter([(path, decision)])
    gc.enable()
    screener.engine.ready()
    decided = screener.screen_many(
        photos(options.sources, report.fault), workers=options.workers, context=context
    )
    return report.progress(decided, lambda: sum(1 for _ in photos(options.sources, lambda _: None)))


def _several(sources: tuple[str, ...]) -> bool:
    return len(sources) > 1 or (sources[0] != STDIN and Path(sources[0]).is_dir())


def _heatmap_folder(folder: Path) -> HeatmapFolder:
    from poxlens.cli.heatmaps import HeatmapFolder

    try:
        return HeatmapFolder(folder)
    except OSError as fault:
        raise MisuseError(f"screen: --heatmap {folder}: {fault.strerror}") from None
