"""Phantoms: drawn close-ups of skin with lesions whose place is known, the test images of the project.

No patient photo may be committed, so tests, documents and demonstrations use these. A phantom is no training
image, and its label is the name of the lesion that was drawn, never a diagnosis.

The pixels depend on the spec alone: random numbers come from PCG64 as raw uniform doubles, and the arithmetic
is exactly rounded (see `phantom_skin`). With `jpeg_quality` they also depend on Pillow's JPEG library.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.phantom_camera import Lamp, closed, exposed, seen
from poxlens.data.phantom_lesions import LESIONS, add_lesions
from poxlens.data.phantom_skin import Field, skin
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
        size: side of the square picture in pixels, 32..2048; every size shows the same few centimetres.
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
        """Refuse what is out of range, by name, with a ValueError."""
        for name, low, high in (
            ("seed", 0, 2**63), ("size", *SIZE_RANGE), ("ita", *ITA_RANGE), ("count", 0, 400),
            ("light", 0, 1), ("blur", 0, 30), ("noise", 0, 60), ("vignette", 0, 1), ("jpeg_quality", 1, 95),
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
        clean: the same without lesions, uint8 RGB [S, S, 3]; equals image outside the mask.
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
    lamp = Lamp.place(_rng(spec.seed, _LIGHT), spec.light)
    bare = skin(_rng(spec.seed, _SKIN), spec.size, spec.ita)
    clean_light = _through_lens(lamp.shine(bare), spec)
    clean = _on_sensor(clean_light, spec)
    if spec.lesion is None:
        return Phantom(clean, clean.copy(), np.zeros(clean.shape[:2], dtype=np.bool_), spec, 0)
    rng = _rng(spec.seed, _LESION)
    marked, count = add_lesions(bare, rng, spec.lesion, spec.count, spec.ita, lamp.aim)
    marked_light = _through_lens(lamp.shine(marked), spec)
    # What a lesion changes by a level of 256 or more belongs to the mask; the rest is set equal below.
    mask = closed(np.abs(marked_light - clean_light).max(axis=2) >= 1.0 / 255.0, 2)
    image = np.where(mask[..., None], _on_sensor(marked_light, spec), clean)
    return Phantom(image, clean, mask, spec, count)


def _through_lens(light: Field, spec: PhantomSpec) -> Field:
    return seen(light, spec.blur * spec.size / 512.0, spec.vignette)


def _on_sensor(values: Field, spec: PhantomSpec) -> NDArray[np.uint8]:
    return exposed(values, _rng(spec.seed, _SENSOR), spec.noise, spec.jpeg_quality)


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

    Raises:
        ValueError: when an argument is out of its range.
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")
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
        out: a folder; gets images/, masks/ (0 and 255), clean/ and manifest.csv; files so named are replaced.
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
        f"images/{name}", f"masks/{name}", f"clean/{name}", phantom.label, spec.lesion or "", spec.ita,
        spec.seed, phantom.count, share, spec.size, spec.light, spec.blur, spec.noise, spec.vignette,
        spec.jpeg_quality or "",
    ]  # fmt: skip
