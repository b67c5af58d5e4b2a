"""`Formula` → `Circuit`: ordered decision diagrams over categorical choices, exported as flat arrays."""

from deepplp.compilation.budget import CompileBudget
from deepplp.compilation.circuit import FALSE_NODE, TRUE_NODE, Circuit
from deepplp.compilation.compiler import compile_formula, compile_with_report
from deepplp.compilation.orders import ORDERS
from deepplp.compilation.report import Attempt, CompilationReport
from deepplp.compilation.sentential import compile_sentential
from deepplp.compilation.structure import depth_first_order

__all__ = [
    "FALSE_NODE",
    "ORDERS",
    "TRUE_NODE",
    "Attempt",
    "Circuit",
    "CompilationReport",
    "CompileBudget",
    "compile_formula",
    "compile_sentential",
    "compile_with_report",
    "depth_first_order",
]
