"""Texts of programs and places in them."""

from __future__ import annotations

import bisect
import io
from dataclasses import dataclass, field
from pathlib import Path

from deepplp.errors import Position, ProgramFileError

__all__ = ["Text", "read_text"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text with a name, which turns character offsets into positions."""

    name: str
    content: str
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


def read_text(file: Path, name: str, position: Position | None) -> Text:
    r"""The text of a file, which errors call ``name``; line ends are ``\n``, and a byte order mark is left out.

    Raises:
        ProgramFileError: the file cannot be read; the error is at ``position``, where it is asked for. In a file that
            is no UTF-8 text, it is at the first byte that is not.
    """
    try:
        data = file.read_bytes()
        return Text(name, io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read())
    except OSError as error:
        raise ProgramFileError(f"cannot read {name}: {error.strerror or error}", position) from None
    except UnicodeDecodeError:
        before = data[: _first_wrong_byte(data)]
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        line = data[before.rfind(b"\n") + 1 :].split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
        raise ProgramFileError(
            f"byte 0x{data[len(before)]:02x} is no UTF-8 text; save the file in UTF-8",
            Position(name, before.count(b"\n") + 1, column, line),
        ) from None


def _first_wrong_byte(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(data)
