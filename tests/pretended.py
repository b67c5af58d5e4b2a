"""A device that is not there: tensors that are computed on the CPU and behave as on another device.

Where no GPU is, this tells whether one would do: under `PretendedDevice` tensors on ``PRETENDED`` have values, and any
operation that mixes them with tensors of the CPU is an error, as it would be on a GPU. torch allows two things there,
and so does this: a CPU tensor without axes is a number, and indices may be on the CPU.

Underneath, the device is torch's ``meta``, whose own tensors have no values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

__all__ = ["PRETENDED", "PretendedDevice", "PretendedTensor"]

PRETENDED = torch.device("meta")
_INDEXED = (
    "index.Tensor",
    "index_put.default",
    "index_put_.default",
    "_unsafe_index.Tensor",
    "_index_put_impl_.default",
)


class PretendedTensor(torch.Tensor):
    """A tensor on the pretended device; ``held`` is what it is on the CPU."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> PretendedTensor:
        made: PretendedTensor = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            device=PRETENDED, requires_grad=held.requires_grad,
        )  # fmt: skip
        made.held = held.detach()
        return made

    def tolist(self) -> Any:
        return self.held.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError(f"can't convert {PRETENDED} device type tensor to numpy")

    def __repr__(self) -> str:  # type: ignore[override]
        return f"PretendedTensor({self.held})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What an operation gives, on the device of its tensors or the one that it is told."""
    leaves = tree_flatten((args, kwargs))[0]
    assert not [x for x in leaves if type(x) is torch.Tensor and x.device == PRETENDED], f"{func} on no values"
    theirs = [x for x in leaves if isinstance(x, PretendedTensor)]
    moves = func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
    if theirs and not moves:
        checked = tree_flatten((args[0], args[2:]))[0] if str(func).removeprefix("aten.") in _INDEXED else leaves
        ours = [x for x in checked if isinstance(x, torch.Tensor) and not isinstance(x, PretendedTensor) and x.ndim]
        if ours:
            raise RuntimeError(f"{func} on two devices: {PRETENDED} and {[tuple(x.shape) for x in ours]} on the CPU")
    told = kwargs.get("device")
    here = told == PRETENDED if told is not None else bool(theirs) and func is not torch.ops.aten.copy_.default
    if told == PRETENDED:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    plain_args, plain = tree_map(_plain, (args, kwargs))
    found = func(*plain_args, **plain)
    if func is torch.ops.aten.copy_.default or str(func._schema.name).endswith("_"):
        assert args[0].shape == _plain(args[0]).shape, f"{func} changes a shape in place, which a wrapper cannot"
        return args[0]
    return tree_map(lambda x: PretendedTensor(x) if isinstance(x, torch.Tensor) else x, found) if here else found


def _plain(x: Any) -> Any:
    return x.held if isinstance(x, PretendedTensor) else x


class PretendedDevice(TorchDispatchMode):
    """While it is entered, the device is there."""

    def __enter__(self) -> PretendedDevice:
        self._factories = _Factories()
        self._factories.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._factories.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class _Factories(TorchFunctionMode):
    """Makes tensors of data on the CPU first: torch hides from a dispatch mode how it brings data to a device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        told = kwargs.get("device")
        if func in (torch.tensor, torch.as_tensor) and told is not None and torch.device(told) == PRETENDED:
            return func(*args, **{**kwargs, "device": "cpu"}).to(PRETENDED)
        return func(*args, **kwargs)
