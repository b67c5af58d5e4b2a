"""A model is a well-behaved module, and says what programs mean."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import deepplp
from deepplp import errors
from deepplp.grounding import Grounder

SUMS = "nn(net, [X], Y, [0..2]) :: d(X, Y). s(X, Y, Z) :- d(X, A), d(Y, B), Z is A + B."
X = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], dtype=torch.float64)
Y = torch.tensor([[0.1, 0.8, 0.1], [0.0, 0.0, 1.0]], dtype=torch.float64)


def identity(x: Tensor) -> Tensor:
    """A network whose input is its output."""
    return x


def answer(
    program: str, query: object = None, inputs: dict[str, Any] | None = None, **networks: Any
) -> dict[str, float]:
    """The first row's probabilities by term."""
    parsed = deepplp.Program.from_string(program)
    model = deepplp.Model(parsed, networks or dict.fromkeys(parsed.networks, identity))
    answers = model.query(query, inputs)  # type: ignore[arg-type]
    return dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))


class Counter(nn.Module):
    """A linear softmax that counts its calls and the rows that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.dropout = nn.Dropout(0.5)
        self.calls: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities [n, 3]."""
        self.calls.append(len(x))
        return torch.softmax(self.linear(self.dropout(x)), dim=1)


def sums_model(network: Any = None) -> deepplp.Model:
    """A model of sums."""
    return deepplp.Model(deepplp.Program.from_string(SUMS), {"net": network or Counter()})


def test_sums_by_hand() -> None:
    """P(sum) is the convolution of the digits' distributions, row by row."""
    answers = sums_model(identity).query("s(a, b, Z)", {"a": X, "b": Y})
    assert answers.terms == tuple(f"s(a,b,{i})" for i in range(5))
    expected = torch.stack([sum(X[:, i] * Y[:, z - i] for i in range(3) if 0 <= z - i < 3) for z in range(5)], dim=1)  # type: ignore[arg-type, misc]
    torch.testing.assert_close(answers.probs, expected)
    torch.testing.assert_close(answers.log_probs.exp(), expected)
    torch.testing.assert_close(answers.log_prob(torch.tensor([2, 3])), expected[[0, 1], [2, 3]].log())
    torch.testing.assert_close(answers.log_prob(["s(a, b, 2)", "s(a,b,3)"]), answers.log_prob([2, 3]))


def test_gradients_reach_the_network() -> None:
    """The loss's gradient by the network's parameters is that of the same loss written by hand."""
    network = Counter().eval().double()
    a, b = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    targets = torch.tensor([0, 1, 2, 3, 4])
    answers = sums_model(network).query("s(a, b, Z)", {"a": a, "b": b})
    ours = torch.autograd.grad(-answers.log_prob(targets).mean(), list(network.parameters()))
    p, q = network(a), network(b)
    joint = torch.stack([sum(p[:, i] * q[:, z - i] for i in range(3) if 0 <= z - i < 3) for z in range(5)], dim=1)  # type: ignore[arg-type, misc]
    by_hand = torch.autograd.grad(nn.functional.nll_loss(joint.log(), targets), list(network.parameters()))
    for x, y in zip(ours, by_hand, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-10, atol=1e-12)


def test_each_network_is_called_once() -> None:
    """A query calls each network once, on its distinct inputs together; an image in many atoms is one input."""
    one, two = Counter(), Counter()
    program = deepplp.Program.from_string(
        "nn(one, [X], Y, [0..2]) :: d(X, Y). nn(one, [X], Y, [a,b,c]) :: e(X, Y). nn(two, [X], Y, [0..2]) :: f(X, Y). "
        "q(X, Y) :- d(X, A), d(Y, A), e(X, b), f(X, A), \\+ f(Y, A)."
    )
    model = deepplp.Model(program, {"one": one, "two": two})
    model.query("q(x, y)", {"x": torch.rand(7, 4), "y": torch.rand(7, 4)})
    assert one.calls == [14]  # x and y for digits, and x again for letters, which is the same input
    assert two.calls == [14]


def test_structures_are_ground_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same query on other tensors, or another batch size, grounds nothing."""
    grounded: list[object] = []
    original = Grounder.ground

    def counting(self: Grounder, *args: Any, **kwargs: Any) -> object:
        grounded.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Grounder, "ground", counting)
    model = sums_model(identity)
    for rows in (2, 2, 1):
        model.query("s(a, b, Z)", {"a": X[:rows], "b": Y[:rows]})
    model.query("s(a, b, Z)", {"b": Y, "a": X})
    assert len(grounded) == 1


def test_batch_of_one_broadcasts() -> None:
    """An input of batch size 1 stands for all rows, in values and in gradients."""
    model = sums_model(identity)
    single = X[:1].clone().requires_grad_()
    narrow = model.query("s(a, b, Z)", {"a": single, "b": Y})
    wide_input = X[:1].clone().requires_grad_()
    wide = model.query("s(a, b, Z)", {"a": wide_input.expand(2, 3), "b": Y})
    torch.testing.assert_close(narrow.probs, wide.probs)
    (by_narrow,) = torch.autograd.grad(narrow.log_prob([1, 2]).sum(), single)
    (by_wide,) = torch.autograd.grad(wide.log_prob([1, 2]).sum(), wide_input)
    torch.testing.assert_close(by_narrow, by_wide)


@pytest.mark.parametrize("networks", [("n", "n", "n"), ("n", "n", "m"), ("m", "n", "n"), ("n", "m", "n")])
def test_several_inputs_of_batch_one_stand_for_all_rows(networks: tuple[str, str, str]) -> None:
    """Two inputs have batch size 1, before and behind one that has more, whichever networks read them."""
    text = " ".join(f"nn({net}, [X], Y, [0..2]) :: d{i}(X, Y)." for i, net in enumerate(networks))
    program = deepplp.Program.from_string(f"{text} s(X, Y, Z, S) :- d0(X, A), d1(Y, B), d2(Z, C), S is A + 3*B + 9*C.")
    model = deepplp.Model(program, dict.fromkeys(networks, identity))
    rows = torch.cat([X, Y, X[:1]])
    for position in range(3):
        inputs = [X[:1], Y[:1]]
        inputs.insert(position, rows)
        x, y, z = (tensor.expand(5, 3) for tensor in inputs)
        found = model.query("s(a, b, c, S)", dict(zip("abc", inputs, strict=True))).probs
        expected = z[:, :, None, None] * y[:, None, :, None] * x[:, None, None, :]
        torch.testing.assert_close(found, expected.reshape(5, 27))


def test_empty_batch() -> None:
    """No rows in, no rows out, with a gradient of the right shape."""
    model = sums_model()
    answers = model.query("s(a, b, Z)", {"a": torch.rand(0, 4), "b": torch.rand(0, 4)})
    assert answers.log_probs.shape == (0, 5)
    answers.log_prob(torch.zeros(0, dtype=torch.long)).sum().backward()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_results_are_float64_unless_the_caller_asks(dtype: torch.dtype) -> None:
    """Results are float64 whatever the networks return; float32 is for the asking; gradients have the networks' dtype.

    Evidence of another dtype changes nothing.
    """
    rows = torch.tensor([[0.5, 0.25, 0.25]], dtype=dtype, requires_grad=True)
    model = sums_model(identity)
    for evidence in (None, {"s(a, b, 4)": torch.tensor([0.5], dtype=torch.float16)}):
        answers = model.query("s(a, b, Z)", {"a": rows, "b": rows}, evidence=evidence)
        assert answers.probs.dtype == answers.log_probs.dtype == answers.log_evidence.dtype == torch.float64
        assert answers.probs[0].tolist() == [0.25, 0.25, 0.3125, 0.125, 0.0625]
        narrow = model.query("s(a, b, Z)", {"a": rows, "b": rows}, evidence=evidence, dtype=torch.float32)
        assert narrow.probs.dtype == narrow.log_prob([0]).dtype == torch.float32
        (gradient,) = torch.autograd.grad(answers.log_prob([4]).sum(), rows)
        assert gradient.dtype == dtype
    with pytest.raises(errors.QueryError, match=r"answers are torch.float64 or torch.float32, not torch.float16"):
        model.query("s(a, b, Z)", {"a": rows, "b": rows}, dtype=torch.float16)


def test_inputs_of_several_shapes() -> None:
    """Inputs that cannot be concatenated are sent through the network one shape at a time."""
    network: Callable[[Tensor], Tensor] = lambda x: torch.softmax(x.flatten(1)[:, :3], dim=1)  # noqa: E731
    a, b = torch.rand(2, 4), torch.rand(2, 5)
    answers = sums_model(network).query("s(a, b, Z)", {"a": a, "b": b})
    p, q = network(a), network(b)
    torch.testing.assert_close(answers.probs[:, 0], p[:, 0].double() * q[:, 0].double())


def test_module_behaviour() -> None:
    """parameters, state_dict, train and eval, to, zero_grad and clip_grad_norm_ reach the networks."""
    network = Counter()
    model = sums_model(network)
    assert {id(p) for p in model.parameters()} == {id(p) for p in network.parameters()}
    model.eval()
    assert not network.training
    model.train()
    assert network.training
    other = sums_model()
    other.load_state_dict(model.state_dict())
    inputs = {"a": torch.rand(3, 4), "b": torch.rand(3, 4)}
    torch.testing.assert_close(model.eval()("s(a, b, Z)", inputs).probs, other.eval()("s(a, b, Z)", inputs).probs)
    (-100 * model.query("s(a, b, Z)", inputs).log_prob([0, 1, 2]).sum()).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    assert float(norm) == pytest.approx(1.0, abs=1e-4)
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert model.double().query("s(a, b, Z)", {n: t.double() for n, t in inputs.items()}).probs.dtype == torch.float64


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "torch.save"])
def test_copies(way: str) -> None:
    """A copy answers as the original does, and has weights of its own."""
    model = sums_model(Counter().eval())
    inputs = {"a": torch.rand(3, 4), "b": torch.rand(3, 4)}
    before = model.query("s(a, b, Z)", inputs).probs.detach()
    if way == "deepcopy":
        clone = copy.deepcopy(model)
    elif way == "pickle":
        clone = pickle.loads(pickle.dumps(model))
    else:
        buffer = io.BytesIO()
        torch.save(model, buffer)
        buffer.seek(0)
        clone = torch.load(buffer, weights_only=False)
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    torch.testing.assert_close(clone.query("s(a, b, Z)", inputs).probs.detach(), before)
    assert not torch.equal(model.query("s(a, b, Z)", inputs).probs.detach(), before)


def test_no_grad_and_inference_mode() -> None:
    """Without gradients nothing is recorded."""
    model = sums_model(identity)
    rows = X.clone().requires_grad_()
    with torch.no_grad():
        assert not model.query("s(a, b, Z)", {"a": rows, "b": Y}).probs.requires_grad
    with torch.inference_mode():
        assert model.query("s(a, b, Z)", {"a": X, "b": Y}).log_prob([0, 4]).shape == (2,)


def test_what_networks_return() -> None:
    """Logits, log-probabilities and probabilities of one distribution give the same answers, for nn/4 and nn/2."""
    logits = torch.randn(4, 3, dtype=torch.float64)
    for output, rows in (
        ("logits", logits),
        ("log_probabilities", logits.log_softmax(1)),
        ("probabilities", logits.softmax(1)),
    ):
        answers = sums_model(deepplp.Network(identity, output=output)).query("d(a, Z)", {"a": rows})  # type: ignore[arg-type]
        torch.testing.assert_close(answers.probs, logits.softmax(1))
    program = deepplp.Program.from_string("nn(net, [X]) :: p(X). no(X) :- \\+p(X).")
    x = torch.tensor([[-40.0], [0.5]], dtype=torch.float64)
    for output, rows in (("logits", x), ("log_probabilities", x.sigmoid().log()), ("probabilities", x.sigmoid())):
        model = deepplp.Model(program, {"net": deepplp.Network(identity, output=output)})  # type: ignore[arg-type]
        answers = model.query(["p(a)", "no(a)"], {"a": rows.squeeze(1) if output == "probabilities" else rows})
        torch.testing.assert_close(answers.probs[:, :1], x.sigmoid(), rtol=1e-12, atol=0)
        torch.testing.assert_close(answers.probs[:, 1:], (-x).sigmoid(), rtol=1e-12, atol=0)


def test_neural_predicates_with_bodies() -> None:
    """An nn clause with a body holds where its body does: hand-computed."""
    x = {"a": X[:1], "b": Y[:1]}
    domain = "nn(net, [X], Y, D) :: d(X, Y) :- values(D). values([u, v, w])."
    assert answer(domain, "d(a, Z)", {"a": X[:1]}) == pytest.approx({"d(a,u)": 0.2, "d(a,v)": 0.3, "d(a,w)": 0.5})
    guarded = (
        "nn(net, [X], Y, [0..2]) :: d(X, Y) :- on(X). 0.5::on(a). on(b). "
        "q :- d(a, 2). r :- d(a, 1), on(a). z :- d(b, 0)."
    )
    assert answer(guarded, ["q", "r", "z"], x) == pytest.approx({"q": 0.25, "r": 0.15, "z": 0.1})
    filtered = "nn(net, [X], Y, [0..2]) :: d(X, Y) :- big(Y). big(2). big(1)."
    assert answer(filtered, "d(a, Z)", {"a": X[:1]}) == pytest.approx({"d(a,1)": 0.3, "d(a,2)": 0.5})
    # One choice for each Z, all with the same distribution: independent.
    apart = "nn(net, [X], Y, [0..2]) :: d(X, Y, Z) :- copy(Z). copy(1). copy(2). q :- d(a, 0, 1), d(a, 0, 2)."
    assert answer(apart, "q", {"a": X[:1]}) == pytest.approx({"q": 0.04})


def test_several_inputs() -> None:
    """A network with two inputs gets them as two arguments, batched together."""
    program = "nn(net, [X, Y]) :: same(X, Y). q :- same(a, b), same(b, c)."
    x = {"a": torch.tensor([1.0]), "b": torch.tensor([0.5]), "c": torch.tensor([0.25])}
    assert answer(program, "q", x, net=lambda u, v: u * v) == pytest.approx({"q": 0.5 * 0.125})


def test_one_input_without_brackets() -> None:
    """``nn(net, X, Y, D)`` is ``nn(net, [X], Y, D)``."""
    assert answer("nn(net, X, Y, [0..2]) :: d(X, Y).", "d(a, 2)", {"a": X[:1]}) == pytest.approx({"d(a,2)": 0.5})


def test_negation_and_recursion_over_networks() -> None:
    """Neural atoms under negation, and reachability over neural edges with a cycle: hand-computed."""
    program = (
        "nn(net, [X]) :: edge(X, s, t). nn(net, [Y]) :: edge(Y, t, s). link(X, Y, A, B) :- edge(X, A, B). "
        "link(X, Y, A, B) :- edge(Y, A, B). path(X, Y, A, B) :- link(X, Y, A, B). "
        "path(X, Y, A, B) :- path(X, Y, A, C), link(X, Y, C, B). never(X) :- \\+ edge(X, s, t)."
    )
    x = {"a": torch.tensor([0.3]), "b": torch.tensor([0.4])}
    found = answer(program, ["path(a, b, s, s)", "never(a)"], x)
    assert found == pytest.approx({"path(a,b,s,s)": (1 - 0.7 * 0.6) ** 2, "never(a)": 0.7})


def test_evidence() -> None:
    """Evidence of the program and of the call condition together, on neural atoms as on others: Bayes by hand."""
    program = "nn(net, [X], Y, [0..2]) :: d(X, Y). s(Z) :- d(a, A), d(b, B), Z is A + B. evidence(s(2))."
    model = deepplp.Model(deepplp.Program.from_string(program), {"net": identity})
    inputs = {"a": X, "b": Y[:1]}
    joint = torch.stack([X[:, i] * Y[0, 2 - i] for i in range(3)], dim=1)
    answers = model.query("d(a, Z)", inputs)
    torch.testing.assert_close(answers.probs, joint / joint.sum(1, keepdim=True))
    torch.testing.assert_close(answers.log_probs, answers.probs.log())
    without = model.query("d(a, Z)", inputs, evidence={"d(b, 1)": False})
    joint[:, 1] = 0.0
    torch.testing.assert_close(without.probs, joint / joint.sum(1, keepdim=True))


def test_own_queries_and_evidence() -> None:
    """model.query() answers the program's query/1 under its evidence/1 and evidence/2."""
    alarm = (
        "0.7::burglary. 0.2::earthquake. 0.9::alarm :- burglary, earthquake. 0.8::alarm :- burglary, \\+earthquake. "
        "0.1::alarm :- \\+burglary, earthquake. evidence(alarm, true). query(burglary). query(earthquake)."
    )
    both, only_b, only_e = 0.7 * 0.2 * 0.9, 0.7 * 0.8 * 0.8, 0.3 * 0.2 * 0.1
    total = both + only_b + only_e
    assert answer(alarm) == pytest.approx({"burglary": (both + only_b) / total, "earthquake": (both + only_e) / total})
    assert answer("0.3::a. 0.4::b. evidence(\\+a). c :- a. c :- b. query(c).") == pytest.approx({"c": 0.4})


def test_annotated_disjunctions_with_bodies() -> None:
    """Heads exclude each other in each grounding of the body, and groundings are independent: by hand."""
    program = (
        "0.4::red(X); 0.6::blue(X) :- ball(X). ball(1). ball(2). "
        "q :- red(1), blue(2). r :- red(1), blue(1). s :- red(1); blue(2)."
    )
    assert answer(program, ["q", "r", "s"]) == pytest.approx({"q": 0.24, "r": 0.0, "s": 1 - 0.6 * 0.4})


def test_order_of_answers() -> None:
    """Answers stand in the standard order of terms; 1, 1.0, "1" and '1' are four terms."""
    found = answer('p(b). p(10). p(9). p(f(a)). p(a). p("s"). p(1.5).', "p(X)")
    assert list(found) == ["p(1.5)", "p(9)", "p(10)", 'p("s")', "p(a)", "p(b)", "p(f(a))"]
    assert answer("0.5::q(1). r :- q(1.0). s :- q('1'). t :- q(\"1\"). u :- q(1).", ["r", "s", "t", "u"]) == {
        "r": 0.0, "s": 0.0, "t": 0.0, "u": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("program", "query", "expected"),
    [
        ("0.3::a(1). 0.4::a(2). q(L) :- findall(X, a(X), L).", "q(L)",
         {"q([])": 0.42, "q([1])": 0.18, "q([2])": 0.28, "q([1, 2])": 0.12}),
        ("q(X) :- between(1, 3, X), X \\= 2.", "q(X)", {"q(1)": 1.0, "q(3)": 1.0}),
        (":- use_module(library(lists)). 0.5::p. q(X) :- member(X, [a, b]), p.", "q(X)", {"q(a)": 0.5, "q(b)": 0.5}),
        ("0.5::p. q(X) :- member(X, [a, b]), p.", "q(X)", {"q(a)": 0.5, "q(b)": 0.5}),
        ("member(X, L) :- own(X, L). own(1, _). q(X) :- member(X, [a, b]).", "q(X)", {"q(1)": 1.0}),
        ("0.2::a. q :- 9 < 10, a. r :- 10 < 9, a.", ["q", "r"], {"q": 0.2, "r": 0.0}),
        ("0.25::a. q :- (a ; \\+a).", "q", {"q": 1.0}),
        ("1/4::a. P::b(P) :- c(P). c(0.75).", ["a", "b(X)"], {"a": 0.25, "b(0.75)": 0.75}),
        ("0.5::f(X) :- n(X). n(1). n(2). q :- forall(n(X), f(X)).", "q", {"q": 0.25}),
        ("q(X) :- X = \"text\". s(N) :- length([a, b], N).", ["q(X)", "s(N)"], {'q("text")': 1.0, "s(2)": 1.0}),
    ],
)  # fmt: skip
def test_builtins(program: str, query: object, expected: dict[str, float]) -> None:
    """ProbLog's built-ins and libraries mean what they mean there: by hand."""
    assert {k.replace(", ", ","): v for k, v in answer(program, query).items()} == pytest.approx(
        {k.replace(", ", ","): v for k, v in expected.items()}
    )


def test_negated_queries() -> None:
    """A negated query is its complement."""
    assert answer("0.3::a.", ["\\+a"]) == pytest.approx({"\\+a": 0.7})


def test_a_class_is_no_network() -> None:
    """A module's class in place of a module is told at once."""
    program = deepplp.Program.from_string("nn(net, [X], Y, [0, 1]) :: d(X, Y).")
    with pytest.raises(errors.NetworkInputError, match=r"not the class Softmax: write Softmax\(…\)"):
        deepplp.Model(program, {"net": torch.nn.Softmax})
