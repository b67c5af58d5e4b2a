"""Packages whose names are loaded when they are first used (PEP 562).

So a program without networks is answered before torch and numba, which take seconds to load, would be there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping

__all__ = ["loaded_on_use"]


def loaded_on_use(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__``.

    ``homes`` gives for each of its modules the names that come from there, in one text: ``"Name other=renamed"`` offers
    ``other`` of that module as ``renamed``.
    """
    places: dict[str, tuple[str, str]] = {}
    for module, names in homes.items():
        for entry in names.split():
            inside, _, outside = entry.partition("=")
            places[outside or inside] = module, inside

    def load(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, inside = places[name]
        found: object = getattr(importlib.import_module(f"{package}.{module}"), inside)
        setattr(sys.modules[package], name, found)  # the next access finds it at once
        return found

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return load, listed
