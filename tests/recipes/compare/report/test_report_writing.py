import base64
import hashlib
import json
import re

import pytest

from poxlens.cli.main import main
from poxlens.recipes.compare.report.rows import ReportError
from poxlens.recipes.compare.report.write import write_report


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def written(make_run, tmp_path_factory):
    """A run folder and its report, to be read only."""
    run = make_run(tmp_path_factory.mktemp("written") / "run")
    return run, write_report(run.folder, resamples=100, with_umap=False)


def test_a_report_is_made_again_byte_for_byte(run):
    report = write_report(run.folder, resamples=100, with_umap=False)
    first = contents(report.folder)
    assert set(report.files) == set(first)
    (report.folder / "stale.txt").write_text("of an earlier report")
    write_report(run.folder, resamples=100, with_umap=False)
    assert contents(report.folder) == first
    assert [path.name for path in run.folder.iterdir() if path.name.startswith(".")] == []


def test_every_table_and_figure_is_there_in_each_form(written):
    _, report = written
    names = {name.rpartition(".")[0] for name in report.files}
    assert {
        "tables/decisions",
        "tables/pairs",
        "figures/roc",
        "figures/confusion",
        "figures/decision-curve",
    } <= names
    for name in names:
        if name.startswith("figures/"):
            assert {f"{name}.png", f"{name}.svg"} <= set(report.files)
        elif name.startswith("tables/") and name != "tables/all":
            assert {f"{name}.csv", f"{name}.md", f"{name}.tex"} <= set(report.files)


def test_the_page_asks_for_nothing_from_outside(written):
    _, report = written
    page = (report.folder / "report.html").read_text()
    assert "default-src 'none'" in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "<script" not in page  # there are no features here, so there is nothing to turn
    assert "Most accurate: net-a dense" in page
    assert "What this does not show" in page
    assert "PCR decides" in page
    assert page.count("<h2>") == 9


def test_metrics_hold_the_numbers_of_the_page(written):
    _, report = written
    told = json.loads((report.folder / "metrics.json").read_text())
    assert told["best"] == "net-a dense"
    one = next(one for one in told["models"] if (one["network"], one["setting"]) == ("net-b", "svm"))
    assert one["figures"]["accuracy"]["value"] == pytest.approx(0.9)
    assert sum(one["folds"]["accuracy"]["values"]) / 5 == pytest.approx(one["folds"]["accuracy"]["mean"])
    assert told["images"] == 120
    assert told["groups"] == 60


def test_a_leaking_split_is_told_before_any_figure(make):
    run = make(grouped=False)
    report = write_report(run.folder, resamples=100, with_umap=False)
    page = (report.folder / "report.html").read_text()
    assert page.index("UNGROUPED") < page.index("Most accurate")
    assert page.count("UNGROUPED") == 3
    assert "one by one" in page


def test_how_long_it_took_is_told_over_all_starts(run):
    starts = [{"seconds": 1200, "jobs": 2, "cores": 2}, {"seconds": 660.4, "jobs": 4, "cores": 8}]
    (run.folder / "times.json").write_text(json.dumps(starts))
    report = write_report(run.folder, resamples=100, with_umap=False)
    page = (report.folder / "report.html").read_text()
    assert "The study took 31 min, in 2 starts, with 4 units at once on 8 cores." in page


def test_what_is_incomplete_is_told_on_the_page(run):
    rows = [
        row for row in run.rows() if (row["network"], row["setting"], row["fold"]) != ("net-b", "svm", "3")
    ]
    run.write(rows)
    report = write_report(run.folder, resamples=100, with_umap=False)
    page = (report.folder / "report.html").read_text()
    assert "Incomplete, left out of every table: net-b svm: no predictions for fold 0.3" in page
    assert "net-b svm" not in (report.folder / "tables" / "decisions.md").read_text()


def test_names_are_escaped(make):
    run = make(wrong={("<b>net</b>", "dense"): 4, ("other", "dense"): 8})
    report = write_report(run.folder, resamples=100, with_umap=False)
    page = (report.folder / "report.html").read_text()
    assert "<b>net</b>" not in page
    assert "&lt;b&gt;net&lt;/b&gt; dense" in page


def test_one_model_of_two_folds_is_enough(make):
    run = make(wrong={("net", "svm"): 6}, folds=2, images=40)
    report = write_report(run.folder, resamples=100, with_umap=False)
    page = (report.folder / "report.html").read_text()
    assert "2 folds are too few for tests over folds" in page


def test_a_fault_leaves_the_earlier_report_whole(run, monkeypatch):
    earlier = run.folder / "report" / "report.html"
    earlier.parent.mkdir()
    earlier.write_text("of an earlier day")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("poxlens.recipes.compare.report.write._write_figures", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(run.folder, resamples=100, with_umap=False)
    assert contents(earlier.parent) == {"report.html": b"of an earlier day"}
    assert [path.name for path in run.folder.iterdir() if path.name.startswith(".")] == []


def features(run):
    import numpy as np

    (run.folder / "features").mkdir()
    table = np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32)
    np.save(run.folder / "features" / "net-a-abcd-0123.npy", table)


@pytest.fixture(scope="module")
def turning(make_run, tmp_path_factory):
    """The report of a run whose features are there, to be read only."""
    run = make_run(tmp_path_factory.mktemp("turning") / "run")
    features(run)
    return write_report(run.folder, resamples=100, with_umap=False)


def test_the_script_of_the_page_is_allowed_by_its_hash_alone(turning):
    page = (turning.folder / "report.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "figures/pca-net-a.png" in turning.files


@pytest.mark.browser
def test_the_page_fits_a_phone_and_its_features_turn(turning, playwright):
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 360, "height": 800})
    faults = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto((turning.folder / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    canvas = page.locator(".turn canvas").first
    canvas.scroll_into_view_if_needed()
    assert canvas.is_visible()
    assert not page.locator(".turn > img").first.is_visible()
    drawn = "canvas => canvas.toDataURL()"
    before = canvas.evaluate(drawn)
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    turned = canvas.evaluate(drawn)
    assert turned != before
    page.get_by_role("button", name="others").first.click()
    assert page.get_by_role("button", name="others").first.get_attribute("aria-pressed") == "false"
    assert canvas.evaluate(drawn) != turned
    assert faults == []
    browser.close()


def test_the_verb_makes_the_report(run, capsys):
    assert main(["report", str(run.folder), "--resamples", "100", "--no-umap"]) == 0
    shown = capsys.readouterr().out
    assert "Most accurate: net-a dense" in shown
    assert str(run.folder / "report" / "report.html") in shown


def test_the_verb_prints_every_number_as_json(written, capsys):
    from poxlens.cli.report import show

    show(written[1], as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "poxlens-report/1"


def test_the_verb_refuses_what_is_no_run(run, tmp_path, capsys):
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert main(["report", str(run.folder), "--resamples", "9"]) == 2
    assert main(["report", str(tmp_path)]) == 1
    assert "Is" in capsys.readouterr().err
    run.predictions.unlink()
    assert main(["report", str(run.folder)]) == 1
    assert "It is written by poxlens compare" in capsys.readouterr().err
    assert not (run.folder / "report").exists()


def test_the_fault_names_the_row(run):
    rows = run.rows()
    rows[7]["p_mpox"] = ""
    run.write(rows)
    with pytest.raises(ReportError, match="row 9"):
        write_report(run.folder, resamples=100, with_umap=False)
