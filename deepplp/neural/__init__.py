"""Batched inputs → weights: networks, what their outputs mean, and one call a network a batch."""

from deepplp.neural.calls import NetworkCall, Slot, as_tensors, batch_size, network_outputs
from deepplp.neural.derived import DerivedTensor, add_derived_tensors
from deepplp.neural.learnable import Distributions
from deepplp.neural.network import Network

__all__ = [
    "DerivedTensor",
    "Distributions",
    "Network",
    "NetworkCall",
    "Slot",
    "add_derived_tensors",
    "as_tensors",
    "batch_size",
    "network_outputs",
]
