"""Photos that may teach later models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poxlens.cli.clinic.opened import AsJson, ClinicName, Data, Database, Keys, clinic_id, opened, show
from poxlens.cli.progress import bars


def export_training(
    out: Annotated[Path, typer.Argument(help="Folder to write to, empty or not there yet.")],
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    clinic: ClinicName = None,
    as_json: AsJson = False,
) -> None:
    """Write photos with consent and a reviewed label, NOT encrypted, with a table for `data audit` and `train`."""
    from poxlens.serve.clinic.training_export import TABLE
    from poxlens.serve.clinic.training_export import export_training as export

    with opened(data, keys, database) as service:
        where = clinic_id(service, clinic)
        with bars() as begin:
            done = export(service, where, out, advance=begin("Opening photos", 0))
        with service.store.writing() as session:
            service.log(session, "command", "training.exported", where, f"clinic:{where}", photos=done.photos)
    told = {
        "manifest": str(out / TABLE), "photos": done.photos, "persons": done.persons, "labels": done.labels,
        "left_out": done.left_out,
    }  # fmt: skip
    lines = [f"{done.photos} photos of {done.persons} persons in {out / TABLE}"]
    lines += [f"  {label}: {count}" for label, count in sorted(done.labels.items())]
    lines += [f"left out, {why}: {count}" for why, count in sorted(done.left_out.items())]
    show(as_json, told, "\n".join(lines))
