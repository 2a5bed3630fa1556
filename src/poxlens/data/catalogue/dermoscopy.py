"""Dermoscopy, for what a rash is not: HAM10000 (ISIC 2018 task 3) and ISIC 2019."""

from __future__ import annotations

from poxlens.data.catalogue.spec import Class, SetSpec, SideTable

HAM10000 = SetSpec(
    name="ham10000",
    title="HAM10000, the training set of ISIC 2018 task 3",
    about="Dermoscopic images of pigmented lesions in seven classes.",
    layout="HAM10000_images_part_1/ and _2/ with HAM10000_metadata.csv; or ISIC2018_Task3_Training_Input/ with "
    "ISIC2018_Task3_Training_GroundTruth.csv and …_LesionGroupings.csv; or class folders.",
    group="lesion (not person), from lesion_id of the table.",
    licence="CC BY-NC 4.0",
    citation="Tschandl P, Rosendahl C, Kittler H. The HAM10000 dataset, a large collection of multi-source "
    "dermatoscopic images of common pigmented skin lesions. Sci Data 2018;5:180161. doi:10.1038/sdata.2018.161",
    where=("https://doi.org/10.7910/DVN/DBW86T", "https://challenge.isic-archive.com/data/#2018"),
    facts="Tschandl 2018",
    classes=(
        Class("akiec", "akiec", images=327),
        Class("bcc", "bcc", images=514),
        Class("bkl", "bkl", images=1099),
        Class("df", "df", images=115),
        Class("mel", "mel", images=1113),
        Class("nv", "nv", images=6705),
        Class("vasc", "vasc", images=142),
    ),
    images=10015,
    official="the validation and test images of the challenge are other files, not part of this set.",
    faults=("Several images of a lesion: split by lesion. Lesions of one person are not marked.",),
    file_name=r"(?P<image>ISIC_\d{7})",
    tables=(
        SideTable(
            r"ham10000_metadata(\.csv|\.tab)?",
            image="image_id",
            label="dx",
            patient="lesion_id",
            body_site="localization",
        ),
        SideTable(r"isic2018_task3_training_groundtruth\.csv", image="image", onehot=True),
        SideTable(r"isic2018_task3_training_lesiongroupings\.csv", image="image", patient="lesion_id"),
    ),
    labels_from="table",
)

ISIC2019 = SetSpec(
    name="isic2019",
    title="ISIC 2019, training set",
    about="Dermoscopic images of HAM10000, BCN20000 and MSK in eight classes.",
    layout="ISIC_2019_Training_Input/ with ISIC_2019_Training_GroundTruth.csv and ISIC_2019_Training_Metadata.csv.",
    group="lesion (not person), from lesion_id of the metadata; missing for some images.",
    licence="CC BY-NC 4.0",
    citation="Tschandl 2018, doi:10.1038/sdata.2018.161; Codella 2017, arXiv:1710.05006; Combalia 2019, BCN20000, "
    "arXiv:1908.02288",
    where=("https://challenge.isic-archive.com/data/#2019",),
    facts="the ground truth table of the challenge",
    classes=(
        Class("mel", "MEL", images=4522),
        Class("nv", "NV", images=12875),
        Class("bcc", "BCC", images=3323),
        Class("ak", "AK", images=867),
        Class("bkl", "BKL", images=2624),
        Class("df", "DF", images=239),
        Class("vasc", "VASC", images=253),
        Class("scc", "SCC", images=628),
    ),
    images=25331,
    official="the test images of the challenge are other files, whose labels are not public.",
    faults=(
        "HAM10000 is part of it: do not train on one and test on the other.",
        "The column UNK of the ground truth is empty in the training set.",
    ),
    file_name=r"(?P<image>ISIC_\d{7}(?:_downsampled)?)",
    tables=(
        SideTable(r"isic_2019_training_groundtruth\.csv", image="image", onehot=True),
        SideTable(
            r"isic_2019_training_metadata\.csv",
            image="image",
            patient="lesion_id",
            body_site="anatom_site_general",
        ),
    ),
    labels_from="table",
)
