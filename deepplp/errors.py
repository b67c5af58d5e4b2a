"""Everything that can go wrong, by name.

One root class, leaves named after the problem. A message says where (``file:line:column`` with the source line and a
caret when the fault has a place in a program), what, and what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AcceleratorWarning",
    "BatchSizeError",
    "BudgetExceededError",
    "CacheWarning",
    "DeepPLPError",
    "DomainError",
    "GroundingError",
    "ImpossibleTargetError",
    "ImpossibleValueWarning",
    "InconsistentEvidenceError",
    "InputError",
    "InvalidProbabilityError",
    "LateParameterWarning",
    "MissingInputError",
    "NegativeCycleError",
    "NetworkInputError",
    "NetworkOutputError",
    "NoValueError",
    "NonGroundError",
    "Position",
    "ProgramError",
    "ProgramFileError",
    "ProgramSyntaxError",
    "ProgramWarning",
    "PythonNotAllowedError",
    "QueryError",
    "StateMismatchError",
    "TargetError",
    "UnknownAnswerError",
    "UnknownNetworkError",
    "UnknownPredicateError",
    "UnsupportedConstructError",
    "UnusedInputError",
    "UnusedNetworkWarning",
]


_LONGEST_LINE = 160  # characters


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a source text: 1-based line and column, and the line itself for the caret."""

    file: str
    line: int
    column: int
    source_line: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def caret(self) -> str:
        """The source line with a caret below the column; tabs are kept so that the caret stays in place.

        Of a line that is too long to be read, what stands around the column.
        """
        line, column = self.source_line, self.column
        if len(line) > _LONGEST_LINE:
            first = max(0, min(column - 1 - _LONGEST_LINE // 2, len(line) - _LONGEST_LINE))
            before, after = "…" if first else "", "…" if first + _LONGEST_LINE < len(line) else ""
            line = f"{before}{line[first : first + _LONGEST_LINE]}{after}"
            column += len(before) - first
        lead = "".join("\t" if c == "\t" else " " for c in line[: column - 1])
        return f"    {line}\n    {lead}^"


class DeepPLPError(Exception):
    """The root of all errors that deepplp raises on purpose.

    ``message`` is the text without its place, ``position`` the place in the program, if it has one.
    """

    def __init__(self, message: str, position: Position | None = None) -> None:
        self.message = message
        self.position = position
        super().__init__(message, position)

    def __str__(self) -> str:
        if self.position is None:
            return self.message
        text = f"{self.position}: {self.message}"
        return f"{text}\n{self.position.caret()}" if self.position.source_line else text


class ProgramError(DeepPLPError):
    """The program text is at fault."""


class ProgramFileError(ProgramError):
    """The program's file cannot be read."""


class ProgramSyntaxError(ProgramError):
    """The text is not a ProbLog program."""


class UnsupportedConstructError(ProgramError):
    """The text is legal, but says something that deepplp does not do."""


class InvalidProbabilityError(ProgramError):
    """A probability is not a number from 0 to 1, or those of an annotated disjunction sum to more than 1."""


class PythonNotAllowedError(ProgramError):
    """The program would run Python code or read a data base, and the caller has not allowed it."""


class UnknownNetworkError(ProgramError):
    """An ``nn`` annotation names a network that the model was not given."""


class DomainError(ProgramError):
    """The domain of an ``nn`` annotation is empty, holds a value twice, or is no list of values."""


class GroundingError(DeepPLPError):
    """The program is legal, but the query cannot be ground."""


class UnknownPredicateError(GroundingError):
    """A goal calls a predicate that no clause defines."""


class NonGroundError(GroundingError):
    """A probabilistic fact or choice, or a network's input, still holds a variable when it is reached."""


class NoValueError(GroundingError):
    """An arithmetic expression has no value; ``part`` is the part of it that has none, as text."""

    def __init__(self, message: str, position: Position | None = None, part: str = "") -> None:
        super().__init__(message, position)
        self.part = part


class NegativeCycleError(GroundingError):
    """An atom depends on its own negation.

    ``cycle`` holds the atoms on the cycle, as text.
    """

    def __init__(self, message: str, position: Position | None = None, cycle: tuple[str, ...] = ()) -> None:
        super().__init__(message, position)
        self.cycle = cycle


class BudgetExceededError(DeepPLPError):
    """Grounding or compilation ran out of the time or the nodes that it was given.

    ``part`` holds the choices of the part in work when it ended, as text; ``report`` is compilation's report.
    """

    def __init__(
        self, message: str, position: Position | None = None, part: tuple[str, ...] = (), report: object = None
    ) -> None:
        super().__init__(message, position)
        self.part = part
        self.report = report


class QueryError(DeepPLPError):
    """A call to the model is at fault."""


class InputError(QueryError):
    """An input tensor does not fit the query."""


class MissingInputError(InputError):
    """A network needs an argument for which the call gives no tensor."""


class UnusedInputError(InputError):
    """The call gives a tensor under a name that stands nowhere in the query, its evidence or the program."""


class BatchSizeError(InputError):
    """The leading axes of the inputs disagree: each must have the batch size, or 1."""


class TargetError(QueryError):
    """What is asked of answers is no index or term of theirs."""


class UnknownAnswerError(TargetError, KeyError):
    """A term is none of the answers; a KeyError too, as `Answers` are a mapping."""


class ImpossibleTargetError(TargetError):
    """A target of ``log_prob`` holds in no world, whatever the networks say.

    ``rows`` names the rows of the batch, or of several queries the numbers of those, and ``terms`` the target of each.
    """

    def __init__(
        self,
        message: str,
        position: Position | None = None,
        rows: tuple[int, ...] = (),
        terms: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, position)
        self.rows = rows
        self.terms = terms


class NetworkInputError(DeepPLPError):
    """A network does not take the inputs that its declaration gives it, or fails on them."""


class NetworkOutputError(DeepPLPError):
    """A network's output has the wrong shape, or is not what its ``output`` declares."""


class InconsistentEvidenceError(DeepPLPError):
    """The evidence has probability zero; ``rows`` names the rows of the batch where it has."""

    def __init__(self, message: str, position: Position | None = None, rows: tuple[int, ...] = ()) -> None:
        super().__init__(message, position)
        self.rows = rows


class StateMismatchError(DeepPLPError):
    """A state dict holds what was learnt for the clauses of another program."""


class ProgramWarning(UserWarning):
    """The program, or its use, is probably not what was meant."""


class AcceleratorWarning(UserWarning):
    """A device's own kernels do not work; the answer is computed all the same, by slower means."""


class CacheWarning(UserWarning):
    """A cache file could not be read or written; the answer is computed all the same."""


class ImpossibleValueWarning(ProgramWarning):
    """A goal can never hold: an argument has a value that the predicate's domain lacks, such as a misspelt one."""


class UnusedNetworkWarning(ProgramWarning):
    """The model was given a network that the program never mentions."""


class LateParameterWarning(UserWarning):
    """An optimiser was made before a learnable probability was, and does not train it."""
