"""Sets with mpox: MSLD v1 and v2.0, MSID, MCSI."""

from __future__ import annotations

from poxlens.data.catalogue.spec import NOT_STATED, Class, SetSpec, SideTable

_MPOX = ("monkeypox", "monkey pox", "mkp", "m pox")

MSLD = SetSpec(
    name="msld",
    title="Monkeypox Skin Lesion Dataset (MSLD), version 1",
    about="Photos from news portals, websites and case reports: mpox, and chickenpox with measles as one class.",
    layout="Original Images/Original Images/{Monkey Pox,Others}/, Augmented Images/…, "
    "Fold1/Fold1/Fold1/{Train,Val,Test}/{Monkeypox,Others}/; or the class folders alone.",
    group="patient, from the name: M01_02.jpg is the second image of patient M01, NM… are the others.",
    licence="CC BY-NC (version not stated)",
    citation="Ali SN, Ahmed MT, Paul J, et al. Monkeypox Skin Lesion Detection Using Deep Learning Models: "
    "A Feasibility Study. arXiv:2207.03342, 2022.",
    where=(
        "https://www.kaggle.com/datasets/nafin59/monkeypox-skin-lesion-dataset",
        "https://github.com/mHealthBuet/Monkeypox-Skin-Lesion-Dataset",
    ),
    facts="images: the authors' description of the set; patients: counted from the names of the release",
    classes=(
        Class("mpox", "Monkeypox", (*_MPOX, "m"), images=102, patients=55),
        Class("others", "Others", ("other", "non monkeypox", "non mpox", "nm"), images=126, patients=107),
    ),
    images=228,
    patients=162,
    official="Fold1, one of three folds that keep patients apart (train, val, test about 70 : 10 : 20); the "
    "other two were not shipped.",
    augmented="Augmented Images (1,428 mpox, 1,764 others) and the training and validation parts of Fold1.",
    faults=(
        "Chickenpox and measles are not told apart.",
        "Some photos also stand in MSID, one of them with the opposite label, others as crops or re-toned copies.",
        "Some photos stand under more than one patient number.",
    ),
    file_name=r"(?P<image>(?P<patient>(?P<code>NM|M)\d+)_\d+)",
    tables=(SideTable(r".*fold1.*split.*\.csv", image="image", part="split", split="fold1"),),
    fold_folders="augmented",
)

MSLD2 = SetSpec(
    name="msld2",
    title="Mpox Skin Lesion Dataset (MSLD), version 2.0",
    about="Six classes of photos from the web, checked by a dermatologist.",
    layout="Original Images/Original Images/FOLDS/fold1…fold5/{Train,Valid,Test}/{class}/, "
    "Augmented Images/Augmented Images/FOLDS_AUG/fold1_AUG…fold5_AUG/Train/{class}/; or class folders.",
    group="patient, from the name: MKP_17_01 is the first image of patient 17 of class MKP.",
    licence=f"Creative Commons, kind {NOT_STATED} in the text of the authors' description",
    citation="Ali SN, Ahmed MT, Jahan T, et al. A web-based mpox skin lesion detection system using "
    "state-of-the-art deep learning models considering racial diversity. Biomed Signal Process Control 2024;"
    "98:106742. doi:10.1016/j.bspc.2024.106742",
    where=(
        "https://www.kaggle.com/datasets/joydippaul/mpox-skin-lesion-dataset-version-20-msld-v20",
        "https://github.com/mHealthBuet/Mpox-Skin-Lesion-Dataset-v2",
    ),
    facts="the table of images and patients in the authors' description",
    classes=(
        Class("mpox", "Monkeypox", _MPOX, images=284, patients=143),
        Class("chickenpox", "Chickenpox", ("chp", "chicken pox", "varicella"), images=75, patients=62),
        Class("measles", "Measles", ("msl",), images=55, patients=46),
        Class("cowpox", "Cowpox", ("cwp", "cow pox"), images=66, patients=41),
        Class(
            "hfmd",
            "HFMD",
            ("hand foot and mouth disease", "hand foot mouth disease", "hand foot and mouth"),
            images=161,
            patients=144,
        ),
        Class("healthy", "Healthy", ("normal",), images=114, patients=105),
    ),
    images=755,
    patients=541,
    official="five folds, each with train, valid and test folders.",
    augmented="FOLDS_AUG: about fourteen copies of each training image of each fold.",
    faults=("The same photos from the web stand in other sets too: look for duplicates across sets.",),
    file_name=r"(?P<image>(?P<patient>(?P<code>MKP|CHP|CWP|MSL|HFMD|HEALTHY)_\d+)_\d+)",
    fold_folders="originals",
)

MSID = SetSpec(
    name="msid",
    title="Monkeypox Skin Images Dataset (MSID)",
    about="Photos from the web in four classes, stretched to 224 × 224.",
    layout="{Monkeypox,Chickenpox,Measles,Normal}/ in any outer folder; the Mendeley archive is a zip in a zip.",
    group="none published: group by near-duplicates.",
    licence="CC BY 4.0",
    citation="Bala D, Hossain MS. Monkeypox Skin Images Dataset (MSID). Mendeley Data, V6, 2023. "
    "doi:10.17632/r9bfpnvyxr.6",
    where=(
        "https://data.mendeley.com/datasets/r9bfpnvyxr/6",
        "https://www.kaggle.com/datasets/dipuiucse/monkeypoxskinimagedataset",
    ),
    facts="the authors' description of the set",
    classes=(
        Class("mpox", "Monkeypox", _MPOX, images=279),
        Class("chickenpox", "Chickenpox", ("chicken pox",), images=107),
        Class("measles", "Measles", images=91),
        Class("normal", "Normal", ("healthy",), images=293),
    ),
    images=770,
    augmented='copies that are shipped are told by a folder with "augmented" in its name.',
    faults=(
        "No patient numbers, yet many photos show one patient.",
        "Normal is mostly whole people, known at once from close-ups of a rash; some images are of groups of "
        "people or of hands with a product (Campana 2024, section 2).",
        "One photo stands in two classes; some mpox photos carry captions.",
        "Some photos also stand in MSLD, as copies, crops or re-toned.",
    ),
    file_name=r"(?P<image>(?P<code>monkeypox|chickenpox|measles|normal)\d+)",
)

MCSI = SetSpec(
    name="mcsi",
    title="Mpox Close Skin Images (MCSI)",
    about="Square close-ups that hold skin and no background, cut from other public sets.",
    layout="{Mpox,Chickenpox,Acne,Healthy}/ in any outer folder.",
    group=f"{NOT_STATED}: group by near-duplicates.",
    licence=NOT_STATED,
    citation="Campana MG, Colussi M, Delmastro F, Mascetti S, Pagani E. Mpox close skin images. Zenodo, 2023. "
    "doi:10.5281/zenodo.7948350",
    where=("https://doi.org/10.5281/zenodo.7948350",),
    facts="Campana 2024, section 4.1",
    classes=(
        Class("mpox", "Mpox", _MPOX, images=100),
        Class("chickenpox", "Chickenpox", ("chicken pox",), images=100),
        Class("acne", "Acne", images=100),
        Class("healthy", "Healthy", ("normal",), images=100),
    ),
    images=400,
    faults=(
        "Each class comes from one source (mpox from MSLD, acne from ACNE04): a network may learn the source.",
        "Labels are those found online, not checked by a physician (Campana 2024, section 4.1).",
    ),
    unique_names=False,
)
