"""The tabled engine: it grounds goals whose clauses it speaks, and declines the others with the reason.

It reads clauses through `ClauseBase` and knows nothing of ProbLog. Its interface::

    class TabledEngine:
        def __init__(self, base: ClauseBase, program: Program, neural: NeuralChoices) -> None:
            '''One for a loaded program. What it has translated of the clauses serves all later runs.'''

        def new_run(
            self, meter: GroundMeter, *, inputs: Collection[str] = frozenset(), derivations: bool = False
        ) -> TabledRun:
            '''Tables for goals that are ground together; ``inputs`` are the names of tensors.'''

    class TabledRun:
        target: GroundProgram and GroundWriter, into which the answers' keys lead

        def answers(self, goal: Term) -> list[tuple[tuple[Term, ...], Key]] | Declined:
            '''The provable instances of a goal (not negated), as ground arguments and the keys of their nodes.

            An instance that is proved in several tables is one answer. Raises BudgetExceededError by the meter.
            '''

    @dataclass(frozen=True)
    class Declined:
        reason: str                # "findall/3 is not spoken by the tabled engine"
        position: Position | None  # where that is called or defined

After any `Declined` the run is of no use any more: all goals are to be ground by ProbLog's engine, and its errors are
the ones to show. With ``derivations=True`` the target is the *unfolded* ground program, one disjunction an atom and one
conjunction a derivation, and `Extraction` writes its derivations beside the formula. A run that declines to remember
derivations may ground the same goals without them: try ``derivations=False`` before ProbLog's engine.

`Extraction(target, base, learnables).formula(queries, evidence, observed, unanswered)` reads the targets of both
engines. The limits of open goals and of answers are the meter's: `GroundMeter.check_open`, `GroundMeter.check_answers`.
"""

from deepplp.grounding.tabled.engine import Declined, TabledEngine, TabledRun

__all__ = ["Declined", "TabledEngine", "TabledRun"]
