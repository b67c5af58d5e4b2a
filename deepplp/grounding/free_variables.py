r"""Which variables of a goal are its own, so that an answer need not bind them.

The template and the goal of ``findall/3`` and its like, both goals of ``forall/2`` and lambda expressions have copies
of their variables for each solution: nothing outside sees what these are bound to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from deepplp.program import Term, Var, is_ground, list_items

__all__ = ["is_closed"]

_OWN: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"findall/3": (0, 1), "all/3": (0, 1), "all_or_none/3": (0, 1), "forall/2": (0, 1), "aggregate_all/3": (0, 1)}
)


def is_closed(goal: Term, arguments: Sequence[object] | None = None) -> bool:
    r"""Whether a goal, or its instance with other arguments, has no variables but those that are its own.

    >>> from deepplp.program import parse_goal
    >>> [is_closed(parse_goal(text)) for text in ("p(a)", "p(X)", "findall(X, p(X), [])", "findall(X, p(X), L)")]
    [True, False, True, False]
    """
    given = goal.args if arguments is None else arguments
    if is_ground(*given):
        return True
    own = _OWN.get(goal.signature, ())
    return not any(_has_free(a) for i, a in enumerate(given) if i not in own)


def _has_free(term: object) -> bool:
    stack = [term]
    while stack:
        current = stack.pop()
        if not isinstance(current, Term) or isinstance(current, Var):
            return True
        if not is_ground(current):
            stack.extend(_seen_from_outside(current))
    return False


def _seen_from_outside(term: Term) -> Iterator[object]:
    r"""The parts of a term whose variables others see: what stands before / in ``Free/[X]>>Goal`` and its like."""
    if term.signature == ">>/2":
        given = term.args[0]
        if isinstance(given, Term) and given.signature == "//2":
            yield given.args[0]
            given = given.args[1]
        if list_items(given) is not None:
            return
    elif term.signature == "^/2" and isinstance(term.args[0], Term) and term.args[0].signature == "\\/1":
        return
    elif term.signature == "//2" and isinstance(term.args[1], Term) and term.args[1].signature in (">>/2", "^/2"):
        yield term.args[0]
        return
    yield from term.args
