"""The programs in programs/ have right gradients, and the experiments in experiments/ run on their data."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import deepplp
from experiments import clutrr, coins, forth_add, forth_sort, hwf, mnist_sums, poker, wap
from experiments.coins import draw
from experiments.hwf import value_of
from experiments.poker import strength
from tests.datasets import needs
from tests.headers import central_differences, gradient

PROGRAMS = Path(__file__).parent.parent / "programs"


class Guesses(nn.Module):
    """A network that knows each of its inputs, whatever they are, by a random distribution of its own."""

    def __init__(self, values: int, seed: int) -> None:
        super().__init__()
        random = torch.randn(40, values, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.rows = nn.Parameter(torch.softmax(random, dim=1) if values > 1 else torch.sigmoid(random))
        self.seen: dict[str, int] = {}

    def forward(self, *inputs: Any) -> Tensor:
        """The rows of the inputs, in the order in which they were first seen."""
        columns = [x.tolist() if isinstance(x, Tensor) else x for x in inputs]
        rows = [self.seen.setdefault(repr(key), len(self.seen)) for key in zip(*columns, strict=True)]
        return self.rows[rows]


class Head(nn.Module):
    """A vector [n, 3] to a distribution [n, values] by a random linear map."""

    def __init__(self, values: int, seed: int) -> None:
        super().__init__()
        weight = torch.randn(values, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities; for one value, that it holds."""
        logits = x @ self.weight.T
        return torch.softmax(logits, dim=1) if logits.shape[1] > 1 else torch.sigmoid(logits)


@dataclass(frozen=True)
class Case:
    """A small instance: a program, how many values each of its networks has, and what is asked."""

    program: str
    networks: dict[str, Callable[[], nn.Module]]
    queries: Sequence[str]
    inputs: str = ""
    facts: str = ""


def guesses(**values: int) -> dict[str, Callable[[], nn.Module]]:
    """Networks that guess, by their numbers of values."""
    return {name: (lambda k=k, i=i: Guesses(k, i)) for i, (name, k) in enumerate(values.items())}


def heads(**values: int) -> dict[str, Callable[[], nn.Module]]:
    """Networks that read a vector, by their numbers of values."""
    return {name: (lambda k=k, i=i: Head(k, i)) for i, (name, k) in enumerate(values.items())}


CASES = [
    Case("mnist_addition", guesses(mnist_net=10), ["addition(a, b, S)"], "a b"),
    Case(
        "mnist_multi_digit_addition",
        guesses(mnist_net=10, label=10),
        ["addition([x0, x1], [y0, y1], [z0, z1, z2])"],
        "x0 x1 y0 y1 z0 z1 z2",
    ),
    Case("mnist_number_addition", guesses(mnist_net=10), ["addition([a, b], [c], 25)"], "a b c"),
    Case("noisy_mnist_addition", guesses(mnist_net=10), ["addition(a, b, 3)", "addition(a, b, 18)"], "a b"),
    Case("mnist_any_sum", guesses(digit_net=10), ["sum([a, b, c], S)"], "a b c"),
    Case("mnist_any_sum", guesses(digit_net=10), ["sum([a, b, a], S)"], "a b"),
    Case("coins", guesses(large_net=2, small_net=2), ["game(a, win)", "game(a, loss)"], "a"),
    Case("poker", guesses(card_net=4), [f"game([a, b], [c, d], {o})" for o in ("win", "loss", "draw")], "a b c d"),
    Case(
        "forth_add",
        guesses(result_net=10, carry_net=2),
        ["add([1, 9], [0, 2], 0, [0, 2, 1])", "add([5], [5], 1, [1, 1])"],
    ),
    Case("forth_sort", guesses(swap_net=1), ["forth_sort([3, 1, 2], [1, 2, 3])", "forth_sort([2, 2, 1], S)"]),
    Case(
        "wap",
        guesses(encoder=3) | heads(order_net=6, first_net=4, swap_net=1, second_net=4),
        ['wap("Ann had # plums", [3, 2, 1], 9)', 'wap("Bob ate # pears", [6, 3, 1], N)'],
    ),
    Case(
        "clutrr",
        guesses(kind_net=7),
        ["related(p0, p3, Word)"],
        "s1 s2 s3",
        "about(s1, p0, p1). about(s2, p1, p2). about(s3, p2, p3). gender(p3, female).",
    ),
    Case("hwf", guesses(symbol=13), ["formula([s0, s1, s2], Value)"], "s0 s1 s2"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.program)
def test_gradients(case: Case) -> None:
    """The gradient of every answer, by every network's outputs and every parameter, is its slope."""
    networks = {name: make() for name, make in case.networks.items()}
    wrapped = {name: deepplp.Network(network, inputs="values") for name, network in networks.items()}
    model = deepplp.Model(deepplp.Program.from_file(PROGRAMS / f"{case.program}.pl"), wrapped)
    inputs = {name: torch.tensor([i]) for i, name in enumerate(case.inputs.split())}

    def total() -> Tensor:
        probabilities = model.query(list(case.queries), inputs, facts=case.facts).probs[0]
        return probabilities @ torch.linspace(1, 2, len(probabilities), dtype=torch.float64)

    assert float(total().detach()) > 0
    for name, parameter in model.named_parameters():
        network = networks.get(name.split(".")[1]) if name.startswith("networks.") else None
        count = len(network.seen) if isinstance(network, Guesses) else len(parameter)
        found, slope = gradient(total, parameter), central_differences(total, parameter[:count])
        assert count == 0 or float(found.abs().max()) > 0, f"{name} does not matter"
        assert found[:count].flatten().tolist() == pytest.approx(slope.flatten().tolist(), rel=1e-6, abs=1e-8), name


def test_values_of_formulas() -> None:
    """The labels of the formulas: * and / first, from the left, and exact."""
    assert value_of("7") == 7
    assert value_of("1-2*3/4+5") == 1 - 1.5 + 5
    assert value_of("2/3*3") == 2
    assert value_of("9-8-7") == -6


def test_poker_labels_are_the_programs() -> None:
    """The labels of the games order hands as the program does."""
    program = deepplp.Program.from_file(PROGRAMS / "poker.pl")
    model = deepplp.Model(program, {"card_net": lambda x: torch.nn.functional.one_hot(x, 4).double()})
    ranks = torch.cartesian_prod(*[torch.arange(4)] * 4)  # [256, 4]
    inputs = {name: ranks[:, i] for i, name in enumerate("abcd")}
    for house in range(4):
        evidence = {f"house({house})": True}
        answers = model.query([f"game([a, b], [c, d], {o})" for o in poker.OUTCOMES], inputs, evidence=evidence)
        expected = [poker.outcome(*row, house) for row in ranks.tolist()]
        assert answers.probs.argmax(dim=1).tolist() == expected
        assert float(answers.probs.detach().amax(dim=1).min()) == 1
    assert strength(0, 1, 2) > strength(3, 3, 2) > strength(3, 2, 0)


def test_answers_of_questions_are_the_programs() -> None:
    """What the most probable operations come to is what the program says of networks that are certain of them."""
    values = {"order": 6, "first": 4, "swap": 1, "second": 4}
    certain = {name: torch.zeros(1, k, dtype=torch.float64) for name, k in values.items()}
    networks: dict[str, Any] = {f"{name}_net": (lambda e, row=row: row) for name, row in certain.items()}
    networks["encoder"] = deepplp.Network(lambda texts: torch.zeros(len(texts), 3), inputs="values")
    model = deepplp.Model(deepplp.Program.from_file(PROGRAMS / "wap.pl"), networks)
    for numbers in ((7, 5, 2), (2, 6, 3), (4, 0, 4)):
        question = wap.Question("what is", numbers, 0)
        for order, first, swapped, second in itertools.product(range(6), range(4), (0, 1), range(4)):
            certain["swap"].fill_(swapped)
            for name, value in (("order", order), ("first", first), ("second", second)):
                certain[name].zero_()[0, value] = 1
            answers = model.query(f'wap("what is", {list(numbers)}, N)')
            sure = [t for t, p in zip(answers.terms, answers.probs[0].tolist(), strict=True) if p == 1]
            expected = wap.most_probable(question, order, first, bool(swapped), second)
            assert [t.rpartition(",")[2] for t in sure] == ([] if expected is None else [f"{expected})"])


def test_coins_are_drawn_from_a_seed() -> None:
    """The same seed draws the same coins, another seed others; a win is two sides alike."""
    one, two = draw(20, 3), draw(20, 3)
    assert torch.equal(one.images, two.images)
    assert not torch.equal(one.images, draw(20, 4).images)
    assert one.outcomes.tolist() == [int(a != b) for a, b in one.sides.tolist()]


def results(folder: Path, epochs: int, *measures: str) -> dict[str, Any]:
    """What a run left: its results, after a look at its curve and its checkpoint."""
    found = json.loads((folder / "results.json").read_text())
    assert [e["epoch"] for e in found["epochs"]] == list(range(1, epochs + 1))
    for epoch in found["epochs"]:
        assert all(0 <= epoch[m] <= 1 for m in measures)
        assert 0 < epoch["loss"] < 100
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert all(torch.isfinite(t).all() for t in load_file(folder / "checkpoint.safetensors").values())
    return found


@needs("forth/add")
def test_forth_add(tmp_path: Path) -> None:
    """Forth add trains on a few sums."""
    forth_add.main(digits=1, epochs=2, limit=8, long=1, output=tmp_path, progress=False)
    found = results(tmp_path, 2, "sum_accuracy")
    assert found["final"]["long_sums"] == 1
    assert found["epochs"][1]["loss"] < found["epochs"][0]["loss"]


@needs("forth/sort")
def test_forth_sort(tmp_path: Path) -> None:
    """Forth sort learns to sort from lists of two."""
    forth_sort.main(length=2, epochs=3, limit=24, long=0, output=tmp_path, progress=False)
    found = results(tmp_path, 3, "list_accuracy")
    assert found["epochs"][-1]["loss"] < found["epochs"][0]["loss"]


@needs("forth/wap")
def test_wap(tmp_path: Path) -> None:
    """Word algebra problems are read and grounded."""
    wap.main(epochs=2, limit=10, output=tmp_path, progress=False)
    found = results(tmp_path, 2, "answer_accuracy", "dev_accuracy")
    assert found["epochs"][1]["loss"] < found["epochs"][0]["loss"]


@needs("poker_cards")
def test_poker(tmp_path: Path) -> None:
    """Games are dealt, and the house's distribution stays one."""
    poker.main(deck="unfair", epochs=1, limit=16, output=tmp_path, progress=False)
    found = results(tmp_path, 1, "card_accuracy", "outcome_accuracy")
    assert sum(found["final"]["house"].values()) == pytest.approx(1)
    assert found["final"]["house"]["jack"] != 0.25


@needs(f"clutrr/{clutrr.SPLIT}")
def test_clutrr(tmp_path: Path) -> None:
    """Stories are read, and every label follows from its story by the rules."""
    clutrr.main(epochs=1, longest=3, limit=24, output=tmp_path, progress=False)
    results(tmp_path, 1, "word_accuracy", "word_accuracy_2", "word_accuracy_3")


def test_coins(tmp_path: Path) -> None:
    """Coins are drawn and learnt from."""
    coins.main(examples=64, epochs=2, limit=64, output=tmp_path, progress=False)
    found = results(tmp_path, 2, "outcome_accuracy", "side_accuracy")
    assert found["epochs"][1]["loss"] < found["epochs"][0]["loss"]


@needs("hwf", "math_symbols")
def test_hwf(tmp_path: Path) -> None:
    """Formulas are written and learnt from; the longer ones are read symbol by symbol."""
    hwf.main(longest=3, epochs=2, limit=12, output=tmp_path, progress=False)
    found = results(tmp_path, 2, "value_accuracy", "value_accuracy_1", "value_accuracy_7")
    assert found["epochs"][1]["loss"] < found["epochs"][0]["loss"]


@needs("MNIST/raw")
@pytest.mark.parametrize("kind", ["noisy", "any", "number"])
def test_mnist_sums(tmp_path: Path, kind: Literal["noisy", "any", "number"]) -> None:
    """Sums are dealt and learnt from; noisy labels say how much noise there is."""
    if kind == "number":  # its 10,000 readings take seconds to ground: what they are is known without
        variant = mnist_sums.VARIANTS[kind]
        assert variant.query(4) == "addition([x0, x1], [x2, x3], S)"
        assert variant.sums(torch.tensor([[1, 2, 3, 4]])).tolist() == [46]
        return
    mnist_sums.main(kind=kind, epochs=1, limit=64, output=tmp_path, progress=False)
    found = results(tmp_path, 1, "sum_accuracy", "digit_accuracy")
    assert ("final" in found) == (kind == "noisy")
