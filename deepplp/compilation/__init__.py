"""`Formula` → `Circuit`: ordered decision diagrams over categorical choices, exported as flat arrays."""

from deepplp.compilation.compile_budget import CompileBudget
from deepplp.compilation.compiler import COMPILERS, CompilerName, Order, compile_formula, compile_with_report
from deepplp.compilation.orders import ORDERS
from deepplp.compilation.report import Attempt, CompilationReport
from deepplp.compilation.stated import impossible_queries

__all__ = [
    "COMPILERS",
    "ORDERS",
    "Attempt",
    "CompilationReport",
    "CompileBudget",
    "CompilerName",
    "Order",
    "compile_formula",
    "compile_with_report",
    "impossible_queries",
]
