"""`Formula` → `Circuit`: several orders of the choices are tried, and the smallest circuit is kept."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from deepplp.circuit import Circuit
from deepplp.compilation.attempt import Blowup, Limits, attempt, describe
from deepplp.compilation.compile_budget import CompileBudget, OutOfBudgetError
from deepplp.compilation.orders import CYCLES_ORDER, DEFAULT_ORDER, ORDERS
from deepplp.compilation.parts import Parts
from deepplp.compilation.report import Attempt, CompilationReport
from deepplp.compilation.sentential import compile_sentential
from deepplp.errors import BudgetExceededError, QueryError
from deepplp.formula import Formula, depth_first_order

__all__ = ["Order", "compile_formula", "compile_with_report"]

_EASY_STEPS = 30_000  # what the default order may cost before others are tried: a tenth of a second
_EASY_STEPS_PER_LITERAL = 8  # and more for a large formula: what reading it costs, a few times over
_GROWTH = 4  # of the limit, from round to round
_SEARCH_STEPS = 300_000  # of an order that comes to its end, above which no smaller circuit is looked for
_CYCLES_GROWTH = 256  # of the limit, for the order that is made for cycles
_FEWEST = 3  # orders that are tried however little they get done
_SENTENTIAL_NODES = 200_000  # that PySDD may make in all, where the default order's steps do not suffice
_GIVEN = "given"

Order = str | Sequence[int]


def compile_formula(formula: Formula, order: Order | None = None, *, budget: CompileBudget | None = None) -> Circuit:
    """Compile a ground program into a circuit that counts its queries' models under its evidence.

    ``order`` gives the choices that the goals reach, first to last, or names one of `ORDERS`; without it several are
    tried: see `compile_with_report`. Compilation never changes a weighted model count, whatever the order. Exceeding
    the budget is a `BudgetExceededError`.
    """
    return compile_with_report(formula, order, budget=budget)[0]


def compile_with_report(
    formula: Formula, order: Order | None = None, *, budget: CompileBudget | None = None
) -> tuple[Circuit, CompilationReport]:
    """The circuit, and what was tried for it.

    The default order gets a number of steps that grows with the formula. Where they do not suffice and there are
    cycles, the order that is made for them gets many more. Then PySDD gets a number of nodes to compile the default
    order bottom up, which formulas with much to share like better; then the other orders get as many steps as the
    default had, and then the half that got most done four times as many (all of them where there are cycles), until
    one comes to its end. The others may then take as many steps as it did, unless those were very many, and the
    smallest circuit wins. So the easy case costs nothing more, and no bad order costs much more than the best. Steps
    and nodes are counted, not timed: the same formula gives the same circuit on every machine.
    """
    with _cycle_detection_paused():
        return _Portfolio(formula, budget or CompileBudget()).run(order)


@contextmanager
def _cycle_detection_paused() -> Iterator[None]:
    """A diagram is millions of tuples without a cycle: looking for one takes time.

    It also calls what other libraries hang on it, and Python drops a Ctrl-C that comes while such a callback runs.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _size(circuit: Circuit) -> int:
    return circuit.nodes + circuit.elements


@dataclass(eq=False)
class _Portfolio:
    """The attempts on one formula."""

    formula: Formula
    budget: CompileBudget
    attempts: list[Attempt] = field(default_factory=list)

    def run(self, order: Order | None) -> tuple[Circuit, CompilationReport]:
        self._start = time.monotonic()
        self._parts = Parts(self.formula)
        self._orders: dict[str, tuple[int, ...]] = {}
        if order is not None:
            name = order if isinstance(order, str) else _GIVEN
            self._orders[name] = self._given(order)
            return self._only(name, None, "this order was given")
        limit = _EASY_STEPS + _EASY_STEPS_PER_LITERAL * sum(self._parts.uses)
        found = self._try(DEFAULT_ORDER, limit)
        if isinstance(found, Circuit):
            reason = f"the default came to its end within {limit:,} steps, so no other order was tried"
            return found, self._report(DEFAULT_ORDER, reason)
        if found.limit == "steps" and self._parts.longest_cycle:
            along = self._try(CYCLES_ORDER, _CYCLES_GROWTH * limit)
            if isinstance(along, Circuit):
                return along, self._report(CYCLES_ORDER, "the default took too many steps, and there are cycles")
            if along.limit == "seconds":
                raise self._exceeded(along)
        bottom_up = self._bottom_up() if found.limit == "steps" else None
        if bottom_up is not None:
            return bottom_up, self._report(DEFAULT_ORDER, "PySDD compiled the default order bottom up within its limit")
        return self._rounds(limit, found)

    def _bottom_up(self) -> Circuit | None:
        """The default order by PySDD, None where it makes too many nodes."""
        order, start = self._order(DEFAULT_ORDER), time.perf_counter()
        limit = min(_SENTENTIAL_NODES, self.budget.nodes or _SENTENTIAL_NODES)
        try:
            circuit = compile_sentential(self.formula, order, limit=limit)
        except OutOfBudgetError:
            seconds = time.perf_counter() - start
            self.attempts.append(Attempt(DEFAULT_ORDER, "stopped: PySDD made too many nodes", limit, 0, 0, seconds))
            return None
        seconds = time.perf_counter() - start
        made = Attempt(DEFAULT_ORDER, "compiled by PySDD", circuit.nodes, circuit.elements, 0, seconds)
        self.attempts.append(made)
        return circuit

    def _only(self, name: str, limit: int | None, reason: str) -> tuple[Circuit, CompilationReport]:
        found = self._try(name, limit)
        if isinstance(found, Blowup):
            raise self._exceeded(found)
        return found, self._report(name, reason)

    def _rounds(self, limit: int, last: Blowup) -> tuple[Circuit, CompilationReport]:
        """Give every order the same number of steps, then the better half more, until one comes to its end.

        Jamieson, Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
        """
        # That for cycles has had its turn, or there are none.
        left = [n for n in self._distinct() if n != CYCLES_ORDER and (n != DEFAULT_ORDER or last.limit == "steps")]
        names = [n for n in left if n != DEFAULT_ORDER]  # the default has had its first round
        done = {DEFAULT_ORDER: last.done}
        while left and last.limit != "seconds":
            best: tuple[Circuit, str] | None = None
            most = limit
            for name in names:
                found = self._try(name, most)
                if isinstance(found, Circuit):
                    if best is None or _size(found) < _size(best[0]):
                        best = found, name
                    most = self.attempts[-1].steps
                    if most > _SEARCH_STEPS:
                        break
                    continue
                last = found
                done[name] = found.done
                if last.limit == "nodes":
                    left.remove(name)
                elif last.limit == "seconds":
                    break
            if best is not None:
                reason = f"the smallest circuit of the orders that came to their end within {limit:,} steps"
                return best[0], self._report(best[1], reason)
            if not self._parts.longest_cycle:  # a cycle is one part: what is done says too little
                left = sorted(left, key=lambda n: -done.get(n, 0))[: max(_FEWEST, (len(left) + 1) // 2)]
            names = [n for n in ORDERS if n in left]
            limit *= _GROWTH
        raise self._exceeded(last)

    def _order(self, name: str) -> tuple[int, ...]:
        if name not in self._orders:
            self._orders[name] = ORDERS[name](self.formula, self._parts)
        return self._orders[name]

    def _distinct(self) -> list[str]:
        """The orders that repeat none before them; that for cycles is one of them only where there are cycles."""
        found: dict[tuple[int, ...], str] = {}
        for name in ORDERS:
            if name != CYCLES_ORDER or self._parts.longest_cycle:
                found.setdefault(self._order(name), name)
        return list(found.values())

    def _try(self, name: str, limit: int | None) -> Circuit | Blowup:
        seconds = self.budget.seconds
        deadline = None if seconds is None else self._start + seconds
        limits = Limits(deadline, self.budget.nodes, limit)
        made, result = attempt(self.formula, self._parts, name, self._order(name), limits)
        self.attempts.append(made)
        return result

    def _given(self, order: Order) -> tuple[int, ...]:
        if isinstance(order, str):
            if order not in ORDERS:
                raise QueryError(f"there is no order {order!r}; there are: {', '.join(ORDERS)}")
            return ORDERS[order](self.formula, self._parts)
        choices = tuple(order)
        missing = set(depth_first_order(self.formula)).difference(choices)
        if missing or len(set(choices)) != len(choices):
            raise QueryError(
                f"an order names every choice that the goals reach once; this one lacks {sorted(missing)}"
                if missing
                else "an order names every choice once; this one repeats some"
            )
        return choices

    def _report(self, winner: str, reason: str) -> CompilationReport:
        choices = self._order(winner)
        names = tuple("; ".join(map(str, self.formula.choices[c].values)) for c in choices)
        return CompilationReport(tuple(self.attempts), winner, reason, choices, names)

    def _exceeded(self, blowup: Blowup) -> BudgetExceededError:
        text, names, position = describe(self.formula, blowup.part)
        last = self.attempts[-1]
        limit = f"{self.budget.seconds:g} s" if blowup.limit == "seconds" else f"{self.budget.nodes:,} nodes"
        tried = ", ".join(dict.fromkeys(a.order for a in self.attempts))
        return BudgetExceededError(
            f"compilation took more than {limit} and was stopped at {text} (order {last.order!r}, "
            f"{last.nodes:,} nodes; tried: {tried}). Ask fewer queries at once or leave out evidence that they do not "
            "need, let the choices depend on fewer others, or raise the budget (deepplp.CompileBudget)",
            position,
            part=names,
            report=CompilationReport(tuple(self.attempts), "", "no order came to its end", (), ()),
        )
