"""ProbLog's engine: it grounds what the tabled engine does not speak, and holds the clauses that both read.

Its interface::

    load_program(program, meter, allow_python=False, functions=()) -> LoadedProgram
        A program in ProbLog's data base, its directives carried out. Nothing changes it: any number of threads may
        ground goals of it at once. ``LoadedProgram.clauses`` is what the tabled engine reads.

    own_goals(loaded, meter) -> OwnGoals
        The program's ``query/1`` and ``evidence/1,2``.

    ground_goals(loaded, goals, meter) -> GroundGoals
        Goals ground together, each run on a data base and with an engine of its own.

    libraries_for(undefined) -> list[str]
        The libraries of lists and higher-order predicates that export some of these signatures.

    predefined_signatures() -> Iterator[str]
        What a program may call without defining it.
"""

from deepplp.grounding.problog.libraries import libraries_for
from deepplp.grounding.problog.loading import LoadedProgram, load_program
from deepplp.grounding.problog.predefined import predefined_signatures
from deepplp.grounding.problog.run import ground_goals
from deepplp.grounding.problog.stated_goals import OwnGoals, own_goals

__all__ = [
    "LoadedProgram",
    "OwnGoals",
    "ground_goals",
    "libraries_for",
    "load_program",
    "own_goals",
    "predefined_signatures",
]
