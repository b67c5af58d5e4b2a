"""What deepplp is compared with on MNIST addition: losses written by hand in PyTorch, and DeepProbLog."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.benchmarks.table import missing
from experiments.data import sum_digits

__all__ = [
    "Loss", "carry_chain_loss", "convolution_loss", "deepproblog_pairs_per_second", "outer_product_loss",
    "outer_sum_loss", "place_values_loss", "sums_shown",
]  # fmt: skip

Loss = Callable[[Tensor, Tensor], Tensor]


def outer_product_loss(network: nn.Module, device: str = "cpu") -> Loss:
    """The loss of one-digit sums by hand: the outer product of two distributions, summed along its anti-diagonals."""
    sums = (torch.arange(10)[:, None] + torch.arange(10)).reshape(-1).to(device)

    def loss(images: Tensor, shown: Tensor) -> Tensor:
        rows = len(images)
        p = network(torch.cat([images[:, 0, 0], images[:, 1, 0]]))  # [2 rows, 10]
        joint = (p[:rows, :, None] * p[rows:, None, :]).reshape(rows, 100)
        totals = joint.new_zeros(rows, 19).index_add(1, sums, joint)
        return functional.nll_loss(totals.log(), shown.sum(dim=(1, 2)))

    return loss


def carry_chain_loss(network: nn.Module, digits: int, device: str = "cpu") -> Loss:
    """The loss of longer sums by hand: a dynamic programme over the carries, vectorised over batch and positions."""
    x = torch.arange(10)
    total = x[:, None, None] + x[None, :, None] + torch.arange(2)  # [x, y, carry in]
    # For each digit of the sum and each carry, which y goes with x; positions off the table read a column of zeros.
    y_of = torch.full((10, 2, 2, 10), 10)  # [sum digit, carry in, carry out, x]
    for i in range(10):
        for j in range(10):
            for c in range(2):
                t = int(total[i, j, c])
                y_of[t % 10, c, t // 10, i] = j
    y_of = y_of.to(device)

    def loss(images: Tensor, shown: Tensor) -> Tensor:
        rows = len(images)
        labels = sum_digits(shown)  # [rows, digits + 1]
        p = network(images.flatten(0, 2)).reshape(rows, 2, digits, 10)
        px, py = p[:, 0], functional.pad(p[:, 1], (0, 1))  # [rows, digits, 10], [rows, digits, 11]
        index = y_of[labels[:, :-1]]  # [rows, digits, carry in, carry out, 10]
        paired = py.gather(2, index.flatten(2)).reshape(index.shape)
        steps = (px[:, :, None, None, :] * paired).sum(-1)  # [rows, digits, carry in, carry out]
        state = p.new_zeros(rows, 1, 2)
        state[:, :, 0] = 1.0
        log_scale = p.new_zeros(rows)
        for i in range(digits):
            state = state @ steps[:, i]
            scale = state.sum(dim=(1, 2))  # keeps float32 in range
            state = state / scale[:, None, None]
            log_scale = log_scale + scale.log()
        last = state[:, 0].gather(1, labels[:, -1:]).squeeze(1)
        return -(last.log() + log_scale).mean()

    return loss


def outer_sum_loss(network: nn.Module) -> Loss:
    """The loss of two-digit sums by hand: the 100 values of each number, and their 10,000 pairs summed by total."""
    totals = (torch.arange(100)[:, None] + torch.arange(100)).reshape(-1)

    def loss(images: Tensor, shown: Tensor) -> Tensor:
        numbers = _numbers(network, images)
        joint = (numbers[:, 0, :, None] * numbers[:, 1, None, :]).flatten(1)
        p = torch.zeros(len(images), 199).index_add(1, totals, joint)
        return functional.nll_loss(p.log(), sums_shown(shown))

    return loss


def convolution_loss(network: nn.Module) -> Loss:
    """The loss of two-digit sums by hand: the two numbers' distributions, convolved."""

    def loss(images: Tensor, shown: Tensor) -> Tensor:
        numbers = _numbers(network, images)
        p = _convolve(numbers[:, 0], numbers[:, 1])  # [rows, 199]
        return functional.nll_loss(p.log(), sums_shown(shown))

    return loss


def place_values_loss(network: nn.Module) -> Loss:
    """The loss of two-digit sums by hand: the sums of the ones and of the tens, convolved each, and put together."""
    totals = (10 * torch.arange(19)[:, None] + torch.arange(19)).reshape(-1)

    def loss(images: Tensor, shown: Tensor) -> Tensor:
        p = network(images.flatten(0, 2)).reshape(len(images), 2, 2, 10)
        ones, tens = (_convolve(p[:, 0, i], p[:, 1, i]) for i in range(2))  # [rows, 19]
        joint = (tens[:, :, None] * ones[:, None, :]).flatten(1)
        return functional.nll_loss(torch.zeros(len(p), 199).index_add(1, totals, joint).log(), sums_shown(shown))

    return loss


def _numbers(network: nn.Module, images: Tensor) -> Tensor:
    """The distributions [rows, 2, 100] of the two numbers that images [rows, 2, 2, 1, 28, 28] show."""
    p = network(images.flatten(0, 2)).reshape(len(images), 2, 2, 10)
    return (p[:, :, 1, :, None] * p[:, :, 0, None, :]).flatten(2)


def _convolve(a: Tensor, b: Tensor) -> Tensor:
    """The distribution [rows, 2 n - 1] of the sum of two numbers with distributions [rows, n]."""
    rows, n = a.shape
    return functional.conv1d(a[None], b.flip(1)[:, None], padding=n - 1, groups=rows)[0]


def sums_shown(shown: Tensor) -> Tensor:
    """The sums [examples] of two numbers whose digits [examples, 2, digits], the least significant first, are shown."""
    return (shown * 10 ** torch.arange(shown.shape[2])).sum(dim=(1, 2))


DEEPPROBLOG_PROGRAM = """
nn(mnist_net, [X], Y, [0,1,2,3,4,5,6,7,8,9]) :: digit(X, Y).
addition(X, Y, Z) :- digit(X, X2), digit(Y, Y2), Z is X2 + Y2.
number([], Result, Result).
number([H|T], Acc, Result) :- digit(H, Nr), Acc2 is Nr + 10 * Acc, number(T, Acc2, Result).
multi_addition(X, Y, Z) :- number(X, 0, X2), number(Y, 0, Y2), Z is X2 + Y2.
"""


def deepproblog_pairs_per_second(network: nn.Module, images: Tensor, shown: Tensor, batch_size: int) -> float:
    """Examples a second of DeepProbLog's training loop on images [examples, 2, digits, 1, 28, 28].

    One example of every sum comes first and is not counted: it fills the cache of compiled queries, which then serves
    all examples with that sum. Needs the extra ``[bench]``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an engine that is not asked for here
            from deepproblog.dataset import DataLoader, Dataset
            from deepproblog.engines import ExactEngine
            from deepproblog.model import Model
            from deepproblog.network import Network
            from deepproblog.query import Query
            from deepproblog.train import train_model
    except ImportError as error:
        raise missing("DeepProbLog", error) from None
    from problog.logic import Constant, Term, list2term

    digits = shown.shape[2]
    totals = sums_shown(shown).tolist()

    class Source:
        def __getitem__(self, key: tuple[object, ...]) -> Tensor:
            example, number, digit = (int(k) for k in key)  # type: ignore[call-overload]
            return images[example, number, digit]

    class Sums(Dataset):  # type: ignore[misc]
        def __init__(self, examples: Sequence[int]) -> None:
            self.examples = examples

        def __len__(self) -> int:
            return len(self.examples)

        def to_query(self, i: int) -> object:
            example = self.examples[i]
            # Placeholders, put in by substitution: queries with the same sum share one compiled circuit.
            names = [[Term(f"p{n}_{d}") for d in reversed(range(digits))] for n in range(2)]
            tensors = {
                name: Term("tensor", Term("train", Constant(example), Constant(n), Constant(digits - 1 - d)))
                for n, row in enumerate(names)
                for d, name in enumerate(row)
            }
            total = Constant(totals[example])
            if digits == 1:
                return Query(Term("addition", names[0][0], names[1][0], total), tensors)
            return Query(Term("multi_addition", list2term(names[0]), list2term(names[1]), total), tensors)

    first = {total: i for i, total in reversed(list(enumerate(totals)))}
    counted = sorted(set(range(len(totals))) - set(first.values()))
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():  # its progress, and what torch says
        warnings.simplefilter("ignore")
        wrapped = Network(network, "mnist_net", batching=True)
        wrapped.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        model = Model(DEEPPROBLOG_PROGRAM, [wrapped], load=False)
        model.set_engine(ExactEngine(model), cache=True)
        model.add_tensor_source("train", Source())
        train_model(model, DataLoader(Sums(list(first.values())), batch_size, False), 1, log_iter=10**9)
        start = time.perf_counter()
        train_model(model, DataLoader(Sums(counted), batch_size, False), 1, log_iter=10**9)
        return len(counted) / (time.perf_counter() - start)
