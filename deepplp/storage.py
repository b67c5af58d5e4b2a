"""Compiled queries on disk: arrays and JSON, never pickle, with a format version and a checksum.

A file is named after a digest of all that its content depends on: the program's texts, the query's shape, and the code
that grounds and compiles. Files are written beside and renamed, so that concurrent processes see whole files or none; a
damaged or foreign one is ignored with a warning, and made anew.
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

from deepplp.compilation import Circuit
from deepplp.errors import CacheWarning, Position
from deepplp.grounding import TRUE, Choice, Computed, Fixed, Formula, Goal, Learnable, Neural, Observed
from deepplp.program import Program, parse_term

__all__ = ["Storage", "cache_folder", "decoded", "encoded"]

_FORMAT = 1
_ARRAYS = ("column_offsets", "leaf_offsets", "leaf_columns", "node_offsets", "primes", "subs", "roots")
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

    def key(self, shape: Mapping[str, Any]) -> str:
        """The digest of a query's shape with all that its compiled form depends on."""
        content = {
            "format": _FORMAT,
            "code": _code_digest(),
            "sources": [[os.path.basename(s.name), s.text] for s in self._program.sources],
            "shape": shape,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def load(self, key: str) -> tuple[Formula, Circuit] | None:
        """What is kept under a key; the formula without its nodes, of which nothing more is needed."""
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

    def save(self, key: str, formula: Formula, circuit: Circuit) -> None:
        """Keep a compiled query; where the disk refuses, a warning is all that comes of it."""
        content = {**encoded(formula, self._program), "evidence": int(circuit.evidence)}
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
    for room in ("program", "grounding", "compilation"):
        for path in sorted((Path(__file__).parent / room).glob("*.py")):
            digest.update(path.read_bytes())
    for package in ("problog", "pysdd"):
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()


def _checksum(arrays: Mapping[str, np.ndarray], content: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in _ARRAYS:
        digest.update(np.ascontiguousarray(arrays[name], dtype=np.int64).tobytes())
    return digest.hexdigest()


def encoded(formula: Formula, program: Program) -> dict[str, Any]:
    """A formula without its nodes, as JSON."""
    files = [s.name for s in program.sources]
    return {
        "choices": [
            [list(c.values), _encoded_source(c.source), _encoded_place(c.position, files)] for c in formula.choices
        ],
        "queries": [g.term for g in formula.queries],
        "known": [g.term for g in formula.evidence],
        "unanswered": list(formula.unanswered),
    }


def _encoded_place(position: Position | None, files: list[str]) -> list[int] | None:
    if position is None or position.file not in files:
        return None
    return [files.index(position.file), position.line, position.column]


def _encoded_source(source: Any) -> list[Any]:
    match source:
        case Fixed():
            return ["fixed", list(source.probabilities)]
        case Neural():
            return ["neural", source.declaration.index, [str(t) for t in source.inputs]]
        case Learnable():
            return ["learnable", source.clause.index, list(source.arguments), list(source.fixed), list(source.initial)]
        case Observed():
            return ["observed", source.term]
        case _:
            return ["computed", [p if isinstance(p, float) else str(p) for p in source.probabilities]]


def decoded(content: Mapping[str, Any], program: Program) -> Formula:
    """The formula that `encoded` wrote."""
    terms: dict[str, Any] = {}

    def term(text: str) -> Any:
        if text not in terms:
            terms[text] = parse_term(text)
        return terms[text]

    def source(entry: list[Any]) -> Any:
        match entry:
            case ["fixed", probabilities]:
                return Fixed(tuple(probabilities))
            case ["neural", index, inputs]:
                return Neural(program.declarations[index], tuple(map(term, inputs)))
            case ["learnable", index, arguments, fixed, initial]:
                return Learnable(program.learnables[index], tuple(arguments), tuple(fixed), tuple(initial))
            case ["observed", text]:
                return Observed(text)
            case ["computed", probabilities]:
                return Computed(tuple(p if isinstance(p, float) else term(p) for p in probabilities))
        raise ValueError(f"unknown source {entry[0]}")

    def place(entry: list[int] | None) -> Position | None:
        return None if entry is None else program.sources[entry[0]].at(entry[1], entry[2])

    choices = tuple(Choice(tuple(v), source(s), place(p)) for v, s, p in content["choices"])
    return Formula(
        choices,
        (),
        tuple(Goal(t, TRUE) for t in content["queries"]),
        tuple(Goal(t, TRUE) for t in content["known"]),
        tuple(content["unanswered"]),
    )
