"""Every fault poxlens reports, one class a kind; each message says what was wrong with which input and what to do."""

from __future__ import annotations


class PoxlensError(Exception):
    """Root of all faults.

    Args:
        message: what was wrong with which input, and what to do (for logs and the person at the terminal).
        client_message: what a remote client may see; without it, `message`.
    """

    def __init__(self, message: str, *, client_message: str | None = None) -> None:
        super().__init__(message)
        self.client_message = client_message if client_message is not None else message


class PhotoError(PoxlensError):
    """A file that cannot be read as a photo.

    Args:
        reason: the reason code, `unreadable.*` (the list is `poxlens.photo.decode.UNREADABLE`).
        message: as in PoxlensError.
        client_message: as in PoxlensError.
    """

    def __init__(self, reason: str, message: str, *, client_message: str | None = None) -> None:
        super().__init__(message, client_message=client_message)
        self.reason = reason


class BundleError(PoxlensError):
    """A bundle that is missing, damaged, of a newer format, or that computes other numbers than it promises."""


class ManifestError(PoxlensError):
    """A table of images with wrong columns, missing files or labels that do not match; names the row."""


class CurationError(PoxlensError):
    """Proposed crops or decisions on them that cannot be read, or that do not fit the images they are about."""


class AnnotationError(PoxlensError):
    """Labels, or the set of labels that was asked for, that cannot be read or do not fit the images."""


class SplitError(PoxlensError):
    """A split that cannot be dealt, or a splits file that does not fit; names the class, group, file or row."""


class WeightsError(PoxlensError):
    """Pretrained weights that are missing or whose SHA-256 is not the expected one."""


class TrainingError(PoxlensError):
    """A training set that cannot be learnt from: a class too small, a source missing, no groups to split."""


class ExportError(PoxlensError):
    """A model that cannot be brought into another form: a layer, a head or a calibration set that does not allow it."""


class MissingExtraError(PoxlensError):
    """A verb whose optional packages are not installed.

    Args:
        extra: the extra to install, as in `pip install "poxlens[train]"`.
        verb: what was asked for.
    """

    def __init__(self, extra: str, verb: str) -> None:
        super().__init__(f'{verb} needs the "{extra}" extra. Install it with: pip install "poxlens[{extra}]"')
        self.extra = extra
