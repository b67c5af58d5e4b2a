"""Learn to tell the sides of two coins from whether they match.

    python -m experiments.coins --epochs 10

Images show two coins, a large and a small one, each with a face or with bars on its upper side; they are drawn here,
moved and turned at random, from a seed. Of most images only the outcome is known (programs/coins.pl: a win where both
sides are alike), and of ``--labelled`` images the two sides. Outcomes alone cannot tell heads from tails, since both
networks may be wrong at once; a few labelled images can. (Each network sees both coins, so without labels they may
even agree on two words that depend on the image.)

With seed 0, all outcomes and all sides of 1,000 other images are right after one epoch of 2 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

import deepplp
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

HEIGHT, WIDTH = 24, 44  # pixels
RADII = {"large": 10.0, "small": 8.0}
SIDES = ("heads", "tails")


@dataclass(frozen=True)
class Coins:
    """Images [n, 1, 24, 44] and the sides [n, 2] of the large and the small coin, 0 for heads."""

    images: Tensor
    sides: Tensor

    @property
    def outcomes(self) -> Tensor:
        """0 for a win, where both sides are alike, 1 for a loss."""
        return (self.sides[:, 0] != self.sides[:, 1]).long()


def draw(count: int, seed: int) -> Coins:
    """Images with a large coin on the left and a small one on the right, moved and turned at random."""
    random = torch.Generator().manual_seed(seed)
    sides = torch.randint(0, 2, (count, 2), generator=random)
    angles = 2 * math.pi * torch.rand(count, 2, generator=random)
    moved = 2 * torch.rand(count, 2, 2, generator=random) - 1  # at most a pixel
    images = torch.zeros(count, HEIGHT, WIDTH)
    for i, (radius, x) in enumerate(zip(RADII.values(), (12, 33), strict=True)):
        centres = torch.tensor([x, (HEIGHT - 1) / 2]) + moved[:, i]
        images += _coin(centres, radius, angles[:, i], sides[:, i])
    noise = 0.05 * torch.randn(images.shape, generator=random)
    return Coins((images + noise).unsqueeze(1), sides)


def _coin(centre: Tensor, radius: float, angle: Tensor, side: Tensor) -> Tensor:
    """Coins [n, 24, 44] at [n, 2], turned by [n]: a disc with a face (two eyes and a mouth) or three bars."""
    y = torch.arange(HEIGHT, dtype=torch.float32).reshape(1, -1, 1) - centre[:, 1].reshape(-1, 1, 1)
    x = torch.arange(WIDTH, dtype=torch.float32).reshape(1, 1, -1) - centre[:, 0].reshape(-1, 1, 1)
    c, s = angle.cos().reshape(-1, 1, 1), angle.sin().reshape(-1, 1, 1)
    u, v = (c * x + s * y) / radius, (c * y - s * x) / radius  # the coin's own axes, from -1 to 1

    def spot(p: float, q: float, width: float, height: float) -> Tensor:
        return torch.exp(-(((u - p) / width) ** 4) - ((v - q) / height) ** 4)

    disc = torch.sigmoid(20 * (1 - (u**2 + v**2).sqrt()))
    face = spot(-0.35, -0.3, 0.18, 0.18) + spot(0.35, -0.3, 0.18, 0.18) + spot(0.0, 0.4, 0.5, 0.13)
    bars = spot(-0.45, 0.0, 0.12, 0.6) + spot(0.0, 0.0, 0.12, 0.6) + spot(0.45, 0.0, 0.12, 0.6)
    marks = torch.where(side.reshape(-1, 1, 1) == 0, face, bars)
    return disc * (1 - 0.8 * marks.clamp(max=1.0))


def coin_reader() -> nn.Sequential:
    """Images [n, 1, 24, 44] to logits [n, 2] of one coin's side."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 5),  # [n, 12, 20, 40]
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(12, 24, 5),  # [n, 24, 6, 16]
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),  # [n, 576]
        nn.Linear(576, 32),
        nn.ReLU(),
        nn.Linear(32, 2),
    )


def main(
    examples: Annotated[int, typer.Option(min=1, help="Images with a known outcome.")] = 2000,
    labelled: Annotated[int, typer.Option(min=0, help="How many of them also have known sides.")] = 40,
    epochs: Epochs = 5,
    batch_size: BatchSize = 32,
    seed: Seed = 0,
    device: Device = "cpu",
    learning_rate: LearningRate = 2e-3,
    limit: Limit = 0,
    output: Output = Path("runs/coins"),
    progress: Progress = None,
) -> None:
    """Train two coin readers from games' outcomes, and test them after every epoch."""
    torch.manual_seed(seed)
    train, test = draw(min(examples, limit or examples), seed), draw(limit or 1000, seed + 1_000_000)
    networks = nn.ModuleDict({f"{coin}_net": coin_reader() for coin in RADII}).to(device)
    wrapped = {name: deepplp.Network(network, "logits") for name, network in networks.items()}
    model = deepplp.Model(deepplp.Program.from_file(PROGRAMS / "coins.pl"), wrapped).to(device)

    def loss(chosen: Tensor) -> Tensor:
        """The outcomes of a batch, and the sides of all images that have labels."""
        outcomes = model.query(["game(a, win)", "game(a, loss)"], {"a": train.images[chosen].to(device)})
        total = -outcomes.log_prob(train.outcomes[chosen]).mean()
        for i, coin in enumerate(RADII if labelled else ()):
            sides = model.query([f"{coin}(a, {side})" for side in SIDES], {"a": train.images[:labelled].to(device)})
            total = total - sides.log_prob(train.sides[:labelled, i]).mean()
        return total

    def measure() -> dict[str, float]:
        images = test.images.to(device)
        answers = model.query(["game(a, win)", "game(a, loss)"], {"a": images})
        right = answers.probs.argmax(dim=1).cpu() == test.outcomes
        read = torch.stack([network(images).argmax(dim=1).cpu() for network in networks.values()], dim=1)
        return {
            "outcome_accuracy": float(right.double().mean()),
            "side_accuracy": float((read == test.sides).double().mean()),
        }

    settings = {"examples": len(train.images), "labelled": labelled, "epochs": epochs, "batch_size": batch_size,
                "seed": seed, "device": device, "learning_rate": learning_rate,
                "test_examples": len(test.images)}  # fmt: skip
    shown = {"outcome_accuracy": "outcomes", "side_accuracy": "sides"}
    run = Run(output, f"Coins, {labelled} labelled images", shown, settings, networks)
    fit(
        run,
        model,
        lambda: shuffled(len(train.images), batch_size),
        loss,
        measure,
        optimizer=torch.optim.Adam(networks.parameters(), lr=learning_rate),
        epochs=epochs,
        examples=len(train.images),
        progress=progress,
    )
    run.finish()


if __name__ == "__main__":
    typer.run(main)
