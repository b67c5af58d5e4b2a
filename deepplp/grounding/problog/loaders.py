"""``csv_load/2`` and ``sqlite_load/1`` of library(db): tables as predicates, one argument a column.

A CSV file's first row names its columns; a column is of integers, of numbers or of text, as its first row of values
is. In both, text becomes an atom, and NULL the atom ``null``.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias, TypeGuard, Unpack

from problog.engine_builtin import check_mode
from problog.logic import is_variable

from deepplp.errors import Position, ProgramFileError
from deepplp.grounding.problog.vocabulary import (
    Argument,
    Arguments,
    BuiltinFunction,
    CallOptions,
    GroundingEngine,
    Solution,
)
from deepplp.program import Constant, Term, quote, unquoted

__all__ = ["LOADERS"]

Value: TypeAlias = int | float | str | bytes | None
"""What a table holds."""
Row: TypeAlias = Sequence[Value]
Rows: TypeAlias = Callable[[Arguments], Iterator[Row]]
"""The rows of a table that fit the arguments of a call."""


class _CsvReader(Protocol):
    """What `csv.reader` makes."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def _load_csv(file: Term, predicate: Term, **call: Unpack[CallOptions]) -> list[Solution]:
    """``csv_load(File, Predicate)``."""
    check_mode((file, predicate), ["ss"], "csv_load", call.get("location"), call.get("database"))
    position = call["engine"].locate(call.get("location"))
    path = _existing(file, "CSV file", call, position)
    name = str(predicate).strip("'\"")
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            columns, rows = _read_csv(csv.reader(handle), str(file), position)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProgramFileError(f"cannot read the CSV file {file}: {error}", position) from error
    _define(call["engine"], name, len(columns), lambda given: (r for r in rows if _fits(given, r)))
    return [(file, predicate)]


def _read_csv(reader: _CsvReader, file: str, position: Position | None) -> tuple[list[str], list[Row]]:
    columns: list[str] = next(reader, [])
    if not columns:
        raise ProgramFileError(f"the CSV file {file} is empty; its first row names the columns", position)
    kinds: list[type] = []
    rows: list[Row] = []
    for row in reader:
        if not row:
            continue
        if len(row) != len(columns):
            raise ProgramFileError(
                f"line {reader.line_num} of the CSV file {file} has {len(row)} values; its first row names "
                f"{len(columns)} columns",
                position,
            )
        kinds = kinds or [_kind(value) for value in row]
        values: list[Value] = []
        for column, kind, value in zip(columns, kinds, row, strict=True):
            try:
                values.append(kind(value.strip()))
            except ValueError:
                raise ProgramFileError(
                    f"line {reader.line_num} of the CSV file {file}: {value!r} in column {column} is no "
                    f"{'integer' if kind is int else 'number'}, as the column's first value is",
                    position,
                ) from None
        rows.append(tuple(values))
    return columns, rows


def _kind(value: str) -> type:
    for kind in (int, float):
        try:
            kind(value)
        except ValueError:
            continue
        return kind
    return str


def _load_sqlite(file: Term, **call: Unpack[CallOptions]) -> list[Solution]:
    """``sqlite_load(File)``: all its tables."""
    check_mode((file,), ["s"], "sqlite_load", call.get("location"), call.get("database"))
    position = call["engine"].locate(call.get("location"))
    path = _existing(file, "data base", call, position)
    connections = _Connections(path)
    try:
        tables = [n for (n,) in connections.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            quoted = _identifier(str(table))
            columns = [str(row[1]) for row in connections.execute(f"PRAGMA table_info({quoted})")]
            rows = _query(connections, quoted, columns, str(file), position)
            _define(call["engine"], str(table), len(columns), rows)
    except sqlite3.Error as error:
        raise ProgramFileError(f"cannot read the data base {file}: {error}", position) from error
    return [(file,)]


class _Connections:
    """Connections to a data base that is only read: one a thread, and none that another process has opened."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._local = threading.local()

    def execute(self, text: str, values: Sequence[Value] = ()) -> list[Row]:
        """The rows of a query."""
        if getattr(self._local, "process", None) != os.getpid():
            self._local.connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
            self._local.process = os.getpid()
        connection: sqlite3.Connection = self._local.connection
        return connection.execute(text, values).fetchall()


def _query(connections: _Connections, table: str, columns: Sequence[str], file: str, position: Position | None) -> Rows:
    def rows(given: Arguments) -> Iterator[Row]:
        bound = [(c, _plain(a)) for c, a in zip(columns, given, strict=True) if _is_atomic(a)]
        where = " AND ".join(f"{_identifier(c)} {'IS NULL' if v is None else '= ?'}" for c, v in bound)
        text = f"SELECT {', '.join(map(_identifier, columns))} FROM {table}" + (f" WHERE {where}" if where else "")
        try:
            found = connections.execute(text, [v for _, v in bound if v is not None])
        except sqlite3.Error as error:
            raise ProgramFileError(f"cannot read table {table} of the data base {file}: {error}", position) from error
        return (row for row in found if _fits(given, row))

    return rows


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _existing(file: Term, kind: str, call: CallOptions, position: Position | None) -> str:
    database, location = call["database"], call.get("location")
    path = database.resolve(file, location)
    if not os.path.isfile(path):
        raise ProgramFileError(f"there is no {kind} {file}: no file {os.path.abspath(path)}", position)
    database.note(path)
    return path


def _define(engine: GroundingEngine, name: str, arity: int, rows: Rows) -> None:
    """Make a table's rows the solutions of a predicate."""

    def solutions(*arguments: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
        # An argument that is given stays as it is written: a row fits it.
        return [
            tuple(_term(v) if is_variable(a) else a for a, v in zip(arguments, row, strict=True))
            for row in rows(arguments)
        ]

    engine.database.define(name, arity, solutions)


def _is_atomic(term: Argument) -> TypeGuard[Term]:
    return isinstance(term, Term) and not is_variable(term) and term.arity == 0


def _plain(term: Term) -> Value:
    """A value as data bases have it: a number, a text, or None for ``null``."""
    if isinstance(term, Constant):
        value: int | float | str = term.value
        return unquoted(value, '"') if isinstance(value, str) else value
    text = str(term)
    return None if text == "null" else unquoted(text)


def _fits(given: Arguments, row: Row) -> bool:
    return all(is_variable(a) or (_is_atomic(a) and _plain(a) == v) for a, v in zip(given, row, strict=True))


def _term(value: Value) -> Term:
    if value is None:
        return Term("null")
    if isinstance(value, (int, float)):
        return Constant(value)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return Term(quote(text))


LOADERS: tuple[tuple[str, int, BuiltinFunction], ...] = (
    ("csv_load", 2, _load_csv),
    ("sqlite_load", 1, _load_sqlite),
)
