"""Small programs, one for each thing that a neural clause may say: their headers state answers and gradients."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from tests.headers import Replay, central_differences, gradient

PROGRAMS = sorted(Path(__file__).parent.joinpath("programs").glob("neural_*.pl"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_outcomes(path: Path) -> None:
    """A program's answers are those of its header."""
    replay = Replay(path)
    assert replay.header.outcomes, f"{path} states no expected outcome"
    for query, expected in replay.header.outcomes:
        assert float(replay.probability(query).detach()) == pytest.approx(expected, abs=1e-12), query


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_gradients(path: Path) -> None:
    """Its gradients are those calculated by hand in its header."""
    replay = Replay(path)
    assert replay.header.gradients, f"{path} states no expected gradient"
    for query, network, key, expected in replay.header.gradients:
        found = gradient(partial(replay.probability, query), replay.leaves[network, key]).flatten().tolist()
        assert found == pytest.approx(expected, abs=1e-12), f"{query} / {network}({key})"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_gradients_are_slopes(path: Path) -> None:
    """The gradient of every answer by every row agrees with central differences."""
    replay = Replay(path)
    queries = dict.fromkeys([q for q, _ in replay.header.outcomes] + [q for q, *_ in replay.header.gradients])
    for query in queries:
        for name, leaf in replay.leaves.items():
            probability = partial(replay.probability, query)
            found = gradient(probability, leaf).flatten().tolist()
            slope = central_differences(probability, leaf).flatten().tolist()
            assert found == pytest.approx(slope, rel=1e-6, abs=1e-8), f"{query} / {name}"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_header_says_something(path: Path) -> None:
    """Every program opens with a comment that says what it shows, and a calculation by hand."""
    assert re.match(r"% \w.{20,}\n%\n% By hand: ", path.read_text())
