"""`poxlens clinic VERB`: looking after the clinic's server, on its machine, while it runs or not."""

from __future__ import annotations

import typer

from poxlens.cli.clinic import care, people, teaching

clinic = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Look after the clinic's server: accounts, devices, keys, backup, erasing, the audit log.",
)
for verb, function in (
    ("add-clinic", people.add_clinic),
    ("users", people.users),
    ("add-user", people.add_user),
    ("reset-user", people.reset_user),
    ("close-user", people.close_user),
    ("devices", people.devices),
    ("add-device", people.add_device),
    ("revoke-device", people.revoke_device),
    ("backup", care.backup),
    ("restore", care.restore),
    ("rotate-keys", care.rotate_keys),
    ("erase", care.erase),
    ("clean", care.clean),
    ("verify-log", care.verify_log),
    ("export-training", teaching.export_training),
):
    clinic.command(name=verb)(function)
