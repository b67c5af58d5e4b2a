"""What is registered while others ask: threads and forks see one state of the model, before or after, never between."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest
import torch

import deepplp

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

PROGRAM = """
nn(net, [X], Y, [0, 1]) :: bit(X, Y).
both(X, Y) :- bit(X, 1), bit(Y, 1).
count(N) :- between(1, 3, N).
"""


def make() -> deepplp.Model:
    """A model whose network returns its input."""
    program = deepplp.Program.from_string(PROGRAM)
    return deepplp.Model(program, {"net": lambda x: x.reshape(-1, 2)}, cache=False)


def while_others_ask(ask: Callable[[int], None], change: Callable[[int], None], threads: int = 8) -> list[Exception]:
    """Ask from several threads while this one makes changes; what went wrong."""
    wrong: list[Exception] = []
    done = threading.Event()

    def run(number: int) -> None:
        try:
            while not done.is_set():
                ask(number)
        except Exception as error:
            wrong.append(error)

    asking = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for thread in asking:
        thread.start()
    try:
        for step in range(12):
            change(step)
            time.sleep(0.005)
    finally:
        done.set()
        for thread in asking:
            thread.join()
    return wrong


def test_eight_threads_ask_while_another_registers() -> None:
    """No answer is empty or wrong while functions, sources and embeddings are registered: a query keeps its state."""
    model = make()
    row = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    model.add_tensor_source("train", [row[0]] * 4)

    def ask(number: int) -> None:
        answers = model.query(f"both(a{number}, tensor(train({number % 4})))", {f"a{number}": row})
        assert answers.terms == (f"both(a{number},tensor(train({number % 4})))",)
        assert answers.probs.tolist() == [[0.5625]]
        assert model.query("count(N)").terms == ("count(1)", "count(2)", "count(3)")
        assert len(model.query("bit(b, Y)", {"b": row})) == 2

    def change(step: int) -> None:
        kind = step % 3
        if kind == 0:
            model.register(f"double{step}", lambda x: 2 * x, inputs=1)
        elif kind == 1:
            model.add_tensor_source(f"more{step}", [row[0]])
        else:
            model.add_embedding(f"table{step}", [f"symbol{step}"], 2)

    assert while_others_ask(ask, change) == []


def test_what_is_registered_counts_at_once() -> None:
    """A query after a registration sees it, also one whose answer was kept before."""
    model = deepplp.Model(deepplp.Program.from_string("q(Y) :- twice(3, Y)."), cache=False)
    model.register("twice", lambda x: 2 * x, inputs=1)
    assert model.query("q(Y)").terms == ("q(6)",)
    prepared = model.compile("q(Y)")
    model.register("twice", lambda x: 2 * x + 1, inputs=1)
    assert model.query("q(Y)").terms == ("q(7)",)
    assert prepared().terms == ("q(6)",), "what was prepared stays what it was"


def test_a_source_of_the_same_name_is_replaced() -> None:
    """Items come from the source that is there when the query begins."""
    model = make()
    for probability in (0.25, 0.5):
        model.add_tensor_source("train", [torch.tensor([1 - probability, probability], dtype=torch.float64)])
        assert model.query("bit(tensor(train(0)), 1)").probs.tolist() == [[probability]]


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork.*:DeprecationWarning")
def test_a_fork_while_another_thread_compiles() -> None:
    """A child that is forked while a thread of its parent compiles asks and compiles for itself."""
    model = make()
    row = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    done = threading.Event()

    def compile_for_ever() -> None:
        number = 0
        while not done.is_set():
            model.query(f"both(a{number}, b{number})", {f"a{number}": row, f"b{number}": row})
            number += 1

    compiling = threading.Thread(target=compile_for_ever)
    compiling.start()
    try:
        for attempt in range(5):
            time.sleep(0.01)
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    torch.set_num_threads(1)
                    found = model.query(f"both(c{attempt}, d)", {f"c{attempt}": row, "d": row}).probs.tolist()
                    code = 0 if found == [[0.5625]] else 2
                finally:
                    os._exit(code)
            assert _status(child) == 0
    finally:
        done.set()
        compiling.join()


def _status(child: int) -> int:
    """The exit status of a child; one that hangs is ended, and has none."""
    for _ in range(600):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -9
