"""What all tests share."""

from __future__ import annotations

import os
import signal

import hypothesis
import problog  # noqa: F401 (it raises the recursion limit, which hypothesis warns of where it happens in a test)
import pytest

from experiments.datasets import data_root

os.environ["DEEPPLP_CACHE"] = "off"  # tests of the cache name a folder of their own

BUSY = [hypothesis.HealthCheck.too_slow]  # how busy the machine is says nothing of the code
hypothesis.settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=BUSY)
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=60, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000, suppress_health_check=BUSY)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


def pytest_configure() -> None:
    """End at once where ``DEEPPLP_DATA`` names a folder that is not there: its tests would be skipped unseen."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a job in the background, and in all that it starts
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        data_root()
    except SystemExit as error:
        raise pytest.UsageError(str(error)) from None
