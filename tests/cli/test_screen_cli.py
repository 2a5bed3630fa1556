"""`poxlens screen` as a user runs it: a process with arguments, output and an exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.phantom import draw, random_spec
from poxlens.screen.reasons import DISCLAIMER
from poxlens.screen.screener import Screener

FIELDS = [
    "file",
    "outcome",
    "reasons",
    "probabilities",
    "prediction_set",
    "novelty",
    "quality",
    "skin_tone",
    "bundle",
    "ms",
]


@pytest.fixture(scope="module")
def photos(tiny, tmp_path_factory):
    """A folder with three phantoms, one of them two folders down."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "deep" / "er").mkdir(parents=True)
    for seed, name in enumerate(["b.png", "a.png", "deep/er/a.png"]):
        (folder / name).write_bytes(tiny.png(draw(random_spec(seed)).image))
    return folder


@pytest.fixture(scope="module")
def poxlens(tiny_path):
    """Runs `poxlens screen --bundle TINY ...` as a process of its own."""

    def run(*arguments, **options):
        command = [
            sys.executable,
            "-m",
            "poxlens",
            "screen",
            "--bundle",
            str(tiny_path),
            *map(str, arguments),
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, **options)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    return run


def test_one_photo_is_answered_for_a_person(poxlens, photos):
    done = poxlens(photos / "a.png")
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert text.startswith(f"{photos / 'a.png'}\n UNCERTAIN   A health worker must look.\n")
    assert re.search(r"^  mpox +█+\S* +0\.\d\d$", text, re.MULTILINE)
    assert "estimate" in text
    assert text.rstrip().endswith(DISCLAIMER)
    assert "\x1b" not in text  # no colours into a pipe


def test_json_is_one_object_a_line_and_nothing_else(poxlens, photos, tiny_path):
    done = poxlens("--json", photos, photos / "a.png")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]
    names = ["a.png", "b.png", "deep/er/a.png", "a.png"]
    assert [line["file"] for line in lines] == [str(photos / name) for name in names]
    assert all(list(line) == FIELDS for line in lines)
    alone = Screener(tiny_path).screen(photos / "a.png")
    assert lines[0]["probabilities"] == alone.to_json()["probabilities"]
    assert lines[0]["outcome"] == lines[3]["outcome"] == alone.outcome.value


def test_a_single_json_line_equals_that_of_a_folder(poxlens, photos):
    def without_time(done):
        return [{k: v for k, v in json.loads(line).items() if k != "ms"} for line in done.stdout.splitlines()]

    alone = without_time(poxlens("--json", photos / "a.png"))
    among = without_time(poxlens("--json", "--workers", "3", photos))
    assert alone == among[:1]


def test_standard_input(poxlens, photos):
    data = (photos / "a.png").read_bytes()
    line = json.loads(poxlens("--json", "-", input=data).stdout)
    assert line["file"] == "-"
    assert line["outcome"] == "uncertain"
    assert poxlens("-", input=b"").returncode == 1


def test_unreadable_items_are_reported_and_exit_1(poxlens, photos, tmp_path):
    (tmp_path / "notes.jpg").write_text("text named as a photo")
    done = poxlens(
        "--json", photos / "a.png", tmp_path / "notes.jpg", tmp_path / "none.jpg", photos / "b.png"
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [line["reasons"][0]["code"] for line in lines[1:3]] == [
        "unreadable.not_an_image",
        "unreadable.missing",
    ]
    assert [line["outcome"] for line in lines] == ["uncertain", "cannot_assess", "cannot_assess", "uncertain"]
    assert poxlens(tmp_path / "none.jpg").returncode == 1


def test_a_refused_photo_is_an_answer_and_no_failure(poxlens, tmp_path, tiny):
    noise = np.random.default_rng(3).integers(60, 200, (300, 300, 1), np.uint8)
    (tmp_path / "wall.png").write_bytes(tiny.png(np.repeat(noise, 3, axis=2)))
    done = poxlens(tmp_path / "wall.png")
    assert done.returncode == 0
    assert "CANNOT ASSESS" in done.stdout.decode()
    assert "fails: skin" in done.stdout.decode()
    assert "mpox  " not in done.stdout.decode()


def test_hidden_files_are_left_out_and_an_empty_folder_says_so(poxlens, tmp_path, photos):
    (tmp_path / ".hidden.png").write_bytes((photos / "a.png").read_bytes())
    done = poxlens(tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr.decode() == "poxlens: screen: no photos found in the folder; hidden files are left out\n"
    )


def test_a_pipe_in_a_folder_does_not_block(poxlens, tmp_path, photos):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "a.png").write_bytes((photos / "a.png").read_bytes())
    (tmp_path / "z.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    lines = [json.loads(line) for line in poxlens("--json", tmp_path).stdout.splitlines()]
    assert [line["reasons"][0]["code"] for line in lines][1:] == ["unreadable.missing"]


def test_a_folder_gets_a_line_a_photo_and_a_summary(poxlens, photos):
    text = poxlens(photos).stdout.decode()
    assert len(re.findall(r"^ UNCERTAIN       mpox 0\.\d\d +/", text, re.MULTILINE)) == 3
    assert "3 photos: 3 uncertain" in text


def test_heat_maps_get_names_of_their_own(poxlens, photos, tmp_path):
    done = poxlens("--heatmap", tmp_path / "new" / "maps", photos, photos / "a.png")
    assert done.returncode == 0
    maps = tmp_path / "new" / "maps"
    names = ["a.png-2.heatmap.png", "a.png-3.heatmap.png", "a.png.heatmap.png", "b.png.heatmap.png"]
    assert sorted(path.name for path in maps.iterdir()) == names
    for path in maps.iterdir():
        assert Image.open(BytesIO(path.read_bytes())).size == (448, 448)
    assert (maps / names[0]).read_bytes() != (maps / names[2]).read_bytes()
    assert (maps / names[1]).read_bytes() == (maps / names[2]).read_bytes()


def test_a_person_gets_one_answer_more(poxlens, photos, tmp_path):
    (tmp_path / "answers.json").write_text('{"contact_with_case_21d": true}')
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    files = [photos / "a.png", tmp_path / "broken.jpg"]
    done = poxlens("--json", "--person", "--context", tmp_path / "answers.json", *files)
    *lines, person = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["outcome"] for line in lines] == ["uncertain", "cannot_assess"]
    assert "context" not in lines[0]
    assert list(person) == ["person", *FIELDS[1:], "context", "photos"]
    assert person["person"] == [str(path) for path in files]
    assert person["outcome"] == "refer"
    assert person["reasons"][0]["code"] == "context.contact"
    assert person["context"] == {"contact_with_case_21d": True}
    assert "This person, 2 photos" in poxlens("--person", *files).stdout.decode()


def test_context_overrides_each_photo(poxlens, photos, tmp_path):
    (tmp_path / "answers.json").write_text('{"fever": true, "swollen_lymph_nodes": true}')
    done = poxlens("--context", tmp_path / "answers.json", photos / "a.png")
    assert " REFER " in done.stdout.decode()
    assert "Fever together with swollen lymph nodes" in done.stdout.decode()
    assert "fever yes, swollen lymph nodes yes" in done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: FILE|DIR|-"),
        (["--workers", "0", "x"], "--workers must be 1 or more, not 0"),
        (["--workers", "many", "x"], "argument --workers: invalid int value: 'many'"),
        (["--bundel", "x"], "unrecognized arguments: --bundel"),
        (["--bundle", "/nowhere", "x"], "--bundle /nowhere: no such folder or file"),
        (["--context", "/nowhere", "x"], "screen: --context: cannot read /nowhere"),
        (["-", "-"], "standard input (-) can be read only once"),
        (["--heatmap", "/dev/null/x", "x"], "--heatmap /dev/null/x: Not a directory"),
    ],
)
def test_misuse_exits_2_with_one_line(poxlens, arguments, message):
    done = poxlens(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_refused_bundle_exits_1_with_one_line(photos, tiny_copy):
    (tiny_copy / "model.onnx").write_bytes(b"x" * 10)
    command = [sys.executable, "-m", "poxlens", "screen", "--bundle", str(tiny_copy), str(photos / "a.png")]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, b"")
    assert re.fullmatch(r"poxlens: .*model\.onnx is 10 bytes, not \d+ bytes; .*\n", done.stderr.decode())


def test_a_wrong_golden_output_shows_even_where_the_photo_needs_no_model(tiny, tmp_path):
    golden = tiny.build(tmp_path / "b").manifest.golden
    tiny.build(tmp_path / "b", onnx_bytes=tiny.model(gain=2.1), golden=golden)
    (tmp_path / "text.jpg").write_text("no photo")
    command = [sys.executable, "-m", "poxlens", "screen", "--bundle", str(tmp_path / "b")]
    for sources in (["text.jpg"], ["text.jpg", "text.jpg"]):
        paths = [str(tmp_path / name) for name in sources]
        done = subprocess.run([*command, *paths], capture_output=True, timeout=60)
        assert (done.returncode, done.stdout) == (1, b"")
        assert re.match(r"poxlens: golden example golden/.*\.png: logits differs", done.stderr.decode())


def test_help_and_parsing_are_one(poxlens):
    done = poxlens("--help")
    assert done.returncode == 0
    for option in ("--json", "--heatmap DIR", "--bundle PATH", "--person", "--context FILE", "--workers N"):
        assert option in done.stdout.decode()


def test_the_progress_bar_is_on_a_terminal_and_never_in_the_output(tiny_path, photos):
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "poxlens", "screen", "--bundle", str(tiny_path), "--json", str(photos)]
    terminal = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=terminal, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["uncertain"] * 3
    assert "3/3" in shown


def answering(bundle, folder, *, times):
    """A process that screens the folder many times over and has given its first answer."""
    command = [sys.executable, "-m", "poxlens", "screen", "--bundle", str(bundle), "--json"]
    process = subprocess.Popen(
        [*command, *[str(folder)] * times],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background job ignores Ctrl-C and so would everything that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_reader_that_leaves_early_is_no_fault(tiny_path, photos):
    process = answering(tiny_path, photos, times=30)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 141


def test_ctrl_c_is_quiet(tiny_path, photos):
    process = answering(tiny_path, photos, times=300)
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, b"")
    assert time.monotonic() - start < 10


def test_any_locale_and_any_file_name(poxlens, photos, tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9\x1b[31m\n.png"
    with open(name, "wb") as stream:  # noqa: PTH123 - a name that is no text
        stream.write((photos / "a.png").read_bytes())
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = poxlens(tmp_path, env=plain)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert json.loads(poxlens("--json", tmp_path, env=plain).stdout)["outcome"] == "uncertain"
    single = poxlens(photos / "a.png", env=plain)
    assert b"####" in single.stdout


def test_the_way_to_one_photo_imports_no_heavy_thing(tiny_path, photos):
    code = (
        "import sys; from poxlens.cli.main import main;"
        f"code = main(['screen', '--json', '--bundle', {str(tiny_path)!r}, {str(photos / 'a.png')!r}]);"
        "heavy = {'typer', 'click', 'rich', 'pydantic', 'torch', 'tempfile', 'zipfile', 'numpy.ma'};"
        "print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "0 []\n"


def test_main_returns_its_code(tiny_path, photos, capsys):
    assert main(["screen", "--bundle", str(tiny_path), "--json", str(photos / "a.png")]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "uncertain"
    assert main(["screen"]) == 2
