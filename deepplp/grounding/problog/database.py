"""ProbLog's clause data base, as one that is loaded once and that runs extend without changing it.

An extension holds what is added to it, and sees everything else in the data base below: a predicate that it changes
has a list of clauses of its own there. So a query may assert and retract clauses, and the next one knows nothing of it.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from problog.clausedb import ClauseDB
from problog.errors import ProbLogError

from deepplp.errors import ProgramError, UnsupportedConstructError
from deepplp.grounding.aggregates import AGGREGATE_SIGNATURES
from deepplp.grounding.clause_base import ClauseTerm, Location
from deepplp.grounding.problog.clause_index import ClauseIndex
from deepplp.grounding.problog.clauses import engine_clauses
from deepplp.grounding.problog.modules import exclusive, is_shipped, run_module, shipped_functions
from deepplp.grounding.problog.recognition import with_aggregates
from deepplp.grounding.problog.vocabulary import Arguments, BuiltinFunction
from deepplp.program import (
    ASKING,
    Constant,
    FileState,
    Program,
    Statement,
    Term,
    Text,
    module_of,
    module_statements,
    read_text,
    signatures_defined,
)

__all__ = ["Database", "Span", "shown_path"]

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
        self._own: frozenset[str] = frozenset()  # predicates that the program defines itself
        self._folders: list[str] = []  # where relative paths begin, for each of the source files
        self._read: dict[str, FileState] = {}  # what all that share the clauses have read
        if below is not None:
            self._modules, self._read = below._modules, below._read
            for shared in ("engine", "data", "dont_cache", "source_root", "extra_info", "_own"):
                setattr(self, shared, getattr(below, shared))
            for copied in ("source_files", "source_parent", "line_info", "_folders"):
                setattr(self, copied, getattr(below, copied)[:])

    @classmethod
    def of_program(cls, program: Program, builtins: Mapping[str, int]) -> Database:
        """A data base for a program's clauses, which knows its texts; it holds what all programs have."""
        database = cls(builtins)
        registered = AGGREGATE_SIGNATURES.intersection(builtins)
        declared = (s.declared or () for s in program.statements)
        database._own = frozenset(signatures_defined(program).union(registered, *declared))
        database.source_root = program.root
        database.source_files = [os.path.abspath(text.name) for text in program.texts]
        database.source_parent = [None] * len(program.texts)
        database.line_info = [_line_info(text) for text in program.texts]
        database._folders = [text.folder for text in program.texts]
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

    # Files that a program names.

    @property
    def files(self) -> tuple[FileState, ...]:
        """The files that were read so far besides the program's texts, by this data base and those that extend it."""
        return tuple(self._read.values())

    def note(self, path: str) -> None:
        """Note that a file is about to be read."""
        self._read[path] = FileState.of(path)

    def resolve(self, filename: Term, location: Location) -> str:
        """The path of a file that a call at a location names: it begins in the folder of the call's own file."""
        if filename.signature == "library/1":
            return str(super().resolve_filename(filename))
        folder = self.source_root
        for place in (location, filename.location):
            if isinstance(place, tuple) and len(place) == 2:
                folder = self._folders[place[0]]
                break
        path = os.path.join(folder, str(filename).strip("'\""))
        return next((p for p in (path, f"{path}.pl", f"{path}.py") if os.path.isfile(p)), path)

    def resolve_filename(self, filename: Term) -> str:
        """The path of a file where nobody knows who names it."""
        return self.resolve(filename, None)

    def use_module(
        self, filename: Term, predicates: Term | None, location: Location = None, my_scope: str | None = None
    ) -> None:
        """Add a module and let its exports be called: Python files and ProbLog's own as well."""
        path = os.path.abspath(self.resolve(filename, location))
        super().use_module(Term(f"'{path}'"), predicates, location, my_scope)

    def consult(
        self, filename: Term, location: Location = None, my_scope: str | None = None
    ) -> tuple[str | None, list[Term] | None]:
        """Read a file, once: the name of its module, and what that exports.

        ProbLog's libraries are read by ProbLog. All other files are read as those of the program are.

        Raises:
            ProgramError: the file is at fault; the error has its place in that file.
        """
        path = os.path.abspath(self.resolve(filename, location))
        if path in self.source_files:
            return None, None
        if is_shipped(path):
            self.mark(library=_stem(path))
            found: tuple[str | None, list[Term] | None] = super().consult(filename, location, my_scope)
            self.mark()
            self._folders += map(os.path.dirname, self.source_files[len(self._folders) :])
            return found
        self.note(path)
        text = read_text(Path(path), shown_path(path, self.source_root), self.engine.locate(location))
        statements = module_statements(text, len(self.source_files))
        late = next((s for s in statements if not self.engine.is_loading and _asks(s)), None)
        if late is not None:
            raise UnsupportedConstructError(
                "queries and evidence come too late in a file that a goal reads; read it by a directive", late.position
            )
        self.source_files.append(path)
        self.source_parent.append(location)
        self._folders.append(text.folder)
        self.line_info.append(_line_info(text))
        self.mark(library=_stem(path))
        module = module_of(statements[0]) if statements else None
        self._own = self._own.union(h.signature for s in statements for h in s.heads_and_body()[0])
        for statement in statements[0 if module is None else 1 :]:
            self.add(statement, None if module is None else module[0])
        self.mark()
        return (None, None) if module is None else module

    def add(self, statement: Statement, scope: str | None = None) -> None:
        """Add a statement's clauses, those of a module in its ``scope``.

        Raises:
            ProgramError: ProbLog refuses it.
        """
        try:
            for signature in statement.declared or ():
                self.declare(signature, scope)
            if statement.declared is None:
                for clause in engine_clauses(with_aggregates(statement, self._own)):
                    self.add_statement(clause, scope)
        except ProbLogError as error:
            message = str(error.base_message)
            message = message[:1].lower() + message[1:].rstrip(".")
            if "overwrite" in message:
                message += "; give the predicate another name"
            raise ProgramError(message, statement.position) from None

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
        name = _stem(filename)
        if filename not in self._modules:
            if not is_shipped(filename):
                self.note(filename)
            functions = shipped_functions(filename)
            self._exported = [Term("'/'", Term(n), Constant(arity)) for n, arity, _ in functions or ()]
            for predicate, arity, function in functions or ():
                self.define(predicate, arity, function, name)
            if functions is None:
                run_module(name, filename, self)
            self._modules[filename] = self._exported
        return name, self._modules[filename]

    @property
    def python_files(self) -> Collection[str]:
        """The paths of the Python files that have been loaded, those of libraries included."""
        return self._modules.keys()

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

    def declare(self, signature: str, scope: str | None = None) -> None:
        """Make a predicate known, which may have no clauses."""
        name, _, arity = signature.rpartition("/")
        head = self._scope_term(Term(name, *[None] * int(arity)), scope)
        number = self._add_head(head)
        if not self.get_node(number):
            self._set_node(number, self._define(head.functor, int(arity), self._create_index(int(arity)), None))

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


def shown_path(path: str, root: str) -> str:
    """The path of a file as errors show it: by way of the program's folder if it is in there."""
    inside = os.path.relpath(path, os.path.abspath(root))
    return path if inside.startswith(os.pardir) else os.path.normpath(os.path.join(root, inside))


def _asks(statement: Statement) -> bool:
    return any(h.signature in ASKING for h in statement.heads_and_body()[0])


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _line_info(text: Text) -> list[int]:
    """Where lines end, as ProbLog counts lines and columns."""
    return [-1, *(i for i, c in enumerate(text.content) if c == "\n"), len(text.content)]
