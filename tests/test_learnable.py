"""Learnable probabilities, evidence that differs from row to row, and learning from partial observations."""

from __future__ import annotations

import copy
import math
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import assume, given

import deepplp
from deepplp import errors
from tests.oracles import PlainProgram
from tests.strategies import programs


def model_of(text: str) -> deepplp.Model:
    """A model of a program without networks."""
    return deepplp.Model(deepplp.Program.from_string(text, "p.pl"))


def answers_of(text: str) -> dict[str, float] | None:
    """The program's own queries, None where its evidence is impossible."""
    try:
        answers = model_of(text).query()
    except errors.InconsistentEvidenceError:
        return None
    return dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))


@given(programs())
def test_a_parameter_starts_where_it_says(program: PlainProgram) -> None:
    """``t(p)`` means p until something is learnt: in facts, rules and annotated disjunctions, with bodies or not."""
    text = program.text()
    learnable = re.sub(r"\b(0\.\d+)::", r"t(\1)::", text).replace("t(0.0)::", "0.0::")
    assume(learnable != text)
    expected = answers_of(text)
    found = answers_of(learnable)
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("t(_)::a.", {"a": 0.5}),
        ("t(_)::a; t(_)::b.", {"a": 0.5, "b": 0.5}),
        ("t(0.2)::a; t(0.3)::b.", {"a": 0.2, "b": 0.3}),
        ("0.4::a; t(_)::b; t(_)::c.", {"a": 0.4, "b": 0.3, "c": 0.3}),
        ("t(1/4)::a.", {"a": 0.25}),
        ("t(0.2)::a; t(_)::b :- d. 0.5::d.", {"a": 0.1, "b": 0.4}),
    ],
)
def test_where_parameters_start(clause: str, expected: dict[str, float]) -> None:
    """Heads without a start share what the others leave; a single fact starts at one half."""
    answers = model_of(clause).query(list(expected))
    assert dict(zip(answers.terms, answers.probs[0].tolist(), strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("clause", "query"), [("t(0.5)::b; t(0.5)::c; t(_)::a.", "a"), ("t(0.99999999999995)::a. not_a :- \\+a.", "not_a")]
)
def test_what_starts_at_nothing_may_grow(clause: str, query: str) -> None:
    """A value for which nothing is left, or next to nothing, starts so small that nobody sees it, and can be learnt."""
    model = model_of(clause)
    found = model.query(query)
    assert 0.0 < found.probs.item() < 1e-8
    found.log_probs.sum().backward()
    gradient = model.distributions.logits["clause0"].grad
    assert gradient is not None
    assert float(gradient.abs().max()) == pytest.approx(1.0)


def test_a_parameter_for_each_grounding() -> None:
    """``t(_, X)`` has a distribution for each X, shared by all that has this X; ``t(_)`` has one for all.

    All groundings of a clause are rows of one parameter.
    """
    model = model_of("t(_, X)::p(X, Y) :- d(X, Y). d(1, a). d(1, b). d(2, a). t(0.3)::q(X) :- d(X, a).")
    model.query(["p(1, a)", "p(1, b)", "p(2, a)", "q(1)", "q(2)"])
    named = {n: list(p.shape) for n, p in model.named_parameters()}
    assert named == {"distributions.logits.clause0": [2, 2], "distributions.logits.clause1": [2]}
    assert model.distributions.groundings(0) == ("1", "2")
    with torch.no_grad():
        model.distributions.logits["clause0"][model.distributions.row(0, "2"), 0] += math.log(3)
    assert model.query(["p(1, a)", "p(2, a)"]).probs[0].tolist() == pytest.approx([0.5, 0.75])


def test_a_parameter_grows_and_keeps_what_it_learnt() -> None:
    """A query with new groundings makes a larger parameter: old rows, their numbers and gradients stay."""
    model = model_of("t(_, X)::p(X) :- d(X). d(1). d(2). d(3).")
    model.compile("p(2)")
    with torch.no_grad():
        model.distributions.logits["clause0"][0, 0] += math.log(3)
    (-model.query("p(2)").log_prob([0])).sum().backward()
    gradient = model.distributions.logits["clause0"].grad
    assert gradient is not None
    model.compile(["p(1)", "p(2)", "p(3)"])
    grown = model.distributions.logits["clause0"]
    assert model.distributions.groundings(0) == ("2", "1", "3")
    assert grown.grad is not None
    assert torch.equal(grown.grad, torch.cat([gradient, torch.zeros(2, 2)]))
    assert model.query(["p(1)", "p(2)", "p(3)"]).probs[0].tolist() == pytest.approx([0.5, 0.75, 0.5])


def test_a_parameter_shares_out_what_each_grounding_leaves() -> None:
    """One distribution of a clause is scaled by what each of its groundings fixes, alone and beside others."""
    model = model_of("P::a(X); t(_)::b(X); t(_)::c(X) :- p(X, P). p(1, 0.2). p(2, 0.6). p(3, 0.0).")
    queries = [f"{name}({x})" for name in "abc" for x in (1, 2, 3)]
    model.compile(queries)
    (logits,) = model.parameters()
    with torch.no_grad():
        logits.copy_(torch.tensor([0.25, 0.75]).log())
    probs = model.query(queries).probs[0]
    assert probs.tolist() == pytest.approx([0.2, 0.6, 0.0, 0.2, 0.1, 0.25, 0.6, 0.3, 0.75])
    (gradient,) = torch.autograd.grad(
        probs[3:6].sum(), logits
    )  # b's derivative by its logit is 0.25 * 0.75 of what is left
    assert gradient.tolist() == pytest.approx([0.1875 * 2.2, -0.1875 * 2.2])
    many = model.query_many([deepplp.Query(query) for query in queries])
    assert [answers.probs.item() for answers in many] == pytest.approx(probs.tolist())


def test_a_frozen_parameter_grows_frozen() -> None:
    """What is not to be learnt stays so when other queries enlarge it."""
    model = model_of("t(_, X)::p(X) :- d(X). d(1). d(2).")
    model.compile("p(1)")
    model.distributions.requires_grad_(False)
    model.compile("p(2)")
    assert not model.distributions.logits["clause0"].requires_grad
    assert not model.query(["p(1)", "p(2)"]).probs.requires_grad


def test_many_groundings_are_one_tensor() -> None:
    """However many groundings queries have, compiled together or one by one, a clause has one parameter."""
    text = "t(_, X, Y)::likes(X, Y) :- n(X), n(Y). " + " ".join(f"n({i})." for i in range(12))
    queries = [deepplp.Query(f"likes({i}, Y)") for i in range(12)]
    together, one_by_one = model_of(text), model_of(text)
    together.prepare(queries, jobs=1)
    shapes = [list(p.shape) for p in together.parameters()]
    assert shapes == [[144, 2]]
    for query in queries:
        one_by_one.query(query.query)
    assert [list(p.shape) for p in one_by_one.parameters()] == shapes
    assert together.distributions.groundings(0) == one_by_one.distributions.groundings(0)
    before = [p.data_ptr() for p in together.parameters()]
    together.query_many(queries)
    assert [p.data_ptr() for p in together.parameters()] == before, "asking changes nothing"


def test_asking_changes_no_parameter() -> None:
    """A query that was compiled adds no parameter and moves none, in several threads at once."""
    model = model_of("t(_, X)::p(X) :- d(X). " + " ".join(f"d({i})." for i in range(8)))
    model.prepare([deepplp.Query(f"p({i})") for i in range(8)], jobs=1)
    before = {name: id(p) for name, p in model.named_parameters()}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: model.query(f"p({i % 8})").probs.item(), range(64)))
    assert found == [0.5] * 64
    assert {name: id(p) for name, p in model.named_parameters()} == before


def test_an_optimiser_made_too_early_is_told() -> None:
    """An optimiser that lacks a parameter gets a warning with its name at the first backward pass, and only then."""
    model = model_of("t(0.5)::a. t(_, X)::p(X) :- d(X), a. d(1). d(2).")
    early = torch.optim.SGD(model.parameters(), lr=0.1)
    answers = model.query("p(1)")
    with pytest.warns(errors.LateParameterWarning, match=r"SGD was made before distributions\.logits\.clause1 was"):
        answers.log_prob([0]).sum().backward()
    model.query("p(1)").log_prob([0]).sum().backward()
    del early
    late = torch.optim.Adam(model.parameters())
    loss = model.query("p(2)").log_prob([0]).sum()
    with pytest.warns(errors.LateParameterWarning, match="Adam was made before"):
        loss.backward()
    del late


def test_an_optimiser_made_in_time_is_not_warned() -> None:
    """Queries that are compiled before the optimiser is made are trained in silence; so are other models."""
    model = model_of("t(0.5)::a. t(_, X)::p(X) :- d(X), a. d(1). d(2).")
    other = torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=1.0)
    query = model.compile("p(X)")
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    query().log_prob([0]).sum().backward()
    optimiser.step()
    assert other.param_groups


def test_gradients_keep_distributions() -> None:
    """Whatever an optimiser does to them, parameters of an annotated disjunction stay on the simplex."""
    model = model_of("t(_)::a; t(_)::b; 0.2::c :- d. 0.9::d.")
    optimizer = torch.optim.SGD(model.parameters(), lr=10.0)
    for _ in range(20):
        optimizer.zero_grad()
        (-model.query("a").log_prob([0])).sum().backward()
        optimizer.step()
    p = model.query(["a", "b", "c"]).probs[0].detach()
    assert float(p.sum()) == pytest.approx(0.9)
    assert p[0] > 0.9 * 0.79
    assert float(p[2]) == pytest.approx(0.18)


def test_gradient_by_hand() -> None:
    """The derivative of log P(a, b) by a's logit, with P(a) = softmax, is 1 - P(a)."""
    model = model_of("t(0.3)::a. t(0.6)::b. q :- a, b.")
    model.query("q").log_prob([0]).backward()
    gradients = [p.grad for p in model.parameters()]
    assert [g[0].item() for g in gradients if g is not None] == pytest.approx([0.7, 0.4])


def test_states_and_copies() -> None:
    """state_dict, load_state_dict and deepcopy carry parameters, those of groundings too."""
    model = model_of("t(0.3)::a. t(_, X)::p(X) :- d(X). d(1). d(2).")
    model.query("p(_)")
    with torch.no_grad():
        for p in model.parameters():
            p[..., 0] += torch.arange(1.0, 1.0 + p[..., 0].numel()).reshape(p[..., 0].shape)
    expected = model.query(["a", "p(1)", "p(2)"]).probs
    assert len(set(expected[0].tolist())) == 3
    fresh = model_of("t(0.3)::a. t(_, X)::p(X) :- d(X). d(1). d(2).")
    fresh.load_state_dict(model.state_dict())
    reordered = model_of("t(0.3)::a. t(_, X)::p(X) :- d(X). d(1). d(2).")
    reordered.query("p(2)")
    reordered.load_state_dict(model.state_dict())
    pickled = pickle.loads(pickle.dumps(model))
    for other in (fresh, reordered, copy.deepcopy(model), pickled):
        torch.testing.assert_close(other.query(["a", "p(1)", "p(2)"]).probs, expected)


CLAUSES = "t(0.3)::a. t(_, X)::p(X) :- d(X). 0.2::b; t(_)::c :- \\+a. d(1). d(2)."


@pytest.mark.parametrize(
    ("text", "theirs", "ours"),
    [
        (CLAUSES.replace("::a.", "::z."), "t(_)::a", "t(_)::z"),
        ("t(_, X)::p(X) :- d(X). t(0.3)::a. 0.2::b; t(_)::c :- \\+a. d(1).", "t(_)::a", "t(_,X0)::p(X0) :- d(X0)"),
        (CLAUSES.replace("p(X) :- d(X)", "p(X) :- e(X)"), "t(_,X0)::p(X0) :- d(X0)", "t(_,X0)::p(X0) :- e(X0)"),
        (CLAUSES.replace("0.2::b; t(_)::c", "t(_)::c; 0.2::b"), "_::b; t(_)::c :- \\+a", "t(_)::c; _::b :- \\+a"),
        (CLAUSES.replace("\\+a", "a"), "_::b; t(_)::c :- \\+a", "_::b; t(_)::c :- a"),
    ],
)
def test_a_state_of_other_clauses(text: str, theirs: str, ours: str) -> None:
    """What was learnt for one clause is not loaded into another: the error names both, and nothing is changed."""
    model, other = model_of(CLAUSES), model_of(text)
    model.query("p(_)")
    before = {name: p.detach().clone() for name, p in other.named_parameters()}
    for strict in (True, False):
        with pytest.raises(errors.StateMismatchError) as caught:
            other.load_state_dict(model.state_dict(), strict=strict)
        assert f"is that of {theirs}, and here it is that of {ours};" in str(caught.value)
    for name, parameter in other.named_parameters():
        assert torch.equal(parameter, before[name])


def test_a_state_that_fits() -> None:
    """Numbers, the names of variables and layout are no part of a clause; a state without texts is taken as it is."""
    model = model_of(CLAUSES)
    model.query("p(_)")
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.arange(float(p.numel())).reshape(p.shape))
    state = model.state_dict()
    plain = {key: value for key, value in state.items() if ".clauses." not in key}
    assert len(plain) < len(state)
    expected = model.query(["a", "p(1)", "p(2)", "c"]).probs.detach()
    for text in (CLAUSES, CLAUSES.replace("0.3", "0.9").replace("X", "Whatever").replace(". ", ".\n% more\n")):
        for loaded in (state, plain):
            other = model_of(text)
            other.load_state_dict(loaded)
            assert torch.equal(other.query(["a", "p(1)", "p(2)", "c"]).probs, expected)
    longer = model_of(CLAUSES + " t(0.25)::more.")
    longer.load_state_dict(state, strict=False)
    assert longer.query(["p(2)", "more"]).probs[0].tolist() == pytest.approx([float(expected[0, 2]), 0.25])
    with pytest.raises(RuntimeError, match=r"Unexpected key.*distributions\.logits\.clause2"):
        model_of("t(0.3)::a. t(_, X)::p(X) :- d(X). d(1).").load_state_dict(state)


def test_the_learnt_program_of_a_loaded_state() -> None:
    """It holds the groundings that the state brought, though no query has met them here."""
    text = "t(0.3)::a. t(_, X, f(X))::p(X) :- d(X). d(1). d(2)."
    model, fresh = model_of(text), model_of(text)
    model.query("p(_)")
    with torch.no_grad():
        model.distributions.logits["clause1"][:, 0] = torch.tensor([1.0, 2.0])
    fresh.load_state_dict(model.state_dict())
    assert fresh.learned_program() == model.learned_program()
    again = model_of(fresh.learned_program()).query(["p(1)", "p(2)"]).probs
    torch.testing.assert_close(again, model.query(["p(1)", "p(2)"]).probs)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_parameter_that_is_no_number(value: float) -> None:
    """NaN in a parameter is an error with the clause's place, wherever it is read; other parameters serve on."""
    model = model_of("t(0.3)::a. t(_, X)::p(X) :- d(X).\n0.2::b; t(_)::c. d(1). d(2).")
    model.query(["p(_)", "c"])
    state = model.state_dict()
    state["distributions.logits.clause1"][1, 0] = value
    fresh = model_of("t(0.3)::a. t(_, X)::p(X) :- d(X).\n0.2::b; t(_)::c. d(1). d(2).")
    fresh.load_state_dict(state)
    message = r"p\.pl:1:12: what was learnt for t\(_,X0\)::p\(X0\) :- d\(X0\) .* distributions\.logits\.clause1 for 2 "
    for broken in (model, fresh):
        assert broken.query("a").probs.tolist() == [[pytest.approx(0.3)]]
        for read in (
            lambda m: m.query("p(2)"),
            lambda m: m.query_many([deepplp.Query("a"), deepplp.Query("p(2)")]),
            lambda m: m.compile("p(2)")(),
            lambda m: m.learned_program(),
        ):
            with pytest.raises(errors.InvalidProbabilityError, match=message):
                read(broken)
    with torch.no_grad():
        model.distributions.logits["clause2"][0] = value
    with pytest.raises(errors.InvalidProbabilityError, match=r"p\.pl:2:1: .* distributions\.logits\.clause2 holds NaN"):
        model.query("c")


def test_learned_program() -> None:
    """The learnt program is the text with numbers, and as a program it gives the same answers."""
    text = (
        "% A comment stays.\nt(0.3)::a. t(_)::b; t(_)::c :- a.  % here, too\n"
        "t(_, X)::p(X) :- d(X).\nd(1). d(2).\nquery(a). query(b). query(p(_)).\n"
    )
    model = model_of(text)
    expected = model.query()
    written = model.learned_program()
    assert written.startswith("% A comment stays.\n0.3::a. 0.5::b; 0.5::c :- a.  % here, too\n")
    again = model_of(written).query()
    assert again.terms == expected.terms
    torch.testing.assert_close(again.probs, expected.probs)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("t(1.5)::a.", errors.InvalidProbabilityError, "p.pl:1:1: t(1.5) starts at 1.5, where it could not be learnt"),
        ("t(x)::a.", errors.ProgramSyntaxError, "p.pl:1:1: t(x) must start from a number, as t(0.3), or anywhere"),
        (
            "t(0.7)::a; t(0.6)::b.",
            errors.InvalidProbabilityError,
            "p.pl:1:1: the probabilities of this clause start at a",
        ),
    ],
)
def test_bad_starts(text: str, error: type[Exception], message: str) -> None:
    """A start that is no probability is an error with its place."""
    with pytest.raises(error) as caught:
        model_of(text)
    assert str(caught.value).startswith(message)


def test_evidence_row_by_row() -> None:
    """Evidence as a tensor conditions every row on its own truth value: Bayes by hand."""
    model = model_of("0.3::a. 0.4::b. c :- a. c :- b.")
    answers = model.query("a", evidence={"c": torch.tensor([True, False])})
    p_c = 1 - 0.7 * 0.6
    assert answers.probs[:, 0].tolist() == pytest.approx([0.3 / p_c, 0.0])
    assert answers.log_evidence.exp().tolist() == pytest.approx([p_c, 1 - p_c])


def test_soft_evidence() -> None:
    """A probability is a likelihood (Pearl's virtual evidence): 0.5 says nothing, 0 and 1 are certain."""
    model = model_of("0.3::a.")
    soft = torch.tensor([0.9, 0.5, 0.0, 1.0], dtype=torch.float64)
    found = model.query("a", evidence={"a": soft}).probs[:, 0].tolist()
    assert found == pytest.approx([0.27 / (0.27 + 0.07), 0.3, 0.0, 1.0])


def test_evidence_and_inputs_share_the_batch() -> None:
    """Rows of evidence go with rows of inputs; batch 1 goes with all; other sizes are an error."""
    model = deepplp.Model(
        deepplp.Program.from_string("nn(net, [X]) :: p(X). both :- p(a), p(b)."), {"net": lambda x: x}
    )
    inputs = {"a": torch.tensor([0.2, 0.5, 0.9]), "b": torch.tensor([0.5])}
    answers = model.query("p(b)", inputs, evidence={"both": torch.tensor([False, False, True])})
    p = [0.2, 0.5]
    expected = [(0.5 - x * 0.5) / (1 - x * 0.5) for x in p] + [1.0]
    assert answers.probs[:, 0].tolist() == pytest.approx(expected)
    with pytest.raises(errors.BatchSizeError, match="evidence both: 2"):
        model.query("p(b)", inputs, evidence={"both": torch.tensor([True, False])})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([True], r"the evidence for a must be True or False \(1 or 0\), or a tensor \[batch\] .*, not \[True\]"),
        (torch.tensor([[True]]), r"the evidence for a has shape \[1, 1\]; it must be \[batch\]"),
        (torch.tensor([1, 2]), "must lie between 0 and 1; it goes from 1 to 2"),
        (torch.tensor([1.5]), "must lie between 0 and 1; it goes from 1.5 to 1.5"),
        (torch.tensor([float("nan")]), "must lie between 0 and 1"),
    ],
)
def test_bad_evidence_tensors(value: torch.Tensor, message: str) -> None:
    """Evidence that is no truth value is an error that says what it is."""
    with pytest.raises(errors.QueryError, match=message):
        model_of("0.3::a.").query("a", evidence={"a": value})


def test_learning_from_partial_observations() -> None:
    """Maximising the likelihood of partial observations finds the maximum-likelihood parameters, known in closed form.

    Two coins; of ten tosses, the first coin is seen in all (four heads), the second only through "some head": with the
    first coin's tails seen, some head there is the second's head (three of six).
    """
    model = model_of("t(_)::one. t(_)::two. some :- one. some :- two.")
    one = torch.tensor([True] * 4 + [False] * 6)
    some = torch.tensor([True] * 4 + [True] * 3 + [False] * 3)
    optimizer = torch.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe", max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = -model.query("one", evidence={"one": one, "some": some}).log_evidence.sum()
        value.backward()
        return value

    optimizer.step(loss)
    assert model.query(["one", "two"]).probs[0].tolist() == pytest.approx([0.4, 0.5], abs=1e-5)


def test_gradient_of_the_evidence() -> None:
    """The derivative of log P(evidence) agrees with central differences, with kernel and reference."""
    model = model_of("t(0.3)::a. t(0.6)::b. c :- a, \\+b. c :- b. q :- a.")
    soft = torch.tensor([0.2, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: model.query("q", evidence={"c": s}).log_evidence, (soft,))
    assert torch.autograd.gradgradcheck(lambda s: model.query("q", evidence={"c": s}).log_evidence, (soft,))
