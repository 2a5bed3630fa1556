from __future__ import annotations

import pytest

from poxlens.cli.progress import bars
from poxlens.cli.time_left import duration, lines, long_steps


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"), (90000, "25.0 h")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_a_line_every_half_minute_with_the_time_left(capsys):
    clock = [0.0]
    with long_steps(lambda: clock[0])("units", 1000) as advance:
        for _ in range(100):
            clock[0] += 1
            advance(1)
        clock[0] += 60
        advance(900)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "units (1,000)",
        "  units: 30 of 1,000, about 16 min left",
        "  units: 60 of 1,000, about 16 min left",
        "  units: 90 of 1,000, about 15 min left",
    ]


def test_two_steps_at_once_have_their_own_time(capsys):
    clock = [0.0]
    begin = lines(lambda: clock[0])
    one, other = begin("one", 100), begin("other", 10)
    clock[0] = 40
    one(50)
    other(1)
    said = capsys.readouterr().err.splitlines()
    assert said[2:] == ["  one: 50 of 100, about 40 s left", "  other: 1 of 10, about 6 min left"]


def test_away_from_a_terminal_bars_are_lines(capsys):
    with bars() as begin:
        begin("files", 1234)(1234)
    assert capsys.readouterr().err == "files (1,234)\n"
