"""Atoms have one spelling inside: without quotes where they need none, so that ``'ann'`` and ``ann`` are one atom."""

from __future__ import annotations

__all__ = ["is_word", "spelt"]


# Names without letters that ProbLog's parser reads as atoms without quotes, wherever an atom may stand.
_SIGNS = (
    "! # * ** *-> + - --> -> / // /\\ : ; < <- << = =.. =:= =< == => =@= =\\= > >= >> ? @< @=< @> @>= "
    "\\ \\+ \\/ \\= \\== ^ {} ~< ~= ~=<"
)
_UNQUOTED = frozenset(_SIGNS.split())


def spelt(functor: str) -> str:
    r"""The functor of a term as it is spelt inside, however a program writes it.

    >>> spelt("'ann'"), spelt("'Ann'"), spelt("'two words'"), spelt("'@<'"), spelt(":-")
    ('ann', "'Ann'", "'two words'", '@<', "':-'")
    """
    if len(functor) > 2 and functor[0] == functor[-1] == "'":
        inner = functor[1:-1].replace("\\\\", "\\")
        return inner if is_word(inner) or inner in _UNQUOTED else functor
    return f"'{functor}'" if functor in (":-", "~") else functor


def is_word(text: str) -> bool:
    """Whether ProbLog's parser reads a text as an atom without quotes: a small letter, then letters and digits."""
    return text[:1].isalpha() and text[0].islower() and all(_continues(c) for c in text)


def _continues(character: str) -> bool:
    return character == "_" or character.islower() or character.isupper() or "0" <= character <= "9"
