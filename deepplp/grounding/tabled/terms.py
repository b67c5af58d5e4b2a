"""Terms as numbers: every ground term has one, so that terms are equal where their numbers are.

A *pattern* is a term of a clause. It is a number where the term is ground, ``~n`` for variable n of the clause, and a
tuple of the functor's number and patterns for a term that holds a variable. An *environment* is a list with a pattern
for every variable that is bound, and None for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from deepplp.grounding.clause_base import ClauseTerm, Location
from deepplp.program import Constant, Term, Var, readable, written

__all__ = ["Environment", "Number", "OutsideFragment", "Pattern", "Terms"]

Pattern: TypeAlias = "int | tuple[int, *tuple[Pattern, ...]]"
Environment: TypeAlias = "list[Pattern | None]"
Number: TypeAlias = int | float

_SURELY_WRITABLE = 1 << 62


class OutsideFragment(Exception):  # noqa: N818 (no error: ProbLog's engine takes over)
    """Tabled evaluation meets what it does not know, or what is an error that ProbLog's engine reports.

    ``reason`` says why as a clause of a sentence. ``location`` is the innermost place that is known, ``clause`` the
    number of the clause that was being evaluated.
    """

    def __init__(self, reason: str, location: Location = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.location = location
        self.clause: int | None = None

    def place(self, location: Location) -> None:
        """Say where it is, unless a closer place is known."""
        if self.location is None:
            self.location = location


def _writable(value: int) -> int:
    if -_SURELY_WRITABLE < value < _SURELY_WRITABLE:
        return value
    try:
        written(value)
    except OverflowError as error:
        raise OutsideFragment(f"arithmetic has no value: {error}") from None
    return value


class Terms:
    """Ground terms and their numbers.

    Two terms that unify although they are written differently, such as ``a`` and ``'a'``, are outside of the fragment:
    it would matter which of the two is shown. ``inputs`` are the names of the tensors that the run is given.
    """

    __slots__ = ("_atoms", "_functors", "_integers", "_numbers", "_shapes", "_shown", "compounds", "inputs", "values")

    def __init__(self) -> None:
        self.inputs: Collection[str] = frozenset()
        self.compounds: list[tuple[int, ...] | None] = []  # functor and arguments; None for atomic terms
        self.values: list[Number | None] = []  # of numbers
        self._shown: list[Term | None] = []
        self._integers: dict[int, int] = {}
        self._atoms: dict[str, int] = {}
        self._numbers: dict[tuple[int, ...], int] = {}  # of compounds
        self._functors: dict[tuple[str, int], int] = {}
        self._shapes: list[tuple[str, int | None, str | None]] = []  # functor, priority, specification as an operator

    def __len__(self) -> int:
        return len(self.compounds)

    def number(self, value: Number) -> int:
        """The number of the term that a number is."""
        if type(value) is int:
            found = self._integers.get(value)
            return self._atomic(Constant(_writable(value))) if found is None else found
        if type(value) is float:
            return self._atomic(Constant(value or 0.0))  # there is one zero
        raise OutsideFragment(f"{value!r} is neither an integer nor a float")

    def compound(self, parts: tuple[int, ...]) -> int:
        """The number of the term of a functor and ground arguments."""
        found = self._numbers.get(parts)
        if found is None:
            found = self._numbers[parts] = self._new(parts, None, None)
        return found

    def _new(self, parts: tuple[int, ...] | None, value: Number | None, shown: Term | None) -> int:
        self.compounds.append(parts)
        self.values.append(value)
        self._shown.append(shown)
        return len(self.compounds) - 1

    def _atomic(self, term: Term) -> int:
        text = str(term.functor).strip("'")
        found = self._atoms.get(text)
        if found is not None:
            known = self._shown[found]
            assert known is not None  # only compounds are made when they are first shown
            if type(known) is not type(term) or type(known.functor) is not type(term.functor) or (
                known.functor != term.functor
            ):  # fmt: skip
                raise OutsideFragment(f"{known} and {term} are written differently and unify")
            return found
        value = term.functor
        number = value if type(value) in (int, float) and isinstance(term, Constant) and value == value else None
        if number is None and not isinstance(value, str):
            raise OutsideFragment(f"{term} is neither a number nor an atom")
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
            raise OutsideFragment(f"{key[0]}/{key[1]} is written in two ways that unify")
        return found

    def pattern(self, term: ClauseTerm) -> Pattern:
        """A clause's term: its variables are integers from 0 on; those of a call, -1, -2 and so on, are ~0, ~1 …"""
        found: list[Pattern] = []
        stack: list[tuple[ClauseTerm, bool]] = [(term, False)]
        while stack:
            current, complete = stack.pop()
            if isinstance(current, int):
                found.append(~current if current >= 0 else current)
            elif type(current) not in (Term, Constant) or current.probability is not None:
                raise OutsideFragment(f"{readable(current)} as an argument is not spoken by the tabled engine")
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
        return self.compound((functor, *arguments))  # type: ignore[arg-type]  # numbers, all of them

    def term(self, number: int) -> Term:
        """The ground term of a number."""
        stack = [number]
        while stack:
            current = stack[-1]
            parts = self.compounds[current]
            if self._shown[current] is not None or parts is None:
                stack.pop()
                continue
            arguments = [self._shown[a] for a in parts[1:]]
            if any(a is None for a in arguments):
                stack.extend(a for a in parts[1:] if self._shown[a] is None)
                continue
            functor, priority, specification = self._shapes[parts[0]]
            self._shown[current] = Term(functor, *arguments, priority=priority, opspec=specification)
            stack.pop()
        return self._shown[number]

    def clause_term(self, pattern: Pattern) -> ClauseTerm:
        """The term of a resolved pattern, its variables as the negative integers that built-ins take."""
        if isinstance(pattern, int):
            return self.term(pattern) if pattern >= 0 else pattern
        functor, priority, specification = self._shapes[pattern[0]]
        return Term(functor, *map(self.clause_term, pattern[1:]), priority=priority, opspec=specification)

    def open_term(self, pattern: Pattern, names: Sequence[str]) -> Term:
        """The term of a resolved pattern, its variables by their names; ``_`` where they have none."""
        if isinstance(pattern, int):
            if pattern >= 0:
                return self.term(pattern)
            return Var(names[~pattern] if ~pattern < len(names) else "_")
        functor, priority, specification = self._shapes[pattern[0]]
        arguments = [self.open_term(a, names) for a in pattern[1:]]
        return Term(functor, *arguments, priority=priority, opspec=specification)

    def resolve(self, pattern: Pattern, environment: Environment) -> Pattern:
        """A pattern with all that is bound put in: a number if that makes it ground."""
        while isinstance(pattern, int):
            if pattern >= 0:
                return pattern
            bound = environment[~pattern]
            if bound is None:
                return pattern
            pattern = bound
        return self._built(pattern[0], [self.resolve(a, environment) for a in pattern[1:]])

    def free_variables(self, patterns: Iterable[Pattern], environment: Environment) -> set[int]:
        """The variables that patterns hold in an environment."""
        found: set[int] = set()
        stack = [self.resolve(p, environment) for p in patterns]
        while stack:
            pattern = stack.pop()
            if not isinstance(pattern, int):
                stack.extend(pattern[1:])
            elif pattern < 0:
                found.add(pattern)
        return found

    def match(self, pattern: Pattern, number: int, environment: Environment) -> bool:
        """Make a pattern the ground term of a number, by binding its variables."""
        while isinstance(pattern, int):
            if pattern >= 0:
                return pattern == number
            bound = environment[~pattern]
            if bound is None:
                environment[~pattern] = number
                return True
            pattern = bound
        parts = self.compounds[number]
        if parts is None or parts[0] != pattern[0]:
            return False
        for i in range(1, len(pattern)):  # noqa: SIM110 (a generator would take twice as long)
            if not self.match(pattern[i], parts[i], environment):
                return False
        return True

    def unify(self, first: Pattern, second: Pattern, environment: Environment) -> bool:
        """Make two patterns equal, by binding variables; False, and some of them bound, where that cannot be."""
        first, second = self._outermost(first, environment), self._outermost(second, environment)
        if isinstance(first, int):
            return self.match(second, first, environment) if first >= 0 else self._bind(first, second, environment)
        if isinstance(second, int):
            return self.match(first, second, environment) if second >= 0 else self._bind(second, first, environment)
        return first[0] == second[0] and all(
            self.unify(a, b, environment) for a, b in zip(first[1:], second[1:], strict=True)
        )

    def _bind(self, variable: int, other: Pattern, environment: Environment) -> bool:
        """Bind a free variable. No term holds itself: that is an error which ProbLog's engine reports."""
        if variable != other:
            stack = [self.resolve(other, environment)]
            while stack:
                current = stack.pop()
                if isinstance(current, tuple):
                    stack.extend(current[1:])
                elif current == variable:
                    raise OutsideFragment("a unification would make an infinite term")
            environment[~variable] = other
        return True

    @staticmethod
    def _outermost(pattern: Pattern, environment: Environment) -> Pattern:
        while isinstance(pattern, int) and pattern < 0:
            bound = environment[~pattern]
            if bound is None:
                return pattern
            pattern = bound
        return pattern

    @staticmethod
    def shifted(pattern: Pattern, by: int) -> Pattern:
        """The pattern with variable n as variable n + ``by``."""
        if isinstance(pattern, int):
            return pattern if pattern >= 0 else pattern - by
        return pattern[0], *(Terms.shifted(a, by) for a in pattern[1:])

    @staticmethod
    def canonical(patterns: list[Pattern]) -> tuple[tuple[Pattern, ...], int]:
        """Resolved patterns with their variables numbered as they come, and how many there are."""
        numbers: dict[int, int] = {}

        def renamed(pattern: Pattern) -> Pattern:
            if isinstance(pattern, int):
                return pattern if pattern >= 0 else ~numbers.setdefault(pattern, len(numbers))
            return pattern[0], *(renamed(a) for a in pattern[1:])

        found: list[Pattern] = []
        for p in patterns:
            if isinstance(p, int):
                found.append(p if p >= 0 else ~numbers.setdefault(p, len(numbers)))
            else:
                found.append(renamed(p))
        return tuple(found), len(numbers)
