"""Fair timing: rivals take turns, in another order every round, and medians are compared."""

from __future__ import annotations

import gc
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import torch

__all__ = ["machine", "median_seconds"]


def median_seconds(
    rivals: Mapping[str, Callable[[], object]], repeats: int, *, warmup: int = 2, turn_seconds: float = 0.02
) -> dict[str, float]:
    """The median wall time of each rival in seconds; in each round every rival has its turn.

    The order rotates, and runs backwards every other round: each rival is equally often in each place, and none always
    follows the same other, whose garbage and caches it would take over. A turn lasts ``turn_seconds`` or more: short
    rivals run several times in it, and their mean counts.
    """
    names = list(rivals)
    runs = dict.fromkeys(names, 1)
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    for turn in range(warmup + repeats):
        shift = turn // 2 % len(names)
        order = names[shift:] + names[:shift]
        for name in order if turn % 2 == 0 else reversed(order):
            start = time.perf_counter()
            for _ in range(runs[name]):
                rivals[name]()
            seconds = (time.perf_counter() - start) / runs[name]
            if turn < warmup:
                runs[name] = max(1, math.ceil(turn_seconds / seconds))
            else:
                times[name].append(seconds)
    return {name: statistics.median(t) for name, t in times.items()}


def machine() -> dict[str, Any]:
    """Date and machine, for the record."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "date": date.today().isoformat(),
        "processor": model,
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
