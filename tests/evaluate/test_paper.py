"""The claim on the columns of Campana's binary table, recomputed from the numbers in its text."""

import pytest

from poxlens.evaluate.paper import MISSED_MPOX, OURS, TABLE_2, TABLE_3, TABLE_4, mean_recall


def test_specificity_of_the_binary_table_is_the_recall_of_mpox():
    rows = {(row.network, row.augmentation): row for row in TABLE_2}
    assert len(MISSED_MPOX) == 4
    for place, missed in MISSED_MPOX.items():
        assert rows[place].specificity[0] == pytest.approx(1 - missed, abs=1e-9)


@pytest.mark.parametrize("row", TABLE_2, ids=lambda row: f"{row.network}{'+' * row.augmentation}")
def test_sensitivity_of_the_binary_table_is_the_mean_recall_and_f1_the_accuracy(row):
    # Accuracies are given to .001 and their folds are of 40 images: .003 is rounding.
    assert mean_recall(row.accuracy[0], row.specificity[0]) == pytest.approx(row.sensitivity[0], abs=0.0031)
    assert row.f1[0] == pytest.approx(row.accuracy[0], abs=0.0021)


def test_taken_at_its_word_the_binary_table_contradicts_itself():
    """With 300 of 400 images "others", a specificity of .24 and a sensitivity of .568 cannot give accuracy .732."""
    row = next(row for row in TABLE_2 if row.network == "InceptionResNetV2" and not row.augmentation)
    as_said = (100 * row.sensitivity[0] + 300 * row.specificity[0]) / 400
    assert row.accuracy[0] - as_said > 0.4


def test_multi_class_sensitivity_is_the_accuracy_of_balanced_classes():
    for row in TABLE_3:
        assert row.sensitivity[0] == pytest.approx(row.accuracy[0], abs=0.0021)
        # Of four balanced classes mean one-vs-rest specificity is 1 - (1 - accuracy) / 3.
        assert row.specificity[0] == pytest.approx(1 - (1 - row.accuracy[0]) / 3, abs=0.03)


def test_skin_tones_of_the_binary_table_fit_the_mean_recall_not_the_accuracy():
    below = 0
    for tones, row in zip(TABLE_4, TABLE_2, strict=True):
        assert (tones.network, tones.augmentation) == (row.network, row.augmentation)
        ends = sorted((tones.binary_light[0], tones.binary_dark[0]))
        assert ends[0] <= row.sensitivity[0] <= ends[1]
        below += ends[1] < row.accuracy[0]
    assert below == 8


def test_all_rows_are_there():
    for table in (TABLE_2, TABLE_3, TABLE_4):
        assert {row.network for row in table} == set(OURS)
        assert len(table) == 10
    best = max(TABLE_3, key=lambda row: row.accuracy[0])
    assert (best.network, best.accuracy, best.f1) == ("MobileNetV3Large", (0.882, 0.057), (0.879, 0.058))
