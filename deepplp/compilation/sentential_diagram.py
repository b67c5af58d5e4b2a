"""Functions of choices as sentential decision diagrams, made by PySDD; the only file that imports it.

PySDD is the faster one where a formula is small but looked at many times, as that of a recursion that joins all parts
of a chain: it works bottom up, two functions at a time, and remembers what came of each pair.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from threading import Event
from typing import Protocol

from pysdd.sdd import SddManager, Vtree

from deepplp.compilation.algebra import Decision, bottom_up
from deepplp.compilation.compile_budget import Meter, OutOfBudgetError
from deepplp.compilation.encoding import EncodedChoice, vtree_file
from deepplp.compilation.node_store import CONSTANT_LEVEL, FALSE, TRUE
from deepplp.compilation.residual import ONE, TwoLevel

__all__ = ["Sdd", "SententialDiagram"]


class _Place(Protocol):
    """What of `pysdd.sdd.Vtree` is used."""

    def position(self) -> int: ...


class Sdd(Protocol):
    """What of `pysdd.sdd.SddNode` is used: PySDD has no types. Nodes of one manager are equal if they are one node."""

    def __hash__(self) -> int: ...
    @property
    def id(self) -> int: ...
    @property
    def literal(self) -> int: ...
    def is_true(self) -> bool: ...
    def is_false(self) -> bool: ...
    def is_literal(self) -> bool: ...
    def vtree(self) -> _Place: ...
    def elements(self) -> list[tuple[Sdd, Sdd]]: ...
    def conjoin(self, other: Sdd, /) -> Sdd: ...
    def disjoin(self, other: Sdd, /) -> Sdd: ...
    def negate(self) -> Sdd: ...


_COLLECT_EVERY = 512  # operations between two looks at the number of dead nodes
_DEAD_NODES = 50_000


class SententialDiagram:
    """Functions over encoded choices as SDDs on a right-linear vtree, collected as they go out of use.

    PySDD counts a reference for as long as a Python object points to a node; a node without one is dead, and its memory
    is taken back once the dead outnumber the living. ``meter`` counts a step for each node made, and is looked at
    after each operation on two functions: libsdd knows no limit within one, and no interrupt. Once ``stop`` is set, the
    next operation is the last.
    """

    def __init__(self, encoded: Sequence[EncodedChoice], meter: Meter, stop: Event | None = None) -> None:
        self._encoded = encoded
        self._meter = meter
        self._stop = stop
        self._held = 0
        self._operations = 0
        text, self._positions = vtree_file(encoded) if any(e.variables for e in encoded) else ("vtree 1\nL 0 1\n", {})
        self._index_of = {v: i for i, e in enumerate(encoded) for v in e.variables}
        self._manager = SddManager(vtree=_read_vtree(text))
        self.true: Sdd = self._manager.true()
        self.false: Sdd = self._manager.false()
        self._masks: dict[int, int] = {}

    @property
    def nodes(self) -> int:
        """The number of nodes that were held after the last operation, the dead ones included."""
        return self._held

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
            result = self._counted(result.conjoin(function))
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
                self._counted(level[i].disjoin(level[i + 1])) if i + 1 < len(level) else level[i]
                for i in range(0, len(level), 2)
            ]
        return level[0]

    def negate(self, function: Sdd) -> Sdd:
        """The negation."""
        return self._counted(function.negate())

    def apply(self, signals: Sequence[Sdd], formulas: Sequence[TwoLevel]) -> list[Sdd]:
        """The functions that formulas over signals stand for, ``signals[i]`` being the function of signal i."""
        return [self._two_level(signals, formula) for formula in formulas]

    def _two_level(self, signals: Sequence[Sdd], formula: TwoLevel) -> Sdd:
        if isinstance(formula, int):
            return signals[formula] if formula >= 0 else self.true if formula == ONE else self.false
        disjunction, items = formula
        functions = [
            signals[item] if isinstance(item, int) else self._joined(item[0], [signals[i] for i in sorted(item[1])])
            for item in sorted(items, key=lambda item: item if isinstance(item, int) else min(item[1]))
        ]
        return self._joined(disjunction, functions)

    def _joined(self, disjunction: bool, functions: list[Sdd]) -> Sdd:
        """Con- or disjoin functions, those deepest in the vtree first: each step then only adds on top."""
        functions.sort(key=lambda f: -self.top(f))
        if not disjunction:
            return self.conjoin(functions)
        result = self.false
        for _, group in groupby(functions, key=self.top):
            result = self.disjoin([result, self.disjoin(list(group))])
        return result

    def _counted(self, result: Sdd) -> Sdd:
        """The result of an operation, whose cost is counted."""
        self._operations += 1
        held = self._manager.live_count() + self._manager.dead_count()
        made, self._held = max(0, held - self._held), held
        self._meter.spend(made, held)
        self._meter.look()
        if self._stop is not None and self._stop.is_set():
            raise OutOfBudgetError("seconds")
        if self._operations % _COLLECT_EVERY == 0:
            dead = self._manager.dead_count()
            if dead > _DEAD_NODES and dead > self._manager.live_count():
                self._manager.garbage_collect()
        return result

    def collect(self, live: Iterable[Sdd]) -> None:
        """Nothing: PySDD knows which functions are in use."""

    def top(self, function: Sdd) -> int:
        """The level of the first choice that a function depends on."""
        if function.is_literal():
            return self._index_of[abs(function.literal)]
        if function.is_true() or function.is_false():
            return CONSTANT_LEVEL
        return self._positions[function.vtree().position()][0]

    def number(self, function: Sdd) -> int:
        """The number of a function's node: its id but for the constants. PySDD numbers all other nodes from 3."""
        return TRUE if function.is_true() else FALSE if function.is_false() else function.id

    def decisions(self, functions: Sequence[Sdd]) -> Iterator[Decision]:
        """The nodes that the functions use, the constants left out, each behind those below it."""
        known = {self.number(f): f for f in functions}
        found: dict[int, Decision] = {}

        def below(node: int) -> Iterable[int]:
            found[node] = decision = self._decision(node, known)
            return [n for _, n in decision.branches]

        for node in bottom_up(map(self.number, functions), below):
            yield found[node]

    def _decision(self, node: int, known: dict[int, Sdd]) -> Decision:
        """A node, whose branches' nodes are then ``known``."""
        function = known[node]
        own = self.classes(function)
        if own is not None:
            return Decision(node, own[0], [(own[1], TRUE)])
        branches: list[tuple[tuple[int, ...], int]] = []
        level = self.top(function)
        for prime, sub in function.elements():
            if not sub.is_false():
                classes = self.classes(prime)
                assert classes is not None, "a prime lies in one choice's subtree"
                number = self.number(sub)
                known.setdefault(number, sub)
                branches.append((classes[1], number))
        return Decision(node, level, branches)

    def classes(self, function: Sdd) -> tuple[int, tuple[int, ...]] | None:
        """(index, classes) of a function of one choice alone, None for one that spans several choices."""
        if function.is_literal():
            index = self._index_of[abs(function.literal)]
        else:
            index, on_spine = self._positions[function.vtree().position()]
            if on_spine:
                return None
        mask = self._mask(function, self._encoded[index])
        return index, tuple([j for j in range(len(self._encoded[index].classes)) if mask >> j & 1])

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
