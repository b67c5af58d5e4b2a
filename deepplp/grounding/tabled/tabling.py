"""Tabled evaluation of logic programs over numbered terms.

The evaluation is SLG resolution (Chen and Warren, Tabled evaluation with delaying for general logic programs, J. ACM
1996) with local scheduling and without delaying: every call has a table. A call of a complete table goes on with its
answers; a call of a new table waits until that is evaluated. A call of a table that is being evaluated, which is a
cycle, takes the answers that there are and is resumed for each one more, until the strongly connected tables have no
answers left to pass on: then all of them are complete. A negated call needs a complete table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from deepplp.grounding.clause_base import Location
from deepplp.grounding.ground_budget import GroundMeter, StoppedAt
from deepplp.grounding.tabled.calls import CallStep
from deepplp.grounding.tabled.relations import Answer, Atom, Consumer, Predicate, Proof, Rule, Table, Work
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.grounding.target import FALSE_KEY, TRUE_KEY, GroundTarget, Key
from deepplp.program import Term
from deepplp.watch import StoppedError

__all__ = ["Proved", "Tabling", "ground_arguments"]

_STEPS_PER_LOOK = 4096  # some milliseconds


class Proved(NamedTuple):
    """A proof: the answer of a table by a rule, and the environment in which the rule ended."""

    table: Table
    arguments: tuple[int, ...]
    rule: Rule
    environment: Environment


class Tabling:
    """The tables of goals that are ground together, into one target.

    ``ground``, ``choices``, ``origins`` and ``neural`` are as in `Run`. ``proved`` holds all proofs where they are to
    be remembered, else None. The meter is told of every table that is to be evaluated or has new answers, and may end
    the run by an exception.
    """

    def __init__(self, meter: GroundMeter, terms: Terms, *, remember: bool = False) -> None:
        self.target = GroundTarget()
        self.ground: dict[Atom, Key] = {}
        self.choices: dict[tuple[int | None, ...], Key] = {}
        self.origins: dict[tuple[int, tuple[int | None, ...]], tuple[int, tuple[object, ...]]] = {}
        self.neural: dict[Atom, dict[int, int]] = {}
        self.proved: list[Proved] | None = [] if remember else None
        self.tables: dict[Atom, Table] = {}
        self._meter = meter
        self._terms = terms
        self._steps = 0
        self._open: list[Table] = []  # those that are not complete, in the order of their calls
        self._news: dict[Table, None] = {}  # tables with answers that their consumers have not seen
        self._called = 0
        self._table: Table  # whose clause is gone on with, and that clause
        self._rule: Rule

    def table(self, predicate: Predicate, key: Atom, variables: int) -> Table | Key:
        """The table of a call, or the key of a ground call that needs no table."""
        table = self.tables.get(key)
        if table is None:
            table = Table(predicate, key, variables)
            if predicate.are_facts:
                self._look_up(table)
                if not variables:
                    return self.ground[key]
            self.tables[key] = table
        return table

    def solve(self, predicate: Predicate, key: Atom, variables: int) -> list[tuple[tuple[int, ...], int]]:
        """The answers of a goal: their arguments, each with its key."""
        found = self.ground[key] if key in self.ground else self.table(predicate, key, variables)
        if isinstance(found, Table):
            if not found.complete:
                self._evaluate(found)
            return found.solutions
        return [] if found is None else [(ground_arguments(key), found)]

    def look_at(self, patterns: Iterable[Pattern], environment: Environment) -> None:
        """Note that a goal's result may be another one where more of its terms is bound: see `Run`.

        What it looks at is the caller's where it holds a variable of the head. Those that the call has bound, and those
        of the clause alone, are the same for every instance of the call.
        """
        table = self._table
        if table.variables and not table.sees_bindings:
            free = self._terms.free_variables(patterns, environment)
            if free:
                table.sees_bindings = not free.isdisjoint(self._terms.free_variables(self._rule.head, environment))

    def _look_up(self, table: Table) -> None:
        """Complete the table of a predicate that has facts alone."""
        for rule in table.predicate.candidates(table.key):
            environment = self._enter(rule, table)
            if environment is not None:
                node = rule.goals[0].step(self, environment) if rule.goals else TRUE_KEY
                if node is not None:
                    assert isinstance(node, int)  # a fact has no goal but its choice
                    arguments = cast(tuple[int, ...], rule.head)  # facts are ground
                    if self.proved is not None:
                        self.proved.append(Proved(table, arguments, rule, environment))
                    self._add(table, arguments, node)
        self._complete(table)

    def _evaluate(self, root: Table) -> None:
        waiting: list[Table] = []
        self._start(root, waiting, None)
        while waiting:
            top = waiting[-1]
            if top.work:
                self._steps += 1
                if not self._steps % _STEPS_PER_LOOK:
                    self._meter.look(_innermost(waiting))
                self._advance(top, waiting)
            elif top.low < top.order:
                waiting.pop()
                waiting[-1].low = min(waiting[-1].low, top.low)
            elif not self._resume(top):
                position = self._open.index(top) if self._open[-1] is not top else len(self._open) - 1
                connected = self._open[position:]
                sees_bindings = any(t.sees_bindings for t in connected)
                for table in connected:
                    table.sees_bindings = sees_bindings
                    self._complete(table)
                del self._open[position:]
                waiting.pop()

    def _start(self, table: Table, waiting: list[Table], location: Location) -> None:
        self._check(table, len(waiting), location)
        waiting.append(table)
        self._open.append(table)
        self._called += 1
        table.started = True
        table.known = len(self._terms)
        table.order = table.low = self._called
        for rule in reversed(table.predicate.candidates(table.key)):
            environment = self._enter(rule, table)
            if environment is not None:
                table.work.append((table, rule, 0, environment, None))

    @staticmethod
    def _enter(rule: Rule, table: Table) -> Environment | None:
        try:
            return rule.enter(table.key, table.variables)
        except OutsideFragment as outside:
            outside.clause = rule.clause
            raise

    def _check(self, table: Table, waiting: int, location: Location) -> None:
        """Tell the meter of a table, how many tables wait for it, and where it is called."""
        predicate, meter = table.predicate, self._meter
        meter.spend(predicate.functor, len(table.key) - 1, predicate.location)
        meter.check_open(
            waiting,
            lambda: predicate.location if location is None else location,
            lambda: self._goal(predicate, table.key),
        )
        meter.check_answers(len(table.listed), lambda: predicate.location, lambda: self._goal(predicate, table.key))

    def _goal(self, predicate: Predicate, call: Atom) -> Term:
        """A call as a term, for errors."""
        return Term(predicate.functor or "this", *(self._terms.open_term(a, ()) for a in call[1:]))

    def _advance(self, top: Table, waiting: list[Table]) -> None:
        """Go on with a clause until it ends, fails or has to wait."""
        work = top.work
        table, rule, position, environment, proof = work.pop()
        self._table, self._rule = table, rule
        goals = rule.goals
        while position < len(goals):
            goal = goals[position]
            try:
                found = goal.step(self, environment)
            except OutsideFragment as outside:
                outside.clause = rule.clause
                raise
            except StoppedError as stop:
                stop.notes.append(_innermost(waiting))
                raise
            if isinstance(found, int):
                if found:
                    proof = (found, proof)
            elif found is None:
                return
            elif isinstance(found, list):
                for bound, node in reversed(found[1:]):
                    work.append((table, rule, position + 1, bound, (node, proof) if node else proof))
                environment, node = found[0]
                if node:
                    proof = (node, proof)
            elif found.started:
                assert isinstance(goal, CallStep)
                top.low = min(top.low, found.low)
                consumer = Consumer(goal, (table, rule, position, environment, proof))
                found.consumers.append(consumer)
                work.extend(reversed(list(self._items(found, consumer))))
                return
            else:
                work.append((table, rule, position, environment, proof))
                self._start(found, waiting, goal.location if isinstance(goal, CallStep) else None)
                return
            position += 1
        self._prove(table, rule, environment, proof)

    def _items(self, table: Table, consumer: Consumer) -> Iterator[Work]:
        """A consumer's work for the answers that it has not seen yet."""
        owner, rule, position, environment, proof = consumer.work
        seen, consumer.seen = consumer.seen, len(table.listed)
        for answer in table.listed[seen:]:
            bound = environment.copy()
            if consumer.call.bind(answer.arguments, bound):
                if answer.opened is None:
                    nodes = answer.nodes
                    answer.opened = TRUE_KEY if TRUE_KEY in nodes else self.target.add_open_or(nodes)
                node = answer.opened
                yield owner, rule, position + 1, bound, (node, proof) if node else proof

    def _resume(self, leader: Table) -> bool:
        """Whether there is more work for the tables that are connected with this one, which is the first of them."""
        for table in [t for t in self._news if t.order >= leader.order]:
            del self._news[table]
            self._check(table, 0, None)
            for consumer in table.consumers:
                leader.work.extend(self._items(table, consumer))
        leader.work.reverse()
        return bool(leader.work)

    def _prove(self, table: Table, rule: Rule, environment: Environment, proof: Proof) -> None:
        """A clause has ended: its head is an answer, with the conjunction of its goals' nodes."""
        node: int = TRUE_KEY
        conjoin = self.target.conjoin
        while proof is not None:
            before, proof = proof
            joined = conjoin(before, node)
            if joined is None:  # it holds in no world
                return
            node = joined
        arguments = rule.answer(table.key, environment) if table.variables else ground_arguments(table.key)
        if self.proved is not None:
            self.proved.append(Proved(table, arguments, rule, environment))
        if table.consumers and table.variables and max(arguments) >= table.known:
            self._grow(table, rule, arguments)
        self._add(table, arguments, node)

    def _grow(self, table: Table, rule: Rule, arguments: tuple[int, ...]) -> None:
        """Count an answer of a table on a cycle that holds a new term, in case that this goes on without end."""
        table.growth += arguments not in table.entries
        predicate = table.predicate
        self._meter.check_growth(
            table.growth,
            lambda: rule.location or predicate.location,
            lambda: self._goal(predicate, table.key),
            lambda: self._goal(predicate, (predicate.number, *arguments)),
        )

    def _add(self, table: Table, arguments: tuple[int, ...], node: int) -> None:
        answer = table.entries.get(arguments)
        if answer is None:
            answer = table.entries[arguments] = Answer(arguments, node)
            table.listed.append(answer)
            if table.consumers:
                self._news[table] = None
        elif answer.opened is None:
            answer.nodes.append(node)
        elif answer.opened:
            self.target.add_disjunct(answer.opened, node)

    def _complete(self, table: Table) -> None:
        target = self.target
        for answer in table.listed:
            arguments, nodes, opened = answer.arguments, answer.nodes, answer.opened
            node: Key
            if opened is None:
                node = nodes[0] if len(nodes) == 1 else target.add_or(nodes)
            else:
                node = TRUE_KEY if opened and target.is_certain(opened) else opened
            assert node is not None  # a proof that holds in no world is none
            table.solutions.append((arguments, node))
            if table.variables and not table.sees_bindings and not table.predicate.are_facts:
                self.ground.setdefault((table.key[0], *arguments), node)
        if not table.variables:
            self.ground[table.key] = table.solutions[0][1] if table.solutions else FALSE_KEY
        table.complete = True
        table.entries, table.listed, table.consumers = {}, [], []


def _innermost(waiting: list[Table]) -> StoppedAt | None:
    """The goal that is being evaluated; one of the program's, and no body of an annotated disjunction."""
    named = (t for t in reversed(waiting) if t.predicate.location is not None)
    return next((StoppedAt(f"{t.predicate.functor}/{len(t.key) - 1}", t.predicate.location) for t in named), None)


def ground_arguments(call: Atom) -> tuple[int, ...]:
    """The arguments of a call that holds no variable."""
    return cast(tuple[int, ...], call[1:])
