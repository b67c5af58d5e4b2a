"""Texts of programs and places in them."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

from deepplp.errors import Position

__all__ = ["Text"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text with a name, which turns character offsets into positions; relative paths in it begin at ``folder``."""

    name: str
    content: str
    folder: str = "."
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0] + [i + 1 for i, c in enumerate(self.content) if c == "\n"]
        object.__setattr__(self, "_line_starts", tuple(starts))

    @property
    def lines(self) -> int:
        """How many lines there are, an empty one behind the last line break included."""
        return len(self._line_starts)

    def position(self, offset: int) -> Position:
        """The 1-based line and column of a character offset; an offset past the end is the end."""
        offset = max(0, min(offset, len(self.content)))
        line = bisect.bisect_right(self._line_starts, offset)
        return self.at(line, offset - self._line_starts[line - 1] + 1)

    def at(self, line: int, column: int) -> Position:
        """The position of a 1-based line and column, with the line's text."""
        start = self._line_starts[min(line, len(self._line_starts)) - 1]
        end = self.content.find("\n", start)
        return Position(
            self.name, line, column, self.content[start : end if end >= 0 else len(self.content)].rstrip("\r")
        )

    def offset(self, line: int, column: int) -> int:
        """The inverse of `position`."""
        return self._line_starts[line - 1] + column - 1
