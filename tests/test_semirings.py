"""Sums and products that mean something else: each against the enumeration of all worlds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import deepplp
from deepplp.circuit import Circuit
from deepplp.compilation import compile_formula
from deepplp.errors import InputError, QueryError
from deepplp.evaluation import (
    COUNTING,
    LOG,
    MAX_PRODUCT,
    PROBABILITY,
    Semiring,
    evaluate_circuit,
    evaluate_semiring,
)
from deepplp.formula import Formula
from tests.formulas import fixed_weights, flat
from tests.oracles import assignments, world_truth
from tests.strategies import formulas


def worlds(formula: Formula) -> list[list[tuple[float, int]]]:
    """For each query and, last, for the evidence: the probabilities of the worlds in which all of it holds.

    Beside each the number 1, or 0 for a world that has a value of probability 0.
    """
    weights = fixed_weights(formula)
    found: list[list[tuple[float, int]]] = [[] for _ in (*formula.queries, None)]
    for world in assignments([len(w) for w in weights]):
        truth = world_truth(formula, world)
        p = math.prod(w[v] for w, v in zip(weights, world, strict=True))
        holds = [truth[abs(g.literal) - 1] == (g.literal > 0) for g in (*formula.queries, *formula.evidence)]
        known = all(holds[len(formula.queries) :])
        for i, query in enumerate([*holds[: len(formula.queries)], True]):
            if known and query:
                found[i].append((p, int(p > 0)))
    return found


@given(formulas(), st.sampled_from([None, "deepest first", "program"]))
def test_every_semiring_against_all_worlds(formula: Formula, order: str | None) -> None:
    """Sum, logarithm of the sum, largest world and number of worlds are those of the enumeration, in every order."""
    circuit = compile_formula(formula, order)
    p = flat(formula)
    expected = worlds(formula)
    (sums,) = evaluate_semiring(circuit, p, PROBABILITY)
    (largest,) = evaluate_semiring(circuit, p, MAX_PRODUCT)
    (logs,) = evaluate_semiring(circuit, p.log(), LOG)
    ones = np.array([[int(x > 0) for x in p[0].tolist()]], dtype=object)
    (counts,) = evaluate_semiring(circuit, ones, COUNTING)
    for i, found in enumerate(expected):
        total = math.fsum(w for w, _ in found)
        assert float(sums[0, i]) == pytest.approx(total, rel=1e-12, abs=1e-15)
        assert math.exp(float(logs[0, i])) == pytest.approx(total, rel=1e-12, abs=1e-15)
        assert float(largest[0, i]) == pytest.approx(max((w for w, _ in found), default=0.0), rel=1e-12, abs=1e-15)
        assert counts[0, i] == sum(n for _, n in found)
        assert type(counts[0, i]) is int


@given(formulas())
def test_rows_are_apart(formula: Formula) -> None:
    """Rows are evaluated each with its own weights: the largest world of one says nothing of another's."""
    circuit = compile_formula(formula)
    p = flat(formula)
    rows = torch.cat([p, 2 * p, p])
    (found,) = evaluate_semiring(circuit, rows, MAX_PRODUCT)
    assert torch.equal(found[0], found[2])
    torch.testing.assert_close(found[1], found[0] * 2.0 ** len(formula.choices))


def test_logarithms_beyond_the_range_of_float64() -> None:
    """The logarithm of a sum of numbers that all underflow is that sum's, and not minus infinity."""
    count, p = 300, 1e-4
    facts = "".join(f"0.5::f{i}. " for i in range(count))
    body = ", ".join(f"f{i}" for i in range(1, count))
    formula = deepplp.ground(deepplp.Program.from_string(f"{facts} q :- f0, {body}. q :- \\+f0, {body}."), "q")
    circuit = compile_formula(formula)
    weights = torch.tensor([[p, 1 - p] * count], dtype=torch.float64).log()
    found = float(evaluate_semiring(circuit, weights, LOG)[0][0, 0])
    assert found == pytest.approx((count - 1) * math.log(p), rel=1e-12)


def test_logarithms_of_zeros() -> None:
    """A sum of zeros alone is zero in logarithms, too, and adds nothing to others; it is no NaN."""
    program = deepplp.Program.from_string("0.5::a; 0.3::b. 0.5::c. q :- a, c. r :- b. r :- a, c.")
    circuit = deepplp.compile(deepplp.ground(program, ["q", "r"]))
    weights = torch.tensor([[0.0, 0.25, 0.75, 0.5, 0.5], [0.5, 0.5, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0, 1.0]])
    (logs,) = evaluate_semiring(circuit, weights.double().log(), LOG)
    assert logs.exp().tolist() == [[0.0, 0.25, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 1.0]]


def test_counts_beyond_any_machine_word() -> None:
    """The worlds of 200 coins are counted exactly, those in which all show heads and those in which some do."""
    text = " ".join(f"0.5::c{i}." for i in range(200))
    text += f" all :- {', '.join(f'c{i}' for i in range(200))}. " + " ".join(f"some :- c{i}." for i in range(200))
    circuit = deepplp.compile(deepplp.ground(deepplp.Program.from_string(text), ["all", "some"]))
    ones = np.ones((1, circuit.columns), dtype=object)
    (found,) = evaluate_semiring(circuit, ones, COUNTING)
    assert found[0].tolist() == [1, 2**200 - 1, 2**200]


def test_a_semiring_of_ones_own() -> None:
    """Least cost: a semiring is a value, and needs no second walker."""

    def cheapest(table: tuple[torch.Tensor, ...], group_of: np.ndarray, groups: int) -> tuple[torch.Tensor, ...]:
        places = torch.as_tensor(group_of).expand(len(table[0]), -1)
        return (torch.full((len(table[0]), groups), math.inf).scatter_reduce(1, places, table[0], "amin"),)

    least = Semiring(cheapest, lambda a, b: (a[0] + b[0],), (math.inf,), (0.0,))  # type: ignore[arg-type]
    program = "0.5::road(a, b). 0.5::road(b, d). 0.5::road(a, c). 0.5::road(c, d). " \
        "way :- road(a, b), road(b, d). way :- road(a, c), road(c, d)."  # fmt: skip
    formula = deepplp.ground(deepplp.Program.from_string(program), "way")
    names = {str(c.values[0]): i for i, c in enumerate(formula.choices)}
    costs = torch.zeros(1, 8)
    for name, cost in {"road(a,b)": 5.0, "road(b,d)": 1.0, "road(a,c)": 2.0, "road(c,d)": 2.5}.items():
        costs[0, 2 * names[name]] = cost
    found = evaluate_semiring(deepplp.compile(formula), costs, least)[0]
    assert isinstance(found, torch.Tensor)
    assert found[0, 0].item() == 4.5


def test_the_wrong_number_of_weights() -> None:
    """Weights of the wrong shape or kind are an error that says which shape is needed."""
    circuit: Circuit = deepplp.compile(
        deepplp.ground(deepplp.Program.from_string("0.3::a. 0.2::b; 0.8::c."), ["a", "b"])
    )
    assert circuit.columns == 4
    with pytest.raises(QueryError, match=r"the weights have shape \[1, 3\]; this circuit needs \[rows, 4\]"):
        evaluate_semiring(circuit, torch.ones(1, 3), MAX_PRODUCT)
    with pytest.raises(InputError, match=r"the weights have shape \[3\]; this circuit needs \[4\] or \[batch, 4\]"):
        evaluate_circuit(circuit, torch.ones(3))
    with pytest.raises(InputError, match=r"weights are a floating-point tensor, not torch.int64"):
        evaluate_circuit(circuit, torch.ones(4, dtype=torch.int64))
    with pytest.raises(InputError, match="not list"):
        evaluate_circuit(circuit, [0.3, 0.7, 0.2, 0.8])  # type: ignore[arg-type]


def test_stages_in_the_wrong_order() -> None:
    """What is no program, formula or circuit is named, with the stage that gives one."""
    program = deepplp.Program.from_string("0.3::a.")
    formula = deepplp.ground(program, "a")
    with pytest.raises(
        QueryError, match=r"a program is ground, such as deepplp.Program.from_string\(…\) gives, not a str"
    ):
        deepplp.ground("0.3::a.", "a")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match=r"a formula is compiled, such as deepplp.ground gives, not a Program"):
        deepplp.compile(program)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match=r"a circuit is evaluated, such as deepplp.compile gives, not a Formula"):
        deepplp.evaluate(formula, torch.ones(2))  # type: ignore[arg-type]
    with pytest.raises(QueryError, match=r"answers are torch.float64 or torch.float32, not torch.float16"):
        deepplp.evaluate(deepplp.compile(formula), torch.ones(2), dtype=torch.float16)


@given(formulas())
def test_the_stages_are_the_model(formula: Formula) -> None:
    """The third stage gives what enumeration gives, for one row and for several."""
    circuit = deepplp.compile(formula)
    p = flat(formula)[0]
    expected = worlds(formula)
    evidence = math.fsum(w for w, _ in expected[-1])
    one, two = evaluate_circuit(circuit, p).probs(), evaluate_circuit(circuit, torch.stack([p, p])).probs()
    assert torch.equal(two[1:].nan_to_num(7.0), one.nan_to_num(7.0))
    for i, found in enumerate(expected[:-1]):
        if evidence > 0:
            assert float(one[0, i]) == pytest.approx(math.fsum(w for w, _ in found) / evidence, abs=1e-12)
        else:
            assert math.isnan(one[0, i])
