"""Reading a multipart upload in memory: photos and the answers about the person; nothing touches a disk."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from poxlens.screen.context import Context, ContextError

MAX_PHOTOS = 12
PHOTO_FIELDS = ("photos", "photos[]")


class RequestError(Exception):
    """A request that cannot be served.

    Args:
        status: of HTTP.
        code: stable, for programs.
        message: a sentence for the person.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Upload:
    """What was sent: the photos' bytes in their order, and the answers if there were any."""

    photos: list[bytes]
    context: Context | None


class _InMemory(MultiPartParser):
    # Starlette writes files over 1 MB to disk; here the guard bounds how much memory can be asked for.
    spool_max_size = 1 << 40


async def read_upload(request: Request) -> Upload:
    """Read and check an upload.

    Raises:
        RequestError: when it is no multipart form, or has no photo, too many, or answers that cannot be read.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise RequestError(
            415, "not_multipart", "Send the photos as multipart/form-data in the field photos."
        )
    parser = _InMemory(
        request.headers, request.stream(), max_files=MAX_PHOTOS, max_fields=2, max_part_size=64_000
    )
    try:
        form = await parser.parse()
    except MultiPartException as fault:
        if "Too many files" in fault.message:
            raise RequestError(400, "too_many", f"At most {MAX_PHOTOS} photos at a time.") from None
        raise RequestError(400, "bad_form", "The form cannot be read.") from None
    try:
        photos = [
            await part.read()
            for name, part in form.multi_items()
            if name in PHOTO_FIELDS and isinstance(part, UploadFile)
        ]
        answers = form.get("context")
        if not photos:
            raise RequestError(
                400, "no_photo", "There is no photo in the request. Send it in the field photos."
            )
        return Upload(photos, _context(answers))
    finally:
        await form.close()


def _context(answers: object) -> Context | None:
    if answers is None or answers == "":
        return None
    if not isinstance(answers, str):
        raise RequestError(400, "bad_context", "Send the answers as text, not as a file.")
    try:
        return Context.from_json(answers)
    except ContextError as fault:
        raise RequestError(400, "bad_context", f"{fault}.") from None
