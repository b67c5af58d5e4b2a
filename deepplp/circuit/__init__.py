"""The circuit as a value: flat arrays, their order, and a circuit bound to weights."""

from deepplp.circuit.circuit import FALSE_NODE, TRUE_NODE, Circuit, IntArray
from deepplp.circuit.inversion import Inversion, PackedInversion, inversion_of
from deepplp.circuit.layers import Layers, layers_of
from deepplp.circuit.packing import pack, starts_of, stretches, unpack
from deepplp.circuit.plan import Plan, PlanArrays, as_one_matrix, bind, lay_end_to_end
from deepplp.circuit.scopes import scopes_of
from deepplp.circuit.validation import check_circuit

__all__ = [
    "FALSE_NODE",
    "TRUE_NODE",
    "Circuit",
    "IntArray",
    "Inversion",
    "Layers",
    "PackedInversion",
    "Plan",
    "PlanArrays",
    "as_one_matrix",
    "bind",
    "check_circuit",
    "inversion_of",
    "lay_end_to_end",
    "layers_of",
    "pack",
    "scopes_of",
    "starts_of",
    "stretches",
    "unpack",
]
