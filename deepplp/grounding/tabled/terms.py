"""Terms as numbers: every ground term has one, so that terms are equal where their numbers are.

A *pattern* is a term of a clause. It is a number where the term is ground, ``~n`` for variable n of the clause, and a
tuple of the functor's number and patterns for a term that holds a variable. An *environment* is a list with a pattern
for every variable that is bound, and None for the others.
"""

from __future__ import annotations

from typing import Any

from problog.logic import Constant, Term

__all__ = ["Environment", "OutsideFragment", "Pattern", "Terms"]

Pattern = Any  # int | tuple[int, Pattern, ...]
Environment = list[Any]


class OutsideFragment(Exception):  # noqa: N818 (no error: ProbLog's engine takes over)
    """Tabled evaluation meets what it does not know, or what is an error that ProbLog's engine reports."""


class Terms:
    """Ground terms and their numbers.

    Two terms that unify although they are written differently, such as ``a`` and ``'a'``, are outside of the fragment:
    it would matter which of the two is shown.
    """

    __slots__ = ("_atoms", "_compounds", "_functors", "_integers", "_shapes", "_shown", "structures", "values")

    def __init__(self) -> None:
        self.structures: list[tuple[int, ...] | None] = []  # functor and arguments; None for atomic terms
        self.values: list[int | float | None] = []  # of numbers
        self._shown: list[Any] = []
        self._integers: dict[int, int] = {}
        self._atoms: dict[str, int] = {}
        self._compounds: dict[tuple[int, ...], int] = {}
        self._functors: dict[tuple[str, int], int] = {}
        self._shapes: list[tuple[Any, ...]] = []  # functor, priority and specification as an operator

    def __len__(self) -> int:
        return len(self.structures)

    def number(self, value: Any) -> int:
        """The number of the term that a number is."""
        if type(value) is int:
            found = self._integers.get(value)
            return self._atomic(Constant(value)) if found is None else found
        if type(value) is float:
            return self._atomic(Constant(value))
        raise OutsideFragment

    def compound(self, structure: tuple[int, ...]) -> int:
        """The number of the term of a functor and ground arguments."""
        found = self._compounds.get(structure)
        if found is None:
            found = self._compounds[structure] = self._new(structure, None, None)
        return found

    def _new(self, structure: tuple[int, ...] | None, value: int | float | None, shown: Term | None) -> int:
        self.structures.append(structure)
        self.values.append(value)
        self._shown.append(shown)
        return len(self.structures) - 1

    def _atomic(self, term: Term) -> int:
        text = str(term.functor).strip("'")
        found = self._atoms.get(text)
        if found is not None:
            known = self._shown[found]
            if type(known) is not type(term) or type(known.functor) is not type(term.functor) or (
                known.functor != term.functor
            ):  # fmt: skip
                raise OutsideFragment
            return found
        value = term.functor
        number = value if type(value) in (int, float) and isinstance(term, Constant) and value == value else None
        if number is None and not isinstance(value, str):
            raise OutsideFragment
        found = self._atoms[text] = self._new(None, number, term)
        if type(number) is int:
            self._integers[number] = found
        return found

    def _functor(self, term: Term) -> int:
        key = str(term.functor).strip("'"), term.arity
        shape = term.functor, term.op_priority, term.op_spec
        found = self._functors.get(key)
        if found is None:
            found = self._functors[key] = len(self._shapes)
            self._shapes.append(shape)
        elif self._shapes[found] != shape:
            raise OutsideFragment
        return found

    def pattern(self, term: Any) -> Pattern:
        """A clause's term: its variables are integers from 0 on; those of a call, -1, -2 and so on, are ~0, ~1 …"""
        found: list[Pattern] = []
        stack: list[tuple[Any, bool]] = [(term, False)]
        while stack:
            current, complete = stack.pop()
            if type(current) is int:
                found.append(~current if current >= 0 else current)
            elif type(current) not in (Term, Constant) or current.probability is not None:
                raise OutsideFragment
            elif current.arity == 0:
                found.append(self._atomic(current))
            elif not complete:
                stack.append((current, True))
                stack.extend((a, False) for a in reversed(current.args))
            else:
                arguments = found[-current.arity :]
                del found[-current.arity :]
                found.append(self._built(self._functor(current), arguments))
        return found[0]

    def _built(self, functor: int, arguments: list[Pattern]) -> Pattern:
        for a in arguments:
            if type(a) is not int or a < 0:
                return functor, *arguments
        return self.compound((functor, *arguments))

    def term(self, number: int) -> Term:
        """The ground term of a number."""
        stack = [number]
        while stack:
            current = stack[-1]
            structure = self.structures[current]
            if self._shown[current] is not None or structure is None:
                stack.pop()
                continue
            arguments = [self._shown[a] for a in structure[1:]]
            if any(a is None for a in arguments):
                stack.extend(a for a in structure[1:] if self._shown[a] is None)
                continue
            functor, priority, specification = self._shapes[structure[0]]
            self._shown[current] = Term(functor, *arguments, priority=priority, opspec=specification)
            stack.pop()
        shown: Term = self._shown[number]
        return shown

    def resolve(self, pattern: Pattern, environment: Environment) -> Pattern:
        """A pattern with all that is bound put in: a number if that makes it ground."""
        while type(pattern) is int:
            if pattern >= 0:
                return pattern
            bound = environment[~pattern]
            if bound is None:
                return pattern
            pattern = bound
        return self._built(pattern[0], [self.resolve(a, environment) for a in pattern[1:]])

    def match(self, pattern: Pattern, number: int, environment: Environment) -> bool:
        """Make a pattern the ground term of a number, by binding its variables."""
        while type(pattern) is int:
            if pattern >= 0:
                return bool(pattern == number)
            bound = environment[~pattern]
            if bound is None:
                environment[~pattern] = number
                return True
            pattern = bound
        structure = self.structures[number]
        if structure is None or structure[0] != pattern[0]:
            return False
        for i in range(1, len(pattern)):  # noqa: SIM110 (a generator would take twice as long)
            if not self.match(pattern[i], structure[i], environment):
                return False
        return True

    def unify(self, first: Pattern, second: Pattern, environment: Environment) -> bool:
        """Make two patterns equal, by binding variables; False, and some of them bound, where that cannot be."""
        first, second = self._outermost(first, environment), self._outermost(second, environment)
        if type(first) is int and first >= 0:
            return self.match(second, first, environment)
        if type(second) is int and second >= 0:
            return self.match(first, second, environment)
        if type(first) is int or type(second) is int:
            variable, other = (first, second) if type(first) is int else (second, first)
            if variable != other:
                self._check_occurrence(variable, other, environment)
                environment[~variable] = other
            return True
        return bool(first[0] == second[0]) and all(
            self.unify(a, b, environment) for a, b in zip(first[1:], second[1:], strict=True)
        )

    @staticmethod
    def _outermost(pattern: Pattern, environment: Environment) -> Pattern:
        while type(pattern) is int and pattern < 0:
            bound = environment[~pattern]
            if bound is None:
                return pattern
            pattern = bound
        return pattern

    def _check_occurrence(self, variable: int, other: Pattern, environment: Environment) -> None:
        """No term holds itself; ProbLog's engine says so."""
        stack = [self.resolve(other, environment)]
        while stack:
            current = stack.pop()
            if type(current) is tuple:
                stack.extend(current[1:])
            elif current == variable:
                raise OutsideFragment

    @staticmethod
    def shifted(pattern: Pattern, by: int) -> Pattern:
        """The pattern with variable n as variable n + ``by``."""
        if type(pattern) is int:
            return pattern if pattern >= 0 else pattern - by
        return pattern[0], *(Terms.shifted(a, by) for a in pattern[1:])

    @staticmethod
    def canonical(patterns: list[Pattern]) -> tuple[tuple[Pattern, ...], int]:
        """Resolved patterns with their variables numbered as they come, and how many there are."""
        numbers: dict[int, int] = {}
        if all(type(p) is int for p in patterns):
            renumbered = [p if p >= 0 else ~numbers.setdefault(p, len(numbers)) for p in patterns]
            return tuple(renumbered), len(numbers)

        def renamed(pattern: Pattern) -> Pattern:
            if type(pattern) is int:
                return pattern if pattern >= 0 else ~numbers.setdefault(pattern, len(numbers))
            return pattern[0], *(renamed(a) for a in pattern[1:])

        return tuple(renamed(p) for p in patterns), len(numbers)
