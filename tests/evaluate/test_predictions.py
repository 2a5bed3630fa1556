import csv
from dataclasses import replace

import pytest
from PIL import Image

from poxlens.data.manifest import read_manifest
from poxlens.errors import ManifestError
from poxlens.evaluate.predictions import (
    CHANGED,
    Prediction,
    Predictions,
    predict,
    read_predictions,
    write_predictions,
)
from poxlens.files import sha256_file
from poxlens.screen.screener import Screener

ROWS = (
    Prediction(
        "a,b.jpg",
        "msld",
        "mpox",
        "mpox",
        "msld/M1",
        "msld/M1",
        "refer",
        True,
        True,
        ("refer.probability", "context.contact"),
        (0.1 + 0.2, 0.7 - 1e-17),
        ("mpox", "acne"),
        1 / 3,
        -12.25,
        "brown",
        "dark",
        4.25,
        "hand",
        "later",
    ),
    Prediction(
        "c.jpg", "", "eczema", "", "file:c.jpg", "g", "cannot_assess", False, False, ("unreadable.empty",)
    ),
)


def test_what_is_written_is_read_back_to_the_last_digit(tmp_path):
    path = tmp_path / "deep" / "predictions.csv"
    written = Predictions(("mpox", "acne"), ROWS)
    write_predictions(path, written)
    assert read_predictions(path) == written
    cells = list(csv.DictReader(path.open(newline="")))
    assert cells[0]["p_mpox"] == repr(0.1 + 0.2)
    assert cells[0]["top"] == "acne"
    assert cells[0]["reasons"] == "refer.probability;context.contact"
    assert (cells[1]["top"], cells[1]["p_acne"], cells[1]["novelty"]) == ("", "", "")


def test_a_file_from_before_body_site_and_stage_is_read(tmp_path):
    path = tmp_path / "predictions.csv"
    write_predictions(path, Predictions(("mpox", "acne"), ROWS))
    lines = list(csv.reader(path.open(newline="")))
    place = lines[0].index("body_site")
    assert lines[1][place : place + 2] == ["hand", "later"]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(line[:place] + line[place + 2 :] for line in lines)
    before = read_predictions(path)
    assert before.classes == ("mpox", "acne")
    assert before.rows[0] == replace(ROWS[0], body_site="", stage="")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("file,", "name,", 1), "is not a table of predictions"),
        (lambda text: text.replace("-12.25", "warm"), "row 2: could not convert string to float: 'warm'"),
        (lambda text: text.rsplit(",", 12)[0], "row 3: "),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, message):
    path = tmp_path / "predictions.csv"
    write_predictions(path, Predictions(("mpox", "acne"), ROWS))
    path.write_text(change(path.read_text()))
    with pytest.raises(ManifestError, match=r"predictions\.csv.*" + message):
        read_predictions(path)
    with pytest.raises(ManifestError, match="cannot be read"):
        read_predictions(tmp_path / "none.csv")


def test_every_row_is_predicted_in_order_also_the_missing_damaged_and_changed(tmp_path, tiny):
    screener = Screener(tiny.build(tmp_path / "bundle"))
    names = [f"{number}.png" for number in range(8)]
    for number, name in enumerate(names):
        Image.fromarray(tiny.patch(number, 200)).save(tmp_path / name)
    sums = {name: sha256_file(tmp_path / name) for name in names}
    (tmp_path / "2.png").write_bytes(b"not an image")
    (tmp_path / "3.png").unlink()
    sums["0.png"] = sums["4.png"] = sums["7.png"] = "0" * 64
    sums["2.png"] = ""
    lines = [f"{name},acne,p{i // 2},{sums[name]}" for i, name in enumerate(names)]
    (tmp_path / "table.csv").write_text("file,label,patient,sha256\n" + "\n".join(lines))
    table = read_manifest(tmp_path / "table.csv")
    found = list(predict(screener, table, {"acne": "acne"}, workers=2))
    assert [row.file for row in found] == names
    bad = {row.file: row.reasons for row in found if not row.readable}
    assert bad == {
        "0.png": (CHANGED,),
        "2.png": ("unreadable.not_an_image",),
        "3.png": ("unreadable.missing",),
        "4.png": (CHANGED,),
        "7.png": (CHANGED,),
    }
    good = found[1]
    assert good.person == "/p0"
    assert good.class_ == "acne"
    alone = screener.screen(tmp_path / "1.png")
    assert good.outcome == alone.outcome
    assert good.probabilities == tuple(alone.probabilities.values())
    assert sum(good.probabilities) == pytest.approx(1)
    assert good.novelty == alone.novelty
    assert good.ita == alone.skin_tone.ita
    assert good.tone in ("light", "dark")
    strangers = list(predict(screener, replace(table, rows=table.rows[5:6]), {}, workers=1))
    assert strangers[0].class_ == ""
