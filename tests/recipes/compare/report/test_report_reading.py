import gzip
import hashlib

import numpy as np
import pytest

from poxlens.recipes.compare.report.reading import read_tested
from poxlens.recipes.compare.report.record import read_record
from poxlens.recipes.compare.report.rows import ReportError


def read(run):
    return read_tested(run.predictions, "mpox", read_record(run.folder).places)


def test_what_was_written_is_read(run):
    tested = read(run)
    assert tested.classes == ("mpox", "others")
    assert tested.networks == ("net-a", "net-b")
    assert tested.settings == ("dense", "dense+augmentation", "svm")
    assert tested.fold.shape == (1, 120)
    assert sorted(np.unique(tested.fold)) == [0, 1, 2, 3, 4]
    assert list(tested.files) == sorted(tested.files)
    model = tested.of("net-b", "svm")
    assert int((model.decided[0] != tested.truth).sum()) == 12
    assert tested.of("net-b", "dense+augmentation") is None
    assert tested.positive.sum() == 60


def test_the_order_of_rows_does_not_matter(run):
    tested = read(run)
    run.write(run.rows()[::-1])
    again = read(run)
    assert again.files == tested.files
    for model in tested.models:
        np.testing.assert_array_equal(
            again.of(model.network, model.setting).probabilities, model.probabilities
        )


def test_a_model_that_lacks_folds_is_named_and_left_out(run):
    run.write(
        [row for row in run.rows() if (row["network"], row["setting"], row["fold"]) != ("net-b", "svm", "3")]
    )
    tested = read(run)
    assert tested.of("net-b", "svm") is None
    (lacking,) = tested.incomplete
    assert lacking.told == "net-b svm: no predictions for fold 0.3 (repeat.fold)"


def test_a_fold_that_nobody_has_is_known_from_the_split(run):
    run.write([row for row in run.rows() if row["fold"] != "4"])
    with pytest.raises(ReportError, match=r"no network has all folds.*fold 0\.4"):
        read(run)


def change(rows, place, **cells):
    return [{**row, **cells} if number == place else row for number, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: change(rows, 3, p_mpox="much"), r"row 5: .*no number"),
        (lambda rows: change(rows, 3, fold="x"), r"row 5: .*no number"),
        (lambda rows: change(rows, 3, p_mpox="0.9", p_others="0.9"), r"row 5: .*sum to 1"),
        (lambda rows: change(rows, 3, p_mpox="nan"), r"row 5: .*sum to 1"),
        (lambda rows: change(rows, 3, label="measles"), r"row 5: label 'measles' has no column p_measles"),
        (lambda rows: change(rows, 3, group=""), r"row 5: file and group must not be empty"),
        (lambda rows: change(rows, 3, tone="unknown"), r"differ in label, group or tone"),
        (lambda rows: [*rows, rows[0]], r"is tested twice in repeat 0"),
        (lambda rows: [row for row in rows if row is not rows[0]], r"not tested in repeat|lacks images"),
        (lambda rows: [{**row, "label": "mpox"} for row in rows], r"every image is labelled mpox"),
        (lambda rows: [], "has no row"),
    ],
)
def test_a_spoilt_table_is_refused_by_row(run, spoil, message):
    run.write(spoil(run.rows()))
    with pytest.raises(ReportError, match=message):
        read(run)


def test_a_model_with_other_folds_is_refused(run):
    rows = run.rows()
    swap = {"0": "1", "1": "0"}
    run.write(
        [
            {**row, "fold": swap.get(row["fold"], row["fold"])} if row["network"] == "net-b" else row
            for row in rows
        ]
    )
    with pytest.raises(ReportError, match="in other folds of repeat 0"):
        read(run)


def test_missing_columns_files_and_targets_are_named(run):
    text = run.predictions.read_text()
    run.predictions.write_text(text.replace("group,", "", 1))
    with pytest.raises(ReportError, match="has no column group"):
        read(run)
    run.predictions.write_text(text)
    with pytest.raises(ReportError, match="no column p_measles, the class"):
        read_tested(run.predictions, "measles")
    run.predictions.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReportError, match="no table of commas in UTF-8"):
        read(run)
    run.predictions.unlink()
    with pytest.raises(ReportError, match="is not there"):
        read(run)


def test_a_packed_table_is_the_table(run):
    plain, content = read(run), run.predictions.read_bytes()
    packed = run.folder / "predictions.csv.gz"
    packed.write_bytes(gzip.compress(content))
    run.predictions.unlink()
    again = read(run)
    assert again.sha256 == plain.sha256 == hashlib.sha256(content).hexdigest()
    assert [model.name for model in again.models] == [model.name for model in plain.models]
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ReportError, match=r"predictions\.csv\.gz: is damaged"):
        read(run)


def test_a_folder_that_is_no_run_is_refused(run, tmp_path):
    with pytest.raises(ReportError, match=r"Is .* the run folder of poxlens compare"):
        read_record(tmp_path)
    (run.folder / "study.json").write_text("{}")
    with pytest.raises(ReportError, match="is no record of a study"):
        read_record(run.folder)


def test_a_damaged_split_is_refused_and_a_missing_one_is_done_without(run):
    path = run.folder / "splits.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(ReportError, match=r"splits\.json"):
        read_record(run.folder)
    path.unlink()
    assert read_record(run.folder).places == ()
    assert len(read(run).models) == 4


def test_an_ungrouped_study_carries_its_warning(make):
    run = make(grouped=False)
    assert read_record(run.folder).warning.startswith("UNGROUPED")
    (run.folder / "splits.json").unlink()
    assert read_record(run.folder).warning.startswith("UNGROUPED")
