"""Built-in predicates by number: ProbLog's own, those that work otherwise here, and those of one program."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from problog.engine import DefaultEngine

from deepplp.grounding.problog.builtins import replaced_builtins
from deepplp.grounding.problog.vocabulary import BuiltinFunction, NamedBuiltin

__all__ = ["BuiltinTable", "standard_builtins"]


@dataclass(frozen=True, slots=True)
class BuiltinTable:
    """Built-ins by their numbers -1, -2 and so on, and the numbers by signatures such as ``"between/3"``."""

    numbers: Mapping[str, int]
    functions: tuple[BuiltinFunction, ...]
    _signatures: dict[int, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_signatures", {n: s for s, n in self.numbers.items()})

    def function(self, number: int) -> BuiltinFunction:
        """The built-in of a number."""
        return self.functions[-number - 1]

    def signature(self, number: int) -> str | None:
        """The signature of a built-in; None for one that others stand in for."""
        return self._signatures.get(number)

    def with_builtins(self, more: Iterable[NamedBuiltin]) -> BuiltinTable:
        """A table in which others are added, or stand in for those of the same signature."""
        numbers, functions = dict(self.numbers), list(self.functions)
        for name, arity, function in more:
            functions.append(function)
            numbers[f"{name}/{arity}"] = -len(functions)
        return BuiltinTable(MappingProxyType(numbers), tuple(functions))


@functools.cache
def standard_builtins() -> BuiltinTable:
    """What every program may call."""
    engine = DefaultEngine()
    numbers: dict[str, int] = engine.get_builtins()
    table = BuiltinTable(numbers, tuple(engine.get_builtin(-i - 1) for i in range(-min(numbers.values()))))
    return table.with_builtins(replaced_builtins(lambda signature: table.function(numbers[signature])))
