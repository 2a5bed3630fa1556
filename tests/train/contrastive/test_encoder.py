from __future__ import annotations

import json

import pytest
import torch

from poxlens.errors import WeightsError
from poxlens.files import sha256_file
from poxlens.train.contrastive.encoder import (
    RECORD,
    WEIGHTS,
    EncoderRecord,
    encoder_file_sha256,
    load_encoder,
    read_encoder_record,
    save_encoder,
)
from poxlens.train.networks.registry import find_network

NAME = "mobilenet-v3-small"
TOLD = EncoderRecord(NAME, "simclr", "random", 64, 3, 40, "ab" * 32, 7)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(1)
    module = find_network(NAME).build(None).eval()
    return folder, module, save_encoder(folder, module, TOLD)


def test_the_weights_come_back_bit_for_bit(saved):
    folder, module, record = saved
    backbone = load_encoder(NAME, folder)
    images = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    scaled = (images.permute(0, 3, 1, 2).float() - backbone.mean0) / backbone.std0
    with torch.no_grad():
        expected = module(scaled).mean((2, 3))
        torch.testing.assert_close(backbone.both(images)[1], expected, rtol=0, atol=0)
    assert expected.shape == (2, 576)
    assert not backbone.training
    assert record.sha256 == sha256_file(folder / WEIGHTS) == encoder_file_sha256(folder)
    assert read_encoder_record(folder / WEIGHTS) == record


def test_a_single_file_without_its_record_is_read(saved, tmp_path):
    (tmp_path / "a.safetensors").write_bytes((saved[0] / WEIGHTS).read_bytes())
    assert read_encoder_record(tmp_path) is None
    found = load_encoder(NAME, tmp_path / "a.safetensors").parts[0].state_dict()
    assert all(torch.equal(found[name], value) for name, value in saved[1].state_dict().items())


def test_what_is_no_encoder_of_the_network_is_refused(saved, tmp_path):
    folder = saved[0]
    with pytest.raises(WeightsError, match="an encoder of mobilenet-v3-small, not of resnet-18"):
        load_encoder("resnet-18", folder)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_encoder(NAME, tmp_path)
    data = (folder / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(WeightsError, match="holds no encoder of resnet-18"):
        load_encoder("resnet-18", tmp_path)
    (tmp_path / RECORD).write_text((folder / RECORD).read_text())
    (tmp_path / WEIGHTS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(WeightsError, match="its SHA-256 is another"):
        load_encoder(NAME, tmp_path)
    told = json.loads((folder / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps({**told, "format": "poxlens-encoder/2"}))
    with pytest.raises(WeightsError, match="poxlens-encoder/2"):
        load_encoder(NAME, tmp_path)
    (tmp_path / RECORD).write_text("{}")
    with pytest.raises(WeightsError, match="no record"):
        load_encoder(NAME, tmp_path)
