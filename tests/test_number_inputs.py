"""Numbers that are inputs: comparisons and arithmetic of tensors, which every row of a batch decides for itself."""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import deepplp
from deepplp import Model, Program, Query, errors, probabilities
from deepplp.formula import Computed
from deepplp.grounding import TENSOR_ARITHMETIC, Grounder
from deepplp.neural import ROW_ARITHMETIC
from deepplp.program import parse_goal
from tests.oracles import problog_probabilities

ENGINES = ("tabled", "problog")
SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "=<": operator.le,
    ">=": operator.ge,
    "=:=": operator.eq,
    "=\\=": operator.ne,
}
FEVER = """
flagged(P) :- temperature(P, T), T > 38.5, smokes(P).
safe(P) :- temperature(P, T), \\+ T > 38.5.
hot(P) :- temperature(P, T), limit(P, L), T >= L + 0.5.
ill :- flagged(P).
0.3::smokes(ann). 0.4::smokes(bob).
limit(ann, 38). 0.5::limit(bob, 38); 0.5::limit(bob, 39).
"""
TEMPERATURES = {"ann": [36.5, 38.5, 39.25, 41.0], "bob": [40.0, 38.75, 36.0, 38.5]}


def model_of(text: str, engine: str = "auto", **networks: Any) -> Model:
    """A model of a program's text, which keeps nothing on disk."""
    return Model(Program.from_string(text, "p.pl"), networks, cache=False, grounder=engine)  # type: ignore[arg-type]


def row_by_row(text: str, queries: list[str], evidence: str = "") -> list[list[float]]:
    """ProbLog's answers for each row, with the numbers written into the program."""
    found = []
    for ann, bob in zip(*TEMPERATURES.values(), strict=True):
        facts = f"temperature(ann, {ann}). temperature(bob, {bob}). {evidence}"
        answers = problog_probabilities(text + facts + " ".join(f"query({q})." for q in queries))
        found.append([answers[q] for q in queries])
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_a_comparison_is_decided_row_by_row(engine: str, shape: tuple[int, ...]) -> None:
    """Each row has the probabilities of the program in which its numbers stand, also under negation."""
    model = model_of(FEVER + "temperature(ann, t1). temperature(bob, t2).", engine)
    queries = ["flagged(ann)", "flagged(bob)", "hot(ann)", "hot(bob)", "ill", "safe(ann)", "safe(bob)"]
    inputs = {n: torch.tensor(v).reshape(shape) for n, v in zip(("t1", "t2"), TEMPERATURES.values(), strict=True)}
    found = model.query(queries, inputs)
    torch.testing.assert_close(found.probs, torch.tensor(row_by_row(FEVER, queries), dtype=torch.float64))


@pytest.mark.parametrize("engine", ENGINES)
def test_evidence_that_a_comparison_decides(engine: str) -> None:
    """Evidence conditions each row on what its numbers leave possible; a row without a world is named."""
    text = "0.2::fault. alarm(T) :- T > 5.0. alarm(T) :- fault. reading(t)."
    model = model_of(text + " seen :- reading(T), alarm(T).", engine)
    t = torch.tensor([4.0, 6.0])
    found = model.query("fault", {"t": t}, evidence={"seen": True})
    torch.testing.assert_close(found.probs[:, 0], torch.tensor([1.0, 0.2], dtype=torch.float64))
    with pytest.raises(errors.InconsistentEvidenceError, match="row 1"):
        model.query("fault", {"t": t}, evidence={"seen": False})


@pytest.mark.parametrize("engine", ENGINES)
def test_one_structure_for_all_batches(engine: str) -> None:
    """What is compiled depends on no number, on no batch size and on no input's name."""
    model = model_of("warm(T) :- T * 1.8 + 32 > 68.", engine)
    for name, rows in (("a", 2), ("a", 5), ("b", 3)):
        t = torch.linspace(10, 30, rows)
        assert model.query(f"warm({name})", {name: t}).probs[:, 0].tolist() == (t > 20).double().tolist()
    model.add_tensor_source("data", torch.tensor([15.0, 25.0]))
    assert model.query("warm(tensor(data(0)))").probs.item() == 0.0
    assert model.query("warm(tensor(data(1)))").probs.item() == 1.0
    info = model.cache_info()
    assert (info.built, info.memory) == (2, 1)  # one for names of inputs, one for items of a source


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("last", [(), (1,)])
def test_the_number_of_a_network(engine: str, last: tuple[int, ...]) -> None:
    """nn/3 gives [B] or [B, 1]; all persons are one call of the network."""
    calls: list[int] = []

    def thermometer(x: Tensor) -> Tensor:
        calls.append(len(x))
        return (36 + 4 * x[:, 0]).reshape(-1, *last)

    text = "nn(net, [X], T) :: temperature(X, T). fever(X) :- temperature(X, T), T >= 38."
    model = model_of(text, engine, net=thermometer)
    inputs = {"a": torch.tensor([[0.25], [0.5]]), "b": torch.tensor([[0.75], [0.0]])}
    assert model.query(["fever(a)", "fever(b)"], inputs).probs.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert calls == [4]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.float16, torch.float32, torch.float64])
def test_types_of_tensors(sign: str, kind: torch.dtype) -> None:
    """Integers and floats of any width are compared by value."""
    rows = torch.tensor([2, 3, 4], dtype=kind)
    found = model_of(f"p(T) :- T {sign} 3.").query("p(t)", {"t": rows}).probs[:, 0]
    assert found.tolist() == [float(SIGNS[sign](x, 3)) for x in (2, 3, 4)]


def test_truth_values_are_numbers() -> None:
    """True counts as 1, False as 0; a list of numbers is a tensor."""
    model = model_of("p(T) :- T + 1 > 1.")
    assert model.query("p(t)", {"t": torch.tensor([True, False])}).probs[:, 0].tolist() == [1.0, 0.0]
    assert model.query("p(t)", {"t": [0.5, 0.0]}).probs[:, 0].tolist() == [1.0, 0.0]


def test_numbers_of_the_program_have_the_tensors_type() -> None:
    """38.6 is 38.6, also where a tensor of float32 holds it."""
    for kind in (torch.float32, torch.float64):
        found = model_of("p(T) :- T >= 38.6, T =< 38.6.").query("p(t)", {"t": torch.tensor([38.6], dtype=kind)})
        assert found.probs.item() == 1.0


@pytest.mark.parametrize(
    ("value", "other", "equal"),
    [
        (0.3, 0.1 + 0.2, True),
        (1e-7, 0.0, True),
        (2e-6, 0.0, False),
        (1e9, 1e9 + 500, True),
        (1e9, 1e9 + 2_000, False),
        (math.inf, math.inf, True),
        (math.inf, 5.0, False),
        (math.inf, -math.inf, False),
    ],
)
def test_equality_has_a_tolerance(value: float, other: float, equal: bool) -> None:
    """=:= holds up to a millionth, of 1 or of the larger number."""
    inputs = {n: torch.tensor([x], dtype=torch.float64) for n, x in (("a", value), ("b", other))}
    found = model_of("same(A, B) :- A =:= B. other(A, B) :- A =\\= B.").query(["same(a, b)", "other(b, a)"], inputs)
    assert found.probs.tolist() == [[float(equal), float(not equal)]]


def test_equality_of_integers_is_exact() -> None:
    """Two large numbers of persons differ by one, also after arithmetic."""
    model = model_of("p(A) :- A =:= 10000001. q(A) :- B is A * 2 + 1, B =:= 20000003.")
    found = model.query(["p(a)", "q(a)"], {"a": torch.tensor([10_000_000, 10_000_001])})
    assert found.probs.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_a_comparison_and_its_complement_are_one_choice() -> None:
    """T > 3, 3 < T and the negation of T =< 3 are one atom, whatever way it is written."""
    text = "a(T) :- T > 3, p. a(T) :- T =< 3, p. b(T) :- 3 < T, q. b(T) :- 3 >= T, q. 0.5::p. 0.5::q."
    for engine in ENGINES:
        grounder = Grounder(Program.from_string(text), grounder=engine)  # type: ignore[arg-type]
        formula = grounder.ground([parse_goal("a(t)"), parse_goal("b(t)")], inputs=["t"])
        assert [str(c.values[0]) for c in formula.choices if isinstance(c.origin, Computed)] == ["t>3"]


@pytest.mark.parametrize("engine", ENGINES)
def test_arithmetic_gives_a_tensor(engine: str) -> None:
    """X is T * 2 + 1 binds X to what each row computes: to be compared, handed to a network, or answered."""
    text = """
    fahrenheit(C, F) :- F is C * 1.8 + 32.
    hot(C) :- fahrenheit(C, F), F > 100.
    nn(net, [X]) :: large(X).
    strange(C) :- fahrenheit(C, F), D is F - 90, large(D).
    P :: rain(C) :- P is C / 100.
    """
    model = model_of(text, engine, net=lambda x: x / 20)
    c = torch.tensor([35.0, 40.0], dtype=torch.float64, requires_grad=True)
    found = model.query(["hot(c)", "strange(c)", "rain(c)"], {"c": c})
    expected = torch.stack([c > 100 / 1.8 - 32 / 1.8, (c * 1.8 - 58) / 20, c / 100], dim=1)
    torch.testing.assert_close(found.probs, expected.double())
    (gradient,) = torch.autograd.grad(found.probs.sum(), c)
    torch.testing.assert_close(gradient, torch.full_like(c, 1.8 / 20 + 1 / 100))
    assert model.query("fahrenheit(c, F)", {"c": c.detach()}).terms == ("fahrenheit(c,tensor(c*1.8+32))",)


@pytest.mark.parametrize("engine", ENGINES)
def test_is_with_a_number_on_the_left_compares(engine: str) -> None:
    """7 is T + 1 asks whether it is; so does X is T where X is a tensor. An atom is no number."""
    text = "p(T) :- 7 is T + 1. q(A, B) :- X is A + 1, X is B. r(T) :- foo is T + 1. s(T) :- X is T, X is T."
    model = model_of(text, engine)
    inputs = {"a": torch.tensor([6.0, 5.0]), "b": torch.tensor([7.0, 7.0])}
    found = model.query(["p(a)", "q(a, b)", "r(a)", "s(a)"], inputs)
    assert found.probs.tolist() == [[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_may_have_the_name_of_a_number(engine: str) -> None:
    """An input called e or pi is the input, not the constant of that name."""
    model = model_of("p(T) :- T > 10. q :- e > 10. r :- pi > 3.", engine)
    found = model.query(["p(e)", "q", "r"], {"e": torch.tensor([2.0, 20.0])})
    assert found.probs.tolist() == [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]


def test_a_list_of_numbers() -> None:
    """Predicates of lists that are made of arithmetic work on tensors; so does findall/3, by ProbLog's engine."""
    text = """
    total([], 0). total([X|Xs], S) :- total(Xs, R), S is R + X.
    rich(L) :- total(L, S), S > 10.
    0.5::paid(a). 0.5::paid(b).
    many :- findall(X, paid(X), L), total(L, S), S > 5.
    """
    model = model_of(text)
    inputs = {"a": torch.tensor([3.0, 6.0]), "b": torch.tensor([4.0, 4.5])}
    assert model.query("rich([a, b, 1])", inputs).probs[:, 0].tolist() == [0.0, 1.0]
    assert model.query("many", inputs).probs[:, 0].tolist() == [0.25, 0.5]  # both; a, or both


def test_answers_collected_where_tensors_decide() -> None:
    """findall/3 collects in each row what holds there."""
    model = model_of("t(a). t(b). n(N) :- findall(X, (t(X), X >= 2), L), length(L, N).")
    found = model.query("n(N)", {"a": torch.tensor([1.0, 2.0, 2.0]), "b": torch.tensor([1.0, 1.0, 3.0])})
    assert found.to_dict(0) == {"n(0)": 1.0, "n(1)": 0.0, "n(2)": 0.0}
    assert found.argmax() == ["n(0)", "n(1)", "n(2)"]


AGGREGATES = [
    ("findall(T, t(_, T), L), sum_list(L, S)", lambda a, b: a + b + 38.0),
    ("findall(T, t(_, T), L), max_list(L, S)", lambda a, b: torch.maximum(a, b).clamp_min(38.0)),
    ("aggregate_all(sum(T), t(_, T), S)", lambda a, b: a + b + 38.0),
    ("aggregate_all(avg(T + 1), t(_, T), S)", lambda a, b: (a + b + 38.0) / 3 + 1),
    ("aggregate_all(min(T), t(_, T), S)", lambda a, b: torch.minimum(a, b).clamp_max(38.0)),
    ("aggregate_all(count, (t(_, T), T > 38.5), S)", lambda a, b: (a > 38.5).double() + (b > 38.5).double()),
]


@pytest.mark.parametrize(("goal", "value"), AGGREGATES, ids=[goal for goal, _ in AGGREGATES])
def test_aggregates_of_tensors(goal: str, value: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Sums, means and extremes of certain solutions are tensors; counts count what each row decides."""
    a = torch.tensor([38.25, 36.0, 39.0], dtype=torch.float64)
    b = torch.tensor([37.0, 40.5, 39.5], dtype=torch.float64)
    for limit in value(a, b).tolist():
        text = f"t(x, a). t(y, b). t(z, 38). p :- {goal}, S >= {limit}. q :- {goal.replace('S)', f'{limit})')}."
        found = model_of(text).query(["p", "q"], {"a": a, "b": b}).probs
        assert found[:, 0].tolist() == (value(a, b) >= limit).double().tolist()
        if "count" not in goal:
            assert found[:, 1].tolist() == ((value(a, b) - limit).abs() < 1e-3).double().tolist()


def test_aggregates_of_uncertain_tensors() -> None:
    """A sum over solutions that may not hold would be a tensor for each set of them."""
    model = model_of("0.5::t(a). t(b). p(S) :- aggregate_all(sum(T), t(T), S).")
    with pytest.raises(errors.NoValueError, match=r"p\.pl:1:26: aggregate_all/3 computes with the tensor [ab], and"):
        model.query("p(S)", {"a": torch.rand(2), "b": torch.rand(2)})


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_as_a_probability(engine: str) -> None:
    """P :: rain(X) takes its probability from an input that the body binds P to, beside numbers of the program."""
    text = "P :: rain(X); 0.25 :: snow(X) :- forecast(X, P). forecast(today, p). forecast(soon, 0.5)."
    model = model_of(text, engine)
    p = torch.tensor([0.125, 0.75], dtype=torch.float64, requires_grad=True)
    found = model.query(["rain(today)", "snow(today)", "rain(soon)"], {"p": p})
    assert found.probs.tolist() == [[0.125, 0.25, 0.5], [0.75, 0.25, 0.5]]
    (gradient,) = torch.autograd.grad(found["rain(today)"].sum(), p)
    assert gradient.tolist() == [1.0, 1.0]
    with pytest.raises(
        errors.NetworkOutputError, match=r"p\.pl:1:6: the probability 0\.9, 0\.25 of rain\(today\), .* in row 0"
    ):
        model.query("rain(today)", {"p": torch.tensor([0.9])})


NUMBERS = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 2))
LEAVES = st.sampled_from(["a", "b", "c"]) | NUMBERS.map(lambda x: f"({x})")


def _larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    infix = st.tuples(parts, st.sampled_from("+-*"), parts).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    divided = st.tuples(parts, st.floats(0.5, 4).map(lambda x: round(x, 2))).map(lambda p: f"({p[0]} / {p[1]})")
    named = st.tuples(st.sampled_from(["min", "max"]), parts, parts).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
    return infix | divided | named | parts.map(lambda p: f"abs({p})") | parts.map(lambda p: f"(- {p})")


EXPRESSIONS = st.recursive(LEAVES, _larger, max_leaves=6)


@given(
    st.sampled_from(ENGINES),
    EXPRESSIONS,
    st.sampled_from(["<", ">", "=<", ">="]),
    EXPRESSIONS,
    st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4),
)
def test_random_comparisons(engine: str, left: str, sign: str, right: str, rows: list[tuple[float, ...]]) -> None:
    """A comparison of any two expressions holds in the rows in which Python says so."""
    inputs = dict(zip("abc", torch.tensor(rows, dtype=torch.float64).unbind(1), strict=True))
    asked = re.sub(r"\b[abc]\b", lambda m: m[0].upper(), f"p(A, B, C) :- {left} {sign} {right}.")
    found = model_of(f"{asked} used(_, _, _).", engine).query("p(a, b, c)", inputs).probs[:, 0]
    names: dict[str, Any] = {"min": min, "max": max, "abs": abs}
    sides = [[eval(side, {**names, **dict(zip("abc", row, strict=True))}) for side in (left, right)] for row in rows]
    expected = [SIGNS[sign](*pair) for pair in sides]
    assert found.expand(len(rows)).tolist() == [float(holds) for holds in expected]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=4), st.data())
def test_random_programs_against_problog(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    """Rules over comparisons, facts and their negations: each row is ProbLog's program with its numbers."""
    literals = ["X > 10", "X >= Y", "X + Y < 0", "X =< 5", "2 * X > Y - 3"]
    clauses = []
    for _ in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.lists(st.sampled_from(literals), min_size=1, max_size=2, unique=True))
        signs = [data.draw(st.sampled_from(["", "\\+ "])) for _ in chosen]
        fact = data.draw(st.sampled_from(["f", "g", "\\+ f"]))
        clauses.append(f"q :- x(X), y(Y), {', '.join(s + c for s, c in zip(signs, chosen, strict=True))}, {fact}.")
    text = "0.3::f. 0.6::g. " + " ".join(clauses)
    engine = data.draw(st.sampled_from(ENGINES))
    inputs = {n: torch.tensor(c, dtype=torch.float64) for n, c in zip("ab", zip(*rows, strict=True), strict=True)}
    found = model_of(text + " x(a). y(b).", engine).query("q", inputs).probs[:, 0].expand(len(rows))
    expected = [problog_probabilities(f"{text} x({x}). y({y}). query(q).")["q"] for x, y in rows]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_many_queries_and_prepared_ones(tmp_path: Path) -> None:
    """query_many, a compiled query and one that is read from disk give the same answers."""
    text = "0.5::f. p(A, B) :- A > B, f. p(A, B) :- A + 1 < B."
    a, b = torch.tensor([1.0, 5.0, 3.0]), torch.tensor([4.0, 2.0, 3.0])
    expected = [1.0, 0.5, 0.0]
    model = Model(Program.from_string(text), cache=tmp_path)
    assert model.compile("p(a, b)", inputs=["a", "b"])(a=a, b=b).probs[:, 0].tolist() == expected
    rows = [Query("p(a, b)", {"a": a[i : i + 1], "b": b[i : i + 1]}) for i in range(3)]
    rows += [Query("p(x, 2)", {"x": a}), Query("p(x, y)", facts="", inputs={"x": b, "y": a})]
    found = [answers.probs[:, 0].tolist() for answers in model.query_many(rows)]
    assert found == [[1.0], [0.5], [0.0], [0.0, 0.5, 0.5], [0.5, 1.0, 0.0]]
    model.prepare([Query("p(c, d)", {"c": a, "d": b})], jobs=1)
    assert model.query("p(c, d)", {"c": a, "d": b}).probs[:, 0].tolist() == expected


def test_an_expression_of_several_groundings_is_computed_once() -> None:
    """All readings of one shape are compared in one step; numbers that all rows share have one row."""
    model = model_of(
        "hot(I) :- reading(I, T), limit(L), T > L. limit(l). " + " ".join(f"reading({i}, t{i})." for i in range(5))
    )
    inputs = {f"t{i}": torch.tensor([1.0, 2.0]) + i for i in range(5)}
    found = model.query("hot(I)", {**inputs, "l": torch.tensor([3.5])})
    assert found.probs.tolist() == [[0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0, 1.0]]


def test_derivations_of_comparisons() -> None:
    """Derivations show a comparison as the program writes it, and mean the same."""
    program = Program.from_string("0.5::f. p(T) :- T >= 3, X is T + 1, \\+ X > 9, 5 is T, f.")
    goal = parse_goal("p(t)")
    formula = Grounder(program).ground([goal], inputs=["t"], derivations=True)
    assert formula.derivations is not None
    assert any("t>=3" in str(reason) for reason in formula.derivations)
    plain = Grounder(program).ground([goal], inputs=["t"])
    assert [str(c.values[0]) for c in formula.choices] == [str(c.values[0]) for c in plain.choices]


def test_every_function_is_computed() -> None:
    """Grounding and computing know the same functions."""
    assert set(ROW_ARITHMETIC) == TENSOR_ARITHMETIC


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("T ** 2", 6.25), ("T ^ 2", 6.25), ("sqrt(T)", math.sqrt(2.5)), ("exp(T)", math.exp(2.5)), ("+ T", 2.5),
        ("log(T)", math.log(2.5)), ("2 ** 3 + T", 10.5), ("pi * T", math.pi * 2.5), ("1 / T", 0.4), ("abs(1 - T)", 1.5),
    ],
)  # fmt: skip
def test_functions_of_numbers(expression: str, value: float) -> None:
    """Each function is that of Python; parts without a tensor may be any arithmetic."""
    for engine in ENGINES:
        model = model_of(f"p(T) :- X is {expression}, X =:= {value}.", engine)
        found = model.query("p(t)", {"t": torch.tensor([2.5, 7.0])})
        assert found.probs[:, 0].tolist() == [1.0, 0.0]


NAN = torch.tensor([1.0, math.nan])
FAULTS: list[tuple[str, Any, type[Exception], str]] = [
    ("T > 38.5", torch.rand(2, 3), errors.InputError, r"p\.pl:1:11: t has the shape \[2, 3\], where arithmetic and "
     r"comparisons need one number a row, \[batch\] or \[batch, 1\]; tensor_index\(T, 0, X\) takes an entry"),
    ("T > 38.5", ["warm"], errors.InputError, r"p\.pl:1:11: t is 1 Python values \('warm'\), where"),
    ("T > 38.5", torch.tensor([1j]), errors.InputError, r"t has the shape \[1\] of torch.complex64, where"),
    ("T > 38.5", NAN, errors.InputError, r"p\.pl:1:11: t is NaN in row 1, which is neither above"),
    ("2 * T =:= 38.5", NAN, errors.InputError, r"t is NaN in row 1"),
    ("1 / T > 0", torch.tensor([1.0, 0.0]), errors.InputError, r"this arithmetic divides by zero in row 1, so that"),
    ("sqrt(T) > 0", torch.tensor([1.0, -1.0]), errors.InputError, r"p\.pl:1:17: .* is not defined in row 1"),
    ("X is log(T), X > 0", torch.tensor([-1.0]), errors.InputError, r"this arithmetic is not defined in row 0"),
    ("T > nan", torch.rand(2), errors.NoValueError, r"p\.pl:1:11: .*: nan is NaN, which is neither above nor below"),
    ("X is T + nan, X > 1", torch.rand(2), errors.NoValueError, r"p\.pl:1:11: .*nan is NaN"),
    ("T > inf - inf", torch.rand(2), errors.NoValueError, r"p\.pl:1:11: .*inf-inf is NaN"),
    ("T > foo", torch.rand(2), errors.NoValueError, r"p\.pl:1:11: this arithmetic has no value: foo is no number"),
    ("sin(T) > 0", torch.rand(2), errors.NoValueError,
     r"p\.pl:1:16: .*: sin\(t\) is no arithmetic of tensors, which has \*, \*\*, \+, .*nn/3"),
    ("[T] > 0", torch.rand(2), errors.NoValueError, r"p\.pl:1:13: .*: \[t\] is a list, no number"),
    ("T + X > 1, X = 1", torch.rand(2), errors.NoValueError, r"p\.pl:1:15: .*: X is not bound when it is reached"),
    ("X is (T < 3), X > 1", torch.rand(2), errors.NoValueError, r"t<3 is no arithmetic of tensors"),
    ("subquery(T > 3, P), P > 0.5", torch.rand(2), errors.UnsupportedConstructError, "subquery/2 makes a number of"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "value", "error", "message"), FAULTS, ids=[f"{i} {fault[0]}" for i, fault in enumerate(FAULTS)]
)
def test_faults_are_named(body: str, value: Any, error: type[Exception], message: str) -> None:
    """What is no number says so, with its place and its row."""
    for engine in ("auto", "problog"):
        with pytest.raises(error, match=message):
            model_of(f"p(T) :- {body}.", engine).query("p(t)", {"t": value})


def test_the_row_of_one_of_several_readings() -> None:
    """Readings are compared together; a fault names the reading and its own row."""
    model = model_of("p(T) :- T > 3. q :- p(a), p(b).")
    with pytest.raises(errors.InputError, match="b is NaN in row 1"):
        model.query("q", {"a": torch.rand(3), "b": torch.tensor([1.0, math.nan, 2.0])})


def test_a_network_that_gives_no_number() -> None:
    """The output of nn/3 is named by its network."""
    model = model_of("nn(net, [X], T) :: t(X, T). p(X) :- t(X, T), T > 3.", net=nn.Identity())
    with pytest.raises(
        errors.NetworkOutputError, match=r"tensor\(nn\(net,\[x\]\)\) has the shape \[2, 2\], where arithmetic"
    ):
        model.query("p(x)", {"x": torch.rand(2, 2)})
    with pytest.raises(errors.NetworkOutputError, match=r"tensor\(nn\(net,\[x\]\)\) is NaN in row 0"):
        model.query("p(x)", {"x": torch.tensor([math.nan])})


@pytest.mark.parametrize("engine", ENGINES)
def test_plain_numbers_stay_as_they_are(engine: str) -> None:
    """Where no tensor stands on either side arithmetic is Prolog's: exact, decided while the program is ground."""
    text = "p(X) :- X > 2, X =:= 3.0. q(Y) :- Y is 2 + 3. r :- 0.1 + 0.2 =:= 0.3. n(1). n(3). s(X) :- n(X), p(X)."
    model = model_of(text, engine)
    assert model.query(["s(X)", "q(Y)"]).to_dict() == {"q(5)": 1.0, "s(3)": 1.0}
    assert model.query("r").probs.item() == 0.0


def test_ground_takes_the_names_of_inputs() -> None:
    """deepplp.ground, without a model, is told which constants are tensors."""
    program = Program.from_string("p(T) :- T > 3.")
    formula = deepplp.ground(program, "p(t)", inputs=["t"])
    assert [str(t) for c in formula.choices for t in c.origin.tensors] == ["tensor(3<t)"]  # type: ignore[union-attr]
    with pytest.raises(errors.NoValueError, match="t is no number"):
        deepplp.ground(program, "p(t)")


def test_all_signs_between_two_inputs() -> None:
    """Each of the six comparisons of two columns, in all orders of their numbers."""
    pairs = list(itertools.product([1.0, 2.0, 3.0], repeat=2))
    inputs = {n: torch.tensor(c) for n, c in zip("ab", zip(*pairs, strict=True), strict=True)}
    for sign, function in SIGNS.items():
        found = model_of(f"p(A, B) :- A {sign} B.").query("p(a, b)", inputs).probs[:, 0]
        assert found.tolist() == [float(function(a, b)) for a, b in pairs], sign


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("queries", [["first", "q(a)"], ["q(a)", "first"]])
def test_what_is_bound_by_is_does_not_depend_on_the_order(engine: str, queries: list[str]) -> None:
    """``X is T`` compares where X is bound, and binds where it is free: the one's answers are not the other's."""
    text = """
    in(1, a). in(2, b). 0.5::f. 0.25::g.
    q(X) :- in(1, T), X is T, f. q(X) :- in(2, T), X is T, g. first :- q(_).
    """
    model = Model(Program.from_string(text), cache=False, grounder=engine)  # type: ignore[arg-type]
    found = model.query(queries, {"a": torch.tensor([1.0, 1.0]), "b": torch.tensor([1.0, 2.0])})
    assert found.probs[:, found.terms.index("q(a)")].tolist() == [0.625, 0.5]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tensor_term_without_tensors_is_a_number(engine: str) -> None:
    """``tensor(1 + 2)`` holds no input, and has one row."""
    program = Program.from_string("p(T) :- T > 2. q :- T = tensor(1+2), T > 4.")
    model = Model(program, cache=False, grounder=engine)  # type: ignore[arg-type]
    assert model.query(["p(tensor(1+2))", "q"]).probs.tolist() == [[1.0, 0.0]]


def test_arithmetic_that_is_undefined_at_the_start() -> None:
    """A plain answer refuses NaN, as a model does, rather than to take a comparison with it for false."""
    text = "p :- X is param(a, 1) * 1e308 * 1e308, Y is X - X, Y > 2. query(p)."
    with pytest.raises(errors.DeepPLPError, match=r"NaN|not defined"):
        probabilities(Program.from_string(text))
    with pytest.raises(errors.InputError, match="not defined"):
        Model(Program.from_string(text), cache=False).query()
