# mypy: allow-untyped-defs
"""From roots to results and back: log-probabilities and probabilities, and the derivatives that a loss has by roots.

Root r of row b is ``mantissas[b, r] * 2**exponents[b, r]``. With P(q|e) = r / s for the roots r and s of query and
evidence, a gradient g of P(q|e) and h of log P(q|e) give

    dr = g / s + h / r    and    ds = (k - sum over q of (g * P(q|e) + h)) / s,

where k is the gradient of log s. A zero r takes no part in h.
"""

from __future__ import annotations

import math

from deepplp.evaluation.kernels.cpu import compiled

__all__ = [
    "read_evidence",
    "read_queries",
    "read_selected",
    "rows_are_distributions",
    "seed_evidence",
    "seed_queries",
    "seed_selected",
]

LOG_2 = math.log(2.0)
_LARGEST_SHIFT = 2000


@compiled
def _log(m, em, shift):
    """Log P(q|e) for the mantissas of query and evidence, and the difference of their exponents."""
    if em <= 0.0:
        return math.nan
    # The ratio before the logarithm: log P(q|e) near 0 is no difference of large numbers.
    # Less than 0 where rounding took a weight there: as good as 0.
    return math.log(m / em) + shift * LOG_2 if m > 0.0 else -math.inf


@compiled
def _probability(m, em, shift):
    """P(q|e)."""
    if em <= 0.0:
        return math.nan
    return m / em if shift == 0 else math.ldexp(m / em, max(shift, -_LARGEST_SHIFT))


@compiled
def read_queries(as_logs, given, mantissas, exponents, out):
    """Log-probabilities or probabilities ``out`` [batch, query], each given its evidence: the root ``given[q]``."""
    for row in range(len(out)):
        for q in range(len(given)):
            e = given[q]
            m, em, shift = mantissas[row, q], mantissas[row, e], exponents[row, q] - exponents[row, e]
            out[row, q] = _log(m, em, shift) if as_logs else _probability(m, em, shift)


@compiled
def read_selected(indices, given, mantissas, exponents, out):
    """The log-probability ``out[row]`` of query ``indices[row]``; the first row whose index is none, else -1."""
    for row in range(len(out)):
        q = indices[row]
        if not 0 <= q < len(given):
            return row
        e = given[q]
        out[row] = _log(mantissas[row, q], mantissas[row, e], exponents[row, q] - exponents[row, e])
    return -1


@compiled
def read_evidence(queries, mantissas, exponents, out):
    """The log-probabilities ``out`` [batch, evidence] of the evidence, whose roots stand behind the queries'."""
    for row in range(len(out)):
        for e in range(out.shape[1]):
            m = mantissas[row, queries + e]
            out[row, e] = _log(m, 1.0, exponents[row, queries + e])


@compiled
def _by_evidence(queries, mantissas, exponents, seeds, seed_exponents, row):
    """Make derivatives by log P(evidence) derivatives by its roots."""
    for e in range(queries, seeds.shape[1]):
        seeds[row, e] /= mantissas[row, e]
        seed_exponents[row, e] = -exponents[row, e]


@compiled
def seed_queries(gradient, of_logs, given, mantissas, exponents, seeds, seed_exponents):
    """The derivatives by roots, ``seeds * 2**seed_exponents``, from the ``gradient`` [batch, query] by a reading."""
    for row in range(len(gradient)):
        seeds[row, len(given) :] = 0.0
        for q in range(len(given)):
            e = given[q]
            m, g = mantissas[row, q], gradient[row, q]
            seeds[row, q] = 0.0
            seed_exponents[row, q] = -exponents[row, q if of_logs else e]
            if of_logs and m > 0.0:
                seeds[row, q] = g / m
                seeds[row, e] -= g
            elif not of_logs:
                seeds[row, q] = g / mantissas[row, e]
                seeds[row, e] -= g * _probability(m, mantissas[row, e], exponents[row, q] - exponents[row, e])
        _by_evidence(len(given), mantissas, exponents, seeds, seed_exponents, row)


@compiled
def seed_selected(gradient, indices, given, mantissas, exponents, seeds, seed_exponents):
    """The same from the gradient [batch] by the log-probability of query ``indices[row]``."""
    for row in range(len(gradient)):
        seeds[row] = 0.0
        seed_exponents[row] = 0
        q = indices[row]
        if mantissas[row, q] > 0.0:
            seeds[row, q] = gradient[row] / mantissas[row, q]
            seed_exponents[row, q] = -exponents[row, q]
            seeds[row, given[q]] = -gradient[row]
        _by_evidence(len(given), mantissas, exponents, seeds, seed_exponents, row)


@compiled
def seed_evidence(gradient, mantissas, exponents, seeds, seed_exponents):
    """The same from the gradient [batch, evidence] by log P(evidence)."""
    queries = seeds.shape[1] - gradient.shape[1]
    for row in range(len(gradient)):
        seeds[row, :queries] = 0.0
        seed_exponents[row, :queries] = 0
        seeds[row, queries:] = gradient[row]
        _by_evidence(queries, mantissas, exponents, seeds, seed_exponents, row)


@compiled
def rows_are_distributions(rows, sum_tolerance, negative_tolerance):
    """Whether every row of [n, k] is finite, at least 0 and sums to 1, within the tolerances."""
    for i in range(rows.shape[0]):
        total = 0.0
        smallest = 0.0
        for j in range(rows.shape[1]):
            total += rows[i, j]
            smallest = min(smallest, rows[i, j])
        # Comparisons with NaN are false.
        if not (abs(total - 1.0) <= sum_tolerance and smallest >= -negative_tolerance):
            return False
    return True
