"""From roots to results and back: log-probabilities and probabilities, and the derivatives that a loss has by roots.

Root r of row b is ``mantissas[b, r] * 2**exponents[b, r]``. With P(q|e) = r / s for the roots r and s of query and
evidence, a gradient g of P(q|e) and h of log P(q|e) give

    dr = g / s + h / r    and    ds = (k - sum over q of (g * P(q|e) + h)) / s,

where k is the gradient of log s. A zero r takes no part in h, and a zero s in nothing.

The formulas stand here once for all devices. They are written in `Operations`: the CPU kernel compiles them for
numbers, and tensors evaluate them entry by entry. A root that is given nothing, such as that of the evidence itself, is
given 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

__all__ = [
    "MAY_UNDERFLOW",
    "TENSORS",
    "TINY",
    "Kind",
    "Operations",
    "Roots",
    "check_chosen",
    "log_ratio",
    "log_ratio_seeds",
    "ratio",
    "ratio_seeds",
    "read",
    "scale",
    "seeds_of",
    "sums_by",
]

LOG_2 = math.log(2.0)
TINY = 1e-280  # a root below it is computed again with extended range
MAY_UNDERFLOW = -900.0  # the least power of two that a product may have for its zero to be trusted
# Powers of two by which numbers are scaled at once: they and their products with small numbers do not overflow.
_REACH = {torch.float64: 900.0, torch.float32: 100.0}

Kind = Literal["log_probs", "probs", "selected", "log_evidence"]


class Operations(NamedTuple):
    """What the formulas are written in: a choice between two numbers, the logarithm, and ``scale(x, k)`` = x * 2**k."""

    where: Callable[[Tensor, Tensor | float, Tensor | float], Tensor]
    log: Callable[[Tensor], Tensor]
    scale: Callable[[Tensor, Tensor | float], Tensor]


def ratio(of: Operations, m: Tensor, s: Tensor, shift: Tensor | float) -> Tensor:
    """P(q|e) = ``m / s * 2**shift``, for the mantissas of query and evidence and the difference of their exponents."""
    known = s > 0.0
    return of.where(known, of.scale(m / of.where(known, s, 1.0), shift), math.nan)


def log_ratio(of: Operations, m: Tensor, s: Tensor, shift: Tensor | float) -> Tensor:
    """Log P(q|e)."""
    # Less than 0 where rounding took a weight there: as good as 0.
    holds, known = m > 0.0, s > 0.0
    # The ratio before the logarithm: log P(q|e) near 0 is no difference of large numbers.
    logs = of.log(of.where(holds, m, 1.0) / of.where(known, s, 1.0)) + shift * LOG_2
    return of.where(known, of.where(holds, logs, -math.inf), math.nan)


def ratio_seeds(of: Operations, g: Tensor, m: Tensor, s: Tensor, shift: Tensor | float) -> tuple[Tensor, Tensor]:
    """The derivatives by the roots of query and evidence, from the gradient g of P(q|e).

    The first is to be multiplied with 2 to the power of minus the evidence's exponent. The second is that of log s:
    those of all queries are added up before they are divided by s.
    """
    known = s > 0.0
    safe = of.where(known, s, 1.0)
    by_query = of.where(known, g / safe, 0.0)
    return by_query, -by_query * of.scale(m, shift)


def log_ratio_seeds(of: Operations, h: Tensor, m: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """The same from the gradient h of log P(q|e), where the first goes with minus the query's own exponent."""
    finite = (m > 0.0) & (s > 0.0)
    return of.where(finite, h / of.where(finite, m, 1.0), 0.0), of.where(finite, -h, 0.0)


# Readings of roots that are tensors.


def scale(x: Tensor, exponent: Tensor) -> Tensor:
    """``x * 2**exponent`` in two halves, as 2**1074 alone would overflow."""
    half = torch.floor(exponent / 2)
    return x * torch.exp2(half) * torch.exp2(exponent - half)


def _scale_in_range(x: Tensor, exponent: Tensor | float) -> Tensor:
    """The same; to 0 at the lower end of the range, and to a finite number at the upper."""
    if isinstance(exponent, float):
        return x * 2.0**exponent if exponent else x
    reach = _REACH[x.dtype]
    return scale(x, exponent.clamp(-2 * reach, reach))


def _where(condition: Tensor, x: Tensor | float, y: Tensor | float) -> Tensor:
    return torch.where(condition, x, y)


TENSORS = Operations(_where, torch.log, _scale_in_range)


class Roots(NamedTuple):
    """The roots of a plan, on any device: root r of row b is ``mantissas[b, r] * 2**exponents[b, r]``.

    ``mantissas`` and ``exponents`` are [batch, root]; the latter are whole numbers in the format of the former,
    constants to autograd, and None where all are 0. Query q is given the root at place ``given[q]`` [queries]; the
    roots behind the queries are those of evidence.
    """

    mantissas: Tensor
    exponents: Tensor | None
    given: Tensor

    @property
    def queries(self) -> int:
        """The number of queries."""
        return len(self.given)

    def impossible_rows(self) -> list[int]:
        """The rows that have evidence of probability zero."""
        zero = (self.mantissas.detach()[:, self.queries :] <= 0.0).any(dim=1)
        return [int(i) for i in zero.nonzero().flatten()]


def read(roots: Roots, kind: Kind, chosen: Tensor | None) -> Tensor:
    """A reading of roots, differentiable if they are.

    Log-probabilities or probabilities [batch, query], the log-probability [batch] of query ``chosen[b]`` for each row b
    ("selected"), or log-probabilities [batch, evidence] of the evidence.
    """
    formula = ratio if kind == "probs" else log_ratio
    found = formula(TENSORS, *_numbers(roots, kind, chosen))
    return found.squeeze(1) if kind == "selected" else found


def check_chosen(chosen: Tensor, queries: int) -> None:
    """Raise an IndexError where one of the chosen queries [batch] is not among so many."""
    if len(chosen):
        lowest, highest = torch.stack(torch.aminmax(chosen)).tolist()
        if lowest < 0 or highest >= queries:
            raise IndexError(lowest if lowest < 0 else highest)


def seeds_of(roots: Roots, kind: Kind, chosen: Tensor | None, gradient: Tensor) -> Tensor:
    """The loss's derivatives [batch, root] by the mantissas, from its ``gradient`` by a reading."""
    n, given = roots.queries, roots.given
    m, s, shift = _numbers(roots, kind, chosen)
    if kind == "probs":
        by_root, by_log_given = ratio_seeds(TENSORS, gradient, m, s, shift)
        by_root = _scale_in_range(by_root, shift)
    else:
        by_root, by_log_given = log_ratio_seeds(TENSORS, gradient.view_as(m), m, s)
    if kind == "log_evidence":
        return torch.cat([torch.zeros_like(roots.mantissas[:, :n]), by_root], dim=1)
    if chosen is not None:
        places = chosen.unsqueeze(1)
        by_given = torch.where(s > 0.0, by_log_given / s, 0.0)
        return torch.zeros_like(roots.mantissas).scatter(1, places, by_root).scatter(1, given[places], by_given)
    evidence = roots.mantissas[:, n:]
    total = sums_by(by_log_given, given - n, evidence.shape[1])
    return torch.cat([by_root, torch.where(evidence > 0.0, total / evidence, 0.0)], dim=1)


def _numbers(roots: Roots, kind: Kind, chosen: Tensor | None) -> tuple[Tensor, Tensor, Tensor | float]:
    """The mantissas of the roots that are read and of what they are given, and the difference of their exponents."""
    n, given = roots.queries, roots.given

    def pair(numbers: Tensor) -> tuple[Tensor, Tensor]:
        if chosen is not None:
            places = chosen.unsqueeze(1)
            return numbers.gather(1, places), numbers.gather(1, given[places])
        return numbers[:, :n], numbers[:, given]

    if kind == "log_evidence":
        of_evidence = roots.mantissas[:, n:]
        return of_evidence, torch.ones_like(of_evidence), 0.0 if roots.exponents is None else roots.exponents[:, n:]
    m, s = pair(roots.mantissas)
    if roots.exponents is None:
        return m, s, 0.0
    m_exponent, s_exponent = pair(roots.exponents)
    return m, s, m_exponent - s_exponent


def sums_by(x: Tensor, place: Tensor, places: int) -> Tensor:
    """The sums [rows, places] of those entries of x [rows, n] that have the same ``place`` [n].

    In the order of the entries, so that the same bits come out every time; on a GPU ``index_add`` has no order.
    """
    if x.device.type == "cpu":
        return x.new_zeros(len(x), places).index_add(1, place, x)
    return x.new_zeros(places, len(x)).index_put((place,), x.T, accumulate=True).T
