"""Tabled evaluation of logic programs over numbered terms: the fast way to ground.

A program whose goals are calls of its own predicates, negations, neural choices, arithmetic and some tests is evaluated
here; ProbLog's engine, which knows all of the language, evaluates the others, and reports all errors. Both give the
same ground program: the same nodes where it has no cycles, the same meaning always.

The evaluation is SLG resolution (Chen and Warren, Tabled evaluation with delaying for general logic programs, J. ACM
1996) with local scheduling and without delaying: every call has a table. A call of a complete table goes on with its
answers; a call of a new table waits until that is evaluated. A call of a table that is being evaluated, which is a
cycle, takes the answers that there are and is resumed for each one more, until the strongly connected tables have no
answers left to pass on: then all of them are complete. A negated call needs a complete table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from deepplp.grounding.tabled.relations import Predicate, Table
from deepplp.grounding.tabled.terms import Pattern, Terms

__all__ = ["Run"]

_STEPS_PER_LOOK = 4096  # some milliseconds


class Run:
    """The tables of goals that are ground together, into one target.

    ``ground`` holds the node of every complete ground goal: 0 where it is certain, None where it fails. ``check`` is
    told of every table that is to be evaluated or has new answers, how many tables wait for it, and where the call
    stands; ``look`` is called now and then. Either may end the run by an exception.
    """

    def __init__(
        self, terms: Terms, target: Any, check: Callable[[Table, int, Any], None], look: Callable[[], None]
    ) -> None:
        self.target = target
        self.ground: dict[tuple[Pattern, ...], int | None] = {}
        self.choices: dict[tuple[Any, ...], int | None] = {}
        self.origins: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.neural: dict[tuple[Any, ...], dict[int, int]] = {}
        self.terms = terms
        self._tables: dict[tuple[Pattern, ...], Table] = {}
        self._check = check
        self._look = look
        self._steps = 0
        self._open: list[Table] = []  # those that are not complete, in the order of their calls
        self._news: dict[Table, None] = {}  # tables with answers that their consumers have not seen
        self._called = 0

    def table(self, predicate: Predicate, key: tuple[Pattern, ...], variables: int) -> Any:
        """The table of a call, or the node of a ground call that needs no table."""
        table = self._tables.get(key)
        if table is None:
            table = Table(predicate, key, variables)
            if predicate.are_facts:
                self._look_up(table)
                if not variables:
                    return self.ground[key]
            self._tables[key] = table
        return table

    def solve(self, predicate: Predicate, arguments: tuple[Pattern, ...], variables: int) -> list[Any]:
        """The answers of a goal, each with its ground node."""
        key = (predicate.number, *arguments)
        if key in self.ground:
            node = self.ground[key]
            return [] if node is None else [(arguments, node)]
        table = self.table(predicate, key, variables)
        if type(table) is not Table:
            return [] if table is None else [(arguments, table)]
        if not table.complete:
            self._evaluate(table)
        return table.solutions

    def _look_up(self, table: Table) -> None:
        """Complete the table of a predicate that has facts alone."""
        for rule in table.predicate.candidates(table.key):
            environment = rule.enter(table.key, table.variables)
            if environment is not None:
                node = rule.goals[0].step(self, environment) if rule.goals else 0
                if node is not None:
                    self._add(table, rule.head, node)
        self._complete(table)

    def _evaluate(self, root: Table) -> None:
        waiting: list[Table] = []
        self._start(root, waiting, None)
        while waiting:
            top = waiting[-1]
            if top.work:
                self._steps += 1
                if not self._steps % _STEPS_PER_LOOK:
                    self._look()
                self._advance(top, waiting)
            elif top.low < top.order:
                waiting.pop()
                waiting[-1].low = min(waiting[-1].low, top.low)
            elif not self._resume(top):
                position = self._open.index(top) if self._open[-1] is not top else len(self._open) - 1
                for table in self._open[position:]:
                    self._complete(table)
                del self._open[position:]
                waiting.pop()

    def _start(self, table: Table, waiting: list[Table], location: Any) -> None:
        self._check(table, len(waiting), location)
        waiting.append(table)
        self._open.append(table)
        self._called += 1
        table.started = True
        table.order = table.low = self._called
        for rule in reversed(table.predicate.candidates(table.key)):
            environment = rule.enter(table.key, table.variables)
            if environment is not None:
                table.work.append((table, rule, 0, environment, None))

    def _advance(self, top: Table, waiting: list[Table]) -> None:
        """Go on with a clause until it ends, fails or has to wait."""
        work = top.work
        table, rule, position, environment, proof = work.pop()
        goals = rule.goals
        while position < len(goals):
            found = goals[position].step(self, environment)
            if type(found) is int:
                if found:
                    proof = (found, proof)
            elif found is None:
                return
            elif type(found) is list:
                for bound, node in reversed(found[1:]):
                    work.append((table, rule, position + 1, bound, (node, proof) if node else proof))
                environment, node = found[0]
                if node:
                    proof = (node, proof)
            elif found.started:
                top.low = min(top.low, found.low)
                consumer = [table, rule, position, environment, proof, 0]
                found.consumers.append(consumer)
                work.extend(reversed(list(self._items(found, consumer))))
                return
            else:
                work.append((table, rule, position, environment, proof))
                self._start(found, waiting, getattr(goals[position], "location", None))
                return
            position += 1
        self._prove(table, rule, environment, proof)

    def _items(self, table: Table, consumer: list[Any]) -> Iterator[tuple[Any, ...]]:
        """A consumer's work for the answers that it has not seen yet."""
        owner, rule, position, environment, proof, seen = consumer
        consumer[5] = len(table.listed)
        for entry in table.listed[seen:]:
            bound = environment.copy()
            if rule.goals[position].bind(entry[0], bound):
                if entry[2] is None:
                    entry[2] = 0 if 0 in entry[1] else self.target.add_or(entry[1], readonly=False)
                node = entry[2]
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

    def _prove(self, table: Table, rule: Any, environment: Any, proof: Any) -> None:
        """A clause has ended: its head is an answer, with the conjunction of its goals' nodes."""
        node = 0
        conjoin = self.target.conjoin
        while proof is not None:
            before, proof = proof
            node = conjoin(before, node)
            if node is None:  # it holds in no world
                return
        self._add(table, rule.answer(table.key, environment) if table.variables else table.key[1:], node)

    def _add(self, table: Table, arguments: tuple[int, ...], node: int) -> None:
        entry = table.entries.get(arguments)
        if entry is None:
            entry = table.entries[arguments] = [arguments, [node], None]
            table.listed.append(entry)
            if table.consumers:
                self._news[table] = None
        elif entry[2] is None:
            entry[1].append(node)
        elif entry[2]:
            self.target.add_disjunct(entry[2], node)

    def _complete(self, table: Table) -> None:
        target = self.target
        for arguments, nodes, opened in table.listed:
            if opened is None:
                node = nodes[0] if len(nodes) == 1 else target.add_or(nodes)
            else:
                node = 0 if opened and 0 in target.get_node(opened).children else opened
            table.solutions.append((arguments, node))
            if table.variables and not table.predicate.are_facts:
                self.ground.setdefault((table.key[0], *arguments), node)
        if not table.variables:
            self.ground[table.key] = table.solutions[0][1] if table.solutions else None
        table.complete = True
        table.entries, table.listed, table.consumers = {}, [], []
