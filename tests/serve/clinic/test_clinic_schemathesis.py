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


def run(house, listening, folder: Path, who: str, *options: str) -> subprocess.CompletedProcess[str]:
    house.service.clock = time.time
    house.filed()
    (folder / "schemathesis.toml").write_text(CONFIG)
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
    done = run(house, listening, tmp_path, "both", "--phases", "fuzzing", "--max-examples", "3")
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    assert "Tested: 41" in done.stdout


@pytest.mark.soak
@pytest.mark.parametrize("who", ["nobody", "phone", "nurse", "both"])
def test_schemathesis_finds_nothing_in_all_its_phases(house, listening, tmp_path, who):
    done = run(house, listening, tmp_path, who, "--max-examples", "60")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
