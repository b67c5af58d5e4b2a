"""The benchmarks: their table, their timing, and every suite in a small setting, against the peers that are there."""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import typer

import deepplp
from deepplp.circuit import Plan
from experiments.benchmarks import __main__ as benchmarks
from experiments.benchmarks import (
    circuits,
    compilation,
    counting,
    device,
    mnist_addition,
    number_addition,
    startup,
    structures,
)
from experiments.benchmarks.cases import grid, network_case
from experiments.benchmarks.networks import PgmpyOracle, parse_bif
from experiments.benchmarks.rivals import (
    convolution_loss,
    deepproblog_pairs_per_second,
    outer_sum_loss,
    place_values_loss,
    sums_shown,
)
from experiments.benchmarks.table import COLUMNS, Comparison, Measured, missing, table
from experiments.benchmarks.timing import median_seconds
from experiments.networks import lenet
from tests.oracles import network_marginals

ASIA = """
network asia { }
variable asia { type discrete [ 2 ] { yes, no }; }
variable tub { type discrete [ 2 ] { yes, no }; }
variable smoke { type discrete [ 2 ] { yes, no }; }
variable lung { type discrete [ 2 ] { yes, no }; }
variable bronc { type discrete [ 2 ] { yes, no }; }
variable either { type discrete [ 2 ] { yes, no }; }
variable xray { type discrete [ 2 ] { yes, no }; }
variable dysp { type discrete [ 2 ] { yes, no }; }
probability ( asia ) { table 0.01, 0.99; }
probability ( tub | asia ) { (yes) 0.05, 0.95; (no) 0.01, 0.99; }
probability ( smoke ) { table 0.5, 0.5; }
probability ( lung | smoke ) { (yes) 0.1, 0.9; (no) 0.01, 0.99; }
probability ( bronc | smoke ) { (yes) 0.6, 0.4; (no) 0.3, 0.7; }
probability ( either | lung, tub ) {
  (yes, yes) 1.0, 0.0; (no, yes) 1.0, 0.0; (yes, no) 1.0, 0.0; (no, no) 0.0, 1.0;
}
probability ( xray | either ) { (yes) 0.98, 0.02; (no) 0.05, 0.95; }
probability ( dysp | bronc, either ) {
  (yes, yes) 0.9, 0.1; (no, yes) 0.7, 0.3; (yes, no) 0.8, 0.2; (no, no) 0.1, 0.9;
}
"""


def needs(package: str) -> pytest.MarkDecorator:
    """Skip where a peer of the extra ``[bench]`` is not installed."""
    return pytest.mark.skipif(find_spec(package) is None, reason=f"needs {package} of the extra [bench]")


def check_rows(found: Measured, peers: set[str]) -> None:
    """The comparisons are with these peers, all with positive figures, and the table has a cell a column."""
    assert {c.peer for c in found.comparisons} == peers
    assert all(c.deepplp > 0 and c.figure and c.figure > 0 and c.ratio for c in found.comparisons)
    lines = table(found.comparisons).splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == list(COLUMNS)
    assert len(lines) == 2 + len(found.comparisons)
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}


def test_ratios() -> None:
    """A ratio says how many times as fast as the peer we are, of rates and of times alike; it is held to its target."""
    rate = Comparison("a", "/s", 300.0, "peer", 100.0, target=3.0)
    duration = Comparison("a", "ms", 2.0, "peer", 3.0, target=1.6)
    assert (rate.ratio, rate.met) == (3.0, True)
    assert (duration.ratio, duration.met) == (1.5, False)
    assert rate.cells() == ("a", "300 /s", "peer", "100 /s", "3", "yes (≥ 3)")
    assert duration.cells()[-2:] == ("1.5", "no (≥ 1.6)")
    assert Comparison("a", "ms", 2.0, "peer", 3.0).met is None


def test_errors_count_against_a_target() -> None:
    """Being fast does not help who is wrong by more than 1e-8."""
    assert Comparison("a", "s", 1.0, "pgmpy", 9.0, error=1e-9).met
    assert Comparison("a", "s", 1.0, "pgmpy", 9.0, error=float("nan")).met is False
    wrong = Comparison("a", "s", 1.0, "pgmpy", 9.0, target=1.0, error=1e-7)
    assert wrong.met is False
    assert wrong.cells()[-1] == "no (≥ 1, error 1e-07)"


def test_time_outs() -> None:
    """Who has no answer in time has a bound as its figure, and the ratio is a bound, too; two bounds have none."""
    theirs = Comparison("a", "s", 2.0, "ProbLog", 60.0, target=1.0, bounded="peer")
    assert theirs.cells()[3:] == ("> 60 s", "> 30", "yes (≥ 1)")
    ours = Comparison("a", "s", 60.0, "ProbLog", 6.0, target=1.0, bounded="deepplp")
    assert ours.cells()[1:] == ("> 60 s", "ProbLog", "6 s", "< 0.1", "no (≥ 1)")
    early = Comparison("a", "s", 2.0, "ProbLog", 1.0, target=1.0, bounded="peer")
    assert early.cells()[3:] == ("> 1 s", "> 0.5", "- (≥ 1)")
    short = Comparison("a", "s", 2.0, "ProbLog", 60.0, target=1.0, bounded="deepplp")
    assert short.cells()[4:] == ("< 30", "- (≥ 1)")
    both = Comparison("a", "s", 60.0, "ProbLog", 60.0, target=1.0, bounded="both")
    assert both.cells()[3:] == ("> 60 s", "-", "- (≥ 1)")
    failed = Comparison("a", "s", 2.0, "ProbLog", None, target=1.0)
    assert failed.cells()[3:] == ("-", "-", "- (≥ 1)")


def test_turns_are_fair() -> None:
    """Over the rounds each rival is equally often in each place, and behind each of the others."""
    names, told = "abc", []
    rivals = {name: (lambda name=name: told.append(name)) for name in names}
    median_seconds(rivals, 18, warmup=0, turn_seconds=0.0)
    rounds = [told[i : i + 3] for i in range(0, len(told), 3)]
    for place in range(3):
        assert sorted(r[place] for r in rounds) == sorted(names * 6)
    behind = [pair for r in rounds for pair in pairwise(r)]
    assert {behind.count((x, y)) for x in names for y in names if x != y} == {6}


def test_sums_by_hand_are_ours() -> None:
    """The program of two-digit sums and the three ways to write its loss by hand give one number."""
    network = lenet().eval()
    images, shown = torch.rand(5, 2, 2, 1, 28, 28), torch.randint(0, 10, (5, 2, 2))
    assert sums_shown(torch.tensor([[[9, 1], [0, 2]]])).tolist() == [39]
    ours = number_addition.naive_loss(network)(images, shown)
    for by_hand in (outer_sum_loss, convolution_loss, place_values_loss):
        torch.testing.assert_close(by_hand(network)(images, shown), ours.float(), rtol=1e-4, atol=1e-5)


@needs("pgmpy")
@pytest.mark.parametrize("observed", [{}, {"xray": "yes"}, {"xray": "no", "dysp": "yes", "asia": "yes"}])
def test_asia_by_pgmpy(observed: dict[str, str]) -> None:
    """deepplp's and pgmpy's marginals agree on asia, and with the product of its tables."""
    network = parse_bif(ASIA)
    case = network_case("asia", network, observed)
    model = deepplp.Model(deepplp.Program.from_string(case.text), cache=False)
    answers = model.query(list(case.queries), evidence=case.evidence)
    ours = dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))
    theirs = PgmpyOracle(network).marginals(observed)
    by_hand = network_marginals(network, observed)
    for v, values in network.values.items():
        for value, p in zip(values, by_hand[v], strict=True):
            assert ours[f"{v}({value})"] == pytest.approx(theirs[f"{v}({value})"], abs=1e-8)
            assert theirs[f"{v}({value})"] == pytest.approx(p, abs=1e-12)


@needs("pgmpy")
def test_networks_are_compared_with_pgmpy() -> None:
    """A Bayesian network's rows hold our error, which is far below 1e-8, and the times of both."""
    case = network_case("asia", parse_bif(ASIA), {"xray": "yes"})
    row = compilation.measure(case, seconds=30.0, problog_seconds=60.0)
    found = Measured([row], compilation.comparisons(row))
    check_rows(found, {"ProbLog", "pgmpy"})
    assert [c.case for c in found.comparisons] == [
        "asia, evidence, first answer", "asia, evidence, first answer", "asia, evidence, again",
    ]  # fmt: skip
    assert all(c.error is not None and c.error < 1e-12 for c in found.comparisons)


def test_problog_is_stopped() -> None:
    """A case without an answer by ProbLog in time shows the time-out and a bound; its own answer agrees otherwise."""
    late = compilation.measure(grid(3, directed=True), seconds=30.0, problog_seconds=0.001)
    (bound,) = compilation.comparisons(late)
    assert bound.bounded == "peer"
    assert bound.cells()[3] == "> 0.001 s"
    assert compilation.cells(late)[-1] == "> 0.001"
    row = compilation.measure(grid(3, directed=True), seconds=30.0, problog_seconds=60.0)
    check_rows(Measured([row], compilation.comparisons(row)), {"ProbLog"})
    assert row["difference from ProbLog"] < 1e-12


def test_what_is_not_compiled_in_time() -> None:
    """Where we come to no end within the budget and ProbLog answers, the ratio is a bound, and the target missed."""
    row = compilation.measure(grid(4, directed=False), seconds=1e-4, problog_seconds=60.0)
    assert "nodes" not in row
    (comparison,) = compilation.comparisons({**row, "budget (s)": 60.0})
    assert comparison.bounded == "deepplp"
    assert comparison.met is False


def test_unknown_cases() -> None:
    """A case that does not exist is an error that lists those there are."""
    with pytest.raises(typer.BadParameter, match=r"there is no case 'grid 7'; there are: .*grid 6"):
        compilation.suite(["grid 7"])
    with pytest.raises(typer.BadParameter, match="there is no case 'chain 3'; there are: chain 1"):
        list(circuits.subjects(["chain 3"]))


@needs("klay")
def test_circuits_in_klay() -> None:
    """KLay computes the same on a chain in three shapes, on many roots, and on a grid in PySDD's diagrams."""
    found = circuits.suite(("chain 2", "smokers 8", "grid 6"), batch=3, repeats=1)
    chain, grid_6, smokers = found.details
    assert {"KLay, our circuit (ms)", "KLay, digit-wise chain (ms)", "KLay, digit-wise tree (ms)"} <= set(chain)
    assert {"KLay, SDD of a right vtree (ms)", "KLay, SDD of a balanced vtree (ms)"} <= set(grid_6)
    assert smokers["roots"] == 8
    assert {c.peer.partition(":")[0] for c in found.comparisons} <= {"KLay, our circuit", "KLay at its best"}
    check_rows(found, {c.peer for c in found.comparisons})


def test_addition() -> None:
    """The rows of one and of two digits, and the accuracies after an epoch on few examples."""
    found = mnist_addition.suite((1, 2), (8,), examples=16, repeats=1, deepproblog=0, with_accuracy=())
    check_rows(found, {"by hand: outer product", "by hand: dynamic programme", "the network alone"})
    assert [row["digits"] for row in found.details] == [1, 2]


def test_number_addition() -> None:
    """The naive program stands beside three ways by hand and the network alone."""
    found = number_addition.suite((8,), examples=16, repeats=1, deepproblog=0)
    check_rows(found, {*number_addition.BY_HAND, "the network alone"})


@needs("deepproblog")
@pytest.mark.parametrize("digits", [1, 2])
def test_deepproblog(digits: int) -> None:
    """DeepProbLog trains on the examples behind the first of each sum, whose queries are compiled beforehand."""
    images = torch.rand(4, 2, digits, 1, 28, 28)
    shown = torch.zeros(4, 2, digits, dtype=torch.long)
    shown[1::2, 0, 0] = 1  # two sums, twice each
    network = lenet()
    before = [p.clone() for p in network.parameters()]
    assert deepproblog_pairs_per_second(network, images, shown, 2) > 0
    assert any(not torch.equal(p, q) for p, q in zip(network.parameters(), before, strict=True))


def test_counting() -> None:
    """Counts and sums beside the same by hand, and beside ProbLog, which answers small ones."""
    found = counting.suite((("count", 3, 2), ("sum", 2, 3)), problog_seconds=30.0)
    check_rows(found, {"by hand", "ProbLog"})
    assert [row["totals"] for row in found.details] == [4, 5]
    assert all(c.error is not None and c.error < 1e-12 for c in found.comparisons)


def test_structures() -> None:
    """Structures are prepared by two processes and by one, and each is built in every round."""
    row = structures.prepared(count=4, jobs=2, repeats=1, dask=False)
    check_rows(Measured([row], structures.comparisons(row)), {"one process"})


def test_stories_at_once() -> None:
    """Stories of several lengths answered at once need one call of the network."""
    row = structures.together(count=8, repeats=1)
    assert row["network calls"] == 1
    assert len({len(query.inputs) for query in structures.stories(8, seed=0)}) > 1
    check_rows(Measured([row], structures.comparisons(row)), {"one by one"})


def test_first_queries() -> None:
    """A new process answers and keeps the structure, which the next one reads (that is checked as it is measured)."""
    assert min(structures.first_query(repeats=1)) > 0.0


def test_the_command_line_beside_problogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both print the same, or the benchmark says what each prints."""
    monkeypatch.setattr(startup, "PROGRAMS", {"a path": startup.PROGRAMS["a path"]})
    found = startup.suite(repeats=1)
    assert [c.case for c in found.comparisons] == ["command line, a path", "import deepplp"]
    right = startup.output
    monkeypatch.setattr(startup, "output", lambda *c: {"p(1,3)": 0.5} if c[1] == "deepplp" else right(*c))
    with pytest.raises(SystemExit, match=r"a path: deepplp prints .* 0.5.*, ProbLog .* 0.316"):
        startup.suite(repeats=1)


def test_one_table_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one table of all suites, writes it with date and machine, and goes on where a peer lacks."""
    comparison = Comparison("a case", "ms", 2.0, "KLay", 6.0, target=1.0)

    def lacking() -> Measured:
        raise missing("KLay", ImportError("no module"))

    measured = {"circuits": lambda: Measured([{"x": 1}], [comparison]), "structures": lacking}
    monkeypatch.setattr(benchmarks, "QUICK", measured)
    output = tmp_path / "deep" / "all.json"
    with pytest.raises(SystemExit, match="not measured: structures"):
        benchmarks.main(["circuits", "structures"], quick=True, output=output)
    printed = capsys.readouterr()
    assert "| a case | 2 ms | KLay | 6 ms | 3 | yes (≥ 1) |" in printed.out.splitlines()
    assert "pip install 'deepplp[bench]'" in printed.err
    record = json.loads(output.read_text())
    assert {"date", "processor", "cpus", "torch"} <= set(record["machine"])
    (row,) = record["comparisons"]
    assert (row["suite"], row["case"], row["ratio"], row["met"]) == ("circuits", "a case", 3.0, True)
    assert record["details"] == {"circuits": [{"x": 1}]}
    with pytest.raises(typer.BadParameter, match="there is no suite 'speed'; there are: mnist_addition"):
        benchmarks.main(["speed"], output=output)


def test_a_device_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU agrees with itself; a gradient that is a millionth off on the device is an error that names it."""
    (subject,) = circuits.subjects(("chain 2",))
    row = device.check(subject, "cpu")
    assert [row[kind] for kind, _ in device.weights_of(subject)] == [0.0] * 3
    right, calls = device.results, []

    def results(plan: Plan, weights: torch.Tensor) -> dict[str, torch.Tensor]:
        calls.append(plan)
        found = right(plan, weights)
        if len(calls) == 4:  # that of the device, on tiny weights
            found["gradient of probs"] = found["gradient of probs"] * (1 + 1e-6)
        return found

    monkeypatch.setattr(device, "results", results)
    with pytest.raises(device.WrongResultError, match=r"chain 2, tiny weights: gradient of probs on cpu is .* off"):
        device.check(subject, "cpu")


def test_differences_of_a_device() -> None:
    """Relative to large numbers; equal infinities and NaNs are no difference, others are the largest."""
    nan, inf = float("nan"), float("inf")
    expected = torch.tensor([1e6, -inf, nan, 0.0], dtype=torch.float64)
    assert device.difference(expected, expected) == 0.0
    assert device.difference(expected + torch.tensor([1.0, 0.0, 0.0, 0.0]), expected) == pytest.approx(1e-6)
    assert device.difference(torch.tensor([1e6, -inf, nan, nan], dtype=torch.float64), expected) == inf
    assert device.difference(torch.tensor([1e6, 0.0, nan, 0.0], dtype=torch.float64), expected) == inf


def test_a_device_without_time_leaves_out_by_name() -> None:
    """Nothing is left out silently."""
    found = device.suite("cpu", 1e-9)
    assert not found.comparisons
    left = found.details[-1]["left out for want of time"]
    assert "check of chain 1" in left
    assert "MNIST addition of 15 digits, batch 512" in left


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_device_is_said() -> None:
    """By its option."""
    with pytest.raises(typer.BadParameter, match="no CUDA device here; --device cpu"):
        device.main("cuda")
