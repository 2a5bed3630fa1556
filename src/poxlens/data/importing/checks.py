"""What deviates from the published set: counts, names, classes, content."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath

from poxlens.data.catalogue import SETS, SetSpec
from poxlens.data.importing.place import Place
from poxlens.data.importing.place import place as place_of
from poxlens.data.importing.read import Read
from poxlens.data.importing.side_tables import Said
from poxlens.data.labels import nearest, plain
from poxlens.data.manifest import Row
from poxlens.data.table import Fault
from poxlens.errors import ManifestError


def refuse_other_sets(spec: SetSpec, places: Sequence[Place], classed: int) -> None:
    """Refuse a folder that is not this set at all.

    Args:
        spec: the set.
        places: its images, copies too.
        classed: how many of the originals have a class.

    Raises:
        ManifestError: no image; most originals without a class or with another set's names; or most of the
            classes absent.
    """
    originals = [place for place in places if not place.augmented]
    why = ""
    if not places:
        why = "there is no image in it"
    elif not originals:
        why = "it holds augmented copies only, no original"
    elif 2 * classed < len(originals):
        why = f"only {classed:,} of {len(originals):,} images can be given a class"
    elif 2 * sum(place.named for place in originals) < len(originals):
        why = f"the names of its images ({originals[0].file.name} …) do not follow the set's rule"
    elif spec.labels_from == "folder" and spec.images is not None:
        found = {place.source for place in originals if place.source}
        if 2 * len(found) < len(spec.classes):
            why = f"it has {len(found)} of {len(spec.classes)} classes"
    if why:
        other = _likely([place.file for place in places])
        hint = f" It looks like {other}." if other else ""
        raise ManifestError(f"this is not {spec.name}: {why}.{hint} Expected: {spec.layout}")


def class_faults(spec: SetSpec, places: Sequence[Place], folders: Iterable[PurePosixPath]) -> Iterator[Fault]:
    """Images without a class, folders that are probably misspelt, classes without an image or with two spellings."""
    for place in places:
        if place.source is None and not place.augmented:
            yield _unplaced(spec, place)
    spellings: dict[str, set[str]] = defaultdict(set)
    for place in places:
        for folder in place.file.parts[:-1]:
            if place.source is not None and plain(folder) in place.source.keys:
                spellings[place.source.label].add(folder)
    for label, names in sorted(spellings.items()):
        if len({name.casefold() for name in names}) < len(names):
            shown = ", ".join(f'"{name}"' for name in sorted(names))
            yield Fault("label_case", f"class {label} stands in folders that differ only by case: {shown}.")
    filled = {place.source.label for place in places if place.source and not place.augmented}
    for one in spec.classes:
        if one.label not in filled and one.images != 0 and (one.images or spec.labels_from != "folder"):
            yield Fault("empty_class", f"class {one.label} (folder {one.source}) has no image.")
    for empty in folders:
        known = spec.by_key.get(plain(empty.name))
        if spec.classes and known is None:
            continue
        if known is None or known.label in filled:
            yield Fault("empty_class", f"folder {empty} has no image.", None, None, str(empty))


def name_faults(spec: SetSpec, places: Sequence[Place]) -> Iterator[Fault]:
    """Names that break the set's rule or contradict its folder."""
    for place in places:
        if place.augmented or place.source is None:
            continue
        file = place.file
        if not place.named:
            yield Fault("name", f"{file}: the name does not follow the set's rule.", None, None, str(file))
        coded = spec.by_key.get(plain(place.code)) if place.code else None
        if coded is not None and coded != place.source:
            yield Fault(
                "name",
                f"{file}: the name says {coded.label}, the folder {place.source.label}.",
                None,
                None,
                str(file),
            )


def count_faults(spec: SetSpec, rows: Sequence[Row]) -> Iterator[Fault]:
    """Counts that differ from the published ones: all images, by class, patients."""
    originals = [row for row in rows if "augmented" not in row.flags]
    if spec.images is not None and len(originals) != spec.images:
        yield _count("images", len(originals), spec.images)
    images = Counter(row.label for row in originals)
    people = {
        label: {row.patient for row in originals if row.label == label and row.patient} for label in images
    }
    for one in spec.classes:
        found = images[one.label]
        if one.images is not None and found != one.images:
            yield _count(f"images of {one.label}", found, one.images)
        patients = len(people.get(one.label, ()))
        if one.patients is not None and patients != one.patients:
            yield _count(f"patients of {one.label}", patients, one.patients)


def known_faults(spec: SetSpec, read: Iterable[tuple[Place, Read]]) -> Iterator[Fault]:
    """Files that are missing, extra or other than published, where the SHA-256 of each is known."""
    known = spec.known_sha256()
    if not known:
        return
    images = list(read)
    there = {place.file.name.lower() for place, _ in images}
    for place, answer in images:
        name = place.file.name.lower()
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.9)
            hint = f"; {near[0]} is" if near and near[0] not in there else ""
            yield Fault(
                "extra",
                f"{place.file}: no image of this name was published{hint}.",
                None,
                None,
                str(place.file),
            )
        elif answer.sha256 and answer.sha256 != known[name] and not answer.fault:
            yield Fault(
                "sha256",
                f"{place.file}: not the published bytes (SHA-256 {answer.sha256[:12]}…, "
                f"published {known[name][:12]}…).",
                None,
                None,
                str(place.file),
            )
    for name in sorted(known.keys() - there):
        yield Fault("missing", f"{name}: published, but not there.", None, None, name)


def table_faults(spec: SetSpec, places: Sequence[Place], said: Said) -> Iterator[Fault]:
    """Tables of the set that are not there, and images that they name in vain."""
    there = {place.image.lower() for place in places}
    if spec.labels_from == "table" and not said.source:
        yield Fault("side_table", "no table of classes is there: classes are taken from the folders.")
    if any(table.patient for table in spec.tables) and not said.patient:
        yield Fault(
            "side_table", "no table of lesions is there: images of one lesion cannot be kept together."
        )
    for image in sorted(said.source.keys() - there):
        yield Fault(
            "missing", f"{image}: in {said.row[image]}, but there is no such image.", None, None, image
        )
    for image, split in sorted(said.parts):
        if image not in there:
            yield Fault("missing", f"{image}: in {split}, but there is no such image.", None, None, image)


def unreadable_faults(places: Iterable[Place], read: Mapping[PurePosixPath, Read]) -> Iterator[Fault]:
    """Files that are no image, or a damaged one."""
    for one in places:
        if read[one.file].fault:
            yield Fault("unreadable", f"{one.file}: {read[one.file].fault}", None, None, str(one.file))


def copy_faults(
    originals: Iterable[Place], doubles: Iterable[Place], read: Mapping[PurePosixPath, Read]
) -> Iterator[Fault]:
    """Files of one name whose bytes or classes differ; the first was taken."""
    first = {one.image.lower(): one for one in originals}
    for one in doubles:
        other = first[one.image.lower()]
        if read[one.file].sha256 != read[other.file].sha256:
            text = f"{one.file}: not the same bytes as {other.file}, though of the same name; left out."
            yield Fault("copies", text, None, None, str(one.file))
        if one.source != other.source:
            text = f"{one.file}: class {one.source and one.source.label}, but {other.file} is in another."
            yield Fault("conflict", text, None, None, str(one.file))


def _likely(files: Sequence[PurePosixPath]) -> str:
    """The set whose class folders and names fit at least nine of ten of the files, "" when none does."""
    for spec in SETS.values():
        if spec.classes and spec.labels_from == "folder":
            places = [place_of(spec, file) for file in files]
            fitting = [place.source for place in places if place.source is not None and place.named]
            if files and 10 * len(fitting) >= 9 * len(files) and 2 * len(set(fitting)) > len(spec.classes):
                return spec.name
    return ""


def _count(what: str, found: int, published: int) -> Fault:
    missing = published - found
    how = f"{missing:,} missing" if missing > 0 else f"{-missing:,} too many"
    return Fault("count", f"{found:,} {what}, published are {published:,}: {how}.")


def _unplaced(spec: SetSpec, place: Place) -> Fault:
    file = place.file
    folder = file.parent.name
    near = nearest(folder, [key for one in spec.classes for key in (one.source, *one.keys)]) if folder else ""
    if near:
        text = f'{file}: folder "{folder}" looks like a misspelling of "{near}"; rename it.'
        return Fault("label_typo", text, None, None, str(file))
    where = f'folder "{folder}" is no class of the set' if folder else "it is in no class folder"
    return Fault("extra", f"{file}: {where}.", None, None, str(file))
