"""Long processes do not grow."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import resource, sys
from deepplp.compilation import compile_formula
from deepplp.grounding import Grounder
from deepplp.program import Program, parse_goal

text = " ".join(f"0.3::e({i},{j})." for i in range(6) for j in range(6) if i != j and (i * j) % 3 != 1)
grounder = Grounder(Program.from_string(text + " p(X,Y) :- e(X,Y). p(X,Y) :- p(X,Z), e(Z,Y)."))
formula = grounder.ground([parse_goal("p(0,5)")])

def peak():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

for _ in range(10):
    compile_formula(formula)
before = peak()
for _ in range(60):
    compile_formula(formula)
print(peak() - before)
"""


def test_compiling_again_and_again_does_not_grow() -> None:
    """Sixty compilations leave the process as large as ten: diagrams and their nodes are given back."""
    if not sys.platform.startswith("linux"):
        return
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=True)
    assert float(done.stdout) < 20, "MiB more after fifty compilations"
