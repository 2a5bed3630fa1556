"""What kind of file this is, by its first bytes and never by its name."""

from __future__ import annotations

from poxlens.photo.unreadable import unreadable

_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
_AVIF = {b"avif", b"avis"}

_READ = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)

_OTHER_IMAGES = (
    (b"%PDF-", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\1\0", "icon"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"gimp xcf", "GIMP"),
    (b"%!PS", "PostScript"),
)


def sniff(data: bytes) -> str:
    """The format of `data`: "jpeg", "png", "webp", "heic", "avif", "tiff", "bmp" or "gif".

    Raises:
        PhotoError: unsupported for an image, document or video of a kind that is not read, not_an_image for
            anything else.
    """
    for magic, name in _READ:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _sniff_boxes(data)
    # Two letters are no proof: a bitmap also names the size of its own header.
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "bmp"
    for magic, name in _OTHER_IMAGES:
        if data.startswith(magic):
            raise unreadable("unsupported", f"a {name} file")
    if b"<svg" in data[:1024].lower():
        raise unreadable("unsupported", "an SVG drawing")
    raise unreadable("not_an_image")


def _sniff_boxes(data: bytes) -> str:
    """HEIC or AVIF by the brands of the ftyp box; the major brand decides, then the compatible ones."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12]] + [data[i : i + 4] for i in range(16, size - 3, 4)]
    for brand in brands:
        if brand in _AVIF:
            return "avif"
        if brand in _HEIC and not _AVIF & set(brands):
            return "heic"
    raise unreadable("unsupported", "a video or another file made of boxes")
