"""What networks return and raise: narrow types may round, and everything else is an error with the network's name."""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import deepplp
from deepplp.errors import CacheWarning, NetworkInputError, NetworkOutputError, QueryError
from deepplp.program import Program

TEXT = "nn(net, [X], Y, [0..9]) :: d(X, Y). s(X, Y, Z) :- d(X, A), d(Y, B), Z is A + B."


def asked(net: Callable[[Tensor], object], query: str = "d(a, Y)", output: str = "probabilities") -> Tensor:
    """The probabilities of a query under a network."""
    network = deepplp.Network(net, output=output)  # type: ignore[arg-type]
    inputs = {"a": torch.linspace(-3, 3, 640).reshape(64, 10)}
    if "b" in query:
        inputs["b"] = inputs["a"][:, :].flip(1)
    return deepplp.Model(Program.from_string(TEXT), {"net": network}, cache=False).query(query, inputs).probs


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("query", ["d(a, Y)", "s(a, b, Z)"])
def test_narrow_types_may_round(dtype: torch.dtype, query: str) -> None:
    """A softmax that is rounded to its type is a distribution; what is further off than rounding is none."""
    found = asked(lambda x: torch.softmax(x * 3, 1).to(dtype), query)
    expected = asked(lambda x: torch.softmax(x * 3, 1), query)
    assert torch.allclose(found, expected, atol=2 * torch.finfo(dtype).eps)
    with pytest.raises(NetworkOutputError, match="does not sum to one"):
        asked(lambda x: (torch.softmax(x, 1) * 1.02).to(dtype), query)


@pytest.mark.parametrize("query", ["d(a, Y)", "s(a, b, Z)"])
def test_autocast_rounds_as_its_type_does(query: str) -> None:
    """Under autocast a network may round to bfloat16 and return float32: its type says nothing of its rounding."""

    def thirds(x: Tensor) -> Tensor:
        return torch.cat([torch.full((len(x), 3), 1 / 3), torch.zeros(len(x), 7)], dim=1)

    def rounded(x: Tensor) -> Tensor:
        return thirds(x).to(torch.bfloat16).float()  # rows sum to 1.002

    expected = asked(thirds, query)
    with pytest.raises(NetworkOutputError, match="does not sum to one"):
        asked(rounded, query)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(asked(rounded, query), expected, atol=2 * torch.finfo(torch.bfloat16).eps)
        with pytest.raises(NetworkOutputError, match="does not sum to one"):
            asked(lambda x: torch.softmax(x, 1) * 1.02, query)


@pytest.mark.parametrize("other", [torch.int64, torch.float64])
def test_inputs_of_two_types_are_not_joined(other: torch.dtype) -> None:
    """Each input reaches the network in its own type: a type of both would be another input."""
    seen: list[torch.dtype] = []

    def net(x: Tensor) -> Tensor:
        seen.append(x.dtype)
        return torch.softmax(x.double(), dim=1)

    model = deepplp.Model(Program.from_string(TEXT), {"net": net}, cache=False)
    inputs = {"a": torch.zeros(2, 10), "b": torch.zeros(2, 10, dtype=other), "c": torch.zeros(2, 10)}
    model.query(["d(a, 1)", "d(b, 1)", "d(c, 1)"], inputs)
    assert sorted(seen, key=str) == sorted([torch.float32, other], key=str)


def test_narrow_types_may_round_beside_others() -> None:
    """How far a row may be from one follows the type also where inputs are not alike, and a call has several groups."""
    logits = 2 * torch.randn(64, 10, generator=torch.Generator().manual_seed(0))
    net = lambda x: torch.softmax(x.float(), dim=1).to(torch.bfloat16)  # noqa: E731
    model = deepplp.Model(Program.from_string(TEXT), {"net": net}, cache=False)
    narrow = model.query(["d(a, 1)", "d(b, 2)"], {"a": logits, "b": logits.double().flip(1)}).probs
    exact = torch.softmax(logits.double(), dim=1)
    torch.testing.assert_close(narrow, torch.stack((exact[:, 1], exact.flip(1)[:, 2]), 1), rtol=1e-2, atol=0)
    assert float((net(logits).double().sum(dim=1) - 1).abs().max()) > 1.5e-3


def test_rounding_of_logarithms() -> None:
    """Logarithms of probabilities that are rounded to bfloat16 are those of a distribution."""
    assert asked(lambda x: torch.log_softmax(x, 1).to(torch.bfloat16), output="log_probabilities").shape == (64, 10)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p.to("meta"), "on the device 'meta'"),
        (lambda p: p.to_sparse(), "a sparse tensor; return a dense one"),
        (lambda p: p.to_sparse_csr(), "a sparse tensor; return a dense one"),
        (lambda p: p.to(torch.float8_e4m3fn), "float8_e4m3fn, too coarse for probabilities"),
        (lambda p: torch.nested.nested_tensor([*p]), "a nested tensor"),
        (lambda p: p > 0.5, "torch.bool; probabilities must be floating point"),
        (lambda p: p.to(torch.complex64), "torch.complex64; probabilities must be floating point"),
    ],
)
def test_outputs_without_probabilities_are_named(change: Callable[[Tensor], Tensor], says: str) -> None:
    """What no probabilities can be read from is an error with the network's name, and says what to return."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about nested and sparse tensors
        with pytest.raises(NetworkOutputError, match=rf"network 'net' returned .*{says}"):
            asked(lambda x: change(torch.softmax(x, 1)))


@pytest.mark.parametrize(
    ("error", "says"),
    [(StopIteration(), "it raised StopIteration"), (OSError("no such disk"), "no such disk"),
     (AssertionError(), "it raised AssertionError"), (AssertionError("too wide"), "too wide"),
     (ZeroDivisionError("division by zero"), "division by zero"), (KeyError("x"), "no entry 'x'")],
)  # fmt: skip
def test_whatever_a_network_raises_is_named(error: Exception, says: str) -> None:
    """An exception within a network names the network; one of ours stays what it is."""

    def failing(x: Tensor) -> Tensor:
        raise error

    with pytest.raises(NetworkInputError, match=rf"network 'net' failed on inputs of shape .*{says}") as caught:
        asked(failing)
    assert caught.value.__cause__ is error

    def ours(x: Tensor) -> Tensor:
        raise QueryError("of a model within")

    with pytest.raises(QueryError, match=r"^of a model within$"):
        asked(ours)


def test_a_kernel_cache_that_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code that cannot be kept or read costs time: one warning, and the code is made anew."""
    module = sys.modules["deepplp.evaluation.kernels.compiled"]

    class Full:
        cache_path = "/full"

        def load_overload(self, signature: object, target: object) -> object:
            raise EOFError("Ran out of input")

        def save_overload(self, signature: object, code: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module._Cache, "_has_warned", False)
    function = module.compiled(lambda x: x + 1)
    function._cache = module._Cache(Full())
    with pytest.warns(CacheWarning, match=r"cannot read the kernels' machine code in /full: Ran out.*NUMBA_CACHE_DIR"):
        assert function(2) == 3
    monkeypatch.setattr(module._Cache, "_has_warned", False)
    with pytest.warns(CacheWarning, match="cannot keep .*No space left"):
        function._cache.save_overload(None, None)
    function._cache.save_overload(None, None)  # it is said once
    assert function._cache.cache_path == "/full"
