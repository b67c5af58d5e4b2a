"""Batched inputs → weights: networks, what their outputs mean, and one call a network a batch."""

from deepplp.neural.arithmetic import EQUALITY_TOLERANCE, ROW_ARITHMETIC
from deepplp.neural.calls import (
    ROW_SUM_TOLERANCE,
    NetworkCall,
    Slot,
    SlotOutput,
    call_network,
    checked_output,
    network_outputs,
    within,
)
from deepplp.neural.columns import Column, TensorList, Values, aligned
from deepplp.neural.derived import DerivedTensor, add_derived_tensors
from deepplp.neural.distributions import Distributions, Start
from deepplp.neural.inputs import checked_inputs
from deepplp.neural.learnt_numbers import LearntNumbers
from deepplp.neural.network import Kind, Network
from deepplp.neural.tensor_functions import TENSOR_FUNCTIONS

__all__ = [
    "EQUALITY_TOLERANCE",
    "ROW_ARITHMETIC",
    "ROW_SUM_TOLERANCE",
    "TENSOR_FUNCTIONS",
    "Column",
    "DerivedTensor",
    "Distributions",
    "Kind",
    "LearntNumbers",
    "Network",
    "NetworkCall",
    "Slot",
    "SlotOutput",
    "Start",
    "TensorList",
    "Values",
    "add_derived_tensors",
    "aligned",
    "call_network",
    "checked_inputs",
    "checked_output",
    "network_outputs",
    "within",
]
