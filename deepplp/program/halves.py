r"""The predicates that a program with negated heads, such as ``0.4::\+a``, has in place of ``a``.

``a`` holds where a clause proves it and none denies it: ``a :- 'a proved', \+'a denied'``. Their names hold a blank,
so that they are no other predicates of the program's.
"""

from __future__ import annotations

__all__ = ["DENIED", "PROVED", "half_name", "is_proved_half"]

PROVED, DENIED = " proved", " denied"


def half_name(name: str, half: str) -> str:
    """The name of one of the two predicates.

    >>> half_name("a", PROVED), half_name("'A b'", DENIED)
    ("'a proved'", "'A b denied'")
    """
    return f"'{name.strip(chr(39))}{half}'"


def is_proved_half(name: str) -> bool:
    """Whether a predicate's name, without quotes, is that of a negated head's clauses that prove."""
    return name.endswith(PROVED)
