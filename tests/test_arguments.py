"""What a network may be given: tensors, lists of tensors, Python values, vectors of symbols; and what of it is kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import deepplp
from deepplp import errors
from tests.oracles import central_differences


def model_of(text: str, **networks: Any) -> deepplp.Model:
    """A model of a program's text."""
    return deepplp.Model(deepplp.Program.from_string(text, "p.pl"), networks)


class Reader:
    """A network of Python values that remembers what it was given; it says yes with probability 1 / number of rows."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *columns: Any) -> Tensor:
        """Probabilities [rows]."""
        self.calls.append(columns)
        return torch.full((len(columns[0]),), 1 / len(columns[0]), dtype=torch.float64)


def test_values_reach_the_network_as_python_values() -> None:
    """Numbers, atoms, strings and lists of them arrive as ints, floats, texts and lists, one a row, in one call."""
    reader = Reader()
    text = """nn(reader, [X, Y]) :: r(X, Y).
    q :- r(1, foo), r(2.5, "a b"), r([1, [c, 'D e']], f(x)), r(1, foo)."""
    answers = model_of(text, reader=deepplp.Network(reader, inputs="values")).query("q")
    assert reader.calls == [([1, 2.5, [1, ["c", "D e"]]], ["foo", "a b", deepplp.Term("f", ("x",))])]
    assert answers.probs.tolist() == [[pytest.approx(1 / 27)]]


def test_values_beside_tensors() -> None:
    """A value is repeated for every row of the tensors beside it; an input's name is a tensor, not a value."""
    seen: list[Any] = []

    def network(x: Tensor, words: list[str]) -> Tensor:
        seen.append(words)
        return torch.sigmoid(x[:, 0] * torch.tensor([float(len(w)) for w in words]))

    model = model_of(
        "nn(net, [X, Y]) :: r(X, Y). q :- r(i, word), r(j, be).", net=deepplp.Network(network, inputs="values")
    )
    i, j = torch.randn(3, 1), torch.randn(3, 1)
    answers = model.query("q", {"i": i, "j": j})
    assert seen == [["word"] * 3 + ["be"] * 3]
    torch.testing.assert_close(answers.probs[:, 0].float(), torch.sigmoid(4 * i[:, 0]) * torch.sigmoid(2 * j[:, 0]))


def test_items_of_sources_may_be_values() -> None:
    """A source of texts serves a network that takes values, and no other."""
    reader = Reader()
    model = model_of("nn(net, [X]) :: p(X).", net=deepplp.Network(reader, inputs="values"))
    model.add_tensor_source("texts", ["good", "bad"])
    assert model.query(["p(tensor(texts(0)))", "p(tensor(texts(1)))"]).probs.tolist() == [[0.5, 0.5]]
    assert reader.calls == [(["good", "bad"],)]
    plain = model_of("nn(net, [X]) :: p(X).", net=reader)
    plain.add_tensor_source("texts", ["good"])
    with pytest.raises(errors.InputError, match="item 0 of tensor source 'texts' is a str, no tensor"):
        plain.query("p(tensor(texts(0)))")


def test_a_value_for_a_network_of_tensors() -> None:
    """A term that is no tensor is an error that says how to hand it over as it is."""
    with pytest.raises(errors.MissingInputError) as caught:
        model_of("nn(net, [X]) :: p(X).", net=Reader()).query("p(word)")
    assert str(caught.value).startswith(
        "p.pl:1:1: network 'net' needs a tensor for word, which is no input of this call"
    )
    assert "deepplp.Network(net, inputs='values')" in str(caught.value)


def test_lists_of_tensors() -> None:
    """A list of tensors is one argument: a list of tensors with the rows of all groundings."""
    shapes: list[list[list[int]]] = []

    def network(tensors: list[Tensor]) -> Tensor:
        shapes.append([list(t.shape) for t in tensors])
        return torch.sigmoid(tensors[0][:, 0] - tensors[-1][:, 0])

    model = model_of("nn(net, [L]) :: p(L). q :- p([a, b]), p([b, a]), \\+p([a, b, c]).", net=network)
    inputs = {n: torch.randn(4, 2) for n in "abc"}
    answers = model.query("q", inputs)
    assert sorted(shapes) == [[[4, 2]] * 3, [[8, 2]] * 2]
    a, b, c = (inputs[n][:, 0] for n in "abc")
    expected = torch.sigmoid(a - b) * torch.sigmoid(b - a) * (1 - torch.sigmoid(a - c))
    torch.testing.assert_close(answers.probs[:, 0].float(), expected)


def test_lists_of_tensors_of_batch_one() -> None:
    """A tensor of batch 1 in a list is repeated to the batch of the others."""
    model = model_of("nn(net, [L]) :: p(L).", net=lambda ts: torch.sigmoid(torch.stack(ts).sum(0)))
    answers = model.query("p([a, b])", {"a": torch.zeros(3), "b": torch.zeros(1)})
    assert answers.probs.tolist() == [[0.5]] * 3


def test_lists_that_mix_tensors_and_values() -> None:
    """A list of tensors and values is refused: the network could not tell rows from items."""
    model = model_of("nn(net, [L]) :: p(L).", net=deepplp.Network(Reader(), inputs="values"))
    with pytest.raises(
        errors.InputError, match=r"p\.pl:1:1: the list \[a, 3\] for network 'net' mixes tensors and values"
    ):
        model.query("p([a, 3])", {"a": torch.zeros(2)})


def test_one_term_instead_of_a_list() -> None:
    """A single input may stand without brackets, as DeepProbLog has it."""
    answers = model_of("nn(net, X, Y, [u, v]) :: p(X, Y).", net=lambda x: x).query(
        "p(a, Y)", {"a": torch.tensor([[0.25, 0.75]])}
    )
    assert dict(zip(answers.terms, answers.probs[0].tolist(), strict=True)) == {"p(a,u)": 0.25, "p(a,v)": 0.75}


def embedding_model() -> deepplp.Model:
    """Two relations with vectors of three numbers."""
    torch.manual_seed(0)
    model = model_of(
        "nn(net, [R, X]) :: holds(R, X). q :- holds(sibling, x), \\+holds(parent, x).",
        net=lambda r, x: torch.sigmoid((r * x).sum(1)),
    )
    model.add_embedding("relation", ["sibling", "parent"], dimension=3)
    return model


def test_symbols_are_rows_of_a_table() -> None:
    """An embedded symbol is its vector, repeated for the batch; gradients flow into the table."""
    model, x = embedding_model(), torch.randn(5, 3)
    table = model.embeddings["relation"].weight
    expected = torch.sigmoid(x @ table[0]) * (1 - torch.sigmoid(x @ table[1]))
    answers = model.query("q", {"x": x})
    torch.testing.assert_close(answers.probs[:, 0].float(), expected)
    (ours,) = torch.autograd.grad(answers.probs.sum(), table, retain_graph=True)
    (by_hand,) = torch.autograd.grad(expected.sum(), table)
    torch.testing.assert_close(ours, by_hand)


def test_tables_belong_to_the_model() -> None:
    """An embedding is saved, copied and optimised with the model."""
    model, x = embedding_model(), torch.randn(2, 3)
    assert "embeddings.relation.weight" in model.state_dict()
    other = copy.deepcopy(model)
    with torch.no_grad():
        model.embeddings["relation"].weight.zero_()
    assert model.query("q", {"x": x}).probs.tolist() == [[0.25], [0.25]]
    assert other.query("q", {"x": x}).probs.tolist() != [[0.25], [0.25]]
    other.load_state_dict(model.state_dict())
    assert other.query("q", {"x": x}).probs.tolist() == [[0.25], [0.25]]


def test_symbols_that_cannot_be_embedded() -> None:
    """A symbol has one vector, a table one name; a symbol without a vector is an error."""
    model = embedding_model()
    with pytest.raises(errors.QueryError, match="parent is embedded already"):
        model.add_embedding("more", ["uncle", "parent"], 3)
    with pytest.raises(errors.QueryError, match="uncle is embedded already"):
        model.add_embedding("more", ["uncle", "uncle"], 3)
    with pytest.raises(errors.QueryError, match="'relation' cannot name an embedding"):
        model.add_embedding("relation", ["uncle"], 3)
    with pytest.raises(errors.QueryError, match="symbols are a list such as"):
        model.add_embedding("letters", "uncle", 3)
    for dimension in (0, "3"):
        with pytest.raises(errors.QueryError, match="the dimension of an embedding is a number from 1"):
            model.add_embedding("more", ["uncle"], dimension)  # type: ignore[arg-type]
    with pytest.raises(errors.MissingInputError, match="needs a tensor for uncle"):
        model.query("holds(uncle, x)", {"x": torch.zeros(1, 3)})


def test_the_k_most_probable_values() -> None:
    """With k, the other values of each row count as 0, and the mass that was cut is reported."""
    text = "nn(net, [X], Y, [0..3]) :: d(X, Y). s(Z) :- d(a, A), d(b, B), Z is A + B."
    rows = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.15, 0.1, 0.05]], dtype=torch.float64)
    model = model_of(text, net=deepplp.Network(lambda x: x, k=2))
    answers = model.query("s(Z)", {"a": rows, "b": rows.flip(1)})
    found = dict(zip(answers.terms, answers.probs.T.tolist(), strict=True))
    # Row 0: a is 2 or 3, b is 0 or 1. Row 1: a is 0 or 1, b is 2 or 3.
    assert found["s(2)"] == pytest.approx([0.3 * 0.4, 0.7 * 0.15])
    assert found["s(3)"] == pytest.approx([0.3 * 0.3 + 0.4 * 0.4, 0.7 * 0.7 + 0.15 * 0.15])
    assert found["s(0)"] == [0.0, 0.0]
    assert answers.cut_mass["net"].tolist() == pytest.approx([0.3, 0.15])
    assert model_of(text, net=lambda x: x).query("s(Z)", {"a": rows, "b": rows}).cut_mass == {}


def test_k_is_at_least_one() -> None:
    """A network that keeps nothing is a mistake, and so is a misspelt kind of inputs."""
    with pytest.raises(errors.NetworkOutputError, match="k is a number of values, at least 1, not 0"):
        deepplp.Network(nn.Identity(), k=0)
    with pytest.raises(errors.NetworkInputError, match="inputs must be one of tensors, values, not 'text'"):
        deepplp.Network(nn.Identity(), inputs="text")  # type: ignore[arg-type]


def test_facts_belong_to_one_query() -> None:
    """Facts of a query count for it alone; they may be probabilistic, name inputs, and hold rules and evidence."""
    text = """path(X, Y) :- edge(X, Y). path(X, Y) :- edge(X, Z), path(Z, Y). nn(net, [X]) :: open(X)."""
    model = model_of(text, net=lambda x: x)
    first = model.query("path(a, X)", facts="0.5::edge(a, b). edge(b, c).")
    assert dict(zip(first.terms, first.probs[0].tolist(), strict=True)) == {"path(a,b)": 0.5, "path(a,c)": 0.5}
    second = model.query("path(a, X)", facts="0.2::edge(a, b). edge(b, d). evidence(path(a, d)).")
    assert dict(zip(second.terms, second.probs[0].tolist(), strict=True)) == {"path(a,b)": 1.0, "path(a,d)": 1.0}
    doors = model.query("path(a, b)", {"i": torch.tensor([0.1, 0.9])}, facts="edge(a, b) :- open(i).")
    assert doors.probs.flatten().tolist() == pytest.approx([0.1, 0.9])
    with pytest.raises(errors.UnknownPredicateError, match="no clauses for edge/2"):
        model.query("path(a, X)")


def test_errors_in_facts_point_into_them() -> None:
    """An error in a query's facts says where in them; the program's own errors still point into the program."""
    model = model_of("path(X, Y) :- edge(X, Y), missing(X).")
    with pytest.raises(errors.ProgramSyntaxError, match=r"^<facts>:2:5: '\(' has no partner"):
        model.query("path(a, X)", facts="edge(a, b).\nedge(b, c.")
    with pytest.raises(errors.UnknownPredicateError, match=r"^p\.pl:1:27: no clauses for missing/1"):
        model.query("path(a, X)", facts="edge(a, b).")
    with pytest.raises(errors.InvalidProbabilityError, match=r"^<facts>:1:\d+: the probability 1\.5 of edge\(a,b\)"):
        model.query("path(a, X)", facts="1.5::edge(a, b). missing(a).")
    with pytest.raises(errors.UnsupportedConstructError, match=r"^<facts>:1:1: facts of a query hold no t"):
        model.query("path(a, X)", facts="t(0.2)::edge(a, b).")
    with pytest.raises(errors.UnknownNetworkError, match=r"^<facts>:1:1: no network 'other' for nn\(other"):
        model.query("path(a, X)", facts="nn(other, [x]) :: edge(a, b).")
    with pytest.raises(errors.QueryError, match="facts are a text"):
        model.query("path(a, X)", facts=["edge(a, b)"])  # type: ignore[arg-type]


def test_gradients_through_every_kind_of_argument() -> None:
    """Gradients through lists, values and symbols agree with central differences."""
    weight = torch.randn(3, dtype=torch.float64)

    def network(symbol: Tensor, tensors: list[Tensor]) -> Tensor:
        return torch.sigmoid((symbol * weight).sum(1) + tensors[0] * tensors[1])

    model = model_of("nn(net, [R, L]) :: p(R, L). q :- p(u, [a, b]), \\+p(v, [b, a]).", net=network)
    model.add_embedding("symbol", ["u", "v"], 3).double()
    b = torch.randn(2, dtype=torch.float64)

    def value(a: Any) -> Tensor:
        return model.query("q", {"a": torch.as_tensor(a), "b": b}).log_probs.sum()

    start = torch.randn(2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(value(start), start)
    numeric = central_differences(lambda a: float(value(a).detach()), start.detach().numpy())
    assert gradient.tolist() == pytest.approx(numeric.tolist(), rel=1e-6)
