"""param(theta, 38.5): numbers of a program that are learnt, in comparisons, arithmetic and as networks' arguments."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from deepplp import Model, Network, Program, checking, errors, probabilities
from tests.oracles import central_differences

ENGINES = ("tabled", "problog")
FEVER = """
fever(P) :- temperature(P, T), above(T, param(theta, 38.5), param(width, 0.5)).
limit(param(theta, 38.5)).
hard(P) :- temperature(P, T), limit(L), T > L + 1.  % as param(theta, 38.5) has it
temperature(ann, t).
"""


def model_of(text: str, engine: str = "auto", **networks: Any) -> Model:
    """A model of a program's text, which keeps nothing on disk."""
    return Model(Program.from_string(text, "p.pl"), networks, cache=False, grounder=engine)  # type: ignore[arg-type]


def test_parameters_are_there_from_the_start() -> None:
    """An optimiser that is made with the model has every learnt number, once for each name."""
    model = model_of(FEVER)
    assert {n: float(p.detach()) for n, p in model.named_parameters()} == {"params.theta": 38.5, "params.width": 0.5}
    assert list(model.state_dict()) == ["params.theta", "params.width"]
    asked = model.compile("fever(ann)", inputs=["t"])
    assert [n for n, _ in asked.named_parameters()] == ["params.theta", "params.width"]


@pytest.mark.parametrize("engine", ENGINES)
def test_values_count_as_they_are(engine: str) -> None:
    """What is learnt counts in soft and hard comparisons, one structure for all values."""
    model = model_of(FEVER, engine)
    t = torch.tensor([38.0, 39.0, 40.0])
    for theta in (38.5, 37.5):
        with torch.no_grad():
            model.params["theta"].fill_(theta)
        found = model.query(["fever(ann)", "hard(ann)"], {"t": t}).probs
        expected = torch.stack([torch.sigmoid((t.double() - theta) / 0.5), (t > theta + 1).double()], dim=1)
        torch.testing.assert_close(found, expected)
    assert model.cache_info().built == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_by_finite_differences(engine: str) -> None:
    """Gradients flow to thresholds and widths, also by way of arithmetic that a rule does beforehand."""
    text = """
    level(T, X) :- X is T * param(scale, 1.5) + 1.
    p(T) :- level(T, X), above(X, param(theta, 2), param(width, 0.5) + 0.25), f. 0.4::f.
    p(T) :- near(T, param(theta, 2), 1), \\+f.
    """
    model = model_of(text, engine)
    names = ("scale", "theta", "width")
    t = torch.tensor([0.3, 1.2], dtype=torch.float32)

    def loss() -> torch.Tensor:
        return model.query("p(t)", {"t": t}).log_probs.sum()

    def at(values: np.ndarray) -> float:
        with torch.no_grad():
            for name, value in zip(names, values, strict=True):
                model.params[name].fill_(float(value))
        return float(loss().detach())

    start = np.array([1.5, 2.0, 0.5])
    ours = torch.autograd.grad(loss(), [model.params[n] for n in names])
    t = t.double()
    at(start)
    wide = torch.autograd.grad(loss(), [model.params[n] for n in names])
    np.testing.assert_allclose(wide, central_differences(at, start), rtol=1e-6)
    np.testing.assert_allclose(ours, wide, rtol=1e-4)


def test_a_threshold_is_learnt() -> None:
    """From labels alone the threshold comes to where they change."""
    torch.manual_seed(0)
    t = 36 + 5 * torch.rand(200)
    ill = t > 39.25
    model = model_of("fever(T) :- above(T, param(theta, 38.5), exp(param(log_width, -0.5))).")
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        loss = -model.query("fever(t)", {"t": t}, evidence={"fever(t)": ill}).log_evidence.mean()
        loss.backward()
        optimiser.step()
    assert float(model.params["theta"].detach()) == pytest.approx(39.25, abs=0.15)
    assert float(model.params["log_width"].detach()) < -1.5


def test_networks_and_functions_take_learnt_numbers() -> None:
    """As an argument of a network or of a tensor function it is a tensor [1]; a hard comparison of two has one row."""
    text = """
    nn(net, [X, param(shift, 0.25)]) :: large(X).
    P :: scaled(X) :- mul(X, param(scale, 0.5), P).
    up :- param(scale, 0.5) > param(shift, 0.25).
    """
    model = model_of(text, net=lambda x, shift: x + shift)
    x = torch.tensor([0.25, 0.5])
    found = model.query(["large(x)", "scaled(x)", "up"], {"x": x}).probs
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.125, 1.0], [0.75, 0.25, 1.0]], dtype=torch.float64))


def test_the_learnt_program() -> None:
    """The program's text with the numbers that were learnt; comments stay as they are."""
    model = model_of(FEVER + "t(0.25)::slow :- above(1, param(theta, 38.5), 1).\n")
    with torch.no_grad():
        model.params["theta"].fill_(39.25)
    text = model.learned_program()
    assert (
        text
        == FEVER.replace("(theta, 38.5), param(width, 0.5)", "@")
        .replace("param@", "39.25, 0.5")
        .replace("limit(param(theta, 38.5))", "limit(39.25)")
        + "0.25::slow :- above(1,39.25,1).\n"
    )
    t = {"t": torch.tensor([38.0, 39.5])}
    torch.testing.assert_close(model_of(text).query("fever(ann)", t).probs, model.query("fever(ann)", t).probs)


def test_copies_and_states() -> None:
    """A copy, a pickle and a loaded state have the numbers; a copy's are its own."""
    model = model_of(FEVER)
    t = {"t": torch.tensor([39.0])}
    with torch.no_grad():
        model.params["theta"].fill_(39.0)
    asked = model.compile("fever(ann)", inputs=["t"])
    other = model_of(FEVER)
    other.load_state_dict(model.state_dict())
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), other):
        assert made.query("fever(ann)", t).probs.item() == 0.5
    copied = copy.deepcopy(asked)
    with torch.no_grad():
        model.params["theta"].fill_(0.0)
    assert asked(t).probs.item() == pytest.approx(1.0)
    assert copied(t).probs.item() == 0.5
    with pytest.raises(RuntimeError, match=r"params\.width"):
        model_of("p(T) :- T > param(theta, 38.5).").load_state_dict(model.state_dict())


def test_any_atom_is_a_name() -> None:
    """Also the names of attributes of modules."""
    model = model_of("p(T) :- T > param(half, 1). q(T) :- T > param(type, 2). r(T) :- T > param(training, 3).")
    found = model.double().query(["p(t)", "q(t)", "r(t)"], {"t": torch.tensor([2.5])})
    assert found.probs.tolist() == [[1.0, 1.0, 0.0]]
    assert [n for n, _ in model.named_parameters()] == ["params.half", "params.type", "params.training"]


def test_terms_of_other_programs() -> None:
    """param/2 as a predicate, and terms that are no learnt numbers, are what they were."""
    model = model_of("param(X, 3) :- c(X). c(a). q(param(a, b)). r(Y) :- q(param(_, Y)). s(param([1], 2)).")
    assert not list(model.parameters())
    assert model.query(["param(a, 3)", "r(b)"]).probs.tolist() == [[1.0, 1.0]]
    values = Model(
        Program.from_string("nn(net, [X]) :: p(X)."),
        {"net": Network(lambda xs: torch.tensor([0.5] * len(xs)), inputs="values")},
        cache=False,
    )
    assert values.query("p(param(a, 3))").probs.item() == 0.5


FAULTS: list[tuple[str, type[Exception], str]] = [
    ("p(T) :- T > param(th, 1).\nq(T) :- T > param(th, 2).", errors.ProgramError,
     r"p\.pl:2:13: param\(th,2\) starts at 2, and at p\.pl:1:13 at 1: a number that is .* write the same one"),
    ("p(T) :- T > param(th, foo).", errors.NoValueError,
     r"p\.pl:1:11: .*param\(th,foo\) is no number; a learnt number is param\(Name, Number\), an atom and"),
    ("p(T) :- T > param(th, inf).", errors.NoValueError, r"param\(th,inf\) is no number; a learnt number is"),
    ("p(T) :- T > param(3, 4).", errors.NoValueError, r"param\(3,4\) is no number; a learnt number is"),
    ("p(T) :- T > param(X, 1).", errors.NoValueError, r"p\.pl:1:11: .*: X is not bound when it is reached"),
    ("n(th). p(T) :- n(X), T > param(X, 1).", errors.MissingInputError,
     r"p\.pl:1:24: param\(th,1\) is no parameter of the model: a number that is learnt stands in the program as it is"),
    ("n(th, 2). r(param(th, 1)). p(T) :- n(X, S), T > param(X, S).", errors.InputError,
     r"param\(th,2\) starts at 2 here, and at 1 in the program; write the same number"),
    ("p(T) :- above(T, 3, param(w, -1)).", errors.InputError,
     r"p\.pl:1:9: this goal has the width -1 in row 0; a width is a finite number above 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "error", "message"), FAULTS, ids=[text[-30:] for text, _, _ in FAULTS])
def test_faults_are_named(text: str, error: type[Exception], message: str) -> None:
    """A learnt number without a name, with two starts, or that the program does not have says so."""
    for engine in ("auto", "problog"):
        with pytest.raises(error, match=message):
            model_of(text, engine).query("p(t)", {"t": torch.tensor([1.0, 2.0])})


def test_a_learnt_number_that_became_nan() -> None:
    """A learning rate that is too high is named by the parameter."""
    model = model_of(FEVER)
    with torch.no_grad():
        model.params["theta"].fill_(float("nan"))
    with pytest.raises(errors.InputError, match=r"p\.pl:2:32: param\(theta,38\.5\) is NaN in row 0"):
        model.query("fever(ann)", {"t": torch.tensor([1.0])})


def test_facts_of_a_query() -> None:
    """A query's own facts may use the program's learnt numbers, and bring in no others."""
    model = model_of("p(T) :- limit(L), T > L. spare(param(theta, 1)). limit(_) :- fail.")
    t = {"t": torch.tensor([0.5, 2.0])}
    assert model.query("p(t)", t, facts="limit(param(theta, 1)).").probs[:, 0].tolist() == [0.0, 1.0]
    with pytest.raises(errors.MissingInputError, match=r"param\(other,1\) is no parameter of the model"):
        model.query("p(t)", t, facts="limit(param(other, 1)).")


def test_check_finds_what_can_be_found(tmp_path: Path) -> None:
    """deepplp check lists widths, thresholds and learnt numbers that are none, with their places."""
    file = tmp_path / "p.pl"
    file.write_text(
        "a(T) :- T > param(th, 1), above(T, 3, 0).\nb(T) :- T > param(th, 2), \\+ T < nan.\n"
        "c(T) :- forall(t(X), near(X, nan, 1)), T < param(foo, bar).\nt(1).\n"
        "d(X) :- below(X, param(th, 1), 2 + 1).\n"
    )
    found = [
        (f.severity, f.position.line, f.position.column, f.message.split(";")[0].split(",")[0])
        for f in checking.check_file(file).findings
        if f.position is not None
    ]
    assert found == [
        ("error", 1, 27, "the width 0 of above(T"),
        ("error", 2, 13, "param(th"),
        ("warning", 2, 32, "this arithmetic has no value: nan is NaN"),
        ("error", 3, 22, "this arithmetic has no value: nan is NaN"),
        ("error", 3, 42, "param(foo"),
    ]


def test_a_plain_program_counts_them_where_they_start() -> None:
    """deepplp prob answers as a new model does: hard and soft comparisons, arithmetic, evidence."""
    text = """
    t(ann, 39.0). t(bob, 38.0). 0.5::f.
    level(X, L) :- t(X, T), L is (T - param(theta, 38.5)) * 2 + sqrt(param(four, 4)).
    p(X) :- t(X, T), above(T, param(theta, 38.5), param(four, 4) / 8), f.
    n(X) :- level(X, L), near(L, 3, 1). b(X) :- level(X, L), below(L, 2, 1).
    h(X) :- t(X, T), T > param(theta, 38.5). e(X) :- level(X, L), L =:= 3. m(X) :- t(X, T), T =\\= 39.
    P :: r(X) :- level(X, L), P is L / 10.
    query(p(_)). query(n(_)). query(b(_)). query(h(_)). query(e(_)). query(m(_)). query(r(_)).
    evidence(g). g :- p(ann). g :- f.
    """
    found = model_of(text).query().to_dict()
    assert len(found) == 13
    assert probabilities(Program.from_string(text)) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("q :- above(1, param(a, 2), param(w, -1)). query(q).", errors.GroundingError,
         r"p\.pl:1:6: the width -1\.0 of above\(1,2,-1\) must be a number above 0"),
        ("q :- sqrt(param(a, -1)) > 0. query(q).", errors.NoValueError, r"p\.pl:1:25: .* has no value: .*sqrt"),
        ("P::q :- P is param(a, 2) + 1. query(q).", errors.InvalidProbabilityError, r":1:4: the probability 3 of q"),
        ("q :- 1 > param(a, 2). q :- 1 > param(a, 3). query(q).", errors.ProgramError, r"param\(a,3\) starts at 3"),
    ],
)  # fmt: skip
def test_faults_of_plain_programs(text: str, error: type[Exception], message: str) -> None:
    """Numbers that are none where they start are named by deepplp prob, too."""
    with pytest.raises(error, match=message):
        probabilities(Program.from_string(text, "p.pl"))


def test_a_programs_own_above_is_not_checked(tmp_path: Path) -> None:
    """Where the program defines above/3 itself its arguments are its own."""
    file = tmp_path / "p.pl"
    file.write_text("above(a, b, 0).\nq :- above(a, b, 0).\nquery(q).\n")
    assert not checking.check_file(file).findings


def test_the_module_of_numbers() -> None:
    """The learnt numbers are a module, which moves and changes its type with the model."""
    model = model_of(FEVER)
    assert isinstance(model.params, nn.Module)
    assert model.float().params["theta"].dtype == torch.float32
    assert model.query("hard(ann)", {"t": torch.tensor([40.0])}).probs.item() == 1.0


def test_what_only_looks_like_a_learnt_number_is_kept() -> None:
    """A quoted atom that reads as a learnt number, or a term whose name ends as it does, keeps its text."""
    program = Program.from_string(
        "t(0.5)::p(T) :- above(T, param(theta, 38), 1), q('param(theta,38)'), r(myparam(theta, 38)).\n"
        "q('param(theta,38)'). r(myparam(theta, 38)).", "p.pl"
    )  # fmt: skip
    model = Model(program, cache=False)
    with torch.no_grad():
        model.params["theta"].fill_(9.5)
    text = model.learned_program()
    assert "above(T,9.5,1)" in text.replace(" ", "")
    assert text.count("'param(theta,38)'") == 2
    assert text.replace(" ", "").count("myparam(theta,38)") == 2


@pytest.mark.parametrize("head", ["p(X)", "t(0.5)::p(X)"])
@pytest.mark.parametrize("side", ["param(a, 1)**2", "-param(a, 1)", "2-param(a, 1)", "param(a, 1) % that :)\n"])
def test_negative_numbers_read_back(head: str, side: str) -> None:
    """A learnt number below 0 keeps its place among operators: the learnt program gives the model's answers."""
    model = model_of(f"{head} :- {side} > X - 2.5.\n", "auto")
    with torch.no_grad():
        model.params["a"].fill_(-3.0)
    inputs = {"x": torch.tensor([-8.0, -1.0, 3.0, 6.0, 7.0, 13.0])}
    found = model_of(model.learned_program()).query("p(x)", inputs).probs
    torch.testing.assert_close(found, model.query("p(x)", inputs).probs)
