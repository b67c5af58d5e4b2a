"""Predicates that Python decides: functions registered on a model, and functions of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Unpack

from problog.engine_unify import UnifyError, unify_value

from deepplp.grounding.problog.arithmetic import decided
from deepplp.grounding.problog.vocabulary import (
    Argument,
    Arguments,
    BuiltinFunction,
    CallOptions,
    ProbableSolution,
    Solution,
)
from deepplp.grounding.python_predicates import PythonFunction
from deepplp.grounding.tensor_predicates import tensor_predicates, tensor_term
from deepplp.grounding.tensor_tests import TENSOR_TESTS, tensor_test

__all__ = ["Probabilistic", "python_solver", "tensor_solvers"]


@dataclass(frozen=True, slots=True)
class Probabilistic:
    """A predicate whose answers come with nodes of the ground program: one of `tensor_tests`."""

    solve: BuiltinFunction

    def __call__(self, *arguments: Argument, **call: Unpack[CallOptions]) -> object:
        return self.solve(*arguments, **call)


def python_solver(function: PythonFunction) -> BuiltinFunction:
    """The solutions of a predicate that a function of Python decides."""

    def solve(*arguments: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
        found: list[Solution] = []
        for solution in function.solutions(arguments, call["engine"].locate(call.get("location"))):
            try:
                found.append(tuple(unify_value(a, b, {}) for a, b in zip(arguments, solution, strict=True)))
            except UnifyError:
                continue
        return found

    return solve


def tensor_solvers() -> Iterator[tuple[str, int, BuiltinFunction]]:
    """Name, arity and solver of every predicate of tensors."""
    for name, arity in tensor_predicates():
        yield name, arity, Probabilistic(_tester(name)) if name in TENSOR_TESTS else _function(name)


def _function(name: str) -> BuiltinFunction:
    def solve(*arguments: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
        given = arguments[:-1]
        tensor = tensor_term(name, given, call["engine"].locate(call.get("location")))
        try:
            return [(*given, unify_value(arguments[-1], tensor, {}))]
        except UnifyError:
            return []

    return solve


def _tester(name: str) -> BuiltinFunction:
    """A predicate that holds with a probability that tensors decide, for each row."""

    def solve(*arguments: Argument, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
        decision = tensor_test(name, arguments, call["engine"].inputs, call.get("location"))
        return [(arguments, decided(decision, call))]

    return solve
