"""The door of the tabled engine: goals in, keys of their answers out, or the reason why it declines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from deepplp.errors import Position
from deepplp.grounding.clause_base import ClauseBase, ClauseNode, FactNode
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.neural_choices import NeuralChoices
from deepplp.grounding.tabled.tabling import Tabling, ground_arguments
from deepplp.grounding.tabled.terms import OutsideFragment
from deepplp.grounding.tabled.translation import Translation
from deepplp.grounding.tabled.unfolding import Unfolding
from deepplp.grounding.target import GroundTarget, Key
from deepplp.grounding.unfolded import UnfoldedProgram
from deepplp.program import Program, Term

__all__ = ["Declined", "TabledEngine", "TabledRun"]

_MOST_TERMS = 1_000_000  # of earlier runs, which are then forgotten


@dataclass(frozen=True, slots=True)
class Declined:
    """Why the tabled engine does not ground a goal, and where in the program that stands."""

    reason: str
    position: Position | None

    def __str__(self) -> str:
        return self.reason if self.position is None else f"{self.position}: {self.reason}"


class TabledEngine:
    """The tabled engine of one loaded program.

    What it has translated of the clauses serves all runs; the clauses must not change any more.
    """

    def __init__(self, base: ClauseBase, program: Program, neural: NeuralChoices) -> None:
        self._base = base
        self._program = program
        self._neural = neural
        self._translation = Translation(base, neural)

    def new_run(
        self, meter: GroundMeter, *, inputs: Collection[str] = frozenset(), derivations: bool = False
    ) -> TabledRun:
        """Tables for goals that are ground together; ``inputs`` are the names of tensors."""
        if len(self._translation.terms) > _MOST_TERMS:
            self._translation = Translation(self._base, self._neural)
        self._translation.terms.inputs = inputs
        tabling = Tabling(meter, self._translation.terms, remember=derivations)
        unfolding = Unfolding(self._base, self._program, self._translation, tabling) if derivations else None
        return TabledRun(self._base, self._translation, tabling, unfolding)


class TabledRun:
    """Goals that are ground together into one ``target``."""

    def __init__(
        self, base: ClauseBase, translation: Translation, tabling: Tabling, unfolding: Unfolding | None
    ) -> None:
        self._base = base
        self._translation = translation
        self._tabling = tabling
        self._unfolding = unfolding

    @property
    def target(self) -> GroundTarget | UnfoldedProgram:
        """The ground program that the keys of answers lead into."""
        return self._tabling.target if self._unfolding is None else self._unfolding.target

    def answers(self, goal: Term) -> list[tuple[tuple[Term, ...], Key]] | Declined:
        """The provable instances of a goal that is not negated: their arguments, each with the key of its node.

        With derivations, a ground goal that cannot be proved has a node, too.

        Raises:
            BudgetExceededError: the meter's budget is spent, or a recursion does not end.
        """
        try:
            predicate, call, variables = self._translation.call(goal)
            found: Sequence[tuple[tuple[int, ...], Key]] = self._tabling.solve(predicate, call, variables)
            if self._unfolding is not None:
                arguments = [a for a, _ in found] if variables else [ground_arguments(call)]
                keys = self._unfolding.keys(predicate, arguments)
                found = list(zip(arguments, keys, strict=True))
        except OutsideFragment as outside:
            return self._declined(outside)
        except RecursionError:  # ProbLog's engine has what it says of those
            return Declined("a term is nested too deeply to be taken apart", None)
        term = self._translation.terms.term
        return [(tuple([term(a) for a in answer]), key) for answer, key in found]

    def _declined(self, outside: OutsideFragment) -> Declined:
        location = outside.location
        clause = None if outside.clause is None else self._base.node(outside.clause)
        if location is None and isinstance(clause, (FactNode, ClauseNode)):
            location = clause.location
        return Declined(outside.reason, self._base.locate(location))
