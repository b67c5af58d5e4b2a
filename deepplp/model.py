"""`Model`: a probabilistic logic program as a `torch.nn.Module`."""

from __future__ import annotations

import difflib
import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deepplp.compilation import FALSE_NODE, compile_formula
from deepplp.errors import (
    InconsistentEvidenceError,
    MissingInputError,
    QueryError,
    TargetError,
    UnknownNetworkError,
    UnusedInputError,
    UnusedNetworkWarning,
)
from deepplp.evaluation import Evaluation, Plan, are_distributions, bind
from deepplp.grounding import Choice, Fixed, Formula, Grounder, Neural
from deepplp.neural import Network, NetworkCall, Slot, as_tensors, batch_size, network_outputs
from deepplp.program import Program, parse_goal

__all__ = ["Answers", "Model"]

_CACHED_STRUCTURES = 256


class Answers:
    """What a query came to: ground answers, and for every row of the batch the probability of each.

    ``terms`` are n texts in the standard order of terms (numbers by value, then atoms by name, then compounds),
    ``log_probs`` and ``probs`` are [batch, n] and differentiable, the latter with right derivatives at 0 too.
    ``unanswered`` are the queries with free variables that have no answer at all.
    """

    def __init__(self, structure: _Structure, evaluation: Evaluation) -> None:
        self.terms = structure.terms
        self.unanswered = structure.unanswered
        self._structure = structure
        self._evaluation = evaluation
        self._log_probs: Tensor | None = None
        self._probs: Tensor | None = None

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def log_probs(self) -> Tensor:
        """log P(answer | evidence), [batch, n]."""
        if self._log_probs is None:
            self._log_probs = self._evaluation.log_probs()
        return self._log_probs

    @property
    def probs(self) -> Tensor:
        """P(answer | evidence), [batch, n]."""
        if self._probs is None:
            self._probs = self._evaluation.probs()
        return self._probs

    def log_prob(self, targets: Tensor | Sequence[str] | Sequence[int]) -> Tensor:
        """The log-probability [batch] of one answer a row: indices into ``terms`` [batch], or a list of terms.

        A probability of 0 gives -inf, whose gradient is taken to be 0.
        """
        rows = self._evaluation.rows
        if not isinstance(targets, Tensor):
            items = list(targets)
            if items and isinstance(items[0], str):
                items = [self._find(t) for t in items]
            try:
                targets = torch.as_tensor(items, dtype=torch.long)
            except (TypeError, ValueError, RuntimeError):
                raise TargetError("targets must be a tensor of answer indices, or a list of terms") from None
        if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
            raise TargetError(f"targets are indices of answers, so integers, not {targets.dtype}")
        if targets.shape != (rows,):
            raise TargetError(f"targets have shape {list(targets.shape)}; the batch needs [{rows}], one a row")
        indices = targets.detach().to(self._evaluation.device, torch.long)
        try:
            return self._evaluation.selected(indices)
        except IndexError as error:
            count = len(self.terms)
            raise TargetError(f"target {error} is no answer: there are {count}, counted from 0") from None

    def _find(self, term: Any) -> int:
        index = self._structure.index
        if isinstance(term, str):
            if term in index:
                return index[term]
            text = str(parse_goal(term, "<target>"))
            if text in index:
                return index[text]
        near = difflib.get_close_matches(str(term), self.terms, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise TargetError(f"{term!r} is not among the {len(self.terms)} answers{hint}")

    def __repr__(self) -> str:
        if self.probs.shape[0] == 1:
            shown = ", ".join(f"{t}: {p:.6g}" for t, p in zip(self.terms[:8], self.probs[0].tolist(), strict=False))
        else:
            shown = ", ".join(self.terms[:8])
        more = ", …" if len(self.terms) > 8 else ""
        return f"Answers(batch={self.probs.shape[0]}, {shown}{more})"


@dataclass(eq=False)
class _Structure:
    """A query's compiled form: its answers, what it asks of the networks, and its circuit.

    ``plans`` maps the set of slots whose inputs have batch size 1 to the circuit bound for it: the weights of such
    slots are shared by all rows.
    """

    terms: tuple[str, ...]
    unanswered: tuple[str, ...]
    index: dict[str, int]
    calls: tuple[NetworkCall, ...]
    used_inputs: tuple[str, ...]
    fixed: Tensor
    bind: Callable[[frozenset[int]], Plan]
    plans: dict[frozenset[int], Plan] = field(default_factory=dict)

    def plan(self, shared_slots: frozenset[int]) -> Plan:
        if shared_slots not in self.plans:
            self.plans[shared_slots] = self.bind(shared_slots)
        return self.plans[shared_slots]


class Model(nn.Module):
    """A program and its networks: answers queries with exact probabilities, and gradients into the networks.

    ``networks`` maps the names in the program's ``nn`` annotations to modules or callables that return probabilities,
    or to `Network` objects that say what they return. Modules become submodules: ``parameters()``, ``state_dict()``,
    ``to()``, ``train()`` and ``copy.deepcopy`` work as on any module. ``allow_python`` lets the program load Python
    files and data bases.

    >>> coins = Program.from_string("0.5::heads(1). 0.6::heads(2). win :- heads(1), heads(2).")
    >>> Model(coins).query("win").probs
    tensor([[0.3000]], dtype=torch.float64)
    """

    def __init__(
        self,
        program: Program | str | os.PathLike[str],
        networks: Mapping[str, Network | Callable[..., Tensor]] | None = None,
        *,
        allow_python: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(program, Program):
            program = Program.from_file(program)
        self.program = program
        self.allow_python = allow_python
        wrapped = {n: m if isinstance(m, Network) else Network(m) for n, m in (networks or {}).items()}
        self._check_networks(wrapped)
        self.networks = nn.ModuleDict(wrapped)
        self.register_buffer("_anchor", torch.empty(0), persistent=False)  # follows .to(device)
        self._forget()

    _anchor: Tensor

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._grounder: Grounder | None = None
        self._structures: OrderedDict[tuple[Any, ...], _Structure] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles carry the program and the networks; structures are made anew when they are asked for."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_lock", "_grounder", "_structures")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._forget()

    def _check_networks(self, networks: Mapping[str, Network]) -> None:
        for declaration in self.program.declarations:
            name = declaration.network
            if name not in networks:
                has = ", ".join(networks) or "none"
                raise UnknownNetworkError(
                    f"no network {name!r} for {declaration}; this model has: {has}", declaration.position
                )
            networks[name].check_inputs(name, len(declaration.inputs), str(declaration), declaration.position)
        for name in networks:
            if name not in self.program.networks:
                mentioned = ", ".join(self.program.networks) or "none"
                warnings.warn(
                    f"network {name!r} is never used: {self.program.source.name} mentions: {mentioned}",
                    UnusedNetworkWarning,
                    stacklevel=3,
                )

    def forward(self, *args: Any, **kwargs: Any) -> Answers:
        """The same as `query`, so that a model can be called like any module."""
        return self.query(*args, **kwargs)

    def query(
        self,
        query: str | Sequence[str] | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        *,
        evidence: Mapping[str, bool] | None = None,
    ) -> Answers:
        """Answer a query: P(answer | evidence) for all its ground answers.

        ``query`` is one atom (or several), such as ``"addition(a, b, S)"``; without it the program's own ``query/1``
        are answered. ``inputs`` gives a tensor [batch, …] for each constant that names an input of a network; batch
        sizes agree or are 1, and without inputs the batch is 1. ``evidence`` adds to the program's ``evidence/1,2``.

        A structure is ground and compiled once and kept: the same query on other tensors costs a network call and a
        walk over the circuit.

        Raises a leaf of `DeepPLPError`: see ``deepplp.errors``.
        """
        tensors = as_tensors(inputs) if inputs else {}
        structure = self._structure(query, tuple(sorted(tensors)), evidence)
        used = {name: tensors[name] for name in structure.used_inputs}
        rows = batch_size(used if used else tensors)
        batched, shared, plan = self._weights(structure, used, rows)
        evaluation = Evaluation(plan, batched, shared, rows)
        impossible = evaluation.impossible_rows() if plan.conditioned else []
        if impossible:
            self._raise_inconsistent(impossible, rows)
        return Answers(structure, evaluation)

    def _raise_inconsistent(self, impossible: list[int], rows: int) -> None:
        listed = ", ".join(map(str, impossible[:10])) + (f", … ({len(impossible)} in all)" if impossible[10:] else "")
        where = f" in row{'s' if len(impossible) > 1 else ''} {listed} of the batch" if rows > 1 else ""
        raise InconsistentEvidenceError(
            f"the evidence has probability 0{where}, so nothing follows from it; check it against the program and the "
            "networks' outputs",
            rows=tuple(impossible),
        )

    def _weights(self, structure: _Structure, inputs: Mapping[str, Tensor], rows: int) -> tuple[Tensor, Tensor, Plan]:
        """The weight tensors [rows, b] and [s], and the circuit bound to them."""
        device = self._anchor.device
        wide: list[Tensor] = []
        common: list[Tensor] = []
        shared_slots: list[int] = []
        slot = 0
        for call in structure.calls:
            network = self.networks[call.network]
            assert isinstance(network, Network)
            for output, slots in network_outputs(call, network, inputs, are_distributions):
                if len(output) == rows * slots:
                    wide.append(output.reshape(-1))
                else:
                    common.append(output.reshape(-1))
                    shared_slots.extend(range(slot, slot + slots))
                slot += slots
        batched = wide[0] if len(wide) == 1 else torch.cat(wide) if wide else structure.fixed.new_empty(0)
        fixed = structure.fixed.to(batched.device if wide else device)
        shared = torch.cat([*common, fixed]) if common else fixed
        return batched.to(fixed.device) if not wide else batched, shared, structure.plan(frozenset(shared_slots))

    def _structure(
        self, query: str | Sequence[str] | None, names: tuple[str, ...], evidence: Mapping[str, bool] | None
    ) -> _Structure:
        if query is not None and not isinstance(query, (str, Sequence)):
            raise QueryError(f"a query is a text such as 'addition(a, b, S)', or a list of them, not {query!r}")
        queries = (query,) if isinstance(query, str) else None if query is None else tuple(query)
        known = tuple(sorted(evidence.items())) if evidence else ()
        key = (queries, names, known)
        structure = self._structures.get(key)
        if structure is not None:
            return structure
        with self._lock:
            if key not in self._structures:
                self._structures[key] = self._build(queries, names, known)
                while len(self._structures) > _CACHED_STRUCTURES:
                    self._structures.popitem(last=False)
            return self._structures[key]

    def _build(
        self, queries: tuple[str, ...] | None, names: tuple[str, ...], evidence: tuple[tuple[str, bool], ...]
    ) -> _Structure:
        for text, value in evidence:
            if not isinstance(value, bool):
                raise QueryError(f"the evidence for {text} must be True or False, not {value!r}")
        for text in queries or ():
            if not isinstance(text, str):
                raise QueryError(f"a query is a text such as 'addition(a, b, S)', not {type(text).__name__}")
        if self._grounder is None:
            self._grounder = Grounder(self.program, allow_python=self.allow_python)
        goals = None if queries is None else [parse_goal(q) for q in queries]
        observed = [(parse_goal(t, "<evidence>"), v) for t, v in evidence]
        formula = self._grounder.ground(goals, observed)
        self._check_inputs(formula, names, [*(goals or []), *(t for t, _ in observed)])
        circuit = compile_formula(formula)
        if circuit.evidence == FALSE_NODE:
            known = ", ".join(g.term for g in formula.evidence)
            raise InconsistentEvidenceError(f"the evidence {known} contradicts the program: no world satisfies it")
        return _assemble(formula, circuit)

    def _check_inputs(self, formula: Formula, names: tuple[str, ...], goals: Sequence[Any]) -> None:
        given = ", ".join(names) or "none"
        for choice in formula.choices:
            if isinstance(choice.source, Neural):
                for term in choice.source.inputs:
                    if str(term) not in names:
                        raise MissingInputError(
                            f"network {choice.source.declaration.network!r} needs a tensor for {term}, which is no "
                            f"input of this call; its inputs are: {given}",
                            choice.position,
                        )
        used = {str(t) for c in formula.choices if isinstance(c.source, Neural) for t in c.source.inputs}
        spare = [n for n in names if n not in used]
        if not spare:
            return
        assert self._grounder is not None
        mentioned = self._grounder.constants() | _constants(goals)
        for name in spare:
            if name not in mentioned:
                near = difflib.get_close_matches(name, sorted(used - set(names)) or sorted(_constants(goals)), n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise UnusedInputError(
                    f"the input {name!r} stands nowhere in the query, its evidence or the program{hint}"
                )


def _constants(goals: Sequence[Any]) -> set[str]:
    found: set[str] = set()
    stack = list(goals)
    while stack:
        term = stack.pop()
        found.add(str(term)) if not getattr(term, "args", ()) else stack.extend(term.args)
    return found


def _assemble(formula: Formula, circuit: Any) -> _Structure:
    """Give every choice its columns: networks' slots first, in the order of the calls, then the fixed probabilities."""
    read = set(np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1)
    calls: dict[str, dict[tuple[Any, ...], Slot]] = {}
    for index, choice in enumerate(formula.choices):
        if isinstance(choice.source, Neural) and index in read:
            slots = calls.setdefault(choice.source.declaration.network, {})
            slots.setdefault(_slot_key(choice), _slot(choice))
    numbering = {
        (network, key): number
        for number, (network, key) in enumerate((n, k) for n, slots in calls.items() for k in slots)
    }
    sizes = [slot.values for slots in calls.values() for slot in slots.values()]
    fixed: list[float] = []
    fixed_at: dict[int, int] = {}
    for index, choice in enumerate(formula.choices):
        if isinstance(choice.source, Fixed) and index in read:
            fixed_at[index] = len(fixed)
            fixed.extend(choice.source.probabilities)

    def bind_columns(shared_slots: frozenset[int]) -> Plan:
        starts: dict[int, int] = {}
        wide = common = 0
        for number, size in enumerate(sizes):
            if number in shared_slots:
                starts[number] = -common - 1
                common += size
            else:
                starts[number] = wide
                wide += size
        column_map = np.zeros(circuit.columns, dtype=np.int64)
        for index, choice in enumerate(formula.choices):
            first, last = circuit.column_offsets[index], circuit.column_offsets[index + 1]
            if index in fixed_at:
                column_map[first:last] = -(common + fixed_at[index] + np.arange(last - first)) - 1
            elif index in read and isinstance(choice.source, Neural):
                start = starts[numbering[choice.source.declaration.network, _slot_key(choice)]]
                step = 1 if start >= 0 else -1
                column_map[first:last] = start + step * np.arange(last - first)
        return bind(circuit, column_map, [size for number, size in enumerate(sizes) if number not in shared_slots])

    terms = tuple(g.term for g in formula.queries)
    network_calls = tuple(NetworkCall(n, tuple(slots.values())) for n, slots in calls.items())
    used = dict.fromkeys(name for call in network_calls for slot in call.slots for name in slot.inputs)
    return _Structure(
        terms,
        formula.unanswered,
        {t: i for i, t in enumerate(terms)},
        network_calls,
        tuple(used),
        torch.tensor(fixed, dtype=torch.float64),
        bind_columns,
    )


def _slot_key(choice: Choice) -> tuple[Any, ...]:
    assert isinstance(choice.source, Neural)
    declaration = choice.source.declaration
    return tuple(map(str, choice.source.inputs)), len(choice.values), declaration.kind


def _slot(choice: Choice) -> Slot:
    assert isinstance(choice.source, Neural)
    declaration = choice.source.declaration
    return Slot(
        tuple(map(str, choice.source.inputs)),
        len(choice.values),
        declaration.kind == "bernoulli",
        str(declaration),
        declaration.position,
    )
