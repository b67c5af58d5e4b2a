"""Predicates of numbers for the programs beside this folder."""

from problog.extern import problog_export, problog_export_nondet


@problog_export("+int", "-int")
def twice(x: int) -> int:
    """Two times X."""
    return 2 * x


@problog_export_nondet("+int", "-int")
def divisor(x: int) -> list[int]:
    """What divides X."""
    return [d for d in range(1, x + 1) if x % d == 0]


@problog_export("+int", "-int")
def reciprocal(x: int) -> int:
    """The whole part of 1 / X; there is none for 0."""
    return 1 // x
