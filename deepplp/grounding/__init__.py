"""`Program` and query → `Formula`: an and/or/not graph over categorical choices, which may be cyclic."""

from deepplp.grounding.formula import (
    FALSE,
    TRUE,
    And,
    Atom,
    Choice,
    Fixed,
    Formula,
    Goal,
    Learnable,
    Neural,
    Node,
    Observed,
    Or,
    Source,
)
from deepplp.grounding.functions import PythonFunction
from deepplp.grounding.ground import Grounder, ground
from deepplp.grounding.inspection import calls_of, probability_faults, variables_of

__all__ = [
    "FALSE",
    "TRUE",
    "And",
    "Atom",
    "Choice",
    "Fixed",
    "Formula",
    "Goal",
    "Grounder",
    "Learnable",
    "Neural",
    "Node",
    "Observed",
    "Or",
    "PythonFunction",
    "Source",
    "calls_of",
    "ground",
    "probability_faults",
    "variables_of",
]
