"""A probability of 0 or 1 is a number like any other: the program may state it, or a tensor may give it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

import deepplp
from deepplp import errors
from deepplp.compilation import impossible_queries, stated

RULES = """
    known(p).
    nn(digit, [X], Y, [0..2]) :: d(X, Y).
    0.5::b.
    q(X) :- a, d(X, 1).
    r(X) :- a.
    r(X) :- d(X, 1).
    s(X) :- \\+a, d(X, 1).
    seen :- a, d(image, 1).
    two(X, Y) :- a, d(X, 1).
    two(X, Y) :- d(Y, 2).
    flag(X) :- a.
    c(1) :- a.
    c(2) :- b.
    not_a :- \\+a.
    never :- a, \\+a.
    never_two(X) :- a, d(X, 0), d(X, 1).
"""
CHOICE = "l(X) :- c(X). no(w) :- c(Y), \\+c(w). both :- c(u), c(w). one :- c(u). one :- c(v)."
ROWS = torch.tensor([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.125, 0.25, 0.625]], dtype=torch.float64)
INPUTS = {"x": ROWS, "y": ROWS[:1], "image": ROWS, "v": torch.zeros(7)}
Source = Literal["fact", "weight", "network", "tensor"]


def model(source: Source, value: float, rules: str = RULES, **options: Any) -> tuple[deepplp.Model, dict[str, Tensor]]:
    """A program in which a has a probability that comes from somewhere, and what is given for that."""
    given = {"p": torch.tensor([value], dtype=torch.float64)}
    networks: dict[str, Any] = {"digit": lambda x: x}
    match source:
        case "fact":
            text = f"{value}::a."
        case "weight":
            text = f"P::a :- w(P). w({value})."
        case "network":
            text, networks["yes"] = "nn(yes, [p]) :: a.", lambda x: x
        case "tensor":
            text = "P::a :- mul(p, 1.0, P)."
    program = deepplp.Program.from_string(text + rules)
    return deepplp.Model(program, networks, cache=False, **options), given


def outcome(found: Any) -> Any:
    """What a call gives: numbers with the terms, or the kind of error."""
    try:
        answers = found()
    except errors.DeepPLPError as error:
        return type(error)
    log_evidence = answers.log_evidence.exp().tolist()
    return answers.terms, answers.unanswered, torch.nan_to_num(answers.probs, nan=-1.0).tolist(), log_evidence


EVIDENCE: list[Mapping[str, Any]] = [
    {},
    {"a": True},
    {"a": False},
    {"flag(x)": True, "b": True},
    {"c(1)": False},
    {"a": torch.tensor([1.0, 0.0, 0.5], dtype=torch.float64)},
]


@pytest.mark.parametrize("grounder", ["tabled", "problog"])
@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("source", ["fact", "weight"])
@pytest.mark.parametrize(
    "asked",
    [
        "a",
        "q(x)",
        "r(x)",
        "s(x)",
        "seen",
        "two(x, y)",
        "two(y, x)",
        "flag(x)",
        "c(X)",
        "not_a",
        "never",
        "never_two(x)",
    ],
)
def test_a_stated_number_is_as_good_as_a_tensor(source: Source, value: float, asked: str, grounder: str) -> None:
    """Terms, rows, values, the likelihood of evidence and the kinds of errors are the same."""
    ours, _ = model(source, value, grounder=grounder)
    named = {name: INPUTS[name] for name in ("x", "y") if name in asked} or {"image": INPUTS["image"]}
    for other in ("network", "tensor"):
        theirs, given = model(other, value)  # type: ignore[arg-type]
        for evidence in EVIDENCE:
            mine = named | ({"x": INPUTS["x"]} if "flag(x)" in evidence else {})
            for on_inconsistent, extra in (("raise", "ignore"), ("nan", "ignore"), ("nan", "error")):
                options: Any = {"evidence": evidence, "on_inconsistent": on_inconsistent, "extra": extra}
                inputs = INPUTS if extra == "ignore" else mine
                right = outcome(lambda: theirs.query(asked, {**inputs, **given}, **options))  # noqa: B023
                assert outcome(lambda: ours.query(asked, inputs, **options)) == right, (evidence, extra)  # noqa: B023


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("impossible", ["error", "ignore"])
@pytest.mark.parametrize("asked", ["a", "q(x)", "s(x)", "c(1)", "not_a", "never", "never_two(x)"])
def test_a_target_is_impossible_for_all_numbers_or_for_none(
    asked: str, impossible: Literal["error", "ignore"], value: float
) -> None:
    """-inf with a gradient of 0 where a stated number makes it 0, an error where no number could make it more."""
    found = []
    for source in ("fact", "weight", "network", "tensor"):
        made, given = model(source, value)  # type: ignore[arg-type]
        x = ROWS.clone().requires_grad_()
        answers = made.query(asked, {**INPUTS, **given, "x": x}, extra="ignore")
        try:
            log_prob = answers.log_prob(asked, impossible)
        except errors.ImpossibleTargetError:
            found.append((source, "impossible"))
            continue
        gradient = torch.zeros_like(x)
        if log_prob.requires_grad:
            log_prob.sum().backward()
            gradient = x.grad if x.grad is not None else gradient
        found.append((source, (log_prob.tolist(), gradient.tolist())))
    assert [what for _, what in found] == [found[-1][1]] * 4
    hopeless = asked in ("never", "never_two(x)") and impossible == "error"
    assert (found[0][1] == "impossible") == hopeless
    if not hopeless and not answers.probs.detach().any():
        assert log_prob.requires_grad


def test_a_loss_of_nothing_but_stated_zeros_can_be_minimised() -> None:
    """backward() works where every target has probability 0, and reaches nothing."""
    made, _ = model("fact", 0.0)
    answers = made.query("q(x)", {"x": ROWS})
    loss = -answers.log_prob("q(x)")
    assert loss.tolist() == [math.inf] * 3
    loss.sum().backward()


@pytest.mark.parametrize("grounder", ["tabled", "problog"])
@pytest.mark.parametrize("p", [(0.25, 0.0, 0.75), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0), (0.25, 0.0, 0.25), (1.0, 0.0, 0.0)])
def test_heads_of_probability_0_and_1(p: tuple[float, ...], grounder: Literal["tabled", "problog"]) -> None:
    """The same holds for the heads of an annotated disjunction."""
    stated = "; ".join(f"{x}::c({v})" for x, v in zip(p, "uvw", strict=True)) + ". "
    neural = "nn(net, [p], Y, [u, v, w, rest]) :: choice(Y). c(X) :- choice(X), X \\= rest. "
    weights = torch.tensor([[*p, 1 - sum(p)]], dtype=torch.float64)
    ours = deepplp.Model(deepplp.Program.from_string(stated + CHOICE), cache=False, grounder=grounder)
    theirs = deepplp.Model(
        deepplp.Program.from_string(neural + CHOICE), {"net": lambda x: x}, cache=False, grounder=grounder
    )
    for asked in ("c(X)", "l(X)", "no(X)", "both", "one"):
        answers, right = ours.query(asked), theirs.query(asked, {"p": weights})
        assert answers.to_dict() == right.to_dict()
        for term in answers:
            if asked == "both":
                for each in (answers, right):
                    with pytest.raises(errors.ImpossibleTargetError):
                        each.log_prob(term)
            else:
                assert answers.log_prob(term).tolist() == right.log_prob(term).tolist()


def test_what_is_impossible_is_kept_on_disk(tmp_path: Path) -> None:
    """Answers from the cache tell stated zeros from what cannot be, as fresh ones do."""
    program = deepplp.Program.from_string(
        "0.0::a. 1.0::b. 0.5::c; 0.5::d. q(1) :- a, c. q(2) :- c, d. q(3) :- \\+b. q(4) :- c."
    )
    for origin in ("built", "disk"):
        made = deepplp.Model(program, cache=tmp_path)
        made.prepare([deepplp.Query("q(X)")], jobs=1)
        answers = made.query("q(X)")
        assert getattr(made.cache_info(), origin) == 1
        assert answers.log_prob("q(1)").tolist() == answers.log_prob("q(3)").tolist() == [-math.inf]
        with pytest.raises(errors.ImpossibleTargetError, match=r"the target q\(2\) holds in no world"):
            answers.log_prob("q(2)")


@pytest.mark.parametrize("grounder", ["tabled", "problog"])
@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        ("1.0::a; 5e-7::b", {"a": 1.0, "b": 5e-7}),
        ("5e-7::b; 1.0::a", {"a": 1.0, "b": 5e-7}),
        ("1::a; 5e-7::b", {"a": 1.0, "b": 5e-7}),
        ("0.9999998::a; 5e-7::b", {"a": 0.9999998, "b": 5e-7}),
        ("0.5::a; 0.5::b; 4e-7::c", {"a": 0.5, "b": 0.5, "c": 4e-7}),
        ("1.0::a; 5e-7::b; 0.0::c", {"a": 1.0, "b": 5e-7, "c": 0.0}),
    ],
)
def test_sums_a_hair_above_one(heads: str, expected: dict[str, float], grounder: Literal["tabled", "problog"]) -> None:
    """Every head keeps its number, as a fact and behind a body; it is no reason to call one head certain."""
    names = "".join(f"both({x}) :- {x}, go. " for x in expected)
    for body in ("", " :- go"):
        program = deepplp.Program.from_string(f"1.0::go. {heads}{body}. {names}")
        made = deepplp.Model(program, cache=False, grounder=grounder)
        for asked in (list(expected), "both(X)"):
            found = made.query(asked).probs[0].tolist()
            assert found == [expected[x] for x in sorted(expected)]
        some = expected["b"] / sum(expected.values())
        assert float(made.query("b", evidence={"both(b)": True}).probs.detach()) == 1.0
        known = made.query("b", evidence={"a": False}).probs
        assert float(known) == pytest.approx(
            1.0 if "c" not in expected or not expected["c"] else some / (some + 4e-7), rel=1e-6
        )


@pytest.mark.parametrize("grounder", ["tabled", "problog"])
def test_sums_a_hair_below_one(grounder: Literal["tabled", "problog"]) -> None:
    """What the heads leave of one is a value of its own, however little it is."""
    program = deepplp.Program.from_string("0.5::a; 0.4999995::b. none :- \\+a, \\+b.")
    found = deepplp.Model(program, cache=False, grounder=grounder).query(["a", "b", "none"]).probs[0].tolist()
    assert found == pytest.approx([0.5, 0.4999995, 5e-7], rel=1e-9)
    collected = "0.5::c(1); 0.4999995::c(2). l(L) :- findall(X, c(X), L)."
    lists = deepplp.Model(deepplp.Program.from_string(collected), cache=False, grounder="problog").query("l(L)")
    assert dict(zip(lists.terms, lists.probs[0].tolist(), strict=True)) == pytest.approx(
        {"l([])": 5e-7, "l([1])": 0.5, "l([2])": 0.4999995}, rel=1e-9
    )


def test_what_takes_too_much_to_tell_is_taken_for_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a query is impossible for all numbers is told within limits; beyond them no target is refused."""
    formula = deepplp.ground(deepplp.Program.from_string("0.0::a. 0.5::b. q :- a, b. r :- b, \\+b."), ["q", "r"])
    circuit = deepplp.compile(formula)
    assert impossible_queries(formula, circuit, None) == (1,)
    monkeypatch.setattr(stated, "_MOST_NODES", 1)
    assert impossible_queries(formula, circuit, None) == ()
