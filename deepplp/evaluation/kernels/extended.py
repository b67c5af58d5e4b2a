"""Numbers with extended range as tensors: a mantissa in [1/2, 1) times a power of two, and how much they change.

A table of such numbers holds mantissas and exponents, [rows, n] each. The exponents are constants to autograd, so that
mantissas and derivatives never leave the range of the number format. A zero has a power of two as well, that of the
values around it: autograd's derivative of it is a number like any other.

A table of *dual* numbers holds, behind a number, its change along some direction, with a power of two of its own. What
is computed with them comes out with its derivative in that direction, however much larger or smaller that is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from deepplp.evaluation.readings import Kind, scale, sums_by
from deepplp.evaluation.semirings import Places, Semiring, Table, taken

__all__ = ["DUAL", "EXTENDED", "changes", "in_range", "joined", "normalised", "seeds_by_roots"]

_NO_EXPONENT = -1e12  # below that of every product; far from where adding to it loses integers
# Powers of two by which numbers are scaled at once: they and their products with small numbers do not overflow.
_LARGEST_SHIFTS = {torch.float64: 900.0, torch.float32: 100.0}
_RANGES = {torch.float64: (-2000.0, 1023.0), torch.float32: (-250.0, 127.0)}  # powers of two of a format's numbers

Number = tuple[Tensor, Tensor]


def normalised(x: Tensor, exponent: Tensor) -> Number:
    """x * 2**exponent with a mantissa in [1/2, 1), or 0 * 2**exponent where x is 0."""
    shift = torch.frexp(x.detach()).exponent.to(x.dtype)
    return scale(x, -shift), exponent + shift


def in_range(mantissas: Tensor, exponents: Tensor) -> Tensor:
    """Numbers of the format; beyond its range its largest. Autograd's derivative of a zero goes by its power of two."""
    least, most = _RANGES[mantissas.dtype]
    reach = _LARGEST_SHIFTS[mantissas.dtype]
    zero = exponents.clamp(-reach, reach)
    return scale(mantissas, torch.where(mantissas.detach() == 0, zero, exponents.clamp(least, most)))


def joined(a: Table, b: Table) -> Table:
    """Two tables side by side."""
    return tuple(torch.cat([x, y], dim=1) for x, y in zip(a, b, strict=True))  # type: ignore[list-item]


def _numbers(table: Table) -> list[Number]:
    """A table's numbers: one, or one and its change."""
    return [(table[i], table[i + 1]) for i in range(0, len(table), 2)]  # type: ignore[misc]


def _product(a: Number, b: Number) -> Number:
    return a[0] * b[0], a[1] + b[1]


def _added(a: Number, b: Number) -> Number:
    """The sum of two numbers, entry by entry."""
    reach = _LARGEST_SHIFTS[a[0].dtype]
    larger = torch.maximum(a[1], b[1])
    no_a, no_b = a[0].detach() == 0, b[0].detach() == 0
    top = torch.where(no_a == no_b, larger, torch.where(no_a, b[1], a[1]))
    parts = [m * torch.exp2((e - top).clamp(-reach, reach)) for m, e in (a, b)]
    return normalised(parts[0] + parts[1], top)


def _sum(number: Number, group_of: Places, groups: int) -> Number:
    mantissa, exponent = number
    assert isinstance(group_of, Tensor)
    reach = _LARGEST_SHIFTS[mantissa.dtype]
    top = _largest_exponents(mantissa.detach() == 0, exponent, group_of, groups)
    shift = (exponent - top[:, group_of]).clamp(-reach, reach)
    return normalised(sums_by(mantissa * torch.exp2(shift), group_of, groups), top)


def _largest_exponents(zero: Tensor, exponent: Tensor, node_of: Tensor, nodes: int) -> Tensor:
    """The largest exponent [batch, node] of each node's products, or of its zero products if it has no others."""
    places = node_of.expand(len(exponent), -1)
    nothing = exponent.new_full((len(exponent), nodes), _NO_EXPONENT)
    some = nothing.scatter_reduce(1, places, exponent.masked_fill(zero, _NO_EXPONENT), "amax")
    return torch.where(some > _NO_EXPONENT, some, nothing.scatter_reduce(1, places, exponent, "amax"))


def _products(a: Table, b: Table) -> Table:
    x, y = _numbers(a), _numbers(b)
    value = _product(x[0], y[0])
    return value if len(x) == 1 else (*value, *_added(_product(x[0], y[1]), _product(x[1], y[0])))


def _sums(table: Table, group_of: Places, groups: int) -> Table:
    return tuple(part for number in _numbers(table) for part in _sum(number, group_of, groups))


EXTENDED = Semiring(_sums, _products, (0.0, 0.0), (0.5, 1.0), normalised=True)
"""Sums of products with extended range."""
DUAL = Semiring(_sums, _products, (0.0, 0.0, 0.0, 0.0), (0.5, 1.0, 0.0, 0.0), normalised=True)
"""The same of dual numbers."""


def _inverse(table: Table) -> Table:
    """1 / x, and its change -x' / x**2; 0 where x is 0."""
    (m, e), *change = _numbers(table)
    zero = m == 0
    value = torch.where(zero, 0.0, 1.0 / torch.where(zero, 1.0, m)), -e
    if not change:
        return value
    m_squared, e_squared = _product(value, value)
    return *value, *_product((-m_squared, e_squared), change[0])


def _lifted(x: Tensor, like: Table) -> Table:
    """Numbers that do not change, as a table."""
    value = normalised(x, torch.zeros_like(x))
    return value if len(like) == 2 else (*value, torch.zeros_like(x), torch.zeros_like(x))


def _negative(table: Table) -> Table:
    return tuple(-part if i % 2 == 0 else part for i, part in enumerate(table))


def _parts(roots: Table, given: Tensor) -> tuple[Table, Table, Tensor, Tensor]:
    """The queries' roots, what each is given, and where either is above 0. Below 0 is rounding: as good as 0."""
    queries, evidence = tuple(part[:, : len(given)] for part in roots), taken(roots, given)
    return queries, evidence, queries[0] > 0, evidence[0] > 0  # type: ignore[return-value]


def seeds_by_roots(
    roots: Table, given: Tensor, kind: Kind, chosen: Tensor | None, gradient: Tensor, semiring: Semiring
) -> Table:
    """The loss's derivatives [rows, root] by the roots, from its ``gradient`` by a reading: see `readings`."""
    n, times = len(given), semiring.times
    queries, evidence, holds, known = _parts(roots, given)
    if kind == "log_evidence":
        behind = tuple(part[:, n:] for part in roots)
        by_behind = times(_lifted(torch.where(behind[0] > 0, gradient, 0.0), roots), _inverse(behind))  # type: ignore[arg-type]
        return joined(tuple(torch.zeros_like(part) for part in queries), by_behind)  # type: ignore[arg-type]
    if chosen is not None:
        gradient = torch.zeros_like(holds, dtype=gradient.dtype).scatter(1, chosen.unsqueeze(1), gradient.unsqueeze(1))
    taking_part = known if kind == "probs" else holds & known
    lifted = _lifted(torch.where(taking_part, gradient, 0.0), roots)
    by_evidence = times(lifted, _inverse(evidence))
    if kind == "probs":
        by_query, by_evidence = by_evidence, times(by_evidence, times(queries, _inverse(evidence)))
    else:
        by_query = times(lifted, _inverse(queries))
    count = roots[0].shape[1] - n
    return joined(by_query, semiring.plus(_negative(by_evidence), given - n, count))


def changes(roots: Table, given: Tensor, kind: Kind, chosen: Tensor | None) -> Tensor:
    """How much a reading changes, where the roots are dual numbers."""
    times = DUAL.times

    def relative(table: Table) -> Number:
        """x' / x"""
        number, change = _numbers(table)
        return _product(change, _inverse(number))  # type: ignore[arg-type]

    if kind == "log_evidence":
        behind = tuple(part[:, len(given) :] for part in roots)
        return torch.where(behind[0] > 0, in_range(*relative(behind)), 0.0)  # type: ignore[arg-type]
    queries, evidence, holds, known = _parts(roots, given)
    if kind == "probs":
        return torch.where(known, in_range(*_numbers(times(queries, _inverse(evidence)))[1]), 0.0)
    m, e = relative(evidence)
    found = torch.where(holds & known, in_range(*_added(relative(queries), (-m, e))), 0.0)
    return found if chosen is None else found.gather(1, chosen.unsqueeze(1)).squeeze(1)
