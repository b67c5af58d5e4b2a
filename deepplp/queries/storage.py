"""Compiled queries on disk: arrays and JSON, never pickle, with a format version and a checksum.

A file is named after a digest of all that its content depends on: the texts of the program, the pattern of the query
and the code that grounds and compiles. Files are written beside and renamed: concurrent processes see whole files or
none. A damaged or foreign one is ignored with a warning, and made anew.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from deepplp.circuit import Circuit
from deepplp.errors import CacheWarning, Position
from deepplp.formula import NONE, Choice, Computed, Fixed, Learnable, Neural, Observed, Origin, Value
from deepplp.program import EncodedItem, Program, Term, decoded_term, encoded_term
from deepplp.queries.header import Header

__all__ = ["Storage", "cache_folder", "decoded", "encoded"]

_FORMAT = 3
_ARRAYS = ("column_offsets", "order", "leaf_offsets", "leaf_columns", "node_offsets", "primes", "subs", "roots")
_MOST_BYTES = 1 << 30


def cache_folder(chosen: str | os.PathLike[str] | bool | None) -> Path | None:
    """Where compiled queries are kept: in the folder that is named, nowhere (None) for False.

    If nothing is chosen: where ``DEEPPLP_CACHE`` says, nowhere if that is ``off``, else in the user's cache folder.
    """
    if chosen is False:
        return None
    if chosen is not None and chosen is not True:
        return Path(chosen)
    named = os.environ.get("DEEPPLP_CACHE", "")
    if named == "off":
        return None
    return Path(named) if named else platformdirs.user_cache_path("deepplp") / "structures"


class Storage:
    """A folder of compiled queries of one program."""

    def __init__(self, folder: Path, program: Program) -> None:
        self._folder = folder
        self._program = program

    def key(self, pattern: Mapping[str, Any]) -> str:
        """The digest of a query's pattern with all that its compiled form depends on."""
        content = {
            "format": _FORMAT,
            "code": _code_digest(),
            "texts": [[os.path.basename(s.name), s.content] for s in self._program.texts],
            "pattern": pattern,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def load(self, key: str) -> tuple[Header, Circuit] | None:
        """What is kept under a key."""
        path = self._folder / f"{key}.npz"
        try:
            with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
                arrays = {name: file[name] for name in (*_ARRAYS, "text")}
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
            self._ignore(path, str(error) or type(error).__name__)
            return None
        try:
            text = json.loads(arrays["text"].tobytes().decode())
            if text["checksum"] != _checksum(arrays, text["content"]):
                raise ValueError("its checksum is wrong")
            with_circuit = {name: arrays[name] for name in _ARRAYS}
            circuit = Circuit(**with_circuit, evidence=int(text["content"]["evidence"]))
            found = decoded(text["content"], self._program), circuit
            os.utime(path)  # the files that were used last are kept longest
            return found
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            self._ignore(path, str(error) or type(error).__name__)
            return None

    def _ignore(self, path: Path, reason: str) -> None:
        warnings.warn(f"the cache file {path} is damaged ({reason}); it is made anew", CacheWarning, stacklevel=2)

    def save(self, key: str, header: Header, circuit: Circuit) -> None:
        """Keep a compiled query; where the disk refuses, a warning is all that comes of it."""
        content = {**encoded(header, self._program), "evidence": int(circuit.evidence)}
        arrays = {name: getattr(circuit, name) for name in _ARRAYS}
        text = json.dumps({"checksum": _checksum(arrays, content), "content": content})
        beside = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(suffix=".tmp", dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, text=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
            os.replace(beside, self._folder / f"{key}.npz")
            self._shrink()
        except OSError as error:
            if beside is not None and os.path.exists(beside):
                os.unlink(beside)
            reason = error.strerror or str(error)
            warnings.warn(f"cannot keep a compiled query in {self._folder}: {reason}", CacheWarning, stacklevel=2)

    def _shrink(self) -> None:
        """Remove the files that were not used for longest, where all take more than their share."""
        files = [(p, p.stat()) for p in self._folder.glob("*.npz")]
        total = sum(s.st_size for _, s in files)
        for path, stat in sorted(files, key=lambda f: f[1].st_mtime):
            if total <= _MOST_BYTES:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size

    def size(self) -> int:
        """The bytes of all files in the folder."""
        return sum(p.stat().st_size for p in self._folder.glob("*.npz")) if self._folder.is_dir() else 0


@functools.cache
def _code_digest() -> str:
    """A digest of the code that a compiled query depends on, and of the versions of what it is built on."""
    digest = hashlib.sha256()
    for room in ("program", "formula", "grounding", "circuit", "compilation"):
        for path in sorted((Path(__file__).parent.parent / room).rglob("*.py")):
            digest.update(path.read_bytes())
    for package in ("problog", "pysdd"):
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()


def _checksum(arrays: Mapping[str, np.ndarray], content: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in _ARRAYS:
        digest.update(np.ascontiguousarray(arrays[name], dtype=np.int64).tobytes())
    return digest.hexdigest()


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
    """The header that `encoded` wrote."""
    terms = list(map(decoded_term, content["terms"]))

    def term(number: int) -> Term:
        if number < 0:
            raise ValueError("a term has no number")
        return terms[number]

    def value(number: int) -> Value:
        return NONE if number == -1 else term(number)

    def origin(entry: list[Any]) -> Origin:
        match entry:
            case ["fixed", probabilities]:
                return Fixed(tuple(probabilities))
            case ["neural", index, inputs, label, labels]:
                return Neural(program.declarations[index], tuple(map(term, inputs)), label, labels)
            case ["learnable", index, arguments, fixed, initial]:
                return Learnable(program.learnables[index], tuple(map(term, arguments)), tuple(fixed), tuple(initial))
            case ["observed", number]:
                return Observed(term(number))
            case ["computed", probabilities]:
                return Computed(tuple(p if isinstance(p, float) else term(p[0]) for p in probabilities))
        raise ValueError(f"unknown origin {entry[0]}")

    def place(entry: list[int] | None) -> Position | None:
        return None if entry is None else program.texts[entry[0]].at(entry[1], entry[2])

    choices = tuple(Choice(tuple(map(value, v)), origin(o), place(p)) for v, o, p in content["choices"])
    goals = (tuple(map(term, content[name])) for name in ("queries", "known", "unanswered"))
    return Header(choices, *goals)
