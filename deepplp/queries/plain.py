"""A plain program's own queries, answered once and without torch: what the command line does."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from deepplp.answers import AnswerTerms
from deepplp.circuit import FALSE_NODE
from deepplp.compilation import CompileBudget, CompilerName
from deepplp.errors import (
    GroundingError,
    InconsistentEvidenceError,
    InvalidProbabilityError,
    NoValueError,
    QueryError,
    UnknownNetworkError,
)
from deepplp.evaluation import one_row_probabilities
from deepplp.formula import Choice, Computed, Fixed, Learnable
from deepplp.grounding import GrounderName, start_value
from deepplp.program import Program
from deepplp.queries.contradiction import contradiction, nothing_follows
from deepplp.queries.pattern import Pattern
from deepplp.queries.storage import cache_folder
from deepplp.queries.workshop import Built, Settings, Workshop, is_worth_keeping, place_on_disk

__all__ = ["probabilities"]

_OWN = Pattern(None, (), (), {})
_ROUNDING = 1e-9


def probabilities(
    program: Program | str | os.PathLike[str],
    *,
    allow_python: bool = False,
    cache: str | os.PathLike[str] | bool | None = None,
    budget: CompileBudget | None = None,
    grounder: GrounderName = "auto",
    compiler: CompilerName = "portfolio",
) -> dict[str, float]:
    """The probability of every answer to a program's ``query/1``, given its ``evidence/1,2``; by the answer's text.

    The answers stand in the order of `Model.query`, and behind them, with probability 0, queries that no world proves.
    A ``t(0.3)`` counts as 0.3, and ``param(theta, 38.5)`` as 38.5. The program has no networks. Neither torch nor a
    kernel is loaded, so that a small program is answered in a fraction of the time that making a `Model` takes. The
    arguments are those of `Model`.

    Raises:
        UnknownNetworkError: the program needs a network.
        InconsistentEvidenceError: the evidence has probability 0.
        DeepPLPError: what else is wrong with the program; see ``deepplp.errors``.

    >>> probabilities(Program.from_string("0.5::a. 0.5::b. q :- a. q :- b. query(q). query(a)."))
    {'q': 0.75, 'a': 0.5}
    """
    settings = Settings(allow_python, budget, grounder, compiler)
    if not isinstance(program, Program):
        program = Program.from_file(program)
    for first in program.declarations:
        raise UnknownNetworkError(
            f"{first} needs a network, and is asked without one; load this program in Python with "
            f"deepplp.Model(program, networks={{{first.network!r}: …}})",
            first.position,
        )
    header, circuit, _ = _built(program, settings, cache)
    if circuit.evidence == FALSE_NODE:
        raise contradiction(Workshop(program, settings).formula(_OWN, program), program)
    if any(isinstance(choice.origin, Computed) for choice in header.choices):
        _ = program.learnt_numbers  # each starts at one value
    found = one_row_probabilities(circuit, _weights(header.choices))
    if found is None:
        raise InconsistentEvidenceError(nothing_follows())
    results = dict(zip(AnswerTerms(header.queries).texts, found.tolist(), strict=True))
    return results | {str(term): 0.0 for term in header.unanswered}  # with ProbLog's names of variables


def _built(program: Program, settings: Settings, cache: str | os.PathLike[str] | bool | None) -> Built:
    """The compiled form of a program's own queries: from the folder in which a `Model` would keep it, or new."""
    storage, name = place_on_disk(cache_folder(cache), settings, program, _OWN.key, "")
    kept = storage.load(name) if storage is not None else None
    if kept is not None:
        return Built(*kept)
    started = time.perf_counter()
    built = Workshop(program, settings).built(_OWN, program)
    if storage is not None and not built.files and is_worth_keeping(time.perf_counter() - started):
        storage.save(name, built.header, built.circuit)
    return built


def _at_start(choice: Choice, origin: Computed) -> list[float]:
    """The weights of a choice where the learnt numbers that it is computed from start."""
    found: list[float] = []
    for given in origin.probabilities:
        try:
            value = given if isinstance(given, float) else start_value(given)
        except GroundingError as error:
            raise GroundingError(error.message, choice.position) from None
        except ValueError as error:
            raise NoValueError(f"this arithmetic has no value: {error}", choice.position) from None
        if value is None:
            raise QueryError(f"the probability {given} of {choice.values[0]} is a tensor; give it to deepplp.Model")
        found.append(value)
    rest = 1.0 - math.fsum(found)
    if min(found) < 0.0 or rest < -_ROUNDING:
        shown = ", ".join(f"{p:.12g}" for p in found)
        raise InvalidProbabilityError(
            f"the probability {shown} of {choice.values[0]} is not between 0 and 1", choice.position
        )
    return found if len(found) == len(choice.values) else [*found, max(0.0, rest)]


def _weights(choices: Iterable[Choice]) -> NDArray[np.float64]:
    """A weight for each value of each choice."""
    found: list[float] = []
    for choice in choices:
        match choice.origin:
            case Fixed(probabilities):
                found += probabilities
            case Learnable() as origin:
                found += origin.initial
            case Computed() as origin:
                found += _at_start(choice, origin)
            case other:
                raise AssertionError(f"a plain program has no choices of a {type(other).__name__}")
    return np.array(found, dtype=np.float64)
