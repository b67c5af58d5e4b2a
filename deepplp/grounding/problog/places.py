"""Where ProbLog's clauses stand: offsets in files as positions with lines, columns and the line itself."""

from __future__ import annotations

import os
from pathlib import Path

from deepplp.errors import Position, ProgramFileError
from deepplp.grounding.clause_base import Location
from deepplp.grounding.problog.database import Database, shown_path
from deepplp.program import Conjunction, Disjunction, Not, Program, Term, Text, read_text

__all__ = ["Places"]


class Places:
    """The texts of a program, and those of the libraries that it loads."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._texts: dict[str, Text] = {os.path.abspath(t.name): t for t in program.texts}

    def position(self, location: Location, database: Database) -> Position | None:
        """The position of what ProbLog knows of a place: an offset in a file, or file, line and column."""
        if location is None:
            return None
        found = location if isinstance(location, tuple) and len(location) == 3 else database.lineno(location)
        if found is None:
            return None
        file, line, column = found
        if line is None:
            return None
        text = self._program.text if file is None else self._text_of(str(file))
        if text is None or line > text.lines:
            return Position(str(file), int(line), max(1, int(column)))
        return text.at(int(line), max(1, int(column)))

    def written(self, location: Location) -> Term | None:
        """The goal that stands at a place of the program, with the names of its variables; None where none does."""
        if location is None:
            return None
        for statement in self._program.statements:
            stack: list[object] = [statement.heads_and_body()[1]]
            while stack:
                term = stack.pop()
                if isinstance(term, Term):
                    if term.location == location and not isinstance(term, (Conjunction, Disjunction, Not)):
                        return term
                    stack += reversed(term.args)
        return None

    def _text_of(self, file: str) -> Text | None:
        if file not in self._texts:
            try:
                self._texts[file] = read_text(Path(file), shown_path(file, self._program.root), None)
            except ProgramFileError:
                return None
        return self._texts[file]
