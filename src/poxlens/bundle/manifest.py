"""What `bundle.json` says: every field that a runtime needs to give the same answer from the same photo.

Format `poxlens-bundle/1`. The published schema is docs/bundle.schema.json, the guide docs/bundle.md.
"""

# No postponed annotations here: the reader uses the annotations as objects.
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from poxlens.bundle.fields import FieldError, Limits, Record
from poxlens.photo.rules import InputRule, QualityLimits

FORMAT = "poxlens-bundle/1"
EMBEDDING_HEAD = 16
"""How many values of the embedding a golden example holds."""

Share = Annotated[float, Limits(low=0.0, high=1.0)]
Positive = Annotated[float, Limits(above=0.0)]
Count = Annotated[int, Limits(low=0)]
Text = Annotated[str, Limits(low=1)]
# Relative POSIX path: no leading slash, no empty, hidden or parent part, no backslash, colon or control
# character.
FilePath = Annotated[
    str, Limits(low=1, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*$")
]


@dataclass(frozen=True, eq=False, repr=False)
class Interval(Record):
    """A figure with its 95 % interval and how many cases it stands on."""

    value: float
    low: float
    high: float
    n: Count

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise FieldError(
                f"value: must lie within its interval {self.low} to {self.high}, not {self.value}"
            )


@dataclass(frozen=True, eq=False, repr=False)
class File(Record):
    """A file of the bundle; every file but bundle.json is listed."""

    path: FilePath
    bytes: Count
    sha256: Annotated[str, Limits(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Record):
    """Temperature scaling: probabilities are softmax(logits / temperature); ECE is out of fold."""

    method: Literal["temperature"]
    temperature: Positive
    ece_before: Share
    ece_after: Share
    n: Count


@dataclass(frozen=True, eq=False, repr=False)
class OperatingPoint(Record):
    """A threshold on the calibrated probability of a class, with what it costs out of fold."""

    class_: Text  # "class" in JSON
    threshold: Share
    sensitivity: Interval
    specificity: Interval

    __pydantic_config__: ClassVar[dict[str, object]] = {"alias_generator": lambda name: name.rstrip("_")}


@dataclass(frozen=True, eq=False, repr=False)
class ConformalQuantile(Record):
    """Class c is in the prediction set when 1 - p_c <= quantile (LAC scores), set on n photos of c."""

    quantile: Share
    n: Count


@dataclass(frozen=True, eq=False, repr=False)
class Gate(Record):
    """What must hold before a photo is judged at all, and before it is called not suspected."""

    novelty_limit: float  # novelty above it is refused
    not_skin_fraction: Share  # a refused photo with less skin than this is "not skin", else "unknown"
    quality: QualityLimits
    top_probability: Share = (
        0.6  # not_suspected needs a most probable class at or above it (Yue 2024, Mpox-AISM)
    )


@dataclass(frozen=True, eq=False, repr=False)
class GoldenExample(Record):
    """A PNG of the bundle and what the graph gives for it after the input rule."""

    file: FilePath
    logits: Annotated[list[float], Limits(low=1)]  # one per class
    embedding_head: Annotated[list[float], Limits(low=1)]  # the first 16 values of the embedding
    novelty: float
    heatmap_mean: Annotated[list[float], Limits(low=1)]  # mean of each class's map


@dataclass(frozen=True, eq=False, repr=False)
class Model(Record):
    """One form of the graph."""

    runtime: Literal["onnx", "litert"]
    precision: Text  # "fp32", "fp16", "w8", "dynamic", "int8"
    file: FilePath
    golden_tolerance: Positive  # largest difference of any golden output that counts as equal
    # What this form gives, where that is further from the bundle's golden outputs than any runtime's rounding: in
    # eight bits. It may be absent, which means the bundle's.
    golden: Annotated[list[GoldenExample], Limits(low=1)] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Figure(Record):
    """One figure of the evidence, such as "sensitivity" in the group "dark skin"."""

    name: Text
    group: Text
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(Record):
    """How the figures were made, from which table of images (SHA-256), and the figures."""

    protocol: Text
    data_sha256: Annotated[str, Limits(pattern="^[0-9a-f]{64}$")]
    figures: list[Figure]


@dataclass(frozen=True, eq=False, repr=False)
class Manifest(Record):
    """The whole of bundle.json.

    Raises:
        FieldError: when fields contradict each other (a class without a quantile, a model file that is not
            listed).
    """

    format: Literal["poxlens-bundle/1"]
    name: Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]*$")]
    version: Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+\-]*$")]
    classes: Annotated[list[Text], Limits(low=2)]  # in the order of the logits
    target: Text  # the class that is screened for
    input: InputRule
    models: Annotated[list[Model], Limits(low=1)]
    files: list[File]
    calibration: Calibration
    rule_out: OperatingPoint
    rule_in: OperatingPoint
    conformal_alpha: Share
    conformal: dict[str, ConformalQuantile]
    gate: Gate
    golden: Annotated[list[GoldenExample], Limits(low=1)]
    evidence: Evidence
    licence: Text
    intended_use: Text
    limits: Annotated[list[Text], Limits(low=1)]

    def __post_init__(self) -> None:
        _check_classes(self)
        if self.files:  # empty only while a bundle is being packed
            _check_files(self)


def _check_classes(manifest: Manifest) -> None:
    classes = manifest.classes
    if len(set(classes)) != len(classes):
        raise FieldError("classes: a class is named twice")
    if manifest.target not in classes:
        raise FieldError(f"target: {manifest.target!r} is not one of the classes")
    for name, point in (("rule_out", manifest.rule_out), ("rule_in", manifest.rule_in)):
        if point.class_ != manifest.target:
            raise FieldError(f"{name}.class: must be the target {manifest.target!r}, not {point.class_!r}")
    if set(manifest.conformal) != set(classes):
        odd = sorted(set(manifest.conformal) ^ set(classes))[0]
        raise FieldError(f"conformal: must have one quantile for each class and no other; see {odd!r}")
    for where, example in _goldens(manifest):
        for field in ("logits", "heatmap_mean"):
            if len(getattr(example, field)) != len(classes):
                raise FieldError(
                    f"{where}.{field}: must have one value for each of the {len(classes)} classes"
                )
        if len(example.embedding_head) > EMBEDDING_HEAD:
            raise FieldError(f"{where}.embedding_head: must have at most {EMBEDDING_HEAD} values")


def _goldens(manifest: Manifest) -> list[tuple[str, GoldenExample]]:
    """Every golden example with its place."""
    found = [(f"golden[{i}]", example) for i, example in enumerate(manifest.golden)]
    for i, model in enumerate(manifest.models):
        found += [(f"models[{i}].golden[{j}]", example) for j, example in enumerate(model.golden or ())]
    return found


def _check_files(manifest: Manifest) -> None:
    listed = [file.path for file in manifest.files]
    # Two names that differ only in case are one file on macOS and Windows.
    if len({path.lower() for path in listed}) != len(listed):
        raise FieldError("files: a path is listed twice")
    if "bundle.json" in {path.lower() for path in listed}:
        raise FieldError("files: bundle.json does not list itself")
    wanted = [(f"models[{i}].file", model.file) for i, model in enumerate(manifest.models)]
    wanted += [(f"{where}.file", example.file) for where, example in _goldens(manifest)]
    wanted.append(("files", "MODEL_CARD.md"))
    for where, path in wanted:
        if path not in listed:
            raise FieldError(f"{where}: {path} is not among the listed files")
