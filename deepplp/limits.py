"""What a budget may say: the check that grounding's and compilation's have in common."""

from __future__ import annotations

from deepplp.errors import QueryError

__all__ = ["check_limits"]


def check_limits(**limits: float | None) -> None:
    """Refuse a budget's limits, by name, that are neither numbers above 0 nor None.

    Raises:
        QueryError: a limit is something else; the message names it.
    """
    for name, value in limits.items():
        if value is not None and not (isinstance(value, (int, float)) and value > 0):
            raise QueryError(f"a budget's {name} must be a number above 0, or None for no limit, not {value!r}")
