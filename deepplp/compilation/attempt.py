"""One attempt to compile a formula in one order, within limits; and what to say where it came to none."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event

from deepplp.apart import ApartError, call_apart
from deepplp.circuit import Circuit
from deepplp.compilation.algebra import Algebra, Function
from deepplp.compilation.compile_budget import Meter, OutOfBudgetError
from deepplp.compilation.diagram import Diagram
from deepplp.compilation.elimination import Elimination, TooWideError
from deepplp.compilation.encoding import encode_choices
from deepplp.compilation.export import export
from deepplp.compilation.fixpoints import Cycle, eliminate, iterate
from deepplp.compilation.goal_functions import GoalFunctions
from deepplp.compilation.parts import Parts
from deepplp.compilation.report import Attempt
from deepplp.compilation.sentential_diagram import SententialDiagram
from deepplp.compilation.stack import call_with_deep_stack
from deepplp.errors import Position
from deepplp.formula import Atom, Formula, roots_of

__all__ = ["ELIMINATION", "Blowup", "Limits", "Made", "along_order", "bottom_up", "by_elimination", "describe"]

ELIMINATION = "variable elimination"
"""Under which name the elimination of variables stands among the orders that are tried."""

_FEW_VARIABLES = 12  # no diagram over so few is large
_HEADS = 3  # of a choice that a message lists
_NAMES = 4  # of choices and of goals that a message lists


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an attempt stops: a time (`time.monotonic`), a number of nodes alive, of steps, of bytes of memory.

    ``meter`` counts what the attempt takes.
    """

    deadline: float | None = None
    nodes: int | None = None
    steps: int | None = None
    memory: float | None = None
    meter: Meter = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meter", Meter(self.deadline, self.nodes, self.steps))


@dataclass(frozen=True, slots=True)
class Blowup:
    """Where an attempt was stopped: nodes of the formula; the ``limit`` reached; parts and goals ``done`` by then."""

    limit: str
    part: tuple[int, ...]
    done: int


Made = tuple[Attempt, Circuit | Blowup]


def along_order(formula: Formula, parts: Parts, name: str, choices: Sequence[int], limits: Limits) -> Made:
    """Compile a formula part by part, from the first choice of an order to the last. A step is an element looked at."""
    job = _Job(formula, parts, name, choices, limits)
    diagram = Diagram(job.encoded, parts.longest_cycle, job.meter)
    return job.run(diagram, partial(eliminate, diagram))


def bottom_up(formula: Formula, parts: Parts, name: str, choices: Sequence[int], limits: Limits) -> Made:
    """Compile a formula with PySDD, from the last choice of an order to the first. A step is a node made.

    All of it happens in a thread of its own, which has the stack that libsdd's recursion needs. Where one operation of
    libsdd may take long, that is in a process of its own, which can be ended within the operation.
    """
    job = _Job(formula, parts, name, choices, limits)
    variables = sum(len(e.variables) for e in job.encoded)

    def work(stop: Event) -> Made:
        diagram = SententialDiagram(job.encoded, job.meter, stop)
        return job.run(diagram, partial(iterate, diagram), " by PySDD")

    def made() -> Made:
        return call_with_deep_stack(work, variables)

    if variables <= _FEW_VARIABLES:
        return made()
    left = None if limits.deadline is None else max(0.001, limits.deadline - time.monotonic())
    try:
        return call_apart(made, left, limits.memory)
    except ApartError as end:
        return job.ended(end.reason)


def by_elimination(formula: Formula, limits: Limits) -> Made:
    """Compile a formula by eliminating its variables. A step is a product looked at."""
    start = time.perf_counter()
    meter = limits.meter
    elimination = Elimination(formula, meter)

    def attempt(outcome: str, nodes: int, elements: int) -> Attempt:
        return Attempt(ELIMINATION, outcome, nodes, elements, meter.steps, time.perf_counter() - start)

    try:
        circuit = elimination.circuit()
    except OutOfBudgetError as stop:
        wide = set(elimination.choices)
        part = tuple(i for i, node in enumerate(formula.nodes) if isinstance(node, Atom) and node.choice in wide)
        part = part or tuple(roots_of(formula))
        return attempt(f"stopped: out of {stop.limit}", elimination.nodes, 0), Blowup(stop.limit, part, 0)
    except TooWideError as stop:
        return attempt(f"stopped: {stop}", elimination.nodes, 0), Blowup("width", (), 0)
    return attempt("compiled", circuit.nodes, circuit.elements), circuit


class _Job:
    """A formula to compile in an order, and the meter of what it costs."""

    def __init__(self, formula: Formula, parts: Parts, name: str, choices: Sequence[int], limits: Limits) -> None:
        self._start = time.perf_counter()
        self._formula = formula
        self._parts = parts
        self._name = name
        self.encoded = encode_choices(formula, choices)
        self.meter = limits.meter

    def run(self, diagram: Algebra[Function], solve: Callable[[Cycle[Function]], None], by: str = "") -> Made:
        """Compile in a diagram, or find out that the limits do not allow it."""
        functions = GoalFunctions(self._formula, self._parts, self.encoded, diagram, solve)
        try:
            circuit = export(self._formula, self.encoded, diagram, *functions.goals())
        except OutOfBudgetError as stop:
            many = bool(by) and stop.limit == "steps"
            outcome = "stopped: PySDD made too many nodes" if many else f"stopped: out of {stop.limit}"
            return self._attempt(outcome, diagram.nodes, 0), Blowup(stop.limit, functions.part, functions.done)
        return self._attempt(f"compiled{by}", circuit.nodes, circuit.elements), circuit

    def ended(self, reason: str) -> Made:
        """What came of the attempt where its process was ended, or has died for want of memory."""
        limit = "seconds" if reason == "seconds" else "memory"
        return self._attempt(f"stopped: out of {limit}", 0, 0), Blowup(limit, tuple(roots_of(self._formula)), 0)

    def _attempt(self, outcome: str, nodes: int, elements: int) -> Attempt:
        return Attempt(self._name, outcome, nodes, elements, self.meter.steps, time.perf_counter() - self._start)


def describe(formula: Formula, part: Sequence[int]) -> tuple[str, tuple[str, ...], Position | None]:
    """A part in words, the names of the choices nearest to it, and the place of the first of them in the program."""
    choices = _choices_below(formula, part)
    names = tuple(dict.fromkeys(formula.choices[c].shown(_HEADS) for c in choices))
    position = next((p for p in (formula.choices[c].position for c in choices) if p is not None), None)
    goals = _goals_above(formula, part)
    text = f"the part that decides {_listed(goals)}" if goals else "a part"
    return f"{text} and reads {len(choices)} choices: {_listed(names)}", names, position


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMES], *([f"and {len(names) - _NAMES} more"] if len(names) > _NAMES else [])])


def _choices_below(formula: Formula, part: Sequence[int]) -> list[int]:
    """All choices that the part depends on, the nearest first."""
    seen = dict.fromkeys(part)
    layer = list(seen)
    found: dict[int, None] = {}
    while layer:
        below: dict[int, None] = {}
        for index in layer:
            node = formula.nodes[index]
            if isinstance(node, Atom):
                found[node.choice] = None
            else:
                below.update(dict.fromkeys(abs(c) - 1 for c in node.children if abs(c) - 1 not in seen))
        seen.update(below)
        layer = list(below)
    return list(found)


def _goals_above(formula: Formula, part: Sequence[int]) -> list[str]:
    """The queries and the evidence that depend on the part."""
    users: dict[int, list[int]] = {}
    for index, node in enumerate(formula.nodes):
        for child in () if isinstance(node, Atom) else node.children:
            users.setdefault(abs(child) - 1, []).append(index)
    seen = set(part)
    stack = list(part)
    while stack:
        for user in users.get(stack.pop(), ()):
            if user not in seen:
                seen.add(user)
                stack.append(user)
    return [str(g) for g in (*formula.queries, *formula.evidence) if abs(g.literal) - 1 in seen]
