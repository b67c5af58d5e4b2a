"""Learning from partial interpretations, against ProbLog's own LFI on programs of the kind its tutorial shows."""

from __future__ import annotations

import logging
import warnings

import pytest
import torch
from problog.learning.lfi import run_lfi
from problog.program import PrologString

import deepplp
from deepplp.program import parse_goal

Interpretation = dict[str, bool]


def problog_lfi(text: str, interpretations: list[Interpretation]) -> list[float]:
    """The probabilities that ProbLog's expectation maximisation comes to, in the order of the clauses."""
    examples = [[(parse_goal(atom), value) for atom, value in i.items()] for i in interpretations]
    logging.getLogger("problog_lfi").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = run_lfi(PrologString(text), examples, max_iter=3000, min_improv=1e-13, normalize=True)
    return [float(w) for w in found[1]]


def our_model(text: str, interpretations: list[Interpretation]) -> deepplp.Model:
    """The model whose parameters maximise the likelihood; an atom that an interpretation leaves out says nothing."""
    atoms = sorted({atom for i in interpretations for atom in i})
    evidence = {
        atom: torch.tensor([float(i[atom]) if atom in i else 0.5 for i in interpretations], dtype=torch.float64)
        for atom in atoms
    }
    model = deepplp.Model(deepplp.Program.from_string(text))
    optimizer = torch.optim.LBFGS(
        model.parameters(), line_search_fn="strong_wolfe", max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = -model.query(atoms[0], evidence=evidence).log_evidence.mean()
        value.backward()
        return value

    optimizer.step(loss)
    return model


COINS = """
t(0.4)::heads(c1).
t(0.7)::heads(c2).
win :- heads(c1), \\+heads(c2).
win :- heads(c2), \\+heads(c1).
"""
COIN_TOSSES: list[Interpretation] = (
    [{"heads(c1)": True, "win": True}] * 3
    + [{"heads(c1)": False, "win": True}] * 2
    + [{"heads(c1)": True, "win": False}] * 1
    + [{"heads(c2)": True}] * 2
    + [{"win": False, "heads(c2)": False}] * 2
)

ALARM = """
t(0.3)::burglary.
0.2::earthquake.
t(0.6)::loud.
t(0.5)::quiet.
alarm :- burglary, loud.
alarm :- earthquake, quiet.
"""
ALARMS: list[Interpretation] = [
    {"burglary": False, "alarm": False},
    {"earthquake": False, "alarm": True, "burglary": True},
    {"burglary": False, "earthquake": True, "alarm": True},
    {"burglary": True, "earthquake": False, "alarm": False},
    {"burglary": True, "earthquake": False, "alarm": True},
    {"burglary": False, "earthquake": True, "alarm": False},
    {"alarm": False},
    {"burglary": False},
]

BALLS = """
t(0.2)::ball(red); t(0.3)::ball(green); t(0.5)::ball(blue).
t(0.5)::shiny.
dark :- ball(blue).
dark :- ball(green), \\+shiny.
"""
SEEN_DRAWS: list[Interpretation] = (
    [{"ball(red)": True, "ball(green)": False, "ball(blue)": False}] * 2
    + [{"ball(red)": False, "ball(green)": True, "ball(blue)": False, "dark": True}] * 1
    + [{"ball(red)": False, "ball(green)": True, "ball(blue)": False, "dark": False}] * 3
    + [{"ball(red)": False, "ball(green)": False, "ball(blue)": True, "shiny": False}] * 4
)
DRAWS: list[Interpretation] = (
    [{"ball(red)": True}] * 2
    + [{"dark": True, "ball(blue)": True}] * 3
    + [{"dark": False, "shiny": True}] * 4
    + [{"dark": True, "ball(blue)": False, "shiny": False}] * 2
    + [{"ball(green)": True, "shiny": True}] * 1
)


@pytest.mark.parametrize(
    ("text", "interpretations", "learnt"),
    [
        (COINS, COIN_TOSSES, ["heads(c1)", "heads(c2)"]),
        (ALARM, ALARMS, ["burglary", "loud", "quiet"]),
        (BALLS, SEEN_DRAWS, ["ball(red)", "ball(green)", "ball(blue)", "shiny"]),
    ],
    ids=["coins", "alarm", "balls"],
)
def test_lfi(text: str, interpretations: list[Interpretation], learnt: list[str]) -> None:
    """Gradients of the likelihood and expectation maximisation come to the same parameters."""
    expected = problog_lfi(text, interpretations)
    answers = our_model(text, interpretations).query(learnt)
    assert answers.probs[0].tolist() == pytest.approx(expected, abs=1e-4)
    assert all(0 < p < 1 for p in expected)


def test_a_disjunction_whose_values_are_hidden() -> None:
    """Where an interpretation does not say which head holds, parameters are still those of maximum likelihood.

    Of 12 draws 2 are red, 3 green, 3 blue, and 4 not dark and shiny, so red or green: P(blue) = 3/12, and red and green
    share the rest 2 to 3. Shiny is seen in 7, and true in 5. (ProbLog
    2.3.0 comes to 2/11, 6/11 and 3/11 here, which make these draws less likely.)
    """
    answers = our_model(BALLS, DRAWS).query(["ball(red)", "ball(green)", "ball(blue)", "shiny"])
    assert answers.probs[0].tolist() == pytest.approx([0.3, 0.45, 0.25, 5 / 7], abs=1e-6)
