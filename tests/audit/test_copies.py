import pytest

from poxlens.audit.copies import check_copies, named_copies, original_name


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("x/photo (2).jpg", "photo"), ("photo - Copy.jpg", "photo"), ("photo_copy3.png", "photo"),
        ("photo_aug_17.jpg", "photo"), ("M01_02_aug.jpg", "m01_02"), ("photo_hflip.jpg", "photo"),
        ("photo_flip_rot90.jpg", "photo"), ("photo-rotated-45.jpg", "photo"), ("photo_crop.jpg", "photo"),
        ("photo_brightness_20.jpg", "photo"), ("aug_0_photo.jpg", "photo"), ("Copy of photo.jpg", "photo"),
        ("photo_jpg.rf.0123456789abcdef0123456789abcdef.jpg", "photo_jpg"),
        ("M01_02.jpg", "m01_02"), ("IMG_2041.jpg", "img_2041"), ("mpox12.png", "mpox12"),
        ("dark_spot.jpg", "dark_spot"), ("august.jpg", "august"), ("rotherham.jpg", "rotherham"),
    ],
)  # fmt: skip
def test_names_of_copies(name, base):
    assert original_name(name) == base


def test_named_copies_are_of_one_folder():
    files = ["a/p.jpg", "a/p_flip.jpg", "b/p_aug1.jpg", "b/p_aug2.jpg", "c/p_flip.jpg", "a/q.jpg", "a/q.png"]
    assert named_copies(files) == [(0, 1), (2, 3)]


def test_exact_copies_and_the_same_pixels(make, a_row):
    rows = [a_row(str(n), "ab"[n == 1]) for n in range(6)]
    sha = [f"{n:064x}" for n in (0, 0, 2, 3, 4, 0)]
    pixels = [f"{n:064x}" for n in (10, 10, 12, 12, 14, 10)]
    findings = {one.code: one for one in check_copies(make(rows, sha256=sha, pixels_sha256=pixels))}
    assert set(findings) == {"copies.exact", "copies.pixels"}
    assert [(item.name, item.other) for item in findings["copies.exact"].items] == [("0", "1"), ("0", "5")]
    assert "labels a and b" in findings["copies.exact"].items[0].detail
    assert [(item.name, item.other) for item in findings["copies.pixels"].items] == [("2", "3")]


def test_a_set_that_was_augmented(make, a_row, a_pair):
    """Ten photos, five of them with four more made of each, by name and by sight."""
    kinds = ("mirrored", "rotated 90", "crop", "re-toned")
    files, pairs = [], []
    for photo in range(10):
        first = len(files)
        files.append(f"p{photo}.jpg")
        for copy in range(4 if photo < 5 else 0):
            pairs.append(a_pair(first, len(files), "confirmed", kinds[copy]))
            files.append(f"p{photo}_aug{copy}.jpg")
    findings = {one.code: one for one in check_copies(make([a_row(file) for file in files], pairs))}
    augmented = findings["copies.augmented"]
    assert (augmented.severity, augmented.numbers["photos"], augmented.numbers["files"]) == ("fault", 5, 25)
    assert augmented.numbers["share"] == pytest.approx(25 / 30)
    assert "mirrored 5" in augmented.advice
    assert augmented.items[0].detail == "5 files show this photo"
    names = findings["copies.names"]
    assert (names.severity, names.numbers["files"]) == ("fault", 20)
    near = findings["copies.near"]
    assert (near.numbers["pairs"], near.numbers["repeating_files"], near.numbers["unjoined_pairs"]) == (
        20,
        20,
        20,
    )


def test_what_the_table_joins_already_is_a_note(make, a_row, a_pair):
    rows = [a_row("0", group="g"), a_row("1", group="g"), a_row("2")]
    (near,) = check_copies(make(rows, [a_pair(0, 1), a_pair(1, 2, "suspected")]))
    assert (near.severity, near.numbers["unjoined_pairs"], near.numbers["suspected_pairs"]) == ("note", 0, 1)


def test_sources_that_share_photos(make, a_row, a_pair):
    rows = [a_row(str(n), dataset="xxyyz"[n]) for n in range(5)]
    pairs = [a_pair(0, 2), a_pair(1, 3, "near"), a_pair(0, 1), a_pair(3, 4), a_pair(2, 4, "suspected")]
    findings = {one.code: one for one in check_copies(make(rows, pairs))}
    across = findings["copies.sources"]
    assert dict(across.numbers) == {"pairs": 3, "x and y": 2, "y and z": 1}
    assert across.advice.startswith("x and y: 2, y and z: 1.")


def test_clean_tables_are_quiet(make, a_row):
    assert check_copies(make([a_row(str(n)) for n in range(20)])) == []
