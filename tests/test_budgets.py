"""Compilation stops where it is told to, says where it was, and gives everything back."""

from __future__ import annotations

import gc
import itertools
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given

import deepplp
from deepplp import CompileBudget, Program
from deepplp.compilation import compile_formula, compile_with_report
from deepplp.compilation.compile_budget import Meter, OutOfBudgetError
from deepplp.compilation.diagram import Diagram
from deepplp.errors import BudgetExceededError, QueryError
from deepplp.formula import And, Atom, Formula, Goal, Node
from deepplp.grounding import ground
from deepplp.program import parse_goal
from tests.formulas import chain, uniform
from tests.strategies import formulas

# Rows and columns of a matrix of coins: every row and every column has a head. No order keeps the diagram small.
MATRIX = """
0.5::head(I, J) :- row(I), row(J).
row_has(I) :- head(I, J).
column_has(J) :- head(I, J).
all :- {rows}, {columns}.
{facts}
"""


def matrix(n: int) -> str:
    """The program of an n by n matrix."""
    return MATRIX.format(
        rows=", ".join(f"row_has({i})" for i in range(n)),
        columns=", ".join(f"column_has({i})" for i in range(n)),
        facts=" ".join(f"row({i})." for i in range(n)),
    )


def hard(n: int = 24) -> Formula:
    """A formula whose diagram has more than 2^n nodes in the orders that are tried."""
    return ground(Program.from_string(matrix(n)), [parse_goal("all")])


def test_seconds() -> None:
    """A compilation that would take for ever ends soon after its time, and names what it was at and what to do."""
    start = time.monotonic()
    with pytest.raises(BudgetExceededError) as caught:
        compile_formula(hard(), budget=CompileBudget(seconds=1.0, nodes=None))
    assert 0.9 < time.monotonic() - start < 4
    message = str(caught.value)
    assert "more than 1 s" in message
    assert re.search(r"the part that decides all and reads \d+ choices: head\(", message)
    assert "CompileBudget" in message
    assert message.startswith("<string>:2:")
    assert caught.value.part[0].startswith("head(")
    assert len(caught.value.part) > 20
    attempts = caught.value.report.attempts  # type: ignore[attr-defined]
    assert attempts
    assert attempts[-1].outcome == "stopped: out of seconds"


def test_nodes() -> None:
    """No diagram grows beyond the nodes allowed; with every order out of nodes, that is the error."""
    with pytest.raises(BudgetExceededError, match="more than 500 nodes") as caught:
        compile_formula(hard(12), budget=CompileBudget(seconds=None, nodes=500))
    attempts = caught.value.report.attempts  # type: ignore[attr-defined]
    assert {a.outcome for a in attempts} == {"stopped: out of nodes"}
    assert len({a.order for a in attempts}) == len(attempts) > 1
    assert all(a.nodes <= 502 for a in attempts)


def test_a_budget_that_suffices_changes_nothing() -> None:
    """The circuit is the same with and without a budget."""
    formula = chain(5)
    free, bounded = compile_formula(formula), compile_formula(formula, budget=CompileBudget(60, 10_000))
    assert (free.nodes, free.elements) == (bounded.nodes, bounded.elements)


@pytest.mark.parametrize("arguments", [{"seconds": 0}, {"seconds": -1.0}, {"nodes": 0}, {"nodes": "many"}])
def test_budgets_are_positive(arguments: dict[str, object]) -> None:
    """A budget of nothing, or of no number, is an error that shows it."""
    with pytest.raises(QueryError, match="must be a number above 0"):
        CompileBudget(**arguments)  # type: ignore[arg-type]


def test_a_model_has_a_budget() -> None:
    """The model's budget bounds its queries, which is told once, not after a second try; smaller queries still work."""
    model = deepplp.Model(Program.from_string(matrix(24)), budget=CompileBudget(seconds=1.0), cache=False)
    start = time.monotonic()
    with pytest.raises(BudgetExceededError):
        model.query("all")
    assert time.monotonic() - start < 5
    assert float(model.query("row_has(1)").probs) == pytest.approx(1 - 0.5**24)
    with pytest.raises(QueryError, match=r"budget is a deepplp\.CompileBudget"):
        deepplp.Model(Program.from_string("a."), budget=3)  # type: ignore[arg-type]


@contextmanager
def interrupt_after(seconds: float) -> Iterator[None]:
    """Ctrl-C for this process, as a terminal sends it, once a second until the block ends.

    Python itself drops one that comes while it calls what hangs on a weak reference or on its garbage collector.
    """
    done = threading.Event()

    def press() -> None:
        pause = seconds
        while not done.wait(pause):
            os.kill(os.getpid(), signal.SIGINT)
            pause = 1.0

    presser = threading.Thread(target=press)
    presser.start()
    try:
        yield
    finally:
        done.set()
        presser.join()


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_an_interrupt_ends_a_compilation() -> None:
    """Ctrl-C during a blow-up comes through at once, and the next compilation works."""
    formula = hard()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupt_after(1.0):
        compile_formula(formula, budget=CompileBudget(seconds=60, nodes=None))
    assert time.monotonic() - start < 3
    assert compile_formula(chain(3)).nodes == 100


def test_what_was_stopped_is_given_back() -> None:
    """No diagram outlives its compilation, whether it came to its end or not, while the error is kept."""
    kept = []
    for _ in range(3):
        with pytest.raises(BudgetExceededError) as caught:
            compile_formula(hard(12), budget=CompileBudget(nodes=2000))
        kept.append(caught.value.with_traceback(None))
        compile_formula(chain(2))
    del caught
    gc.collect()
    assert len(kept) == 3
    assert not [x for x in gc.get_objects() if type(x) is Diagram]


@given(formulas())
def test_any_limit_is_a_clean_end(formula: Formula) -> None:
    """Stopped after any number of nodes, compilation raises its own error; with room enough it does not."""
    for nodes in (1, 2, 4, 8):
        message = f"more than {nodes} nodes"
        try:
            compile_formula(formula, budget=CompileBudget(nodes=nodes))
        except BudgetExceededError as error:
            message = str(error)
        assert f"more than {nodes} nodes" in message


def test_a_meter_counts_steps() -> None:
    """An attempt's steps are counted exactly, and its limit is the last step allowed."""
    meter = Meter(steps=10)
    for _ in range(5):
        meter.spend(2, 0)
    assert meter.steps == 10
    with pytest.raises(OutOfBudgetError) as caught:
        meter.spend(1, 0)
    assert caught.value.limit == "steps"


def test_steps_are_the_same_again() -> None:
    """What is tried, how many steps it takes and what wins depend on the formula alone."""
    reports = [compile_with_report(hard(8))[1] for _ in range(2)]
    first, second = ([(a.order, a.outcome, a.steps, a.nodes) for a in r.attempts] for r in reports)
    assert first == second
    assert reports[0].choices == reports[1].choices


def test_the_error_names_evidence() -> None:
    """Where it is the evidence that blows up, the evidence is what the error names."""
    n = 14
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(2 * n))]
    formula = Formula((uniform(2),) * (2 * n), tuple(nodes), (Goal("q", 2),))
    # Evidence: for every i, coin i equals coin n + i, in an order that has all the first before all the second.
    literals = []
    for i in range(n):
        x, y = 2 + i, 2 + n + i
        nodes += [And((x, y)), And((-x, -y))]
        literals.append((len(nodes) - 1, len(nodes)))
    evidence = []
    for i, (both, neither) in enumerate(literals):
        nodes.append(And((-both, -neither)))
        evidence.append(Goal(f"same({i})", -len(nodes)))
    formula = Formula(formula.choices, tuple(nodes), formula.queries, tuple(evidence))
    with pytest.raises(BudgetExceededError, match=r"decides same\(0\), same\(1\)"):
        compile_formula(formula, list(itertools.chain(range(n), range(n, 2 * n))), budget=CompileBudget(nodes=3000))
    assert compile_formula(formula).nodes < 200, "another order makes it linear"
