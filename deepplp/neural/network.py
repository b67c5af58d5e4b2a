"""`Network`: a neural network and what its output means."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from deepplp.errors import NetworkInputError, NetworkOutputError, Position

__all__ = ["Inputs", "Kind", "Network", "Output"]

Output = Literal["probabilities", "logits", "log_probabilities"]
Inputs = Literal["tensors", "values"]
Kind = Literal["categorical", "bernoulli", "independent"]


class Network(nn.Module):
    """A module or callable, and whether it returns probabilities, logits or log-probabilities.

    For nn/4 with k values, and for nn/5 with k labels, it returns [batch, k]; for nn/2 [batch] or [batch, 1]; for nn/3
    any tensor [batch, …], which is taken as it is. A network with several inputs gets them as several arguments, each
    with a leading batch axis.

    Logits mean a softmax over the values for nn/4 and a sigmoid for nn/2 and nn/5. They and log-probabilities are
    turned into probabilities in float64, so that small ones keep their precision.

    With ``inputs="values"`` an argument that is no tensor, such as a number, a text or a list of them, reaches the
    module as a Python list with one value a row; with ``"tensors"`` it is an error, as is a misspelt input. A list of
    tensors as one argument is a list of tensors [batch, …] for the module.

    ``k`` keeps only the k most probable values of each row, in nn/4. Probabilities are then lower bounds, also given
    evidence, `Answers.upper` are the upper bounds, and `Answers.cut_mass` says how much was cut.

    >>> Network(torch.nn.Linear(4, 2), output="logits").output
    'logits'
    """

    def __init__(
        self,
        module: Callable[..., Tensor],
        output: Output = "probabilities",
        *,
        inputs: Inputs = "tensors",
        k: int | None = None,
    ) -> None:
        super().__init__()
        if output not in get_args(Output):
            raise NetworkOutputError(f"output must be one of {', '.join(get_args(Output))}, not {output!r}")
        if inputs not in get_args(Inputs):
            raise NetworkInputError(f"inputs must be one of {', '.join(get_args(Inputs))}, not {inputs!r}")
        if k is not None and (not isinstance(k, int) or isinstance(k, bool) or k < 1):
            raise NetworkOutputError(f"k is a number of values, at least 1, not {k!r}")
        if isinstance(module, Network):
            raise NetworkInputError("this is a Network already; pass it as it is")
        given: object = module
        if isinstance(given, type) and issubclass(given, nn.Module):
            raise NetworkInputError(f"a network is a module, not the class {given.__name__}: write {given.__name__}(…)")
        if not callable(module):
            raise NetworkInputError(f"a network must be a module or a callable, not {type(module).__name__}")
        self.module = module
        self.output: Output = output
        self.inputs: Inputs = inputs
        self.k = k

    def forward(self, *inputs: Any) -> Tensor:
        """Call the module."""
        return self.module(*inputs)

    def extra_repr(self) -> str:
        """What ``print(model)`` says of it."""
        more = (", inputs='values'" if self.inputs == "values" else "") + (f", k={self.k}" if self.k else "")
        return f"output={self.output!r}{more}"

    def check_inputs(self, name: str, count: int, declaration: str, position: Position) -> None:
        """Raise where the module cannot take ``count`` positional arguments, as far as its signature tells."""
        target = self.module.forward if isinstance(self.module, nn.Module) else self.module
        try:
            signature = inspect.signature(target)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*([None] * count))
        except TypeError:
            raise NetworkInputError(
                f"network {name!r} takes {_count_text(signature)}, but {declaration} gives it {count}", position
            ) from None

    def to_probabilities(self, raw: Tensor, kind: Kind) -> Tensor:
        """Weights [rows, width] from the raw output, by what a row of it is.

        "categorical": one distribution [values], which the weights are. "bernoulli": one probability, [rows] or [rows,
        1]; the weights are it and what it leaves of 1. "independent": a probability for each of k labels; the weights
        are k such pairs, one after another.
        """
        if kind == "categorical":
            match self.output:
                case "probabilities":
                    return raw
                case "logits":
                    return torch.softmax(raw.double(), dim=1)
                case "log_probabilities":
                    return torch.exp(raw.double())
        x = raw.reshape(-1) if kind == "bernoulli" else raw
        match self.output:
            case "probabilities":
                pair = (x, 1 - x)
            case "logits":
                x = x.double()
                pair = (torch.sigmoid(x), torch.sigmoid(-x))
            case "log_probabilities":
                x = x.double()
                pair = (torch.exp(x), -torch.expm1(x))
        return torch.stack(pair, dim=-1).flatten(1)  # an empty batch tells no width


def _count_text(signature: inspect.Signature) -> str:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in signature.parameters.values() if p.kind in kinds]
    required = sum(p.default is inspect.Parameter.empty for p in positional)
    least = str(required) if required == len(positional) else f"{required} to {len(positional)}"
    return f"{least} input{'' if least == '1' else 's'}"
