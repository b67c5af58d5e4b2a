"""`Formula` → `Circuit`: several ways are tried in turn, under limits, and the smallest circuit is kept."""

from __future__ import annotations

import reprlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from deepplp.circuit import Circuit
from deepplp.collector import collector_paused
from deepplp.compilation.attempt import (
    ELIMINATION,
    Blowup,
    Limits,
    Made,
    along_order,
    bottom_up,
    by_elimination,
    describe,
)
from deepplp.compilation.compile_budget import CompileBudget, Meter
from deepplp.compilation.orders import CYCLES_ORDER, DEFAULT_ORDER, ORDERS
from deepplp.compilation.parts import Parts
from deepplp.compilation.report import Attempt, CompilationReport
from deepplp.errors import BudgetExceededError, QueryError
from deepplp.formula import Formula, depth_first_order, without_certain
from deepplp.watch import Used, call_watched

__all__ = ["COMPILERS", "CompilerName", "Order", "compile_formula", "compile_with_report"]

_EASY_STEPS = 30_000  # what the default order may cost before others are tried: a tenth of a second
_EASY_STEPS_PER_LITERAL = 8  # and more for a large formula: what reading it costs, a few times over
_GROWTH = 4  # of the limit, from round to round
_SEARCH_STEPS = 300_000  # of an order that comes to its end, above which no smaller circuit is looked for
_CYCLES_GROWTH = 256  # of the limit, for the order that is made for cycles
_ELIMINATED = 100  # times the default order's steps, for the elimination of variables: its steps are as much faster
_SMALL = 128  # literals of a formula for which a smaller circuit than that of the elimination is looked for
_FEWEST = 3  # orders that are tried however little they get done
_SENTENTIAL_NODES = 200_000  # that PySDD may make in all, where the default order's steps do not suffice
_SENTENTIAL_BYTES = 1 << 30  # within one operation, where it has long made more nodes than it may
_GIVEN = "given"

Order: TypeAlias = str | Sequence[int]
"""The name of one of `ORDERS`, or the numbers of the choices that the goals reach, first decided to last."""

CompilerName: TypeAlias = Literal["portfolio", "elimination", "sdd"]
"""Who compiles: "portfolio" tries several ways and keeps the smallest circuit; the others are one way alone."""

COMPILERS: tuple[CompilerName, ...] = get_args(CompilerName)


def compile_formula(
    formula: Formula,
    order: Order | None = None,
    *,
    budget: CompileBudget | None = None,
    compiler: CompilerName = "portfolio",
) -> Circuit:
    """Compile a ground program: the second stage, from a `Formula` to a `Circuit`.

    The circuit counts models: the value of root q is the weight of all worlds in which query q and the evidence hold,
    and the value of its node ``evidence`` that of all worlds in which the evidence holds. Compilation never changes
    these, whatever the order and the compiler.

    Shapes: ``roots`` is [queries], in the order of ``formula.queries``. Weights for the circuit are [columns], where
    ``columns`` counts the values of all choices, one choice behind the other; see `Circuit` for the other arrays.

    ``order``, ``budget`` and ``compiler`` are as for `compile_with_report`, which also tells what was tried.

    Raises:
        BudgetExceededError: the budget does not suffice.
        NegativeCycleError: the formula holds a cycle through a negation.
        QueryError: there is no such order or compiler.

    >>> from deepplp.grounding import ground
    >>> from deepplp.program import Program
    >>> circuit = compile_formula(ground(Program.from_string("0.5::a; 0.3::b. 0.4::c. q :- a, c. q :- b. query(q).")))
    >>> circuit.roots.shape, circuit.columns, circuit.order.tolist()
    ((1,), 5, [0, 1])
    """
    return compile_with_report(formula, order, budget=budget, compiler=compiler)[0]


def compile_with_report(
    formula: Formula,
    order: Order | None = None,
    *,
    budget: CompileBudget | None = None,
    compiler: CompilerName = "portfolio",
) -> tuple[Circuit, CompilationReport]:
    """The circuit of `compile_formula`, and a report of what was tried for it.

    ``order`` gives the one order to try; without it "portfolio" tries several of `ORDERS`. ``budget`` limits what all
    attempts may take together in time, and each in nodes; by default it is ``CompileBudget()``. ``compiler`` is one of
    `COMPILERS`:

    - "portfolio" works through the tries below and keeps the smallest circuit.
    - "sdd" has PySDD compile one order bottom up, by default the depth-first one (Darwiche, "SDD: A New Canonical
      Representation of Propositional Knowledge Bases", IJCAI 2011). The budget and an interrupt take effect between two
      of libsdd's operations, as it knows no limit within one.
    - "elimination" sums out the variables one by one, in an order of its own; it takes no cycles.

    The portfolio's tries. The default order gets a number of steps that grows with the formula. If they do not suffice
    and there are cycles, the order that is made for them gets many more. Where there are none, elimination gets more,
    as its steps are faster; if it comes to its end and the formula is small, the other orders get as many steps as its
    circuit has nodes and elements, so that the smallest circuit wins. Else PySDD gets a number of nodes to compile the
    default order bottom up, which formulas with much to share like better. Then the other orders get as many steps as
    the default had, and then the half that got most done four times as many (all of them where there are cycles),
    until one comes to its end. The others may then take as many steps as it did, unless those were very many, and the
    smallest circuit wins. So the easy case costs nothing more, and no bad order costs much more than the best. Steps
    and nodes are counted, not timed: the same formula gives the same circuit on every machine.

    Raises:
        BudgetExceededError: the budget does not suffice; the error names the part of the formula that was in work, and
            has the report of all attempts.
        NegativeCycleError: the formula holds a cycle through a negation; the error shows it.
        QueryError: there is no order or compiler of this name, or the order lacks a choice or names one twice.
    """
    if not isinstance(formula, Formula):
        raise QueryError(f"a formula is compiled, such as deepplp.ground gives, not a {type(formula).__name__}")
    if compiler not in COMPILERS:
        raise QueryError(f"there is no compiler {compiler!r}; there are: {', '.join(COMPILERS)}")
    if budget is not None and not isinstance(budget, CompileBudget):
        raise QueryError(f"budget is a deepplp.CompileBudget, not a {type(budget).__name__}")
    with collector_paused():
        attempts = _Attempts(formula, budget or CompileBudget())
        work = {"portfolio": attempts.portfolio, "elimination": attempts.elimination, "sdd": attempts.sdd}[compiler]
        seconds, memory = attempts.budget.seconds, attempts.budget.memory
        return call_watched(lambda: work(order), seconds, memory, attempts.stopped, attempts.doing)


def _size(circuit: Circuit) -> int:
    return circuit.nodes + circuit.elements


@dataclass(eq=False)
class _Attempts:
    """The attempts on one formula."""

    formula: Formula
    budget: CompileBudget
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deadline = None if self.budget.seconds is None else time.monotonic() + self.budget.seconds
        given, self.formula = self.formula, without_certain(self.formula)
        self._certain: tuple[int, ...] = ()  # choices that are none: they stand behind the others in every order
        if self.formula is not given:
            left = set(depth_first_order(self.formula))
            self._certain = tuple(c for c in depth_first_order(given) if c not in left)
        self._parts = Parts(self.formula)
        self._orders: dict[str, tuple[int, ...]] = {}
        self._in_work: tuple[str, float, Meter] | None = None  # the attempt that is being made, and when it began

    def sdd(self, order: Order | None) -> tuple[Circuit, CompilationReport]:
        """One order by PySDD."""
        name = DEFAULT_ORDER if order is None else self._take(order)
        reason = "PySDD was asked for" if order is None else "PySDD was asked for, and this order was given"
        return self._ended(self._try(name, None, by_pysdd=True), name, reason)

    def elimination(self, order: Order | None) -> tuple[Circuit, CompilationReport]:
        """By elimination of variables, in an order of its own."""
        if order is not None:
            raise QueryError("the elimination of variables has an order of its own; leave out order=, or the compiler")
        found = self._eliminated(None)
        if isinstance(found, Blowup) and found.limit == "width":
            raise QueryError(
                f"the elimination of variables does not take this program ({self.attempts[-1].outcome}); "
                "leave out the compiler, so that other ways are tried"
            )
        return self._ended(found, ELIMINATION, "the elimination of variables was asked for")

    def portfolio(self, order: Order | None) -> tuple[Circuit, CompilationReport]:
        """The order that is given, or the best of several."""
        if order is not None:
            name = self._take(order)
            return self._ended(self._try(name, None), name, "this order was given")
        limit = _EASY_STEPS + _EASY_STEPS_PER_LITERAL * sum(self._parts.uses)
        found = self._try(DEFAULT_ORDER, limit)
        if isinstance(found, Circuit):
            reason = f"the default came to its end within {limit:,} steps, so no other order was tried"
            return found, self._report(DEFAULT_ORDER, reason)
        if found.limit != "steps":
            return self._rounds(limit, found)
        if not self._parts.longest_cycle:
            eliminated = self._eliminated(_ELIMINATED * limit)
            if isinstance(eliminated, Circuit):
                return self._smallest(eliminated, limit)
            if eliminated.limit == "seconds":
                return self._ended(eliminated, ELIMINATION, "")
        else:
            along = self._try(CYCLES_ORDER, _CYCLES_GROWTH * limit)
            if isinstance(along, Circuit) or along.limit == "seconds":
                return self._ended(along, CYCLES_ORDER, "the default took too many steps, and there are cycles")
        by_pysdd = self._try(DEFAULT_ORDER, _SENTENTIAL_NODES, by_pysdd=True)
        if isinstance(by_pysdd, Circuit):
            reason = "PySDD compiled the default order bottom up within its limit"
            return self._ended(by_pysdd, DEFAULT_ORDER, reason)
        return self._rounds(limit, found)

    def _ended(self, found: Circuit | Blowup, name: str, reason: str) -> tuple[Circuit, CompilationReport]:
        """The circuit of the last attempt and its report, or the error that there is none."""
        if isinstance(found, Blowup):
            raise self._exceeded(found)
        return found, self._report(name, reason)

    def _rounds(self, limit: int, last: Blowup) -> tuple[Circuit, CompilationReport]:
        """Give every order the same number of steps, then the better half more, until one comes to its end.

        Jamieson, Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
        """
        # The order for cycles has been tried already, or there are no cycles.
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
            if not self._parts.longest_cycle:  # a cycle is one part, so the parts done say too little
                left = sorted(left, key=lambda n: -done.get(n, 0))[: max(_FEWEST, (len(left) + 1) // 2)]
            names = [n for n in ORDERS if n in left]
            limit *= _GROWTH
        raise self._exceeded(last)

    def _smallest(self, eliminated: Circuit, limit: int) -> tuple[Circuit, CompilationReport]:
        """The circuit of the elimination, or of an order that has a smaller one, which then takes no more steps."""
        best, winner = eliminated, ELIMINATION
        for name in self._distinct() if sum(self._parts.uses) <= _SMALL else ():
            found = self._try(name, min(limit, _size(best))) if name != DEFAULT_ORDER else None
            if isinstance(found, Circuit) and _size(found) < _size(best):
                best, winner = found, name
            elif isinstance(found, Blowup) and found.limit == "seconds":
                break
        return best, self._report(winner, f"the smallest circuit, where the default took more than {limit:,} steps")

    def _order(self, name: str) -> tuple[int, ...]:
        if name not in self._orders:
            self._orders[name] = (*ORDERS[name](self.formula, self._parts), *self._certain)
        return self._orders[name]

    def _distinct(self) -> list[str]:
        """The orders that repeat none before them; that for cycles is one of them only where there are cycles."""
        found: dict[tuple[int, ...], str] = {}
        for name in ORDERS:
            if name != CYCLES_ORDER or self._parts.longest_cycle:
                found.setdefault(self._order(name), name)
        return list(found.values())

    def _try(self, name: str, limit: int | None, *, by_pysdd: bool = False) -> Circuit | Blowup:
        deadline, memory = self._deadline, self.budget.memory
        if by_pysdd and limit is not None:  # one of several tries: it leaves half of the time to the others
            deadline = deadline and (deadline + time.monotonic()) / 2
            memory = min(memory or _SENTENTIAL_BYTES, _SENTENTIAL_BYTES)
        limits = Limits(deadline, self.budget.nodes, limit, memory)
        order = self._order(name)
        compile_in = bottom_up if by_pysdd else along_order
        return self._made(name, limits, lambda: compile_in(self.formula, self._parts, name, order, limits))

    def _made(self, name: str, limits: Limits, make: Callable[[], Made]) -> Circuit | Blowup:
        """Make an attempt, and note it."""
        self._in_work = name, time.monotonic(), limits.meter
        attempt, found = make()
        self._in_work = None
        self.attempts.append(attempt)
        return found

    def _eliminated(self, limit: int | None) -> Circuit | Blowup:
        limits = Limits(self._deadline, self.budget.nodes, limit, self.budget.memory)
        return self._made(ELIMINATION, limits, lambda: by_elimination(self.formula, limits))

    def _take(self, order: Order) -> str:
        """The name of an order that is given, under which it is known from now on."""
        name = order if isinstance(order, str) else _GIVEN
        self._orders[name] = self._given(order)
        return name

    def _given(self, order: Order) -> tuple[int, ...]:
        if isinstance(order, str):
            if order not in ORDERS:
                raise QueryError(f"there is no order {order!r}; there are: {', '.join(ORDERS)}")
            return (*ORDERS[order](self.formula, self._parts), *self._certain)
        numbers = range(len(self.formula.choices))
        if not isinstance(order, Sequence) or not all(isinstance(c, int) and c in numbers for c in order):
            raise QueryError(
                f"an order is one of {', '.join(ORDERS)}, or lists the formula's choices by number, from 0; "
                f"not {reprlib.repr(order)}"
            )
        choices: tuple[int, ...] = tuple(c for c in order if isinstance(c, int))
        missing = set(depth_first_order(self.formula)).difference(choices)
        if missing or len(set(choices)) != len(choices):
            raise QueryError(
                f"an order names every choice that the goals reach once; this one lacks {sorted(missing)}"
                if missing
                else "an order names every choice once; this one repeats some"
            )
        return choices

    def _report(self, winner: str, reason: str) -> CompilationReport:
        choices = () if winner == ELIMINATION else self._order(winner)
        names = tuple(self.formula.choices[c].shown() for c in choices)
        return CompilationReport(tuple(self.attempts), winner, reason, choices, names)

    def doing(self) -> str:
        """In words what is being compiled, and how. Other threads may call it."""
        queries, choices = len(self.formula.queries), len(self.formula.choices)
        what = f"compiling {queries:,} {'query' if queries == 1 else 'queries'} over {choices:,} choices"
        made = self._in_work
        if made is None:
            return what
        steps = made[2].steps  # none where a process of its own counts them
        return f"{what}: {made[0]}{f', {steps:,} steps' if steps else ''}"

    def stopped(self, used: Used, notes: list[object]) -> BudgetExceededError:
        """The error where the compilation was stopped between two looks at its budget."""
        if self._in_work is not None:
            name, start, _ = self._in_work
            self.attempts.append(Attempt(name, f"stopped: out of {used}", 0, 0, 0, time.monotonic() - start))
        return self._exceeded(Blowup(used, tuple(abs(g.literal) - 1 for g in self.formula.queries), 0))

    def _exceeded(self, blowup: Blowup) -> BudgetExceededError:
        text, names, position = describe(self.formula, blowup.part)
        nothing = Attempt(DEFAULT_ORDER, f"stopped: out of {blowup.limit}", 0, 0, 0, 0.0)
        last = self.attempts[-1] if self.attempts else nothing
        limits = {
            "seconds": f"{self.budget.seconds or 0:g} s",
            "memory": f"{(self.budget.memory or 0) / 1e9:.3g} GB of memory",
        }
        limit = limits.get(blowup.limit, f"{self.budget.nodes or 0:,} nodes")
        tried = ", ".join(dict.fromkeys(a.order for a in self.attempts)) or last.order
        return BudgetExceededError(
            f"compilation took more than {limit} and was stopped at {text} (order {last.order!r}, "
            f"{last.nodes:,} nodes; tried: {tried}). Ask fewer queries at once or leave out evidence that they do not "
            "need, let the choices depend on fewer others, or raise the budget (deepplp.CompileBudget)",
            position,
            part=names,
            report=CompilationReport(tuple(self.attempts), "", "no order came to its end", (), ()),
        )
