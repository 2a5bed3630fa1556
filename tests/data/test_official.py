from pathlib import Path

from poxlens.data.manifest import Manifest, Row
from poxlens.data.official import Placed, official_path, write_official
from poxlens.data.splits import read_official


def test_what_is_written_is_sorted_and_read_back(tmp_path):
    placed = [
        Placed("b, c.jpg", "fold2", "test"),
        Placed("b, c.jpg", "fold1", "test"),
        Placed("d.jpg", "fold2", "val"),
        Placed("a.jpg", "fold1", "train"),
        Placed("a.jpg", "fold2", "train"),
    ]
    path = official_path(tmp_path / "images.parquet")
    write_official(path, placed)
    assert path.name == "images.official.csv"
    assert path.read_text() == (
        'file,split,part\na.jpg,fold1,train\na.jpg,fold2,train\n"b, c.jpg",fold1,test\n'
        '"b, c.jpg",fold2,test\nd.jpg,fold2,val\n'
    )
    rows = tuple(Row(name, Path(name), "mpox") for name in ("a.jpg", "b, c.jpg", "d.jpg"))
    found = read_official(path, Manifest(rows, Path(), "0" * 64))
    assert {one.name: one.parts for one in found} == {
        "fold1": {"train": [0], "val": [], "test": [1]},
        "fold2": {"train": [0], "val": [2], "test": [1]},
    }
