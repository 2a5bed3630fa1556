import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")


@pytest.mark.parametrize("snippet", re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE))
def test_every_snippet_runs(snippet):
    exec(compile(snippet, "docs/audit.md", "exec"), {})


def test_every_finding_is_explained():
    from poxlens.audit import balance, chance, confounding, conflicts, copies, leaks, lettering, marks, photos

    for module in (balance, chance, confounding, conflicts, copies, leaks, lettering, marks, photos):
        source = Path(module.__file__).read_text("utf-8")
        for code in re.findall(r'^ +"((?:leak|split|copies|labels|confounded|mark|balance|tone|files|personal)\.\w+)",$',
                               source, flags=re.MULTILINE):  # fmt: skip
            assert f"`{code}`" in TEXT, code
