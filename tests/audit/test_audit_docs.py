import re
from pathlib import Path

import pytest

import poxlens.audit

TEXT = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")


@pytest.mark.parametrize(
    "snippet", re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
)
def test_every_snippet_runs(snippet):
    exec(compile(snippet, "docs/audit.md", "exec"), {})


CODE = re.compile(
    r'^ +"((?:leak|split|copies|labels|confounded|mark|balance|tone|files|personal)\.\w+)",$', re.MULTILINE
)


def test_every_finding_is_explained():
    folder = Path(poxlens.audit.__file__).parent
    codes = {code for path in folder.glob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    assert len(codes) > 20
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
