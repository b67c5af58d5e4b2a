"""The experiment on handwritten formulas, with a reader that reads and one that guesses."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import nn

from experiments.hwf import SYMBOLS, Formula, Reader, value_of

MIXED = ["7", "2/6", "8-9", "1+2*3", "9", "6/4-5", "5*5"]


def written(symbols: str) -> Formula:
    """A formula whose images are its symbols: image i shows symbol i."""
    return Formula(symbols, tuple(map(SYMBOLS.index, symbols)), value_of(symbols))


def reader(images: torch.Tensor, longest: int) -> Reader:
    """A reader whose images are its logits."""
    return Reader(nn.Identity(), images, longest, "cpu")


@pytest.mark.parametrize("longest", [1, 3, 5])
def test_who_reads_rightly_is_always_right(longest: int) -> None:
    """Formulas of all lengths are counted, whether they are asked of the program or read symbol by symbol."""
    certain = 30 * torch.eye(len(SYMBOLS), dtype=torch.float64)
    found = reader(certain, longest).right([written(s) for s in MIXED])
    assert dict(found) == {1: 2, 3: 3, 5: 2}
    assert dict(reader(certain.roll(1, dims=0), longest).right([written("7")])) == {1: 0}


def test_formulas_of_all_lengths_together_are_each_alone() -> None:
    """A batch's loss is the mean of -log P(value) of formulas that are asked one by one."""
    torch.manual_seed(0)
    guesses = reader(torch.randn(len(SYMBOLS), len(SYMBOLS), dtype=torch.float64), 5)
    formulas = [written(s) for s in MIXED]
    alone = torch.stack([guesses.loss([f]) for f in formulas])
    torch.testing.assert_close(guesses.loss(formulas), alone.mean())


def test_a_value_by_enumeration() -> None:
    """P(value) of three symbols is the sum over the readings that come to it, exact fractions compared."""
    torch.manual_seed(1)
    images = torch.randn(3, len(SYMBOLS), dtype=torch.float64)
    p = images.softmax(dim=1)
    expected = sum(
        float(p[0, a] * p[1, o] * p[2, b])
        for a in range(9)
        for o in range(9, 13)
        for b in range(9)
        if value_of(SYMBOLS[a] + SYMBOLS[o] + SYMBOLS[b]) == Fraction(1, 2)
    )
    half = Formula("1/2", (0, 1, 2), Fraction(1, 2))
    assert float(reader(images, 3).loss([half]).neg().exp()) == pytest.approx(expected)
