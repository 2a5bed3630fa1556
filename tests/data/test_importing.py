"""Every layout of the catalogue, built from tiny images in temporary folders."""

import errno
import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.data.catalogue import SETS
from poxlens.data.importing import Wish, import_folder, import_table, write_imported
from poxlens.data.manifest import read_manifest
from poxlens.data.official import official_path
from poxlens.data.splits import read_official
from poxlens.errors import ManifestError
from poxlens.files import sha256_file

REAL = Path(__file__).parents[2] / "../shared/data"


def picture(path: Path, seed: int | None = None) -> Path:
    """A tiny image whose bytes are its own; the same seed gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = seed if seed is not None else zlib.crc32(str(path).encode())
    pixels = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")
    return path


def pictures(root: Path, *names: str) -> None:
    for name in names:
        picture(root / name)


def shrunk(name: str, **counts: int):
    """A set with other published counts (and no known SHA-256): counts by label; classes not named keep none."""
    spec = SETS[name]
    classes = tuple(
        replace(one, images=counts[one.label], patients=None) for one in spec.classes if one.label in counts
    )
    return replace(spec, name=f"{name}-small", classes=classes, images=sum(counts.values()))


def look(spec, root: Path, **wish):
    return import_folder(spec, root, Wish(root, **wish))


def kinds(found) -> list[str]:
    return [fault.kind for fault in found.faults]


def by_file(found) -> dict:
    return {row.file: row for row in found.rows}


def msld(root: Path, outer: str = "Original Images/Original Images/", mpox: str = "Monkey Pox") -> Path:
    pictures(root, *(f"{outer}{mpox}/{name}.jpg" for name in ("M01_01", "M01_02", "M02_01")))
    pictures(root, f"{outer}Others/NM01_01.jpg", f"{outer}Others/NM02_01.jpg")
    return root


MSLD = shrunk("msld", mpox=3, others=2)


@pytest.mark.parametrize(
    ("outer", "mpox"),
    [
        ("Original Images/Original Images/", "Monkey Pox"),
        ("archive/original images/", "monkeypox"),
        ("", "mpox"),
        ("MSLD/", "MONKEYPOX"),
    ],
)
def test_msld_in_its_variations_gives_the_same_rows(tmp_path, outer, mpox):
    found = look(MSLD, msld(tmp_path, outer, mpox))
    assert found.faults == ()
    assert found.as_published
    assert found.counts == {"mpox": 3, "others": 2}
    assert found.patients == {"mpox": 2, "others": 2}
    row = by_file(found)[f"{outer}{mpox}/M01_02.jpg"]
    assert (row.label, row.condition, row.patient, row.dataset) == ("mpox", "Monkeypox", "M01", "msld-small")
    assert (row.width, row.height, row.sha256) == (8, 6, sha256_file(row.path))


def test_msld_augmented_copies_are_left_out_or_flagged_with_the_patient(tmp_path):
    msld(tmp_path)
    copies = "Augmented Images/Augmented Images/Monkeypox_augmented/"
    pictures(tmp_path, f"{copies}M01_01_01.jpg", f"{copies}M01_01_02.jpg")
    fold = "Fold1/Fold1/Fold1/"
    pictures(tmp_path, f"{fold}Train/Monkeypox/M01_01_01.jpg", f"{fold}Train/Monkeypox/M01_02_01.jpg")
    pictures(tmp_path, f"{fold}Val/Others/NM01_01_01.jpg", f"{fold}Test/Monkeypox/M02_01.jpg")
    pictures(tmp_path, f"{fold}Test/Others/NM02_01.jpg")
    found = look(MSLD, tmp_path)
    assert found.faults == ()
    assert len(found.rows) == 5
    assert found.left_out == {"augmented copies": 2, "copies in fold folders": 5}
    original = "Original Images/Original Images/"
    assert {(one.file.removeprefix(original), one.part) for one in found.official} == {
        ("Monkey Pox/M01_01.jpg", "train"),
        ("Monkey Pox/M01_02.jpg", "train"),
        ("Monkey Pox/M02_01.jpg", "test"),
        ("Others/NM01_01.jpg", "val"),
        ("Others/NM02_01.jpg", "test"),
    }
    everything = look(MSLD, tmp_path, with_augmented=True)
    assert everything.as_published
    extra = [row for row in everything.rows if row.flags]
    assert [(row.flags, row.label, row.patient) for row in extra] == [(("augmented",), "mpox", "M01")] * 2
    assert {row.cluster for row in extra} == {by_file(everything)[f"{original}Monkey Pox/M01_02.jpg"].cluster}


def test_a_split_in_a_table_and_a_patient_on_both_sides_of_it(tmp_path):
    msld(tmp_path, "", "mpox")
    (tmp_path / "fold1_official_split.csv").write_text(
        "image,patient,split\nM01_01,M01,Train\nM01_02,M01,Test\nM02_01,M02,Val\nNM01_01,NM01,oops\nM09_01,M09,Test\n"
    )
    found = look(MSLD, tmp_path)
    assert [(one.split, one.part) for one in found.official] == [
        ("fold1", "train"),
        ("fold1", "test"),
        ("fold1", "val"),
    ]
    assert [str(fault) for fault in found.faults] == [
        'fold1_official_split.csv, row 5: nm01_01: "oops" is none of train, val, test.',
        "m09_01: in fold1, but there is no such image.",
    ]
    assert found.notes == (
        "fold1: 1 patients stand in more than one part: a leak in the official split.",
        "fold1: 2 imported images are in none of its parts.",
    )


MSLD2 = shrunk("msld2", mpox=2, chickenpox=1, measles=1, cowpox=1, hfmd=1, healthy=1)
MSLD2_FILES = {
    "Monkeypox": ("MKP_01_01", "MKP_01_02"),
    "Chickenpox": ("CHP_01_01",),
    "Measles": ("MSL_01_01",),
    "Cowpox": ("CWP_01_01",),
    "HFMD": ("HFMD_01_01",),
    "Healthy": ("HEALTHY_01_01",),
}


def msld2(root: Path) -> Path:
    """Two folds, each with every image; the same bytes in both."""
    seed = 0
    for folder, names in MSLD2_FILES.items():
        for name in names:
            seed += 1
            for fold in (1, 2):
                part = "Test" if seed % 2 == fold % 2 else "Train"
                base = root / f"Original Images/Original Images/FOLDS/fold{fold}/{part}"
                picture(base / folder / f"{name}.jpg", seed)
    pictures(root, "Augmented Images/Augmented Images/FOLDS_AUG/fold1_AUG/Train/Monkeypox/MKP_01_02_5.jpg")
    return root


def test_msld2_is_imported_once_from_its_folds(tmp_path):
    found = look(MSLD2, msld2(tmp_path))
    assert found.faults == ()
    assert found.counts == {"chickenpox": 1, "cowpox": 1, "healthy": 1, "hfmd": 1, "measles": 1, "mpox": 2}
    assert found.left_out == {"augmented copies": 1, "the same image in another fold": 7}
    assert {row.patient for row in found.rows if row.label == "mpox"} == {"MKP_01"}
    assert len(found.official) == 14
    placed = {(Path(one.file).stem, one.split): one.part for one in found.official}
    assert placed["MKP_01_01", "fold1"] == "test"
    assert placed["MKP_01_01", "fold2"] == "train"
    extra = look(MSLD2, tmp_path, with_augmented=True).rows[-1]
    assert (extra.flags, extra.patient, extra.label) == (("augmented",), "MKP_01", "mpox")


def test_msld2_copies_that_differ_and_names_that_contradict_the_folder(tmp_path):
    msld2(tmp_path)
    folds = "Original Images/Original Images/FOLDS"
    picture(tmp_path / folds / "fold2/Train/Monkeypox/MKP_01_01.jpg", 99)
    picture(tmp_path / folds / "fold1/Test/Measles/CWP_07_01.jpg", 98)
    found = look(MSLD2, tmp_path)
    assert sorted(kinds(found)) == ["copies", "count", "count", "name"]
    text = "\n".join(map(str, found.faults))
    assert "fold2/Train/Monkeypox/MKP_01_01.jpg: not the same bytes as" in text
    assert "Measles/CWP_07_01.jpg: the name says cowpox, the folder measles." in text
    assert "2 images of measles, published are 1: 1 too many." in text


def test_msid_groups_a_copy_with_its_original_where_the_name_tells(tmp_path):
    for folder, stem in (("Monkeypox", "monkeypox"), ("Chickenpox", "chickenpox"), ("Normal", "normal")):
        pictures(tmp_path, f"Monkeypox Skin Image Dataset/{folder}/{stem}1.png")
    pictures(tmp_path, "Monkeypox Skin Image Dataset/Measles/measles1.png")
    pictures(tmp_path, "Augmented/Measles/measles1_aug_2.png", "Augmented/Measles/measles77.png")
    spec = shrunk("msid", mpox=1, chickenpox=1, measles=1, normal=1)
    assert look(spec, tmp_path).as_published
    found = look(spec, tmp_path, with_augmented=True)
    assert found.faults == ()
    groups = {Path(row.file).stem: row.group for row in found.rows}
    assert groups["measles1"] == groups["measles1_aug_2"] != ""
    assert groups["measles77"] == groups["normal1"] == ""
    assert found.notes == (
        "1 augmented copies have a name that tells no original: group them by near-duplicates.",
    )


def test_mcsi_and_dermnet_by_class_folder(tmp_path):
    names = ("Mpox", "Chickenpox", "Acne", "Healthy")
    pictures(tmp_path / "m", *(f"MCSI/{name}/{i}.jpg" for name in names for i in range(2)))
    found = look(shrunk("mcsi", mpox=2, chickenpox=2, acne=2, healthy=2), tmp_path / "m")
    assert found.as_published
    assert found.official == ()
    pictures(tmp_path / "d", "train/Urticaria Hives/a.jpg", "test/Urticaria Hives/a.jpg")
    pictures(tmp_path / "d", "train/eczema photos/b.jpg")
    found = look(shrunk("dermnet", urticaria=2, eczema=1), tmp_path / "d")
    assert found.as_published
    assert [(one.file, one.split, one.part) for one in found.official] == [
        ("test/Urticaria Hives/a.jpg", "kaggle", "test"),
        ("train/Urticaria Hives/a.jpg", "kaggle", "train"),
        ("train/eczema photos/b.jpg", "kaggle", "train"),
    ]


HAM = shrunk("ham10000", mel=1, nv=2)


def test_ham10000_from_its_metadata(tmp_path):
    pictures(tmp_path, "HAM10000_images_part_1/ISIC_0000001.jpg", "HAM10000_images_part_2/ISIC_0000002.jpg")
    pictures(tmp_path, "HAM10000_images_part_2/ISIC_0000003.jpg")
    (tmp_path / "HAM10000_metadata.csv").write_text(
        "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
        "HAM_1,ISIC_0000001,nv,histo,50,male,back\n"
        "HAM_1,ISIC_0000002,nv,histo,50,male,unknown\n"
        "HAM_2,ISIC_0000003,mel,histo,60,female,face\n"
    )
    found = look(HAM, tmp_path)
    assert found.faults == ()
    assert [(row.label, row.patient, row.body_site) for row in found.rows] == [
        ("nv", "HAM_1", "back"),
        ("nv", "HAM_1", ""),
        ("mel", "HAM_2", "face"),
    ]


def test_ham10000_as_isic_2018_with_faults_in_the_tables(tmp_path):
    pictures(tmp_path, *(f"ISIC2018_Task3_Training_Input/ISIC_000000{i}.jpg" for i in (1, 2, 3, 4)))
    (tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv").write_text(
        "image,MEL,NV,BCC\nISIC_0000001,0.0,1.0,0.0\nISIC_0000002,1,1,0\nISIC_0000003,1.0,0.0,0.0\nISIC_0000009,0,1,0\n"
    )
    (tmp_path / "ISIC2018_Task3_Training_LesionGroupings.csv").write_text(
        "image,lesion_id,diagnosis confirm type\nISIC_0000001,HAM_1,histo\nISIC_0000003,HAM_2,histo\n"
    )
    found = look(HAM, tmp_path)
    assert {Path(row.file).stem: (row.label, row.patient) for row in found.rows} == {
        "ISIC_0000001": ("nv", "HAM_1"),
        "ISIC_0000003": ("mel", "HAM_2"),
    }
    text = "\n".join(map(str, found.faults))
    assert "GroundTruth.csv, row 3: isic_0000002: 2 classes are marked where one must be." in text
    assert (
        "isic_0000009: in ISIC2018_Task3_Training_GroundTruth.csv, row 5, but there is no such image." in text
    )
    assert "ISIC_0000004.jpg" in text
    assert found.left_out == {"without a class": 2}


def test_ham10000_without_tables_takes_the_folders_and_says_so(tmp_path):
    pictures(tmp_path, "nv/ISIC_0000001.jpg", "nv/ISIC_0000002.jpg", "mel/ISIC_0000003.jpg")
    found = look(HAM, tmp_path)
    assert found.counts == {"mel": 1, "nv": 2}
    assert [str(fault) for fault in found.faults] == [
        "no table of classes is there: classes are taken from the folders.",
        "no table of lesions is there: images of one lesion cannot be kept together.",
    ]


def test_an_archive_that_holds_everything_twice_is_imported_once(tmp_path):
    for folder in ("HAM10000_images_part_1", "ham10000_images_part_1/nested"):
        for number in (1, 2, 3):
            picture(tmp_path / folder / f"ISIC_000000{number}.jpg", number)
    (tmp_path / "HAM10000_metadata.tab").write_text(
        "lesion_id\timage_id\tdx\tlocalization\n"
        "HAM_1\tISIC_0000001\tnv\tback\nHAM_1\tISIC_0000002\tnv\tback\nHAM_2\tISIC_0000003\tmel\tface\n"
    )
    found = look(HAM, tmp_path)
    assert found.as_published
    assert len(found.rows) == 3
    assert found.left_out == {"the same name again": 3}


def test_isic2019(tmp_path):
    pictures(tmp_path, "ISIC_2019_Training_Input/ISIC_0000001.jpg")
    pictures(tmp_path, "ISIC_2019_Training_Input/ISIC_0000002_downsampled.jpg")
    (tmp_path / "ISIC_2019_Training_GroundTruth.csv").write_text(
        "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"
        "ISIC_0000001,0,0,0,0,0,0,0,1,0\nISIC_0000002_downsampled,0,1,0,0,0,0,0,0,0\n"
    )
    (tmp_path / "ISIC_2019_Training_Metadata.csv").write_text(
        "image,age_approx,anatom_site_general,lesion_id,sex\n"
        "ISIC_0000001,55,head/neck,BCN_1,female\nISIC_0000002_downsampled,,,,\n"
    )
    found = look(shrunk("isic2019", scc=1, nv=1), tmp_path)
    assert found.faults == ()
    assert [(row.label, row.condition, row.patient, row.body_site) for row in found.rows] == [
        ("scc", "SCC", "BCN_1", "head/neck"),
        ("nv", "NV", "", ""),
    ]


def test_acne04_takes_the_grade_from_the_name_and_the_folds_from_the_tables(tmp_path):
    pictures(tmp_path, *(f"Classification/JPEGImages/levle{grade}_{grade}.jpg" for grade in range(4)))
    for fold in (0, 1):
        test = f"levle{fold}_{fold}.jpg  {fold}  5\n"
        train = "".join(f"levle{i}_{i}.jpg  {i}  5\n" for i in range(4) if i != fold)
        (tmp_path / f"Classification/NNEW_test_{fold}.txt").write_text(test)
        (tmp_path / f"Classification/NNEW_trainval_{fold}.txt").write_text(train)
    spec = replace(SETS["acne04"], images=4)
    found = look(spec, tmp_path)
    assert found.faults == ()
    assert [(row.label, row.stage) for row in found.rows] == [
        ("acne", "mild"),
        ("acne", "moderate"),
        ("acne", "severe"),
        ("acne", "very severe"),
    ]
    assert [(one.split, one.part) for one in found.official if "levle1_1" in one.file] == [
        ("fold0", "train"),
        ("fold1", "test"),
    ]
    (tmp_path / "Classification/NNEW_test_0.txt").write_text("levle0_0.jpg  2  5\n")
    assert look(spec, tmp_path).notes == (
        "1 images have another grade in the tables than in their name; the name was taken.",
    )


def test_a_folder_per_class_with_parts_and_an_outer_folder(tmp_path):
    pictures(
        tmp_path, "zip/train/Rash A/1.jpg", "zip/train/b/1.jpg", "zip/test/b/2.jpg", "zip/test/b/x/3.jpg"
    )
    found = look(SETS["folder"], tmp_path, meaning={"b": "mpox"})
    assert found.as_published
    assert [(row.label, row.condition) for row in found.rows] == [
        ("mpox", "b"),
        ("mpox", "b"),
        ("Rash A", "Rash A"),
        ("mpox", "b"),
    ]
    assert {row.dataset for row in found.rows} == {tmp_path.name}
    assert sorted({(one.split, one.part) for one in found.official}) == [
        ("folders", "test"),
        ("folders", "train"),
    ]


def test_what_is_wrong_with_a_folder_is_named_file_by_file(tmp_path):
    msld(tmp_path, "", "mpox")
    pictures(tmp_path, "mpoxx/M03_01.jpg", "stray.jpg", "Others/M04_01.jpg", "Others/IMG 7.jpg")
    picture(tmp_path / "Others/NM09_01.jpg", 5)
    picture(tmp_path / "mpox/M09_01.jpg", 5)
    (tmp_path / "mpox").mkdir(exist_ok=True)
    (tmp_path / "mpox/M08_01.jpg").write_bytes(b"not an image")
    (tmp_path / "MPOX").mkdir()
    picture(tmp_path / "MPOX/M07_01.jpg")
    found = look(MSLD, tmp_path)
    text = [str(fault) for fault in found.faults]
    for line in (
        'mpoxx/M03_01.jpg: folder "mpoxx" looks like a misspelling of "mpox"; rename it.',
        "stray.jpg: it is in no class folder.",
        'class mpox stands in folders that differ only by case: "MPOX", "mpox".',
        "Others/M04_01.jpg: the name says mpox, the folder others.",
        "Others/IMG 7.jpg: the name does not follow the set's rule.",
        'mpox/M09_01.jpg is "mpox" but has the same bytes as Others/NM09_01.jpg, which is "others".',
    ):
        assert line in text
    assert any(line.startswith("mpox/M08_01.jpg: This is not an image") for line in text)
    assert found.left_out == {"unreadable": 1, "without a class": 2}
    assert "mpox/M08_01.jpg" not in by_file(found)


def test_classes_without_an_image_names_twice_and_empty_folders(tmp_path):
    pictures(tmp_path, "a/Monkeypox/monkeypox1.png", "b/mpox/monkeypox1.png", "a/Normal/normal1.png")
    (tmp_path / "a/Measles").mkdir()
    (tmp_path / "b/Normal").mkdir()
    found = look(shrunk("msid", mpox=2, measles=1, normal=1), tmp_path)
    assert [str(fault) for fault in found.faults] == [
        "class measles (folder Measles) has no image.",
        "folder b/Normal has no image.",
        "b/mpox/monkeypox1.png: not the same bytes as a/Monkeypox/monkeypox1.png, though of the same name; left out.",
        "2 images, published are 4: 2 missing.",
        "1 images of mpox, published are 2: 1 missing.",
        "0 images of measles, published are 1: 1 missing.",
    ]
    assert found.left_out == {"the same name again": 1}
    (tmp_path / "f/one").mkdir(parents=True)
    pictures(tmp_path / "f", "two/1.jpg", "two/A.jpg", "two/a.jpg")
    found = look(SETS["folder"], tmp_path / "f")
    assert kinds(found) == ["empty_class", "near_name"]


def test_known_sha256_name_the_missing_the_extra_and_the_changed(tmp_path, monkeypatch):
    msld(tmp_path, "", "mpox")
    known = {path.name.lower(): sha256_file(path) for path in tmp_path.rglob("*.jpg")}
    known["m02_01.jpg"] = "0" * 64
    known["m05_01.jpg"] = "1" * 64
    del known["nm02_01.jpg"]
    monkeypatch.setattr(type(MSLD), "known_sha256", lambda spec: known)
    text = [str(fault) for fault in look(MSLD, tmp_path).faults]
    assert text == [
        "Others/NM02_01.jpg: no image of this name was published.",
        f"mpox/M02_01.jpg: not the published bytes (SHA-256 {sha256_file(tmp_path / 'mpox/M02_01.jpg')[:12]}…, "
        "published 000000000000…).",
        "m05_01.jpg: published, but not there.",
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "there is no image in it"),
        (("cats/1.jpg", "dogs/2.jpg"), "only 0 of 2 images can be given a class"),
        (("mpox/IMG1.jpg", "others/IMG2.jpg", "mpox/M01_01.jpg"), "do not follow the set's rule"),
        (("augmented/mpox/M01_01_1.jpg",), "augmented copies only"),
    ],
)
def test_another_set_is_refused(tmp_path, files, message):
    pictures(tmp_path, *files)
    with pytest.raises(ManifestError, match=f"this is not msld-small: .*{message}"):
        look(MSLD, tmp_path)


def test_a_refusal_names_the_set_that_fits(tmp_path):
    pictures(
        tmp_path,
        *(
            f"{name}/{i}.jpg"
            for name in ("acne", "eczema", "bullous", "vasculitis", "urticaria")
            for i in "ab"
        ),
    )
    with pytest.raises(ManifestError, match=r"this is not msid: .* It looks like dermnet-nz\."):
        look(SETS["msid"], tmp_path)


def test_an_archive_or_a_file_is_no_folder(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK")
    with pytest.raises(ManifestError, match=r"is an archive\. Unpack it"):
        look(MSLD, tmp_path / "set.zip")
    with pytest.raises(ManifestError, match="no such folder"):
        look(MSLD, tmp_path / "none")


def test_litter_hidden_files_and_names_that_are_not_utf8(tmp_path):
    msld(tmp_path, "", "mpox")
    pictures(tmp_path, "__MACOSX/mpox/M01_01.jpg", "mpox/._M01_01.jpg", ".cache/mpox/M77_01.jpg")
    (tmp_path / "mpox/Thumbs.db").write_bytes(b"x")
    assert look(MSLD, tmp_path).as_published
    picture(tmp_path / "mpox/M66_01.jpg").rename(tmp_path / os.fsdecode(b"mpox/M\xff_01.jpg"))
    picture(tmp_path / " M66_01.jpg")
    assert [fault.message for fault in look(MSLD, tmp_path).faults] == [
        " M66_01.jpg: the name begins with a space; rename the file.",
        "mpox/M\\xff_01.jpg: the name is not UTF-8; rename the file.",
    ]


def test_a_side_table_that_is_none_is_told_and_the_rest_goes_on(tmp_path):
    msld(tmp_path, "", "mpox")
    for name, data in (
        ("fold1_split.csv", b"image,split\nM01_01,Tr\0ain\n"),
        ("old_fold1_split.csv", b"\xff\xfe"),
    ):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "x_fold1_split.csv").write_text("name,split\nM01_01,Train\n")
    found = look(MSLD, tmp_path)
    assert len(found.rows) == 5
    assert [fault.kind for fault in found.faults] == ["side_table"] * 3
    text = [fault.message for fault in found.faults]
    assert text[0] == "fold1_split.csv: holds a NUL character; this is no table."
    assert text[1].startswith("old_fold1_split.csv: 'utf-8' codec can't decode")
    assert text[2] == "x_fold1_split.csv: row 1: no column image; found: name, split."


def test_the_written_table_is_read_back_from_anywhere(tmp_path):
    msld(tmp_path / "set", "", "mpox")
    (tmp_path / "set/fold1_split.csv").write_text("image,split\nM01_01,Train\nNM01_01,Test\n")
    out = tmp_path / "tables/deep/images.parquet"
    found = import_folder(MSLD, tmp_path / "set", Wish(out.parent))
    digest, beside = write_imported(found, out)
    manifest = read_manifest(out)
    assert manifest.sha256 == digest
    assert all(row.path.is_file() for row in manifest.rows)
    assert manifest.rows[0].file == "../../set/Others/NM01_01.jpg"
    assert [row.file for row in manifest.rows] == [row.file for row in found.rows]
    assert beside == official_path(out) == tmp_path / "tables/deep/images.official.csv"
    (official,) = read_official(beside, manifest)
    named = {part: [manifest.rows[place].file for place in rows] for part, rows in official.parts.items()}
    assert named == {
        "train": ["../../set/mpox/M01_01.jpg"],
        "val": [],
        "test": ["../../set/Others/NM01_01.jpg"],
    }


@pytest.mark.parametrize("fail_at", [1, 2])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, fail_at):
    msld(tmp_path / "set", "", "mpox")
    (tmp_path / "set/fold1_split.csv").write_text("image,split\nM01_01,Train\n")
    found = import_folder(MSLD, tmp_path / "set", Wish(tmp_path))
    calls = []
    sync = os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) >= fail_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_imported(found, tmp_path / "out/m.csv")
    assert len(calls) == fail_at
    assert list((tmp_path / "out").iterdir()) == []


def bad_table(tmp_path: Path) -> Path:
    for i in range(6):
        picture(tmp_path / f"{i}.jpg", i)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "0.jpg").read_bytes()[:300])
    text = "file,label,sha256,width\n" + "".join(f"{i}.jpg,mpox,,8\n" for i in range(5))  # rows 2-6
    text += "0.jpg,mpox,,\n5.jpg,mopx,,9\nbroken.jpg,mpox,,\ngone.jpg,measles,,\n"  # 7-10
    text += f"./1.jpg,mpox,,\n,mpox,,\n5.JPG,Mpox,{'0' * 64},\n"  # 11-13
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def test_a_bad_table_has_each_fault_named_with_its_row_and_the_rest_imported(tmp_path):
    path = bad_table(tmp_path)
    picture(tmp_path / "5.JPG", 5)
    found = import_table(path, Wish(tmp_path, dataset="clinic"))
    assert [(fault.kind, fault.row) for fault in found.faults] == [
        ("duplicate", 7),
        ("label_typo", 8),
        ("dimension", 8),
        ("unreadable", 9),
        ("missing", 10),
        ("duplicate", 11),
        ("empty", 12),
        ("near_name", 13),
        ("label_case", 13),
        ("sha256", 13),
        ("empty_class", None),
    ]
    assert [row.file for row in found.rows] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"]
    assert {row.dataset for row in found.rows} == {"clinic"}
    assert all(row.sha256 == sha256_file(row.path) and row.width == 8 for row in found.rows)
    assert found.left_out == {"faulty rows": 4, "unreadable": 1, "not there": 1}
    assert found.seen == 12


def test_a_table_with_wrong_columns_or_without_one_sound_row_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,label\na.jpg,mpox\n")
    with pytest.raises(ManifestError, match=r'row 1: no column "file"; .*rename "image" to "file"'):
        import_table(path, Wish(tmp_path))
    path.write_text("file,label\na.jpg,mpox\n")
    with pytest.raises(ManifestError, match=r"not one of its images can be imported: .*a\.jpg is not there"):
        import_table(path, Wish(tmp_path))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "folder", "counts"),
    [
        ("msld", "msld", {"mpox": 102, "others": 126}),
        ("msid", "msid", {"chickenpox": 107, "measles": 91, "mpox": 279, "normal": 293}),
        ("folder", "web", {"hfmd": 194}),
        ("folder", "acne-closeup", {"acne": 239}),
    ],
)
def test_the_real_sets_are_as_published(name, folder, counts):
    root = REAL / folder
    if not root.is_dir():
        pytest.skip("the real images are not beside the checkout")
    found = look(SETS[name], root)
    assert [str(fault) for fault in found.faults] == []
    assert found.counts == counts
    if name == "msld":
        assert found.patients == {"mpox": 55, "others": 107}
        parts = [one.part for one in found.official]
        assert {part: parts.count(part) for part in parts} == {"train": 153, "val": 30, "test": 45}
        assert found.notes == ()


@pytest.mark.real_data
def test_a_real_part_of_ham10000_is_told_to_be_a_part():
    root = REAL / "ham10000"
    if not root.is_dir():
        pytest.skip("the real images are not beside the checkout")
    found = look(SETS["ham10000"], root)
    assert len(found.rows) == 2661
    assert found.faults[2].message == "2,661 images, published are 10,015: 7,354 missing."
