"""The circuit as a value: flat arrays, their order, and a circuit bound to weights."""

from deepplp.circuit.circuit import FALSE_NODE, TRUE_NODE, Circuit, IntArray
from deepplp.circuit.packing import pack, starts_of, unpack
from deepplp.circuit.plan import Plan, PlanArrays, as_one_matrix, bind, lay_end_to_end

__all__ = [
    "FALSE_NODE",
    "TRUE_NODE",
    "Circuit",
    "IntArray",
    "Plan",
    "PlanArrays",
    "as_one_matrix",
    "bind",
    "lay_end_to_end",
    "pack",
    "starts_of",
    "unpack",
]
