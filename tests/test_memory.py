"""Long processes do not grow."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MEASURE = """
import gc, resource

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

def growth(work, warm_up, times):
    for _ in range(warm_up):
        work()
    before = resident()
    for _ in range(times):
        work()
    return resident() - before
"""

COMPILE = """
from deepplp.compilation import compile_formula
from deepplp.grounding import Grounder
from deepplp.program import (Program, parse_goal)

text = " ".join(f"0.3::e({i},{j})." for i in range(6) for j in range(6) if i != j and (i * j) % 3 != 1)
grounder = Grounder(Program.from_string(text + " p(X,Y) :- e(X,Y). p(X,Y) :- p(X,Z), e(Z,Y)."))
formula = grounder.ground([parse_goal("p(0,5)")])
print(growth(lambda: compile_formula(formula), 10, 60))
"""

KEEP = """
from deepplp.compilation.diagram import Diagram
kept = []
original = Diagram.__init__

def init(self, *arguments):
    original(self, *arguments)
    kept.append(self)

Diagram.__init__ = init
"""

MODELS = """
import deepplp

text = " ".join(f"0.3::e({i}, {j})." for i in range(8) for j in range(8))
program = deepplp.Program.from_string("nn(net, [X]) :: n(X). q(X, Y) :- n(X), n(Y), e(X, Y). " + text)

def work():
    model = deepplp.Model(program, {"net": lambda x: x})
    x = torch.full((200,), 0.5, requires_grad=True)
    model.query("q(1, 2)", {"1": x, "2": x}).probs.sum().backward()

import torch
print(growth(work, 10, 60))
"""

ERRORS = """
from deepplp.compilation import compile_formula
from deepplp.errors import NegativeCycleError
from deepplp.formula import (And, Atom, Formula, Goal, Node, Or)
from tests.formulas import conjunction

good = conjunction(3000)
nodes = (*good.nodes, And((len(good.nodes), -(len(good.nodes) + 1))))
bad = Formula(good.choices, nodes, (good.queries[0], Goal("bad", len(nodes))))

def work():
    try:
        compile_formula(bad)
    except NegativeCycleError:
        return
    raise AssertionError

print(growth(work, 5, 20))
"""

EVALUATE = """
import torch
from deepplp.compilation import compile_formula
from deepplp.circuit import bind
from deepplp.evaluation import evaluate
from tests.formulas import NOTHING, chain, random_weights

circuit = compile_formula(chain(4))
plan = bind(circuit)
weights = random_weights(circuit, 512).requires_grad_()

def work():
    weights.grad = None
    log_probs, probs = evaluate(plan, weights, NOTHING)
    (log_probs + probs).sum().backward()
    (first,) = torch.autograd.grad(evaluate(plan, weights[:4], NOTHING)[0].sum(), weights, create_graph=True)

print(growth(work, 10, 60))
"""


def grown(script: str) -> float:
    """How many MiB a process grows by while it does the same again and again."""
    command = [sys.executable, "-c", MEASURE + script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("script", [COMPILE, MODELS, ERRORS, EVALUATE], ids=["compile", "models", "errors", "evaluate"])
def test_processes_do_not_grow(script: str) -> None:
    """After a warm-up, doing the same sixty times more leaves a process as large as it was: all is given back.

    Formulas compiled, models made and asked, compilations that fail, evaluations with derivatives.
    """
    assert grown(script) < 10


def test_the_measure_sees_what_is_kept() -> None:
    """The bound above is a bound: with the diagrams of all compilations kept, the same process grows far beyond it."""
    assert grown(KEEP + COMPILE) > 25


LARGE_BATCH = """
import resource
import torch
from deepplp.compilation import compile_formula
from deepplp.circuit import bind
from deepplp.evaluation import evaluate
from tests.formulas import NOTHING, chain

plan = bind(compile_formula(chain(15)))
weights = torch.full((100_000, plan.width), 0.1, requires_grad=True)
small = torch.full((2, plan.width), 0.1, requires_grad=True)
evaluate(plan, small, NOTHING)[0].sum().backward()  # the kernel is loaded
before = resident()
evaluate(plan, weights, NOTHING)[0].sum().backward()
assert weights.grad is not None
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before)
"""


def test_a_large_batch_takes_bounded_memory() -> None:
    """100,000 sums of 15 digits, forward and backward, take less than 2 GiB beyond the weights that are given."""
    assert grown(LARGE_BATCH) < 2048
