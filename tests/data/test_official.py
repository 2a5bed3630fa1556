import pytest

from poxlens.data.official import Placed, official_path, read_official, write_official
from poxlens.errors import ManifestError


def test_what_is_written_is_read_back_sorted(tmp_path):
    placed = [
        Placed("b, c.jpg", "fold2", "val"),
        Placed("a.jpg", "fold1", "train"),
        Placed("a.jpg", "fold2", "test"),
    ]
    path = official_path(tmp_path / "images.parquet")
    write_official(path, placed)
    assert path.name == "images.official.csv"
    assert path.read_text() == 'file,split,part\na.jpg,fold1,train\na.jpg,fold2,test\n"b, c.jpg",fold2,val\n'
    assert read_official(path) == tuple(sorted(placed))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,split\na,fold1\n", "row 1: columns must be file, split, part"),
        ("file,split,part\na,fold1,dev\n", 'row 2, column "part": must be train, val, test, not dev'),
        ("file,split,part\na,fold1,val\na,fold1,test\n", "row 3: a is in fold1 already"),
        ("file,split,part\na,fold1\n", "row 2: needs a file, a split and a part"),
        ('file,split,part\n"a\n', "is not CSV"),
    ],
)
def test_faults_name_the_row(tmp_path, text, message):
    (tmp_path / "x.official.csv").write_text(text)
    with pytest.raises(ManifestError, match=message):
        read_official(tmp_path / "x.official.csv")
