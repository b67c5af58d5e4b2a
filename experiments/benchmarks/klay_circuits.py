"""The circuits that KLay is measured on: ours, node by node, and others of the same function that suit it better."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from typing import Any

import torch
from pysdd.sdd import SddManager, Vtree
from torch import Tensor

from deepplp.circuit import TRUE_NODE, Circuit
from deepplp.formula import And, Atom, Formula, Neural
from experiments.benchmarks.table import missing

__all__ = ["Build", "Evaluator", "column_finder", "digit_wise", "klay_evaluator", "same_circuit", "sdd_evaluator"]

Build = Callable[[Any], list[Any]]  # adds nodes to a KLay circuit, and returns those that are to be roots
Evaluator = Callable[[Tensor], Tensor]


def klay_evaluator(build: Build, device: torch.device, compiled: bool = False) -> Evaluator:
    """Log-weights [batch, columns] to log-probabilities [batch, roots], by KLay on the circuit that ``build`` makes."""
    module = _module(build, compiled).to(device)
    return lambda logs: module(logs, torch.zeros_like(logs))


def _module(build: Build, compiled: bool) -> Any:
    try:
        import klay
    except ImportError as error:
        raise missing("KLay", error) from None
    circuit = klay.Circuit()
    for root in build(circuit):
        circuit.set_root(root)
    circuit.remove_unused_nodes()
    return circuit.to_torch_module(semiring="log", compile=compiled)


def same_circuit(circuit: Circuit) -> Build:
    """Our own circuit, node by node; literal c + 1 is weight column c."""

    def build(k: Any) -> list[Any]:
        factors = []
        for i in range(circuit.leaves):
            columns = circuit.leaf_columns[circuit.leaf_offsets[i] : circuit.leaf_offsets[i + 1]]
            literals = [k.literal_node(int(c) + 1) for c in columns]
            factors.append(literals[0] if len(literals) == 1 else k.or_node(literals))
        factors += [k.false_node(), k.true_node()]
        for n in range(2, circuit.nodes):
            elements = range(circuit.node_offsets[n], circuit.node_offsets[n + 1])
            pairs = [(factors[circuit.primes[e]], int(circuit.subs[e])) for e in elements]
            products = [
                prime if sub == TRUE_NODE else k.and_node([prime, factors[circuit.leaves + sub]])
                for prime, sub in pairs
            ]
            factors.append(products[0] if len(products) == 1 else k.or_node(products))
        return [factors[circuit.leaves + r] for r in circuit.roots]

    return build


def digit_wise(digits: int, column_of: Callable[[str, int], int], balanced: bool) -> Build:
    """A shallow circuit of the same function: a 2x2 matrix of carries for every digit, then their product."""

    def build(k: Any) -> list[Any]:
        def literal(name: str, value: int) -> Any:
            return k.literal_node(column_of(name, value) + 1)

        def any_of(nodes: list[Any]) -> Any:
            return nodes[0] if len(nodes) == 1 else k.or_node(nodes)

        def step(i: int) -> list[list[Any]]:
            matrix: list[list[Any]] = [[None, None], [None, None]]
            for carry in range(2):
                ways: dict[tuple[int, int], list[Any]] = {}
                for x in range(10):
                    for y in range(10):
                        total = x + y + carry
                        pair = k.and_node([literal(f"x{i}", x), literal(f"y{i}", y)])
                        ways.setdefault((total // 10, total % 10), []).append(pair)
                for out in range(2):
                    matrix[carry][out] = any_of(
                        [k.and_node([literal(f"z{i}", z), any_of(w)]) for (o, z), w in ways.items() if o == out]
                    )
            return matrix

        def product(a: list[list[Any]], b: list[list[Any]]) -> list[list[Any]]:
            return [[k.or_node([k.and_node([a[i][m], b[m][j]]) for m in range(2)]) for j in range(2)] for i in range(2)]

        matrices = [step(i) for i in range(digits)]
        if balanced:
            while len(matrices) > 1:
                matrices = [
                    product(matrices[i], matrices[i + 1]) if i + 1 < len(matrices) else matrices[i]
                    for i in range(0, len(matrices), 2)
                ]
            row = matrices[0][0]
        else:
            row = matrices[0][0]
            for m in matrices[1:]:
                row = [k.or_node([k.and_node([row[i], m[i][j]]) for i in range(2)]) for j in range(2)]
        return [k.or_node([k.and_node([row[c], literal(f"z{digits}", c)]) for c in range(2)])]

    return build


def column_finder(formula: Formula, circuit: Circuit) -> Callable[[str, int], int]:
    """Where the weight of an input's value stands."""
    starts = {
        str(choice.origin.inputs[0]): int(circuit.column_offsets[i])
        for i, choice in enumerate(formula.choices)
        if isinstance(choice.origin, Neural)
    }
    return lambda name, value: starts[name] + value


def sdd_evaluator(formula: Formula, vtree: str, device: torch.device) -> Evaluator | None:
    """KLay on PySDD's diagrams of the formula, by its own import; None where the formula is not Boolean or has cycles.

    A choice of two values is one variable, whose literals' weights are those of the values. PySDD starts from a vtree
    of the named type, over the variables in the order of the formula's choices, and minimises as it sees fit.
    """
    uses = {
        i: [abs(c) - 1 for c in ([] if isinstance(node, Atom) else node.children)]
        for i, node in enumerate(formula.nodes)
    }
    try:
        order = list(TopologicalSorter(uses).static_order())
    except CycleError:
        return None
    if any(len(choice.values) != 2 for choice in formula.choices):
        return None
    diagrams = _diagrams(formula, order, vtree)

    def build(k: Any) -> list[Any]:
        for diagram in diagrams:
            k.add_sdd(diagram)  # which makes it a root, too
        return []

    module = _module(build, False).to(device)
    return lambda logs: module(logs[:, 0::2], logs[:, 1::2])


def _diagrams(formula: Formula, order: Sequence[int], vtree: str) -> list[Any]:
    """The SDD nodes of the queries, made bottom up in this order of the formula's nodes."""
    count = len(formula.choices)
    tree = Vtree(var_count=count, var_order=list(range(1, count + 1)), vtree_type=vtree)
    manager = SddManager.from_vtree(tree)
    manager.auto_gc_and_minimize_on()
    made: dict[int, Any] = {}

    def literal(child: int) -> Any:
        return made[child - 1] if child > 0 else ~made[-child - 1]

    for i in order:
        node = formula.nodes[i]
        match node:
            case Atom():
                result = manager.literal(node.choice + 1 if node.value == 0 else -node.choice - 1)
            case And():
                result = reduce(operator.and_, map(literal, node.children), manager.true())
            case _:
                result = reduce(operator.or_, map(literal, node.children), manager.false())
        result.ref()
        made[i] = result
    return [literal(query.literal) for query in formula.queries]
