import json

import numpy as np

from poxlens.recipes.compare.report.drawing import Figure, Panel
from poxlens.recipes.compare.report.embeddings import pca, read_features
from poxlens.recipes.compare.report.reading import read_tested
from poxlens.recipes.compare.report.record import read_record
from poxlens.recipes.compare.report.spaces import density, search_figure
from poxlens.recipes.compare.report.trials import read_searches


def line(axes):
    axes.plot([0, 1], [0, 1])
    axes.set_title("a < b")


def test_a_figure_has_the_same_bytes_each_time():
    figure = Figure("some/name", "Some", (Panel(line, "a line"), Panel(line, "another")))
    files = figure.files()
    assert set(files) == {"some-name.png", "some-name.svg"}
    assert files["some-name.png"].startswith(b"\x89PNG")
    assert b"<svg" in files["some-name.svg"]
    assert b"<dc:date>" not in files["some-name.svg"]
    assert figure.files() == files
    first, second = figure.images()
    assert first.replace("a line", "another") == second
    assert "data:image/svg+xml;base64," in first


def test_what_a_reader_hears_is_escaped():
    (image,) = Figure("x", "X", (Panel(line, 'a "b" <c>'),), dots=True).images()
    assert 'alt="a &quot;b&quot; &lt;c&gt;"' in image
    assert "data:image/png;base64," in image


def test_density_counts_what_lies_on_each_other():
    x = np.array([0.1, 0.1, 0.1, 0.5, 0.9])
    assert density(x, np.full(5, 0.5)).tolist() == [3, 3, 3, 1, 1]


def test_pca_finds_the_direction_of_the_classes():
    random = np.random.default_rng(0)
    kind = np.arange(90) % 3
    features = (random.normal(size=(90, 20)) + np.outer(kind, np.ones(20)) * 3).astype(np.float32)
    found = pca("net", features)
    assert found.points.shape == (90, 3)
    assert abs(np.corrcoef(found.points[:, 0], kind)[0, 1]) > 0.95
    assert found.told.startswith("axes hold 8")
    np.testing.assert_array_equal(pca("net", features).points, found.points)
    # Features that do not vary, and fewer than three of them, are no fault.
    assert pca("net", np.ones((10, 2), np.float32)).points.shape == (10, 3)


def opened(run):
    record = read_record(run.folder)
    return record, read_tested(run.predictions, "mpox", record.places)


def test_features_are_put_in_the_order_of_the_predictions(run):
    record, tested = opened(run)
    folder = run.folder / "features"
    folder.mkdir()
    assert read_features(run.folder, record, tested) == {}
    listed = record.facts["files"]
    table = np.arange(len(listed), dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    np.save(folder / "net-a-abcd-0123.npy", table)
    np.save(folder / "net-a-abcd-0123-bank8-0.npy", table[:, None])
    np.save(folder / "net-b-abcd-0123.npy", table[:10])  # of other images
    found = read_features(run.folder, record, tested)
    assert set(found) == {"net-a"}
    assert [listed[int(row[0])] for row in found["net-a"]] == list(tested.files)
    np.save(folder / "net-a-abcd-9999.npy", table)  # and now nobody knows which is current
    assert read_features(run.folder, record, tested) == {}


def unit(run, fold, *, accuracies=(0.7, 0.9), shift=0.0, name="net-a/dense"):
    _, tested = opened(run)
    model = tested.of("net-a", "dense")
    rows = tested.fold[0] == fold
    trials = [
        {
            "learning_rate": 10.0 ** -(3 + place),
            "units": [256, 512][: place + 1],
            "dropout": [0.1, 0.2][: place + 1],
            "augmentation": None,
            "accuracy": accuracy,
            "loss": 1 - accuracy,
        }
        for place, accuracy in enumerate(accuracies)
    ]
    probabilities = (model.probabilities[0, rows] + shift).tolist()
    told = {
        "unit": f"{name}/0.{fold}",
        "probabilities": probabilities,
        "chosen": trials[-1],
        "trials": trials,
    }
    path = run.folder / "units" / "net-a" / "dense" / f"{fold}{shift}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))


def test_searches_are_read_from_the_units_of_the_run(run):
    unit(run, 0)
    unit(run, 1, accuracies=(0.6, 0.8))
    unit(run, 2, shift=0.01)  # of an older run: its predictions are not those of the table
    (run.folder / "units" / "net-a" / "dense" / "torn.json").write_text('{"unit": ')
    _, tested = opened(run)
    (search,) = read_searches(run.folder / "units", tested)
    assert (search.network, search.setting, search.folds, len(search.trials)) == ("net-a", "dense", 2, 4)
    assert search.parameters[:4] == ("LR", "N_layers", "Dense 1", "Dropout 1")
    assert search.trials[0].values["Dense 2"] == 0  # a layer that there is not
    assert search.trials[1].values["Dense 2"] == 512
    assert [trial.chosen for trial in search.trials] == [False, True, False, True]
    figure = search_figure(search)
    assert [panel.told.partition(": ")[2] for panel in figure.panels[:3]] == [
        "1e-04 chosen",
        "2 chosen",
        "256 chosen",
    ]
    assert len(figure.panels) == 8


def test_a_run_without_units_has_no_search(run):
    _, tested = opened(run)
    assert read_searches(run.folder / "units", tested) == ()


def test_flip_types_are_named(run):
    from poxlens.recipes.compare.report.trials import Search, Trial

    trials = tuple(
        Trial({"LR": 1e-4, "Flip type": float(place)}, 0.5 + 0.1 * place, place == 2) for place in range(3)
    )
    figure = search_figure(Search("net", "dense+augmentation", 1, trials))
    assert figure.panels[1].told == "Validation accuracy over Flip type: both chosen"
    assert figure.files().keys() == {"search-net-dense+augmentation.png", "search-net-dense+augmentation.svg"}


def test_umap_is_the_same_each_time():
    from poxlens.recipes.compare.report.embeddings import umap

    count = 40
    random = np.random.default_rng(0)
    features = random.normal(size=(count, 12)).astype(np.float32)
    features[: count // 2] += 5
    found = umap("net", features)
    assert found.points.shape == (count, 3)
    assert np.isfinite(found.points).all()
    np.testing.assert_array_equal(umap("net", features).points, found.points)
    # Two clouds far apart stay apart.
    near = np.linalg.norm(found.points[:20] - found.points[:20].mean(axis=0), axis=1).max()
    assert np.linalg.norm(found.points[:20].mean(axis=0) - found.points[20:].mean(axis=0)) > near
