"""Schemathesis over the whole API with all its checks: a little here, much more and every account in `make soak`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

# What a JSON schema cannot say, so that a body may fit it and still be refused: the profile of a FHIR Bundle, that a
# diagnosis belongs to one verdict, the rules of passwords, that one of two fields must be there, a photo's bytes.
SEMANTIC = (
    "/v1/referrals",
    "/v1/screen",
    "/v1/session/password",
    "/v1/admin/erase",
    "/v1/worklist/{referral}/opinion",
    "/v1/worklist/{referral}/verdict",
)
CONFIG = "".join(
    f"""[[operations]]
include-path = "{path}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "429", "503"]

"""
    for path in SEMANTIC
)
# It signs out, or would end the session that the other requests are made with.
EXCLUDED = ("DELETE /v1/session",)


def run(
    house, listening, folder: Path, who: str, *options: str, known: bool
) -> subprocess.CompletedProcess[str]:
    """Schemathesis on a server with one referral; `known`: its id is what is asked for, else ids are made up."""
    house.service.clock = time.time
    filed = house.filed()["id"]
    parameters = f'[parameters]\n"path.referral" = "{filed}"\n"path.number" = 1\n\n' if known else ""
    (folder / "schemathesis.toml").write_text(parameters + CONFIG)
    with listening(house.app) as url:
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", f"{url}/v1/openapi.json", "--checks", "all", "--no-color",
            "--seed", "7", *headers(house, url, who), *options,
        ]  # fmt: skip
        for name in EXCLUDED if who != "nobody" else ():
            command += ["--exclude-name", name]
        return subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )


def headers(house, url: str, who: str) -> list[str]:
    if who == "nobody":
        return []
    if who in house.tokens:
        return ["--header", f"Authorization: Bearer {house.tokens[who]}"]
    signed = httpx.post(f"{url}/v1/session", json={"name": who, "password": "three words of a test"})
    cookie = f"poxlens_session={signed.cookies['poxlens_session']}"
    return ["--header", f"Cookie: {cookie}", "--header", f"X-CSRF-Token: {signed.json()['csrf']}"]


def test_schemathesis_finds_nothing_in_a_few_requests(house, listening, tmp_path):
    few = ("--phases", "fuzzing", "--max-examples", "3")
    done = run(house, listening, tmp_path, "both", *few, known=True)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    paths = house.client().get("/v1/openapi.json").json()["paths"]
    assert f"Tested: {sum(map(len, paths.values())) - len(EXCLUDED)}" in done.stdout
    assert {"opinion", "referral.opened"} <= set(house.actions())  # it reached what lies behind the ids


@pytest.mark.soak
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("who", ["nobody", "phone", "nurse", "both"])
def test_schemathesis_finds_nothing_in_all_its_phases(house, listening, tmp_path, who, known):
    done = run(house, listening, tmp_path, who, "--max-examples", "60", known=known)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
