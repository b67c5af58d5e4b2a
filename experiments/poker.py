"""Learn to read cards from the outcomes of games in which one card is never seen, and how that card is dealt.

    python -m experiments.poker --deck unfair

programs/poker.pl is trained on images of the players' four cards and on who won. The house card has no image and no
label: its distribution is a parameter of the model, which ends near the frequencies that the games were dealt with.
Cards are images of 16 drawings (from the folder poker_cards of ``DEEPPLP_DATA``), each rotated and with its colours
shifted a little, anew for every game.

With seed 0, all cards are read rightly after 5 epochs (10 epochs: 10 s on one core); the unfair house is learnt as
0.18, 0.43, 0.16, 0.24, where it dealt 0.20, 0.40, 0.15, 0.25.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import functional as transforms

import deepplp
from experiments.datasets import data_folder
from experiments.training import (
    PROGRAMS,
    BatchSize,
    Device,
    Epochs,
    LearningRate,
    Limit,
    Output,
    Progress,
    Run,
    Seed,
    fit,
    shuffled,
)

RANKS = ("jack", "queen", "king", "ace")
OUTCOMES = ("win", "loss", "draw")
HUE, COLOUR, ANGLE = 13 / 255, 13 / 255, 10.0  # how far a card's looks may differ from its drawing's


@dataclass(frozen=True)
class Games:
    """Images [n, 4, 3, 50, 33] of the players' cards, ranks [n, 5] of all cards, the house's last, and outcomes [n]."""

    images: Tensor
    ranks: Tensor
    outcomes: Tensor


def deal(folder: Path, name: str, limit: int) -> Games:
    """The games of a file, with freshly drawn cards."""
    with (folder / f"{name}.csv").open() as file:
        rows = [row for row in csv.reader(file) if row][: limit or None]
    drawings: dict[str, Tensor] = {}
    images = torch.stack([torch.stack([_draw(folder, card, drawings) for card in row[:4]]) for row in rows])
    ranks = torch.tensor([[RANKS.index(card.split(" of ")[0]) for card in row] for row in rows])
    return Games(images, ranks, torch.tensor([outcome(*game) for game in ranks.tolist()]))


def _draw(folder: Path, card: str, drawings: dict[str, Tensor]) -> Tensor:
    """A card [3, 50, 33], white as 0, rotated and with its hue, saturation and brightness shifted at random."""
    if card not in drawings:
        file = folder / "cards_150" / f"{card.replace(' of ', '_')}.png"
        with Image.open(file) as drawing:
            image = transforms.pil_to_tensor(drawing.convert("RGB")).float() / 255
        drawings[card] = transforms.resize(image, [50, 33], antialias=True)
    hue, saturation, value = (2 * torch.rand(3) - 1).tolist()
    image = transforms.adjust_hue(drawings[card], HUE * hue)
    image = transforms.adjust_saturation(image, 1 + COLOUR * saturation)
    image = transforms.adjust_brightness(image, 1 + COLOUR * value)
    angle = ANGLE * (2 * float(torch.rand(())) - 1)
    return 1 - transforms.rotate(image, angle, fill=[1.0, 1.0, 1.0])


def outcome(a: int, b: int, c: int, d: int, house: int) -> int:
    """The index in `OUTCOMES` of a game with these ranks, for the first player."""
    mine, theirs = strength(a, b, house), strength(c, d, house)
    return 0 if mine > theirs else 1 if mine < theirs else 2


def strength(*cards: int) -> tuple[int, list[int]]:
    """Three of a kind beats a straight, a straight beats a pair, a pair the rest; then the ranks decide."""
    counted = sorted(cards, key=lambda rank: (cards.count(rank), rank), reverse=True)
    distinct = len(set(cards))
    straight = distinct == 3 and max(cards) - min(cards) == 2
    return (3 if distinct == 1 else 2 if straight else 1 if distinct == 2 else 0), counted


def card_reader() -> nn.Sequential:
    """Images [n, 3, 50, 33] to logits [n, 4] of ranks."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2),  # [n, 8, 23, 15]
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2),  # [n, 16, 11, 7]
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 11 * 7, 32),
        nn.ReLU(),
        nn.Linear(32, 4),
    )


class Poker:
    """The program and its network, and what is asked of them."""

    def __init__(self, device: str) -> None:
        self.network = card_reader().to(device)
        program = deepplp.Program.from_file(PROGRAMS / "poker.pl")
        self.model = deepplp.Model(program, {"card_net": deepplp.Network(self.network, "logits")}).to(device)
        self.device = device

    def answers(self, images: Tensor) -> deepplp.Answers:
        """The probabilities of `OUTCOMES`, in this order, given images [batch, 4, 3, 50, 33]."""
        queries = [f"game([a, b], [c, d], {o})" for o in OUTCOMES]
        images = images.to(self.device)
        return self.model.query(queries, {name: images[:, i] for i, name in enumerate("abcd")})

    def house(self) -> list[float]:
        """The house card's distribution over `RANKS`, as learnt so far."""
        with torch.no_grad():
            return self.model.query([f"house({i})" for i in range(4)]).probs[0].tolist()

    def test(self, games: Games) -> dict[str, float]:
        """How many cards are read rightly, and outcomes guessed: without the house card none can be sure of all."""
        read = self.network(games.images.flatten(0, 1).to(self.device)).argmax(dim=1).cpu()
        guessed = self.answers(games.images).probs.argmax(dim=1).cpu()
        return {
            "card_accuracy": float((read == games.ranks[:, :4].flatten()).double().mean()),
            "outcome_accuracy": float((guessed == games.outcomes).double().mean()),
        }


def main(
    deck: Annotated[Literal["fair", "unfair"], typer.Option(help="How the house card is dealt.")] = "unfair",
    epochs: Epochs = 10,
    batch_size: BatchSize = 16,
    seed: Seed = 0,
    device: Device = "cpu",
    learning_rate: LearningRate = 1e-3,
    limit: Limit = 0,
    output: Output = Path("runs/poker"),
    progress: Progress = None,
) -> None:
    """Train a card reader and the house's distribution from games' outcomes, and test them after every epoch."""
    torch.manual_seed(seed)
    folder = data_folder("poker_cards")
    train, test = (deal(folder, name, limit) for name in (deck, f"{deck}_test"))
    poker = Poker(device)
    settings = {"deck": deck, "epochs": epochs, "batch_size": batch_size, "seed": seed, "device": device,
                "learning_rate": learning_rate, "train_examples": len(train.images),
                "test_examples": len(test.images)}  # fmt: skip
    shown = {"card_accuracy": "cards", "outcome_accuracy": "outcomes"}
    run = Run(output, f"Poker, {deck} house", shown, settings, poker.model)
    house = list(poker.model.distributions.parameters())
    fit(
        run,
        poker.model,
        lambda: shuffled(len(train.images), batch_size),
        lambda chosen: -poker.answers(train.images[chosen]).log_prob(train.outcomes[chosen]).mean(),
        lambda: poker.test(test),
        optimizer=torch.optim.Adam(
            [{"params": poker.network.parameters()}, {"params": house, "lr": 10 * learning_rate}], lr=learning_rate
        ),
        epochs=epochs,
        examples=len(train.images),
        progress=progress,
    )
    dealt = (torch.bincount(train.ranks[:, 4], minlength=4) / len(train.ranks)).tolist()
    for rank, learnt, frequency in zip(RANKS, poker.house(), dealt, strict=True):
        print(f"house {rank}: learnt {learnt:.3f}, dealt {frequency:.3f}")
    run.finish(house=dict(zip(RANKS, poker.house(), strict=True)), dealt=dict(zip(RANKS, dealt, strict=True)))


if __name__ == "__main__":
    typer.run(main)
