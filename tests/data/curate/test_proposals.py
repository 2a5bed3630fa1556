"""Proposals on disk: round trip, and each fault named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from poxlens.data.curate.proposals import Proposal, Proposals, read_proposals, write_proposals
from poxlens.errors import CurationError

CROP = Proposal(
    "a.jpg", "mpox", "0" * 64, 400, 300, "crop", (10, 20, 250), "crop.skin", "All skin.", 0.98, ("x",)
)
NONE = Proposal("b.jpg", "mpox", "1" * 64, 400, 300, "none", None, "none.no_skin", "No skin.", 0.01)
BOTH = Proposals("f" * 64, "photos", 224, {"margin": 0.05}, (CROP, NONE))


def test_proposals_come_back_as_they_were(tmp_path):
    path = tmp_path / "proposals.json"
    write_proposals(path, BOTH)
    assert read_proposals(path) == BOTH
    assert read_proposals(path).by_file["b.jpg"] == NONE
    first = path.read_bytes()
    write_proposals(path, BOTH)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"box": [10, 20, 281]}, "not inside an image of 400 x 300"),
        ({"box": [-1, 20, 250]}, "not inside"),
        ({"box": [10.5, 20, 250]}, "whole pixels"),
        ({"box": None}, "does not go with"),
        ({"verdict": "maybe"}, "does not go with"),
    ],
)
def test_a_proposal_at_fault_is_named(tmp_path, change, told):
    path = tmp_path / "proposals.json"
    write_proposals(path, replace(BOTH, proposals=(NONE, CROP)))
    value = json.loads(path.read_text())
    value["proposals"][1].update(change)
    path.write_text(json.dumps(value))
    with pytest.raises(CurationError, match=rf"proposal 2 \(a\.jpg\).*{told}"):
        read_proposals(path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": "poxlens-splits/1"}', '{"format": "poxlens-proposals/1"}']
)
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "proposals.json"
    path.write_text(text)
    with pytest.raises(CurationError, match=r"proposals\.json"):
        read_proposals(path)
