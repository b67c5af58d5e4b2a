"""above/3, below/3 and near/3: comparisons that hold with a probability, through which gradients flow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from deepplp import Model, Program, Query, errors
from deepplp.grounding import Grounder
from deepplp.program import parse_goal
from deepplp.queries.encoding import decoded, encoded
from deepplp.queries.header import Header
from tests.oracles import central_differences, problog_probabilities

ENGINES = ("tabled", "problog")
VALUES = [36.0, 38.25, 38.5, 41.0]


def model_of(text: str, engine: str = "auto", **networks: Any) -> Model:
    """A model of a program's text, which keeps nothing on disk."""
    return Model(Program.from_string(text, "p.pl"), networks, cache=False, grounder=engine)  # type: ignore[arg-type]


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.int64])
def test_probabilities(engine: str, kind: torch.dtype) -> None:
    """above is a sigmoid of the distance in widths, below what that leaves of 1, near a bell of height 1."""
    text = "a(T) :- above(T, 38.5, 0.5). b(T) :- below(T, 38.5, 0.5). n(T) :- near(T, 38.5, 0.5)."
    t = torch.tensor(VALUES).to(kind)
    found = model_of(text, engine).query(["a(t)", "b(t)", "n(t)"], {"t": t}).probs
    z = [(x - 38.5) / 0.5 for x in t.tolist()]
    expected = [[sigmoid(x), sigmoid(-x), math.exp(-x * x / 2)] for x in z]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_programs_with_facts(engine: str) -> None:
    """In each row a soft comparison is a probabilistic fact, one for the same arguments, also given evidence."""
    rules = """
    ill(T) :- fever(T). ill(T) :- near(T, 36, 2), \\+fever(T).
    fever(T) :- above(T, 38.5, 0.5). well(T) :- \\+fever(T), below(T, 38.5, 0.5).
    odd(T) :- above(T, 38.5, 0.5), below(T, 38.5, 0.5).
    """
    queries = ["ill(t)", "well(t)", "odd(t)"]
    evidence = {"sick": True}
    text = rules + "sick :- ill(t). sick :- c. 0.1::c."
    found = model_of(text, engine).query(queries, {"t": torch.tensor(VALUES, dtype=torch.float64)}, evidence=evidence)
    expected = []
    for x in VALUES:
        z, n = (x - 38.5) / 0.5, (x - 36) / 2
        facts = f"{sigmoid(z)}::above. {math.exp(-n * n / 2)}::near. "
        plain = rules.replace("above(T, 38.5, 0.5)", "above").replace("below(T, 38.5, 0.5)", "\\+above")
        plain = plain.replace("near(T, 36, 2)", "near") + facts + "sick :- ill(t). sick :- c. 0.1::c. evidence(sick). "
        answers = problog_probabilities(plain + " ".join(f"query({q})." for q in queries))
        expected.append([answers[q] for q in queries])
    torch.testing.assert_close(found.probs, torch.tensor(expected, dtype=torch.float64), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("goal", ["above(T, V, W)", "below(T, V, W)", "near(T, V, W)", "above(2 * T, V + 1, W * W)"])
@pytest.mark.parametrize("sign", ["", "\\+ "])
def test_gradients_by_finite_differences(goal: str, sign: str) -> None:
    """Gradients of the log-probability flow to the value, the threshold and the width."""
    model = model_of(f"p(T, V, W) :- {sign}{goal}, f. 0.4::f. q(T, V, W) :- p(T, V, W). q(T, V, W) :- {goal}.")
    start = np.array([[1.3, 0.7, 0.5], [-0.4, 0.2, 1.7]])

    def loss(x: torch.Tensor) -> torch.Tensor:
        inputs = dict(zip("tvw", x.unbind(1), strict=True))
        return model.query(["p(t, v, w)", "q(t, v, w)"], inputs).log_probs.sum()

    x = torch.tensor(start, requires_grad=True)
    (ours,) = torch.autograd.grad(loss(x), x)
    expected = central_differences(lambda y: float(loss(torch.tensor(y))), start)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-6, atol=1e-8)


def test_gradients_reach_the_network() -> None:
    """The number of an nn/3 network is learnt through a soft comparison, the output [B, 1] in float32."""
    torch.manual_seed(0)
    net = nn.Linear(2, 1)
    model = model_of("nn(net, [X], T) :: heat(X, T). hot(X) :- heat(X, T), above(T, 0.5, 0.25).", net=net)
    x = torch.rand(8, 2)
    loss = -model.query("hot(x)", {"x": x}).log_probs.mean()
    (ours,) = torch.autograd.grad(loss, net.weight)
    by_hand = -nn.functional.logsigmoid((net(x) - 0.5) / 0.25).mean()
    (expected,) = torch.autograd.grad(by_hand, net.weight)
    torch.testing.assert_close(ours, expected)


def test_far_from_the_threshold() -> None:
    """The probability of what is next to impossible is no 0: its logarithm and its gradient are right."""
    t = torch.tensor([100.0, 600.0], dtype=torch.float64, requires_grad=True)
    found = model_of("cold(T) :- below(T, 0, 1).").query("cold(t)", {"t": t}).log_probs
    torch.testing.assert_close(found[:, 0], -t)
    found.sum().backward()
    torch.testing.assert_close(t.grad, torch.tensor([-1.0, -1.0], dtype=torch.float64))
    t = torch.tensor([1e-6], dtype=torch.float64)
    far = model_of("far(T) :- \\+near(T, 0, 1).").query("far(t)", {"t": t}).probs
    torch.testing.assert_close(far, torch.tensor([[5e-13]], dtype=torch.float64), rtol=1e-9, atol=0)


@pytest.mark.parametrize("engine", ENGINES)
def test_plain_numbers(engine: str) -> None:
    """Of numbers of the program the probability is a number, too; facts and lists may bind them."""
    text = "t(ann, 39.0). t(bob, 38.0). p(X) :- t(X, T), above(T, 38.5, 0.5). b(X) :- t(X, T), below(T, 38.5, 0.5)."
    found = model_of(text + " n :- near(1, 2, 1).", engine).query(["p(X)", "b(X)", "n"]).to_dict()
    expected = {"p(ann)": sigmoid(1), "p(bob)": sigmoid(-1), "b(ann)": sigmoid(-1), "b(bob)": sigmoid(1)}
    assert found == pytest.approx({**expected, "n": math.exp(-0.5)})


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_arguments_are_one_choice(engine: str) -> None:
    """Two thresholds are two choices, the same one twice is one; below is the negation of above."""
    text = "a :- above(0, 0, 1), above(0, 0, 1). b :- above(0, 0, 1), above(0, 0, 2). c :- below(0, 0, 1), a."
    model = model_of(text, engine)
    assert model.query(["a", "b", "c"]).probs.tolist() == [[0.5, 0.25, 0.0]]


def test_one_structure_for_all_batches() -> None:
    """Neither the numbers nor the inputs' names change what is compiled; several queries share a batch."""
    model = model_of("p(T) :- above(T, 1, 1).")
    found = [model.query(f"p({n})", {n: torch.rand(rows)}).probs.shape for n, rows in (("a", 2), ("a", 3), ("b", 1))]
    assert found == [(2, 1), (3, 1), (1, 1)]
    assert model.cache_info().built == 1
    many = model.query_many([Query("p(a)", {"a": torch.tensor([x])}) for x in (0.0, 1.0, 2.0)])
    assert [float(a.probs) for a in many] == pytest.approx([sigmoid(-1), 0.5, sigmoid(1)])


def test_a_compiled_query_as_json() -> None:
    """What is stored has both probabilities of a soft comparison."""
    program = Program.from_string("p(T) :- above(T, 1, 1), T > 3.")
    header = Header.of(Grounder(program).ground([parse_goal("p(t)")], inputs=["t"]), [])
    assert decoded(encoded(header, program), program).choices == header.choices


def test_a_programs_own_predicates() -> None:
    """A program that defines near/3 itself keeps it."""
    model = model_of("near(a, b, 1). p(X) :- near(X, b, _).")
    assert model.query("p(X)").terms == ("p(a)",)


@given(
    st.sampled_from(ENGINES),
    st.sampled_from(["above", "below", "near"]),
    st.tuples(*[st.floats(-5, 5)] * 2, st.floats(0.1, 5)),
    st.booleans(),
)
def test_random_soft_comparisons(engine: str, name: str, numbers: tuple[float, float, float], written: bool) -> None:
    """Numbers that stand in the program and numbers that are inputs have the same probability."""
    z = (numbers[0] - numbers[1]) / numbers[2]
    expected = {"above": sigmoid(z), "below": sigmoid(-z), "near": math.exp(-z * z / 2)}[name]
    if written:
        found = model_of(f"p :- {name}({', '.join(map(repr, numbers))}).", engine).query("p")
    else:
        inputs = {n: torch.tensor([x], dtype=torch.float64) for n, x in zip("tvw", numbers, strict=True)}
        found = model_of(f"p(T, V, W) :- {name}(T, V, W).", engine).query("p(t, v, w)", inputs)
    assert float(found.probs) == pytest.approx(expected, rel=1e-9, abs=1e-300)


ROWS = torch.tensor([1.0, 2.0])
NAN = torch.tensor([1.0, math.nan])
FAULTS: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("above(t, 3, 0)", {"t": ROWS}, errors.GroundingError, r"p\.pl:1:6: the width 0 of above\(t,3,0\) must be a number "
     r"above 0: .*; without one, compare: T > Threshold"),
    ("near(t, 3, -1)", {"t": ROWS}, errors.GroundingError, r"the width -1 of near\(t,3,-1\) must be"),
    ("below(t, 3, inf)", {"t": ROWS}, errors.GroundingError, r"the width inf of below\(t,3,inf\) must be"),
    ("above(1, 3, 0)", {}, errors.GroundingError, r"the width 0 of above\(1,3,0\) must be"),
    ("above(t, nan, 1)", {"t": ROWS}, errors.NoValueError, r"p\.pl:1:6: .*nan is NaN, which is neither above"),
    ("above(t, 3, nan)", {"t": ROWS}, errors.NoValueError, r"nan is NaN"),
    ("above(t, foo, 1)", {"t": ROWS}, errors.NoValueError, r"p\.pl:1:6: .*foo is no number"),
    ("above(X, 3, 1)", {}, errors.NonGroundError, r"p\.pl:1:6: argument 1 of above/3 is not bound when it is reached"),
    ("above(t, 3, w)", {"t": ROWS, "w": torch.tensor([1.0, 0.0])}, errors.InputError,
     r"p\.pl:1:6: this goal has the width 0 in row 1; a width is a finite number above 0"),
    ("near(t, 3, w)", {"t": ROWS, "w": torch.tensor([-1.0])}, errors.InputError, r"goal has the width -1 in row 0"),
    ("above(t, v, 1)", {"t": ROWS, "v": NAN}, errors.InputError, r"p\.pl:1:6: v is NaN in row"),
    ("above(t, 3, 1)", {"t": torch.rand(2, 3)}, errors.InputError, r"p\.pl:1:6: t has the shape \[2, 3\], where"),
    ("above(t, 3, 1)", {"t": ["a", "b"]}, errors.InputError, r"t is 2 Python values \('a', 'b'\), where"),
    ("above(t, 3)", {"t": ROWS}, errors.UnknownPredicateError, r"no clauses for above/2; did you mean above/3\?"),
    ("subquery(above(t, 3, 1), P), P > 0.5", {"t": ROWS}, errors.UnsupportedConstructError, "subquery/2 makes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("goal", "inputs", "error", "message"), FAULTS, ids=[f"{i} {f[0]}" for i, f in enumerate(FAULTS)]
)
def test_faults_are_named(goal: str, inputs: dict[str, Any], error: type[Exception], message: str) -> None:
    """What is no number, threshold or width says so, with its place."""
    for engine in ("auto", "problog"):
        with pytest.raises(error, match=message):
            model_of(f"p :- {goal}.", engine).query("p", inputs)
