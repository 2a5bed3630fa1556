"""From a table of images to samples: nothing is read twice, nothing that cannot be read is lost."""

import numpy as np
import pytest
from PIL import Image

from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import draw, random_spec
from poxlens.errors import TrainingError
from poxlens.photo.decode import decode
from poxlens.photo.resize import InputRule
from poxlens.recipes.samples import Labels, possible_table, read_samples
from poxlens.train.images import Harmonise

LABELS = Labels(
    classes=("mpox", "chickenpox", "measles", "healthy"),
    meaning={
        "mpox": ("mpox",),
        "others": ("chickenpox", "measles"),
        "normal": ("healthy",),
    },
    whole_people="normal",
)
HARMONISE = Harmonise(InputRule(size=64))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    lines = ["file,label,dataset"]
    for number, label in enumerate(["mpox", "others", "normal", "mystery", "mpox", *["mole"] * 7]):
        lesion = "none" if label == "normal" else "papule"
        image = draw(random_spec(number, size=160, lesion=lesion, ita=35)).image
        Image.fromarray(image).save(root / f"{number}.png")
        lines.append(f"{number}.png,{label},{'probes' if label == 'mole' else 'a'}")
    (root / "4.png").write_bytes((root / "4.png").read_bytes()[:300])
    lines.append("gone.png,mpox,a")
    (root / "manifest.csv").write_text("\n".join(lines))
    return read_manifest(root / "manifest.csv")


def test_samples_in_the_order_of_the_table(manifest):
    seen = []
    samples, skipped = read_samples(manifest, LABELS, HARMONISE, advance=seen.append)
    whole = [sample for sample in samples if sample.patch is None]
    assert [sample.row.file for sample in whole] == ["0.png", "1.png", "2.png"]
    assert [sample.possible for sample in whole] == [("mpox",), ("chickenpox", "measles"), ("healthy",)]
    assert sum(seen) == len(manifest.rows)
    told = {one.file: one.reason.partition(":")[0] for one in skipped}
    assert "label" in told.values()  # a label without meaning is listed, not lost
    assert {file: why for file, why in told.items() if why != "label"} == {
        "4.png": "unreadable.truncated",
        "gone.png": "unreadable.missing",
    }
    assert np.array_equal(whole[0].image, HARMONISE.image(decode(manifest.root / "0.png").pixels, "a"))
    assert 0.5 < whole[0].skin <= 1


def test_patches_of_whole_people_only(manifest):
    samples, _ = read_samples(manifest, LABELS, HARMONISE)
    patches = [sample for sample in samples if sample.patch is not None]
    assert 1 <= len(patches) <= 2
    assert {sample.row.file for sample in patches} == {"2.png"}
    assert {sample.possible for sample in patches} == {("healthy",)}
    assert {sample.label for sample in patches} == {"patch"}
    for sample in patches:
        pixels = decode(manifest.root / "2.png").pixels
        assert np.array_equal(sample.image, HARMONISE.image(pixels, "a", sample.patch))


def test_probes_are_evenly_spaced_and_of_no_class(manifest):
    samples, _ = read_samples(manifest, LABELS, HARMONISE, probes={"probes": 3})
    probes = [sample for sample in samples if sample.row.dataset == "probes"]
    assert [sample.row.file for sample in probes] == ["5.png", "7.png", "9.png", "11.png"]
    assert {sample.possible for sample in probes} == {()}
    assert {sample.label for sample in probes} == {"probe:mole"}


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_same(manifest, workers):
    one, two = (read_samples(manifest, LABELS, HARMONISE, workers=n)[0] for n in (2, workers))
    assert [sample.row for sample in one] == [sample.row for sample in two]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(one, two, strict=True))


def test_nothing_to_read_is_a_fault(manifest, tmp_path):
    from dataclasses import replace

    gone = replace(manifest, rows=tuple(replace(row, path=tmp_path / row.file) for row in manifest.rows))
    with pytest.raises(TrainingError, match="none of the 5 images"):
        read_samples(gone, LABELS, HARMONISE)


def test_possible_table(sample):
    samples = [sample("a", ["mpox"]), sample("b", ["measles", "chickenpox"]), sample("c", [])]
    assert possible_table(samples, LABELS.classes).astype(int).tolist() == [
        [1, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
    ]
