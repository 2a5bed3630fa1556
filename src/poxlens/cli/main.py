"""The command `poxlens`: imports the module of the verb asked for and no other; a fault becomes one line.

Exit codes: 0 done; 1 an item was unreadable or a check failed; 2 misuse. Signals follow the shell: 130 for
Ctrl-C, 141 when the reader of a pipe has gone.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any

from poxlens import __version__
from poxlens.errors import PoxlensError

VERBS = {
    "screen": "Screen photos: an outcome with its reasons, and a heat map.",
    "app": "Open the local page: drop or take a photo, see the answer.",
    "serve": "Run the clinic's server: referrals from phones, the clinicians' worklist.",
    "clinic": "Look after that server: accounts, devices, keys, backup, erasing, the audit log.",
    "evaluate": "Test a bundle on labelled photos of your own.",
    "bundle": "Show or verify a bundle.",
    "explain": "Show what in photos an answer rests on, and check whether such maps deserve trust.",
    "train": "Train a bundle from a table of images.",
    "pretrain": "Teach a network on images without labels, to be fine-tuned later: SimCLR.",
    "compare": "Compare networks and heads on a table of images: cross-validation, tuning, statistics.",
    "novelty": "Measure what a model does not know: detectors of novelty, the gate, MIM.",
    "aism": "Train whole networks on the eight classes of Mpox-AISM, without leak, and judge them.",
    "report": "Make the report of a comparison again from its run folder.",
    "export": "Bring a run to the phone: ONNX and LiteRT files, each proved against 32-bit floats.",
    "bench": "Time every form of a bundle, and weigh it.",
    "networks": "List the networks that can be compared, and whether their weights are here.",
    "data": "Make a folder of images into a data set one can trust, and find its faults.",
    "phantom": "Draw artificial rash photos with known lesions.",
}
"""Verb -> what it does. Listed here so that the list needs no import of any verb."""

OK, FAILED, MISUSE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


class MisuseError(PoxlensError):
    """A command line that asks for what cannot be done; exit code 2."""


def main(argv: list[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the arguments after the program's name; None for those of this process.

    Returns:
        The exit code. No fault leaves this function as an exception. As the program itself (argv None), the
        verb `screen` does not return: what Python does at its end takes 20 ms, a tenth of a screening.
    """
    if argv is not None or sys.argv[1:2] != ["screen"]:
        return _guarded(sys.argv[1:] if argv is None else list(argv))
    # NumPy's OpenBLAS starts a thread a core, which spin for tens of milliseconds where the model could load.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # 5 ms; a folder, where memory must stay flat, turns it on again
    code = _guarded(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)


def _guarded(arguments: list[str]) -> int:
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except MisuseError as fault:
        return _fail(str(fault), MISUSE)
    except PoxlensError as fault:
        return _fail(str(fault), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as fault:
        name = f"{fault.filename}: " if fault.filename else ""
        return _fail(f"{name}{fault.strerror or fault}", FAILED)
    except Exception as fault:
        return _fail(f"internal fault at {_place(fault)}: {type(fault).__name__}: {fault}", FAILED)
    return code


def usage() -> str:
    """The text of `poxlens --help`."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    return (
        "Usage: poxlens VERB [OPTIONS] ...\n\n"
        "Screen a close-up photo of a rash for mpox, offline, with reasons.\n"
        "A screening aid, not a diagnosis; PCR decides.\n\n"
        f"Verbs:\n{verbs}\n\n"
        "Examples:\n"
        "  poxlens screen rash.jpg                      the answer on one photo\n"
        "  poxlens screen photos/ --json > answers.jsonl  on all photos of a folder, a line each\n"
        "  poxlens app                                  the same in the browser\n\n"
        "Options:\n  --version  Print the version.\n"
        "  --help     Print this text; `poxlens VERB --help` for a verb.\n"
    )


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write(usage())
        return MISUSE
    verb, rest = arguments[0], arguments[1:]
    if verb in ("--help", "-h", "help"):
        sys.stdout.write(usage())
        return OK
    if verb in ("--version", "-V"):
        sys.stdout.write(f"poxlens {__version__}\n")
        return OK
    if verb not in VERBS:
        raise MisuseError(_unknown(verb))
    if verb == "screen":
        from poxlens.cli.screen import run  # without typer, which takes 40 ms of a quick verb

        return run(rest)
    if verb == "data":
        from poxlens.cli.data import run

        return run(rest)
    if verb == "pretrain":
        from poxlens.cli.pretrain import run

        return run(rest)
    if verb == "export" and rest[:1] == ["check"]:
        return run_typer("export check", rest[1:])
    return run_typer(verb, rest)


def run_typer(words: str, arguments: list[str]) -> int:
    """Run the verb of `words`, "train" or "data split": the function of that name in its module.

    Args:
        words: the verb, after the verb of its family if it has one.
        arguments: what follows on the command line.

    Raises:
        MisuseError: a wrong command line.
    """
    path = words.replace("-", "_").split()
    path[-1] += "_" * iskeyword(path[-1])  # `data import` is import_
    verb = path[-1]
    member = getattr(_module(words, path), verb)
    import typer

    # Plain help, the same look as that of `screen`, and readable in a file or a pipe.
    app = member if isinstance(member, typer.Typer) else _single(verb, member)
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        code = command(arguments, prog_name=f"poxlens {words}", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.Exit as end:
        code = end.exit_code
    except Exception as fault:
        raise _misuse(words, fault) from fault
    return code if isinstance(code, int) else OK


def _misuse(verb: str, fault: Exception) -> Exception:
    """A wrong command line in one line, as `screen` tells it; any other fault as it is."""
    if not hasattr(fault, "format_message") or not hasattr(fault, "ctx"):
        return fault
    if type(fault).__name__ == "NoArgsIsHelpError":
        names = ", ".join(fault.ctx.command.commands)
        return MisuseError(f"{verb}: say which: {names}; see: poxlens {verb} --help")
    where = "poxlens " + verb if fault.ctx is None else fault.ctx.command_path
    message = fault.format_message().rstrip(".")
    return MisuseError(
        f"{where.removeprefix('poxlens ')}: {message[:1].lower()}{message[1:]}; see: {where} --help"
    )


def _single(verb: str, function: Callable[..., Any]) -> Any:
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name=verb)(function)
    return app


def _module(words: str, path: list[str]) -> Any:
    try:
        return import_module(".".join(("poxlens.cli", *path)))
    except ModuleNotFoundError as fault:
        raise PoxlensError(
            f"{words} needs the Python package {fault.name!r}, which is not installed. Install everything "
            'with: pip install "poxlens[train,serve,data]"'
        ) from fault


def _unknown(verb: str) -> str:
    from difflib import get_close_matches

    if verb.startswith("-"):
        return f"no option {verb}; see: poxlens --help"
    close = get_close_matches(verb, VERBS, n=1)
    # `poxlens photo.jpg` is what a newcomer types first.
    hint = f"did you mean {close[0]}?" if close else f"to screen a photo: poxlens screen {verb}"
    return f"no verb {verb!r}; {hint if close or Path(verb).exists() else 'see: poxlens --help'}"


def _fail(message: str, code: int) -> int:
    from poxlens.cli.output import write

    write(f"poxlens: {message}\n", sys.stderr)
    return code


def _place(fault: BaseException) -> str:
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
