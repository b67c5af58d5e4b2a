"""Which tests need data that the repository does not carry."""

from __future__ import annotations

import pytest

from experiments.datasets import find_data, missing_data

__all__ = ["needs"]


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip a test where one of these data sets is not there; the reason names it and what to set."""
    missing = [name for name in names if find_data(name) is None]
    return pytest.mark.skipif(bool(missing), reason=missing_data(missing[0]) if missing else "")
