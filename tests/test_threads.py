"""Threads and processes: the same bits whatever their number, and nothing that hangs."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import deepplp
from deepplp.circuit import Plan, bind
from deepplp.compilation import compile_formula
from deepplp.evaluation import evaluate
from deepplp.program import Program
from tests.formulas import chain, random_weights

walk_module = sys.modules["deepplp.evaluation.kernels.cpu_walk"]
threads_module = sys.modules["deepplp.evaluation.kernels.threads"]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

ADDITION = "nn(net, [X], Y, [0..9]) :: d(X, Y). s(X, Y, Z) :- d(X, A), d(Y, B), Z is A + B."


@pytest.fixture
def torch_threads() -> Iterator[Callable[[int], None]]:
    """torch.set_num_threads, undone afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def many_threads(monkeypatch: pytest.MonkeyPatch, torch_threads: Callable[[int], None]) -> None:
    """Every evaluation of more than one block is split over several threads, however small it is."""
    monkeypatch.setattr(walk_module, "available_cpus", lambda: 4)
    monkeypatch.setattr(walk_module, "_WORK_PER_THREAD", 1)
    torch_threads(4)


def mixed_plan() -> tuple[Plan, torch.Tensor, torch.Tensor]:
    """A chain of three digits in 5 blocks of rows, every third column shared, some rows of extended range."""
    circuit = compile_formula(chain(3))
    weights = random_weights(circuit, 150)
    weights[20:60] *= 1e-100
    column_map = np.arange(circuit.columns)
    column_map[::3] = -column_map[::3] - 1
    return bind(circuit, column_map, [circuit.columns]), weights, random_weights(circuit, 1, seed=1)[0]


def everything(plan: Plan, batched: torch.Tensor, shared: torch.Tensor) -> list[torch.Tensor]:
    """Values and gradients."""
    batched, shared = batched.clone().requires_grad_(), shared.clone().requires_grad_()
    log_probs, probs = evaluate(plan, batched, shared)
    scale = torch.linspace(-1, 2, len(batched), dtype=torch.float64)
    gradients = torch.autograd.grad(((log_probs + probs).sum(dim=1) * scale).sum(), (batched, shared))
    return [log_probs.detach(), probs.detach(), *gradients]


def test_same_bits_whatever_the_threads(monkeypatch: pytest.MonkeyPatch, torch_threads: Callable[[int], None]) -> None:
    """The number of threads changes no bit: of values, of gradients, of those shared by the batch."""
    arguments = mixed_plan()
    monkeypatch.setattr(walk_module, "_WORK_PER_THREAD", 1)
    used: list[int] = []
    original = walk_module.for_ranges

    def noted(function: Callable[[int, int], None], count: int, threads: int, piece: int) -> None:
        used.append(threads)
        original(function, count, threads, piece)

    monkeypatch.setattr(walk_module, "for_ranges", noted)
    results = []
    for cpus, threads in ((1, 1), (8, 1), (8, 2), (8, 3), (8, 8), (2, 8)):
        monkeypatch.setattr(walk_module, "_WORK_PER_CALL", 1 if threads == 3 else 1 << 40)  # a block a call, or all
        monkeypatch.setattr(walk_module, "available_cpus", lambda cpus=cpus: cpus)
        torch_threads(threads)
        results.append(everything(*arguments))
        assert used[-1] == min(cpus, threads), "a program's torch.set_num_threads holds for the kernel as well"
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert torch.equal(a, b)


def test_small_work_takes_one_thread(torch_threads: Callable[[int], None]) -> None:
    """Handing work to another thread costs more than a small circuit does: it stays where it is."""
    torch_threads(4)
    plan = bind(compile_formula(chain(1)))
    work = plan.keep("sizes", walk_module._sizes).work
    assert walk_module._threads(work) == 1
    assert walk_module._threads(10_000 * work) == min(4, walk_module.available_cpus())


@pytest.mark.usefixtures("many_threads")
def test_many_python_threads_at_once() -> None:
    """Several Python threads may evaluate one plan at once, each over several threads of the kernel."""
    plan, weights, common = mixed_plan()
    batches = [weights.roll(7 * i, dims=0) for i in range(6)]
    expected = [everything(plan, b, common) for b in batches]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(10):
            for e, found in zip(expected, pool.map(lambda b: everything(plan, b, common), batches), strict=True):
                assert all(torch.equal(a, b) for a, b in zip(e, found, strict=True))


def test_an_error_in_a_share_is_raised() -> None:
    """An error in any share of the work reaches the caller, after all shares have ended."""
    done: list[int] = []

    def work(first: int, last: int) -> None:
        if first == 4:
            raise ValueError("in a share")
        time.sleep(0.05)
        done.append(first)

    with pytest.raises(ValueError, match="in a share"):
        threads_module.for_ranges(work, 6, 3)
    assert sorted(done) == [0, 2]


@pytest.mark.parametrize(("count", "threads", "piece"), [(7, 1, 2), (9, 2, 2), (10, 3, 1), (10, 3, 0)])
def test_calls_cover_no_more_than_a_piece(count: int, threads: int, piece: int) -> None:
    """Long shares are cut into calls, so that an interrupt comes through between two of them."""
    calls: list[range] = []
    threads_module.for_ranges(lambda a, b: calls.append(range(a, b)), count, threads, piece)
    assert sorted(i for call in calls for i in call) == list(range(count))
    assert max(map(len, calls)) == max(1, piece)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_ends_all_shares(threads: int) -> None:
    """What interrupts the caller's share ends the others at their next call, and is what is raised."""
    begun = threading.Event()
    calls: list[int] = []

    def work(first: int, last: int) -> None:
        calls.append(first)
        if first == 0:
            assert threads == 1 or begun.wait(5.0)
            raise KeyboardInterrupt
        begun.set()
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        threads_module.for_ranges(work, 30_000, threads, 1)
    assert len(calls) < 5_000


@pytest.mark.parametrize(("count", "threads"), [(1, 4), (5, 2), (7, 3), (8, 8), (3, 1)])
def test_shares_cover_the_work(count: int, threads: int) -> None:
    """The shares are disjoint ranges, together all of the work."""
    shares: list[range] = []
    threads_module.for_ranges(lambda a, b: shares.append(range(a, b)), count, threads)
    assert sorted(i for share in shares for i in share) == list(range(count))
    assert len(shares) == min(count, threads)
    assert all(shares)


def test_many_python_threads_ask_one_model() -> None:
    """Threads that ask one model the same and different questions at once get the answers of one that asks alone.

    The first questions meet a model that has ground nothing yet.
    """
    goals = ["s(a, b, S)", "s(a, b, 3)", "s(a, b, 18)", "s(b, a, S)"]
    inputs = {"a": torch.rand(40, 10, dtype=torch.float64).softmax(1), "b": torch.rand(40, 10).double().softmax(1)}

    def make() -> deepplp.Model:
        return deepplp.Model(Program.from_string(ADDITION), {"net": torch.nn.Identity()})

    expected = {goal: make().query(goal, inputs).probs for goal in goals}
    for _ in range(3):
        model = make()
        start = threading.Barrier(8)

        def ask(i: int, model: deepplp.Model = model, start: threading.Barrier = start) -> None:
            start.wait()
            for goal in goals[i % 4 :] + goals[: i % 4]:
                assert torch.equal(model.query(goal, inputs).probs, expected[goal])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))


def _evaluate_in_child(plan: Plan, weights: np.ndarray, common: np.ndarray, queue: object) -> None:
    found = evaluate(plan, torch.from_numpy(weights), torch.from_numpy(common))[1].numpy()
    queue.put(found)  # type: ignore[attr-defined]


@needs_fork
@pytest.mark.usefixtures("many_threads")
def test_a_forked_process_evaluates() -> None:
    """A process forked after the kernel's threads ran evaluates on threads of its own; nothing hangs."""
    plan, weights, common = mixed_plan()
    expected = evaluate(plan, weights, common)[1].numpy()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_evaluate_in_child, args=(plan, weights.numpy(), common.numpy(), queue))
    child.start()
    try:
        found = queue.get(timeout=60)
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
    np.testing.assert_array_equal(found, expected)
    assert np.array_equal(evaluate(plan, weights, common)[1].numpy(), expected), "and so does the parent, still"


@needs_fork
@pytest.mark.usefixtures("many_threads")
def test_a_fork_in_the_middle_of_work() -> None:
    """A process may be forked while other threads evaluate: no lock of theirs stays shut in the child."""
    plan, weights, common = mixed_plan()
    expected = everything(plan, weights, common)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            everything(plan, weights, common)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    found = everything(plan, weights, common)
                    code = 0 if all(torch.equal(a, b) for a, b in zip(expected, found, strict=True)) else 2
                finally:
                    os._exit(code)
            assert _wait(child, 60) == 0
    finally:
        stop.set()
        for t in threads:
            t.join(60)


def _wait(child: int, seconds: float) -> int:
    """The exit status of a child, which is killed when its time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("the child hung")


class Pairs(torch.utils.data.Dataset[torch.Tensor]):
    """A data set that asks a model in the worker that loads it."""

    def __init__(self) -> None:
        program = Program.from_string("nn(net, [X]) :: p(X). both(X, Y) :- p(X), p(Y).")
        self.model = deepplp.Model(program, {"net": torch.nn.Identity()})

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> torch.Tensor:
        p = torch.linspace(0.1, 0.9, 100, dtype=torch.float64) / (index + 1)
        return self.model.query("both(a, b)", {"a": p, "b": p}).probs[:, 0]


@needs_fork
@pytest.mark.usefixtures("many_threads")
def test_data_loader_workers_evaluate() -> None:
    """A model works inside a DataLoader's forked workers, after it worked in the parent."""
    data = Pairs()
    expected = torch.stack([data[i] for i in range(6)])
    loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60)
    assert torch.equal(torch.cat(list(loader)), expected)


@needs_fork
def test_a_forked_process_compiles() -> None:
    """A process forked after a model ground and compiled does so, too."""
    model = deepplp.Model(Program.from_string(ADDITION), {"net": torch.nn.Identity()})
    inputs = {"a": torch.full((2, 10), 0.1), "b": torch.full((2, 10), 0.1)}
    model.query("s(a, b, S)", inputs)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(len(model.query("s(b, a, S)", inputs).terms) != 19)
        finally:
            os._exit(code)
    assert _wait(child, 60) == 0


FINGERPRINT = "from tests.test_threads import fingerprint; print(fingerprint())"


def fingerprint() -> str:
    """A hash of values and gradients."""
    digest = hashlib.sha256()
    for tensor in everything(*mixed_plan()):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def test_same_bits_in_every_process() -> None:
    """Another process, with other numbers of threads and another hash seed, finds the same bits."""
    expected = fingerprint()
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, timeout=120, check=True, env=environment
    )
    assert done.stdout.strip() == expected
