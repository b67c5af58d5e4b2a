"""Aggregates against all worlds, each worked out on plain numbers, and at sizes where no list can be made."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import deepplp
from deepplp.errors import NoValueError
from deepplp.grounding.grounder import GrounderName

FACTS = {"a": 0.5, "b": 0.25, "c": 0.9, "sure": 1.0, "never": 0.0}
COLOURS = {"red": 0.5, "green": 0.3, "blue": 0.2}
ATOMS = [*FACTS, *COLOURS, "either", "fact"]
SETTING = "\n".join(
    [
        *(f"{p}::{fact}." for fact, p in FACTS.items()),
        "; ".join(f"{p}::{colour}" for colour, p in COLOURS.items()) + ".",
        "either :- a. either :- other. other :- b. other :- either.",  # a cycle
        "fact.",
    ]
)
QUERIES: Mapping[str, Callable[[list[int]], object]] = {
    "findall(X, v(X), L), length(L, R)": len,
    "findall(X, v(X), L), sum_list(L, R)": sum,
    "findall(X, v(X), L), sumlist(L, R)": sum,
    "findall(X, v(X), L), max_list(L, R)": lambda xs: max(xs, default=None),
    "findall(X, v(X), L), min_list(L, R)": lambda xs: min(xs, default=None),
    "aggregate_all(count, v(_), R)": len,
    "aggregate_all(count, (v(X), X > 1), R)": lambda xs: sum(x > 1 for x in xs),
    "aggregate_all(sum(X * X), v(X), R)": lambda xs: sum(x * x for x in xs),
    "aggregate_all(max(X), v(X), R)": lambda xs: max(xs, default=None),
    "aggregate_all(min(0 - X), v(X), R)": lambda xs: min((-x for x in xs), default=None),
    "aggregate_all(avg(X), v(X), R)": lambda xs: float(f"{sum(xs) / len(xs):.16g}") if xs else None,
    "aggregate_all(set(X), v(X), R)": lambda xs: str(sorted(set(xs))),
    "exactly(R, v(_))": len,
    "exactly(2, v(_)), R = yes": lambda xs: "yes" if len(xs) == 2 else None,
    "at_least(2, v(_)), R = yes": lambda xs: "yes" if len(xs) >= 2 else None,
    "at_least(0, v(_)), R = yes": lambda xs: "yes",
    "at_most(1, v(_)), R = yes": lambda xs: "yes" if len(xs) <= 1 else None,
    "at_most(9, v(_)), R = yes": lambda xs: "yes",
    "\\+ at_most(1, v(_)), R = yes": lambda xs: "yes" if len(xs) > 1 else None,
    "exactly(R, [v(1), v(2), v(3)])": lambda xs: len(set(xs)),
    "at_least(2, [v(1), v(2), v(7)]), R = yes": lambda xs: "yes" if len({1, 2} & set(xs)) == 2 else None,
    "all_different(X, v(X)), R = yes": lambda xs: "yes" if len(set(xs)) == len(xs) else None,
    "findall(X, v(X), L), all_different(L), R = yes": lambda xs: "yes" if len(set(xs)) == len(xs) else None,
    "findall(X, v(X), L), length(L, 2), R = yes": lambda xs: "yes" if len(xs) == 2 else None,
    "aggregate_all(sum(X), v(X), 3), R = yes": lambda xs: "yes" if sum(xs) == 3 else None,
    "call(aggregate_all, count, v(_), R)": len,
    "findall(N, aggregate_all(count, v(_), N), [R])": len,
    "aggregate_all(count, aggregate_all(count, v(_), 2), R)": lambda xs: int(len(xs) == 2),
}

World = Mapping[str, bool]
Literal = tuple[str, bool]
Rule = tuple[int, list[Literal]]

LITERALS = st.lists(st.tuples(st.sampled_from(ATOMS), st.booleans()), max_size=3, unique_by=lambda x: x[0])
RULES = st.lists(st.tuples(st.sampled_from([1, 2, 3]), LITERALS), max_size=5)


def worlds() -> list[tuple[float, World]]:
    """Every world with its probability."""
    found = []
    for values in itertools.product([True, False], repeat=len(FACTS)):
        for colour, p in COLOURS.items():
            world = dict(zip(FACTS, values, strict=True)) | {c: c == colour for c in COLOURS}
            world |= {"fact": True, "either": world["a"] or world["b"]}
            chances = [FACTS[f] if world[f] else 1.0 - FACTS[f] for f in FACTS]
            found.append((p * math.prod(chances), world))
    return found


def program(rules: Sequence[Rule], query: str) -> str:
    """The setting, the rules of v/1 and a rule for what is asked."""
    lines = [SETTING, "v(_) :- fail."]
    for value, body in rules:
        lines.append(
            f"v({value}) :- {', '.join([('' if holds else chr(92) + '+ ') + a for a, holds in body] or ['true'])}."
        )
    return "\n".join([*lines, f"r(R) :- {query}."])


def expected(rules: Sequence[Rule], reading: Callable[[list[int]], object]) -> dict[str, float]:
    """The probability of every answer, by the worlds."""
    found: Counter[str] = Counter()
    for p, world in worlds():
        values = [value for value, body in rules if all(world[a] == holds for a, holds in body)]
        answer = reading(values)
        if answer is not None:
            found[f"r({answer})"] += p
    return {answer: p for answer, p in found.items() if p > 0.0}


def answered(text: str, query: str = "r(R)", grounder: GrounderName = "auto", **options: object) -> dict[str, float]:
    """The answers of a query that have a probability."""
    answers = deepplp.Model(deepplp.Program.from_string(text), cache=False, grounder=grounder).query(query, **options)
    return {term: p for term, p in answers.to_dict().items() if p > 0.0}


@pytest.mark.parametrize("query", QUERIES)
@given(RULES)
@settings(max_examples=12)
def test_all_worlds(query: str, rules: list[Rule]) -> None:
    """An aggregate has each of its values with the probability of the worlds that give it."""
    assert answered(program(rules, query)) == pytest.approx(expected(rules, QUERIES[query]), abs=1e-12)


@given(RULES, st.sampled_from([("length", "count"), ("sum_list", "sum(X)"), ("max_list", "max(X)")]))
@settings(max_examples=20)
def test_lists_agree(rules: list[Rule], names: tuple[str, str]) -> None:
    """An aggregate gives what a list gives that is made, because it is used for something else, too."""
    listed, folded = names
    made = program(rules, f"findall(X, v(X), L), {listed}(L, R), is_list(L)")
    assert answered(program(rules, f"aggregate_all({folded}, v(X), R)")) == pytest.approx(answered(made), abs=1e-12)


@given(RULES)
@settings(max_examples=20)
def test_order(rules: list[Rule]) -> None:
    """ordered/2 holds where the list that findall/3 makes is in order."""
    made = program(rules, "findall(X, v(X), L), msort(L, L), R = yes")
    for query in ("ordered(X, v(X)), R = yes", "findall(X, v(X), L), ordered(L), R = yes"):
        assert answered(program(rules, query)) == pytest.approx(answered(made), abs=1e-12)


@given(RULES, st.integers(0, 3), st.booleans())
@settings(max_examples=20)
def test_evidence(rules: list[Rule], number: int, holds: bool) -> None:
    """A count that is observed conditions what it counts."""
    kept = [(p, w) for p, w in worlds() if p > 0.0]
    counts = [sum(all(w[a] == h for a, h in body) for _, body in rules) for _, w in kept]
    mass = math.fsum(p for (p, _), n in zip(kept, counts, strict=True) if (n == number) == holds)
    if mass < 1e-9:
        return
    text = program(rules, "aggregate_all(count, v(_), R)") + f" counted :- r({number})."
    found = answered(text, "a", evidence={"counted": holds}).get("a", 0.0)
    both = math.fsum(p for (p, w), n in zip(kept, counts, strict=True) if (n == number) == holds and w["a"])
    assert found == pytest.approx(both / mass, abs=1e-9)


def rows(count: int, values: int, batch: int = 1) -> dict[str, torch.Tensor]:
    """One distribution for each image, in each row of a batch."""
    generator = torch.Generator().manual_seed(count)
    weights = torch.rand(batch, count, values, generator=generator, dtype=torch.float64)
    return {f"i{n}": w for n, w in enumerate((weights / weights.sum(-1, keepdim=True)).unbind(1), 1)}


def imaged(count: int, most: int, rules: str) -> deepplp.Model:
    """A model of images whose network says what they are."""
    images = "".join(f"image(i{n}). " for n in range(1, count + 1))
    text = f"nn(net, [X], D, [0..{most}]) :: digit(X, D).\n{images}{rules}"
    return deepplp.Model(deepplp.Program.from_string(text), {"net": lambda x: x}, cache=False)


def convolved(distributions: Sequence[torch.Tensor]) -> list[float]:
    """The distribution of a sum of independent numbers, each from 0 on."""
    total = [1.0]
    for d in distributions:
        found = [0.0] * (len(total) + len(d) - 1)
        for i, p in enumerate(total):
            for j, q in enumerate(d.tolist()):
                found[i + j] += p * q
        total = found
    return total


@pytest.mark.parametrize(
    "rule",
    [
        "n(N) :- findall(X, (image(X), digit(X, 1)), L), length(L, N).",
        "n(N) :- aggregate_all(count, (image(X), digit(X, 1)), N).",
        "n(N) :- aggregate_all(sum(D), (image(X), digit(X, D)), N).",
    ],
)
def test_many_images(rule: str) -> None:
    """128 images are counted by the distribution of a sum of 128 coins, with some nodes for each pair of numbers."""
    images = rows(128, 2)
    model = imaged(128, 1, rule)
    expected = convolved([images[f"i{n}"][0] for n in range(1, 129)])
    answers = model.query("n(N)", images)
    assert answers.terms == tuple(f"n({n})" for n in range(129))
    torch.testing.assert_close(answers.probs[0], torch.tensor(expected, dtype=torch.float64), atol=1e-14, rtol=1e-9)
    formula = deepplp.ground(model.program, "n(N)")
    assert len(formula.nodes) < 2 * 128 * 129


def test_sum_of_digits() -> None:
    """The sum of ten digits has 91 values: no state is the sum of two values of one image."""
    images = rows(10, 10, batch=2)
    rule = "n(N) :- findall(D, (image(X), digit(X, D)), L), sum_list(L, N)."
    answers = imaged(10, 9, rule).query("n(N)", images)
    assert len(answers) == 91
    for row in range(2):
        expected = convolved([images[f"i{n}"][row] for n in range(1, 11)])
        torch.testing.assert_close(
            answers.probs[row], torch.tensor(expected, dtype=torch.float64), atol=1e-14, rtol=1e-9
        )


@pytest.mark.parametrize(
    "rule",
    [
        "q :- exactly(3, (image(X), digit(X, 1))).",
        "q :- at_most(3, (image(X), digit(X, 1))).",
        "q :- findall(X, (image(X), digit(X, 1)), L), length(L, 3).",
        "q :- aggregate_all(sum(D), (image(X), digit(X, D)), 3).",
    ],
)
def test_a_known_number_is_cut(rule: str) -> None:
    """Only what may come to the number that is asked for is ground: the size grows with the images alone."""
    sizes = [len(deepplp.ground(imaged(n, 1, rule).program, "q").nodes) for n in (20, 40)]
    assert sizes[1] < 2.3 * sizes[0] < 2.3 * 20 * 14


@pytest.mark.parametrize(
    "rule",
    [
        "q(N) :- aggregate_all(count, (image(X), digit(X, 2)), N).",
        "q(N) :- aggregate_all(sum(D), (image(X), digit(X, D)), N).",
        "q(N) :- aggregate_all(max(D), (image(X), digit(X, D)), N).",
        "q(N) :- aggregate_all(avg(D), (image(X), digit(X, D), D > 0), N).",
        "q(yes) :- all_different(D, (image(X), digit(X, D))).",
        "q(yes) :- ordered(D, (image(X), digit(X, D))).",
        "q(yes) :- at_least(2, [digit(i1, 0), digit(i2, 1), \\+ digit(i3, 2)]).",
    ],
)
def test_gradients(rule: str) -> None:
    """Probabilities are those of all values of the images, and gradients are their central differences."""
    images = {name: x.clone().requires_grad_() for name, x in rows(3, 3).items()}
    model = imaged(3, 2, rule)

    def total() -> torch.Tensor:
        probs = model.query("q(N)", images).probs[0]
        return (probs * torch.arange(1.0, len(probs) + 1, dtype=torch.float64)).sum()

    total().backward()
    for x in images.values():
        for value in range(3):
            with torch.no_grad():
                differences = []
                for step in (1e-6, -1e-6):
                    x[0, value] += step
                    differences.append(total().item())
                    x[0, value] -= step
            assert x.grad is not None
            assert x.grad[0, value].item() == pytest.approx((differences[0] - differences[1]) / 2e-6, abs=1e-8)


def test_all_different_and_ordered_images() -> None:
    """Over networks, all_different/2 and ordered/2 hold with the probabilities of the values for which they should."""
    images = rows(3, 4)
    table = [images[f"i{n}"][0].tolist() for n in (1, 2, 3)]
    model = imaged(3, 3, "d :- all_different(D, (image(X), digit(X, D))). o :- ordered(D, (image(X), digit(X, D))).")
    found = model.query(["d", "o"], images).to_dict()
    weights = {v: math.prod(t[x] for t, x in zip(table, v, strict=True)) for v in itertools.product(range(4), repeat=3)}
    assert found["d"] == pytest.approx(sum(p for v, p in weights.items() if len(set(v)) == 3), abs=1e-12)
    # The goal takes one image after the other, and so do its solutions.
    assert found["o"] == pytest.approx(sum(p for v, p in weights.items() if list(v) == sorted(v)), abs=1e-12)


@pytest.mark.parametrize("shift", ["", "-3 + "])
def test_rounded_sums_are_those_of_lists(shift: str) -> None:
    """Floats are added in the order of the list, so that every rounded sum is the one that the list has."""
    text = "0.5::p(0.1). 0.4::p(0.2). 0.3::p(0.3); 0.2::p(1). 0.7::p(0.7).\n"
    listed = answered(f"{text}r(R) :- findall({shift}X, p(X), L), sum_list(L, R), is_list(L).")
    assert answered(f"{text}r(R) :- findall({shift}X, p(X), L), sum_list(L, R).") == pytest.approx(listed, abs=1e-12)
    assert answered(f"{text}r(R) :- aggregate_all(sum({shift}X), p(X), R).") == pytest.approx(listed, abs=1e-12)


def test_integers_and_floats_stay_apart() -> None:
    """1 and 1.0 are two terms, as sums, as extremes and among different values."""
    text = "p(1). 0.5::p(1.0).\n"
    assert answered(text + "r(R) :- aggregate_all(sum(X), p(X), R).") == {"r(1)": 0.5, "r(2.0)": 0.5}
    assert answered(text + "r(R) :- findall(X, p(X), L), max_list(L, R).") == {"r(1)": 0.5, "r(1.0)": 0.5}
    assert answered(text + "r(yes) :- all_different(X, p(X)).") == {"r(yes)": 1.0}


def test_one_name_in_several_aggregates() -> None:
    """A variable that only stands in the goals of aggregates is another one in each of them."""
    rule = "r(N, S) :- aggregate_all(count, p(X), N), aggregate_all(sum(X), p(X), S), \\+ q(X). q(X) :- p(X), X > 2."
    assert answered(f"0.5::p(1). 0.5::p(2).\n{rule}", "r(N, S)") == pytest.approx(
        {"r(0,0)": 0.25, "r(1,1)": 0.25, "r(1,2)": 0.25, "r(2,3)": 0.25}
    )


def test_groups() -> None:
    """A goal before the aggregate binds what it groups by."""
    text = "0.5::p(a, 1). 0.5::p(a, 2). 0.5::p(b, 4). g(a). g(b).\nr(G, S) :- g(G), aggregate_all(sum(X), p(G, X), S)."
    expected = {"r(a,0)": 0.25, "r(a,1)": 0.25, "r(a,2)": 0.25, "r(a,3)": 0.25, "r(b,0)": 0.5, "r(b,4)": 0.5}
    assert answered(text, "r(G, S)") == pytest.approx(expected)


def test_heads_share_no_variables_of_goals() -> None:
    """A probabilistic clause that counts is one choice, whatever the goal's variables are."""
    text = "0.5::p(1). 0.5::p(2).\n0.5::r(N) :- aggregate_all(count, p(X), N)."
    assert answered(text) == pytest.approx({"r(0)": 0.125, "r(1)": 0.25, "r(2)": 0.125})


def test_a_registered_function_keeps_its_name() -> None:
    """A predicate that Python decides counts, whatever there is of that name."""
    model = deepplp.Model(deepplp.Program.from_string("r(X) :- member(X, [1, 2]), ordered(X)."), cache=False)
    model.register("ordered", lambda x: x == 2, inputs=1, test=True)
    assert model.query("r(X)").terms == ("r(2)",)


def test_a_deep_cycle_is_found() -> None:
    """A count that depends on itself by way of another predicate and a negation is an error with its place."""
    text = "0.5::p(1).\np(2) :- \\+ many(2).\nmany(N) :- aggregate_all(count, p(_), N).\n"
    with pytest.raises(deepplp.errors.GroundingError, match=r"3:12: aggregate_all/3 collects the answers of p\(_\)"):
        answered(text, "many(N)")


@pytest.mark.parametrize(
    ("goal", "expected"),
    [("aggregate_all(count, p(X), N)", [0.25, 0.5, 0.25]), ("aggregate_all(count, p(_), 1)", [0.5]),
     ("aggregate_all(max(X), p(X), 2)", [0.5])],
)  # fmt: skip
def test_aggregates_as_queries(goal: str, expected: list[float]) -> None:
    """The variables of an aggregate's template and goal are its own: a query of it need not bind them."""
    found = deepplp.Model(deepplp.Program.from_string("0.5::p(1). 0.5::p(2)."), cache=False).query(goal)
    assert found.probs[0].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["sum(X)", "avg(X)"])
def test_numbers_beyond_floating_point(kind: str) -> None:
    """An integer that no floating-point number holds, beside such a number, is an error with its place."""
    text = f"0.5::p(1{'0' * 400}). 0.5::p(1.5). q(S) :- aggregate_all({kind}, p(X), S)."
    with pytest.raises(NoValueError, match="aggregate_all/3: this arithmetic has no value") as caught:
        deepplp.ground(deepplp.Program.from_string(text, "p.pl"), "q(S)")
    assert str(caught.value).startswith("p.pl:1:")
