"""ProbLog's exceptions as deepplp's errors, with the user's file, line and column."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from problog import library_paths
from problog.engine import UnknownClause
from problog.engine_builtin import CallModeError, IndirectCallCycleError
from problog.engine_unify import OccursCheck
from problog.errors import ProbLogError, UserError
from problog.eval_nodes import NegativeCycle

from deepplp.errors import DeepPLPError, GroundingError, Position, UnknownPredicateError
from deepplp.grounding.clause_base import Location
from deepplp.grounding.ground_budget import StoppedAt
from deepplp.grounding.hints import hint_for
from deepplp.grounding.problog.builtin_faults import ARITHMETIC, CallBindings, arithmetic_error, builtin_fault
from deepplp.grounding.problog.engine import Engine, FailedCall
from deepplp.grounding.problog.libraries import libraries_for
from deepplp.grounding.tensor_tests import TENSOR_TESTS
from deepplp.program import Term, readable, readable_text
from deepplp.watch import StoppedError

__all__ = ["translated"]


@contextmanager
def translated(engine: Engine, goal: Term | None) -> Iterator[None]:
    """Turn what goes wrong while an engine grounds a goal into errors with the user's file, line and column.

    ProbLog's suspicion of a negative cycle passes, unless the engine evaluates negations one by one.
    """
    faults = _Faults(engine)
    try:
        yield
    except DeepPLPError as error:
        faults.relocate(error)
        raise
    except StoppedError as stop:
        stop.notes.extend(faults.stopped_at())
        raise
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, NegativeCycle) and not engine.has_exact_negation:
            raise
        raise faults.translate(error, goal) from error


@dataclass(frozen=True, slots=True)
class _Faults:
    """Translates exceptions; ``engine`` knows what was called last."""

    engine: Engine

    def translate(self, error: Exception, goal: Term | None) -> DeepPLPError:
        """The error that says what an exception of ProbLog's, or of what ProbLog calls, means to a user."""
        if isinstance(error, UnknownClause):
            return self._unknown_predicate(error)
        if isinstance(error, RecursionError):
            return self._too_deep(goal)
        calls = self.engine.failed_calls(error)
        failed = calls[0] if calls else None
        known = [*(call.location for call in calls), getattr(error, "location", None)]
        position, inside = self._place(next((location for location in known if location is not None), None))
        if failed is not None and failed.signature in ARITHMETIC:
            engine = self.engine
            found = arithmetic_error(failed.signature, self._bindings(failed), error, engine.functions, engine.inputs)
            found.message, found.position = found.message + inside, position
            return found
        if isinstance(error, IndirectCallCycleError):
            message = (
                "a cycle goes through a goal that is called by call/1, findall/3 or the like, where it cannot be "
                "closed; call the predicate by its name"
            )
        elif isinstance(error, OccursCheck):
            message = "this unification would make an infinite term, such as X = f(X)"
        elif isinstance(error, UserError):  # of error/N: the program's own words
            message = readable_text(str(error.base_message))
        elif failed is not None and (isinstance(error, CallModeError) or not isinstance(error, ProbLogError)):
            message = self._failure(error, failed)
        elif isinstance(error, ProbLogError):
            message = readable_text(str(error.base_message)).rstrip(".")
            message = message[:1].lower() + message[1:]
        else:
            asked = f"the query {readable(goal)}" if goal is not None else "this"
            message = f"ProbLog's engine cannot ground {asked}"
        return GroundingError(message + inside, position)

    def stopped_at(self) -> Iterator[StoppedAt]:
        """The goal that was called last, where the user's program called for it."""
        if self.engine.called is not None:
            node = self.engine.called[0]
            position, inside = self._place(node.location)
            yield StoppedAt(f"{node.functor}/{len(node.args)}{inside}", position)

    def relocate(self, error: DeepPLPError) -> None:
        """Let an error of ours that points nowhere or into a library point to the clause of the program's."""
        calls = self.engine.failed_calls(error)
        if error.position is None and calls:
            places = map(self.engine.locate, (*(call.location for call in calls), *self.engine.calling_clauses()))
            error.position = next((p for p in places if p is not None and not _is_library(p.file)), None)
        if error.position is not None and _is_library(error.position.file):
            error.position, inside = self._outside(error.position)
            error.message += inside

    def _failure(self, error: Exception, failed: FailedCall) -> str:
        """What to say where a built-in raises an exception, or a predicate of the program's own Python files."""
        if self._is_raised_by_program(error):
            goal = readable(Term(failed.signature.rpartition("/")[0], *failed.arguments))
            return f"the Python function for {goal} raised {type(error).__name__}: {error}"
        return builtin_fault(failed.signature, self._bindings(failed), error)

    def _bindings(self, failed: FailedCall) -> CallBindings:
        written = self.engine.setting.places.written(failed.location)
        return CallBindings.of(failed.arguments, written.args if written is not None else ())

    def _is_raised_by_program(self, error: Exception) -> bool:
        """Whether a Python file of the program's, no library of ProbLog's, took part in raising an exception."""
        own = {os.path.realpath(file) for file in self.engine.database.python_files if not _is_library(file)}
        traceback = error.__traceback__
        while traceback is not None:
            if os.path.realpath(traceback.tb_frame.f_code.co_filename) in own:
                return True
            traceback = traceback.tb_next
        return False

    def _too_deep(self, goal: Term | None) -> GroundingError:
        if self.engine.is_collecting:
            position, inside = self._place(None)
            return GroundingError(
                f"findall/3 and its like are nested too deeply here; collect once, outside of the recursion{inside}",
                position,
            )
        return GroundingError(
            "a term is nested too deeply for ProbLog's engine; use a flatter term, or facts instead of a long list",
            self.engine.locate(goal.location) if goal is not None else None,
        )

    def _place(self, location: Location) -> tuple[Position | None, str]:
        """Where the user's program is at fault, and what to add where that is inside a library."""
        position = self.engine.locate(location)
        if position is None and self.engine.called is not None:
            position = self.engine.locate(self.engine.called[0].location)
        if position is None:  # a library's clause that is in no file
            return self._caller(), ""
        return self._outside(position) if _is_library(position.file) else (position, "")

    def _outside(self, position: Position) -> tuple[Position, str]:
        library = os.path.splitext(os.path.basename(position.file))[0]
        caller = self._caller()
        return (position, "") if caller is None else (caller, f", in library({library})")

    def _caller(self) -> Position | None:
        """The clause of the program's that led to the last call."""
        found = (self.engine.locate(clause) for clause in self.engine.calling_clauses())
        return next((position for position in found if position is not None and not _is_library(position.file)), None)

    def _unknown_predicate(self, error: UnknownClause) -> UnknownPredicateError:
        signature = str(error.signature)
        name, _, arity = signature.rpartition("/")
        name = name.strip("'")
        signature = f"{name}/{arity}"
        position, inside = self._place(error.location)
        instead = hint_for(signature, (*libraries_for({signature}), None)[0])
        if instead is not None:
            return UnknownPredicateError(instead + inside, position)
        known = sorted(self._signatures() | {f"{name}/{arity}" for name, arity in TENSOR_TESTS.items()})
        close = [name, *difflib.get_close_matches(name, [k.rpartition("/")[0] for k in known], n=2, cutoff=0.7)]
        near = sorted(
            (k for k in known if k.rpartition("/")[0] in close), key=lambda k: close.index(k.rpartition("/")[0])
        )
        hint = f"; did you mean {' or '.join(near)}?" if near else "; the program defines no such predicate"
        return UnknownPredicateError(f"no clauses for {name}/{arity}{hint}{inside}", position)

    def _signatures(self) -> set[str]:
        """The predicates that the program and its libraries define."""
        return {
            f"{node.functor}/{node.arity}"
            for _, node in self.engine.database.enum_nodes()
            if type(node).__name__ == "define" and not str(node.functor).startswith(("body_", "_", "query", "evidence"))
        }


def _is_library(file: str) -> bool:
    path = os.path.realpath(file)
    return any(path.startswith(os.path.realpath(folder) + os.sep) for folder in library_paths)
