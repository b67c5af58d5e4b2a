"""Queries whose structures differ, answered together: answers and gradients of each alone, one call a network."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import deepplp
from deepplp import Query, errors

PROGRAM = """
nn(digits, [X], Y, [0..2]) :: digit(X, Y).
nn(camera, [X]) :: seen(X).
t(0.3) :: noise.
0.1 :: fault(X) :- place(X).
sum([], 0).
sum([X|Xs], S) :- digit(X, D), sum(Xs, R), S is D + R.
alarm(X) :- seen(X), \\+noise.
alarm(X) :- place(X), fault(X).
path(X, Y) :- edge(X, Y).
path(X, Y) :- edge(X, Z), path(Z, Y).
"""


class Counting(nn.Module):
    """A linear network that counts its calls and rows."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2, values).double()
        self.rows: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        """Logits [rows, values]."""
        self.rows.append(len(x))
        return self.linear(x)


def model() -> deepplp.Model:
    """A model with two networks and a parameter, from one seed."""
    torch.manual_seed(0)
    networks = {"digits": deepplp.Network(Counting(3), "logits"), "camera": deepplp.Network(Counting(1), "logits")}
    return deepplp.Model(deepplp.Program.from_string(PROGRAM + "place(nowhere). edge(z, z)."), networks)


def image(seed: int, rows: int = 1) -> Tensor:
    """Random features [rows, 2]."""
    return torch.randn(rows, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sum_query(length: int, seed: int, rows: int = 1) -> Query:
    """The sum of a list of images."""
    names = [f"x{i}" for i in range(length)]
    return Query(f"sum([{', '.join(names)}], S)", {n: image(seed + i, rows) for i, n in enumerate(names)})


@st.composite
def queries(draw: st.DrawFn) -> list[Query]:
    """Queries of many structures, some of them alike, with facts, evidence and batch sizes of their own."""
    found = []
    for seed in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["sum", "sum", "alarm", "path"]))
        if kind == "sum":
            rows = draw(st.sampled_from([1, 1, 3]))
            query = sum_query(draw(st.integers(1, 3)), 10 * seed, rows)
            if draw(st.booleans()):
                evidence: dict[str, Any] = {"digit(x0, 1)": draw(st.booleans())}
                if draw(st.booleans()):
                    evidence = {"digit(x0, 2)": torch.tensor([0.25, 0.5, 0.75][:rows])}
                query = Query(query.query, query.inputs, evidence)
        elif kind == "alarm":
            query = Query(["alarm(i)", "noise"], {"i": image(seed)}, {"seen(i)": True} if draw(st.booleans()) else {})
            if draw(st.booleans()):
                query = Query(query.query, query.inputs, query.evidence, "place(i).")
        else:
            edges = draw(st.lists(st.sampled_from(["a, b", "b, c", "a, c", "c, a"]), min_size=1, unique=True))
            query = Query("path(a, X)", facts=" ".join(f"0.5::edge({e})." for e in edges))
        found.append(query)
    return found


@given(queries())
def test_many_are_each_alone(asked: list[Query]) -> None:
    """Answers, their logarithms, the evidence's likelihood and all gradients are those of the queries one by one."""
    together, alone = model(), model()
    many = together.query_many(asked)
    single = [alone.query(q.query, q.inputs, evidence=q.evidence, facts=q.facts) for q in asked]
    assert len(many) == len(single)
    for ours, theirs in zip(many, single, strict=True):
        assert ours.terms == theirs.terms
        torch.testing.assert_close(ours.probs, theirs.probs)
        torch.testing.assert_close(ours.log_probs, theirs.log_probs)
        torch.testing.assert_close(ours.log_evidence, theirs.log_evidence)
    for each in (many, single):
        finite = [a.log_probs[torch.isfinite(a.log_probs)].sum() for a in each]
        loss = torch.stack(
            [a.probs.square().sum() + f + a.log_evidence.sum() for a, f in zip(each, finite, strict=True)]
        )
        if loss.requires_grad:
            loss.sum().backward()
    for (name, ours_p), theirs_p in zip(together.named_parameters(), alone.parameters(), strict=True):
        expected = theirs_p.grad if theirs_p.grad is not None else torch.zeros_like(theirs_p)
        found = ours_p.grad if ours_p.grad is not None else torch.zeros_like(ours_p)
        torch.testing.assert_close(found, expected, msg=name, rtol=1e-8, atol=1e-10)
    for network in together.networks.values():
        assert len(network.module.rows) <= 1, "one call a network"


def test_one_tensor_is_one_row() -> None:
    """A tensor that several queries share goes through the network once."""
    m = model()
    x = image(1)
    many = m.query_many([Query("sum([a], S)", {"a": x}), Query("sum([b, b], S)", {"b": x}), Query("seen(c)", {"c": x})])
    assert m.networks["digits"].module.rows == [1]
    assert m.networks["camera"].module.rows == [1]
    assert [len(a) for a in many] == [3, 5, 1]


def test_targets() -> None:
    """The log-probability of one answer a query, by term or by index."""
    asked = [sum_query(n, n) for n in (1, 2, 3)]
    many = model().query_many(asked)
    found = many.log_prob(["sum([x0], 1)", "sum([x0, x1], 0)", "sum([x0, x1, x2], 6)"])
    expected = [float(a.log_probs[0, i].detach()) for a, i in zip(many, (1, 0, 6), strict=True)]
    assert found.tolist() == pytest.approx(expected)
    assert many.log_prob([1, 0, 6]).tolist() == pytest.approx(expected)
    with pytest.raises(errors.TargetError, match="there are 3 queries and 2 targets"):
        many.log_prob([0, 0])
    for wrong in (-1, 7):
        with pytest.raises(
            errors.TargetError, match=f"query 2: target {wrong} is no answer: there are 7, counted from 0"
        ):
            many.log_prob([1, 0, wrong])


def test_no_queries() -> None:
    """Nothing asked, nothing answered; a text is no query here."""
    with pytest.raises(errors.QueryError, match=r"each of several queries is a deepplp\.Query, not 'p'"):
        model().query_many("path(a, b)")  # type: ignore[arg-type]
    assert len(model().query_many([])) == 0


@pytest.mark.parametrize("rows", [(0,), (0, 0), (0, 0, 0, 0), (1, 0), (0, 1, 0), (2, 0, 1), (9, 0, 0)])
def test_a_batch_may_be_empty(rows: tuple[int, ...]) -> None:
    """The last batch of a loader may be empty: such a query has no rows, and changes nothing for the others."""
    asked = [sum_query(1 + number // 2, 10 * number, count) for number, count in enumerate(rows)]
    asked.append(Query(["alarm(i)", "noise"], {"i": image(0, rows[0])}, {"seen(i)": torch.full((rows[0],), 0.25)}))
    reference = model()
    expected = [reference.query(q.query, q.inputs, evidence=q.evidence) for q in asked]
    for found, alone in zip(model().query_many(asked), expected, strict=True):
        for kind in ("probs", "log_probs", "log_evidence"):
            torch.testing.assert_close(getattr(found, kind), getattr(alone, kind))
        assert found.log_prob([0] * len(found.probs)).shape == (len(alone.probs),)


def test_contradictory_evidence_names_the_queries() -> None:
    """The queries whose evidence is impossible are named by their numbers."""
    asked = [
        Query("path(a, b)", facts="0.5::edge(a, b). 0.0::edge(b, a). evidence(path(a, b))."),
        Query("seen(i)", {"i": image(0)}),
        Query("seen(i)", {"i": image(0)}, {"noise": torch.tensor([True])}),
        Query("noise", facts="evidence(noise, false).", evidence={"noise": torch.tensor([True])}),
    ]
    with pytest.raises(errors.InconsistentEvidenceError, match="the evidence of query 3 has probability 0") as caught:
        model().query_many(asked)
    assert caught.value.rows == (3,)


@pytest.mark.parametrize("more", [[], [Query("path(z, z)")]])
@pytest.mark.parametrize("count", [2, 9])
def test_evidence_that_is_impossible_in_one_of_many_alike(count: int, more: list[Query]) -> None:
    """It is named whether queries of one circuit are rows of a batch or stand end to end, or is NaN where asked for."""
    m = model()
    known = [{"place(nowhere)": torch.tensor([float(number != 1)])} for number in range(count)]
    asked = [Query("seen(i)", {"i": image(number)}, evidence) for number, evidence in enumerate(known)] + more
    with pytest.raises(errors.InconsistentEvidenceError, match="the evidence of query 1 has probability 0") as caught:
        m.query_many(asked)
    assert caught.value.rows == (1,)
    found = m.query_many(asked, on_inconsistent="nan")
    assert [bool(answers.probs.isnan().all()) for answers in found] == [number == 1 for number in range(len(asked))]


def test_queries_that_are_no_list() -> None:
    """One query is told from a list of them, and what is no query is shown in few words."""
    model = deepplp.Model(deepplp.Program.from_string("0.3::p."))
    with pytest.raises(errors.QueryError, match=r"queries are a list such as \[.*\], not one alone$"):
        model.query_many(Query("p"))  # type: ignore[arg-type]
    inputs = {"a": torch.zeros(50, 50)}
    for ask in (lambda: model.query(inputs), lambda: model.query_many([("p", inputs)])):  # type: ignore[list-item, arg-type]
        with pytest.raises(errors.QueryError) as caught:
            ask()
        assert len(str(caught.value)) < 200


def test_errors_name_the_query() -> None:
    """A network's bad output names the query whose input it was."""
    net = deepplp.Network(lambda x: x)
    m = deepplp.Model(deepplp.Program.from_string("nn(net, [X], Y, [0, 1]) :: d(X, Y)."), {"net": net})
    good, bad = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.5, 0.75]])
    with pytest.raises(errors.NetworkOutputError, match=r"input b of query 1, row 0: .* does not sum to one"):
        m.query_many([Query("d(a, Y)", {"a": good}), Query("d(b, Y)", {"b": bad})])


def test_what_k_cuts_is_told_for_each_query() -> None:
    """Each query's answers say what was cut from its own rows."""
    net = deepplp.Network(lambda x: x, k=1)
    m = deepplp.Model(deepplp.Program.from_string("nn(net, [X], Y, [0..2]) :: d(X, Y). e(X) :- d(X, 1)."), {"net": net})
    first, second = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.125, 0.75, 0.125]])
    many = m.query_many([Query("d(a, Y)", {"a": first}), Query("d(b, 1)", {"b": second})])
    assert [a.cut_mass["net"].tolist() for a in many] == [[0.5], [0.25]]
    assert many[0].probs.dtype == torch.float64
    assert m.query_many([Query("d(b, 1)", {"b": second})], dtype=torch.float32)[0].probs.dtype == torch.float32


def test_derived_tensors_belong_to_their_query() -> None:
    """Tensors that networks compute from inputs of the same name in two queries are two tensors."""
    program = "nn(encoder, [X], E) :: embed(X, E). nn(yes, [E]) :: yes(E). q(X) :- embed(X, E), yes(E)."
    networks = {"encoder": lambda x: 2 * x, "yes": torch.sigmoid}
    m = deepplp.Model(deepplp.Program.from_string(program), networks)
    many = m.query_many([Query("q(a)", {"a": torch.tensor([v])}) for v in (0.0, 1.0)])
    assert [float(a.probs) for a in many] == pytest.approx([0.5, float(torch.sigmoid(torch.tensor(2.0)))])


@pytest.mark.parametrize("large", [0, 10**9])
def test_where_a_circuit_is_walked_changes_nothing(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large circuits are walked by themselves, small ones end to end: answers and gradients are the same."""
    monkeypatch.setattr("deepplp.queries.batch._LARGE", large)
    asked = [sum_query(n, 7 * n) for n in (3, 2, 3, 1, 2)]
    together, alone = model(), model()
    many = together.query_many(asked)
    single = [alone.query(q.query, q.inputs) for q in asked]
    for ours, theirs in zip(many, single, strict=True):
        torch.testing.assert_close(ours.log_probs, theirs.log_probs)
    many.log_prob([1] * 5).sum().backward()
    torch.cat([a.log_prob([1]) for a in single]).sum().backward()
    for ours, theirs in zip(together.networks.parameters(), alone.networks.parameters(), strict=True):
        assert (ours.grad is None) == (theirs.grad is None)
        if theirs.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_query_whose_evidence_contradicts_itself_is_named_by_its_number() -> None:
    """Of several queries, the one whose evidence no world satisfies is told by its number, counted from 0."""
    model = deepplp.Model(deepplp.Program.from_string("0.3::a. 0.4::b. c :- a, b."))
    queries = [Query("a"), Query("a", evidence={"b": True, "c": True, "a": False}), Query("b")]
    with pytest.raises(errors.InconsistentEvidenceError) as caught:
        model.query_many(queries)
    assert caught.value.message == (
        r"query 1, counted from 0: the evidence \+a, c contradicts itself or the program: no world satisfies all of it"
    )
    assert caught.value.rows == (1,)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("rows", [1, 2])
def test_underflow_beside_a_small_circuit(first: int, rows: int) -> None:
    """A probability beyond float64's range keeps its logarithm and its derivatives beside a query of one fact."""
    count, p = 150, 1e-4
    facts = "".join(f"nn(net, [x], Y, [yes, no]) :: f{i}(Y). " for i in range(count))
    body = ", ".join(f"f{i}(yes)" for i in range(count))
    program = deepplp.Program.from_string(
        f"{facts} nn(net, [y], Y, [yes, no]) :: small(Y). all :- {body}. half :- all, small(yes)."
    )
    m = deepplp.Model(program, {"net": lambda x: x})
    x = torch.tensor([[p, 1 - p]] * rows, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[0.25, 0.75]], dtype=torch.float64, requires_grad=True)
    queries = [
        Query("all", {"x": x}),
        Query("small(yes)", {"y": y}),
        Query("half", {"x": x, "y": y}, {"all": True}),
        Query("all", {"x": x, "y": y}, {"half": True}),
    ]
    answers = list(m.query_many(queries[first:] + queries[:first]))  # the small one stands second, or before all others
    everything, small, half, certain = answers[len(queries) - first :] + answers[: len(queries) - first]
    assert everything.probs.flatten().tolist() == [0.0] * rows
    assert everything.log_probs.flatten().tolist() == pytest.approx([count * math.log(p)] * rows)
    assert small.probs.flatten().tolist() == [0.25]
    assert half.probs.flatten().tolist() == pytest.approx([0.25] * rows)
    assert half.log_probs.exp().flatten().tolist() == pytest.approx([0.25] * rows)
    assert half.log_evidence.tolist() == pytest.approx([count * math.log(p)] * rows)
    assert certain.probs.flatten().tolist() == [1.0] * rows
    by_y, by_x = torch.autograd.grad(half.probs.sum(), (y, x), retain_graph=True)
    assert by_y[0].tolist() == pytest.approx([rows, 0.0])
    assert by_x.abs().max() < 1e-6 * count / p  # what is added for the query is taken away for its evidence
    (by_x,) = torch.autograd.grad(everything.log_probs.sum(), x)
    assert by_x[:, 0].tolist() == pytest.approx([count / p] * rows)
    for one, query in zip((everything, small, half, certain), queries, strict=True):
        alone = m.query(query.query, query.inputs, evidence=query.evidence)
        torch.testing.assert_close(one.probs, alone.probs)
        torch.testing.assert_close(one.log_probs, alone.log_probs)


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (Query("d(a, Z)"), errors.UnknownPredicateError, "no clauses for d/2"),
        (Query("seen(c"), errors.ProgramSyntaxError, "'(' has no partner"),
        (Query("seen(c)"), errors.MissingInputError, "network 'camera' needs a tensor for c"),
        (Query("noise", {"w": torch.zeros(1, 2)}), errors.UnusedInputError, "the input 'w' stands nowhere"),
        (Query("noise", facts="0.3::"), errors.ProgramSyntaxError, "this statement does not end"),
        (Query("place(X)", facts="1.5::place(a)."), errors.InvalidProbabilityError, "the probability 1.5 of place(a)"),
    ],
)
def test_errors_of_asking_name_the_query(query: Query, error: type[errors.DeepPLPError], message: str) -> None:
    """An error of one of several queries says which one it is, by its number and its text; so does its pickle."""
    m = model()
    with pytest.raises(error) as caught:
        m.query_many([Query("noise"), query, Query("noise")])
    assert caught.value.message.startswith(f"query 1, counted from 0: {message}")
    assert caught.value.message.endswith(f"; the query is {query.query!r}")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(
        errors.QueryError, match=r"query 1, counted from 0: each of several queries is a deepplp\.Query"
    ):
        m.query_many([Query("noise"), "noise"])  # type: ignore[list-item]


def test_argmax() -> None:
    """The most probable answer of each query; an error names the query that has none, or several rows."""
    facts = "0.6::edge(a, b). 0.3::edge(a, c)."
    m = model()
    many = m.query_many([Query("path(a, X)", facts=facts), Query("noise"), Query("path(X, c)", facts=facts)])
    assert many.argmax() == ["path(a,b)", "noise", "path(a,c)"]
    assert many.argmax() == [answers.argmax()[0] for answers in many]
    assert m.query_many([]).argmax() == []
    with pytest.raises(errors.QueryError, match="query 1: there are no answers, so none is most probable"):
        m.query_many([Query("noise"), Query("path(c, X)", facts=facts)]).argmax()
    with pytest.raises(errors.QueryError, match=r"query 0 has 2 rows; ask it alone: answers\[0\]\.argmax\(\)"):
        m.query_many([Query("seen(c)", {"c": torch.zeros(2, 2, dtype=torch.float64)})]).argmax()
