"""Python values in place of tensors: texts, numbers, lists and terms, from programs, queries and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import deepplp
from deepplp import Term, errors, quote, term_text
from deepplp.grounding import to_python
from deepplp.program import parse_goal, unquoted

MOOD = "nn(net, [X], Y, [good, bad]) :: mood(X, Y).\n"


class Heard:
    """A network that remembers what it is given, and finds everything good."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __call__(self, values: Sequence[object]) -> Tensor:
        self.calls.append(values)
        return torch.tensor([[0.75, 0.25]]).expand(len(values), 2)


def model_of(text: str, net: Heard) -> deepplp.Model:
    """A model whose network takes Python values."""
    return deepplp.Model(deepplp.Program.from_string(text, "p.pl"), {"net": deepplp.Network(net, inputs="values")})


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12) | st.text("\\'\"\n\t ab%", max_size=8)
)
def test_a_quoted_text_is_read_back(text: str) -> None:
    """Whatever a text holds, its quoted atom parses, and means the text again."""
    term = parse_goal(f"p({quote(text)}, x)")
    assert to_python(term.args[0]) == text
    assert [to_python(a) for a in parse_goal(f"p({term_text(Term('f', (text, [text, 1])))}, x)").args] == [
        Term("f", (text, [text, 1])),
        "x",
    ]


@pytest.mark.parametrize(
    "text", ["it's", 'say "hi"', "two\nlines", "back\\slash", "ends in \\", "plain", "Capital", ""]
)
def test_a_network_is_given_the_text_that_was_quoted(text: str) -> None:
    """A query's quoted text reaches a network as the text itself."""
    net = Heard()
    answers = model_of(MOOD, net).query(f"mood({quote(text)}, good)")
    assert net.calls == [[text]]
    assert answers.probs.tolist() == [[0.75]]


def test_compound_terms_are_structures() -> None:
    """A compound reaches a network and a function as a term with a name and arguments, however it is written."""
    net = Heard()
    model = model_of(MOOD, net)
    model.query("mood(review('it\\'s fine', [1, 2.5, at(x)], \"s\"), Y)")
    expected = Term("review", ("it's fine", [1, 2.5, Term("at", ("x",))], "s"))
    assert net.calls == [[expected]]
    assert (expected.functor, expected.args[0]) == ("review", "it's fine")
    assert str(expected) == r"review('it\'s fine',[1, 2.5, at(x)],s)"
    model.query("mood(1 + 2, Y)")
    assert net.calls[-1] == [Term("+", (1, 2))]
    seen: list[object] = []
    model.register("swap", lambda t: seen.append(t) or Term(t.functor, t.args[::-1]), inputs=1)
    assert model.query(["mood(a, good)"]).terms == ("mood(a,good)",)
    program = deepplp.Program.from_string("q(Y) :- swap(pair(a, 'B c'), Y).")
    other = deepplp.Model(program)
    other.register("swap", lambda t: Term(t.functor, t.args[::-1]), inputs=1)
    assert other.query("q(Y)").terms == ("q(pair('B c',a))",)


def test_deep_terms_reach_networks() -> None:
    """A term that is nested thousands of times is no recursion."""
    net = Heard()
    model_of(MOOD, net).query("mood(" + "f(" * 3000 + "a" + ")" * 3000 + ", Y)")
    depth, term = 0, net.calls[0][0]
    while isinstance(term, Term):
        depth, term = depth + 1, term.args[0]
    assert (depth, term) == (3000, "a")


@pytest.mark.parametrize(
    "texts", [["a", "b"], ("a", "b"), np.array(["a", "b"]), [Term("f", (1,)), "b"], [["x", "y"], ["z"]]]
)
def test_an_input_of_values(texts: Sequence[object]) -> None:
    """A network that takes values takes a batch of them as an input, one a row, beside tensors and evidence."""
    net = Heard()
    model = model_of(MOOD, net)
    answers = model.query("mood(x, Y)", {"x": texts})
    assert answers.probs.tolist() == [[0.25, 0.75]] * 2  # of bad, of good
    assert net.calls == [list(texts)]
    prepared = model.compile("mood(x, Y)", ["x"])
    assert prepared(x=texts).probs.tolist() == [[0.25, 0.75]] * 2
    many = model.query_many(
        [deepplp.Query("mood(x, good)", {"x": texts}), deepplp.Query("mood(y, good)", {"y": ["c"]})]
    )
    assert [a.probs.flatten().tolist() for a in many] == [[0.75, 0.75], [0.75]]
    observed = model.query("mood(x, good)", {"x": texts}, evidence={"mood(x, bad)": torch.tensor([True, False])})
    assert observed.probs.tolist() == [[0.0], [1.0]]


def test_values_where_tensors_are_needed() -> None:
    """A batch of values for a network or function of tensors is an error that says so; sizes must agree."""
    net = Heard()
    program = deepplp.Program.from_string(
        f"{MOOD}P :: near(X, Y) :- rbf(X, Y, P).\nboth :- mood(a, good), mood(b, good)."
    )
    model = deepplp.Model(program, {"net": net})
    with pytest.raises(errors.InputError, match="network 'net' takes tensors, and is given 2 Python values"):
        model.query("mood(x, Y)", {"x": ["a", "b"]})
    with pytest.raises(errors.NetworkInputError, match="rbf takes tensors, and is given 2 Python values"):
        model.query("near(x, y)", {"x": ["a", "b"], "y": torch.rand(2)})
    with pytest.raises(errors.BatchSizeError, match=r"a: 2, b: 3"):
        model.query("both", {"a": ["a", "b"], "b": ["a", "b", "c"]})
    assert not net.calls


@pytest.mark.parametrize("kind", [int, bool, np.bool_, np.int64])
def test_evidence_by_zero_and_one(kind: type) -> None:
    """Truth values are Python's, numpy's, or the integers 0 and 1, wherever evidence is given."""
    program = deepplp.Program.from_string("0.5::a. 0.5::b. c :- a. c :- b.")
    model = deepplp.Model(program)
    evidence = {"a": kind(0), "c": kind(1)}
    assert model.query("b", evidence=evidence).probs.tolist() == [[1.0]]
    assert model.compile("b", evidence=evidence)().probs.tolist() == [[1.0]]
    (answers,) = model.query_many([deepplp.Query("b", evidence={"a": kind(1)})])
    assert answers.probs.tolist() == [[0.5]]
    known = deepplp.ground(program, "b", evidence=evidence).evidence
    assert [str(goal.term) for goal in known] == ["\\+a", "c"]


@pytest.mark.parametrize("value", [2, -1, 0.5, float("nan"), "x", "true", [1], np.float64(1.0), np.int64(2)])
def test_evidence_that_is_no_truth_value(value: Any) -> None:
    """Anything else in place of a truth value is refused by name, by models and by `deepplp.ground`."""
    program = deepplp.Program.from_string("0.5::a. 0.5::b.")
    model = deepplp.Model(program)
    for ask in (
        lambda: model.query("b", evidence={"a": value}),
        lambda: model.compile("b", evidence={"a": value}),
        lambda: deepplp.ground(program, "b", evidence={"a": value}),
    ):
        with pytest.raises(errors.QueryError, match="the evidence for a must be True or False"):
            ask()


def test_integers_in_a_tensor_of_evidence() -> None:
    """A tensor [batch] of zeros and ones is one of truth values."""
    model = deepplp.Model(deepplp.Program.from_string("0.25::a. 0.5::b. c :- a, b."))
    answers = model.query("c", evidence={"a": torch.tensor([0, 1])})
    assert answers.probs.tolist() == [[0.0], [0.5]]


@pytest.mark.parametrize("text", ["0.5::a.", "a :- b.", "a.", "p(1).", "0.5::a.\nquery(a).\n"])
def test_a_text_in_place_of_a_file(text: str) -> None:
    """A program's text where a file's name should be is said to be one, with what to call instead."""
    with pytest.raises(
        errors.ProgramFileError, match=r"is a program's text, no file's name: deepplp\.Program\.from_string"
    ):
        deepplp.Model(text)
    with pytest.raises(errors.ProgramFileError, match=r"cannot read nowhere/p\.pl: No such file"):
        deepplp.Model("nowhere/p.pl")


def test_escapes_of_characters_by_number() -> None:
    """A character may be written by its number in hexadecimal, in an atom and in a string."""
    assert unquoted(r"'caf\u00e9 \n'") == "caf\u00e9 \n"
    assert unquoted(r'"\u2713"', '"') == "\u2713"
