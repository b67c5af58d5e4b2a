"""The circuit as a value: flat arrays, their order, and a circuit bound to weights."""

from deepplp.circuit.circuit import FALSE_NODE, TRUE_NODE, Circuit, IntArray
from deepplp.circuit.plan import Plan, bind, lay_end_to_end, starts_of

__all__ = ["FALSE_NODE", "TRUE_NODE", "Circuit", "IntArray", "Plan", "bind", "lay_end_to_end", "starts_of"]
