"""Why a file cannot be read as a photo: for each way to fail a code and a sentence a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from poxlens.errors import PhotoError

UNREADABLE: dict[str, str] = {
    "unreadable.missing": "There is no file of this name. Check the path.",
    "unreadable.folder": "This is a folder, not a photo. Choose a photo in it.",
    "unreadable.not_a_file": "This is a device or a pipe, not a file. Save the photo to a file first.",
    "unreadable.permission": "This file may not be read by you. Change its permissions or copy it elsewhere.",
    "unreadable.io": "The file could not be read from the disk or the network. Copy it again and retry.",
    "unreadable.empty": "The file is empty. Copy the photo again from the phone or camera.",
    "unreadable.not_an_image": "This is not an image, whatever its name says. Choose the photo itself.",
    "unreadable.unsupported": "This kind of image is not read. Save the photo as JPEG or PNG.",
    "unreadable.truncated": "The end of the photo is missing. Copy or send it again.",
    "unreadable.corrupt": "The photo is damaged. Copy it again or take a new one.",
    "unreadable.too_large": "The image is larger than can be read safely. Send a smaller copy of the photo.",
}
"""Every reason code `unreadable.*` with its sentence."""


def unreadable(code: str, detail: str = "") -> PhotoError:
    """A PhotoError for `unreadable.<code>`.

    Args:
        code: the last part of a key of UNREADABLE.
        detail: what exactly was found; kept from remote clients, since a decoder's words may quote the file.
    """
    reason = f"unreadable.{code}"
    sentence = UNREADABLE[reason]
    return PhotoError(reason, f"{sentence} ({detail})" if detail else sentence, client_message=sentence)


@contextmanager
def as_photo_errors() -> Iterator[None]:
    """Whatever a decoder raises on a bad file, as a PhotoError. Decoders agree on none: all are caught."""
    try:
        yield
    except PhotoError:
        raise
    except MemoryError as error:
        raise unreadable("too_large", "not enough memory") from error
    except Exception as error:
        raise unreadable(_code_of(error), f"{type(error).__name__}: {error}"[:200]) from error


def _code_of(error: Exception) -> str:
    words = str(error).lower()
    if isinstance(error, EOFError) or any(word in words for word in _TRUNCATED_WORDS):
        return "truncated"
    if isinstance(error, NotImplementedError) or any(word in words for word in _UNSUPPORTED_WORDS):
        return "unsupported"
    return "corrupt"


_TRUNCATED_WORDS = ("truncated", "end of file", "end-of-file", "not enough", "eof")
_UNSUPPORTED_WORDS = ("unsupported", "not supported", "unknown pixel mode", "unknown mode", "cannot handle")
