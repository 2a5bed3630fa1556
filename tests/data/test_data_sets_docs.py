"""docs/data-sets.md says what the catalogue says, and its example runs."""

import re
from pathlib import Path

from poxlens.data.catalogue import SETS
from poxlens.data.manifest import COLUMNS

TEXT = (Path(__file__).parents[2] / "docs/data-sets.md").read_text("utf-8")


def test_the_table_of_sets_has_every_set_with_its_counts():
    rows = re.findall(r"^\| `([\w-]+)` \| [^|]* \| ([\d,–]+) \| ([\d,–]+) \|", TEXT, flags=re.MULTILINE)
    shown = {name: (images, patients) for name, images, patients in rows}
    assert shown == {
        name: tuple("–" if count is None else f"{count:,}" for count in (spec.images, spec.patients))
        for name, spec in SETS.items()
    }


def test_the_table_of_columns_is_complete_and_in_order():
    part = TEXT.split("## The table")[1].split("A run records")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", part, flags=re.MULTILINE)
    assert [name for cell in cells for name in re.findall(r"`(\w+)`", cell)] == list(COLUMNS)


def test_the_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(example, "data-sets.md", "exec"), scope)
    assert scope["digest"]
