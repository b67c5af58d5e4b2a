"""The SDD manager behind the sentential compiler: the only file that imports PySDD."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from threading import Event
from typing import Any

from pysdd.sdd import SddManager, Vtree

from deepplp.compilation.compile_budget import OutOfBudgetError
from deepplp.compilation.encoding import EncodedChoice, vtree_file

__all__ = ["Sdd", "SententialDiagram"]

Sdd = Any  # pysdd.sdd.SddNode; PySDD has no types

_COLLECT_EVERY = 512  # operations between two looks at the number of dead nodes
_DEAD_NODES = 50_000


class SententialDiagram:
    """Boolean functions over encoded choices, with garbage collected as the functions go out of use.

    PySDD counts a reference for as long as a Python object points to a node; a node without one is dead, and its memory
    is taken back once the dead outnumber the living. Once more than ``limit`` nodes have been made, or ``stop`` is set,
    the next operation is the last.
    """

    def __init__(self, encoded: Sequence[EncodedChoice], limit: int | None = None, stop: Event | None = None) -> None:
        self._encoded = encoded
        self._limit = limit
        self._stop = stop
        self._made = self._held = 0
        self._operations = 0
        text, self._positions = vtree_file(encoded) if any(e.variables for e in encoded) else ("vtree 1\nL 0 1\n", {})
        self._manager = SddManager(vtree=_read_vtree(text))
        self.true: Sdd = self._manager.true()
        self.false: Sdd = self._manager.false()
        self._masks: dict[int, int] = {}

    def value(self, index: int, value: int) -> Sdd:
        """The function "choice ``encoded[index]`` takes this value"."""
        choice = self._encoded[index]
        chosen = choice.class_of(value)
        if chosen is None:
            return self.false
        codes = choice.codes_of(chosen)
        return self._from_codes(choice.variables, codes.start, codes.stop)

    def _from_codes(self, variables: tuple[int, ...], start: int, stop: int) -> Sdd:
        """The disjunction of the codes start … stop - 1, built from the lowest bit upwards."""
        if not variables:
            return self.true
        low = self.true  # the function "the bits below are at least start's" (or equal, for a single code)
        for level, variable in enumerate(reversed(variables)):
            bit = (start >> level) & 1
            literal = self._manager.literal(variable if bit else -variable)
            if stop - start == 1 or bit:
                low = self.conjoin([literal, low])
            else:  # code >= start: this bit is 1, or it is 0 and the rest is large enough
                low = self.disjoin([self._manager.literal(variable), self.conjoin([literal, low])])
        return low

    def conjoin(self, functions: Iterable[Sdd]) -> Sdd:
        """The conjunction, from left to right."""
        result = self.true
        for function in functions:
            result = self._apply(result.conjoin, function)
            if result.is_false():
                break
        return result

    def disjoin(self, functions: Sequence[Sdd]) -> Sdd:
        """The disjunction, in pairs of neighbours."""
        level = list(functions)
        if not level:
            return self.false
        while len(level) > 1:
            level = [
                self._apply(level[i].disjoin, level[i + 1]) if i + 1 < len(level) else level[i]
                for i in range(0, len(level), 2)
            ]
        return level[0]

    def negate(self, function: Sdd) -> Sdd:
        """The negation."""
        return self._apply(function.negate)

    def _apply(self, operation: Any, *operands: Sdd) -> Sdd:
        result = operation(*operands)
        self._operations += 1
        if self._limit is not None:
            self._count(self._limit)
        if self._stop is not None and self._stop.is_set():
            raise OutOfBudgetError("seconds")
        if self._operations % _COLLECT_EVERY == 0:
            dead = self._manager.dead_count()
            if dead > _DEAD_NODES and dead > self._manager.live_count():
                self._manager.garbage_collect()
        return result

    def _count(self, limit: int) -> None:
        held = self._manager.live_count() + self._manager.dead_count()
        self._made += max(0, held - self._held)
        self._held = held
        if self._made > limit:
            raise OutOfBudgetError("nodes")

    def classes(self, function: Sdd) -> tuple[int, frozenset[int]] | None:
        """(index, classes) of a function of one choice alone, None for one that spans several choices."""
        if function.is_literal():
            index = self._index_of_variable(abs(function.literal))
        else:
            index, on_spine = self._positions[function.vtree().position()]
            if on_spine:
                return None
        mask = self._mask(function, self._encoded[index])
        choice = self._encoded[index]
        return index, frozenset(j for j in range(len(choice.classes)) if mask >> j & 1)

    def _index_of_variable(self, variable: int) -> int:
        low, high = 0, len(self._encoded) - 1
        while low < high:
            middle = (low + high + 1) // 2
            first = next((e.variables[0] for e in self._encoded[middle : high + 1] if e.variables), variable + 1)
            low, high = (middle, high) if first <= variable else (low, middle - 1)
        while variable not in self._encoded[low].variables:
            low += 1
        return low

    def _mask(self, function: Sdd, choice: EncodedChoice) -> int:
        """The codes for which a function of one choice holds, as bits of an integer."""
        everything = (1 << (1 << len(choice.variables))) - 1
        if function.is_true():
            return everything
        if function.is_false():
            return 0
        key = function.id
        if key not in self._masks:
            if function.is_literal():
                variable = abs(function.literal)
                level = len(choice.variables) - 1 - choice.variables.index(variable)
                # The codes whose bit `level` is 1: blocks of 2^level zeros and ones.
                block = ((1 << (1 << level)) - 1) << (1 << level)
                mask = 0
                for start in range(0, 1 << len(choice.variables), 2 << level):
                    mask |= block << start
                self._masks[key] = mask if function.literal > 0 else everything & ~mask
            else:
                mask = 0
                for prime, sub in function.elements():
                    mask |= self._mask(prime, choice) & self._mask(sub, choice)
                self._masks[key] = mask
        return self._masks[key]


def _read_vtree(text: str) -> Vtree:
    """libsdd reads vtrees from files only."""
    handle, path = tempfile.mkstemp(suffix=".vtree")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        return Vtree(filename=path)
    finally:
        os.unlink(path)
