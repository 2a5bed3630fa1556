"""`poxlens networks`: the networks that can be compared, their weights, and whether these are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.options import Weights, weight_folders
from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.train.networks.listing import Row
    from poxlens.train.networks.spec import Network


def networks(
    name: Annotated[
        str | None, typer.Argument(help="One network, or timm:NAME; without it all are listed.")
    ] = None,
    weights: Weights = None,
    fetch: Annotated[
        Path | None, typer.Option("--fetch", help="Download the weights of NAME into this folder.")
    ] = None,
    convert_nasnet: Annotated[
        Path | None,
        typer.Option("--convert-nasnet", help="Keras' nasnet_mobile_no_top.h5: convert it into --out."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the converted file, with --convert-nasnet.")
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of the guide (docs/networks.md).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is known as JSON.")] = False,
) -> None:
    """List the networks by name: size, licence, where their weights come from, and whether they are here."""
    from poxlens.cli.main import MisuseError

    if (convert_nasnet is None) != (out is None):
        raise MisuseError("networks: --convert-nasnet FILE.h5 and --out FOLDER belong together.")
    if fetch is not None and name is None:
        raise MisuseError("networks: --fetch needs the name of a network.")
    try:
        from poxlens.train.networks.listing import markdown, row
        from poxlens.train.networks.registry import NETWORKS
    except ModuleNotFoundError as missing:
        raise MissingExtraError("train", f"poxlens networks (it needs {missing.name})") from missing
    if convert_nasnet is not None and out is not None:
        _convert(convert_nasnet, out, as_json=as_json)
        return
    if as_markdown:
        typer.echo(markdown(NETWORKS.values()), nl=False)
        return
    folders = weight_folders(weights)
    asked = list(NETWORKS.values()) if name is None else [_named(name)]
    if fetch is not None:
        _fetch(asked[0], folders, fetch)
    rows = [row(network, folders, cache=fetch) for network in asked]
    if as_json:
        typer.echo(
            json.dumps([one.as_json() for one in rows] if name is None else rows[0].as_json(), indent=1)
        )
    elif name is None:
        _table(rows)
    else:
        _one(rows[0])
    if any(one.fault for one in rows):
        for one in rows:
            if one.fault:
                typer.echo(f"poxlens: {one.name}: {one.fault}", err=True)
        raise typer.Exit(1)


def _named(name: str) -> Network:
    from poxlens.cli.main import MisuseError
    from poxlens.errors import WeightsError
    from poxlens.train.networks.registry import find_network

    try:
        return find_network(name)
    except WeightsError as fault:
        raise MisuseError(f"networks: {fault}") from fault


def _fetch(network: Network, folders: tuple[Path, ...], cache: Path) -> None:
    from poxlens.cli.progress import steps
    from poxlens.files import sha256_file
    from poxlens.train.pins import pin
    from poxlens.train.weights import find_weights

    done = 0
    with steps()(f"{network.weights.file}, per cent", 100) as advance:

        def told(bytes_so_far: int, whole: int) -> None:
            nonlocal done
            now = 100 * bytes_so_far // whole if whole else 0
            advance(now - done)
            done = now

        path = find_weights(network.weights, folders, cache=cache, advance=told)
    if network.weights.check == "first use" and path.parent == cache:
        pin(network.weights.file, sha256_file(path), cache)


def _convert(source: Path, folder: Path, *, as_json: bool) -> None:
    from poxlens.train.networks.nasnet_keras import convert

    path, published = convert(source, folder)
    if as_json:
        typer.echo(json.dumps({"file": str(path), "published": published}))
        return
    typer.echo(f"{path}: name its folder in POXLENS_WEIGHTS, and the network is nasnet-mobile.")
    if not published:
        typer.echo(f"poxlens: {source} has another MD5 than Keras' published files.", err=True)


def _state(one: Row) -> str:
    if one.fault:
        return "WRONG FILE"
    return "here" if one.here else "-"


def _table(rows: list[Row]) -> None:
    wide = max(len(one.name) for one in rows)
    typer.echo(
        f"{'name':<{wide}}  {'params':>7}  {'embedding':>9}  {'side':>4}  {'licence':<12}  {'weights':<10}  file"
    )
    for one in rows:
        size = f"{one.parameters / 1e6:.1f} M"
        typer.echo(
            f"{one.name:<{wide}}  {size:>7}  {one.embedding:>9}  {one.side:>4}  {one.licence:<12}  "
            f"{_state(one):<10}  {Path(one.here).name if one.here else one.file}"
        )
    here = sum(one.here is not None for one in rows)
    typer.echo(f"{here} of {len(rows)} have their weights here; any other of timm is timm:NAME.")


def _one(one: Row) -> None:
    side = f"{one.side} px" + (f", a multiple of {one.multiple}" if one.multiple > 1 else "")
    lines = {
        "network": one.title + (f" ({one.paper})" if one.paper else ""),
        "parameters": f"{one.parameters:,} without the classifier",
        "embedding": f"{one.embedding}, pooling: {one.pooling}",
        "side": f"{side}; its own evaluation shrinks photos with {one.interpolation} interpolation",
        "mean, std": f"{_numbers(one.mean)}; {_numbers(one.std)}",
        "last map": one.layer or "the output of the whole network",
        "licence": one.licence,
        "weights": f"{one.file} ({one.source})",
        "checked by": one.check + (f" {one.sha256}" if one.sha256 else ""),
        "here": one.here or _state(one),
    }
    typer.echo(one.name)
    for key, value in lines.items():
        typer.echo(f"  {key:<11}{value}")


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4g}" for value in values)
