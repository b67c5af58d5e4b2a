"""Compilation stops where it is told to, says where it was, and gives everything back."""

from __future__ import annotations

import gc
import itertools
import time

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
from tests.clocks import interrupt_at, processor_seconds
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
    """A compilation that would take for ever ends soon after its time, and not before."""
    formula = hard()
    start, started = time.monotonic(), processor_seconds()
    with pytest.raises(BudgetExceededError, match=r"more than 1 s.*CompileBudget") as caught:
        compile_formula(formula, budget=CompileBudget(seconds=1.0, nodes=500_000))
    assert time.monotonic() - start > 0.9
    assert processor_seconds() - started < 4
    attempts = caught.value.report.attempts  # type: ignore[attr-defined]
    assert attempts[-1].outcome == "stopped: out of seconds"


@pytest.mark.parametrize("limit", ["seconds", "nodes"])
def test_the_error_names_the_part(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what the compilation was at in the last order, where that begins, and what to do."""
    looks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: next(looks))  # on every machine, a second from look to look
    budget = CompileBudget(seconds=100, nodes=None) if limit == "seconds" else CompileBudget(seconds=None, nodes=20_000)
    with pytest.raises(BudgetExceededError, match=r"the part that decides all and reads \d+ choices: head\(") as caught:
        compile_formula(hard(), budget=budget)
    assert str(caught.value).startswith("<string>:2:")
    assert "CompileBudget" in str(caught.value)
    assert caught.value.part[0].startswith("head(")
    assert len(caught.value.part) > 20
    attempts = caught.value.report.attempts  # type: ignore[attr-defined]
    assert attempts[-1].outcome == f"stopped: out of {limit}"


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
    start = processor_seconds()
    with pytest.raises(BudgetExceededError):
        model.query("all")
    assert processor_seconds() - start < 5
    assert float(model.query("row_has(1)").probs) == pytest.approx(1 - 0.5**24)
    with pytest.raises(QueryError, match=r"budget is a deepplp\.CompileBudget"):
        deepplp.Model(Program.from_string("a."), budget=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("call", [1, 1_000, 10_000, 100_000, 300_000])
def test_an_interrupt_ends_a_compilation(call: int) -> None:
    """Ctrl-C comes through at once, before a blow-up and during it, and the next compilation works."""
    formula = hard()
    with interrupt_at(call) as since, pytest.raises(KeyboardInterrupt):
        compile_formula(formula, budget=CompileBudget(seconds=60, nodes=None))
    assert since() < 1
    assert gc.isenabled()
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
