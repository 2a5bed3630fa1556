"""Texts that a client may send: without control characters, of bounded length, so that any database takes them."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text."""
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$", max_length=80)]
"""A name of a person, a device or a clinic, as people write it."""
Prose = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$", max_length=2000)]
"""Some lines of text."""
HexId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""An id that the server gave."""
