"""Phantoms: drawn close-ups of skin with lesions whose place is known, the test images of the project.

No patient photo may be committed, so tests, documents and demonstrations use these. A phantom is no training image
and its label is the name of the lesion that was drawn, never a diagnosis.

The pixels depend on the spec alone: random numbers come from PCG64 as raw uniform doubles, and the arithmetic is
exactly rounded (see `phantom_skin`). One exception: with `jpeg_quality`, they also depend on Pillow's JPEG library.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.phantom_lesions import LESIONS, add_lesions
from poxlens.data.phantom_skin import Field, Surface, blur, skin
from poxlens.files import write_atomically

__all__ = [
    "ITA_RANGE",
    "LESIONS",
    "MANIFEST_COLUMNS",
    "Phantom",
    "PhantomSpec",
    "draw",
    "random_spec",
    "write_phantoms",
]

ITA_RANGE = (-50.0, 70.0)
SIZE_RANGE = (32, 2048)
MANIFEST_COLUMNS = (
    "file", "mask", "clean", "label", "lesion", "ita", "seed", "count", "lesion_share",
    "size", "light", "blur", "noise", "vignette", "jpeg_quality",
)  # fmt: skip
_SKIN, _LESION, _LIGHT, _SENSOR, _SPEC = range(
    5
)  # streams of one seed: the same seed has the same skin under any lesion
_COUNTS = {
    "umbilicated-pustule": (1, 12), "vesicle": (3, 20), "papule": (3, 20),
    "comedone": (6, 40), "macule": (2, 14), "crust": (1, 9),
}  # fmt: skip


@dataclass(frozen=True)
class PhantomSpec:
    """All that decides a phantom.

    Attributes:
        seed: 0 or more.
        size: side of the square picture in pixels, 32..2048; the same few centimetres are shown at every size.
        ita: Individual Typology Angle of the skin in degrees, -50..70.
        lesion: one of LESIONS, or None for healthy skin.
        count: how many lesions are asked for; fewer are drawn when no more fit.
        light: unevenness of the light, 0 (flat) .. 1 (from one side).
        blur: radius of the blur in pixels of a 512-px picture.
        noise: standard deviation of the sensor noise in 8-bit levels.
        vignette: darkening of the corners, 0..1.
        jpeg_quality: 1..95, the picture has gone through JPEG once; None: it has not.
    """

    seed: int
    size: int = 512
    ita: float = 35.0
    lesion: str | None = None
    count: int = 0
    light: float = 0.35
    blur: float = 0.0
    noise: float = 1.5
    vignette: float = 0.0
    jpeg_quality: int | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("seed", 0, 2**63), ("size", *SIZE_RANGE), ("ita", *ITA_RANGE), ("count", 0, 400), ("light", 0, 1),
            ("blur", 0, 30), ("noise", 0, 60), ("vignette", 0, 1), ("jpeg_quality", 1, 95),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} must be {low:g} to {high:g}, not {value!r}")
        if self.lesion is not None and self.lesion not in LESIONS:
            raise ValueError(f"lesion must be one of {', '.join(LESIONS)}, not {self.lesion!r}")
        if (self.lesion is None) != (self.count == 0):
            raise ValueError(
                f"a lesion and a count of 1 or more go together, not {self.lesion!r} and {self.count}"
            )


@dataclass(frozen=True)
class Phantom:
    """A drawn close-up.

    Attributes:
        image: uint8 RGB [S, S, 3].
        clean: the same skin, light and noise without any lesion, uint8 RGB [S, S, 3]; equals image outside the mask.
        mask: bool [S, S], True on the lesions with their red surround.
        spec: what it was drawn from.
        count: how many lesions there are.
    """

    image: NDArray[np.uint8]
    clean: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    spec: PhantomSpec
    count: int

    @property
    def label(self) -> str:
        """The lesion's name, or "healthy-skin"; no diagnosis."""
        return self.spec.lesion or "healthy-skin"


def draw(spec: PhantomSpec) -> Phantom:
    """Draw the phantom of a spec; the same spec gives the same bits."""
    lamp = _Lamp.place(spec)
    bare = skin(_rng(spec.seed, _SKIN), spec.size, spec.ita)
    seen = _seen(lamp.shine(bare), spec)
    clean = _exposed(seen, spec)
    if spec.lesion is None:
        return Phantom(clean, clean.copy(), np.zeros(clean.shape[:2], dtype=np.bool_), spec, 0)
    rng = _rng(spec.seed, _LESION)
    marked, count = add_lesions(bare, rng, spec.lesion, spec.count, spec.ita, lamp.aim)
    marked_seen = _seen(lamp.shine(marked), spec)
    # What a lesion changes by a level of 256 or more belongs to the mask; the rest is set equal below.
    mask = _closed(np.abs(marked_seen - seen).max(axis=2) >= 1.0 / 255.0, 2)
    image = np.where(mask[..., None], _exposed(marked_seen, spec), clean)
    return Phantom(image, clean, mask, spec, count)


@dataclass(frozen=True)
class _Lamp:
    """A soft light: `aim` points to it in the picture's plane, `drop` darkens the far side, `bulge` bends the skin away."""

    aim: tuple[float, float]
    drop: float
    bulge: float

    @classmethod
    def place(cls, spec: PhantomSpec) -> _Lamp:
        draws = _rng(spec.seed, _LIGHT).random(3)
        x, y = (
            float(draws[0]) * 1.6 - 0.8,
            -0.35 - 0.65 * float(draws[1]),
        )  # from above, as lamps and the sky are
        length = math.sqrt(x * x + y * y)
        return cls((x / length, y / length), 0.55 * spec.light, 0.5 * spec.light * float(draws[2]))

    def shine(self, surface: Surface) -> Field:
        """Reflected light [S, S, 3] (diffuse and specular), 1 = white in full light."""
        size = surface.height.shape[0]
        unit = size / 512.0
        lit = np.empty_like(surface.colour)
        # Light scatters under the skin, red the farthest: relief looks softer in red than in blue.
        for channel, spread in enumerate((2.2, 1.1, 0.7)):
            lit[..., channel] = surface.colour[..., channel] * self._diffuse(
                blur(surface.height, spread * unit)
            )
        normal_x, normal_y, normal_z = _normals(blur(surface.height, 0.8 * unit))
        # Half vector between the lamp and the viewer straight above.
        mirror = np.clip(
            0.36 * (normal_x * self.aim[0] + normal_y * self.aim[1]) + 0.933 * normal_z, 0.0, 1.0
        )
        broad = _power(mirror, 4)
        sharp = _power(mirror, 7)
        shine = surface.gloss * (0.05 * broad + 0.42 * sharp * np.clip(surface.gloss - 0.25, 0.0, None))
        lit += shine[..., None]
        along = np.arange(size) / (size - 1) * 2.0 - 1.0
        towards = 0.7 * (along[None, :] * self.aim[0] + along[:, None] * self.aim[1])
        across = along[None, :] * self.aim[1] - along[:, None] * self.aim[0]
        level = 1.0 + self.drop * towards - self.bulge * 0.6 * across * across
        result: Field = lit * np.clip(level, 0.12, None)[..., None]
        return result

    def _diffuse(self, height: Field) -> Field:
        x, y, z = _normals(height)
        lambert = np.clip(0.62 * (x * self.aim[0] + y * self.aim[1]) + 0.784 * z, 0.0, None) / 0.784
        return 0.35 + 0.65 * lambert  # the share that comes from everywhere has no direction


def _normals(height: Field) -> tuple[Field, Field, Field]:
    padded = np.pad(height, 1, mode="edge")
    x = (padded[1:-1, :-2] - padded[1:-1, 2:]) * 0.5
    y = (padded[:-2, 1:-1] - padded[2:, 1:-1]) * 0.5
    z = 1.0 / np.sqrt(1.0 + x * x + y * y)
    return x * z, y * z, z


def _power(field: Field, doublings: int) -> Field:
    for _ in range(doublings):
        field = field * field
    return field


def _seen(light: Field, spec: PhantomSpec) -> Field:
    """Through the lens: blur and vignette; then the tone curve. sRGB values [S, S, 3] in 0..1."""
    light = blur(light, spec.blur * spec.size / 512.0)
    along = np.arange(spec.size) / (spec.size - 1) * 2.0 - 1.0
    far = along[None, :] * along[None, :] + along[:, None] * along[:, None]
    light = light * (1.0 - spec.vignette * np.clip(far - 0.25, 0.0, None) / 1.75)[..., None]
    coded = np.sqrt(np.clip(light, 0.0, None))
    # Highlights roll off above 0.85 as in a camera, instead of clipping to a flat white.
    over = np.clip(coded - 0.85, 0.0, None)
    result: Field = np.minimum(coded, 0.85) + over / (1.0 + over / 0.15)
    return result


def _exposed(seen: Field, spec: PhantomSpec) -> NDArray[np.uint8]:
    """On the sensor: noise, 8 bits and JPEG. uint8 [S, S, 3]; the same noise for the same seed."""
    rng = _rng(spec.seed, _SENSOR)
    # The sum of four uniform numbers is close to a normal deviate; a grey part and a coloured part, as sensors have.
    grey = rng.random((4, spec.size, spec.size)).sum(axis=0) - 2.0
    tinted = rng.random((4, spec.size, spec.size, 3)).sum(axis=0) - 2.0
    level = spec.noise * math.sqrt(3.0) / 255.0
    values = seen + level * (0.8 * grey[..., None] + 0.6 * tinted)
    pixels = np.clip(np.floor(values * 255.0 + 0.5), 0.0, 255.0).astype(np.uint8)
    if spec.jpeg_quality is None:
        return pixels
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, format="JPEG", quality=spec.jpeg_quality)
        with Image.open(stream) as coded:
            return np.asarray(coded.convert("RGB"))


def _closed(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Morphological closing with a square: fills specks and cracks of up to twice `radius` pixels."""
    size = mask.shape[0]
    wide = np.pad(mask, radius)
    wide = _any(wide, radius)
    wide = ~_any(~np.pad(wide, radius, mode="edge"), radius)[radius:-radius, radius:-radius]
    return wide[radius : radius + size, radius : radius + size] | mask


def _any(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    for axis in (0, 1):
        grown = mask.copy()
        for step in range(1, radius + 1):
            for target, source in (
                (slice(step, None), slice(None, -step)),
                (slice(None, -step), slice(step, None)),
            ):
                if axis == 0:
                    grown[target] |= mask[source]
                else:
                    grown[:, target] |= mask[:, source]
        mask = grown
    return mask


def _rng(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))


def random_spec(
    seed: int, *, size: int = 512, lesion: str | None = None, ita: float | None = None
) -> PhantomSpec:
    """A spec drawn by seed: any skin tone of the range, any lesion, photo faults from none to strong.

    Args:
        seed: 0 or more; becomes the spec's seed.
        size: side in pixels.
        lesion: one of LESIONS or "none" (healthy skin); None draws one of these.
        ita: degrees; None draws from -50..70 evenly.
    """
    u = [float(v) for v in _rng(seed, _SPEC).random(12)]
    kinds = (*LESIONS, "none")
    kind = kinds[int(u[0] * len(kinds))] if lesion is None else lesion
    low, high = _COUNTS.get(kind, (0, 0))
    drawn_ita = ITA_RANGE[0] + (ITA_RANGE[1] - ITA_RANGE[0]) * u[1]
    return PhantomSpec(
        seed=seed,
        size=size,
        ita=round(drawn_ita, 1) if ita is None else ita,
        lesion=None if kind == "none" else kind,
        count=0 if kind == "none" else low + int(u[2] * u[2] * (high - low + 1)),
        light=round(0.1 + 0.7 * u[3], 3),
        blur=round(0.3 + 1.7 * u[5], 2) if u[4] < 0.5 else 0.0,
        noise=round(0.8 + 4.0 * u[6] * u[6], 2),
        vignette=round(0.5 * u[8], 3) if u[7] < 0.4 else 0.0,
        jpeg_quality=60 + int(u[10] * 36) if u[9] < 0.5 else None,
    )


def write_phantoms(
    n: int,
    out: Path,
    *,
    seed: int = 0,
    size: int = 512,
    lesion: str | None = None,
    ita: float | None = None,
    on_done: Callable[[int], None] | None = None,
) -> Path:
    """Write `n` phantoms with seeds `seed`, `seed` + 1, ... as PNG, and a table of them.

    Args:
        n: how many, 1 or more.
        out: a folder; gets images/, masks/ (0 and 255), clean/ and manifest.csv. Files of the same names are replaced.
        seed: of the first phantom.
        size: side in pixels.
        lesion: one of LESIONS, "none" for healthy skin, or None for a mixture.
        ita: degrees, or None for the whole range.
        on_done: called after each phantom with the number done so far.

    Returns:
        The path of manifest.csv; its columns are MANIFEST_COLUMNS, its paths relative to `out`.

    Raises:
        ValueError: when an argument is out of its range.
        OSError: when a file cannot be written; the table is written last, so it never names a missing file.
    """
    if n < 1:
        raise ValueError(f"n must be 1 or more, not {n}")
    digits = max(4, len(str(seed + n - 1)))
    rows = []
    for done, number in enumerate(range(seed, seed + n), start=1):
        phantom = draw(random_spec(number, size=size, lesion=lesion, ita=ita))
        name = f"{phantom.label}-{number:0{digits}d}.png"
        planes = {
            "images": phantom.image,
            "masks": phantom.mask.astype(np.uint8) * 255,
            "clean": phantom.clean,
        }
        for folder, pixels in planes.items():
            with io.BytesIO() as stream:
                Image.fromarray(pixels).save(stream, format="PNG", compress_level=6)
                write_atomically(out / folder / name, stream.getvalue())
        rows.append(_row(phantom, name))
        if on_done is not None:
            on_done(done)
    with io.StringIO(newline="") as text:
        table = csv.writer(text, lineterminator="\n")
        table.writerow(MANIFEST_COLUMNS)
        table.writerows(rows)
        write_atomically(out / "manifest.csv", text.getvalue())
    return out / "manifest.csv"


def _row(phantom: Phantom, name: str) -> list[object]:
    spec = phantom.spec
    share = f"{np.count_nonzero(phantom.mask) / phantom.mask.size:.5f}"
    return [
        f"images/{name}", f"masks/{name}", f"clean/{name}", phantom.label, spec.lesion or "", spec.ita, spec.seed,
        phantom.count, share, spec.size, spec.light, spec.blur, spec.noise, spec.vignette, spec.jpeg_quality or "",
    ]  # fmt: skip
