"""Rules that hold for the repository as a whole."""

import csv
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from poxlens.bundle.store import embedded_path
from poxlens.cli.clinic import clinic
from poxlens.cli.data import VERBS as DATA_VERBS
from poxlens.cli.main import VERBS, main
from poxlens.cli.pretrain import VERBS as PRETRAIN_VERBS
from poxlens.files import sha256_file

ROOT = Path(__file__).parents[1]
REAL = ROOT / ".." / "shared" / "data" / "manifest.csv"
# A folder of one machine: the root's, a person's, a temporary one, a mount.
MACHINE_PATH = re.compile(r"(?<![\w.~>)}-])/(?:work|root|tmp|mnt|home/\w+|Users/\w+|private/var)(?:/|\b)")
BUNDLE_LIMIT = 12_000_000  # bytes
PARTS = {
    "bundle": ("show", "verify"),
    "data": tuple(DATA_VERBS),
    "export": ("check",),
    "pretrain": tuple(PRETRAIN_VERBS),
}
PARTS["clinic"] = tuple(command.name for command in clinic.registered_commands)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control that are there; fails where there is no repository to ask."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    assert len(paths) > 20
    return tuple(path for path in paths if path.is_file())


def machine_paths(text: str) -> list[str]:
    return [match.group() for match in MACHINE_PATH.finditer(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /ho" + "me/ann/x", 1),
        ('open("/tm' + 'p/x")', 1),
        ("cd /wo" + "rk", 1),
        ("https://example.org/home/ann", 0),
        ("src/work/x", 0),
        ("#!/usr/bin/env bash", 0),
        ("/workers", 0),
        ("tmp_path / 'x'", 0),
    ],
)
def test_the_pattern_of_machine_paths(text, found):
    assert len(machine_paths(text)) == found


def test_no_tracked_file_names_a_folder_of_one_machine():
    faults = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # an image or a graph
        lines = enumerate(text.splitlines(), start=1)
        faults += [f"{path.relative_to(ROOT)}:{number}" for number, line in lines if machine_paths(line)]
    assert faults == []


@pytest.mark.real_data
def test_no_photo_of_a_patient_is_tracked():
    if not REAL.exists():
        pytest.skip("the real images are not beside the checkout: nothing to compare tracked files with")
    with REAL.open(newline="") as stream:
        patients = {row["sha256"] for row in csv.DictReader(stream)}
    assert len(patients) > 5000
    assert [str(path.relative_to(ROOT)) for path in tracked() if sha256_file(path) in patients] == []


def slugs(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(document: Path) -> list[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text("utf-8"), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)(?: +\"[^\"]*\")?\)", text)
    found += re.findall(r"^\[[^\]]+\]: *(\S+)", text, flags=re.MULTILINE)
    return [link for link in found if not re.match(r"[a-z][a-z0-9+.-]*:", link)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(document):
    broken = []
    for link in links(document):
        name, _, anchor = link.partition("#")
        target = (document.parent / name) if name else document
        inside = target.resolve().is_relative_to(ROOT.resolve())
        if (
            not inside
            or not target.exists()
            or (anchor and target.suffix == ".md" and anchor not in slugs(target))
        ):
            broken.append(link)
    assert broken == []


def documented() -> list[tuple[str, str, tuple[str, ...]]]:
    """Every `poxlens VERB ...` in code of README and docs: document, verb, its long options."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8").replace("\\\n", " ")
        blocks = re.findall(r"^```([^\n]*)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
        # In a console block, what does not begin with a prompt is output.
        lines = [
            line
            for language, block in blocks
            for line in block.splitlines()
            if language != "console" or line.startswith("$ ")
        ]
        outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        lines += re.findall(r"`([^`]+)`", outside)
        for line in lines:
            for call in re.finditer(r"^(?:\$ *)?(?:.*?/)?poxlens ([a-z][a-z-]*)\b([^#|;&]*)", line.strip()):
                options = tuple(re.findall(r"(?<![\w-])--[a-z][a-z-]*", call.group(2)))
                found.append((str(document.relative_to(ROOT)), call.group(1), options))
    return found


def test_every_documented_verb_and_option_is_there(capsys):
    calls = documented()
    assert ("docs/evaluate.md", "evaluate", ("--root", "--map", "--out")) in calls
    main(["--help"])
    listed = capsys.readouterr().out
    unknown = {
        (where, verb) for where, verb, _ in calls if not re.search(rf"^  {verb} ", listed, re.MULTILINE)
    }
    assert unknown == set()
    helps: dict[str, str] = {}
    missing = []
    for where, verb, options in calls:
        if options and verb not in helps:
            main([verb, "--help"])
            helps[verb] = capsys.readouterr().out
            for part in PARTS.get(verb, ()):  # its options are those of what follows
                main([verb, part, "--help"])
                helps[verb] += capsys.readouterr().out
        missing += [(where, verb, option) for option in options if not re.search(rf"{option}\b", helps[verb])]
    assert missing == []
    assert set(VERBS) >= {verb for _, verb, _ in calls}


def test_the_embedded_bundle_is_small():
    if not embedded_path().exists():
        pytest.skip("no embedded bundle in this checkout")
    sizes = {path.name: path.stat().st_size for path in embedded_path().rglob("*") if path.is_file()}
    assert sizes
    assert sum(sizes.values()) <= BUNDLE_LIMIT, sizes


def test_importing_the_package_loads_no_runtime():
    code = "import sys, poxlens; print(' '.join(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    loaded = {name.partition(".")[0] for name in shown.split()}
    assert "poxlens" in loaded
    assert loaded & {"onnxruntime", "torch", "pydantic", "numpy", "PIL", "typer", "rich"} == set()
