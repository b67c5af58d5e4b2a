"""Whether a query's program could tell one constant from another: if not, constants that only name tensors are names.

`BLIND` is the only list of what treats all constants alike. Every other built-in, and every predicate of a library,
counts as one that looks into terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deepplp.grounding import reserved_signatures
from deepplp.program import (
    Not,
    Program,
    Term,
    loads_files,
    names_of_arguments,
    signatures_called,
    signatures_defined,
    subterms,
)

__all__ = ["BLIND", "Blindness"]

# Those of them that call what they are given, so that what is called need not stand in a body as a goal.
_CALLING = frozenset({
    "call/1", "call/2", "call/3", "call/4", "call/5", "call/6", "call/7", "call/8", "call/9", "maplist/2", "maplist/3",
    "maplist/4", "maplist/5", "foldl/4", "foldl/5", "foldl/6", "foldl/7", "include/3", "exclude/3", "partition/4",
})  # fmt: skip
BLIND = _CALLING | {
    "true/0", "fail/0", "false/0", "=/2", "\\=/2", "==/2", "\\==/2", "is/2", "</2", ">/2", "=</2", ">=/2", "=:=/2",
    "=\\=/2", "between/3", "length/2", "findall/3", "all/3", "all_or_none/3", "forall/2", "not/1", "\\+/1", "once/1",
    "above/3", "below/3", "near/3", "less_than/2",
    "query/1", "evidence/1", "evidence/2", "use_module/1", "use_module/2", "consult/1",
    "member/2", "memberchk/2", "append/2", "append/3", "prefix/2", "select/3", "select/4", "selectchk/3", "selectchk/4",
    "nth0/3", "nth0/4", "nth1/3", "nth1/4", "nextto/3", "last/2", "reverse/2", "permutation/2", "delete/3",
    "subtract/3", "intersection/3", "union/3", "subset/2", "same_length/2", "sum_list/2", "max_list/2", "min_list/2",
    "numlist/3", "sumlist/2", "aggregate_all/3", "exactly/2", "at_least/2", "at_most/2", "all_different/1",
    "all_different/2",
}  # fmt: skip


class Blindness:
    """What a program calls, as far as it tells whether its queries look into terms."""

    def __init__(self, program: Program) -> None:
        self._own = signatures_defined(program)
        called = {_plain(s) for s in signatures_called(program)} - self._own
        self._calls_what_it_is_given = not called.isdisjoint(_CALLING)
        self._looks = (
            not called <= BLIND
            or loads_files(program)
            or (self._calls_what_it_is_given and self._name_seeing(names_of_arguments(program)))
        )

    def holds(self, goals: Sequence[Term]) -> bool:
        """Whether neither the program nor one of these goals could tell one constant from another."""
        return not self._looks and not any(map(self._goal_looks, goals))

    def _goal_looks(self, goal: Term) -> bool:
        atom = goal.child if isinstance(goal, Not) else goal
        signature = _plain(atom.signature)
        if signature in self._own:
            # Its arguments are terms, unless the program calls one of them.
            return self._calls_what_it_is_given and self._name_seeing(_names(atom.args))
        return signature not in BLIND or self._name_seeing(_names([atom]))

    def _name_seeing(self, names: Iterable[str]) -> bool:
        """Whether one of these names is that of a predicate which is not blind, and which is not the program's."""
        found = {_plain(n) for n in names}
        return any(
            name in found and s not in BLIND and s not in self._own
            for s in reserved_signatures()
            if (name := s.rpartition("/")[0])
        )


def _plain(name: str) -> str:
    return name.replace("'", "")


def _names(terms: Sequence[object]) -> set[str]:
    return {str(term.functor) for term in subterms(terms)}
