"""The pause of Python's cycle collector, among threads."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from deepplp.collector import collector_paused


@pytest.fixture(autouse=True)
def _the_collector_stays_as_it_was() -> Iterator[None]:
    """Whatever a test leaves behind."""
    was_enabled = gc.isenabled()
    yield
    if was_enabled:
        gc.enable()
    else:
        gc.disable()


@pytest.mark.parametrize("enabled", [True, False])
def test_one_pause(enabled: bool) -> None:
    """The collector rests during the block, and is as before behind it, an error included."""
    (gc.enable if enabled else gc.disable)()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == enabled
    with pytest.raises(KeyError), collector_paused():
        raise KeyError
    assert gc.isenabled() == enabled


@pytest.mark.parametrize("enabled", [True, False])
def test_the_last_of_two_threads_ends_the_pause(enabled: bool) -> None:
    """The first thread to enter leaves first: the collector still rests for the second, and is then as before."""
    (gc.enable if enabled else gc.disable)()
    second_is_in, first_is_out = threading.Event(), threading.Event()
    seen: list[bool] = []

    def second() -> None:
        with collector_paused():
            second_is_in.set()
            assert first_is_out.wait(10)
            seen.append(gc.isenabled())

    thread = threading.Thread(target=second)
    with collector_paused():
        thread.start()
        assert second_is_in.wait(10)
    first_is_out.set()
    thread.join()
    assert seen == [False]
    assert gc.isenabled() == enabled


@pytest.mark.parametrize("enabled", [True, False])
def test_many_threads(enabled: bool) -> None:
    """Eight threads that come and go never meet a running collector, and leave it as they found it."""
    (gc.enable if enabled else gc.disable)()

    def work(seed: int) -> list[bool]:
        generator, seen = random.Random(seed), []
        for _ in range(100):
            with collector_paused():
                seen.append(gc.isenabled())
                if generator.random() < 0.5:
                    with collector_paused():
                        time.sleep(generator.random() * 1e-4)
                seen.append(gc.isenabled())
        return seen

    with ThreadPoolExecutor(8) as pool:
        seen = [state for states in pool.map(work, range(8)) for state in states]
    assert len(seen) == 8 * 200
    assert not any(seen)
    assert gc.isenabled() == enabled


FORK = """
import gc, os, threading
from deepplp.collector import collector_paused

inside, done = threading.Event(), threading.Event()

def hold():
    with collector_paused():
        inside.set()
        done.wait(60)

def states():
    before = gc.isenabled()
    with collector_paused():
        within = gc.isenabled()
    return before, within, gc.isenabled()

thread = threading.Thread(target=hold)
thread.start()
inside.wait(60)
assert states() == (False, False, False)
child = os.fork()
if child == 0:
    os._exit(0 if states() == (True, False, True) else 1)
assert os.waitpid(child, 0)[1] == 0, "another thread's pause"
with collector_paused():
    child = os.fork()
    if child == 0:
        os._exit(0 if states() == (False, False, False) else 1)
    assert os.waitpid(child, 0)[1] == 0, "the thread's own pause"
done.set()
thread.join()
assert states() == (True, False, True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_only_its_own_pause() -> None:
    """A child that is forked while another thread pauses the collector has a collector that runs."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
