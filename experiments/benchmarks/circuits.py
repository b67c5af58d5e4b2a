"""The kernel, forward and backward, against KLay and the torch reference on carry chains of N digits.

    python -m experiments.benchmarks.circuits
    python -m experiments.benchmarks.circuits --digits 15 --repeats 31

The weights are random distributions, batch 64, one root, all rivals checked to give the same log-probabilities. KLay
gets two circuits: our own, node by node, and one that suits its layers: every digit's part of the chain by itself, then
the 2x2 carry matrices multiplied, one after another or as a balanced tree, whichever is faster. ``--compiled`` also
tries KLay under torch.compile, its own default, where the compiler works.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

import deepplp
from deepplp.compilation import Circuit, compile_formula
from deepplp.evaluation import Evaluation, bind, evaluate_reference
from deepplp.grounding import Formula, Grounder, Neural
from deepplp.program import parse_goal
from experiments.benchmarks.timing import median_seconds, write_json
from experiments.mnist_addition import PROGRAMS

Evaluator = Callable[[Tensor], Tensor]


def chain(digits: int) -> tuple[Formula, Circuit, dict[str, float]]:
    """The carry chain's formula and circuit, and the seconds that they took."""
    grounder = Grounder(deepplp.Program.from_file(PROGRAMS / "mnist_multi_digit_addition.pl"))
    lists = [",".join(f"{letter}{i}" for i in range(digits + (letter == "z"))) for letter in "xyz"]
    start = time.perf_counter()
    formula = grounder.ground([parse_goal(f"addition([{lists[0]}],[{lists[1]}],[{lists[2]}])")])
    ground = time.perf_counter() - start
    start = time.perf_counter()
    circuit = compile_formula(formula)
    return formula, circuit, {"ground (s)": ground, "compile (s)": time.perf_counter() - start}


def klay_module(build: Callable[[Any], Any], compiled: bool) -> Any:
    """A KLay module of the circuit that ``build`` makes."""
    try:
        import klay
    except ImportError as error:
        raise SystemExit(f"KLay is not installed ({error}); install it with: pip install 'deepplp[bench]'") from None
    circuit = klay.Circuit()
    circuit.set_root(build(circuit))
    circuit.remove_unused_nodes()
    return circuit.to_torch_module(semiring="log", compile=compiled)


def same_circuit(circuit: Circuit) -> Callable[[Any], Any]:
    """Our own circuit, node by node; literal c + 1 is weight column c."""

    def build(k: Any) -> Any:
        leaves = []
        for i in range(circuit.leaves):
            columns = circuit.leaf_columns[circuit.leaf_offsets[i] : circuit.leaf_offsets[i + 1]]
            literals = [k.literal_node(int(c) + 1) for c in columns]
            leaves.append(literals[0] if len(literals) == 1 else k.or_node(literals))
        nodes = [k.false_node(), k.true_node()]
        for n in range(2, circuit.nodes):
            elements = range(circuit.node_offsets[n], circuit.node_offsets[n + 1])
            products = [
                leaves[circuit.primes[e]]
                if circuit.subs[e] == 1
                else k.and_node([leaves[circuit.primes[e]], nodes[circuit.subs[e]]])
                for e in elements
            ]
            nodes.append(products[0] if len(products) == 1 else k.or_node(products))
        return nodes[circuit.roots[0]]

    return build


def digit_wise(digits: int, column_of: Callable[[str, int], int], balanced: bool) -> Callable[[Any], Any]:
    """A shallow circuit of the same function: a 2x2 matrix of carries for every digit, then their product."""

    def build(k: Any) -> Any:
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
        return k.or_node([k.and_node([row[c], literal(f"z{digits}", c)]) for c in range(2)])

    return build


def column_finder(formula: Formula, circuit: Circuit) -> Callable[[str, int], int]:
    """Where the weight of an input's value stands."""
    starts = {
        str(choice.source.inputs[0]): int(circuit.column_offsets[i])
        for i, choice in enumerate(formula.choices)
        if isinstance(choice.source, Neural)
    }
    return lambda name, value: starts[name] + value


def klay_evaluator(module: Any) -> Evaluator:
    """Log-weights [batch, columns] to the root's log-probability [batch]."""
    return lambda logs: module(logs, torch.zeros_like(logs)).reshape(-1)


def timed(evaluator: Evaluator, start: Tensor) -> Callable[[], None]:
    """Forward and backward."""

    def run() -> None:
        x = start.detach().requires_grad_()
        evaluator(x).sum().backward()

    return run


def measure(digits: int, batch: int, repeats: int, compiled: bool) -> dict[str, Any]:
    """The figures of one chain."""
    formula, circuit, row = chain(digits)
    generator = torch.Generator().manual_seed(0)
    sizes = np.diff(circuit.column_offsets)
    weights = torch.cat([torch.randn(batch, int(k), generator=generator).softmax(1) for k in sizes], dim=1)
    logs = weights.log()
    plan = bind(circuit)
    nothing = torch.zeros(0)
    own = same_circuit(circuit)
    find = column_finder(formula, circuit)
    rivals: dict[str, tuple[Evaluator, Tensor]] = {
        "deepplp": (lambda w: Evaluation(plan, w, nothing).log_probs()[:, 0], weights),
        "reference": (lambda w: evaluate_reference(plan, w, nothing)[0][:, 0], weights),
        "KLay, our circuit": (klay_evaluator(klay_module(own, False)), logs),
        "KLay, digit-wise chain": (klay_evaluator(klay_module(digit_wise(digits, find, False), False)), logs),
        "KLay, digit-wise tree": (klay_evaluator(klay_module(digit_wise(digits, find, True), False)), logs),
    }
    if compiled:
        rivals["KLay, digit-wise tree, compiled"] = (
            klay_evaluator(klay_module(digit_wise(digits, find, True), True)),
            logs,
        )
    expected = rivals["deepplp"][0](weights).detach().double()
    for name, (evaluator, start) in list(rivals.items()):
        try:
            found = evaluator(start).detach().double()
        except Exception as error:  # a rival that does not run here is left out, and said to be
            print(f"{name} does not run: {type(error).__name__}: {str(error).splitlines()[0]}")
            del rivals[name]
            continue
        if not torch.allclose(found, expected, rtol=1e-3, atol=1e-3):
            raise SystemExit(f"{name} computes something else: {found[:3].tolist()} for {expected[:3].tolist()}")
    gc.collect()
    runs = {name: timed(evaluator, start) for name, (evaluator, start) in rivals.items()}
    seconds = median_seconds(runs, repeats)
    best = min(s for name, s in seconds.items() if name.startswith("KLay, digit-wise"))
    result: dict[str, Any] = {"digits": digits, "batch": batch, "nodes": circuit.nodes, "elements": circuit.elements}
    result |= row
    result |= {f"{name} (ms)": 1000 * s for name, s in seconds.items()}
    result["KLay at its best / deepplp"] = best / seconds["deepplp"]
    result["KLay, our circuit / deepplp"] = seconds["KLay, our circuit"] / seconds["deepplp"]
    return result


def main(
    digits: Annotated[list[int] | None, typer.Option(help="Digits a number; repeat for several.")] = None,
    batch: Annotated[int, typer.Option(min=1)] = 64,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 21,
    compiled: Annotated[bool, typer.Option(help="Also try KLay under torch.compile.")] = False,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/circuits.json"),
) -> None:
    """Measure and print, one block a chain."""
    rows = []
    for n in digits or [1, 2, 4, 8, 15, 30]:
        rows.append(measure(n, batch, repeats, compiled))
        print(
            ", ".join(f"{k}: {v:.4g}" if isinstance(v, float) else f"{k}: {v}" for k, v in rows[-1].items()), flush=True
        )
    write_json(output, rows)
    print(f"written to {output}")


if __name__ == "__main__":
    typer.run(main)
