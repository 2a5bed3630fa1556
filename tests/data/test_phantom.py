"""The phantoms: what is promised of masks, skin tone, determinism and files, as numbers."""

from __future__ import annotations

import csv
import hashlib
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from poxlens.data.phantom import (
    ITA_RANGE,
    LESIONS,
    MANIFEST_COLUMNS,
    PhantomSpec,
    draw,
    random_spec,
    write_phantoms,
)

# What `_digest(_spec(lesion))` gives: SHA-256 of the image's, the clean image's and the mask's bytes.
GOLDEN = {
    "umbilicated-pustule": "e4f6387f8430cbcb61c1898acfffe7859f892baa5bccfa28db954c5925a18439",
    "vesicle": "a6e03ca5e9c80df2eaacca8d68cf91343b36577593b61b05dc36714eb0b2d946",
    "papule": "377ff688e56a6f995277e5561909dd818ad3999d077b0e7b817d8056bf3f3ea0",
    "comedone": "dc82f2c96dd48f865f226937c389d34ff1087f82beb586afc9f72fa7a0c9100d",
    "macule": "788cc7c1e643d0c539b4785f8eded9d76c9576fda4f879d8332f5df954886268",
    "crust": "61776d598a3c074dcb018f10e9caf2b24cf1336daaf6ce2ad8197dd15d0bdf0a",
}


def _spec(lesion: str | None = "papule", **changes: object) -> PhantomSpec:
    values: dict[str, object] = {
        "seed": 7,
        "size": 160,
        "ita": 20.0,
        "lesion": lesion,
        "count": 3 if lesion else 0,
    }
    return PhantomSpec(**(values | changes))  # type: ignore[arg-type]


def _digest(spec: PhantomSpec) -> str:
    phantom = draw(spec)
    return hashlib.sha256(
        b"".join(a.tobytes() for a in (phantom.image, phantom.clean, phantom.mask))
    ).hexdigest()


def _lab(pixels: np.ndarray) -> np.ndarray:
    """CIELAB [H, W, 3] by the standard's formulas, D65; the second implementation is scikit-image's."""
    from skimage.color import rgb2lab

    return rgb2lab(pixels)


@pytest.mark.parametrize("lesion", LESIONS)
def test_the_same_spec_gives_the_recorded_bits(lesion: str) -> None:
    assert _digest(_spec(lesion)) == GOLDEN[lesion]


def test_another_seed_gives_another_picture() -> None:
    assert _digest(_spec("papule")) != _digest(_spec("papule", seed=8))


@pytest.mark.parametrize(
    "faults", [{}, {"blur": 6.0}, {"noise": 12.0}, {"jpeg_quality": 40}, {"vignette": 0.8, "light": 1.0}]
)
@pytest.mark.parametrize("lesion", LESIONS)
def test_image_and_clean_are_equal_outside_the_mask_and_differ_inside(
    lesion: str, faults: dict[str, float]
) -> None:
    phantom = draw(_spec(lesion, **faults))
    assert np.array_equal(phantom.image[~phantom.mask], phantom.clean[~phantom.mask])
    difference = np.abs(phantom.image.astype(int) - phantom.clean.astype(int)).max(axis=2)
    assert phantom.count == 3
    assert difference[phantom.mask].mean() > 4.0
    # The mask is no loose box: most of it is visibly changed.
    assert np.mean(difference[phantom.mask] >= 1) > 0.75
    assert 0.002 < phantom.mask.mean() < 0.5


def test_what_lies_outside_the_mask_would_not_have_been_seen_anyway() -> None:
    # Setting the outside equal must hide no lesion: without noise the whole change is inside up to one level.
    spec = _spec("umbilicated-pustule", noise=0.0, size=384)
    phantom = draw(spec)
    edge = phantom.mask & ~_shrunk(phantom.mask, 1)
    step = np.abs(phantom.image[edge].astype(int) - phantom.clean[edge].astype(int))
    assert np.percentile(step, 99) <= 8
    assert step.mean() < 2.0


def _shrunk(mask: np.ndarray, radius: int) -> np.ndarray:
    for _ in range(radius):
        padded = np.pad(mask, 1, constant_values=True)
        mask = (
            padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        )
    return mask


def test_healthy_skin_has_an_empty_mask_and_is_its_own_clean() -> None:
    phantom = draw(_spec(None))
    assert not phantom.mask.any()
    assert np.array_equal(phantom.image, phantom.clean)
    assert phantom.label == "healthy-skin"
    assert phantom.count == 0


def test_the_skin_of_a_seed_is_the_same_under_every_lesion() -> None:
    cleans = [draw(_spec(lesion)).clean for lesion in (*LESIONS, None)]
    assert all(np.array_equal(cleans[0], other) for other in cleans[1:])


@pytest.mark.parametrize("ita", [-50.0, -30.0, -10.0, 10.0, 28.0, 41.0, 55.0, 70.0])
def test_the_skin_has_the_ita_that_was_asked_for(ita: float) -> None:
    measured = []
    for seed in range(4):
        lab = np.median(
            _lab(draw(PhantomSpec(seed=seed, size=192, ita=ita, light=0.0)).clean).reshape(-1, 3), axis=0
        )
        measured.append(math.degrees(math.atan2(lab[0] - 50.0, lab[2])))
    assert np.mean(measured) == pytest.approx(ita, abs=4.0)
    assert np.max(np.abs(np.array(measured) - ita)) < 8.0


def test_darker_skin_is_darker_at_every_step() -> None:
    steps = [draw(PhantomSpec(seed=1, size=96, ita=float(i))).clean.mean() for i in range(-50, 71, 20)]
    assert all(b > a + 5 for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize("ita", [60.0, 0.0, -45.0])
def test_lesions_look_like_their_kind(ita: float) -> None:
    """Inside the mask against the same skin without lesions, L* and a* move as the description says."""

    def shift(lesion: str, count: int = 5) -> tuple[np.ndarray, np.ndarray]:
        phantom = draw(PhantomSpec(seed=3, size=320, ita=ita, lesion=lesion, count=count, noise=0.0))
        change = (_lab(phantom.image) - _lab(phantom.clean))[phantom.mask]
        return change, np.percentile(change[:, 0], [2, 98])

    pustule, (low, high) = shift("umbilicated-pustule")
    assert high > 8.0, "the pus is lighter than the skin"
    assert low < -5.0, "the rim and the dimple are darker"
    assert np.percentile(pustule[:, 1], 95) > 2.0, "the rim is redder, or violet"
    vesicle, _ = shift("vesicle")
    assert vesicle[:, 0].max() > 12.0, "the roof glistens"
    crust, (low, high) = shift("crust")
    assert low < (-30.0 if ita > 30 else -8.0), "a crust is dark"
    assert np.median(crust[:, 0]) < -3.0
    papule, _ = shift("papule")
    assert np.median(papule[:, 0]) < 0.0
    if ita > -20:
        assert np.percentile(papule[:, 1], 90) > 6.0, "erythema is red unless the skin is dark"
    _, (low, _) = shift("comedone", 25)
    assert low < (-20.0 if ita > 30 else -4.0), "open comedones have a black plug"


def test_the_pustule_is_umbilicated() -> None:
    phantom = draw(
        PhantomSpec(seed=5, size=512, ita=40.0, lesion="umbilicated-pustule", count=1, light=0.0, noise=0.0)
    )
    rows, columns = np.nonzero(phantom.mask)
    cy, cx = rows.mean(), columns.mean()
    radius = math.sqrt(phantom.mask.sum() / math.pi)
    y, x = np.mgrid[:512, :512]
    d = np.hypot(y - cy, x - cx) / radius
    green = phantom.image[..., 1].astype(float)
    centre, ring, rim = (
        green[(d >= a) & (d < b)].mean() for a, b in ((0.0, 0.06), (0.25, 0.42), (0.68, 0.85))
    )
    assert ring > centre + 15.0
    assert ring > rim + 25.0


def test_blur_noise_vignette_and_jpeg_do_what_they_say() -> None:
    plain = draw(PhantomSpec(seed=2, size=256, light=0.0, noise=0.0)).image.astype(float)
    blurred = draw(PhantomSpec(seed=2, size=256, light=0.0, noise=0.0, blur=6.0)).image.astype(float)
    noisy = draw(PhantomSpec(seed=2, size=256, light=0.0, noise=5.0)).image.astype(float)
    dim = draw(PhantomSpec(seed=2, size=256, light=0.0, noise=0.0, vignette=0.6)).image.astype(float)
    coded = draw(PhantomSpec(seed=2, size=256, light=0.0, noise=0.0, jpeg_quality=30)).image.astype(float)
    assert np.abs(np.diff(blurred, axis=1)).mean() < 0.5 * np.abs(np.diff(plain, axis=1)).mean()
    assert (noisy - plain).std() == pytest.approx(5.0, rel=0.05)
    assert dim[:16, :16].mean() < 0.85 * plain[:16, :16].mean()
    assert np.abs(dim[120:136, 120:136] - plain[120:136, 120:136]).max() <= 1
    assert 0.5 < np.abs(coded - plain).mean() < 8.0


def test_light_comes_from_above_and_relief_is_lit_on_that_side() -> None:
    ratios = []
    for seed in range(6):
        image = draw(PhantomSpec(seed=seed, size=128, light=1.0)).image.astype(float)
        ratios.append(image[:32].mean() / image[-32:].mean())
    assert min(ratios) > 1.02


@pytest.mark.parametrize("size", [32, 63, 500])
def test_every_size_is_drawn(size: int) -> None:
    phantom = draw(PhantomSpec(seed=0, size=size, lesion="crust", count=2))
    assert phantom.image.shape == (size, size, 3)
    assert phantom.image.dtype == np.uint8
    assert phantom.mask.shape == (size, size)
    assert phantom.mask.any()


def test_the_same_rash_is_shown_at_every_size() -> None:
    shares = [
        draw(PhantomSpec(seed=4, size=s, lesion="papule", count=6)).mask.mean() for s in (128, 256, 512)
    ]
    assert max(shares) / min(shares) < 1.35


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": -1}, "seed"), ({"size": 31}, "size"), ({"size": 4096}, "size"), ({"ita": 80.0}, "ita"),
        ({"ita": float("nan")}, "ita"), ({"lesion": "wart"}, "wart"), ({"count": 0}, "count"),
        ({"lesion": None}, "count"), ({"jpeg_quality": 0}, "jpeg_quality"), ({"blur": -1.0}, "blur"),
        ({"noise": 100.0}, "noise"), ({"light": 1.5}, "light"), ({"vignette": 2.0}, "vignette"),
    ],
)  # fmt: skip
def test_a_spec_out_of_range_is_refused_by_name(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        PhantomSpec(**({"seed": 1, "lesion": "papule", "count": 3} | changes))  # type: ignore[arg-type]


def test_random_specs_cover_the_range() -> None:
    specs = [random_spec(seed) for seed in range(600)]
    itas = np.array([s.ita for s in specs])
    assert itas.min() < ITA_RANGE[0] + 5
    assert itas.max() > ITA_RANGE[1] - 5
    assert np.histogram(itas, bins=6, range=ITA_RANGE)[0].min() > 60
    kinds = [s.lesion for s in specs]
    assert min(kinds.count(kind) for kind in (*LESIONS, None)) > 50
    assert {s.jpeg_quality is None for s in specs} == {True, False}
    assert random_spec(11) == random_spec(11)
    assert random_spec(11, lesion="none").lesion is None
    assert random_spec(11, ita=-12.5, lesion="crust", size=64) != random_spec(11)


def test_a_written_set_is_complete_and_its_table_true(tmp_path: Path) -> None:
    seen: list[int] = []
    table = write_phantoms(6, tmp_path / "deep" / "set", seed=40, size=64, on_done=seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == MANIFEST_COLUMNS
    assert [int(row["seed"]) for row in rows] == list(range(40, 46))
    for row in rows:
        image, mask, clean = (
            np.asarray(Image.open(table.parent / row[k])) for k in ("file", "mask", "clean")
        )
        phantom = draw(random_spec(int(row["seed"]), size=64))
        assert np.array_equal(image, phantom.image)
        assert np.array_equal(clean, phantom.clean)
        assert np.array_equal(mask, phantom.mask * 255)
        assert float(row["lesion_share"]) == pytest.approx(phantom.mask.mean(), abs=1e-5)
        assert row["label"] == (row["lesion"] or "healthy-skin")
        assert int(row["count"]) == phantom.count
    assert len(list(table.parent.rglob("*.png"))) == 18


def test_a_set_written_twice_is_the_same_bytes(tmp_path: Path) -> None:
    tables = [write_phantoms(3, tmp_path / name, size=48) for name in "ab"]
    trees = [
        {p.relative_to(t.parent): p.read_bytes() for p in t.parent.rglob("*") if p.is_file()} for t in tables
    ]
    assert trees[0] == trees[1]


def test_less_than_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="n must be 1 or more"):
        write_phantoms(0, tmp_path)


def test_the_skin_colour_agrees_with_littlecms() -> None:
    """The Lab to sRGB conversion against a second implementation."""
    from poxlens.data.phantom_skin import skin_colour

    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB", 6500), "RGB", "LAB"
    )
    for ita in (-45, -10, 20, 45, 65):
        pixel = Image.new("RGB", (1, 1), tuple(round(255 * v) for v in skin_colour(ita)))
        lightness, _, b = ImageCms.applyTransform(pixel, to_lab).getpixel((0, 0))
        angle = math.degrees(math.atan2(lightness / 2.55 - 50.0, b - 128))
        assert angle == pytest.approx(ita, abs=6.0)


def test_the_guide_runs_and_names_every_lesion_and_column() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "phantoms.md").read_text("utf-8")
    scope: dict[str, object] = {}
    exec(guide.split("```python\n")[1].split("```")[0], scope)
    assert scope["phantom"].count == 4  # type: ignore[attr-defined]
    flat = " ".join(guide.split())
    assert all(f"`{lesion}`" in guide for lesion in LESIONS)
    assert ", ".join(MANIFEST_COLUMNS) in flat
