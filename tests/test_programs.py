"""Every file in programs/ does what its header says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import deepplp

PROGRAMS = sorted(Path(__file__).parent.parent.joinpath("programs").glob("*.pl"))


def uniform(x: Tensor) -> Tensor:
    """Ten values, all as likely."""
    return torch.full((len(x), 10), 0.1, dtype=torch.float64)


def one_hot(x: Tensor) -> Tensor:
    """What is observed, for certain."""
    return torch.nn.functional.one_hot(x, 10).double()


NETWORKS: dict[str, Callable[[Tensor], Tensor]] = {"uniform": uniform, "one-hot": one_hot}


def parse_header(text: str) -> tuple[dict[str, str], dict[str, int], list[tuple[str, float]]]:
    """The networks, inputs and expected outcomes that a program's header states."""
    networks = dict(re.findall(r"^% Network (\w+): (.+)$", text, re.M))
    inputs = {name: int(value) for name, value in re.findall(r"^% Input (\w+): (\d+)$", text, re.M)}
    _, _, block = text.partition("% Expected outcome:\n")
    outcomes = re.findall(r"^% (.+) : (\S+)$", block.split("\n\n")[0], re.M)
    return networks, inputs, [(query, float(p)) for query, p in outcomes]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_header(path: Path) -> None:
    """A program's answers are those of its header."""
    text = path.read_text()
    networks, inputs, outcomes = parse_header(text)
    assert outcomes, f"{path} states no expected outcome"
    model = deepplp.Model(deepplp.Program.from_file(path), {n: NETWORKS[kind] for n, kind in networks.items()})
    for query, expected in outcomes:
        names = set(re.findall(r"\b[a-z]\w*\b", query.partition("(")[2]))
        tensors = {n: torch.tensor([inputs[n]]) if n in inputs else torch.zeros(1, 1, 2, 2) for n in names}
        answers = model.query(query, tensors)
        assert float(answers.probs[0, 0].detach()) == pytest.approx(expected, abs=1e-12), query


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_header_says_something(path: Path) -> None:
    """Every program opens with a comment that says what it shows."""
    assert re.match(r"% \w.{20,}\n%\n% ", path.read_text())
