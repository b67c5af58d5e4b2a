"""Every file in programs/ does what its header says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.headers import Replay

PROGRAMS = sorted(Path(__file__).parent.parent.joinpath("programs").glob("*.pl"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_header(path: Path) -> None:
    """A program's answers are those of its header."""
    replay = Replay(path)
    assert replay.header.outcomes, f"{path} states no expected outcome"
    for query, expected in replay.header.outcomes:
        assert float(replay.probability(query).detach()) == pytest.approx(expected, abs=1e-12), query


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_header_says_something(path: Path) -> None:
    """Every program opens with a comment that says what it shows."""
    assert re.match(r"% \w.{20,}\n%\n% ", path.read_text())
