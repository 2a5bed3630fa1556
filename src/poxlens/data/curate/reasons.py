"""Why a crop is proposed or none is: the reason codes, and the sentence of each image."""

from __future__ import annotations

CROP_SKIN = "crop.skin"
NO_SKIN = "none.no_skin"
BACKGROUND = "none.background"
ENLARGED = "none.enlarged"
TOO_SMALL = "none.too_small"
UNREADABLE = "none.unreadable"

REASONS: dict[str, str] = {
    CROP_SKIN: "A square of skin without background",
    BACKGROUND: "Skin, but no square without background that is large enough",
    ENLARGED: "A square of skin, but without fine detail: enlarged, or out of focus",
    NO_SKIN: "No skin that can be seen",
    TOO_SMALL: "The image is smaller than the least crop",
    UNREADABLE: "The file cannot be read as an image",
}
"""Every reason code with what it means, in the order of the report."""

LETTERS_AVOIDED = "watermark or caption avoided"
FRAME_AVOIDED = "frame avoided"
NOTES = (LETTERS_AVOIDED, FRAME_AVOIDED)
"""What a proposal may note beside its reason."""


def crop_sentence(side: int, notes: tuple[str, ...]) -> str:
    """Of a proposed crop with this side, px."""
    beside = f" ({'; '.join(notes)})" if notes else ""
    return f"The largest square of skin without background is {side} px wide{beside}."


def background_sentence(side: int, least: int) -> str:
    """Of an image whose largest clear square, `side` px, is under the limit."""
    if side < 1:
        return "There is skin, but no square of it is free of background."
    return f"The largest square of skin without background is {side} px wide, under the limit of {least} px."


def enlarged_sentence(side: int) -> str:
    """Of an image whose best square, `side` px, holds less detail than its size promises."""
    return (
        f"The square of {side} px holds nothing finer than two pixels: it was enlarged, or is out of focus."
    )


def no_skin_sentence(share: float) -> str:
    """Of an image of whose area at most `share` is skin."""
    return f"No skin to be seen: {share:.1%} of the image looks like it."


def too_small_sentence(width: int, height: int, least: int) -> str:
    """Of an image that no crop of the least side fits in."""
    return f"The image is {width} x {height} px: no crop of {least} px fits in."
