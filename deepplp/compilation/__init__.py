"""`Formula` → `Circuit`: sentential decision diagrams over categorical choices, exported as flat arrays."""

from deepplp.compilation.circuit import FALSE_NODE, TRUE_NODE, Circuit
from deepplp.compilation.compiler import compile_formula
from deepplp.compilation.structure import depth_first_order

__all__ = ["FALSE_NODE", "TRUE_NODE", "Circuit", "compile_formula", "depth_first_order"]
