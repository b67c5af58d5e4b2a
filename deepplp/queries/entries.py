"""Entries of the cache as files: an archive of index arrays and a text, looked at before it is read.

A file may be anything: cut off, foreign, made to harm. So its kind and its size are known before anything of it is
read, the sizes of its members before they are expanded, and their types before an array is made.
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

__all__ = ["MOST_BYTES", "read_entry", "write_entry"]

MOST_BYTES = 1 << 30
"""What an entry may take, and what it may expand to."""
_MOST_TEXT = 1 << 27  # bytes of JSON, which takes much more as objects

Array = NDArray[np.int64] | NDArray[np.uint8]


def read_entry(path: Path, names: Iterable[str], text: str) -> dict[str, Array]:
    """The members of an entry: vectors of 64-bit integers of these names, and one of bytes for the ``text``.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no regular file, or no archive of just these members. A damaged archive may raise other
            exceptions of the libraries that read it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise ValueError("it is a symbolic link")
    with open(os.open(path, flags), "rb") as handle:
        status = os.fstat(handle.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no regular file")
        if status.st_size > MOST_BYTES:
            raise ValueError(f"it takes {status.st_size} bytes")
        content = handle.read(status.st_size)
    wanted = {f"{name}.npy": np.dtype(np.int64) for name in names} | {f"{text}.npy": np.dtype(np.uint8)}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if members.keys() != wanted.keys():
            raise ValueError("it has other members")
        expanded = sum(member.file_size for member in members.values())
        if expanded > MOST_BYTES or members[f"{text}.npy"].file_size > _MOST_TEXT:
            raise ValueError(f"it expands to {expanded} bytes")
        return {name.removesuffix(".npy"): _vector(archive, member, wanted[name]) for name, member in members.items()}


def _vector(archive: zipfile.ZipFile, member: zipfile.ZipInfo, dtype: np.dtype[np.generic]) -> Array:
    with archive.open(member) as file:
        content = file.read(member.file_size)  # no more is expanded, whatever the archive says
    stream = io.BytesIO(content)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError(f"{member.filename} has another format")
    shape, _, found = npy.read_array_header_1_0(stream)
    if found != dtype or len(shape) != 1:
        raise ValueError(f"{member.filename} is no vector of {dtype}")
    if len(content) - stream.tell() != shape[0] * dtype.itemsize:
        raise ValueError(f"{member.filename} has another length")
    return np.ndarray(shape, dtype, content, stream.tell()).copy()


def write_entry(path: Path, members: Mapping[str, Array], text: str, suffix: str) -> None:
    """Write an entry beside its place, under a name that ends in ``suffix``, and move it there.

    Those who may read the folder may read the entry.

    Raises:
        OSError: it cannot be written, or it would be larger than what is read.
    """
    expanded = sum(array.nbytes for array in members.values())
    if expanded > MOST_BYTES // 2 or members[text].nbytes > _MOST_TEXT // 2:
        raise OSError(f"its {expanded} bytes are too many")
    admitted = os.stat(path.parent).st_mode
    readers = admitted & (admitted & 0o011) << 2 & 0o044
    handle, beside = tempfile.mkstemp(prefix=f"{path.stem}.", suffix=suffix, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **members)  # type: ignore[arg-type]
        os.chmod(beside, 0o600 | readers)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
