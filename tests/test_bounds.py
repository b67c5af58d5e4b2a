"""Bounds: what is known of a probability where networks keep only their most probable values."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import deepplp
from deepplp import Query, errors

TEXT = """
    nn(digit, [X], Y, [0..3]) :: d(X, Y).
    nn(digit, [X], Y, [0..3]) :: again(X, Y).
    nn(light, [X], Y, [red, green]) :: light(X, Y).
    0.3::broken.
    large(X) :- d(X, 2).
    large(X) :- d(X, 3).
    stop :- large(a), light(c, red).
    equal :- d(a, Y), d(b, Y).
    twice :- d(a, 0), again(a, 0).
    odd :- d(a, 1).
    odd :- \\+large(b), light(c, green), broken.
    go :- \\+stop.
    none :- d(a, 0), d(a, 1).
    some :- large(a).
    some :- d(b, 1), \\+equal.
"""
ATOMS = ("stop", "equal", "twice", "odd", "go", "some", "broken")


def truths(world: tuple[int, ...]) -> dict[str, bool]:
    """What holds where d(a), d(b), again(a), light(c) and broken have these values, worked out by hand."""
    a, b, again, light, broken = world
    stop, equal = a >= 2 and light == 0, a == b
    return {
        "stop": stop,
        "equal": equal,
        "twice": a == 0 and again == 0,
        "odd": a == 1 or (b < 2 and light == 1 and broken == 0),
        "go": not stop,
        "some": a >= 2 or (b == 1 and not equal),
        "broken": broken == 0,
    }


@cache
def model(k_digit: int | None, k_light: int | None) -> deepplp.Model:
    """The program with networks that return what they are given, however wide that is."""
    networks = {
        "digit": deepplp.Network(lambda x: x[:, :4], k=k_digit),
        "light": deepplp.Network(lambda x: x, k=k_light),
    }
    return deepplp.Model(deepplp.Program.from_string(TEXT), networks, cache=False)


def row(numbers: Sequence[int]) -> list[float]:
    """A distribution: numbers over their sum, or all mass on the first where all are 0."""
    total = sum(numbers)
    return [n / total for n in numbers] if total else [1.0, *[0.0] * (len(numbers) - 1)]


def distributions(width: int) -> st.SearchStrategy[list[float]]:
    """Distributions, among which ties, zeros and certain values are common."""
    numbers = st.lists(st.sampled_from([0, 0, 1, 1, 2, 5, 1000]), min_size=width, max_size=width)
    return numbers.map(row)


def rows(width: int, most: int = 3) -> st.SearchStrategy[list[list[float]]]:
    """Batches of distributions."""
    return st.lists(distributions(width), min_size=1, max_size=most)


def tensor(numbers: object) -> Tensor:
    """A tensor of float64."""
    return torch.tensor(numbers, dtype=torch.float64)


class Worked:
    """The bounds of one row by enumeration of all worlds.

    Only the choices on which what is asked and known depends can lose mass.
    """

    def __init__(
        self,
        p: Sequence[Sequence[float]],
        k: tuple[int, int],
        asked: Sequence[str],
        known: Mapping[str, bool],
        seen: Mapping[str, float],
    ) -> None:
        self.known, self.seen = known, seen
        kept = [self._kept(x, n) for x, n in zip(p, (k[0], k[0], k[0], k[1], 2), strict=True)]
        worlds = list(itertools.product(*(range(len(x)) for x in p)))
        said = {world: self._said(truths(world), asked) for world in worlds}
        read = [i for i in range(5) if any(said[w] != said[(*w[:i], 0, *w[i + 1 :])] for w in worlds)]
        self.worlds = [
            (truths(w), math.prod(x[v] for x, v in zip(p, w, strict=True)), all(w[i] in kept[i] for i in read))
            for w in worlds
        ]
        self.lost = math.fsum(mass for _, mass, is_kept in self.worlds if not is_kept)
        self.evidence = self._mass(lambda t: True, all_worlds=True)

    @staticmethod
    def _kept(p: Sequence[float], k: int) -> set[int]:
        return set(torch.tensor(p, dtype=torch.float64).topk(min(k, len(p))).indices.tolist())

    def _said(self, truth: Mapping[str, bool], asked: Sequence[str]) -> object:
        """What is asked and known of a world, nothing where what is known is wrong there."""
        right = all(truth[atom] is holds for atom, holds in self.known.items())
        return right and tuple(truth[atom] for atom in (*asked, *self.seen))

    def _mass(self, holds: Callable[[Mapping[str, bool]], bool], *, all_worlds: bool) -> float:
        """The mass of worlds, of those that are kept or of all, in which something and the evidence hold."""
        total = []
        for truth, mass, is_kept in self.worlds:
            right = all(truth[atom] is known for atom, known in self.known.items())
            if (is_kept or all_worlds) and right and holds(truth):
                total.append(mass * math.prod(s if truth[atom] else 1 - s for atom, s in self.seen.items()))
        return math.fsum(total)

    def bounds(self, atom: str) -> tuple[float, float, float]:
        """A lower bound, the probability and the upper bound of an atom."""
        holds = {truth[atom] for truth, _, _ in self.worlds if self._said(truth, (atom,))}
        if len(holds) == 1:  # what is known decides it
            return (float(holds.pop()),) * 3
        both, evidence = (self._mass(h, all_worlds=False) for h in (lambda t: t[atom], lambda t: True))
        true = self._mass(lambda t: t[atom], all_worlds=True) / self.evidence
        return both / (evidence + self.lost), true, (both + self.lost) / (evidence + self.lost)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A question about some rows, and how many values the networks keep."""
    a = draw(rows(4))
    several = st.lists(distributions(4), min_size=len(a), max_size=len(a))
    likelihoods = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=len(a), max_size=len(a))
    known = draw(st.dictionaries(st.sampled_from(ATOMS), st.booleans(), max_size=2))
    seen = draw(st.dictionaries(st.sampled_from(ATOMS), likelihoods, max_size=2))
    return {
        "k": draw(st.tuples(st.integers(1, 4), st.integers(1, 2))),
        "a": a,
        "b": draw(st.one_of(rows(4, 1), st.just(a), several)),
        "c": draw(rows(2, 1)),
        "apart": draw(st.booleans()),
        "known": known,
        "seen": {atom: values for atom, values in seen.items() if atom not in known},
        "asked": draw(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4, unique=True)),
    }


@settings(max_examples=80)
@given(case=cases())
def test_a_probability_lies_between_its_bounds(case: dict[str, Any]) -> None:
    """Lower <= P(q | e) <= upper in every row, as all worlds say it, whatever is cut, known, joined and shared."""
    a, b, c, k, asked, known = (case[name] for name in ("a", "b", "c", "k", "asked", "known"))
    wider = (0, int(case["apart"]))  # of another width than a, so that the network is called twice
    inputs = {"a": tensor(a), "b": torch.nn.functional.pad(tensor(b), wider), "c": tensor(c)}
    evidence = {**known, **{atom: tensor(values) for atom, values in case["seen"].items()}}
    one = model(*k).query(asked, inputs, evidence=evidence, on_inconsistent="nan")
    others = [Query(asked, inputs, evidence), Query("equal", inputs)]
    many = model(*k).query_many(others, on_inconsistent="nan")[0]
    for i in range(len(a)):
        seen = {atom: values[i] for atom, values in case["seen"].items()}
        p = [a[i], b[i % len(b)], a[i], c[0], [0.3, 0.7]]
        worked = Worked(p, k, asked, known, seen)
        for found in (one, many):
            for number, atom in enumerate(found.terms):
                low, high = float(found.lower[i, number]), float(found.upper[i, number])
                if not worked.evidence:  # nothing follows; the mass that was cut may hide that
                    assert math.isnan(low) or 0.0 <= low <= high <= 1.0
                    continue
                lower, true, upper = worked.bounds(atom)
                assert high == pytest.approx(upper, abs=1e-12)
                assert lower - 1e-12 <= low <= true + 1e-12
                assert true - 1e-12 <= high
                assert 0.0 <= low <= high <= 1.0
            assert torch.allclose(found.lower[i], found.log_probs[i].exp(), atol=1e-14, equal_nan=True)
            assert float(found.log_evidence[i].exp()) <= worked.evidence + 1e-12


THREE = "nn(net, [X], Y, [0..2]) :: d(X, Y). e(X) :- d(X, 0). e(X) :- d(X, 2). both :- d(a, 1), d(b, 1)."


def three(k: int | None = 1) -> deepplp.Model:
    """A network of three values."""
    net = deepplp.Network(lambda x: x[:, :3], k=k)
    return deepplp.Model(deepplp.Program.from_string(THREE), {"net": net}, cache=False)


@pytest.mark.parametrize("columns", [3, 4])
@pytest.mark.parametrize("more", ["a", "b"])
def test_the_largest_cut_is_told(columns: int, more: str) -> None:
    """``cut_mass`` is the largest that was cut from any input, the first or the last, joined with others or apart."""
    p = {
        "a": tensor([[0.0, 0.75, 0.25]]),
        "b": torch.nn.functional.pad(tensor([[0.125, 0.875, 0.0]]), (0, columns - 3)),
    }
    if more == "b":
        p = {"b": p["a"], "a": p["b"]}
    asked = [Query("both", p), Query("d(b, 1)", {"b": p["b"]})]
    assert three().query("both", p).cut_mass["net"].tolist() == [0.25]
    assert [float(x.cut_mass["net"]) for x in three().query_many(asked)] == [0.25, 0.25 if more == "b" else 0.125]


def test_evidence_that_only_a_cut_value_explains() -> None:
    """It is no contradiction: nothing is known of the answer. Where nothing was cut it is one, and names its row."""
    rows = tensor([[0.5, 0.3, 0.2], [0.0, 0.75, 0.25]])
    answers = three().query("d(a, 0)", {"a": rows}, evidence={"d(a, 1)": False})
    assert answers.lower.tolist() == [[0.5], [0.0]]
    assert answers.upper.tolist() == [[1.0], [1.0]]
    assert answers.log_probs[1].tolist() == [-math.inf]
    certain = tensor([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    with pytest.raises(errors.InconsistentEvidenceError, match="probability 0 in row 1 of the batch"):
        three().query("d(a, 0)", {"a": certain}, evidence={"d(a, 1)": False})
    certain.requires_grad_()
    answers = three().query("d(a, 0)", {"a": certain}, evidence={"d(a, 1)": False}, on_inconsistent="nan")
    assert torch.isnan(answers.upper[1]).all()
    (answers.probs + answers.upper + answers.log_probs).nansum().backward()
    assert torch.isfinite(certain.grad).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("reading", ["lower", "upper", "log_probs"])
@pytest.mark.parametrize("evidence", [{}, {"e(b)": True}, {"e(a)": True, "e(b)": True}])
def test_bounds_are_differentiable(reading: str, evidence: dict[str, bool]) -> None:
    """The derivatives of a bound agree with central differences, whatever was read before without gradients."""
    weights = tensor([[0.55, 0.25, 0.2], [0.2, 0.1, 0.7]]).requires_grad_()

    def value(x: Tensor, silent: bool = False) -> Tensor:
        answers = three(2).query(["d(a, 0)", "d(b, 0)", "e(a)"], {"a": x, "b": x.flip(0)}, evidence=evidence)
        with torch.set_grad_enabled(not silent):
            getattr(answers, reading)
        found: Tensor = getattr(answers, reading)
        return (found * tensor([1.0, 2.0, 3.0])).sum()

    value(weights, silent=True).backward()
    for place in itertools.product(range(2), range(3)):
        step = torch.zeros_like(weights)
        step[place] = 1e-6
        with torch.no_grad():
            difference = (value(weights + step) - value(weights - step)) / 2e-6
        assert float(weights.grad[place]) == pytest.approx(float(difference), abs=1e-7)  # type: ignore[index]


def test_bounds_travel_and_have_the_dtype() -> None:
    """Pickles hold the upper bounds, too; all results have the dtype asked for; without a cut both bounds are one."""
    x = {"a": tensor([[0.5, 0.3, 0.2]])}
    answers = three().query("d(a, Y)", x, dtype=torch.float32, evidence={"e(a)": True})
    assert answers.upper.dtype == answers.lower.dtype == answers.log_evidence.dtype == torch.float32
    assert torch.equal(pickle.loads(pickle.dumps(answers)).upper, answers.upper)
    assert torch.equal(copy.deepcopy(answers).lower, answers.lower)
    exact = three(None).query("d(a, Y)", x, evidence={"e(a)": True})
    assert torch.equal(exact.upper, exact.probs)
    assert torch.equal(exact.lower, exact.probs)
    prepared = three().compile("d(a, Y)", inputs=["a"], evidence={"e(a)": True})
    assert torch.allclose(prepared(x).upper.float(), answers.upper)
    assert three().query("d(a, Y)", {"a": torch.zeros(0, 3)}).upper.shape == (0, 3)


def test_bounds_by_hand() -> None:
    """Of 0.5, 0.2 and 0.3 the two largest are kept: 0.2 counts against each answer, or for it."""
    x = {"a": tensor([[0.5, 0.2, 0.3]])}
    free = three(2).query("d(a, Y)", x)
    given = three(2).query("d(a, Y)", x, evidence={"e(a)": True})
    assert free.lower[0].tolist() == pytest.approx([0.5, 0.0, 0.3])
    assert free.upper[0].tolist() == pytest.approx([0.7, 0.2, 0.5])
    assert given.lower[0].tolist() == pytest.approx([0.5, 0.0, 0.3])  # 0.5 / (0.8 + 0.2); without k it is 0.5 / 0.8
    assert given.upper[0].tolist() == pytest.approx([0.7, 0.0, 0.5])


@pytest.mark.parametrize("others", [0, 1])
def test_one_tensor_under_two_names_is_two_choices(others: int) -> None:
    """Each may have a value that was cut, alone and beside another query: of 0.64 that is kept, 0.34 are equal."""
    program = "nn(net, [X], Y, [0..2]) :: d(X, Y). same(X, Y) :- d(X, A), d(Y, A)."
    model = deepplp.Model(deepplp.Program.from_string(program), {"net": deepplp.Network(lambda x: x, k=2)})
    x = tensor([[0.5, 0.2, 0.3]])
    more = [Query("d(a, Y)", {"a": x})] * others
    answers = model.query_many([Query("same(a, b)", {"a": x, "b": x}), *more])[0]
    assert answers.lower[0].tolist() == pytest.approx([0.34])
    assert answers.upper[0].tolist() == pytest.approx([0.34 + 0.36])
