"""A differential fuzzer: random programs of all constructs mixed, against enumeration of their worlds and ProbLog.

    python -m tests.fuzz --seconds 600 --seed 1

Every program has a seed of its own, which is printed with what it found: ``--seed N --seconds 0`` runs that one alone
and shows its text. The oracle is a bottom-up evaluation of each world, written here without any engine; the worlds' sum
is a torch expression, so that gradients are compared as well.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from problog.errors import ProbLogError
from torch import Tensor

import deepplp
from deepplp.errors import DeepPLPError, InconsistentEvidenceError
from tests.oracles import problog_probabilities

Atom = tuple[str, tuple[int, ...]]
World = set[Atom]
Binding = dict[str, int]

DOMAIN = (0, 1, 2)
MOST_WORLDS = 1500
PROBLOG_SECONDS = 5.0
LOCAL = "L"  # the variable of findall, forall and negations: bound nowhere else


class TooManyWorldsError(Exception):
    """The program has more worlds than enumeration takes."""


@dataclass(frozen=True)
class Pattern:
    """An atom whose arguments are variables (texts) or numbers."""

    name: str
    arguments: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.name}({','.join(map(str, self.arguments))})" if self.arguments else self.name

    def ground(self, binding: Binding) -> Atom:
        """The atom under a binding of all its variables."""
        return self.name, tuple(binding[a] if isinstance(a, str) else a for a in self.arguments)

    def matches(self, binding: Binding, world: World) -> Iterator[Binding]:
        """The extensions of a binding under which the atom is in a world, each once."""
        for name, values in sorted(world):
            if name != self.name or len(values) != len(self.arguments):
                continue
            found = dict(binding)
            if all(
                found.setdefault(a, v) == v if isinstance(a, str) else a == v
                for a, v in zip(self.arguments, values, strict=True)
            ):
                yield found


Solve = Callable[[Binding, World], Iterator[Binding]]


@dataclass(frozen=True)
class Goal:
    """A goal of a body: its text, and its solutions in a world."""

    text: str
    solve: Solve
    binds: frozenset[str] = frozenset()


def some(bindings: Iterator[Binding]) -> bool:
    """Whether there is any; it may be empty, which is false to Python."""
    return next(bindings, None) is not None


def positive(pattern: Pattern) -> Goal:
    """An atom."""
    return Goal(str(pattern), pattern.matches, frozenset(a for a in pattern.arguments if isinstance(a, str)))


def test(text: str, holds: Callable[[Binding, World], bool]) -> Goal:
    """A goal that binds nothing."""
    return Goal(text, lambda b, w: iter([b] if holds(b, w) else []))


def assign(text: str, variable: str, values: Callable[[Binding, World], Sequence[int]]) -> Goal:
    """A goal that binds one variable (or tests it, where it is bound)."""

    def solve(binding: Binding, world: World) -> Iterator[Binding]:
        for value in values(binding, world):
            if binding.get(variable, value) == value:
                yield {**binding, variable: value}

    return Goal(text, solve, frozenset([variable]))


@dataclass(frozen=True)
class Clause:
    """Heads with their probabilities (none: certain), a body, and the network that decides, if one does."""

    number: int
    heads: tuple[Pattern, ...]
    probabilities: tuple[str, ...]  # names of weights; () for a certain clause
    body: tuple[Goal, ...]
    text: str
    plain_text: str
    variables: tuple[str, ...] = ()


@dataclass
class FuzzProgram:
    """A random program, with its weights by name and the tables of its networks."""

    seed: int
    levels: list[list[Clause]] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    networks: dict[str, list[list[str]]] = field(default_factory=dict)  # rows by input: names of weights
    binary: set[str] = field(default_factory=set)
    queries: list[Pattern] = field(default_factory=list)
    evidence: list[tuple[Atom, bool]] = field(default_factory=list)
    plain_facts: list[str] = field(default_factory=list)
    collects: bool = False

    def text(self, plain: bool = False) -> str:
        """The program; ``plain`` for ProbLog: with numbers in place of networks and parameters."""
        clauses = [c for level in self.levels for c in level]
        lines = [c.plain_text if plain else c.text for c in clauses]
        lines += self.plain_facts if plain else []
        lines += [f"query({q})." for q in self.queries]
        lines += [f"evidence({_text(a)}, {'true' if v else 'false'})." for a, v in self.evidence]
        return "\n".join(lines) + "\n"

    def enumerate(self, weights: Mapping[str, Tensor]) -> tuple[dict[Atom, Tensor], Tensor]:
        """The joint probability of each answer and the evidence, and that of the evidence."""
        joint: dict[Atom, Tensor] = {}
        total = torch.zeros((), dtype=torch.float64)
        for world, p in self._worlds(weights):
            answers = {a for q in self.queries for b in q.matches({}, world) for a in [q.ground(b)]}
            for answer in answers:
                joint.setdefault(answer, torch.zeros((), dtype=torch.float64))
            if any((a in world) != value for a, value in self.evidence):
                continue
            total = total + p
            for answer in answers:
                joint[answer] = joint[answer] + p
        return joint, total

    def _worlds(self, weights: Mapping[str, Tensor]) -> Iterator[tuple[World, Tensor]]:
        """All worlds with their probabilities; choices are met one after another, and tried value by value."""
        path: list[list[int]] = []  # [value, number of values] of each choice met
        for count in itertools.count():
            if count > MOST_WORLDS:
                raise TooManyWorldsError
            made: dict[tuple[int, tuple[int, ...]], int] = {}
            p = torch.ones((), dtype=torch.float64)

            def decide(
                clause: Clause, key: tuple[int, ...], made: dict[tuple[int, tuple[int, ...]], int] = made
            ) -> int:
                place = (clause.number, key)
                if place not in made:
                    if len(made) == len(path):
                        path.append([0, len(clause.probabilities) + 1])
                    made[place] = path[len(made)][0]
                return made[place]

            world = self._model(decide)
            clauses = {c.number: c for level in self.levels for c in level}
            for (number, key), value in made.items():
                p = p * self._weight(clauses[number], key, value, weights)
            yield world, p
            while path and path[-1][0] == path[-1][1] - 1:
                path.pop()
            if not path:
                return
            path[-1][0] += 1

    def _weight(self, clause: Clause, key: tuple[int, ...], value: int, weights: Mapping[str, Tensor]) -> Tensor:
        names = self._names(clause, key)
        if value < len(names):
            return weights[names[value]]
        if clause.heads[0].name in self.networks and clause.heads[0].name not in self.binary:
            return torch.zeros((), dtype=torch.float64)  # a network's values are all there is
        return 1 - torch.stack([weights[n] for n in names]).sum()

    def _names(self, clause: Clause, key: tuple[int, ...]) -> list[str]:
        """The names of a choice's weights: a network's depend on its input, the first variable."""
        table = self.networks.get(clause.heads[0].name)
        return list(clause.probabilities) if table is None else table[key[0]]

    def _model(self, decide: Callable[[Clause, tuple[int, ...]], int]) -> World:
        """The least model of each level on top of those below."""
        world: World = set()
        for level in self.levels:
            changed = True
            while changed:
                changed = False
                for clause in level:
                    for binding in list(_solutions(clause.body, world)):
                        for atom in self._derived(clause, binding, decide):
                            changed |= atom not in world
                            world.add(atom)
        return world

    @staticmethod
    def _derived(clause: Clause, binding: Binding, decide: Callable[[Clause, tuple[int, ...]], int]) -> Iterator[Atom]:
        if not clause.probabilities:
            yield clause.heads[0].ground(binding)
            return
        value = decide(clause, tuple(binding[v] for v in clause.variables))
        if value < len(clause.heads):
            yield clause.heads[value].ground(binding)


def _solutions(body: Sequence[Goal], world: World) -> Iterator[Binding]:
    bindings: list[Binding] = [{}]
    for goal in body:
        bindings = [found for b in bindings for found in goal.solve(b, world)]
    yield from bindings


def _text(atom: Atom) -> str:
    return str(Pattern(*atom))


class Generator:
    """Draws one program from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.program = FuzzProgram(seed)
        self.arity: dict[str, int] = {}
        self.number = 0
        self.choices = 0
        self.lists = 0

    def draw(self) -> FuzzProgram:
        """The program."""
        self.program.levels.append(self._facts())
        for level in range(self.random.randint(1, 3)):
            names = [f"p{level}{i}" for i in range(self.random.randint(1, 2))]
            lower = list(self.arity)
            self.arity |= {name: self.random.randint(0, 2) for name in names}
            rules = [self._rule([name], lower) for name in names]
            rules += [self._rule(names, lower) for _ in range(self.random.randint(0, 3))]
            self.program.levels.append(rules)
        derived = [n for n in self.arity if n[0] == "p"]
        for _ in range(self.random.randint(1, 3)):
            name = self.random.choice(derived)
            arguments: list[str | int] = [self.random.choice(DOMAIN) for _ in range(self.arity[name])]
            if self.random.random() < 0.5:
                arguments = ["X", "Y"][: self.arity[name]]  # type: ignore[assignment]
            pattern = Pattern(name, tuple(arguments))
            if pattern not in self.program.queries:
                self.program.queries.append(pattern)
        if self.random.random() < 0.4:
            name = self.random.choice(list(self.arity))
            atom = (name, tuple(self.random.choice(DOMAIN) for _ in range(self.arity[name])))
            self.program.evidence.append((atom, self.random.random() < 0.6))
        return self.program

    def _weight(self, value: float) -> str:
        name = f"w{len(self.program.weights)}"
        self.program.weights[name] = value
        return name

    def _clause(
        self, heads: Sequence[Pattern], values: Sequence[float], body: Sequence[Goal], style: str = "number"
    ) -> Clause:
        """A clause whose heads have these probabilities, written as numbers, fractions or learnable."""
        variables = sorted(set().union(*(g.binds for g in body)) - {LOCAL})
        names = tuple(self._weight(v) for v in values)
        tail = f" :- {', '.join(g.text for g in body)}." if body else "."
        shown = {
            "number": lambda v: repr(v),
            "fraction": lambda v: f"{round(v * 100)}/100",
            "learnable": lambda v: f"t({v!r})",
        }[style]
        text = "; ".join(f"{shown(v)}::{h}" for v, h in zip(values, heads, strict=True)) if values else str(heads[0])
        plain = "; ".join(f"{v!r}::{h}" for v, h in zip(values, heads, strict=True)) if values else str(heads[0])
        self.number += 1
        return Clause(self.number, tuple(heads), names, tuple(body), text + tail, plain + tail, tuple(variables))

    def _facts(self) -> list[Clause]:
        """Facts f/1 and g/2, annotated disjunctions of them, and networks d/2 and n/1."""
        self.arity |= {"f": 1, "g": 2}
        atoms = [Pattern("f", (i,)) for i in DOMAIN] + [Pattern("g", (i, j)) for i in DOMAIN for j in DOMAIN]
        self.random.shuffle(atoms)
        one_each = [next(a for a in atoms if a.name == name) for name in "fg"]  # both predicates have a clause
        atoms = one_each + [a for a in atoms if a not in one_each]
        clauses = []
        for atom in atoms[: self.random.randint(3, 6)]:
            if self.random.random() < 0.4:
                clauses.append(self._clause([atom], [], []))
            else:
                style = self.random.choice(["number", "fraction", "learnable"])
                clauses.append(self._clause([atom], [self.random.choice([0.25, 0.5, 0.9, 0.12])], [], style))
                self.choices += 1
        if self.random.random() < 0.4:
            style = self.random.choice(["number", "learnable"])
            clauses.append(self._clause(atoms[6:9], [0.2, 0.3, 0.25], [], style))
            self.choices += 1
        for name in ("d", "n"):
            if self.random.random() < 0.6:
                clauses.append(self._network(name))  # noqa: PERF401 (drawn one after another)
        return clauses

    def _network(self, name: str) -> Clause:
        """``nn`` over d/2 (three values) or n/1, whose input is a number that the body binds."""
        rows = [[0.2, 0.3, 0.5], [0.7, 0.1, 0.2], [0.0, 0.4, 0.6]] if name == "d" else [[0.3], [0.8], [0.5]]
        table = [[self._weight(v) for v in row] for row in rows]
        self.program.networks[name] = table
        body = [assign("between(0, 1, X)", "X", lambda b, w: (0, 1))]
        if self.random.random() < 0.5:
            body = [positive(Pattern("f", ("X",)))]
        self.arity[name] = 2 if name == "d" else 1
        self.number += 1
        tail = f" :- {body[0].text}"
        self.program.plain_facts += [f"table_{name}({i}, {', '.join(map(repr, r))})." for i, r in enumerate(rows)]
        if name == "n":
            self.program.binary.add(name)
            return Clause(
                self.number, (Pattern("n", ("X",)),), ("network",), tuple(body), f"nn(n, [X]) :: n(X){tail}.",
                f"P::n(X){tail}, table_n(X, P).", ("X",),
            )  # fmt: skip
        heads = tuple(Pattern("d", ("X", i)) for i in DOMAIN)
        return Clause(
            self.number, heads, ("network",) * 3, tuple(body), f"nn(d, [X], Y, [0..2]) :: d(X, Y){tail}.",
            f"P0::d(X, 0); P1::d(X, 1); P2::d(X, 2){tail}, table_d(X, P0, P1, P2).", ("X",),
        )  # fmt: skip

    def _rule(self, names: Sequence[str], lower: Sequence[str]) -> Clause:
        body = [self._binding_goal(names, lower) for _ in range(self.random.randint(1, 2))]
        bound = sorted(set().union(*(g.binds for g in body)))
        for _ in range(self.random.randint(0, 2)):
            goal = self._other_goal(bound, lower)
            body.append(goal)
            bound = sorted({*bound, *goal.binds})

        def head() -> Pattern:
            name = self.random.choice(list(names))
            return Pattern(name, tuple(self._term(bound) for _ in range(self.arity[name])))

        kind = self.random.random()
        if kind < 0.55 or self.choices > 6:
            return self._clause([head()], [], body)
        self.choices += 2
        style = self.random.choice(["number", "number", "learnable"])
        if kind < 0.8:
            return self._clause([head()], [self.random.choice([0.4, 0.75])], body, style)
        return self._clause([head(), head()], [0.3, 0.45], body, style)

    def _term(self, bound: Sequence[str]) -> str | int:
        return self.random.choice([*bound, *bound, *DOMAIN])

    def _binding_goal(self, names: Sequence[str], lower: Sequence[str]) -> Goal:
        name = self.random.choice([*lower, *lower, *names])
        variables = [self.random.choice(["X", "Y", "X", "Y", 1]) for _ in range(self.arity[name])]
        return positive(Pattern(name, tuple(variables)))  # type: ignore[arg-type]

    def _other_goal(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        makers = [self._negation, self._negated_pair, self._comparison, self._sum, self._member, self._disjunction]
        makers += [self._count, self._total, self._forall]
        return self.random.choice(makers)(bound, lower)

    def _lower(self, terms: Sequence[str | int], lower: Sequence[str]) -> Pattern:
        name = self.random.choice(list(lower))
        return Pattern(name, tuple(self.random.choice(list(terms)) for _ in range(self.arity[name])))

    def _negation(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        pattern = self._lower([*bound, *DOMAIN, LOCAL], lower)
        return test(f"\\+{pattern}", lambda b, w: not some(pattern.matches(b, w)))

    def _negated_pair(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        first, second = (self._lower([*bound, *DOMAIN, LOCAL], lower) for _ in range(2))
        return test(
            f"\\+ ({first}, {second})",
            lambda b, w: not any(some(second.matches(found, w)) for found in first.matches(b, w)),
        )

    def _comparison(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        left, right = self._term(bound), self._term(bound)
        symbol, compare = self.random.choice(
            [("<", int.__lt__), (">=", int.__ge__), ("=\\=", int.__ne__), ("=:=", int.__eq__), ("\\==", int.__ne__)]
        )

        def holds(b: Binding, w: World) -> bool:
            x, y = (b[t] if isinstance(t, str) else t for t in (left, right))
            return bool(compare(x, y))

        return test(f"{left} {symbol} {right}", holds)

    def _sum(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        left, right = self._term(bound), self._term(bound)
        variable = self.random.choice(["Y", "Z"])

        def values(b: Binding, w: World) -> list[int]:
            x, y = (b[t] if isinstance(t, str) else t for t in (left, right))
            return [(x + y) % 3]

        return assign(f"{variable} is ({left} + {right}) mod 3", variable, values)

    def _member(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        items = self.random.sample(DOMAIN, 2)
        variable = self.random.choice(["Y", "Z"])
        return assign(f"member({variable}, [{items[0]}, {items[1]}])", variable, lambda b, w: items)

    def _disjunction(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        first, second = (self._lower([*bound, *DOMAIN], lower) for _ in range(2))
        return Goal(
            f"({first} ; {second})",
            lambda b, w: iter([*first.matches(b, w), *second.matches(b, w)]),
        )

    def _collected(self, bound: Sequence[str], lower: Sequence[str]) -> tuple[Pattern, str]:
        """A goal whose answers for the local variable are collected.

        Of the lowest level, where an answer has one proof: one with several is listed once for each, as in Prolog.
        """
        self.program.collects = True
        name = self.random.choice([n for n in lower if n[0] != "p"])
        arguments: list[str | int] = [self.random.choice([*bound, *DOMAIN]) for _ in range(self.arity[name])]
        arguments[self.random.randrange(len(arguments))] = LOCAL
        pattern = Pattern(name, tuple(arguments))
        self.lists += 1
        return pattern, f"findall({LOCAL}, {pattern}, {LOCAL}s{self.lists})"

    def _count(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        pattern, text = self._collected(bound, lower)
        return assign(
            f"{text}, length({LOCAL}s{self.lists}, N{self.lists}), Z is N{self.lists} mod 3",
            "Z",
            lambda b, w: [sum(1 for _ in pattern.matches(b, w)) % 3],
        )

    def _total(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        pattern, text = self._collected(bound, lower)
        return assign(
            f"{text}, sum_list({LOCAL}s{self.lists}, N{self.lists}), Z is N{self.lists} mod 3",
            "Z",
            lambda b, w: [sum(found[LOCAL] for found in pattern.matches(b, w)) % 3],
        )

    def _forall(self, bound: Sequence[str], lower: Sequence[str]) -> Goal:
        condition, _ = self._collected(bound, lower)
        then = self._lower([*bound, *DOMAIN, LOCAL], lower)
        return test(
            f"forall({condition}, {then})",
            lambda b, w: all(some(then.matches(found, w)) for found in condition.matches(b, w)),
        )


@dataclass
class Outcome:
    """What came of one program: what is wrong (``difference``), and whether ProbLog agrees (None: no answer)."""

    difference: str = ""
    problog: bool | None = None
    skipped: bool = False


def networks_of(program: FuzzProgram, weights: Mapping[str, Tensor]) -> dict[str, deepplp.Network]:
    """The networks: look-ups of their tables by the numbers that they are given."""

    def network(rows: list[list[str]]) -> Callable[[list[int]], Tensor]:
        return lambda values: torch.stack([torch.stack([weights[n] for n in rows[v]]) for v in values])

    return {name: deepplp.Network(network(rows), inputs="values") for name, rows in program.networks.items()}


def check(program: FuzzProgram, *, gradients: bool = True, with_problog: bool = True) -> Outcome:
    """Compare the answers, and their gradients by the networks' outputs, with the worlds' and with ProbLog's."""
    weights = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in program.weights.items()}
    try:
        joint, total = program.enumerate(weights)
    except TooManyWorldsError:
        return Outcome(skipped=True)
    by_networks = [weights[n] for rows in program.networks.values() for row in rows for n in row]
    try:
        model = deepplp.Model(deepplp.Program.from_string(program.text()), networks_of(program, weights))
        answers = model.query()
    except InconsistentEvidenceError:
        return Outcome(
            ""
            if float(total.detach()) == 0
            else f"the evidence has probability {float(total.detach())}, and is refused"
        )
    except DeepPLPError as error:
        return Outcome(f"{type(error).__name__}: {error}")
    if float(total.detach()) == 0:
        return Outcome("the evidence is impossible, and is not refused")
    expected = {_text(a): p / total for a, p in joint.items()}
    found = dict(zip(answers.terms, answers.probs[0], strict=True))
    difference = _differs(
        {t: float(p.detach()) for t, p in found.items()}, {t: float(p.detach()) for t, p in expected.items()}
    )
    if not difference and gradients and by_networks and found:
        mix = {t: 1.0 + i for i, t in enumerate(sorted(found))}
        zero = torch.zeros((), dtype=torch.float64)
        losses = [sum((mix[t] * p for t, p in side.items() if t in mix), zero) for side in (found, expected)]
        ours, theirs = (_gradient(loss, program, weights) for loss in losses)
        if not torch.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
            difference = f"gradients {ours.tolist()} for {theirs.tolist()}"
    agrees = None
    if with_problog and not difference:
        agrees = _problog_agrees(program, {t: float(p.detach()) for t, p in expected.items()})
    return Outcome(difference, agrees)


def _gradient(loss: Tensor, program: FuzzProgram, weights: Mapping[str, Tensor]) -> Tensor:
    """The gradient by the networks' outputs, along the simplex: off it, sums over worlds and circuits may differ."""
    parts = []
    for rows in program.networks.values():
        for row in rows:
            leaves = [weights[name] for name in row]
            if not loss.requires_grad:
                parts.append(torch.zeros(len(row), dtype=torch.float64))
                continue
            found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True, retain_graph=True)
            gradient = torch.stack([g.double() for g in found])
            parts.append(gradient - gradient.mean() if len(row) > 1 else gradient)
    return torch.cat(parts)


def _differs(found: Mapping[str, float], expected: Mapping[str, float]) -> str:
    for term in sorted({*found, *expected}):
        if abs(found.get(term, 0.0) - expected.get(term, 0.0)) > 1e-9:
            return f"P({term}) = {found.get(term, 0.0)} for {expected.get(term, 0.0)}"
    return ""


def _problog_agrees(program: FuzzProgram, expected: Mapping[str, float]) -> bool | None:
    """Whether ProbLog's answers are the same; None where it breaks off, or takes too long to collect answers."""
    try:
        with warnings.catch_warnings(), _time_limit(PROBLOG_SECONDS):
            warnings.simplefilter("ignore")  # ProbLog warns of \\==
            found = problog_probabilities(":- use_module(library(lists)).\n" + program.text(plain=True))
    except (ProbLogError, AssertionError, TypeError, RecursionError, TimeoutError):
        return None
    return not _differs({t: p for t, p in found.items() if p > 0}, expected)


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the main thread after so many seconds of the processor; elsewhere there is no limit."""
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def main() -> int:
    """Draw and check programs until the time is up; the exit status is 1 where one differs."""
    parser = argparse.ArgumentParser(description="Compare deepplp with enumeration and ProbLog on random programs.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long; 0 for the program of the seed alone")
    parser.add_argument("--seed", type=int, default=None, help="the first program's seed; random if it is not given")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"first seed {seed}", flush=True)
    ends = time.monotonic() + arguments.seconds
    counts = dict.fromkeys(
        ("checked", "skipped", "different", "ProbLog agrees", "ProbLog differs", "ProbLog breaks off"), 0
    )
    for number in itertools.count(seed):
        program = Generator(number).draw()
        outcome = check(program)
        counts["skipped" if outcome.skipped else "checked"] += 1
        if outcome.difference:
            counts["different"] += 1
            print(f"seed {number}: {outcome.difference}\n{program.text()}", flush=True)
        elif not outcome.skipped:
            verdict = {True: "ProbLog agrees", False: "ProbLog differs", None: "ProbLog breaks off"}[outcome.problog]
            counts[verdict] += 1
            if outcome.problog is False:
                print(f"seed {number}: ProbLog differs from the enumerated worlds", flush=True)
        if arguments.seconds == 0 and not outcome.difference:
            print(program.text())
        if time.monotonic() >= ends:
            break
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
