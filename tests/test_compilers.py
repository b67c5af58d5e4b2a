"""The compilers that can be asked for: both count right, end within their budget, and are called by their names."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepplp import CompileBudget, Program
from deepplp.circuit import FALSE_NODE
from deepplp.compilation import ORDERS, CompilerName, compile_formula, compile_with_report
from deepplp.compilation.fixpoints import iterate
from deepplp.errors import BudgetExceededError, NegativeCycleError, QueryError
from deepplp.formula import And, Atom, Formula, Goal, Node, Or, depth_first_order
from deepplp.grounding import ground
from deepplp.program import parse_goal
from tests.formulas import ALONG_ORDERS, chain, conjunction, uniform
from tests.strategies import formulas
from tests.test_compilation import conditional, probabilities, ring
from tests.test_orders import path


@given(formulas(), st.randoms(use_true_random=False), st.sampled_from(ALONG_ORDERS))
def test_every_compiler_counts_all_worlds(formula: Formula, rng: random.Random, compiler: CompilerName) -> None:
    """Each compiler's circuit has the probabilities that all worlds add up to, in its own order and in any other."""
    expected = conditional(formula)
    order = list(depth_first_order(formula))
    rng.shuffle(order)
    for chosen in (None, order, rng.choice(list(ORDERS))):
        found = probabilities(compile_formula(formula, chosen, compiler=compiler), formula)
        if expected is None:
            assert np.isnan(found).all()
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@given(formulas(), st.randoms(use_true_random=False))
def test_the_diagrams_are_one(formula: Formula, rng: random.Random) -> None:
    """PySDD's diagram on a right-linear vtree is ours: as many nodes, elements and leaves in every order."""
    order = list(depth_first_order(formula))
    rng.shuffle(order)
    ours, theirs = (compile_formula(formula, order, compiler=name) for name in ALONG_ORDERS)
    assert (ours.nodes, ours.elements, ours.leaves) == (theirs.nodes, theirs.elements, theirs.leaves)
    assert ours.order.tolist() == theirs.order.tolist() == order


@st.composite
def cyclic_formulas(draw: st.DrawFn) -> Formula:
    """One large component: each node is a con- or disjunction of facts and of other nodes of the component."""
    facts = draw(st.integers(2, 5))
    inner = draw(st.integers(2, 7))
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(facts))]
    first = len(nodes) + 1
    for i in range(inner):
        others = st.integers(first, first + inner - 1)
        literal = st.integers(2, facts + 1).flatmap(lambda n: st.sampled_from([n, -n]))
        children = draw(st.lists(st.one_of(literal, others), min_size=1, max_size=4))
        nodes.append((Or if draw(st.booleans()) else And)((*children, first + (i + 1) % inner)))
    queries = draw(st.lists(st.integers(first, first + inner - 1), min_size=1, max_size=3, unique=True))
    return Formula((uniform(2),) * facts, tuple(nodes), tuple(Goal(str(q), q) for q in queries))


@given(cyclic_formulas(), st.sampled_from(ALONG_ORDERS))
def test_every_compiler_finds_least_fixpoints(formula: Formula, compiler: CompilerName) -> None:
    """A component of several nodes that read each other has its least fixpoint in every world."""
    expected = conditional(formula)
    assert expected is not None
    found = probabilities(compile_formula(formula, compiler=compiler), formula)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("compiler", ALONG_ORDERS)
def test_cycles_that_rest_on_themselves(compiler: CompilerName) -> None:
    """A ring counts its ways around; atoms that support each other alone are false; a negated cycle is refused."""
    expected = conditional(ring(5))
    assert expected is not None
    assert probabilities(compile_formula(ring(5), compiler=compiler), ring(5)) == pytest.approx(expected, rel=1e-12)
    alone = Formula((uniform(2),), (And(()), Or((3,)), Or((2,))), (Goal("q", 2),))
    assert compile_formula(alone, compiler=compiler).roots.tolist() == [FALSE_NODE]
    refused = Formula((uniform(2),), (And(()), Or((-3,)), Or((2,))), (Goal("q", 2),))
    with pytest.raises(NegativeCycleError, match="negation"):
        compile_formula(refused, compiler=compiler)


def test_the_sole_reader_of_a_cycle_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that reads several nodes of a cycle, and that none reads, waits until the cycle has settled."""
    formula = path(6, 0, last_only=True)
    counts: dict[int, int] = {}

    def counting(diagram, cycle):  # type: ignore[no-untyped-def]
        original = cycle.equation

        def equation(index: int) -> object:
            counts[index] = counts.get(index, 0) + 1
            return original(index)

        iterate(diagram, type(cycle)(cycle.nodes, cycle.reads, cycle.needed, cycle.known, equation))
        unread.extend(i for i, readers in cycle.readers().items() if not readers)

    unread: list[int] = []
    monkeypatch.setattr("deepplp.compilation.attempt.iterate", counting)
    found = probabilities(compile_formula(formula, compiler="sdd"), formula)
    np.testing.assert_allclose(found, conditional(formula) or [], rtol=1e-12)
    assert unread
    assert all(counts[i] == 1 for i in unread)
    assert max(counts.values()) > 1


def test_the_report_says_who_compiled() -> None:
    """PySDD alone is one attempt, in the default order or the one that is given, whose steps are the nodes made."""
    formula = chain(3)
    circuit, report = compile_with_report(formula, compiler="sdd")
    (attempt,) = report.attempts
    assert (attempt.order, attempt.outcome, report.winner) == ("depth first", "compiled by PySDD", "depth first")
    assert (attempt.nodes, attempt.elements) == (circuit.nodes, circuit.elements)
    assert attempt.steps >= 100
    assert "PySDD was asked for" in report.reason
    assert report.choices == depth_first_order(formula)
    _, report = compile_with_report(formula, report.choices[::-1], compiler="sdd")
    assert (report.winner, report.choices) == ("given", depth_first_order(formula)[::-1])
    assert compile_with_report(formula, "force", compiler="sdd")[1].winner == "force"


@pytest.mark.parametrize("compiler", ["SDD", "", "ddnnf"])
def test_unknown_compilers(compiler: str) -> None:
    """A compiler of an unknown name is an error that lists those there are."""
    message = rf"there is no compiler '{compiler}'; there are: portfolio, elimination, sdd"
    with pytest.raises(QueryError, match=message):
        compile_formula(chain(1), compiler=compiler)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match=message):
        compile_with_report(chain(1), compiler=compiler)  # type: ignore[arg-type]


def test_orders_are_checked_for_every_compiler() -> None:
    """An order that lacks choices, or has an unknown name, is an error for PySDD, too."""
    with pytest.raises(QueryError, match=r"lacks \[1, 3\]"):
        compile_formula(chain(1), [0, 2], compiler="sdd")
    with pytest.raises(QueryError, match="there is no order 'best'"):
        compile_formula(chain(1), "best", compiler="sdd")


def matrix(n: int) -> Formula:
    """Every row and every column of a matrix of coins has a head: no order keeps the diagram small."""
    facts = " ".join(f"row({i})." for i in range(n))
    names = ", ".join(f"{name}({i})" for name in ("row_has", "column_has") for i in range(n))
    text = "0.5::head(I, J) :- row(I), row(J). row_has(I) :- head(I, J). column_has(J) :- head(I, J)."
    return ground(Program.from_string(f"{text}\nall :- {names}. {facts}"), [parse_goal("all")])


@pytest.mark.parametrize(
    ("budget", "message", "outcome"),
    [
        (CompileBudget(seconds=None, nodes=5_000), "more than 5,000 nodes", "stopped: out of nodes"),
        (CompileBudget(seconds=0.5, nodes=None), r"more than 0.5 s", "stopped: out of seconds"),
    ],
    ids=["nodes", "seconds"],
)
def test_pysdd_stops_within_its_budget(budget: CompileBudget, message: str, outcome: str) -> None:
    """PySDD's blow-up is the same error as ours: the limit, the part, the place, what was tried, what to do."""
    start = time.process_time()
    with pytest.raises(BudgetExceededError, match=message) as caught:
        compile_formula(matrix(24), budget=budget, compiler="sdd")
    assert time.process_time() - start < 20
    text = str(caught.value)
    assert text.startswith("<string>:1:")
    assert "the part that decides all and reads" in text
    assert "(order 'depth first'" in text
    assert "tried: depth first)" in text
    assert "CompileBudget" in text
    (attempt,) = caught.value.report.attempts  # type: ignore[attr-defined]
    assert attempt.outcome == outcome
    assert caught.value.part[0].startswith("head(")


def test_the_portfolios_turn_of_pysdd_counts_seconds() -> None:
    """The seconds of a budget are those of all attempts together, PySDD's turn included."""
    start = time.monotonic()
    with pytest.raises(BudgetExceededError, match=r"more than 0.3 s"):
        compile_formula(matrix(24), budget=CompileBudget(seconds=0.3, nodes=None))
    assert time.monotonic() - start < 10


INTERRUPTED = """
import os, signal, threading, time
from deepplp import CompileBudget
from deepplp.compilation import compile_formula
from tests.formulas import ALONG_ORDERS, chain
from tests.test_compilers import matrix

formula = matrix(24)
thread = threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT))
thread.start()
try:
    compile_formula(formula, budget=CompileBudget(seconds=60, nodes=None), compiler="sdd")
except KeyboardInterrupt:
    print("interrupted")
for _ in range(100):  # the compiler's own thread ends after the operation that it is at
    if not any(t.name == "deepplp-compilation" for t in threading.enumerate()):
        break
    time.sleep(0.1)
else:
    raise AssertionError("the compiler goes on")
print(compile_formula(chain(3), compiler="sdd").nodes)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_an_interrupt_ends_pysdd() -> None:
    """Ctrl-C ends a compilation by PySDD and its thread, and the next compilation works."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["interrupted", "100"]


def test_pysdd_needs_no_deep_stack() -> None:
    """A conjunction of thousands of facts compiles in a thread whose own stack is small."""
    before = threading.stack_size(256 << 10)
    try:
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(compile_formula(conjunction(3000), compiler="sdd").nodes))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found == [3002]
