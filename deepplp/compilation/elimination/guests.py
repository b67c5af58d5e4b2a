"""Groups that may be one variable with another one, as the heads of a table that are decided with certainty in part."""

from __future__ import annotations

from deepplp.compilation.elimination.groups import LONG, Group, Input
from deepplp.formula import strongly_connected

__all__ = ["with_guests"]


def with_guests(groups: list[Group], inputs: list[set[Input]]) -> list[Group]:
    """The groups in order, those that may be one variable with another one as that one's guests.

    A guest has no rows, reads what its host reads or less, and something reads both, as where the heads of one table
    are decided with certainty in part. No group waits for itself then: a host does not need its guest.
    """
    place = {head: number for number, group in enumerate(groups) for head in group.heads}
    reads = [[place[n] for kind, n in sorted(found) if kind != "choice"] for found in inputs]
    host: dict[int, int] = {}

    def needs(number: int, wanted: int) -> bool:
        """Whether a group needs another one, through groups that wait for their hosts, too."""
        seen: set[int] = set()
        stack = [number]
        while stack:
            one = stack.pop()
            one = host.get(one, one)
            if one == wanted:
                return True
            if one not in seen:
                seen.add(one)
                members = [one, *(guest for guest, at in host.items() if at == one)]
                stack.extend(r for member in members for r in reads[member])
        return False

    for read in reads:
        several = list(dict.fromkeys(read))
        if not 1 < len(several) <= LONG:
            continue
        for guest in several:
            if groups[guest].rows or guest in host or guest in host.values():
                continue
            for at in several:
                if at == guest or at in host or not inputs[guest] <= inputs[at]:
                    continue
                if not any(needs(r, guest) for r in reads[at]):
                    host[guest] = at
                    break
    for guest, at in host.items():
        groups[at].guests.append(groups[guest])
    below = [[host.get(r, r) for r in read] for read in reads]
    for guest, at in host.items():
        below[at] = below[at] + below[guest]
    starts = [number for number in range(len(groups)) if number not in host]
    return [groups[number] for (number,) in strongly_connected(starts, below.__getitem__)]
