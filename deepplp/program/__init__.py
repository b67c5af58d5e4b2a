"""Text → `Program`: clauses, neural declarations and directives, each with its place in the source."""

from deepplp.program.inspection import (
    calls_of,
    constants_of,
    loads_modules,
    names_of_arguments,
    probability_faults,
    signatures_called,
    signatures_defined,
    undecided_signatures,
    unsupported_control,
    variables_of,
)
from deepplp.program.learnable import LearnableClause
from deepplp.program.modules import module_of, module_statements
from deepplp.program.naming import named, named_all, readable, readable_text
from deepplp.program.numbers import function_value, number_of, product, value_of, written
from deepplp.program.order import standard_order_key, standard_order_keys
from deepplp.program.program import NeuralDeclaration, Program, Statement
from deepplp.program.syntax import RANGE_FUNCTOR, parse_goal, parse_term
from deepplp.program.terms import (
    Conjunction,
    Constant,
    Disjunction,
    EncodedItem,
    Not,
    Term,
    Var,
    decoded_term,
    encoded_term,
    is_ground,
    list2term,
    list_items,
    substituted,
    subterms,
)
from deepplp.program.text import Text, read_text

__all__ = [
    "RANGE_FUNCTOR",
    "Conjunction",
    "Constant",
    "Disjunction",
    "EncodedItem",
    "LearnableClause",
    "NeuralDeclaration",
    "Not",
    "Program",
    "Statement",
    "Term",
    "Text",
    "Var",
    "calls_of",
    "constants_of",
    "decoded_term",
    "encoded_term",
    "function_value",
    "is_ground",
    "list2term",
    "list_items",
    "loads_modules",
    "module_of",
    "module_statements",
    "named",
    "named_all",
    "names_of_arguments",
    "number_of",
    "parse_goal",
    "parse_term",
    "probability_faults",
    "product",
    "read_text",
    "readable",
    "readable_text",
    "signatures_called",
    "signatures_defined",
    "standard_order_key",
    "standard_order_keys",
    "substituted",
    "subterms",
    "undecided_signatures",
    "unsupported_control",
    "value_of",
    "variables_of",
    "written",
]
