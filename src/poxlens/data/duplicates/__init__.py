"""The same photo in several files: found, confirmed, grouped, and its labels compared."""

from poxlens.data.duplicates.find import find_duplicates
from poxlens.data.duplicates.labels import Compatible, read_compatible
from poxlens.data.duplicates.model import JOINED, KINDS, SAME_PHOTO, Duplicates, Link, Pair

__all__ = [
    "JOINED",
    "KINDS",
    "SAME_PHOTO",
    "Compatible",
    "Duplicates",
    "Link",
    "Pair",
    "find_duplicates",
    "read_compatible",
]
