"""Text → `Program`: clauses, neural declarations and directives, each with its place in the source."""

from deepplp.program.constructs import control_faults
from deepplp.program.learnable import LearnableClause
from deepplp.program.naming import readable, readable_text
from deepplp.program.program import NeuralDeclaration, Program, Statement, list_items
from deepplp.program.source import Source
from deepplp.program.syntax import RANGE_FUNCTOR, parse_goal, parse_term

__all__ = [
    "RANGE_FUNCTOR",
    "LearnableClause",
    "NeuralDeclaration",
    "Program",
    "Source",
    "Statement",
    "control_faults",
    "list_items",
    "parse_goal",
    "parse_term",
    "readable",
    "readable_text",
]
