"""The tables of Campana 2024 as data, under the names of what their columns are.

In the binary task the paper's columns are not what their heads say. With 100 images of mpox and 300 of others:

- its "specificity" is the recall of mpox. Figure 7's text gives the share of mpox images that are missed
  (InceptionResNetV2 76 % without and 82 % with augmentation, VGG16 29 % and 27 %), and the table's "specificity" of
  these rows is one minus it: .240, .180, .710, .730;
- its "sensitivity" is the mean recall over both classes: from accuracy and recall of mpox the recall of the others
  follows, and the mean of both is the column, to rounding, in all ten rows (`mean_recall`);
- its micro F1 is the accuracy, as it must be where each image has one class.

In the multi-class task the columns are macro sensitivity (mean recall), mean one-vs-rest specificity and macro F1, as
the paper says. In table 4 the binary "accuracy" on light and on dark skin are in most rows both below the accuracy on
all images, which no share of them can be; they fit the mean recall.
"""

from __future__ import annotations

from dataclasses import dataclass

CITATION = (
    "M. G. Campana, M. Colussi, F. Delmastro, S. Mascetti, E. Pagani: A Transfer Learning and Explainable Solution to"
    " Detect mpox from Smartphones images, 2024, tables 2, 3 and 4"
)
MPOX, OTHERS = 100, 300  # images of MCSI in the binary task

Value = tuple[float, float]
"""Mean and standard deviation over ten folds."""


@dataclass(frozen=True)
class PaperRow:
    """One row of table 2 or 3, its columns in the paper's order."""

    network: str
    augmentation: bool
    accuracy: Value
    sensitivity: Value  # binary: mean recall over both classes
    specificity: Value  # binary: recall of mpox; else mean one-vs-rest specificity
    f1: Value  # binary: micro, that is the accuracy; else macro


@dataclass(frozen=True)
class PaperTones:
    """One row of table 4: light and dark skin, in the binary and the multi-class task."""

    network: str
    augmentation: bool
    binary_light: Value
    binary_dark: Value
    light: Value
    dark: Value


BINARY_COLUMNS = {
    "accuracy": "accuracy",
    "sensitivity": "mean recall",
    "specificity": "recall of the target",
    "F-1 score": "micro F1",
}
"""The paper's head in table 2 -> what the column is, as in `poxlens.evaluate.fold_figures.FOLD_FIGURES`."""

MULTI_COLUMNS = {
    "accuracy": "accuracy",
    "sensitivity": "mean recall",
    "specificity": "one-vs-rest specificity",
    "F-1 score": "macro F1",
}
"""The same of table 3."""

OURS = {
    "VGG16": "vgg16",
    "InceptionResNetV2": "inception-resnet-v2",
    "NASNetMobile": "nasnet-mobile",
    "MobileNetV3Small": "mobilenet-v3-small",
    "MobileNetV3Large": "mobilenet-v3-large",
}
"""The paper's network -> its name here."""


def _rows(text: str) -> tuple[tuple[str, bool, list[Value]], ...]:
    found = []
    for line in text.strip().splitlines():
        name, with_it, *numbers = line.split()
        values = [float(number) for number in numbers]
        found.append((name, with_it == "+", list(zip(values[::2], values[1::2], strict=True))))
    return tuple(found)


# Network, + with augmentation, then mean and standard deviation of each column.
_TABLE_2 = """
VGG16             - .898 .059 .833 .106 .710 .223 .897 .057
VGG16             + .890 .028 .835 .027 .730 .067 .890 .028
InceptionResNetV2 - .732 .051 .568 .063 .240 .196 .734 .052
InceptionResNetV2 + .728 .068 .544 .109 .180 .244 .728 .068
NASNetMobile      - .811 .038 .726 .061 .550 .151 .812 .037
NASNetMobile      + .835 .044 .727 .080 .510 .173 .835 .044
MobileNetV3Small  - .930 .041 .877 .067 .780 .123 .929 .040
MobileNetV3Small  + .921 .043 .872 .062 .780 .114 .919 .040
MobileNetV3Large  - .930 .042 .861 .086 .730 .177 .928 .040
MobileNetV3Large  + .930 .039 .878 .071 .780 .140 .928 .037
"""
_TABLE_3 = """
VGG16             - .779 .052 .779 .054 .927 .018 .777 .057
VGG16             + .745 .059 .744 .059 .915 .020 .738 .062
InceptionResNetV2 - .396 .087 .398 .088 .780 .023 .388 .084
InceptionResNetV2 + .301 .057 .301 .067 .767 .023 .252 .078
NASNetMobile      - .464 .073 .464 .073 .822 .025 .461 .076
NASNetMobile      + .504 .103 .505 .104 .835 .034 .499 .106
MobileNetV3Small  - .846 .062 .847 .061 .948 .020 .843 .065
MobileNetV3Small  + .859 .054 .860 .052 .954 .017 .860 .049
MobileNetV3Large  - .882 .057 .881 .055 .960 .019 .879 .058
MobileNetV3Large  + .866 .088 .866 .080 .956 .029 .863 .086
"""
_TABLE_4 = """
VGG16             - .793 .118 .886 .100 .774 .058 .766 .158
VGG16             + .774 .052 .899 .054 .733 .062 .757 .163
InceptionResNetV2 - .586 .071 .551 .096 .413 .081 .321 .149
InceptionResNetV2 + .556 .114 .521 .106 .307 .071 .276 .118
NASNetMobile      - .673 .088 .785 .096 .474 .081 .428 .147
NASNetMobile      + .676 .105 .786 .086 .496 .085 .481 .159
MobileNetV3Small  - .839 .093 .921 .077 .854 .093 .820 .131
MobileNetV3Small  + .851 .089 .883 .072 .850 .063 .857 .111
MobileNetV3Large  - .773 .106 .965 .059 .876 .061 .868 .086
MobileNetV3Large  + .835 .101 .919 .077 .850 .113 .862 .143
"""
TABLE_2 = tuple(PaperRow(name, with_it, *values) for name, with_it, values in _rows(_TABLE_2))
TABLE_3 = tuple(PaperRow(name, with_it, *values) for name, with_it, values in _rows(_TABLE_3))
TABLE_4 = tuple(PaperTones(name, with_it, *values) for name, with_it, values in _rows(_TABLE_4))

MISSED_MPOX = {
    ("InceptionResNetV2", False): 0.76,
    ("InceptionResNetV2", True): 0.82,
    ("VGG16", False): 0.29,
    ("VGG16", True): 0.27,
}
"""(Network, augmentation) -> share of mpox images called "others", from the text on figure 7 (section 4.4.1)."""


def mean_recall(accuracy: float, recall_of_mpox: float) -> float:
    """The mean recall over both classes that an accuracy and a recall of mpox give on MCSI's 100 and 300 images."""
    recall_of_others = (accuracy * (MPOX + OTHERS) - recall_of_mpox * MPOX) / OTHERS
    return (recall_of_mpox + recall_of_others) / 2
