"""ProbLog's libraries of lists and higher-order predicates, loaded where a program calls what they export.

Most Prolog systems, and programs written for them, take ``member/2`` for granted; in ProbLog it must be imported. A
program's own predicates of such names are never touched.
"""

from __future__ import annotations

import functools
from pathlib import Path

import problog
from problog.logic import Term

from deepplp.program import Program, list_items

__all__ = ["libraries_for"]

_LIBRARIES = ("lists", "apply")


def libraries_for(undefined: set[str]) -> list[str]:
    """The libraries that export predicates of these signatures."""
    return [name for name in _LIBRARIES if not undefined.isdisjoint(_exports(name))]


@functools.cache
def _exports(library: str) -> frozenset[str]:
    """What a library's module directive exports, such as ``member/2``."""
    path = Path(problog.__file__).parent / "library" / f"{library}.pl"
    first = Program.from_file(path).statements[0].heads_and_body()[1]
    if not isinstance(first, Term) or first.signature != "module/2":
        return frozenset()
    return frozenset(str(item).replace("'", "").replace(" ", "") for item in list_items(first.args[1]) or ())
