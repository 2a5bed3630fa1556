"""Figures are those of the predictions files."""

from __future__ import annotations

import csv
import gzip
import io
import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from poxlens.errors import ManifestError
from poxlens.recipes.leak.predictions import read_tested, write_tested
from poxlens.recipes.leak.report import figures


def test_predictions_survive_the_way_to_disk_and_back(tested, tmp_path, of):
    files = write_tested(tmp_path, tested)
    assert sorted(files) == ["common", "grouped", "image"]
    back = [one for path in files.values() for one in read_tested(path)]
    for one in tested:
        again = of(back, one.head, one.protocol, one.copies)
        for name in ("file", "copy", "group", "label", "fold"):
            assert np.array_equal(getattr(again, name), getattr(one, name)), name
        assert np.abs(again.probability - one.probability).max() <= 5.1e-5
    first = files["common"].read_bytes()
    assert write_tested(tmp_path, tested)["common"].read_bytes() == first


def test_figures_can_be_computed_again_from_the_file_alone(tested, plan, tmp_path):
    """A second implementation: the csv module and scikit-learn."""

    files = write_tested(tmp_path, tested)
    measured, _ = figures([one for path in files.values() for one in read_tested(path)], plan, resamples=50)
    rows = [
        cells
        for path in files.values()
        for cells in csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode()))
    ]
    assert list(rows[0])[:9] == [
        "head",
        "copies",
        "repeat",
        "fold",
        "protocol",
        "file",
        "copy",
        "group",
        "label",
    ]
    checked = 0
    for one in measured:
        wanted = (one.head, str(one.copies), one.protocol.removesuffix(", originals"))
        mine = [cells for cells in rows if (cells["head"], cells["copies"], cells["protocol"]) == wanted]
        if one.protocol.endswith("originals"):
            mine = [cells for cells in mine if cells["copy"] == "0"]
        scores: dict[str, list[float]] = {"accuracy": [], "AUROC": [], "macro F1": []}
        for repeat in sorted({cells["repeat"] for cells in mine}):
            some = [cells for cells in mine if cells["repeat"] == repeat]
            truth = [cells["label"] for cells in some]
            said = ["mpox" if float(c["p_mpox"]) >= float(c["p_others"]) else "others" for c in some]
            scores["accuracy"].append(accuracy_score(truth, said))
            scores["macro F1"].append(f1_score(truth, said, average="macro"))
            score = [float(cells["p_mpox"]) for cells in some]
            scores["AUROC"].append(roc_auc_score([label == "mpox" for label in truth], score))
        for name, values in scores.items():
            assert one.clustered[name].value == pytest.approx(np.mean(values), abs=1e-9)
        assert one.rows == len(mine) / one.repeats
        assert one.seen == (
            0.0 if one.protocol == "grouped" else pytest.approx(_seen_again(rows, wanted, mine))
        )
        assert one.images == len({cells["file"] for cells in mine}) == 160
        assert one.groups == len({cells["group"] for cells in mine}) == 80
        checked += 1
    assert checked == 4 * (
        4 + 2 * 2
    )  # heads x (common, originals, image, grouped; common and grouped with 0 and 1)


def _seen_again(rows, wanted, mine):
    """Share of rows that have a row of their group in another fold of the same repeat, counted plainly."""
    same = [c for c in rows if (c["head"], c["copies"], c["protocol"]) == wanted]
    folds: dict[tuple[str, str], set[str]] = {}
    for cells in same:
        folds.setdefault((cells["repeat"], cells["group"]), set()).add(cells["fold"])
    return np.mean([len(folds[cells["repeat"], cells["group"]]) > 1 for cells in mine])


@pytest.mark.parametrize(
    ("line", "old", "new", "said"),
    [
        (0, "head,", "hat,", "its first columns are others"),
        (1, "1-nn,3,", "1-nn,x,", 'row 2, column "copies": x is no number'),
        (4, "(mpox|others)", "pox", 'row 5, column "label": pox has no probability'),
        (2, "common,", "common", "row 3: has not as many cells"),
        (3, "1-nn,3,0,", "1-nn,3,1,", "not in the same order"),
        (-1, None, None, "not 2 whole repeats"),
    ],
)
def test_a_damaged_file_is_told(tested, tmp_path, line, old, new, said, of):
    path = write_tested(tmp_path, [of(tested, "1-nn", "common")])["common"]
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    if old is None:
        lines = lines[:-1]
    else:
        assert re.search(old, lines[line])
        lines[line] = re.sub(old, new, lines[line], count=1)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ManifestError, match=said):
        read_tested(path)


def test_a_missing_or_cut_file_is_told(tested, tmp_path, of):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_tested(tmp_path / "none.csv.gz")
    path = write_tested(tmp_path, [of(tested, "1-nn", "common")])["common"]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ManifestError, match="cannot be read"):
        read_tested(path)
