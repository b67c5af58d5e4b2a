"""One attempt to compile a formula in one order, within limits; and what to say where it came to none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from deepplp.circuit import Circuit
from deepplp.compilation.compile_budget import Meter, OutOfBudgetError
from deepplp.compilation.diagram import Diagram
from deepplp.compilation.encoding import encode_choices
from deepplp.compilation.export import export
from deepplp.compilation.goal_functions import Functions
from deepplp.compilation.parts import Parts
from deepplp.compilation.report import Attempt
from deepplp.errors import Position
from deepplp.formula import NONE, Atom, Formula

__all__ = ["Blowup", "Limits", "attempt", "describe"]

_NAMES = 4  # of choices and of goals that a message lists


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an attempt stops: a time (`time.monotonic`), a number of nodes alive, a number of steps."""

    deadline: float | None = None
    nodes: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Blowup:
    """Where an attempt was stopped: nodes of the formula; the ``limit`` reached; parts and goals ``done`` by then."""

    limit: str
    part: tuple[int, ...]
    done: int


def attempt(
    formula: Formula, parts: Parts, name: str, choices: Sequence[int], limits: Limits
) -> tuple[Attempt, Circuit | Blowup]:
    """Compile a formula in an order, or find out that the limits do not allow it."""
    start = time.perf_counter()
    encoded = encode_choices(formula, choices)
    diagram = Diagram(encoded, parts.longest_cycle)
    diagram.meter = meter = Meter(limits.deadline, limits.nodes, limits.steps)
    functions = Functions(formula, parts, diagram, encoded)
    try:
        circuit = export(formula, diagram, encoded, *functions.goals())
    except OutOfBudgetError as stop:
        seconds = time.perf_counter() - start
        outcome = f"stopped: out of {stop.limit}"
        return Attempt(name, outcome, diagram.nodes, 0, meter.steps, seconds), Blowup(
            stop.limit, functions.part, functions.done
        )
    seconds = time.perf_counter() - start
    return Attempt(name, "compiled", circuit.nodes, circuit.elements, meter.steps, seconds), circuit


def describe(formula: Formula, part: Sequence[int]) -> tuple[str, tuple[str, ...], Position | None]:
    """A part in words, the names of the choices nearest to it, and the place of the first of them in the program."""
    choices = _choices_below(formula, part)
    names = tuple(dict.fromkeys(_name(formula, c) for c in choices))
    position = next((p for p in (formula.choices[c].position for c in choices) if p is not None), None)
    goals = _goals_above(formula, part)
    text = f"the part that decides {_listed(goals)}" if goals else "a part"
    return f"{text} and reads {len(choices)} choices: {_listed(names)}", names, position


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMES], *([f"and {len(names) - _NAMES} more"] if len(names) > _NAMES else [])])


def _name(formula: Formula, choice: int) -> str:
    values = formula.choices[choice].values
    shown = [str(v) for v in values if v is not NONE]
    return "; ".join([*shown[:3], *(["…"] if len(shown) > 3 else [])])


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
