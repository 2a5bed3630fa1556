from __future__ import annotations

import json
import stat
import tracemalloc
import zipfile

import pytest

from poxlens.bundle.pack import pack, pack_zip
from poxlens.bundle.store import embedded_path, load, manifest_bytes, parse
from poxlens.errors import BundleError
from poxlens.files import sha256_bytes


def edit(folder, change):
    path = folder / "bundle.json"
    table = json.loads(path.read_bytes())
    change(table)
    path.write_text(json.dumps(table))


def test_a_bundle_is_read_as_it_was_packed(tiny, tiny_path):
    bundle = load(tiny_path)
    assert (bundle.name, bundle.version) == ("tiny", "1.0.0")
    assert bundle.digest == sha256_bytes((tiny_path / "bundle.json").read_bytes())
    assert bundle.label == f"tiny 1.0.0 sha256:{bundle.digest[:16]}"
    assert bundle.read("model.onnx") == tiny.model()
    assert [file.path for file in bundle.manifest.files] == [
        "MODEL_CARD.md",
        "golden/dark.png",
        "golden/light.png",
        "model.onnx",
    ]
    with pytest.raises(BundleError, match=r"no file weights\.bin"):
        bundle.read("weights.bin")


def test_packing_twice_gives_the_same_bytes(tiny, tmp_path):
    first, second = tiny.build(tmp_path / "a"), tiny.build(tmp_path / "b")
    assert first.digest == second.digest
    zips = [pack_zip(made, tmp_path / f"{i}.zip").read_bytes() for i, made in enumerate((first, second))]
    assert zips[0] == zips[1]


def test_a_zip_is_the_same_bundle(tiny_path, tmp_path):
    folder = load(tiny_path)
    zipped = load(pack_zip(folder, tmp_path / "tiny.zip"))
    assert zipped.digest == folder.digest
    assert zipped.manifest == folder.manifest
    assert zipped.read("golden/dark.png") == folder.read("golden/dark.png")


@pytest.mark.parametrize("file", ["model.onnx", "MODEL_CARD.md", "golden/light.png"])
@pytest.mark.parametrize("place", [0, -1])
def test_one_changed_byte_is_refused(tiny_copy, file, place):
    data = bytearray((tiny_copy / file).read_bytes())
    data[place] ^= 1
    (tiny_copy / file).write_bytes(data)
    with pytest.raises(BundleError, match=f"{file} was changed"):
        load(tiny_copy)


@pytest.mark.parametrize(("change", "message"), [(b"x", "is longer"), (None, "not 7 bytes")])
def test_another_size_is_refused(tiny_copy, change, message):
    card = tiny_copy / "MODEL_CARD.md"
    card.write_bytes(card.read_bytes() + change if change else card.read_bytes()[:-1])
    with pytest.raises(BundleError, match=rf"MODEL_CARD\.md .*{message}"):
        load(tiny_copy)


def test_a_missing_file_is_named(tiny_copy):
    (tiny_copy / "golden" / "dark.png").unlink()
    with pytest.raises(BundleError, match=r"golden/dark\.png is missing"):
        load(tiny_copy)


def test_a_file_that_is_not_listed_is_refused_but_litter_is_not(tiny_copy):
    (tiny_copy / ".DS_Store").write_bytes(b"finder")
    assert load(tiny_copy).name == "tiny"
    (tiny_copy / "golden" / "extra.png").write_bytes(b"")
    with pytest.raises(BundleError, match=r"golden/extra\.png is not listed"):
        load(tiny_copy)


@pytest.mark.parametrize("version", ["poxlens-bundle/2", "poxlens-bundle/17"])
def test_a_newer_format_says_to_update(tiny_copy, version):
    edit(tiny_copy, lambda table: table.update(format=version, some_new_field=1))
    with pytest.raises(
        BundleError, match=f"{version} was made by a newer poxlens.*pip install --upgrade poxlens"
    ):
        load(tiny_copy)


@pytest.mark.parametrize("version", ["poxlens-bundle/0", "poxlens-bundle/x", "other/2", 1, None])
def test_another_format_is_no_bundle(tiny_copy, version):
    edit(tiny_copy, lambda table: table.update(format=version))
    with pytest.raises(BundleError, match="format: must be 'poxlens-bundle/1'"):
        load(tiny_copy)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"format": NaN}', b'{"format": 1, "format": 1}', b"[" * 100_000],
)
def test_broken_json_is_refused(tiny_copy, raw):
    (tiny_copy / "bundle.json").write_bytes(raw)
    with pytest.raises(BundleError, match=r"bundle\.json"):
        load(tiny_copy)


def test_paths_out_of_the_bundle_are_refused(tiny_copy):
    for path in (
        "../secret",
        "/etc/passwd",
        "golden/../../x",
        "a\\b",
        "C:x",
        "",
        "golden//x",
        ".hidden",
        "a\n",
    ):
        edit(tiny_copy, lambda table, path=path: table["files"][0].update(path=path))
        with pytest.raises(BundleError, match=r"files\[0\]\.path"):
            load(tiny_copy)


def test_what_is_no_bundle_says_so(tmp_path):
    with pytest.raises(BundleError, match="no such bundle"):
        load(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=r"no bundle\.json at the top"):
        load(tmp_path)
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(BundleError, match="neither a bundle folder nor a"):
        load(tmp_path / "text.zip")


def test_listed_sizes_have_a_limit(tiny_copy):
    edit(tiny_copy, lambda table: table["files"][0].update(bytes=10**12))
    with pytest.raises(BundleError, match="larger than 256000000 bytes"):
        load(tiny_copy)


def test_pack_leaves_the_old_bundle_when_the_new_one_is_wrong(tiny, tmp_path):
    old = tiny.build(tmp_path / "b")
    with pytest.raises(BundleError, match=r"models\[0\]\.file: model\.onnx is not among"):
        pack(tmp_path / "b", old.manifest, {"MODEL_CARD.md": b""})
    assert load(tmp_path / "b").digest == old.digest
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_pack_replaces_a_bundle_and_nothing_else(tiny, tmp_path):
    tiny.build(tmp_path / "b")
    assert tiny.build(tmp_path / "b", version="1.0.1").version == "1.0.1"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) & 0o055 == 0o055
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep")
    with pytest.raises(BundleError, match="holds other things than a bundle"):
        tiny.build(mine)
    assert (mine / "thesis.txt").read_text() == "keep"


def test_the_manifest_bytes_read_back_equal(tiny_path):
    bundle = load(tiny_path)
    raw = manifest_bytes(bundle.manifest)
    assert raw == bundle.read("bundle.json")
    assert parse(raw) == bundle.manifest


def test_the_embedded_bundle_has_its_place():
    assert embedded_path().parts[-3:] == ("poxlens", "bundles", "default")


# zip archives


def write_zip(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


@pytest.fixture
def entries(tiny_path):
    return [
        (p.relative_to(tiny_path).as_posix(), p.read_bytes()) for p in tiny_path.rglob("*") if p.is_file()
    ]


def test_a_hand_made_zip_is_read(entries, tmp_path):
    litter = [("__MACOSX/._bundle.json", b"x"), ("golden/.DS_Store", b"x"), ("golden/", b"")]
    assert load(write_zip(tmp_path / "a.zip", entries + litter)).name == "tiny"


@pytest.mark.parametrize("name", ["../evil", "/evil", "golden/../../evil", "a\\..\\evil", "C:evil", "a//b"])
def test_zip_entries_that_lead_out_are_refused(entries, tmp_path, name):
    with pytest.raises(BundleError, match="leads out of the bundle"):
        load(write_zip(tmp_path / "a.zip", [*entries, (name, b"x")]))


def test_a_zip_bomb_is_stopped_by_the_listed_size(entries, tmp_path):
    bomb = [(name, data if name != "MODEL_CARD.md" else bytes(200_000_000)) for name, data in entries]
    path = write_zip(tmp_path / "bomb.zip", bomb)
    assert path.stat().st_size < 300_000
    tracemalloc.start()
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md is longer"):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_manifest_bomb_is_stopped(tmp_path):
    with pytest.raises(BundleError, match=r"bundle\.json is larger"):
        load(write_zip(tmp_path / "a.zip", [("bundle.json", b" " * 50_000_000)]))


def test_too_many_entries_are_refused(entries, tmp_path):
    many = [(f"golden/{i}", b"") for i in range(1200)]
    with pytest.raises(BundleError, match="more than 1000 files"):
        load(write_zip(tmp_path / "a.zip", entries + many))


def test_twins_are_refused(entries, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write_zip(tmp_path / "a.zip", [*entries, entries[0]])
    with pytest.raises(BundleError, match="twice"):
        load(path)


def test_a_cut_zip_is_refused(entries, tmp_path):
    path = write_zip(tmp_path / "a.zip", entries)
    data = path.read_bytes()
    for length in (10, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:length])
        with pytest.raises(BundleError):
            load(path)


def test_a_damaged_zip_is_refused(entries, tmp_path):
    path = write_zip(tmp_path / "a.zip", entries)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(BundleError):
        load(path)
