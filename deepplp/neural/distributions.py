"""Learnable probabilities as parameters: logits, so that they stay distributions whatever the optimiser does."""

from __future__ import annotations

import gc
import json
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from deepplp.errors import LateParameterWarning, StateMismatchError
from deepplp.locks import ForkSafeLock

__all__ = ["Distributions", "Start"]

_LEAST = 1e-9  # a value that starts at 0 must still be able to grow: this is as good as 0 to anyone who looks


class Start(NamedTuple):
    """A distribution that a query needs: of which clause, for which arguments ("" for none), and where it starts."""

    clause: int
    arguments: str
    probabilities: Sequence[float]


class Distributions(nn.Module):
    """Categorical distributions of clauses, each the softmax of a float64 parameter.

    A clause without arguments has the parameter ``logits["clause3"]`` [values]. A clause with ``t(_, X)`` has one
    parameter [groundings, values] for all its groundings: `ensure` makes and enlarges it when queries are compiled.
    Enlarging makes a new parameter that takes over all numbers and gradients. An optimiser that was made before lacks
    it: the first backward pass through it warns of that, by name.

    A state holds the clauses' ``texts`` and the groundings' names beside the numbers. Loading a state makes the
    groundings that it holds, and brings them into the order of this module's own. Where a clause of the state is
    another one here, that is a `StateMismatchError`. A state without texts is taken as it is.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = {self.name(clause): text for clause, text in enumerate(texts)}
        self.logits = nn.ParameterDict()
        self.register_buffer("_anchor", torch.empty(0), persistent=False)  # follows .to(device)
        self._rows: dict[str, dict[str, int]] = {}
        self._late: set[str] = set()
        self._replaced: list[weakref.ref[nn.Parameter]] = []
        self._warned: weakref.ref[torch.optim.Optimizer] | None = None
        self._owner: weakref.ref[nn.Module] | None = None
        self._lock = ForkSafeLock()

    _anchor: Tensor

    def belongs_to(self, module: nn.Module) -> None:
        """Say which module this one is part of: its optimisers are looked at."""
        self._owner = weakref.ref(module)

    def __getstate__(self) -> dict[str, object]:
        """Copies and pickles carry the parameters, and nothing of optimisers."""
        left: dict[str, object] = {"_late": set(), "_replaced": [], "_warned": None, "_owner": None}
        return {k: v for k, v in self.__dict__.items() if k != "_lock"} | left

    def __setstate__(self, state: dict[str, object]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._lock = ForkSafeLock()

    @property
    def device(self) -> torch.device:
        """Where the module was moved to."""
        anchor = self._buffers["_anchor"]  # a query asks for it each time, and nn.Module looks attributes up slowly
        assert anchor is not None
        return anchor.device

    @staticmethod
    def name(clause: int) -> str:
        """The name of a clause's parameter."""
        return f"clause{clause}"

    def ensure(self, starts: Iterable[Start], *, late: bool = True) -> None:
        """Make the distributions that are not there yet; ``late`` says that an optimiser may have been made before."""
        with self._lock, torch.inference_mode(False):
            missing: dict[str, dict[str, Sequence[float]]] = {}
            for clause, arguments, probabilities in starts:
                name = self.name(clause)
                if name not in self.logits or (arguments and arguments not in self._rows[name]):
                    missing.setdefault(name, {})[arguments] = probabilities
            for name, wanted in missing.items():
                made = torch.tensor(list(wanted.values()), dtype=torch.float64, device=self.device)
                self._add(name, list(wanted), made.clamp_min(_LEAST).log())
                if late:
                    self._late.add(name)

    def _add(self, name: str, arguments: Sequence[str], logits: Tensor) -> None:
        """Add rows of logits to a clause's parameter, or make it."""
        if not arguments[0]:
            self.logits[name] = nn.Parameter(logits[0])
            return
        before = self.logits.get(name)
        with torch.no_grad(), torch.inference_mode(False):
            grown = nn.Parameter(logits.clone() if before is None else torch.cat((before, logits)))
            if before is not None:
                grown.requires_grad_(before.requires_grad)
                if before.grad is not None:
                    grown.grad = torch.cat((before.grad, torch.zeros_like(logits)))
                self._replaced.append(weakref.ref(before))
        rows = dict(self._rows.get(name, ()))
        rows.update(zip(arguments, range(len(rows), len(rows) + len(arguments)), strict=True))
        # The larger parameter comes first: a query in another thread never finds a row beyond its end.
        self.logits[name] = grown
        self._rows[name] = rows

    def row(self, clause: int, arguments: str) -> int:
        """The row of a grounding in its clause's parameter. Rows never move."""
        return self._rows[self.name(clause)][arguments]

    def groundings(self, clause: int) -> tuple[str, ...]:
        """The arguments of a clause's groundings, by row."""
        return tuple(self._rows.get(self.name(clause), ()))

    def forward(self, clause: int, rows: Tensor | None = None) -> Tensor:
        """The probabilities [values] of a clause, or those [n, values] of n of its groundings, by row."""
        name = self.name(clause)
        logits = self.logits[name]
        found: Tensor = torch.softmax(logits if rows is None else logits[rows.to(logits.device)], dim=-1)
        if self._late and name in self._late and found.requires_grad:
            found.register_hook(lambda gradient: self._look_for_optimisers())  # type: ignore[no-untyped-call]
        return found

    def _look_for_optimisers(self) -> None:
        """Warn where an optimiser holds a parameter of this module, or one that it replaced, but not a late one."""
        with self._lock:
            late, self._late = self._late, set()
        if not late:
            return
        lacking = {id(self.logits[name]): f"distributions.logits.{name}" for name in sorted(late)}
        ours = self._family()
        known = self._warned() if self._warned is not None else None
        for optimiser in [known] if known is not None else _optimisers():
            held = {id(p) for group in optimiser.param_groups for p in group["params"]}
            names = [name for key, name in lacking.items() if key not in held]
            if names and not held.isdisjoint(ours):
                self._warned = weakref.ref(optimiser)
                self._warn(type(optimiser).__name__, names)
                return

    def _family(self) -> set[int]:
        """The parameters of the module that these distributions belong to, and those that were replaced."""
        owner = self._owner() if self._owner is not None else None
        replaced = [p for p in (reference() for reference in self._replaced) if p is not None]
        return {id(p) for p in [*(owner or self).parameters(), *replaced]}

    @staticmethod
    def _warn(optimiser: str, names: Sequence[str]) -> None:
        several = len(names) > 1
        warnings.warn(
            f"the optimiser {optimiser} was made before {', '.join(names)} {'were' if several else 'was'}, and does "
            f"not train {'them' if several else 'it'}: compile the queries first (model.compile, or model.prepare for "
            "many), then make the optimiser of model.parameters()",
            LateParameterWarning,
            stacklevel=3,
        )

    def _save_to_state_dict(self, destination: dict[str, object], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name in self.logits:
            destination[f"{prefix}clauses.{name}"] = _written(self._texts[name])
        for name, rows in self._rows.items():
            destination[f"{prefix}groundings.{name}"] = _written(list(rows))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: object) -> None:
        saved: dict[str, list[str]] = _taken(state_dict, f"{prefix}groundings.")
        self._check_clauses(_taken(state_dict, f"{prefix}clauses."))
        start = f"{prefix}logits."
        for key in [k for k in state_dict if k.startswith(start)]:
            name, value = key.removeprefix(start), state_dict[key]
            if name not in self._texts:
                continue  # torch says that the key is unexpected
            if name in saved:
                self._take_over(name, saved[name], value)
                state_dict[key] = self._in_our_order(name, saved[name], value)
            elif name not in self.logits:
                self.logits[name] = nn.Parameter(torch.zeros_like(value, device=self.device))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _check_clauses(self, saved: Mapping[str, str]) -> None:
        """Raise where a state's clause is another one here, before anything is loaded."""
        for name, text in saved.items():
            own = self._texts.get(name, text)  # torch says where a state has more clauses
            if text != own:
                raise StateMismatchError(
                    f"the state belongs to another program: its distributions.logits.{name} is that of {text}, and "
                    f"here it is that of {own}; load it into a model of the program that it was saved from"
                )

    def _take_over(self, name: str, arguments: Sequence[str], value: Tensor) -> None:
        """Make the rows of a state that are not there yet."""
        known = self._rows.get(name, {})
        new = [a for a in arguments if a not in known]
        if new:
            self._add(name, new, torch.zeros(len(new), value.shape[1], dtype=torch.float64, device=self.device))

    def _in_our_order(self, name: str, arguments: Sequence[str], value: Tensor) -> Tensor:
        """A state's rows where this module has them; rows that the state lacks stay what they are."""
        ordered: Tensor = self.logits[name].detach().clone()
        rows = self._rows[name]
        ordered[[rows[a] for a in arguments]] = value.to(ordered)
        return ordered


def _written(content: object) -> Tensor:
    """Texts as a tensor of bytes: a state dict holds tensors alone."""
    return torch.tensor(list(json.dumps(content).encode()), dtype=torch.uint8)


def _taken(state: dict[str, Tensor], prefix: str) -> dict[str, Any]:
    """What `_written` wrote under keys of a prefix, by what is left of the keys; taken out of the state."""
    keys = [key for key in state if key.startswith(prefix)]
    return {key.removeprefix(prefix): json.loads(bytes(state.pop(key).tolist())) for key in keys}


def _optimisers() -> list[torch.optim.Optimizer]:
    """All optimisers that are alive. torch keeps no list of them."""
    return [o for o in gc.get_objects() if issubclass(type(o), torch.optim.Optimizer)]
