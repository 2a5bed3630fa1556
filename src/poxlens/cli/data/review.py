"""`poxlens data review`: the local page where a person accepts, rejects or drags each proposed crop."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.main import MisuseError
from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from poxlens.data.curate.proposals import Proposals
    from poxlens.serve.guard import Guard
    from poxlens.serve.review.session import Session

DEFAULT_PORT = 8741
ONLY = ("undecided", "crop", "none")


def review(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of poxlens data curate.")],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder of the images. Default: as the proposals say.")
    ] = None,
    only: Annotated[
        str,
        typer.Option("--only", metavar="WHICH", help="Show undecided, crop, none or class:LABEL at first."),
    ] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who decides; kept with each decision.")
    ] = "",
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. Any other than 127.0.0.1 opens it to others.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", help="Port; the next free one if taken, 0 for any free.")
    ] = DEFAULT_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="At the end, print what is decided as JSON.")
    ] = False,
) -> None:
    """Open the local page to accept, reject or drag each proposed crop; every decision is saved at once."""
    needed = ("fastapi", "uvicorn", "python_multipart")
    if any(importlib.util.find_spec(name) is None for name in needed):
        raise MisuseError(str(MissingExtraError("serve", "poxlens data review")))
    from poxlens.serve.guard import Hosts
    from poxlens.serve.review.app import create_review
    from poxlens.serve.review.session import Session
    from poxlens.serve.server import AddressError, address, listen, open_browser

    if not 0 <= port <= 65535:
        raise MisuseError(f"data review: --port must be 0 to 65535, not {port}")
    proposals = _proposals(folder)
    wanted = _only(only, proposals)
    session = Session(folder, proposals, _root(root, proposals), by=by)
    page = create_review(session, only=wanted, hosts=Hosts.serving(host))
    try:
        listener = listen(host, port)
    except AddressError as fault:
        raise MisuseError(str(fault)) from fault
    with listener:
        url = address(listener, host)
        print(f"The review is at {url} (Ctrl+C stops it)", file=sys.stderr, flush=True)
        if host not in ("127.0.0.1", "localhost", "::1"):
            print(
                "Others on this network can reach it, see the photos and decide. They travel unencrypted.",
                file=sys.stderr,
            )
        try:
            run_server(page, listener, None if no_browser else lambda: open_browser(url))
        except KeyboardInterrupt:
            print(file=sys.stderr)
    _tell(session, as_json=as_json)


def run_server(page: Guard, listener: socket, on_start: Callable[[], None] | None) -> None:
    """Serve the page until Ctrl+C; `on_start` is called in a thread of its own."""
    import threading

    import uvicorn

    from poxlens.serve.server import settings

    if on_start is not None:
        # The socket listens already: a browser that is early waits in its queue.
        threading.Thread(target=on_start, daemon=True).start()
    uvicorn.Server(settings(page)).run(sockets=[listener])


def _proposals(folder: Path) -> Proposals:
    from poxlens.data.curate.proposals import NAME, read_proposals

    if not (folder / NAME).is_file():
        raise MisuseError(f"data review: {folder}: holds no {NAME}. Make it first with: poxlens data curate")
    found = read_proposals(folder / NAME)
    if not found.proposals:
        raise MisuseError(f"data review: {folder / NAME}: holds no image")
    return found


def _root(root: Path | None, proposals: Proposals) -> Path:
    found = Path(proposals.root) if root is None else root
    if not found.is_dir():
        told = f"the proposals' folder of images, {found}, is not there: say where it is with --root"
        raise MisuseError(f"data review: {told if root is None else f'--root {root}: no such folder'}")
    return found


def _only(only: str, proposals: Proposals) -> str:
    wanted = only.strip()
    if wanted in ("", *ONLY):
        return wanted
    labels = sorted({one.label for one in proposals.proposals})
    if wanted.startswith(("class:", "class ")):
        label = wanted[6:].strip()
        if label in labels:
            return f"class:{label}"
        raise MisuseError(f"data review: --only {only}: no such class; classes: {', '.join(labels)}")
    raise MisuseError(f"data review: --only {only}: choose {', '.join(ONLY)} or class:LABEL")


def _tell(session: Session, *, as_json: bool) -> None:
    from poxlens.cli.output import json_line, write
    from poxlens.serve.review.app import next_command

    standing = session.standing()
    actions = [one.decision.action for one in standing if one.decision is not None]
    counts = {
        "images": len(standing),
        "accepted": actions.count("accept"),
        "own_crop": actions.count("crop"),
        "no_crop": actions.count("reject"),
        "undecided": len(standing) - len(actions),
    }
    if as_json:
        write(json_line({**counts, "decisions": str(session.decisions)}) + "\n")
        return
    write(
        f"{len(actions)} of {counts['images']} images decided: {counts['accepted']} accepted, "
        f"{counts['own_crop']} with a crop of one's own, {counts['no_crop']} without a crop.\n"
        f"Decisions: {session.decisions}\n"
        f"Next: {next_command(session)}\n"
    )
