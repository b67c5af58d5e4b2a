"""Which gates of a formula make one variable: the values of an annotated disjunction under all its bodies.

The rows of a conditional probability table are clauses ``p1 :: x(1); p2 :: x(2) :- parent(1).`` and so on. In the
ground program each row is a choice of its own, and ``x(1)`` and ``x(2)`` are disjunctions over all rows. As gates and
choices by themselves they would be one Boolean variable a value and one choice a row, whose relations do not fit in
memory before the parents are known. So they are one *group*: its variable says which of its heads hold, and given the
parents all the rows' choices but one are summed out at once.

A choice is a *row* where the conjunctions that read it have nothing else in which they differ; the disjunction above
such a conjunction is a head. Heads that share a row are one group. All this is read off what the gates mean, not off
their form: rows may lack heads or parents, as certain and impossible ones do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from deepplp.compilation.elimination.groups import LONG, MOST_HEADS, Group, Input, Row, read_below
from deepplp.compilation.elimination.guests import with_guests
from deepplp.compilation.elimination.propagation import Gate, Literal, Simplified, TooWideError
from deepplp.formula import Atom, strongly_connected

__all__ = ["groups_of"]

_FEW = 32  # combinations of its inputs for which a group takes in what it alone reads
_CHUNK = 64  # combinations of the inputs of one link of a chain
_ROWS = 64  # combinations of what a table reads, for each of its rows
_MANY = 1 << 17  # combinations of the parents of a table

_TOO_WIDE = "a gate reads too much"


def groups_of(simple: Simplified) -> list[Group]:
    """The groups that the goals need, each behind those that it reads; long gates become chains of new gates.

    New gates are appended to those of ``simple``.

    Raises:
        TooWideError: a gate reads too much to be a relation.
    """
    banned: set[int] = set()  # choices that are no rows, though they look like some
    while True:
        found = _Grouping(simple, banned)
        more = found.misfits()
        if not more:
            return found.in_order()
        banned |= more


class _Grouping:
    """One way to make groups; ``banned`` are choices that are no rows."""

    def __init__(self, simple: Simplified, banned: set[int]) -> None:
        self._gates = simple.gates
        self._goals = {abs(q) - 1 for q in simple.queries if not isinstance(q, bool)}
        self._goals.update(abs(c) - 1 for c in simple.clauses)
        self._users: list[list[Literal]] = [[] for _ in self._gates]  # gates, with the sign of what they read
        atoms: dict[int, list[int]] = {}
        for number, gate in enumerate(self._gates):
            if isinstance(gate, Atom):
                atoms.setdefault(gate.choice, []).append(number)
            else:
                for child in gate.children:
                    self._users[abs(child) - 1].append(number + 1 if child > 0 else -number - 1)
        # Of choices: their classes of values.
        self._sizes = {choice: min(len(found) + 1, len(simple.domains[choice])) for choice, found in atoms.items()}
        self._row_of: dict[int, int] = {}  # conjunctions that are rows: their choice
        self._head_of: dict[int, int] = {}  # of a row's conjunction
        rows: dict[int, tuple[tuple[Literal, ...], dict[int, int]]] = {}
        for choice, found in atoms.items():
            if choice not in banned and choice not in simple.restricted:
                row = self._row(found)
                if row is not None:
                    rows[choice] = row
                    for conjunction in row[1].values():
                        self._row_of[conjunction] = choice
                        self._head_of[conjunction] = self._head(conjunction)
        self._group: dict[int, Group] = {}  # of each head
        self._make_groups(rows)
        self._inline()

    def _row(self, atoms: Iterable[int]) -> tuple[tuple[Literal, ...], dict[int, int]] | None:
        """The body of a choice that is a row, and the conjunction of each of its values; None for another choice."""
        body: frozenset[Literal] | None = None
        found: dict[int, int] = {}
        for atom in atoms:
            value = self._gates[atom]
            assert isinstance(value, Atom)
            if atom in self._goals or len(self._users[atom]) != 1:
                return None
            (user,) = self._users[atom]
            above = self._gates[abs(user) - 1]
            if user < 0 or not isinstance(above, Gate) or above.is_or or user - 1 in self._row_of:
                return None
            rest = frozenset(above.children) - {atom + 1}
            if body is not None and rest != body:
                return None
            body = rest
            found[value.value] = user - 1
        return (tuple(sorted(body or ())), found)

    def _head(self, conjunction: int) -> int:
        users = self._users[conjunction]
        if conjunction not in self._goals and len(users) == 1 and users[0] > 0:
            above = self._gates[users[0] - 1]
            if isinstance(above, Gate) and above.is_or:
                return users[0] - 1
        return conjunction

    def _make_groups(self, rows: dict[int, tuple[tuple[Literal, ...], dict[int, int]]]) -> None:
        for _, conjunctions in rows.values():
            heads = sorted({self._head_of[c] for c in conjunctions.values()})
            known = [self._group[h] for h in heads if h in self._group]
            group = known[0] if known else Group(())
            members = dict.fromkeys([*group.heads, *(h for other in known for h in other.heads), *heads])
            group.heads = tuple(members)
            for head in members:
                self._group[head] = group
        for choice, (body, conjunctions) in rows.items():
            pairs = tuple((value, self._head_of[c]) for value, c in conjunctions.items())
            self._group[pairs[0][1]].rows.append(Row(choice, body, pairs))
        for number, gate in enumerate(self._gates):
            if isinstance(gate, Gate) and number not in self._row_of and number not in self._group:
                self._group[number] = Group((number,))
        for head, group in self._group.items():
            if head in self._row_of:
                group.children[head] = ()
            else:
                gate = self._gates[head]
                assert isinstance(gate, Gate)
                group.children[head] = tuple(c for c in gate.children if self._head_of.get(abs(c) - 1) != head)

    def _inputs_of(self, literals: Iterable[Literal], inlined: set[int]) -> set[Input]:
        """What literals read, in place of what is inlined that one's children."""
        return set(map(self._input, read_below(self._gates, literals, inlined)[0]))

    def _input(self, number: int) -> Input:
        gate = self._gates[number]
        if isinstance(gate, Atom):
            return "choice", gate.choice
        group = self._group.get(number)
        return ("gate", number) if group is None or len(group.heads) == 1 else ("group", group.heads[0])

    def _combinations(self, inputs: Iterable[Input]) -> int:
        sizes = [
            self._sizes[n] if kind == "choice" else len(self._group[n].heads) + 1 if kind == "group" else 2
            for kind, n in inputs
        ]
        return math.prod(sizes)

    def _inline(self) -> None:
        """Decide which gates a group takes in, so that they are no variables of its relation.

        A table's conjunctions are taken in where the whole table fits, whoever else reads them; other gates where only
        one group reads them and its relation does not grow.
        """
        tables = {id(group): self._table(group) for group in self._groups()}
        owners: dict[int, list[Group]] = {head: [group] for head, group in self._group.items()}
        for conjunction, head in self._head_of.items():
            owners[conjunction] = [self._group[head]]
        inputs: dict[int, set[Input]] = {}
        for number in range(len(self._gates) - 1, -1, -1):
            gate, group = self._gates[number], self._group.get(number)
            if not isinstance(gate, Gate) or group is None or group.rows or number in self._goals:
                continue
            readers = list({id(g): g for u in self._users[number] for g in owners[abs(u) - 1]}.values())
            willing: list[Group] = []
            for reader in readers:
                if id(reader) not in inputs:
                    inputs[id(reader)] = self._inputs_of(reader.literals, reader.inlined)
                mine, own = inputs[id(reader)], self._inputs_of(gate.children, reader.inlined)
                alone = len(readers) == 1 and self._makes_less(mine, ("gate", number), own)
                if alone or number in tables[id(reader)] or own <= mine:
                    willing.append(reader)
                    reader.inlined.add(number)
                    mine.discard(("gate", number))
                    mine |= own
            owners[number] = willing
            if len(willing) == len(readers):
                del self._group[number]
            else:
                owners[number].append(group)

    def _table(self, group: Group) -> set[int]:
        """The conjunctions of a group's bodies, if a table over what they read is not too large."""
        found: set[int] = set()
        stack = [c for row in group.rows for c in row.body]
        for head, children in group.children.items():
            gate = self._gates[head]
            if isinstance(gate, Gate) and gate.is_or:
                stack.extend(children)
        size = len(stack)
        while stack:
            literal = stack.pop()
            gate = self._gates[abs(literal) - 1]
            kept = literal - 1 in found or literal - 1 in self._goals or literal - 1 in self._row_of
            if literal > 0 and isinstance(gate, Gate) and not gate.is_or and not kept:
                found.add(literal - 1)
                stack.extend(gate.children)
        most = _MANY if group.rows else max(_CHUNK, _ROWS * size)
        return found if self._combinations(self._inputs_of(group.literals, found)) <= most else set()

    def _makes_less(self, inputs: set[Input], gate: Input, own: set[Input]) -> bool:
        """Whether a group may read what a gate reads in its place; a group that is a chain takes it link by link."""
        if len(inputs) > LONG or self._combinations(inputs) > _CHUNK * _CHUNK:
            return self._combinations(own) <= _CHUNK
        after = (inputs - {gate}) | own
        return self._combinations(after) <= max(self._combinations(inputs), _FEW)

    def _groups(self) -> list[Group]:
        return list({id(group): group for group in self._group.values()}.values())

    def misfits(self) -> set[int]:
        """The choices of rows that do not fit: of groups that are too large, or that read each other."""
        found: set[int] = set()
        for group in self._groups():
            if not group.rows:
                continue
            too_many = self._combinations(self._inputs_of(group.literals, group.inlined)) > _MANY
            if (too_many or len(group.heads) > MOST_HEADS) and len(group.heads) > 1:
                found.update(row.choice for row in group.rows)
            elif too_many:
                found.update(
                    row.choice
                    for row in group.rows
                    if self._combinations(self._inputs_of(row.body, group.inlined)) > _CHUNK * _CHUNK
                )
        for component in self._components():
            if len(component) > 1 or component[0] in self._below(component[0]):
                found.update(row.choice for head in component for row in self._group[head].rows)
        return found

    def _below(self, head: int) -> list[int]:
        """The first heads of the groups that a group reads, given its own."""
        group = self._group[head]
        inputs = self._inputs_of(group.literals, group.inlined)
        return sorted({self._group[n].heads[0] for kind, n in inputs if kind != "choice"})

    def _components(self) -> list[list[int]]:
        starts = [self._group[n].heads[0] for n in sorted(self._goals) if n in self._group]
        return list(strongly_connected(dict.fromkeys(starts), self._below))

    def in_order(self) -> list[Group]:
        """The groups, each behind those that it reads, long ones cut into chains, with their guests."""
        found: list[Group] = []
        for (head,) in self._components():
            group = self._group[head]
            few = _MANY if group.rows else _CHUNK * _CHUNK
            if self._combinations(self._inputs_of(group.literals, group.inlined)) <= few:
                found.append(group)
            else:
                found.extend(self._chain(group))
        return with_guests(found, [self._inputs_of(g.literals, g.inlined) for g in found])

    def _chain(self, group: Group) -> list[Group]:
        """A group of one head as a chain: each link adds to the last one as many children and rows as fit."""
        (head,) = group.heads
        gate = self._gates[head]
        assert isinstance(gate, Gate)
        if head in self._row_of:
            raise TooWideError(_TOO_WIDE)
        items: list[Literal | Row] = [*sorted(group.children[head], key=abs), *group.rows]
        links: list[Group] = []
        last: Literal | None = None
        while items:
            inputs: set[Input] = set() if last is None else {("gate", last - 1)}
            taken: list[Literal | Row] = []
            for item in items:
                own = self._inputs_of(item.body if isinstance(item, Row) else [item], group.inlined)
                if taken and self._combinations(inputs | own) > _CHUNK:
                    break
                inputs |= own
                taken.append(item)
            if self._combinations(inputs) > _MANY:
                raise TooWideError(_TOO_WIDE)
            items = items[len(taken) :]
            children = [item for item in taken if not isinstance(item, Row)] + ([] if last is None else [last])
            number = len(self._gates) if items else head
            if items:
                self._gates.append(Gate(gate.is_or, tuple(children)))
                self._group[number] = Group((number,))
            rows = [
                Row(i.choice, i.body, tuple((value, number) for value, _ in i.heads))
                for i in taken
                if isinstance(i, Row)
            ]
            link = Group((number,), rows, {number: tuple(children)}, group.inlined)
            self._group[number] = link
            links.append(link)
            last = number + 1
        return links
