"""What a program may call without defining it: built-ins, and what libraries export."""

from __future__ import annotations

from collections.abc import Iterator

from deepplp.grounding.aggregates import AGGREGATE_SIGNATURES
from deepplp.grounding.problog.builtin_table import standard_builtins
from deepplp.grounding.problog.libraries import exports_of_libraries
from deepplp.grounding.problog.modules import own_modules

__all__ = ["predefined_signatures"]


def predefined_signatures() -> Iterator[str]:
    """The signatures of all built-ins and aggregates and of all that libraries export, such as ``"member/2"``."""
    yield from standard_builtins().numbers
    yield from exports_of_libraries()
    yield from AGGREGATE_SIGNATURES
    for name, arity, _ in own_modules():
        yield f"{name}/{arity}"
