"""All tests, each file in a process of its own, as many at once as there are processors (four at most).

    python -m tests
    python -m tests tests/test_many.py tests/test_model.py

A test of how much a process grows, of what an interrupt leaves or of who holds a lock speaks of a process that nothing
else has used. A file by itself, or a test, runs by pytest as well: ``python -m pytest tests/test_many.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from experiments.datasets import data_root

ROOT = Path(__file__).parent.parent
NO_TESTS = 5  # pytest's status where a file was skipped as a whole


def run(part: str) -> tuple[str, int, str, float]:
    """A file or folder, pytest's status, what it printed, and the seconds."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfE", part]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return part, 0 if done.returncode == NO_TESTS else done.returncode, done.stdout, time.perf_counter() - start


def main() -> int:
    """Run, print each file's result as it comes and what failed at the end; 1 where anything did."""
    data_root()  # a folder that is not there is said once
    parts = sys.argv[1:] or [*sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("tests/test_*.py")), "deepplp"]
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    failed: list[str] = []
    with ThreadPoolExecutor(max(1, min(4, cpus))) as pool:
        for future in as_completed([pool.submit(run, part) for part in parts]):
            part, status, printed, seconds = future.result()
            print(f"{part}: {'passed' if status == 0 else f'FAILED ({status})'} in {seconds:.0f} s", flush=True)
            if status != 0:
                failed.append(part)
                print(printed, flush=True)
    print(
        f"{len(parts) - len(failed)} of {len(parts)} files passed"
        + (f"; failed: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
