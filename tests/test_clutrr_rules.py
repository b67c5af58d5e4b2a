"""The rules of kinship that are learnt from stories: their probabilities by enumeration, and stories end to end."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest
import torch

import deepplp
from deepplp import Query
from experiments import clutrr_rules
from experiments.clutrr_rules import Kinship, Story, story_of
from experiments.training import PROGRAMS

KINDS = (
    "parent", "child", "sibling", "spouse", "grandparent", "grandchild", "pibling", "nibling", "parent_in_law",
    "child_in_law", "nothing",
)  # fmt: skip
FEMALE = {"parent": "mother", "sibling": "sister", "child": "daughter", "pibling": "aunt", "nibling": "niece"}
TWO = Query("related(p0, p2, Word)", facts="edge(p0, p1, father). edge(p1, p2, sister).")
THREE = Query("related(p0, p3, Word)", facts="edge(p0, p1, father). edge(p1, p2, sister). edge(p2, p3, daughter).")
ALIKE = Query("related(p0, p3, Word)", facts="edge(p0, p1, sister). edge(p1, p2, sister). edge(p2, p3, sister).")

Rules = Mapping[tuple[str, str], torch.Tensor]


def learnt(seed: int) -> tuple[deepplp.Model, Rules]:
    """A model with random parameters, and what A's B is with which probability [11], read from the model itself."""
    model = deepplp.Model(PROGRAMS / "clutrr_rules.pl")
    model.query("joined(A, B, Kind)")
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(2 * torch.randn(parameter.shape, generator=random, dtype=torch.float64))
    answers = model.query("joined(A, B, Kind)")
    found = dict(zip(answers.terms, answers.probs[0].detach(), strict=True))
    pairs = product(KINDS[:-1], repeat=2)
    return model, {(a, b): torch.stack([found[f"joined({a},{b},{k})"] for k in KINDS]) for a, b in pairs}


def enumerated(rules: Rules, way: tuple[str, str, str]) -> dict[str, float]:
    """The probability of each kind that three steps may come to, over all draws: each pair of kinds is drawn once."""
    a, b, c = way
    found = dict.fromkeys(KINDS[:-1], 0.0)
    for first, second in product(KINDS, repeat=2):
        drawn = {(a, b): first}
        if drawn.setdefault((b, c), second) != second:
            continue
        weight = float(torch.prod(torch.stack([rules[p][KINDS.index(k)] for p, k in drawn.items()])))
        last = [p for p, left in (((first, c), first), ((a, second), second)) if left != "nothing"]
        new = list(dict.fromkeys(p for p in last if p not in drawn))
        for kinds in product(KINDS, repeat=len(new)):
            world = {**drawn, **dict(zip(new, kinds, strict=True))}
            follows = {world[p] for p in last} - {"nothing"}
            if len(follows) == 1:
                odds = [float(rules[p][KINDS.index(world[p])]) for p in new]
                found[follows.pop()] += weight * float(torch.tensor(odds, dtype=torch.float64).prod())
    return found


def test_two_steps_are_one_draw() -> None:
    """What a father's sister is has the probability of what a parent's sibling is."""
    model, rules = learnt(0)
    answers = model.query(TWO.query, facts=TWO.facts)
    found = dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))
    assert len(found) == 10
    for kind, word in FEMALE.items():
        assert found[f"related(p0,p2,{word})"] == pytest.approx(float(rules["parent", "sibling"][KINDS.index(kind)]))


@pytest.mark.parametrize(
    ("query", "way"),
    [(THREE, ("parent", "sibling", "child")), (ALIKE, ("sibling", "sibling", "sibling"))],
    ids=["different", "alike"],
)
def test_three_steps_by_enumeration(query: Query, way: tuple[str, str, str]) -> None:
    """A kind is the answer in all worlds of rules in which it follows, from either side, and nothing else does."""
    model, rules = learnt(1)
    answers = model.query(query.query, facts=query.facts)
    found = dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))
    for kind, value in enumerated(rules, way).items():
        if kind in FEMALE:
            assert found.get(f"related(p0,p3,{FEMALE[kind]})", 0.0) == pytest.approx(value, abs=1e-12), kind


def test_stories_together_are_each_alone() -> None:
    """`query_many` gives what single queries give: probabilities, and the gradient of every rule."""
    asked = [TWO, THREE, ALIKE, TWO]
    (together, _), (alone, _) = learnt(2), learnt(2)
    many = together.query_many(asked)
    single = [alone.query(q.query, facts=q.facts) for q in asked]
    for ours, theirs in zip(many, single, strict=True):
        assert ours.terms == theirs.terms
        torch.testing.assert_close(ours.probs, theirs.probs)
    torch.stack([a.probs.square().sum() for a in many]).sum().backward()
    torch.stack([a.probs.square().sum() for a in single]).sum().backward()
    gradients = 0
    for ours, theirs in zip(together.parameters(), alone.parameters(), strict=True):
        assert (ours.grad is None) == (theirs.grad is None) or not (ours.grad or theirs.grad).any()
        if theirs.grad is not None and ours.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad)
            gradients += int((theirs.grad.abs().sum(dim=-1) > 0).sum())  # of the rules, which are rows
    assert gradients > 20


def row(edges: str, words: list[str], target: str, query: str) -> dict[str, str]:
    """A row of the data set, of which only what a story is made of is read."""
    return {"story_edges": edges, "edge_types": repr(words), "query_edge": query, "target": target}


def test_a_story_is_its_row() -> None:
    """People are told of in any order, and twice; a word with a hyphen is quoted."""
    story = story_of(row("[(0, 1), (1, 0), (0, 2)]", ["son", "mother", "husband"], "mother-in-law", "(0, 2)"))
    facts = "edge(p0, p1, son). edge(p1, p0, mother). edge(p0, p2, husband)."
    assert story == Story(Query("related(p0, p2, Word)", facts=facts), "related(p0,p2,'mother-in-law')", 3)


def write(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    """A file of stories."""
    with gzip.open(folder / name, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_rules_reach_beyond_what_was_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From stories of two steps, four follow, also where people are told of twice; the answers are never asked for."""
    chain = "[(0, 1), (1, 2)]"
    known = [("father", "sister", "aunt"), ("sister", "sister", "sister"), ("father", "mother", "grandmother")]
    train = [row(chain, [a, b], c, "(0, 2)") for a, b, c in known for _ in range(20)]
    four = "[(0, 1), (1, 2), (2, 3), (3, 4)]"
    turn = "[(0, 1), (1, 2), (2, 1), (1, 3)]"
    test = [
        row(four, ["father", "sister", "sister", "sister"], "aunt", "(0, 4)"),
        row(turn, ["father", "sister", "sister", "sister"], "aunt", "(0, 3)"),
    ]
    folder = tmp_path / "data" / "clutrr" / "tiny"
    folder.mkdir(parents=True)
    write(folder, "1.2_train.csv.gz", train)
    write(folder, "1.2_test.csv.gz", train[::20])
    write(folder, "1.3_test.csv.gz", [row(four[:24] + "]", ["father", "sister", "sister"], "aunt", "(0, 3)")])
    write(folder, "1.4_test.csv.gz", test)
    monkeypatch.setenv("DEEPPLP_DATA", str(tmp_path / "data"))
    clutrr_rules.main(split="tiny", epochs=8, batch_size=8, longest=4, output=tmp_path / "run", progress=False)
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {"joined(parent,sibling,pibling).", "joined(parent,parent,grandparent)."} <= set(found["final"]["rules"])
    last = found["epochs"][-1]
    assert [last[f"word_accuracy_{n}"] for n in (2, 3, 4)] == [1.0, 1.0, 1.0]


def test_a_story_without_an_answer_is_wrong() -> None:
    """Where nothing follows, or two kinds do, the story counts as wrong."""
    kinship = Kinship("cpu")
    with torch.no_grad():
        for parameter in kinship.model.parameters():
            parameter.zero_()  # as likely one as the other: no rule is more probable than not
    story = story_of(row("[(0, 1), (1, 2), (2, 3), (3, 4)]", ["father"] * 4, "grandfather", "(0, 4)"))
    assert kinship.rules() == []
    assert kinship.accuracy([story]) == 0.0
