"""Files that a program is read from: their texts, and whether they have changed since."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deepplp.errors import Position, ProgramFileError, QueryError
from deepplp.program.text import Text

__all__ = ["STANDARD_INPUT", "FileState", "are_current", "read_source", "read_text"]

STANDARD_INPUT = "-"
"""What stands for standard input in the place of a program's file."""
_MOST_BYTES = 1 << 27
_PATIENCE = 5000  # milliseconds that a pipe may have no writer


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was when it was read: what its folder says of it, which changes whenever it is written."""

    path: str
    signature: tuple[int, ...] | None

    @classmethod
    def of(cls, path: str) -> FileState:
        """The state now."""
        try:
            found = os.stat(path)
        except OSError:
            return cls(path, None)
        return cls(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


def are_current(states: Iterable[FileState]) -> bool:
    """Whether no file has changed."""
    return all(FileState.of(state.path) == state for state in states)


def read_source(path: str | os.PathLike[str]) -> Text:
    """The text of a program's file, or of standard input where the path is ``-``.

    Raises:
        ProgramFileError: it cannot be read, is too large or is no text.
        QueryError: ``path`` is no path.
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise QueryError(f"a program's file is a path such as 'rain.pl', not a {type(path).__name__}")
    if str(path) != STANDARD_INPUT:
        return read_text(Path(path), str(path))
    if sys.stdin is None or sys.stdin.closed:
        raise ProgramFileError("cannot read standard input: it is closed")
    try:
        content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ProgramFileError(f"cannot read standard input: {error.strerror or error}") from None
    return Text("<stdin>", _decoded(content, "<stdin>", None))


def read_text(file: Path, name: str, position: Position | None = None) -> Text:
    r"""The text of a file, which errors call ``name``; line ends are ``\n``, and a byte order mark is left out.

    Raises:
        ProgramFileError: the file cannot be read or is too large; the error is at ``position``, where it is asked for.
            In a file that is no UTF-8 text, it is at the first byte that is not.
    """
    try:
        with open(file, "rb", opener=_opened) as handle:
            content = _read_pipe(handle) if _is_pipe(handle) else handle.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter for a name with a null character
        raise ProgramFileError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}", position) from None
    return Text(name, _decoded(content, name, position), str(file.parent))


def _opened(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to does not wait for its writer here."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.set_blocking(descriptor, True)
    return descriptor


def _is_pipe(handle: BinaryIO) -> bool:
    return stat.S_ISFIFO(os.fstat(handle.fileno()).st_mode)


def _read_pipe(handle: BinaryIO) -> bytes:
    """What is written to a pipe, once somebody opens it; a writer may take its time."""
    descriptor, content = handle.fileno(), bytearray()
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    is_awaited = not waiting.poll(_PATIENCE)
    os.set_blocking(descriptor, True)
    while len(content) <= _MOST_BYTES and (piece := os.read(descriptor, 1 << 20)):
        content += piece
    if is_awaited and not content:
        raise OSError("nobody writes to this pipe")
    return bytes(content)


def _decoded(data: bytes, name: str, position: Position | None) -> str:
    if len(data) > _MOST_BYTES:
        raise ProgramFileError(f"cannot read {name}: it has more than {_MOST_BYTES >> 20} MiB", position)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
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
