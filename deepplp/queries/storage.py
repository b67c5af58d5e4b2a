"""Compiled queries on disk: arrays and JSON, never pickle, with a format version and a checksum.

A file is named after a digest of all that its content depends on: the texts of the program, the pattern of the query
and the code that grounds and compiles. Files are written beside and renamed: concurrent processes see whole files or
none. A damaged or foreign one is ignored with a warning, removed, and made anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from deepplp.circuit import TRUE_NODE, Circuit, check_circuit
from deepplp.errors import CacheWarning, QueryError
from deepplp.program import Program
from deepplp.queries.encoding import decoded, encoded
from deepplp.queries.entries import MOST_BYTES, read_entry, write_entry
from deepplp.queries.header import Header

__all__ = ["Storage", "cache_folder"]

_FORMAT = 7
_ARRAYS = ("column_offsets", "order", "leaf_offsets", "leaf_columns", "node_offsets", "primes", "subs", "roots")
_MOST_BYTES = MOST_BYTES  # of all files together
_ENTRY = re.compile(r"[0-9a-f]{64}\.npz")
_LEFTOVER = re.compile(r"[0-9a-f]{64}\.\w{8}\.tmp|tmp\w{8}\.tmp")
_LEFT_AFTER = 3600.0  # seconds; no entry takes that long to write


def cache_folder(chosen: str | os.PathLike[str] | bool | None) -> Path | None:
    """Where compiled queries are kept: in the folder that is named, nowhere (None) for False.

    If nothing is chosen: where ``DEEPPLP_CACHE`` says, nowhere if that is ``off``, else in the user's cache folder.
    """
    if chosen is False:
        return None
    if chosen is not None and chosen is not True:
        named = os.fspath(chosen) if isinstance(chosen, (str, os.PathLike)) else None
        if not isinstance(named, str) or "\0" in named:
            raise QueryError(f"cache is a folder, or False for none, not {chosen!r}")
        return Path(named)
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
        """What is kept under a key; a warning and None where that is not what `save` writes."""
        path = self._folder / f"{key}.npz"
        try:
            arrays = read_entry(path, _ARRAYS, "text")
            found = self._decoded(key, arrays)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._warn(f"the cache file {path} cannot be read ({error.strerror or error})")
            return None
        except Exception as error:  # a file may hold anything, and the libraries that read it raise as many kinds
            self._warn(f"the cache file {path} is damaged ({error or type(error).__name__})")
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the files that were used last are kept longest
        return found

    def _decoded(self, key: str, arrays: Mapping[str, np.ndarray]) -> tuple[Header, Circuit]:
        text = json.loads(arrays["text"].tobytes().decode())
        content = text["content"]
        if text["checksum"] != _checksum(arrays, content):
            raise ValueError("its checksum is wrong")
        if content["key"] != key:
            raise ValueError("it is another query's")
        evidence = content["evidence"]
        if type(evidence) is not int or evidence >> 62:
            raise ValueError("evidence is out of range")
        circuit = Circuit(**{name: arrays[name] for name in _ARRAYS}, evidence=evidence)
        check_circuit(circuit)
        header = decoded(content, self._program)
        widths = [len(choice.values) for choice in header.choices]
        if np.diff(circuit.column_offsets).tolist() != widths or len(circuit.roots) != len(header.queries):
            raise ValueError("its circuit is that of other choices or queries")
        if not header.evidence and circuit.evidence != TRUE_NODE:
            raise ValueError("it excludes worlds without evidence")
        return header, circuit

    @staticmethod
    def _warn(what: str) -> None:
        warnings.warn(f"{what}; it is made anew", CacheWarning, stacklevel=3)

    def save(self, key: str, header: Header, circuit: Circuit) -> None:
        """Keep a compiled query; where the disk refuses, a warning is all that comes of it."""
        try:
            content = {**encoded(header, self._program), "evidence": int(circuit.evidence), "key": key}
            arrays = {name: getattr(circuit, name) for name in _ARRAYS}
            text = json.dumps({"checksum": _checksum(arrays, content), "content": content})
            self._folder.mkdir(parents=True, exist_ok=True)
            members = {"text": np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
            write_entry(self._folder / f"{key}.npz", members, "text", ".tmp")
        except (OSError, ValueError) as error:  # a number of many digits has no text
            reason = getattr(error, "strerror", None) or str(error)
            warnings.warn(f"cannot keep a compiled query in {self._folder}: {reason}", CacheWarning, stacklevel=2)
            return
        self._shrink()

    def _shrink(self) -> None:
        """Remove what an interrupted process has left, and the files that were not used for longest, if too many."""
        files = list(self._files())
        entries = [(path, status) for path, status in files if _ENTRY.fullmatch(path.name)]
        total = sum(status.st_size for _, status in entries)
        too_many = []
        for path, status in sorted(entries, key=lambda f: f[1].st_mtime):
            if total <= _MOST_BYTES:
                break
            too_many.append(path)
            total -= status.st_size
        now = time.time()
        left = [p for p, s in files if _LEFTOVER.fullmatch(p.name) and now - s.st_mtime > _LEFT_AFTER]
        for path in (*too_many, *left):
            with contextlib.suppress(OSError):
                path.unlink()

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """The files of the folder; another process may remove them meanwhile."""
        with contextlib.suppress(OSError), os.scandir(self._folder) as found:
            for file in found:
                with contextlib.suppress(OSError):
                    if file.is_file(follow_symlinks=False):
                        yield Path(file.path), file.stat(follow_symlinks=False)

    def size(self) -> int:
        """The bytes of all entries in the folder."""
        return sum(status.st_size for path, status in self._files() if path.suffix == ".npz")


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
        array = arrays[name]  # of whatever type an entry holds; that it is right is looked at later
        digest.update(array.dtype.str.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
