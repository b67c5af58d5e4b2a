"""Programs to ground and compile: Bayesian networks, carry chains, grids, cyclic graphs, smokers."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from experiments.benchmarks.networks import BayesianNetwork, atom, load_network, program_text
from experiments.datasets import find_data, missing_data
from experiments.training import PROGRAMS

__all__ = ["Case", "cases", "chain", "cyclic", "grid", "network_case", "observation", "quick_cases", "smokers"]

NETWORKS = (
    "asia", "cancer", "earthquake", "survey", "sachs", "child", "alarm", "hepar2", "win95pts", "pigs", "insurance",
    "water", "hailfinder", "andes",
)  # fmt: skip
REACH = " reach(X) :- start(X). reach(Y) :- reach(X), edge(X, Y). "
BOTH_WAYS = " edge(X, Y) :- e(X, Y). edge(X, Y) :- e(Y, X)."


@dataclass(frozen=True)
class Case:
    """A program and its queries, the Bayesian network that it says, and whether ProbLog can run it."""

    name: str
    text: str
    queries: tuple[str, ...]
    evidence: Mapping[str, bool] = field(default_factory=dict)
    network: BayesianNetwork | None = None
    observed: Mapping[str, str] = field(default_factory=dict)
    problog: bool = True


def network_case(name: str, network: BayesianNetwork, observed: Mapping[str, str]) -> Case:
    """All marginals of a Bayesian network."""
    evidence = {atom(v, value): True for v, value in observed.items()}
    queries = tuple(atom(v, value) for v, values in network.values.items() for value in values)
    title = f"{name}{', evidence' if observed else ''}"
    return Case(title, program_text(network), queries, evidence, network, observed)


def observation(network: BayesianNetwork) -> dict[str, str]:
    """The last two variables without children, at their likelier value by an average row of their tables."""
    inner = {p for parents in network.parents.values() for p in parents}
    leaves = [v for v in network.values if v not in inner][-2:]
    return {
        v: network.values[v][int(network.tables[v].reshape(-1, len(network.values[v])).mean(axis=0).argmax())]
        for v in leaves
    }


def grid(n: int, directed: bool) -> Case:
    """Reaching the far corner of a grid of n by n nodes over edges that are there with probability 0.9."""
    edges = [
        f"0.9::e(n({r},{c}), n({r + down},{c + right}))."
        for r in range(n)
        for c in range(n)
        for down, right in ((0, 1), (1, 0))
        if r + down < n and c + right < n
    ]
    rules = " edge(X, Y) :- e(X, Y)." if directed else BOTH_WAYS
    text = " ".join(edges) + rules + REACH + "start(n(0,0))."
    return Case(f"{'grid' if directed else 'undirected grid'} {n}", text, (f"reach(n({n - 1},{n - 1}))",))


def cyclic(seed: int) -> Case:
    """Reaching one of 14 nodes from another over 35 undirected edges."""
    pairs = [(i, j) for i in range(14) for j in range(i)]
    edges = random.Random(seed).sample(pairs, 35)
    text = " ".join(f"0.3::e({i}, {j})." for i, j in edges) + BOTH_WAYS + REACH + "start(0)."
    return Case(f"cyclic graph {seed}", text, ("reach(13)",))


def smokers(n: int) -> Case:
    """Friends who make each other smoke, each with two friends drawn at random."""
    generator = random.Random(0)
    friends = sorted({(i, j) for i in range(n) for j in generator.sample(range(n), 2) if i != j})
    text = (
        "0.3::stress(X) :- person(X). 0.2::influences(X, Y) :- person(X), person(Y). smokes(X) :- stress(X). "
        "smokes(X) :- friend(X, Y), influences(Y, X), smokes(Y). 0.4::asthma(X) :- smokes(X). "
    )
    text += " ".join(f"person({i})." for i in range(n)) + " " + " ".join(f"friend({i}, {j})." for i, j in friends)
    return Case(f"smokers {n}", text, ("asthma(X)",))


def chain(digits: int) -> Case:
    """Adding two numbers whose digits, and whose sum's digits, networks read."""
    lists = [",".join(f"{letter}{i}" for i in range(digits + (letter == "z"))) for letter in "xyz"]
    goal = f"addition([{lists[0]}],[{lists[1]}],[{lists[2]}])"
    return Case(f"chain {digits}", (PROGRAMS / "mnist_multi_digit_addition.pl").read_text(), (goal,), problog=False)


def quick_cases() -> tuple[str, ...]:
    """The names of a few cases that take seconds."""
    networks = ("asia", "asia, evidence", "sachs", "alarm") if find_data("bif") is not None else ()
    return ("chain 15", *networks, "grid 6", "undirected grid 4", "smokers 8")


def cases() -> Iterator[Case]:
    """All cases, the networks only where ``DEEPPLP_DATA`` has them."""
    networks = NETWORKS if find_data("bif") is not None else ()
    if not networks:
        print(f"notice: no Bayesian networks ({missing_data('bif')})", file=sys.stderr)
    for digits in (15, 60, 300):
        yield chain(digits)
    for name in networks:
        network = load_network(name)
        yield network_case(name, network, {})
        yield network_case(name, network, observation(network))
    for n in (6, 8, 10, 12):
        yield grid(n, directed=True)
    for n in (4, 5, 6, 7):
        yield grid(n, directed=False)
    for seed in range(3):
        yield cyclic(seed)
    for n in (8, 16, 32):
        yield smokers(n)
