"""A bounded run of the fuzzer (`python -m tests.fuzz` runs for as long as one likes), and what it found before."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import Generator, Outcome, check

PROGRAMS = 100


def test_random_programs_of_all_constructs() -> None:
    """Answers, and gradients by the networks' outputs, are those of the enumerated worlds, and ProbLog's if it has any.

    ProbLog may differ on programs that collect answers (findall and its like), where the worlds decide.
    """
    outcomes: dict[int, Outcome] = {}
    for seed in range(PROGRAMS):
        program = Generator(seed).draw()
        outcome = outcomes[seed] = check(program)
        assert not outcome.difference, f"seed {seed}: {outcome.difference}\n{program.text()}"
        assert outcome.problog is not False or program.collects, f"seed {seed}: ProbLog differs\n{program.text()}"
    checked = [o for o in outcomes.values() if not o.skipped]
    assert len(checked) > PROGRAMS // 2
    assert sum(o.problog is True for o in checked) > PROGRAMS // 3


@pytest.mark.parametrize("seed", [239, 265, 326, 346, 50297])
def test_programs_that_failed_once(seed: int) -> None:
    """Programs on which the fuzzer found a fault."""
    program = Generator(seed).draw()
    assert check(program).difference == ""


def test_the_fuzzer_sees_differences() -> None:
    """Where the worlds' weights are not the program's, most programs differ: the comparison compares."""
    rng = random.Random(0)
    seen = 0
    for seed in range(40):
        program = Generator(seed).draw()
        program.weights = {n: round(0.5 * w + 0.1 * rng.random(), 3) for n, w in program.weights.items()}
        outputs = [program.weights[n] for rows in program.networks.get("d", []) for n in rows]
        for i, rows in enumerate(program.networks.get("d", [])):  # a network's rows still sum to one
            program.weights |= {
                n: w / sum(outputs[3 * i : 3 * i + 3]) for n, w in zip(rows, outputs[3 * i :], strict=False)
            }
        seen += bool(check(program, with_problog=False).difference)
    assert seen > 5
