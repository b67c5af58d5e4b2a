"""ProbLog's clause data base, as one that is loaded once and that runs extend without changing it.

An extension holds what is added to it, and sees everything else in the data base below: a predicate that it changes
has a list of clauses of its own there. So a query may assert and retract clauses, and the next one knows nothing of it.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from problog.clausedb import ClauseDB
from problog.program import LogicProgram

from deepplp.grounding.clause_base import ClauseTerm, Location
from deepplp.grounding.problog.clause_index import ClauseIndex
from deepplp.grounding.problog.modules import exclusive, run_module, shipped_functions
from deepplp.grounding.problog.vocabulary import Arguments, BuiltinFunction
from deepplp.program import Constant, Program, Term

__all__ = ["Database", "Span"]

_ROOM = 1 << 20  # nodes that a data base may still get while an extension of it is in use


class Span(NamedTuple):
    """Where the nodes from the number ``first`` on come from: a statement of the program, or a library."""

    first: int
    statement: int | None = None
    library: str | None = None


class Database(ClauseDB):  # type: ignore[misc]  # problog has no types
    """Clauses by number. ``builtins`` are the numbers of built-ins by their signatures."""

    def __init__(self, builtins: Mapping[str, int], below: Database | None = None) -> None:
        super().__init__(builtins=builtins, parent=below)
        self._table = builtins
        self._below = below
        # ProbLog lets an extension count on from the nodes that there are. Those that are added below while the
        # extension is in use would then have the numbers of its own.
        self._first = self._ClauseDB__offset = 0 if below is None else len(below) + _ROOM
        self._is_for_goal = below is not None
        self._groups: dict[int, list[int]] = {}  # the numbers of an annotated disjunction's choices
        self._spans = [Span(self._first)]
        self._modules: dict[str, list[Term]] = {}  # what Python files define, by their paths
        self._exported: list[Term] = []  # by the Python file that is being run
        if below is not None:
            self._modules = below._modules
            for shared in ("engine", "data", "dont_cache", "source_root", "extra_info"):
                setattr(self, shared, getattr(below, shared))
            for copied in ("source_parent", "line_info"):
                setattr(self, copied, getattr(below, copied)[:])

    @classmethod
    def of_program(cls, program: Program, builtins: Mapping[str, int]) -> Database:
        """A data base for a program's clauses, which knows its texts; it holds what all programs have."""
        database = cls(builtins)
        database.source_root = program.root
        database.source_files = [os.path.abspath(text.name) for text in program.texts]
        database.source_parent = [None] * len(program.texts)
        database.line_info = [
            [-1, *(i for i, c in enumerate(text.content) if c == "\n"), len(text.content)] for text in program.texts
        ]
        ClauseDB._load_builtin_module(database)
        return database

    def _load_builtin_module(self) -> None:
        """ProbLog would load these clauses into every extension, and count them to the program's first file."""

    def extend(self) -> Database:
        """A data base with the same clauses, for those of one goal more."""
        return Database(self._table, self)

    def for_run(self) -> Database:
        """A data base with the same clauses, from which nothing that a run does comes back."""
        extended = self.extend()
        extended._is_for_goal = False
        extended._modules = dict(self._modules)
        extended.data, extended.dont_cache = dict(self.data), set(self.dont_cache)
        return extended

    def is_defined(self, signature: str) -> bool:
        """Whether a predicate such as ``"member/2"`` is a built-in or has clauses, those of libraries included."""
        if self.get_builtin(signature) is not None:
            return True
        name, _, arity = signature.rpartition("/")
        found = self.find(Term(name, *[None] * int(arity)))
        return found is not None and bool(self.get_node(found))

    # Where nodes come from.

    def mark(self, statement: int | None = None, library: str | None = None) -> None:
        """From now on, nodes come from a statement, a library, or neither."""
        self._spans.append(Span(len(self), statement, library))

    def span_of(self, number: int) -> Span:
        """Where a node comes from."""
        if number < self._first and self._below is not None:
            return self._below.span_of(number)
        return self._spans[bisect_right(self._spans, number, key=lambda s: s.first) - 1]

    def add_all(self, program: LogicProgram) -> tuple[str | None, list[Term] | None]:
        """Add the clauses of a file: the name of its module, and what that exports."""
        self.mark(library=os.path.splitext(os.path.basename(program.source_files[0]))[0])
        name, exported = super().add_all(program)
        self.mark()
        return name, exported

    # An extension's choices get groups of their own: ProbLog numbers them as it does those below.

    def _add_choice_node(
        self, choice: int, functor: Term, args: tuple[int, ...], probability: ClauseTerm | None,
        locvars: frozenset[int], group: int, location: Location = None, scope: str | None = None,
    ) -> int:  # fmt: skip
        own = self._first + group
        number: int = super()._add_choice_node(choice, functor, args, probability, locvars, own, location, scope)
        self._groups.setdefault(own, []).append(number)
        return number

    def _add_clause_node(
        self, head: Term, body: int, varcount: int, locvars: frozenset[int], group: int | None = None
    ) -> int:
        own = None if group is None else self._first + group
        number: int = super()._add_clause_node(head, body, varcount, locvars, own)
        return number

    def choices(self, group: int) -> list[int]:
        """The numbers of an annotated disjunction's choices."""
        return self._below.choices(group) if group < self._first and self._below is not None else self._groups[group]

    # Predicates that Python decides.

    def define(self, name: str, arity: int, function: BuiltinFunction, scope: str | None = None) -> None:
        """Let Python decide a predicate."""
        head = self._scope_term(Term(name, *[None] * arity), scope)
        extern = self._extern(head.functor, arity, function)
        number = self.find(head)
        if number is None:
            self._set_head(head, self._append_node(extern))
        elif number >= self._first and not self.get_node(number):
            self._set_node(number, extern)
        else:
            self._add_define_node(head, self._append_node(extern))

    def add_extern(self, predicate: str, arity: int, func: BuiltinFunction, scope: str | None = None) -> None:
        """Take what a Python file of the program's exports by ProbLog's decorators."""
        self.define(predicate, arity, exclusive(func), scope)
        self._exported.append(Term("'/'", Term(predicate), Constant(arity)))

    def load_external_module(self, filename: str) -> tuple[str, list[Term]]:
        """Load a Python file once: the name of its module, and what that exports."""
        name = os.path.splitext(os.path.basename(filename))[0]
        if filename not in self._modules:
            functions = shipped_functions(filename)
            self._exported = [Term("'/'", Term(n), Constant(arity)) for n, arity, _ in functions or ()]
            for predicate, arity, function in functions or ():
                self.define(predicate, arity, function, name)
            if functions is None:
                run_module(name, filename, self)
            self._modules[filename] = self._exported
        return name, self._modules[filename]

    # Clauses that come and go.

    def _add_head(self, head: Term, create: bool = True) -> int:
        # A goal may call a predicate that gets its first clause while the goal is evaluated.
        if not create and self._is_for_goal and self._below is not None and self.find(head) is None:
            return self._below._add_head(head, create=False)
        number: int = super()._add_head(head, create)
        return number

    def _create_index(self, arity: int) -> ClauseIndex:
        return ClauseIndex(self._head_arguments, arity)

    def _head_arguments(self, number: int) -> Arguments:
        node = self.get_node(number)
        arguments: Arguments = node.args if hasattr(node, "args") else [None] * node.arity
        return arguments

    def declare(self, signature: str) -> None:
        """Make a predicate known, which may have no clauses."""
        name, _, arity = signature.rpartition("/")
        number = self._add_head(Term(name, *[None] * int(arity)))
        if not self.get_node(number):
            self._set_node(number, self._define(name, int(arity), self._create_index(int(arity)), None))

    def matching(self, head: Term) -> Iterator[tuple[int, Term]]:
        """The facts and clauses of a predicate that may unify with a head; their variables count from 0."""
        for number in list(self._clauses(head).find(head.args)):
            if type(self.get_node(number)).__name__ in ("fact", "clause"):
                yield number, self._create_ints(self.to_clause(number))

    def erase(self, head: Term, numbers: Iterable[int]) -> None:
        """Take clauses out of a predicate."""
        if self._clauses(head):
            self.get_node(self._add_head(head)).children.erase(numbers)

    def _clauses(self, head: Term) -> ClauseIndex:
        found = self.find(head)
        node = self.get_node(found) if found is not None and found >= 0 else None
        known: ClauseIndex | None = node.children if node and type(node).__name__ == "define" else None
        return ClauseIndex(self._head_arguments, head.arity) if known is None else known
