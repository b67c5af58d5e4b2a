"""``csv_load/2`` and ``sqlite_load/1`` of library(db): tables as predicates, one argument a column.

A CSV file's first row names its columns; a column is of integers, of numbers or of text, as its first row of values
is. In both, text becomes an atom in quotes, which a call may write without them, and NULL the atom ``null``.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from problog.engine_builtin import check_mode
from problog.logic import Constant, Term, is_variable

from deepplp.errors import Position, ProgramFileError

__all__ = ["LOADERS"]

Rows = Callable[[Sequence[Any]], Iterator[tuple[Any, ...]]]


def _load_csv(file: Any, predicate: Any, **call: Any) -> list[Any]:
    """``csv_load(File, Predicate)``."""
    check_mode((file, predicate), ["ss"], "csv_load", call.get("location"), call.get("database"))
    position = call["engine"].locate(call.get("location"))
    path = _existing(file, "CSV file", call["database"], position)
    name = str(predicate).strip("'\"")
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            columns, rows = _read_csv(csv.reader(handle), str(file), position)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProgramFileError(f"cannot read the CSV file {file}: {error}", position) from error
    _define(call["engine"], name, len(columns), lambda given: (r for r in rows if _fits(given, r)))
    return [(file, predicate)]


def _read_csv(
    reader: Any, file: str, position: Position | None
) -> tuple[list[str], list[tuple[int | float | str, ...]]]:
    columns: list[str] = next(reader, [])
    if not columns:
        raise ProgramFileError(f"the CSV file {file} is empty; its first row names the columns", position)
    kinds: list[type] = []
    rows: list[tuple[int | float | str, ...]] = []
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
        values: list[int | float | str] = []
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


def _load_sqlite(file: Any, **call: Any) -> list[Any]:
    """``sqlite_load(File)``: all its tables."""
    check_mode((file,), ["s"], "sqlite_load", call.get("location"), call.get("database"))
    position = call["engine"].locate(call.get("location"))
    path = _existing(file, "data base", call["database"], position)
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            quoted = _identifier(table)
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted})")]
            _define(call["engine"], table, len(columns), _query(connection, quoted, columns, str(file), position))
    except sqlite3.Error as error:
        raise ProgramFileError(f"cannot read the data base {file}: {error}", position) from error
    return [(file,)]


def _query(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], file: str, position: Position | None
) -> Rows:
    def rows(given: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        bound = [(c, _plain(a)) for c, a in zip(columns, given, strict=True) if not is_variable(a) and _is_atomic(a)]
        where = " AND ".join(f"{_identifier(c)} {'IS NULL' if v is None else '= ?'}" for c, v in bound)
        text = f"SELECT {', '.join(map(_identifier, columns))} FROM {table}" + (f" WHERE {where}" if where else "")
        try:
            found = connection.execute(text, [v for _, v in bound if v is not None]).fetchall()
        except sqlite3.Error as error:
            raise ProgramFileError(f"cannot read table {table} of the data base {file}: {error}", position) from error
        return (row for row in found if _fits(given, row))

    return rows


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _existing(file: Any, kind: str, database: Any, position: Position | None) -> str:
    path = str(database.resolve_filename(file if not isinstance(file, Constant) else Term(file.value.strip('"'))))
    if not os.path.isfile(path):
        raise ProgramFileError(f"there is no {kind} {file}: no file {os.path.abspath(path)}", position)
    return path


def _define(engine: Any, name: str, arity: int, rows: Rows) -> None:
    """Make a table's rows the solutions of a predicate."""

    def solutions(*arguments: Any, **rest: Any) -> list[tuple[Any, ...]]:
        # An argument that is given stays as it is written: a row fits it.
        return [
            tuple(_term(v) if is_variable(a) else a for a, v in zip(arguments, row, strict=True))
            for row in rows(arguments)
        ]

    engine.define(name, arity, solutions)


def _is_atomic(term: Any) -> bool:
    return isinstance(term, Term) and term.arity == 0


def _plain(term: Term) -> Any:
    """A value as data bases have it: a number, a text, or None for ``null``."""
    if isinstance(term, Constant):
        return term.value.strip('"') if isinstance(term.value, str) else term.value
    text = str(term)
    return None if text == "null" else text.strip("'")


def _fits(given: Sequence[Any], row: Sequence[Any]) -> bool:
    return all(is_variable(a) or (_is_atomic(a) and _plain(a) == v) for a, v in zip(given, row, strict=True))


def _term(value: Any) -> Term:
    if value is None:
        return Term("null")
    if isinstance(value, (int, float)):
        return Constant(value)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return Term("'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'")


LOADERS = (("_db_csv_load", _load_csv), ("_db_sqlite_load", _load_sqlite))
