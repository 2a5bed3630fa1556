"""Sets of clinical photos of other skin diseases: DermNet (two), ACNE04."""

from __future__ import annotations

from poxlens.data.catalogue.spec import NOT_STATED, Class, SetSpec, SideTable

_OF_DERMNET = (
    ("acne-rosacea", "Acne and Rosacea Photos", 1152),
    ("malignant-lesions", "Actinic Keratosis Basal Cell Carcinoma and other Malignant Lesions", 1437),
    ("atopic-dermatitis", "Atopic Dermatitis Photos", 612),
    ("bullous", "Bullous Disease Photos", 561),
    ("bacterial-infection", "Cellulitis Impetigo and other Bacterial Infections", 361),
    ("eczema", "Eczema Photos", 1544),
    ("drug-eruption", "Exanthems and Drug Eruptions", 505),
    ("hair-disease", "Hair Loss Photos Alopecia and other Hair Diseases", 299),
    ("herpes-hpv", "Herpes HPV and other STDs Photos", 507),
    ("pigmentation", "Light Diseases and Disorders of Pigmentation", 711),
    ("connective-tissue", "Lupus and other Connective Tissue diseases", 525),
    ("melanoma-nevi", "Melanoma Skin Cancer Nevi and Moles", 579),
    ("nail-disease", "Nail Fungus and other Nail Disease", 1301),
    ("contact-dermatitis", "Poison Ivy Photos and other Contact Dermatitis", 325),
    ("psoriasis", "Psoriasis pictures Lichen Planus and related diseases", 1757),
    ("infestations-bites", "Scabies Lyme Disease and other Infestations and Bites", 539),
    ("benign-tumours", "Seborrheic Keratoses and other Benign Tumors", 1714),
    ("systemic-disease", "Systemic Disease", 758),
    ("fungal-infection", "Tinea Ringworm Candidiasis and other Fungal Infections", 1625),
    ("urticaria", "Urticaria Hives", 265),
    ("vascular-tumour", "Vascular Tumors", 603),
    ("vasculitis", "Vasculitis Photos", 521),
    ("viral-infection", "Warts Molluscum and other Viral Infections", 1358),
)

DERMNET = SetSpec(
    name="dermnet",
    title="DermNet, the 23 folders on Kaggle",
    about="Clinical photos of the atlas dermnet.com (not DermNet NZ) in 23 broad classes.",
    layout="{train,test}/{one of 23 folders}/.",
    group="none published: group by near-duplicates.",
    licence="CC BY-NC-ND 4.0 as given on Kaggle; rights in the single photos not documented there",
    citation="Dermnet. Kaggle, shubhamgoel27/dermnet.",
    where=("https://www.kaggle.com/datasets/shubhamgoel27/dermnet",),
    facts="counted in the Kaggle archive, 15,557 for training and 4,002 for testing; urticaria, bullous and "
    "vasculitis agree with Yue 2024 (Mpox-AISM)",
    classes=tuple(Class(label, source, images=n) for label, source, n in _OF_DERMNET),
    images=19559,
    official="train and test folders; how they were drawn is not stated, and patients are not known.",
    faults=(
        "A watermark stands on most photos: crop it, or the source is learnt.",
        "Folders hold several diseases each (acne with rosacea); labels are not proven by histology.",
    ),
    split_folders="kaggle",
    unique_names=False,
)

DERMNET_NZ = SetSpec(
    name="dermnet-nz",
    title="DermNet NZ, photos by condition",
    about="Clinical photos of dermnetnz.org, sorted into class folders by whoever fetched them.",
    layout="{class}/ in any outer folder.",
    group="none published: group by near-duplicates.",
    licence="CC BY-NC-ND; the site's own terms for training of models apply",
    citation="DermNet. https://dermnetnz.org",
    where=("https://dermnetnz.org",),
    facts="the site has no fixed release: no counts to check",
    classes=(
        Class("acne", "acne"),
        Class("bacterial-infection", "bacterial infection", ("bacterial infections",)),
        Class("bullous", "bullous disease", ("bullous diseases",)),
        Class("eczema", "eczema"),
        Class("urticaria", "urticaria"),
        Class(
            "vascular-tumour", "vascular tumour", ("vascular tumours", "vascular tumor", "vascular tumors")
        ),
        Class("vasculitis", "vasculitis"),
        Class("viral-infection", "viral infection", ("viral infections",)),
    ),
    faults=("A watermark stands bottom left on nearly all photos: crop it, or the source is learnt.",),
    unique_names=False,
)

ACNE04 = SetSpec(
    name="acne04",
    title="ACNE04",
    about="Faces with acne, graded by the number of lesions (Hayashi) in four grades.",
    layout="Classification/JPEGImages/levle{0-3}_{n}.jpg with NNEW_trainval_{0-4}.txt and NNEW_test_{0-4}.txt.",
    group=f"{NOT_STATED}; several views of one face are in it: group by near-duplicates.",
    licence="academic use only",
    citation="Wu X, Wen N, Liang J, et al. Joint Acne Image Grading and Counting via Label Distribution Learning. "
    "ICCV 2019.",
    where=("https://github.com/xpwu95/LDL",),
    facts="the number of images: Wu 2019; images a grade: not stated, not checked",
    classes=(Class("acne", "acne"),),
    images=1457,
    official="five folds of training and test images; not known to keep a face on one side.",
    faults=(
        "The folds put photos of one face on both sides.",
        'The grade in a file\'s name (spelt "levle") and the grade in the fold tables differ for some images: '
        "the name is taken, and the difference told.",
    ),
    file_name=r"(?P<image>lev(?:le|el)(?P<code>[0-3])_\d+)",
    stages=(("0", "mild"), ("1", "moderate"), ("2", "severe"), ("3", "very severe")),
    tables=(
        SideTable(r"nnew_trainval_\d+\.txt", image="", part="train", split="fold0"),
        SideTable(r"nnew_test_\d+\.txt", image="", part="test", split="fold0"),
    ),
    labels_from="name",
)
