"""Prepared queries, and what a caller may leave to the model: more inputs than needed, rows without meaning, dtypes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import deepplp
from deepplp import Query, errors

PROGRAM = """
nn(digits, [X], Y, [0..2]) :: digit(X, Y).
t(0.3) :: noise.
sum(X, Y, S) :- digit(X, A), digit(Y, B), S is A + B.
loud(X) :- noise, digit(X, 1).
quiet(_, _) :- \\+noise.
"""


class Reader(nn.Module):
    """A linear reader of two features."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 3).double()

    def forward(self, x: Tensor) -> Tensor:
        """Distributions [rows, 3]."""
        return torch.softmax(self.linear(x), dim=1)


def make() -> deepplp.Model:
    """A model with one network and one parameter, from one seed."""
    torch.manual_seed(0)
    return deepplp.Model(deepplp.Program.from_string(PROGRAM), {"digits": Reader()}, cache=False)


def features(seed: int, rows: int) -> Tensor:
    """Random features [rows, 2]."""
    return torch.randn(rows, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(0, 1000), st.sampled_from([1, 2, 5]), st.sampled_from([1, 5]), st.booleans())
def test_a_prepared_query_is_the_query(seed: int, rows: int, other: int, observed: bool) -> None:
    """A prepared query gives the answers and gradients of the query that is looked up, with evidence or without."""
    rows = rows if other == 1 else other
    inputs = {"a": features(seed, rows), "b": features(seed + 1, other)}
    soft = torch.linspace(0.1, 0.9, rows, dtype=torch.float64)
    known = {"digit(a, 1)": soft} if observed else {}
    found = []
    for prepared in (False, True):
        model = make()
        if prepared:
            query = model.compile("sum(a, b, S)", ["a", "b"], evidence=dict.fromkeys(known))
            answers = query(**inputs, evidence=known) if known else query(inputs)
        else:
            answers = model.query("sum(a, b, S)", inputs, evidence=known)
        answers.log_prob([1] * rows).sum().backward()
        grads = [p.grad for p in model.parameters()]
        found.append((answers.terms, answers.probs, answers.log_evidence, grads))
    assert found[0][0] == found[1][0]
    for ours, theirs in zip(found[0][1:3], found[1][1:3], strict=True):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(found[0][3], found[1][3], strict=True):
        assert (ours is None and theirs is None) or torch.equal(ours, theirs)


def test_its_parameters_are_the_models() -> None:
    """A prepared query is a module over the model's own parameters: an optimiser of either trains both."""
    model = make()
    query = model.compile(["sum(a, b, 2)", "loud(a)"], ["a", "b"])
    assert dict(query.named_parameters()).keys() == dict(model.named_parameters()).keys()
    assert all(p is q for p, q in zip(query.parameters(), model.parameters(), strict=True))
    optimiser = torch.optim.SGD(query.parameters(), lr=1.0)
    before = model.query("loud(a)", {"a": features(0, 1)}).probs.item()
    (-query(a=features(0, 1), b=features(1, 1)).log_prob([1])).sum().backward()
    optimiser.step()
    assert model.query("loud(a)", {"a": features(0, 1)}).probs.item() > before
    query.eval()
    assert not model.networks["digits"].training


def test_copies_and_pickles_of_a_prepared_query() -> None:
    """A copy answers by itself, with parameters of its own."""
    query = make().compile("sum(a, b, S)", ["a", "b"])
    inputs = {"a": features(0, 3), "b": features(1, 3)}
    expected = query(inputs).probs
    for other in (copy.deepcopy(query), pickle.loads(pickle.dumps(query))):
        assert torch.equal(other(inputs).probs, expected)
        with torch.no_grad():
            next(other.parameters()).zero_()
        assert torch.equal(query(inputs).probs, expected)
        assert not torch.allclose(other(inputs).probs, expected)


NETWORKS = {
    "right": Reader,
    "float32": lambda: nn.Sequential(Reader(), _Changed(Tensor.float)),
    "half": lambda: nn.Sequential(Reader(), _Changed(Tensor.half)),
    "below zero by rounding": lambda: _Changed(lambda x: x.new_tensor([-5e-7, 0.5, 0.5 + 5e-7]).expand(len(x), 3)),
    "no distribution": lambda: _Changed(lambda x: x.new_tensor([0.5, 0.5, 0.5]).expand(len(x), 3)),
    "not a number": lambda: _Changed(lambda x: x.new_full((len(x), 3), float("nan"))),
    "of another width": lambda: _Changed(lambda x: x.new_full((len(x), 2), 0.5)),
    "whole numbers": lambda: _Changed(lambda x: torch.ones(len(x), 3, dtype=torch.long)),
    "no tensor": lambda: _Changed(lambda x: None),  # type: ignore[arg-type, return-value]
    "failing": lambda: _Changed(lambda x: x @ x),
    "logits": lambda: deepplp.Network(nn.Linear(2, 3).double(), output="logits"),
    "cut": lambda: deepplp.Network(Reader(), k=2),
}
INPUTS = {
    "alike": lambda: {"a": features(0, 3), "b": features(1, 3)},
    "one row for all": lambda: {"a": features(0, 3), "b": features(1, 1)},
    "no rows": lambda: {"a": features(0, 0), "b": features(1, 0)},
    "of two types": lambda: {"a": features(0, 3), "b": features(1, 3).float()},
    "no tensor": lambda: {"a": features(0, 3).tolist(), "b": features(1, 3)},
    "no batch": lambda: {"a": torch.tensor(1.0), "b": features(1, 3)},
    "missing": lambda: {"a": features(0, 3)},
    "to be learnt": lambda: {"a": nn.Parameter(features(0, 3)), "b": features(1, 3)},
    "with labels": lambda: {"a": features(0, 3), "b": features(1, 3), "labels": [1, 2, 3]},
    "of other sizes": lambda: {"a": features(0, 3), "b": features(1, 2)},
}


class _Changed(nn.Module):
    """A function as a network."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        """What the function gives."""
        return self.change(x)


@pytest.mark.parametrize("dtype", [None, torch.float32])
@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_short_way_is_the_long_one(network: str, inputs: str, dtype: torch.dtype | None) -> None:
    """The same answers, gradients and errors by the short way, where there is one, as without it."""
    found: list[object] = []
    for short in (True, False):
        torch.manual_seed(0)
        model = deepplp.Model(deepplp.Program.from_string(PROGRAM), {"digits": NETWORKS[network]()}, cache=False)
        query = model.compile("sum(a, b, S)", ["a", "b"], dtype=dtype)
        assert query._straight is not None
        if not short:
            query._straight = None
        given = INPUTS[inputs]()
        try:
            answers = query(given)
            result = [answers.probs.detach(), answers.upper.detach()]
            result += [answers.log_prob([1] * len(answers.probs)).detach()]
            if answers.probs.requires_grad:
                answers.probs.square().sum().backward()
            tensors = [*model.parameters(), *(x for x in given.values() if isinstance(x, nn.Parameter))]
            result += [torch.zeros(0) if p.grad is None else p.grad for p in tensors]
            found.append([(t.dtype, t.shape, t.tolist()) for t in result])
        except errors.DeepPLPError as error:
            found.append((type(error), str(error)))
    assert found[0] == found[1]


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a query of one network without evidence; not by one that reads a parameter as well."""
    model = make()
    short, long = model.compile("sum(a, b, S)", ["a", "b"]), model.compile("loud(a)", ["a"])
    observed = model.compile("sum(a, b, S)", ["a", "b"], evidence={"digit(a, 1)": None})
    monkeypatch.setattr("deepplp.queries.prepared.request_of", None)
    inputs = {"a": features(0, 2), "b": features(1, 2)}
    assert short(inputs).probs.shape == (2, 5)
    for query in (long, observed):
        assert query._straight is None


def test_mistakes_of_a_call() -> None:
    """An input that is missing, misspelt or of another batch size is named; so is evidence that was not announced."""
    model = make()
    query = model.compile("sum(a, b, S)", inputs=["a", "b"])
    with pytest.raises(errors.MissingInputError, match="the input 'b' is not given; there are: a"):
        query(a=features(0, 1))
    with pytest.raises(errors.InputError, match="compiled without an input 'c'; its inputs are: a, b"):
        query(a=features(0, 1), b=features(0, 1), c=features(0, 1))
    with pytest.raises(errors.BatchSizeError, match="a: 2, b: 3"):
        query(a=features(0, 2), b=features(0, 3))
    with pytest.raises(errors.MissingInputError, match="needs a tensor for b"):
        model.compile("sum(a, b, S)", inputs=["a"])
    with pytest.raises(errors.UnusedInputError, match=r"the input 'image' stands nowhere .*; with extra='ignore'"):
        model.compile("sum(a, b, S)", inputs=["a", "b", "image"])
    with pytest.raises(errors.InputError, match=r"by name, as q\(a=…, b=…\), or as one mapping, not as a Tensor"):
        query(features(0, 1))
    with pytest.raises(errors.InputError, match="inputs are names"):
        model.compile("sum(a, b, S)", inputs="ab")
    watched = model.compile("sum(a, b, S)", ["a", "b"], evidence={"digit(a,1)": None})
    with pytest.raises(errors.QueryError, match=r"none is given for digit\(a,1\)"):
        watched(a=features(0, 1), b=features(0, 1))
    answers = watched(a=features(0, 1), b=features(0, 1), evidence={"digit( a, 1 )": torch.tensor([True])})
    assert answers.probs[0, 0].item() == 0


def test_evidence_that_the_query_does_not_wait_for() -> None:
    """A tensor that would count for nothing is an error: of an atom not announced, or of one said twice."""
    model = deepplp.Model(deepplp.Program.from_string("0.5::a. 0.5::b. c :- a. c :- b."))
    seen = torch.tensor([True, False])
    plain, watched = model.compile("a"), model.compile("a", evidence={"c": None, "b": False})
    assert watched(evidence={" c ": torch.tensor([0.5, 1.0])}).probs.flatten().tolist() == pytest.approx([0.5, 1.0])
    with pytest.raises(errors.QueryError, match=r"without evidence for b.*\{'b': None\}.*awaited for: none"):
        plain(evidence={"b": seen})
    with pytest.raises(errors.QueryError, match=r"without evidence for b.*awaited for: c$"):
        watched(evidence={"c": seen, "b": seen})
    with pytest.raises(errors.QueryError, match="two tensors are given as evidence for c, spelt in two ways"):
        watched(evidence={"c": seen, " c ": seen})
    with pytest.raises(errors.QueryError, match="two tensors are given as evidence for c, spelt in two ways"):
        model.query("a", evidence={"c": seen, " c ": ~seen})
    with pytest.raises(errors.QueryError, match="two tensors are given as evidence for c, spelt in two ways"):
        model.compile("a", evidence={"c": None, "c ": None})
    assert model.query("a", evidence={"c": torch.tensor([0.5]), " c": True}).probs.item() == pytest.approx(2 / 3)
    for value in (seen, seen.numpy(), 0.5, "yes"):
        with pytest.raises(
            errors.QueryError, match=r"for c must be True or False or.*None, not.*prepared\(evidence=\{'c': …\}\)"
        ):
            model.compile("a", evidence={"c": value})
    assert model.compile("a", evidence={"b": 0})().probs.item() == pytest.approx(0.5)
    with pytest.raises(errors.QueryError, match="evidence is a mapping"):
        model.compile("a", evidence=["c"])
    with pytest.raises(errors.QueryError, match="evidence is a mapping"):
        watched(evidence=seen)
    # What the circuit does not read is awaited all the same.
    apart = model.compile("b", evidence={"a": None})
    assert apart(evidence={"a": seen}).probs.tolist() == [[0.5], [0.5]]


def test_inputs_that_the_query_does_not_need() -> None:
    """They tell the batch size, as in a query that is not prepared; what else a mapping holds does not."""
    model = make()
    query = model.compile("quiet(a, b)", inputs=(name for name in ["a", "b"]))
    batch = {"a": features(0, 3), "b": features(1, 1)}
    assert query(batch).probs.shape == model.query("quiet(a, b)", batch).probs.shape == (3, 1)
    assert query({**batch, "label": torch.arange(7), "file": "x.png"}).probs.shape == (3, 1)
    assert query(b=features(1, 2)).probs.shape == (2, 1)
    assert query().probs.shape == (1, 1)
    with pytest.raises(errors.BatchSizeError, match="a: 3, b: 2"):
        query(a=features(0, 3), b=features(0, 2))
    with pytest.raises(errors.InputError, match="inputs are names, such as"):
        model.compile("quiet(a, b)", inputs=None)


def test_a_batch_may_hold_more() -> None:
    """Batches of a loader carry labels and names: ``extra="ignore"`` leaves them alone, and nothing else does."""
    model = make()
    batch = {"a": features(0, 4), "b": features(1, 4), "label": torch.arange(7), "file": ["x.png"] * 4, "n": 3}
    expected = model.query("sum(a, b, S)", {"a": batch["a"], "b": batch["b"]}).probs
    found = model.query("sum(a, b, S)", batch, extra="ignore").probs
    assert torch.equal(found, expected)
    assert torch.equal(model.query("sum(a, b, S)", {**batch, "n": 4}, extra="ignore").probs, expected)
    many = model.query_many([Query("sum(a, b, S)", batch), Query("loud(a)", batch)], extra="ignore")
    assert torch.equal(many[0].probs, expected)
    prepared = model.compile("sum(a, b, S)", ["a", "b"])
    assert torch.equal(prepared(batch).probs, expected)
    with pytest.raises(errors.DeepPLPError):
        model.query("sum(a, b, S)", batch)
    with pytest.raises(errors.MissingInputError, match="needs a tensor for c"):
        model.query("sum(a, c, S)", batch, extra="ignore")
    with pytest.raises(errors.QueryError, match="extra is 'error' or 'ignore', not 'drop'"):
        model.query("sum(a, b, S)", batch, extra="drop")


def test_rows_without_meaning() -> None:
    """Rows whose evidence has probability 0 are an error that names them, or NaN where the caller says so."""
    model = deepplp.Model(
        deepplp.Program.from_string("nn(net, [X]) :: p(X). q(X) :- p(X). r :- \\+r0. r0."), {"net": lambda x: x}
    )
    x = torch.tensor([0.25, 0.0, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    with pytest.raises(errors.InconsistentEvidenceError, match="probability 0 in rows 1, 3 of the batch") as caught:
        model.query("q(a)", {"a": x}, evidence={"p(a)": True})
    assert caught.value.rows == (1, 3)
    answers = model.query("q(a)", {"a": x}, evidence={"p(a)": True}, on_inconsistent="nan")
    assert torch.isnan(answers.probs[:, 0]).tolist() == [False, True, False, True]
    answers.log_evidence[[0, 2]].sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4.0, 0.0, 2.0, 0.0]
    many = [Query("q(a)", {"a": x[i : i + 1]}, {"p(a)": True}) for i in range(4)]
    found = model.query_many(many, on_inconsistent="nan")
    assert [bool(torch.isnan(a.probs)) for a in found] == [False, True, False, True]
    with pytest.raises(errors.InconsistentEvidenceError, match="the evidence of queries 1, 3 has probability 0"):
        model.query_many(many)
    with pytest.raises(errors.InconsistentEvidenceError, match="the evidence r contradicts the program"):
        model.query("q(a)", {"a": x}, evidence={"r": True})
    impossible = model.query("q(a)", {"a": x}, evidence={"r": True}, on_inconsistent="nan")
    assert bool(torch.isnan(impossible.probs).all())
    with pytest.raises(errors.QueryError, match="on_inconsistent is 'raise' or 'nan', not 'skip'"):
        model.query("q(a)", {"a": x}, on_inconsistent="skip")


def test_rows_that_contradict_what_is_compiled_in() -> None:
    """A prepared query of one network names the rows whose output makes its evidence impossible, as any query does."""
    program = deepplp.Program.from_string("nn(net, [X], Y, [0..2]) :: digit(X, Y).")
    query = deepplp.Model(program, {"net": lambda x: x}).compile("digit(a, Y)", ["a"], evidence={"digit(a, 0)": False})
    with pytest.raises(errors.InconsistentEvidenceError, match="in row 1 of the batch"):
        query(a=torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]))
    assert query(a=torch.tensor([[0.5, 0.125, 0.375]])).probs.tolist() == [[0.0, 0.25, 0.75]]


def test_a_domain_may_hold_none() -> None:
    """The atom ``none`` is a value like any other, and not the value that no head takes."""
    program = "nn(net, [X], Y, [red, none]) :: colour(X, Y). 0.3::a(none); 0.2::a(b). seen(X) :- \\+colour(X, none)."
    model = deepplp.Model(deepplp.Program.from_string(program), {"net": lambda x: x}, cache=False)
    x = torch.tensor([[0.25, 0.75]])
    answers = model.query(["colour(i, C)", "seen(i)", "a(X)"], {"i": x})
    assert dict(zip(answers.terms, answers.probs[0].tolist(), strict=True)) == pytest.approx(
        {"colour(i,none)": 0.75, "colour(i,red)": 0.25, "seen(i)": 0.25, "a(b)": 0.2, "a(none)": 0.3}
    )
    report = model.compilation_report("colour(i, none)", {"i": x})
    assert report.names == ("colour(i, ·)",)
