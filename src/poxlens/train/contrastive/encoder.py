"""A pretrained encoder on disk: what `poxlens pretrain` leaves and what other recipes start from.

`encoder.safetensors` holds the weights of a network of the registry, without projection head, by the names that its
module has (`find_network(name).build(None).state_dict()`); `encoder.json` beside it says whose they are, what they were
learnt from, and the SHA-256 of both the weights and the list of images. `load_encoder` is the way to read them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import nn

from poxlens.errors import WeightsError
from poxlens.files import sha256_bytes, sha256_file, write_atomically
from poxlens.train.backbones import Backbone
from poxlens.train.networks.registry import find_network

WEIGHTS, RECORD = "encoder.safetensors", "encoder.json"
FORMAT = "poxlens-encoder/1"


@dataclass(frozen=True)
class EncoderRecord:
    """Whose weights these are and what they were learnt from; encoder.json."""

    network: str  # its name in the registry
    method: str  # "simclr"
    start: str  # "random", or what it began from
    side: int  # px it was trained at
    epochs: int  # trained
    images: int  # learnt from
    pool_sha256: str  # of pool.csv, the list of those images with their SHA-256 and groups
    seed: int
    sha256: str = ""  # of encoder.safetensors
    format: str = FORMAT


def save_encoder(folder: Path, module: nn.Module, record: EncoderRecord) -> EncoderRecord:
    """Write the weights and their record into a folder, each whole or not at all.

    Args:
        folder: of the run.
        module: the network's module, as `Network.build` gives it.
        record: all but the weights' SHA-256.

    Returns:
        The record with it.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    # The same tensor under two names would be refused, so each is copied.
    data = save({name: value.clone() for name, value in state.items()}, metadata=_metadata(record))
    told = EncoderRecord(**{**asdict(record), "sha256": sha256_bytes(data)})
    write_atomically(folder / WEIGHTS, data)
    write_atomically(folder / RECORD, json.dumps(asdict(told), indent=1) + "\n")
    return told


def load_encoder(network: str, path: Path) -> Backbone:
    """The named network with pretrained weights of a run, to be used wherever `load_backbone((network,))` is.

    It comes frozen and in evaluation mode as every backbone does, its normalisation inside: images [N, S, S, 3] with
    values 0-255 in, `both` gives features and embedding [N, channels]. For fine-tuning call `.requires_grad_(True)`
    and `.train()`. A single module without the normalisation is `load_encoder(...).parts[0]`.

    Args:
        network: name in the registry, the one that was pretrained.
        path: `encoder.safetensors`, or the run folder that holds it.

    Raises:
        WeightsError: nothing is there, it is damaged (another SHA-256 than its record's), or it is of another network.
    """
    file = path / WEIGHTS if path.is_dir() else path
    spec = find_network(network)
    record = read_encoder_record(file)
    if record is not None and record.network != network:
        raise WeightsError(f"{file} holds an encoder of {record.network}, not of {network}")
    data = _bytes(file)
    if record is not None and sha256_bytes(data) != record.sha256:
        raise WeightsError(f"{file} is not the file that {RECORD} beside it tells of: its SHA-256 is another")
    module = spec.build(None)
    try:
        module.load_state_dict(load(data))
    except Exception as fault:  # safetensors and torch raise kinds of their own
        reason = " ".join(str(fault).split())[:300]
        raise WeightsError(f"{file} holds no encoder of {network}: {reason}") from fault
    return Backbone([spec], [module])


def read_encoder_record(path: Path) -> EncoderRecord | None:
    """The record beside an encoder, None where there is none.

    Args:
        path: `encoder.safetensors`, or the run folder that holds it.

    Raises:
        WeightsError: the record cannot be read, or is of a newer format.
    """
    file = (path if path.is_dir() else path.parent) / RECORD
    if not file.exists():
        return None
    try:
        record = EncoderRecord(**json.loads(file.read_text("utf-8")))
    except (ValueError, TypeError) as fault:
        raise WeightsError(f"{file} is no record of an encoder: {fault}") from fault
    if record.format != FORMAT:
        raise WeightsError(f"{file} is of the format {record.format}, which this version does not read")
    return record


def encoder_file_sha256(path: Path) -> str:
    """SHA-256 of an encoder's weights, to be written into the record of what was made from it.

    Args:
        path: `encoder.safetensors`, or the run folder that holds it.
    """
    return sha256_file(path / WEIGHTS if path.is_dir() else path)


def _metadata(record: EncoderRecord) -> dict[str, str]:
    """One entry, as safetensors writes several in any order: the same run must give the same bytes."""
    told: dict[str, Any] = asdict(record)
    told.pop("sha256")  # of the very file it would stand in
    return {"poxlens": json.dumps(told)}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise WeightsError(
            f"{file} cannot be read: {fault.strerror or fault}. Is it a run of poxlens pretrain?"
        ) from fault
