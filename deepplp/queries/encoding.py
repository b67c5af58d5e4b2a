"""A header as JSON, for files and for other processes. What is read is checked: a file may hold anything."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from deepplp.errors import Position
from deepplp.formula import NONE, Choice, Computed, Fixed, Learnable, Neural, Observed, Origin, Value
from deepplp.program import EncodedItem, Program, Term, decoded_term, encoded_term
from deepplp.queries.header import Header

__all__ = ["decoded", "encoded"]

_SUM_TOLERANCE = 1e-5  # above what grounding lets stated probabilities differ from a sum of one


def encoded(header: Header, program: Program) -> dict[str, Any]:
    """A header as JSON: terms as `encoded_term` writes them, each once."""
    files = [t.name for t in program.texts]
    terms = _Written()
    return {
        "choices": [
            [[terms.number(v) for v in c.values], _encoded_origin(c.origin, terms), _encoded_place(c.position, files)]
            for c in header.choices
        ],
        "queries": list(map(terms.number, header.queries)),
        "known": list(map(terms.number, header.evidence)),
        "unanswered": list(map(terms.number, header.unanswered)),
        "impossible": list(header.impossible),
        "terms": terms.items,
    }


class _Written:
    """Terms by number, each written once; -1 is no term but ``NONE``."""

    def __init__(self) -> None:
        self.items: list[list[EncodedItem]] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Value) -> int:
        """The number of a value."""
        if not isinstance(value, Term):
            return -1
        items = encoded_term(value)
        text = json.dumps(items)
        if text not in self._numbers:
            self._numbers[text] = len(self.items)
            self.items.append(items)
        return self._numbers[text]


def _encoded_place(position: Position | None, files: list[str]) -> list[int] | None:
    if position is None or position.file not in files:
        return None
    return [files.index(position.file), position.line, position.column]


def _encoded_origin(origin: Origin, terms: _Written) -> list[Any]:
    match origin:
        case Fixed():
            return ["fixed", list(origin.probabilities)]
        case Neural():
            inputs = list(map(terms.number, origin.inputs))
            return ["neural", origin.declaration.index, inputs, origin.label, origin.labels]
        case Learnable():
            arguments = list(map(terms.number, origin.arguments))
            return ["learnable", origin.clause.index, arguments, list(origin.fixed), list(origin.initial)]
        case Observed():
            return ["observed", terms.number(origin.term)]
        case Computed():
            return ["computed", [p if isinstance(p, float) else [terms.number(p)] for p in origin.probabilities]]


def decoded(content: Mapping[str, Any], program: Program) -> Header:
    """The header that `encoded` wrote.

    Raises:
        ValueError, TypeError, KeyError: it cannot have written this.
    """
    reading = _Reading([decoded_term(items) for items in content["terms"]], program)
    choices = tuple(reading.choice(*entry) for entry in content["choices"])
    queries, known, unanswered = (reading.terms(content[name]) for name in ("queries", "known", "unanswered"))
    impossible = tuple(_index(number, len(queries)) for number in content["impossible"])
    return Header(choices, queries, known, unanswered, impossible)


class _Reading:
    """Reads the parts of a header, whose terms and places are numbers."""

    def __init__(self, terms: Sequence[Term], program: Program) -> None:
        self._terms = terms
        self._program = program

    def terms(self, numbers: Sequence[int]) -> tuple[Term, ...]:
        """The terms of some numbers."""
        return tuple(self._terms[_index(n, len(self._terms))] for n in numbers)

    def choice(self, values: Sequence[int], origin: Sequence[Any], place: Sequence[int] | None) -> Choice:
        """A choice, whose origin gives a weight for every value."""
        named: tuple[Value, ...] = tuple(NONE if n == -1 else self.terms([n])[0] for n in values)
        return Choice(named, self._origin(origin, len(named)), self._place(place))

    def _origin(self, entry: Sequence[Any], values: int) -> Origin:
        match entry:
            case ["fixed", list(probabilities)]:
                given = _probabilities(probabilities, values)
                if abs(math.fsum(given) - 1) > _SUM_TOLERANCE:
                    raise ValueError("the probabilities of a choice do not sum to one")
                return Fixed(given)
            case ["neural", index, list(inputs), label, labels]:
                return self._neural(index, inputs, label, labels, values)
            case ["learnable", index, list(arguments), list(fixed), list(initial)]:
                clauses = self._program.learnables
                clause = clauses[_index(index, len(clauses))]
                start = _probabilities(initial, values)
                stated = tuple(None if p is None else _probabilities([p], 1)[0] for p in fixed)
                if not clause.admits(stated, len(arguments)) or clause.distribution(stated) != start:
                    raise ValueError("a learnable choice is not that of its clause")
                return Learnable(clause, self.terms(arguments), stated, start)
            case ["observed", number] if values == 2:
                return Observed(self.terms([number])[0])
            case ["computed", list(probabilities)] if values - len(probabilities) in (0, 1) and values > 1:
                return Computed(
                    tuple(self.terms(p)[0] if isinstance(p, list) else _probabilities([p], 1)[0] for p in probabilities)
                )
        raise ValueError("a choice has no such origin")

    def _neural(self, index: int, inputs: Sequence[int], label: Any, labels: Any, values: int) -> Neural:
        declarations = self._program.declarations
        declaration = declarations[_index(index, len(declarations))]
        kind = declaration.kind
        if kind == "independent":
            _index(label, _index(labels, 1 << 62))
        elif label is not None or labels != 0 or kind == "tensor":
            raise ValueError("a neural choice is not that of its declaration")
        if values == 0 or (kind != "categorical" and values != 2):
            raise ValueError("a neural choice has another number of values")
        if len(inputs) != len(declaration.inputs):
            raise ValueError("a neural choice has another number of inputs")
        return Neural(declaration, self.terms(inputs), label, labels)

    def _place(self, entry: Sequence[int] | None) -> Position | None:
        if entry is None:
            return None
        number, line, column = entry
        text = self._program.texts[_index(number, len(self._program.texts))]
        return text.at(1 + _index(line - 1, text.lines), 1 + _index(column - 1, 1 << 62))


def _index(number: object, count: int) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < count:
        raise ValueError(f"{number!r} is no number below {count}")
    return number


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _probabilities(entry: Sequence[object], count: int) -> tuple[float, ...]:
    found = tuple(float(p) for p in entry if _is_number(p) and 0.0 <= p <= 1.0)
    if len(found) != len(entry) or len(found) != count:
        raise ValueError("a choice has other values, or what is no probability")
    return found
