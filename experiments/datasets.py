"""Where data sets are: in the folder that the environment variable ``DEEPPLP_DATA`` names.

No other module reads the variable. An empty value is no value. A value that names no folder ends the program, for it is
a slip of who set it: experiments must not go on without data that they were told to read.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["VARIABLE", "data_folder", "data_root", "find_data", "missing_data"]

VARIABLE = "DEEPPLP_DATA"


def data_root() -> Path | None:
    """The folder of all data sets; None where the variable is unset or empty.

    Where it names no folder, `SystemExit` with one line for standard error.
    """
    named = os.environ.get(VARIABLE, "")
    if not named:
        return None
    root = Path(named)
    if not root.is_dir():
        raise SystemExit(f"{VARIABLE} names {named}, which is no folder")
    return root


def find_data(name: str) -> Path | None:
    """The folder of one data set, such as ``forth/add``; None where it is not there."""
    root = data_root()
    return root / name if root is not None and (root / name).is_dir() else None


def data_folder(name: str) -> Path:
    """The folder of one data set; where it is not there, `SystemExit` with the line of `missing_data`."""
    folder = find_data(name)
    if folder is None:
        raise SystemExit(missing_data(name))
    return folder


def missing_data(name: str) -> str:
    """One line: what is missing, and what to set."""
    root = data_root()
    given = f"{VARIABLE} is not set" if root is None else f"{root} has no folder {name}"
    return f"{given}: set {VARIABLE} to the folder that holds the data set {name!r}"
