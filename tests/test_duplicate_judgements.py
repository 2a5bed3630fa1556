"""The judged sample of confirmed pairs: it is the one that the seed draws, and docs tell its counts."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmarks are not part of the package

from benchmarks import duplicate_judgements as judged  # noqa: E402


def test_the_table_holds_the_pairs_that_the_seed_draws():
    pairs = judged.read(judged.PAIRS)
    sample = judged.drawn(pairs)
    assert len(sample) == 128
    assert [draw for _, _, draw in sample] == [1] * 64 + [2] * 64
    assert not any("ham10000" in file for file, _, _ in sample)
    rows = judged.read(judged.JUDGEMENTS)
    assert [(row["file_a"], row["file_b"], int(row["draw"])) for row in rows] == sample
    confirmed = {(row["file"], row["other"]) for row in pairs if row["kind"] == "confirmed"}
    assert {(file, other) for file, other, _ in sample} <= confirmed


def test_a_pair_drawn_twice_counts_once():
    row = {"file_a": "a", "file_b": "b", "verdict": "one photo"}
    other = {"file_a": "a", "file_b": "c", "verdict": "two scenes"}
    assert judged.counts([row, other, row]) == {
        "one photo": 1,
        "one scene": 0,
        "two scenes": 1,
        "not sure": 0,
    }


def test_the_figures_are_those_of_docs(capsys):
    assert judged.main() == 0
    text = capsys.readouterr().out
    assert "joined rightly (one photo or one scene): 124 of 125 = 0.992 [0.956, 0.999]" in text
    told = "124 of 125"
    for page in ("docs/duplicates.md", "results/duplicates/README.md"):
        assert told in (ROOT / page).read_text(encoding="utf-8")
        assert ".956 to .999" in (ROOT / page).read_text(encoding="utf-8")
