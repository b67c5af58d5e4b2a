"""nn/5: labels each of which may hold by itself, decided by one network with an output a label."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import deepplp
from deepplp import errors

LABELS = ("animal", "dog", "cat")
PROGRAM = """
nn(tagger, [X], L, [animal, dog, cat], independent) :: has(X, L).
t(0.25) :: noise.
pet(X) :- has(X, dog), \\+noise.
pet(X) :- has(X, cat).
wrong(X) :- has(X, L), L \\= animal, \\+has(X, animal).
both(X, Y) :- has(X, L), has(Y, L), pet(X).
"""


def identity(x: Tensor) -> Tensor:
    """A network whose input is its output."""
    return x


def expected(p: list[float], q: list[float], seen: bool) -> dict[str, float]:
    """P(pet(a)), P(wrong(a)), P(both(a, b)) given that ``both(a, b)`` is ``seen`` or not said, over all worlds."""
    totals = dict.fromkeys(("pet(a)", "wrong(a)", "both(a,b)", "evidence"), 0.0)
    for bits in itertools.product((False, True), repeat=7):
        mine, other, noise = (
            dict(zip(LABELS, bits[:3], strict=True)),
            dict(zip(LABELS, bits[3:6], strict=True)),
            bits[6],
        )
        weight = 0.25 if noise else 0.75
        for given_p, holds in zip([*p, *q], bits[:6], strict=True):
            weight *= given_p if holds else 1 - given_p
        pet = (mine["dog"] and not noise) or mine["cat"]
        both = pet and any(mine[label] and other[label] for label in LABELS)
        if seen and not both:
            continue
        totals["evidence"] += weight
        totals["pet(a)"] += weight * pet
        totals["wrong(a)"] += weight * ((mine["dog"] or mine["cat"]) and not mine["animal"])
        totals["both(a,b)"] += weight * both
    return {term: total / totals["evidence"] for term, total in totals.items() if term != "evidence"}


probability = st.floats(0.05, 0.95)


@given(st.lists(probability, min_size=3, max_size=3), st.lists(probability, min_size=3, max_size=3), st.booleans())
@pytest.mark.parametrize("grounder", ["auto", "problog"])
def test_labels_against_all_worlds(grounder: str, p: list[float], q: list[float], seen: bool) -> None:
    """Labels are independent choices: every answer is the sum over all worlds, in both engines, with evidence too."""
    model = deepplp.Model(deepplp.Program.from_string(PROGRAM), {"tagger": identity}, grounder=grounder, cache=False)  # type: ignore[arg-type]
    inputs = {"a": torch.tensor([p], dtype=torch.float64), "b": torch.tensor([q], dtype=torch.float64)}
    answers = model.query(["pet(a)", "wrong(a)", "both(a, b)"], inputs, evidence={"both(a, b)": True} if seen else None)
    found = dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))
    assert found == pytest.approx(expected(p, q, seen), rel=1e-9)


@pytest.mark.parametrize("output", ["probabilities", "logits", "log_probabilities"])
def test_an_empty_batch(output: str) -> None:
    """No rows in, no rows out, and a gradient of no rows."""
    x = torch.zeros(0, 3, requires_grad=True)
    network = deepplp.Network(identity, output)  # type: ignore[arg-type]
    answers = deepplp.Model(deepplp.Program.from_string(PROGRAM), {"tagger": network}).query("has(a, L)", {"a": x})
    assert answers.probs.shape == (0, 3)
    assert answers.argmax() == []
    answers.probs.sum().backward()
    assert x.grad is not None


def test_one_call_for_all_labels_and_inputs() -> None:
    """The network is called once on all inputs; single answers, all answers, and queries together agree."""
    rows: list[int] = []

    def tagger(x: Tensor) -> Tensor:
        rows.append(len(x))
        return x

    model = deepplp.Model(deepplp.Program.from_string(PROGRAM), {"tagger": tagger}, cache=False)
    a, b = torch.rand(4, 3, dtype=torch.float64), torch.rand(4, 3, dtype=torch.float64)
    every = model.query("both(a, b)", {"a": a, "b": b}).probs
    assert rows == [8]
    queries = [deepplp.Query("both(a, b)", {"a": a[i : i + 1], "b": b[i : i + 1]}) for i in range(4)]
    queries.append(deepplp.Query("has(a, cat)", {"a": a}))
    many = model.query_many(queries)
    torch.testing.assert_close(torch.cat([m.probs for m in many[:4]]), every)
    torch.testing.assert_close(many[4].probs[:, 0], a[:, 2])


def test_a_single_label_may_be_missing() -> None:
    """A label alone need not hold: lists with it and without it have both their worlds."""
    text = "nn(net, [X], L, [cat], independent) :: has(X, L). l(X, Ls) :- findall(L, has(X, L), Ls)."
    model = deepplp.Model(deepplp.Program.from_string(text), {"net": identity}, cache=False)
    found = model.query("l(a, L)", {"a": torch.tensor([[0.25]], dtype=torch.float64)})
    assert dict(zip(found.terms, found.probs[0].tolist(), strict=True)) == {"l(a,[])": 0.75, "l(a,[cat])": 0.25}


def test_gradients_reach_each_label() -> None:
    """The derivative by a label's output is the plain partial derivative."""
    model = deepplp.Model(deepplp.Program.from_string(PROGRAM), {"tagger": identity}, cache=False)
    x = torch.tensor([[0.5, 0.25, 0.75]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: model.query(["pet(a)", "wrong(a)"], {"a": t}).probs, (x,))


def test_what_is_no_probability_is_named() -> None:
    """Each output lies between 0 and 1, there is one a label, and logits are declared."""
    program = deepplp.Program.from_string(PROGRAM, "p.pl")
    model = deepplp.Model(program, {"tagger": identity}, cache=False)
    with pytest.raises(errors.NetworkOutputError, match=r"input a, row 1: the output \[1.5\] .* not between 0 and 1"):
        model.query("pet(a)", {"a": torch.tensor([[0.5, 0.5, 0.5], [0.5, 1.5, 0.5]])})
    with pytest.raises(errors.NetworkOutputError, match=r"needs \[1, 3\]: its domain has 3 values"):
        model.query("pet(a)", {"a": torch.tensor([[0.5, 0.5]])})
    logits = deepplp.Model(program, {"tagger": deepplp.Network(identity, output="logits")}, cache=False)
    found = logits.query("has(a, dog)", {"a": torch.tensor([[9.0, 0.0, -9.0]])}).probs
    assert found.tolist() == [[0.5]]
    with pytest.raises(errors.ProgramSyntaxError, match="the fifth argument of nn is the word independent"):
        deepplp.Program.from_string("nn(n, [X], L, [a], alone) :: has(X, L).")
