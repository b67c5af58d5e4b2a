"""Functions of choices as decision diagrams: the engine behind the compiler.

A sentential decision diagram on a right-linear vtree whose left subtrees are single choices is a reduced, ordered
decision diagram with one edge for each class of a choice's values, equal edges drawn as one. This is that diagram with
the choices whole, so that no operation ever looks at a code's bits. Every operation is a loop that may stop between
any two steps: it counts what it spends, and an interrupt leaves nothing behind.

For example, let choice a be a coin, b a coin and d a die of which the formula mentions the 1 alone, decided in this
order. The die's six values are two classes, {1} and the rest. The function

    f = (a is heads and d is 1) or (b is heads and d is not 1)

is node 6 of this diagram; a kid is where a class of values leads:

    level 0 (a)    node 6: heads -> 5, tails -> 4
    level 1 (b)    node 5: heads -> true, tails -> 2        node 4: heads -> 3, tails -> false
    level 2 (d)    node 2: 1 -> true, rest -> false         node 3: 1 -> false, rest -> true

`Diagram.apply` finds these nodes in one sweep. On the way down, level by level, it notes which residuals of f each
value leads to, and with what the signals have become (`residual` has this example). On the way up it makes a node for
each. Where a is heads and b is heads, "d is 1 or d is not 1" remains; at level 2 both its kids are true, so it is no
node but true itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from deepplp.compilation.algebra import Decision, bottom_up
from deepplp.compilation.compile_budget import Meter
from deepplp.compilation.encoding import EncodedChoice
from deepplp.compilation.node_store import FALSE, TRUE, NodeStore
from deepplp.compilation.residual import Residuals, TwoLevel
from deepplp.compilation.sweep import Sweep

__all__ = ["Diagram"]


class Diagram:
    """Reduced ordered decision diagrams over encoded choices; equal functions are equal numbers.

    Node 0 is false, node 1 is true; node n decides the choice ``encoded[top(n)]``. Below the choices there may be
    levels for so many ``unknowns``, which are true or false. ``meter`` counts what operations cost.
    """

    false = FALSE

    def __init__(self, encoded: Sequence[EncodedChoice], unknowns: int = 0, meter: Meter | None = None) -> None:
        self._encoded = encoded
        self._store = NodeStore([len(e.classes) for e in encoded] + [2] * unknowns, meter or Meter())
        self._negated: dict[int, int] = {}
        self._residuals = Residuals()

    @property
    def nodes(self) -> int:
        """The number of nodes, those that nothing uses any more included until they are collected."""
        return self._store.count

    def top(self, function: int) -> int:
        """The level of the first choice that a function depends on."""
        return self._store.level[function]

    def value(self, index: int, value: int) -> int:
        """The function "choice ``encoded[index]`` takes this value"."""
        chosen = self._encoded[index].class_of(value)
        if chosen is None:
            return FALSE
        width = self._store.widths[index]
        return self._store.node(index, tuple([TRUE if j == chosen else FALSE for j in range(width)]))

    def unknown(self, number: int) -> int:
        """The function "unknown ``number`` is true"."""
        return self._store.node(len(self._encoded) + number, (FALSE, TRUE))

    def deepest(self, function: int) -> int:
        """The lowest level of a choice that a function depends on, -1 for none."""
        levels, kids = self._store.level, self._store.kids
        seen = {function}
        stack = [function]
        found = -1
        while stack:
            node = stack.pop()
            if found < levels[node] < len(self._encoded):
                found = levels[node]
            for kid in kids[node]:
                if kid not in seen:
                    seen.add(kid)
                    stack.append(kid)
        return found

    def without(self, function: int, number: int) -> tuple[int, int]:
        """What a function becomes where unknown ``number`` is false, and where it is true."""
        store = self._store
        target = len(self._encoded) + number
        found: dict[int, tuple[int, int]] = {}
        stack = [function]
        while stack:
            node = stack[-1]
            level, kids = store.level[node], store.kids[node]
            if node in found:
                stack.pop()
            elif level >= target:
                found[node] = (kids[0], kids[1]) if level == target else (node, node)
                stack.pop()
            elif missing := [k for k in kids if k not in found]:
                stack.extend(missing)
            else:
                store.meter.spend(len(kids), store.count)
                low, high = ([found[k][value] for k in kids] for value in (0, 1))
                found[node] = (store.node(level, tuple(low)), store.node(level, tuple(high)))
                stack.pop()
        return found[function]

    def negate(self, function: int) -> int:
        """The negation."""
        store, known = self._store, self._negated
        known.update({FALSE: TRUE, TRUE: FALSE})
        stack = [function]
        while stack:
            node = stack[-1]
            if node in known:
                stack.pop()
                continue
            kids = store.kids[node]
            missing = [k for k in kids if k not in known]
            if missing:
                stack.extend(missing)
                continue
            store.meter.spend(len(kids), store.count)
            opposite = store.node(store.level[node], tuple([known[k] for k in kids]))
            known[node] = opposite
            known[opposite] = node
            stack.pop()
        return known[function]

    def apply(self, signals: Sequence[int], formulas: Sequence[TwoLevel]) -> list[int]:
        """The functions that formulas over signals stand for, ``signals[i]`` being the function of signal i.

        All formulas are worked out in one pass from the top of the order down, breadth first, which looks at every
        combination of what the signals become once, and one pass back up, which makes the nodes.
        """
        return Sweep(self._store, self._residuals, signals).run(formulas)

    def conjoin(self, functions: Iterable[int]) -> int:
        """The conjunction."""
        signals = list(dict.fromkeys(functions))
        return self.apply(signals, [(False, frozenset(range(len(signals))))])[0] if signals else TRUE

    def collect(self, live: Iterable[int]) -> None:
        """Take back the nodes that the ``live`` functions do not use, if there may be many."""
        if self._store.is_worth_collecting:
            self._negated.clear()
            self._store.collect(live)

    def number(self, function: int) -> int:
        """The number of a function's node: itself."""
        return function

    def decisions(self, functions: Sequence[int]) -> Iterator[Decision]:
        """The nodes that the functions use, the constants left out, each behind those below it."""
        levels, kids = self._store.level, self._store.kids
        for node in bottom_up(functions, lambda n: reversed(kids[n])):
            classes: dict[int, list[int]] = {}
            for index, kid in enumerate(kids[node]):
                if kid != FALSE:
                    classes.setdefault(kid, []).append(index)
            yield Decision(node, levels[node], [(tuple(c), kid) for kid, c in classes.items()])
