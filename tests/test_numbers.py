"""Numbers at the edge: very small, exactly 0, exactly 1. Expected values come from the mathematics."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import deepplp
from deepplp import errors
from deepplp.circuit import Circuit, Plan, bind
from deepplp.compilation import compile_formula
from deepplp.evaluation import evaluate, evaluate_reference
from deepplp.formula import And, Atom, Formula, Goal, Node, Or
from deepplp.program import Program
from tests.formulas import NOTHING, chain, conjunction, random_weights, uniform

Evaluate = Callable[..., tuple[torch.Tensor, torch.Tensor]]
both_ways = pytest.mark.parametrize("function", [evaluate, evaluate_reference], ids=["kernel", "reference"])


def facts(*probabilities: float) -> torch.Tensor:
    """One row of weights: p and 1 - p for each fact."""
    return torch.tensor([[x for p in probabilities for x in (p, 1 - p)]], dtype=torch.float64)


@both_ways
@pytest.mark.parametrize("p", [0.999, 1e-30, 1e-300])
def test_conjunction_of_5000_facts(p: float, function: Evaluate) -> None:
    """5,000 facts of probability p hold together with log-probability 5000 log p, and derivative 1/p by each."""
    plan = bind(compile_formula(conjunction(5000)))
    weights = facts(*[p] * 5000).requires_grad_()
    log_probs, probs = function(plan, weights, NOTHING)
    assert float(log_probs.detach()) == pytest.approx(5000 * math.log(p), rel=1e-13)
    assert float(probs.detach()) == pytest.approx(p**5000, rel=1e-10, abs=0)
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    torch.testing.assert_close(gradient[0, ::2], torch.full((5000,), 1 / p, dtype=torch.float64), rtol=1e-9, atol=0)
    assert (gradient[0, 1::2] == 0).all()


@both_ways
def test_shared_weights_that_underflow(function: Evaluate) -> None:
    """Small weights that all rows share, and one weight a row: sums over the batch of gradients are right."""
    n = 40
    circuit = compile_formula(conjunction(n))
    column_map = np.array([0, 1, *(-c - 1 for c in range(2 * n - 2))], dtype=np.int64)
    plan = bind(circuit, column_map, [2])
    batched = torch.tensor([[0.5, 0.5], [1e-200, 1.0], [1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    shared = facts(*[1e-30] * (n - 1))[0].requires_grad_()
    log_probs, _ = function(plan, batched, shared)
    rest = (n - 1) * math.log(1e-30)
    assert log_probs[:, 0].tolist() == pytest.approx([math.log(0.5) + rest, math.log(1e-200) + rest, rest], rel=1e-13)
    by_batched, by_shared = torch.autograd.grad(log_probs.sum(), (batched, shared))
    assert by_batched[:, 0].tolist() == pytest.approx([2.0, 1e200, 1.0], rel=1e-10)
    torch.testing.assert_close(by_shared[::2], torch.full((n - 1,), 3e30, dtype=torch.float64), rtol=1e-10, atol=0)


def observed_chain(n: int) -> tuple[Circuit, torch.Tensor]:
    """The n-digit chain for two uniform numbers whose sum is observed to be 99…9: ten pairs a digit, no carry."""
    circuit = compile_formula(chain(n))
    weights = torch.full((1, circuit.columns), 0.1, dtype=torch.float64)
    digits = weights.view(3 * n + 1, 10)
    digits[2::3] = torch.nn.functional.one_hot(torch.tensor(9), 10).double()
    digits[3 * n] = torch.nn.functional.one_hot(torch.tensor(0), 10).double()
    return circuit, weights


@both_ways
def test_sum_of_300_digits(function: Evaluate) -> None:
    """A sum of 300 observed digits has log-probability -300 log 10, and by every digit's value the derivative 1."""
    n = 300
    circuit, weights = observed_chain(n)
    weights.requires_grad_()
    log_probs, probs = function(bind(circuit), weights, NOTHING)
    assert float(log_probs.detach()) == pytest.approx(-n * math.log(10), rel=1e-13)
    assert float(probs.detach()) == pytest.approx(10.0**-300, rel=1e-10, abs=0)
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    by_digit = gradient.view(3 * n + 1, 10)
    # d log P / d P(x = v) is the posterior of v, 1/10, divided by its weight, 1/10.
    torch.testing.assert_close(by_digit[0::3][:n], torch.ones(n, 10, dtype=torch.float64), rtol=1e-9, atol=0)
    torch.testing.assert_close(by_digit[1::3], torch.ones(n, 10, dtype=torch.float64), rtol=1e-9, atol=0)
    assert torch.isfinite(gradient).all()


def test_rows_that_underflow_leave_others_alone() -> None:
    """Only the rows that underflow are evaluated anew: the others keep their bits, values and gradients alike."""
    circuit = compile_formula(chain(3))
    plan = bind(circuit)
    weights = random_weights(circuit, 50)
    mixed = weights.clone()
    mixed[::7] *= 1e-100
    rows = torch.arange(50) % 7 != 0

    def run(w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        w = w.clone().requires_grad_()
        log_probs, _ = evaluate(plan, w, NOTHING)
        return log_probs.detach(), torch.autograd.grad(log_probs.sum(), w)[0]

    (values, gradients), (mixed_values, mixed_gradients) = run(weights), run(mixed)
    assert torch.equal(values[rows], mixed_values[rows])
    assert torch.equal(gradients[rows], mixed_gradients[rows])
    # Ten choices, each read once: P scales with the tenth power, and the gradient of log P with the inverse.
    torch.testing.assert_close(mixed_values[~rows], values[~rows] + 10 * math.log(1e-100))
    torch.testing.assert_close(mixed_gradients[~rows] * 1e-100, gradients[~rows], rtol=1e-10, atol=1e-12)


@given(st.lists(st.floats(-320, 0), min_size=2, max_size=6), st.booleans())
def test_the_two_number_formats_meet(exponents: list[float], swap: bool) -> None:
    """A conjunction's log-probability is the sum of logarithms on either side of where float64 ends."""
    n = len(exponents)
    p = [10.0**e for e in exponents]
    weights = facts(*(p[::-1] if swap else p)).requires_grad_()
    expected = math.fsum(map(math.log, p))
    for function in (evaluate, evaluate_reference):
        log_probs, _ = function(bind(compile_formula(conjunction(n))), weights, NOTHING)
        assert float(log_probs.detach()) == pytest.approx(expected, rel=1e-13, abs=1e-14)
        (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
        elasticities = gradient[0, ::2] * weights.detach()[0, ::2]
        normal = weights.detach()[0, ::2] > 1e-307  # derivatives by smaller weights are beyond float64
        torch.testing.assert_close(elasticities[normal], torch.ones_like(elasticities)[normal], rtol=1e-12, atol=0)
        assert not torch.isnan(gradient).any()


@both_ways
def test_zero_is_not_underflow(function: Evaluate) -> None:
    """1e-200 * 1e-200 is a small number whose logarithm is finite; 0 * 1e-200 is 0 and its logarithm -inf."""
    plan = bind(compile_formula(conjunction(2)))
    weights = torch.cat([facts(1e-200, 1e-200), facts(0.0, 1e-200), facts(5e-324, 5e-324)]).requires_grad_()
    log_probs, probs = function(plan, weights, NOTHING)
    assert log_probs[:, 0].tolist() == pytest.approx([2 * math.log(1e-200), -math.inf, 2 * math.log(5e-324)], rel=1e-13)
    assert probs[:, 0].tolist() == [0.0, 0.0, 0.0]
    (by_log,) = torch.autograd.grad(log_probs.sum(), weights, retain_graph=True)
    assert by_log[0].tolist() == pytest.approx([1e200, 0.0, 1e200, 0.0], rel=1e-12)
    assert by_log[1].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert (by_log[2] >= torch.tensor([1e300, 0.0, 1e300, 0.0], dtype=torch.float64)).all(), (
        "1 / 5e-324 is beyond float64"
    )
    (by_prob,) = torch.autograd.grad(probs.sum(), weights)
    assert by_prob[1].tolist() == [1e-200, 0.0, 0.0, 0.0]


@both_ways
def test_derivatives_at_zero_among_small_numbers(function: Evaluate) -> None:
    """Where a weight is 0, its derivative is what stands beside it, however small or large that is in comparison."""
    # q: (a and b) or (c and d and not a), so that P(q) = a b + (1 - a) c d.
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(4)), And((2, 3)), And((4, 5, -2)), Or((6, 7))]
    plan = bind(compile_formula(Formula((uniform(2),) * 4, tuple(nodes), (Goal("q", 8),))))
    a, b, c, d = 0.0, 0.3, 1e-200, 1e-150
    weights = facts(a, b, c, d).requires_grad_()
    log_probs, _ = function(plan, weights, NOTHING)
    assert float(log_probs.detach()) == pytest.approx(math.log(c) + math.log(d), rel=1e-13)
    (by_log,) = torch.autograd.grad(log_probs.sum(), weights)
    assert by_log[0, 1] == pytest.approx(1.0, rel=1e-12)
    assert by_log[0, [4, 6]].tolist() == pytest.approx([1 / c, 1 / d], rel=1e-12)
    assert by_log[0, 0] > 1e250, "b / P(q) is 3e349"
    assert torch.isfinite(by_log).all()


def test_derivatives_of_probabilities_that_underflow() -> None:
    """A probability of 1e-350 is 0 as a number, but its derivatives are not: a b + (1 - a) c d has b by a."""
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(4)), And((2, 3)), And((4, 5, -2)), Or((6, 7))]
    plan = bind(compile_formula(Formula((uniform(2),) * 4, tuple(nodes), (Goal("q", 8),))))
    weights = facts(0.0, 0.3, 1e-200, 1e-150).requires_grad_()
    _, probs = evaluate(plan, weights, NOTHING)
    assert float(probs.detach()) == 0.0
    (gradient,) = torch.autograd.grad(probs.sum(), weights)
    assert gradient[0].tolist() == pytest.approx([0.3, 0.0, 0.0, 0.0, 1e-150, 0.0, 1e-200, 0.0], rel=1e-12)


@both_ways
def test_certain_and_impossible_weights(function: Evaluate) -> None:
    """With every digit certain, derivatives of the impossible and of the certain sum are those of differences."""
    circuit = compile_formula(chain(1))
    plan = bind(circuit)
    # x = 1, y = 1, and the label is 12 or 02.
    digits = torch.zeros(2, 4, 10, dtype=torch.float64)
    digits[:, 0, 1] = digits[:, 1, 1] = digits[:, 2, 2] = 1.0
    digits[0, 3, 1] = digits[1, 3, 0] = 1.0
    weights = digits.reshape(2, 40).requires_grad_()
    log_probs, probs = function(plan, weights, NOTHING)
    assert probs[:, 0].tolist() == [0.0, 1.0]
    assert log_probs[:, 0].tolist() == [-math.inf, 0.0]
    (by_log,) = torch.autograd.grad(log_probs.sum(), weights, retain_graph=True)
    assert (by_log[0] == 0).all()
    (by_prob,) = torch.autograd.grad(probs.sum(), weights)
    torch.testing.assert_close(by_prob[1], by_log[1])
    step = 2.0**-20
    for c in range(40):
        moved = weights.detach().clone()
        moved[:, c] += step
        difference = (function(plan, moved, NOTHING)[1] - probs.detach())[:, 0] / step
        assert by_prob[:, c].tolist() == pytest.approx(difference.tolist(), abs=1e-12)
    # Row 0 would hold if the carry were 0, and by nothing else; row 1 rests on its four choices.
    assert by_prob[0].nonzero().flatten().tolist() == [30]
    assert by_prob[1, [1, 11, 22, 30]].tolist() == [1.0, 1.0, 1.0, 1.0]


@both_ways
@pytest.mark.parametrize("p", [1e-3, 1e-30])
def test_conditional_log_probabilities_keep_their_digits(p: float, function: Evaluate) -> None:
    """log P(q | e) near 0 is exact, though P(e) and P(q, e) are both about p ** 1000."""
    n = 1000
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(n + 1)), And(tuple(range(2, n + 2)))]
    formula = Formula((uniform(2),) * (n + 1), tuple(nodes), (Goal("last", n + 2),), (Goal("all others", n + 3),))
    weights = facts(*[p] * n, 1 - 1e-9).requires_grad_()
    log_probs, probs = function(bind(compile_formula(formula)), weights, NOTHING)
    assert float(log_probs.detach()) == pytest.approx(math.log(1 - 1e-9), rel=1e-6)
    assert float(probs.detach()) == pytest.approx(1 - 1e-9, rel=1e-15)
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    assert gradient[0, -2] == pytest.approx(1 / (1 - 1e-9), rel=1e-12)
    # The others stand in both; what rounding leaves is small beside 1 / p.
    assert float((gradient[0, :-2:2] * p).abs().max()) < 1e-10


def test_small_values_are_not_clamped() -> None:
    """Sums of 2e-8 and products of 1 - 1e-8 come out right."""
    text = "0.00000001::a. 0.00000001::b. either :- a. either :- b. neither :- \\+a, \\+b."
    found = deepplp.Model(Program.from_string(text)).query(["either", "neither"])
    assert float(found.probs[0, 0]) == pytest.approx(2e-8 - 1e-16, rel=1e-15)
    assert float(found.probs[0, 1]) == pytest.approx((1 - 1e-8) ** 2, rel=1e-15)
    assert float(found.log_probs[0, 1]) == pytest.approx(2 * math.log1p(-1e-8), rel=1e-7)


@pytest.mark.parametrize("logit", [0.0, 3.0, 30.0, 300.0])
def test_complements_are_never_one_minus_p(logit: float) -> None:
    """Of a logit of 30 both sides keep their digits: P(yes) and P(no) = 9e-14, by nn/2 and as the others of nn/4."""
    program = Program.from_string(
        "nn(yes, [X]) :: yes(X). no(X) :- \\+yes(X)."
        " nn(pick, [X], Y, [0, 1, 2]) :: pick(X, Y). other(X) :- \\+pick(X, 0)."
    )
    networks = {
        "yes": deepplp.Network(lambda x: x, "logits"),
        "pick": deepplp.Network(lambda x: torch.cat([x, 0 * x, 0 * x], dim=1), "logits"),
    }
    found = deepplp.Model(program, networks).query(
        ["yes(a)", "no(a)", "other(a)"], {"a": torch.tensor([[logit]], dtype=torch.float64)}
    )
    small = math.exp(-logit)
    expected = [1 / (1 + small), small / (1 + small), 2 * small / (1 + 2 * small)]
    assert found.probs[0].tolist() == pytest.approx(expected, rel=1e-14)
    assert found.log_probs[0].tolist() == pytest.approx([math.log(p) for p in expected], rel=1e-12, abs=1e-300)


def test_complements_of_log_probabilities() -> None:
    """What a log-probability next to 0 leaves keeps its digits, too."""
    program = Program.from_string("nn(yes, [X]) :: yes(X). no(X) :- \\+yes(X).")
    model = deepplp.Model(program, {"yes": deepplp.Network(lambda x: x, "log_probabilities")})
    raw = torch.tensor([[-1e-20], [-1e-5], [-3.0]], dtype=torch.float64)
    expected = [-math.expm1(x) for x in raw[:, 0].tolist()]
    assert model.query("no(a)", {"a": raw}).probs[:, 0].tolist() == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize("output", ["probabilities", "logits", "log_probabilities"])
def test_a_certain_network_gets_no_nan(output: deepplp.neural.network.Output) -> None:
    """Where a network excludes the target, the loss is infinite, and no gradient in the batch is NaN."""
    program = Program.from_string("nn(net, [X], Y, [0..2]) :: d(X, Y). s(Z) :- d(a, A), d(b, B), Z is A + B.")
    probabilities = torch.tensor([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]], dtype=torch.float64)
    raw = probabilities if output == "probabilities" else probabilities.log()
    raw = raw.requires_grad_()
    model = deepplp.Model(program, {"net": deepplp.Network(lambda x: x, output)})
    found = model.query("s(Z)", {"a": raw, "b": raw})
    loss = -found.log_prob(torch.tensor([3, 3]))
    assert loss.tolist() == pytest.approx([math.inf, -math.log(0.3)])
    (gradient,) = torch.autograd.grad(loss.sum(), raw)
    assert (gradient[0] == 0).all()
    assert torch.isfinite(gradient).all()
    if output == "probabilities":  # P = 2 p1 p2
        assert gradient[1].tolist() == pytest.approx([0.0, -1 / 0.3, -1 / 0.5])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_small_formats_are_float64_inside(dtype: torch.dtype) -> None:
    """A product far below the range of the weights' format still has its logarithm, and gradients in that format."""
    n = 50
    plan = bind(compile_formula(conjunction(n)))
    weights = torch.tensor([[0.0078125, 0.9921875] * n], dtype=dtype, requires_grad=True)  # 2 ** -7
    log_probs, probs = evaluate(plan, weights, NOTHING)
    assert log_probs.dtype == probs.dtype == dtype
    assert float(log_probs.detach()) == pytest.approx(-7 * n * math.log(2), rel=2 * torch.finfo(dtype).eps)
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    assert gradient.dtype == dtype
    assert gradient[0, ::2].tolist() == [128.0] * n


HAIR = """
    nn(one, [X]) :: yes(X).
    nn(two, [X], Y, [a, b]) :: kind(X, Y).
    nn(labels, [X], L, [a, b], independent) :: has(X, L).
    P :: given(X) :- tensor_index(X, 0, P).
    P :: left(X); Q :: right(X) :- tensor_index(X, 0, P), tensor_index(X, 1, Q).
"""
HAIRS = [1 + 3e-7, -3e-7, 1 + 1e-15, -1e-15, 0.25]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("asked", "index"),
    [("yes(x)", 0), ("has(x, a)", 0), ("has(x, b)", 1), ("kind(x, a)", 0), ("given(x)", 0), ("left(x)", 0)],
)
def test_rounding_leaves_no_probability_outside_of_its_range(
    asked: str, index: int, apart: bool, dtype: torch.dtype
) -> None:
    """What rounding took below 0 is 0, and above 1 leaves 0 of 1; derivatives are those at that place, not 0."""
    networks = {"one": lambda x: x[:, 0], "two": lambda x: x[:, :2], "labels": lambda x: x[:, :2]}
    model = deepplp.Model(Program.from_string(HAIR + f"no :- \\+{asked}. more :- {asked.replace('x', 'y')}."), networks)
    p = torch.tensor(HAIRS, dtype=dtype)
    x = torch.stack([p, 1 - p] if index == 0 else [1 - p, p], dim=1).requires_grad_()
    inputs = {"x": x}
    if apart:  # of another width, so that the network is called twice
        inputs["y"] = torch.tensor([[0.5, 0.5, 0.0]])
    answers = model.query([asked, "no", "more"] if apart else [asked, "no"], inputs)
    assert ((answers.probs >= 0.0) & (answers.probs <= 1.0 + 4e-7)).all()
    assert answers["no"].tolist() == pytest.approx(
        [0.0, 1.0, 0.0, 1.0, 0.75], abs=1e-9 if "kind" not in asked else 4e-7
    )
    assert answers[asked][[1, 3]].tolist() == [0.0, 0.0]
    assert answers["no"][[0, 2]].tolist() == pytest.approx([0.0, 0.0], abs=1e-15)
    assert answers.log_probs[[1, 3], answers.terms.index(asked.replace(" ", ""))].tolist() == [-math.inf] * 2
    answers[asked].sum().backward()
    assert x.grad is not None
    assert x.grad[:, index].tolist() == [1.0] * 5


def test_what_rounding_does_not_explain_is_an_error() -> None:
    """Beyond the tolerance nothing is moved."""
    model = deepplp.Model(Program.from_string(HAIR), {"one": lambda x: x, "two": lambda x: x, "labels": lambda x: x})
    for value in (1 + 2e-6, -2e-6, math.nan):
        with pytest.raises(errors.NetworkOutputError, match="row 1: "):
            model.query("yes(x)", {"x": torch.tensor([0.5, value], dtype=torch.float64)})
        with pytest.raises(errors.NetworkOutputError, match="in row 1, which a tensor gives, must be between 0 and 1"):
            model.query("given(x)", {"x": torch.tensor([[0.5], [value]], dtype=torch.float64)})


# The reference beyond the range of float64


@dataclasses.dataclass
class Case:
    """A program over facts, what is asked of it given what, and the facts' probabilities, as exact fractions."""

    text: str
    asked: str
    given: str
    p: tuple[Fraction, ...]

    def formula(self) -> Formula:
        """Its ground program, all of whose facts are read."""
        facts = "".join(f"0.5::f{i}. " for i in range(len(self.p)))
        evidence = {self.given: True} if self.given else None
        return deepplp.ground(Program.from_string(facts + self.text), self.asked, evidence=evidence)

    @functools.cached_property
    def plan(self) -> Plan:
        """Its circuit."""
        return bind(compile_formula(self.formula()))

    @functools.cached_property
    def order(self) -> list[int]:
        """The facts in the order of the circuit's columns."""
        return [int(str(choice.values[0])[1:]) for choice in self.formula().choices]

    @property
    def exact(self) -> list[Fraction]:
        """The weights of all facts as float64 has them: each fact's, and that of its negation."""
        return [Fraction(float(x)) for p in self.p for x in (p, 1 - p)]

    def weights(self) -> torch.Tensor:
        """The same as the circuit reads them."""
        return torch.tensor([[float(self.exact[2 * f + k]) for f in self.order for k in (0, 1)]], dtype=torch.float64)

    def by_fact(self, derivatives: torch.Tensor) -> list[Fraction]:
        """The derivatives by each fact's probability, of derivatives [1, weights]: what is not it is one minus it."""
        pairs = [[Fraction(x) for x in derivatives[0, 2 * k : 2 * k + 2].tolist()] for k in range(len(self.p))]
        return [pairs[self.order.index(f)][0] - pairs[self.order.index(f)][1] for f in range(len(self.p))]


def small(power: int) -> Fraction:
    """A power of ten as float64 has it."""
    return Fraction(float(f"1e{power}"))


TINY = small(-100)
BEYOND = [
    Case("q :- f0, f1, f2, f4. e :- f0, f1, f2, f3. e :- q.", "q", "e", (TINY, TINY, TINY, TINY, Fraction(0))),
    Case("q :- f0, f1, f2, f3. q :- f4.", "q", "", (TINY, TINY, TINY, TINY, Fraction(0))),
    Case("q :- f0, f1, f4. q :- f2, f3, f4. e :- f0, f1, f2, f3.", "q", "e", (TINY, TINY, TINY, TINY, Fraction(0))),
    Case("q :- f0, f1. e :- f0, f1, f2. e :- f3, f4.", "q", "e", (small(-150), small(-160), TINY, Fraction(0), TINY)),
    Case("q :- f2, f3. q :- f0, f1.", "q", "", (small(-150), small(-160), Fraction(0), Fraction(0))),
    Case("q :- f0, f1, f2.", "q", "", (small(-300), small(-300), Fraction(0))),
    Case("q :- f0, f1, f2. q :- f0, f1, f3.", "q", "", (small(-300), small(-305), Fraction(0), small(-300))),
    Case("q :- f0, \\+f1. q :- f2, f1.", "q", "", (small(-300), Fraction(0), Fraction(1, 4))),
]


def polynomials(case: Case, weights: list[Fraction]) -> tuple[Fraction, Fraction]:
    """P(asked, given) and P(given) by enumeration in exact arithmetic, with a weight for each value of each fact."""
    rules = [rule.strip().rstrip(".").split(" :- ") for rule in case.text.split(". ") if rule.strip()]

    def holds(goal: str, world: tuple[bool, ...]) -> bool:
        if goal.startswith("\\+"):
            return not holds(goal[2:], world)
        if goal.startswith("f"):
            return world[int(goal[1:])]
        return any(all(holds(g, world) for g in body.split(", ")) for head, body in rules if head == goal)

    total = both = Fraction(0)
    for world in itertools.product((True, False), repeat=len(case.p)):
        weight = math.prod((weights[2 * i + (not is_true)] for i, is_true in enumerate(world)), start=Fraction(1))
        if not case.given or holds(case.given, world):
            total += weight
            both += weight * holds(case.asked, world)
    return both, total


def derivatives(case: Case, *facts: int) -> tuple[Fraction, Fraction]:
    """Those of both polynomials by the probabilities of some facts: differences, as each is linear in each of them."""
    found = [Fraction(0), Fraction(0)]
    for ends in itertools.product((0, 1), repeat=len(facts)):
        weights = case.exact
        for fact, end in zip(facts, ends, strict=True):
            weights[2 * fact : 2 * fact + 2] = [Fraction(end), Fraction(1 - end)]
        sign = (-1) ** (len(facts) - sum(ends))
        found = [x + sign * y for x, y in zip(found, polynomials(case, weights), strict=True)]
    return found[0], found[1]


def close(found: Fraction, terms: list[Fraction]) -> bool:
    """Whether a number is the sum of terms, but for the rounding of each.

    Beyond float64's range, whether it is very large and has the sign.
    """
    right, largest = sum(terms, start=Fraction(0)), max(map(abs, terms))
    if abs(right) > Fraction(10) ** 300:
        return found * (1 if right > 0 else -1) > Fraction(10) ** 250
    return abs(found - right) <= abs(right) * Fraction(1e-9) + largest * Fraction(1e-14) + Fraction(5e-324)


@both_ways
@pytest.mark.parametrize("case", BEYOND, ids=lambda c: f"{c.text[:24]}…")
def test_derivatives_among_tiny_numbers(case: Case, function: Evaluate) -> None:
    """First derivatives of probabilities agree with differences in exact arithmetic, however small the values are."""
    weights = case.weights().requires_grad_()
    _, probs = function(case.plan, weights, NOTHING)
    (found,) = torch.autograd.grad(probs.sum(), weights)
    q, e = derivatives(case)
    for fact, by_fact in enumerate(case.by_fact(found)):
        q_i, e_i = derivatives(case, fact)
        assert close(by_fact, [q_i / e, -q * e_i / e**2] if case.given else [q_i]), fact


@pytest.mark.parametrize("case", BEYOND, ids=lambda c: f"{c.text[:24]}…")
def test_second_derivatives_among_tiny_numbers(case: Case) -> None:
    """Second derivatives by two facts agree with differences in exact arithmetic where float64 has them."""
    weights = case.weights().requires_grad_()
    _, probs = evaluate(case.plan, weights, NOTHING)
    (first,) = torch.autograd.grad(probs.sum(), weights, create_graph=True)
    assert torch.isfinite(first).all()
    q, e = derivatives(case)
    for i in range(len(case.p)):
        place, (q_i, e_i) = 2 * case.order.index(i), derivatives(case, i)
        (row,) = torch.autograd.grad(first[0, place] - first[0, place + 1], weights, retain_graph=True)
        for j, found in enumerate(case.by_fact(row)):
            if i == j:
                continue
            (q_j, e_j), (q_ij, e_ij) = derivatives(case, j), derivatives(case, i, j)
            terms = [q_ij]
            if case.given:
                terms = [q_ij / e, -q_i * e_j / e**2, -q_j * e_i / e**2, -q * e_ij / e**2, 2 * q * e_i * e_j / e**3]
            assert close(found, terms), (i, j)


def test_third_derivatives_at_zeros() -> None:
    """The third derivative of a product by three weights of 0 is the product of the others, small or not."""
    for others in (1.0, 1e-30):
        plan = bind(compile_formula(conjunction(5)))
        weights = torch.tensor([[0.0, 1.0] * 3 + [others, 1.0] * 2], dtype=torch.float64, requires_grad=True)
        _, probs = evaluate_reference(plan, weights, NOTHING)
        found = probs.sum()
        for place in (0, 2, 4):
            (by_all,) = torch.autograd.grad(found, weights, create_graph=True)
            found = by_all[0, place]
        assert float(found.detach()) == pytest.approx(others**2, rel=1e-12)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch compiles its rules of forward mode
def test_tangents_at_zeros() -> None:
    """Forward-mode derivatives by a weight of 0 among small ones are right, too."""
    plan = bind(compile_formula(conjunction(4)))
    weights = torch.tensor([[0.0, 1.0] + [1e-30, 1.0] * 2 + [0.5, 0.5]], dtype=torch.float64)
    with torch.autograd.forward_ad.dual_level():
        tangent = torch.zeros_like(weights)
        tangent[0, 0] = 3.0
        dual = torch.autograd.forward_ad.make_dual(weights, tangent)
        found = torch.autograd.forward_ad.unpack_dual(evaluate_reference(plan, dual, NOTHING)[1])
    assert float(found.primal) == 0.0
    assert float(found.tangent) == pytest.approx(1.5e-60, rel=1e-12)


@both_ways
def test_a_log_probability_of_zero_adds_nothing(function: Evaluate) -> None:
    """Neither by the query's weights nor by those of its evidence; other queries keep their derivatives."""
    case = Case("q :- f0, f1. e :- f0. e :- f1.", "q", "e", (Fraction(1, 4), Fraction(0)))
    weights = case.weights().requires_grad_()
    log_probs, _ = function(case.plan, weights, NOTHING)
    assert log_probs.tolist() == [[-math.inf]]
    (found,) = torch.autograd.grad(log_probs.sum(), weights)
    assert not found.any()
