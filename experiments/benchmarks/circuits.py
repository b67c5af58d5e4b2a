"""The kernel, forward and backward, against KLay and the torch reference, on circuits of several kinds.

    python -m experiments.benchmarks.circuits
    python -m experiments.benchmarks.circuits --case "chain 15" --case alarm --repeats 31
    python -m experiments.benchmarks.circuits --device cuda --batch 4096

The circuits are carry chains of N digits with observed labels, two-digit sums by the naive program, the values of
handwritten formulas, all marginals of the Bayesian network alarm, a corner of a directed grid, and people who make each
other smoke. The weights are random distributions, batch 64; all rivals are checked to give the same log-probabilities.

KLay gets our own circuit, node by node, and where there is one that suits it better, that one, too. For a chain: every
digit's part of it by itself, then the 2x2 carry matrices multiplied, one after another or as a balanced tree. For a
grid, whose choices are Boolean: PySDD's diagrams by KLay's own import. (Choices of more values would have to be one
Boolean a value, with constraints between them, which suits it less than our circuit does.) "Its best" is the fastest of
all. ``--compiled`` also tries KLay under torch.compile, its own default, where the compiler works.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

import deepplp
from deepplp.circuit import Circuit, bind
from deepplp.compilation import compile_formula
from deepplp.evaluation import Evaluation, evaluate_reference
from deepplp.formula import Formula
from deepplp.grounding import Grounder
from deepplp.program import parse_goal
from experiments.benchmarks.cases import Case, chain, grid, network_case, smokers
from experiments.benchmarks.klay_circuits import (
    Evaluator,
    column_finder,
    digit_wise,
    klay_evaluator,
    same_circuit,
    sdd_evaluator,
)
from experiments.benchmarks.networks import load_network
from experiments.benchmarks.table import Comparison, Measured, report, show
from experiments.benchmarks.timing import median_seconds
from experiments.datasets import find_data
from experiments.training import PROGRAMS, Device

OURS = "KLay, our circuit"
TARGETS = {"chain 15": 15.0}  # against KLay at its best; elsewhere 1, never to be slower
REFERENCE_NODES = 2000  # the torch reference walks the nodes one by one; with more it would only hold the others up


@dataclass(frozen=True)
class Subject:
    """A circuit to evaluate, and the number of digits where it is a chain's."""

    name: str
    formula: Formula
    circuit: Circuit
    seconds: dict[str, float]
    digits: int = 0


def compiled_case(case: Case, digits: int = 0) -> Subject:
    """The case's circuit, and the seconds that it took."""
    grounder = Grounder(deepplp.Program.from_string(case.text))
    start = time.perf_counter()
    formula = grounder.ground([parse_goal(q) for q in case.queries])
    ground = time.perf_counter() - start
    start = time.perf_counter()
    circuit = compile_formula(formula)
    seconds = {"ground (s)": ground, "compile (s)": time.perf_counter() - start}
    return Subject(case.name, formula, circuit, seconds, digits)


def subjects(names: Sequence[str]) -> Iterator[Subject]:
    """The circuits of these names, or all."""
    every = [(chain(n), n) for n in (1, 2, 4, 8, 15, 30)]
    every.append((_asked("naive sums", "mnist_number_addition.pl", "addition([a,b],[c,d],S)"), 0))
    every.append((_asked("formulas 3", "hwf.pl", "formula([a,b,c],V)"), 0))
    every.append((_asked("formulas 5", "hwf.pl", "formula([a,b,c,d,e],V)"), 0))
    if find_data("bif") is not None:
        every.append((network_case("alarm", load_network("alarm"), {}), 0))
    every += [(grid(6, directed=True), 0), (smokers(8), 0)]
    for unknown in set(names) - {case.name for case, _ in every}:
        listed = ", ".join(case.name for case, _ in every)
        raise typer.BadParameter(f"there is no case {unknown!r}; there are: {listed}")
    for case, digits in every:
        if not names or case.name in names:
            yield compiled_case(case, digits)


def _asked(name: str, program: str, query: str) -> Case:
    return Case(name, (PROGRAMS / program).read_text(), (query,), problog=False)


def rivals(
    subject: Subject, weights: Tensor, compiled: bool, *, with_klay: bool = True
) -> dict[str, tuple[Evaluator, Tensor]]:
    """Who evaluates the circuit, and from what: weights [batch, columns], or their logarithms."""
    circuit, logs, device = subject.circuit, weights.log(), weights.device
    nothing = torch.zeros(0, device=device)
    plan = bind(circuit)
    made: dict[str, tuple[Evaluator, Tensor]] = {
        "deepplp": (lambda w: Evaluation(plan, w, nothing).log_probs(), weights),
    }
    if circuit.nodes <= REFERENCE_NODES:
        made["reference"] = (lambda w: evaluate_reference(plan, w, nothing)[0], weights)
    if not with_klay:
        return made
    made[OURS] = (klay_evaluator(same_circuit(circuit), device), logs)
    if subject.digits:
        find = column_finder(subject.formula, circuit)
        for shape in ("chain", "tree"):
            build = digit_wise(subject.digits, find, balanced=shape == "tree")
            made[f"KLay, digit-wise {shape}"] = (klay_evaluator(build, device), logs)
        if compiled:
            tree = digit_wise(subject.digits, find, balanced=True)
            made["KLay, digit-wise tree, compiled"] = (klay_evaluator(tree, device, compiled=True), logs)
    for vtree in ("right", "balanced"):
        evaluator = sdd_evaluator(subject.formula, vtree, device)
        if evaluator is not None:
            made[f"KLay, SDD of a {vtree} vtree"] = (evaluator, logs)
    return made


def agreeing(made: dict[str, tuple[Evaluator, Tensor]]) -> dict[str, tuple[Evaluator, Tensor]]:
    """Those that run here; of a rival that does not, the reason is printed. All must compute the same."""
    expected = made["deepplp"][0](made["deepplp"][1]).detach().double()
    kept = {}
    for name, (evaluator, start) in made.items():
        try:
            found = evaluator(start).detach().double()
        except Exception as error:
            print(f"{name} does not run: {type(error).__name__}: {str(error).splitlines()[0]}")
            continue
        if found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-3, atol=1e-3):
            raise SystemExit(f"{name} computes something else: {found[0, :3].tolist()} for {expected[0, :3].tolist()}")
        kept[name] = (evaluator, start)
    return kept


def timed(evaluator: Evaluator, start: Tensor) -> Callable[[], None]:
    """Forward and backward."""

    def run() -> None:
        x = start.detach().requires_grad_()
        evaluator(x).sum().backward()
        if x.is_cuda:
            torch.cuda.synchronize(x.device)

    return run


def measure(
    subject: Subject, batch: int, repeats: int, compiled: bool, device: str, *, with_klay: bool = True
) -> dict[str, Any]:
    """The figures of one circuit."""
    circuit = subject.circuit
    generator = torch.Generator().manual_seed(0)
    sizes = np.diff(circuit.column_offsets)
    weights = torch.cat([torch.randn(batch, int(k), generator=generator).softmax(1) for k in sizes], dim=1)
    made = agreeing(rivals(subject, weights.to(device), compiled, with_klay=with_klay))
    seconds = median_seconds({name: timed(*rival) for name, rival in made.items()}, repeats)
    row: dict[str, Any] = {"case": subject.name, "batch": batch, "nodes": circuit.nodes, "elements": circuit.elements}
    row |= {"roots": len(circuit.roots), **subject.seconds}
    if device != "cpu":
        row["device"] = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    row |= {f"{name} (ms)": 1000 * s for name, s in seconds.items()}
    return row


def comparisons(row: dict[str, Any]) -> list[Comparison]:
    """The rows of the common table: KLay on our circuit, and at its best where that is another."""
    times = {name.removesuffix(" (ms)"): ms for name, ms in row.items() if name.endswith(" (ms)")}
    place = f", {row['device']}" if "device" in row else ""
    case, ours = f"kernel, {row['case']}, batch {row['batch']}{place}", times["deepplp"]
    klay = {name: ms for name, ms in times.items() if name.startswith("KLay")}
    found = [Comparison(case, "ms", ours, OURS, klay[OURS], target=1.0)] if OURS in klay else []
    best = min(klay, key=klay.__getitem__, default=OURS)
    if best != OURS:
        at_best = f"KLay at its best: {best.removeprefix('KLay, ')}"
        found.append(Comparison(case, "ms", ours, at_best, klay[best], target=TARGETS.get(row["case"], 1.0)))
    return found


def suite(
    names: Sequence[str] = (), batch: int = 64, repeats: int = 21, compiled: bool = False, device: str = "cpu"
) -> Measured:
    """All circuits, or those of these names."""
    found = Measured()
    for subject in subjects(names):
        row = measure(subject, batch, repeats, compiled, device)
        found.details.append(row)
        found.comparisons += comparisons(row)
        show(row)
    return found


def main(
    case: Annotated[list[str] | None, typer.Option(help="Only circuits of this name; repeat for several.")] = None,
    batch: Annotated[int, typer.Option(min=1)] = 64,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 21,
    compiled: Annotated[bool, typer.Option(help="Also try KLay under torch.compile.")] = False,
    device: Device = "cpu",
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/circuits.json"),
) -> None:
    """Measure and print, one block a circuit."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise typer.BadParameter("there is no CUDA device here; --device cpu measures without one")
    report(output, {"circuits": suite(case or (), batch, repeats, compiled, device)})


if __name__ == "__main__":
    typer.run(main)
