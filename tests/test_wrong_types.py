"""Arguments of a wrong type: an error of deepplp's own that says what is wanted, never one of Python's or torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import deepplp
from deepplp import Model, Program, Query, errors

PROGRAM = Program.from_string("nn(net, [X], Y, [0, 1]) :: bit(X, Y). 0.3::b. c :- b. query(c).")
ROW = torch.tensor([[0.5, 0.5]])


def model(**networks: Any) -> Model:
    """A model of the program."""
    return Model(PROGRAM, {"net": lambda x: x, **networks}, cache=False)


Call = Callable[[Any], object]

CALLS: dict[str, tuple[Call, str, list[Any]]] = {
    "a program's text": (Program.from_string, "a program is a text", [None, b"a.", ["a."], torch.tensor(1.0)]),
    "a program's name": (lambda v: Program.from_string("a.", v), "a program's name is a text", [None, 3]),
    "a program's file": (Program.from_file, "a program's file is a path", [None, 3, b"p.pl", torch.tensor(1.0)]),
    "a model's file": (Model, "a program's file is a path", [None, 3, b"p.pl"]),
    "a file to answer": (deepplp.probabilities, "a program's file is a path", [None, 3, b"p.pl"]),
    "a file to check": (deepplp.check_file, "a program's file is a path", [None, 3, b"p.pl"]),
    "a network's name": (
        lambda v: Model(PROGRAM, {"net": lambda x: x, v: lambda x: x}),
        "a network's name is a text without full stops",
        [None, 3, b"a", "", "a.b"],
    ),
    "a cache": (
        lambda v: Model(PROGRAM, {"net": lambda x: x}, cache=v),
        "cache is a folder, or False",
        [0, b"folder", "a\0b", ["folder"]],
    ),
    "inputs": (lambda v: model().query("bit(a, Y)", v), "inputs is a mapping", [[], "", ROW, ["a"]]),
    "evidence": (lambda v: model().query("c", evidence=v), "evidence is a mapping", [[], "", ROW, ["b"]]),
    "inputs of one of many": (lambda v: model().query_many([Query("c", v)]), "inputs is a mapping", [[], ROW]),
    "evidence of one of many": (
        lambda v: model().query_many([Query("c", evidence=v)]),
        "evidence is a mapping",
        [[], ROW],
    ),
    "one of many": (lambda v: model().query_many([Query(v)]), "a query is a text", [3, ROW]),
    "many": (model().query_many, "queries are a list", [None, 3, ROW, Query("c")]),
    "queries to prepare": (model().prepare, "queries are a list", [None, 3, ROW, Query("c")]),
    "jobs": (lambda v: model().prepare([Query("c")], v), "jobs is a number of processes", [0, 1.5, "", None, ROW]),
    "names of inputs": (lambda v: model().compile("bit(a, Y)", v), "inputs are names", [None, 3, torch.tensor(1.0)]),
    "tensors of a prepared query": (lambda v: model().compile("bit(a, Y)", ["a"])(v), "'a' is not given", [{1: 2}]),
    "evidence of a prepared query": (
        lambda v: model().compile("c", evidence=v),
        "evidence is a mapping",
        [[], ROW, ["b"]],
    ),
    "an order": (
        lambda v: model().compilation_report("c", order=v),
        "an order is one of",
        [3, [["a"]], [7], [-1], [Query("c")], torch.tensor(1.0)],
    ),
    "a source's name": (lambda v: model().add_tensor_source(v, {}), "a tensor source's name is a text", [None, [], 3]),
    "an embedding's name": (
        lambda v: model().add_embedding(v, ["a"], 2),
        "cannot name an embedding",
        [None, [], 3, deepplp],
    ),
    "symbols": (
        lambda v: model().add_embedding("e", v, 2),
        "symbols are a list",
        [None, 3, "likes", torch.tensor(1.0)],
    ),
    "inputs of a function": (
        lambda v: model().register("f", lambda: 1, v),
        "inputs is the number of arguments",
        [None, -1, 1.5, 10**59],
    ),
    "evidence to ground": (
        lambda v: deepplp.ground(PROGRAM, "c", evidence=v),
        "evidence is",
        [3, ["b"], ROW, {1: True}],
    ),
    "a budget to ground": (
        lambda v: deepplp.ground(PROGRAM, "c", budget=v),
        "budget is a deepplp.GroundBudget",
        [3, 0, ROW, deepplp.CompileBudget()],
    ),
    "a budget to compile": (
        lambda v: deepplp.compile(deepplp.ground(PROGRAM, "c"), budget=v),
        "budget is a deepplp.CompileBudget",
        [3, 0, ROW, deepplp.GroundBudget()],
    ),
    "a text to quote": (deepplp.quote, "an atom stands for a text", [None, 3, b"a"]),
    "a term's name": (lambda v: str(deepplp.Term(v, (1,))), "an atom stands for a text", [None, 3]),
    "a term's arguments": (
        lambda v: str(deepplp.Term("f", v)),
        "a term's arguments are a tuple",
        [3, torch.tensor(1.0), ROW],
    ),
}


@pytest.mark.parametrize(
    ("what", "value"), [pytest.param(w, v, id=f"{w}-{i}") for w, c in CALLS.items() for i, v in enumerate(c[2])]
)
def test_wrong_types(what: str, value: Any) -> None:
    """Each argument of each public call says what it takes."""
    call, says, _ = CALLS[what]
    with pytest.raises(errors.DeepPLPError) as caught:
        call(value)
    assert says in str(caught.value)


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_given(value: Any) -> None:
    """None and an empty mapping stand for no inputs and no evidence."""
    assert model().query("c", value, evidence=value).probs.tolist() == [[0.3]]
    assert model().query_many([Query("c", value, value)])[0].probs.tolist() == [[0.3]]
    assert model().compile("c", evidence=value)().probs.tolist() == [[0.3]]
