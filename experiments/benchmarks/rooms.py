"""Room changes: how often one query calls from a room of the library into another, cold and warm.

    python -m experiments.benchmarks.rooms
    python -m experiments.benchmarks.rooms --pairs 10

A room is a folder below ``deepplp``, or a file that stands by itself, such as ``model``. A change is a call of a Python
function whose caller is in another room; what stands between, such as torch or ProbLog, is looked through. The query
is the sum of two digits, by a model that is new (*cold*: ground, compiled and answered), and once more (*warm*).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated

import torch
import typer

import deepplp

ROOT = Path(deepplp.__file__).parent
PROGRAM = "nn(net, [X], Y, [0..9]) :: digit(X, Y). sum(X, Y, S) :- digit(X, A), digit(Y, B), S is A + B."


def room_of(file: str) -> str | None:
    """The room that a file of code stands in; None for what is not ours."""
    try:
        parts = Path(file).relative_to(ROOT).parts
    except ValueError:
        return None
    return parts[0].removesuffix(".py")


def changes(work: Callable[[], object]) -> Counter[tuple[str, str]]:
    """How often work calls from one room into another."""
    found: Counter[tuple[str, str]] = Counter()
    rooms: dict[str, str | None] = {}

    def room(frame: FrameType | None) -> str | None:
        """The room of the innermost frame of ours."""
        while frame is not None:
            file = frame.f_code.co_filename
            if file not in rooms:
                rooms[file] = room_of(file)
            if rooms[file] is not None:
                return rooms[file]
            frame = frame.f_back
        return None

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and room_of_code(frame) is not None:
            here, before = room_of_code(frame), room(frame.f_back)
            if here is not None and before is not None and here != before:
                found[before, here] += 1

    def room_of_code(frame: FrameType) -> str | None:
        file = frame.f_code.co_filename
        if file not in rooms:
            rooms[file] = room_of(file)
        return rooms[file]

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def measure() -> dict[str, Counter[tuple[str, str]]]:
    """The changes of a cold query and of a warm one, of one that a prepared query answers, and of query_many."""
    images = {name: torch.full((2, 10), 0.1, dtype=torch.float64) for name in "ab"}
    program = deepplp.Program.from_string(PROGRAM)

    def model() -> deepplp.Model:
        return deepplp.Model(program, {"net": lambda x: x}, cache=False)

    model().query("sum(a, b, S)", images)  # compiles the kernels
    fresh = model()
    found = {name: changes(lambda: fresh.query("sum(a, b, S)", images)) for name in ("cold", "warm")}
    prepared = fresh.compile("sum(a, b, S)", ["a", "b"])
    prepared(images)
    found["prepared"] = changes(lambda: prepared(images))
    return found


def main(
    pairs: Annotated[int, typer.Option(help="Pairs of rooms to list for each.")] = 0,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/rooms.json"),
) -> None:
    """Count and print."""
    found = measure()
    for name, counts in found.items():
        print(f"{name}: {sum(counts.values())} room changes")
        for (before, here), count in counts.most_common(pairs):
            print(f"    {before} → {here}: {count}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({n: {f"{a} to {b}": k for (a, b), k in c.items()} for n, c in found.items()}))


if __name__ == "__main__":
    typer.run(main)
