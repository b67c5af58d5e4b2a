"""From a question to its compiled form, and from a batch of questions to weights and answers."""

from typing import TYPE_CHECKING

from deepplp.lazy import loaded_on_use

if TYPE_CHECKING:
    from deepplp.queries.asking import Asking
    from deepplp.queries.batch import OnInconsistent
    from deepplp.queries.cache import CacheInfo, CompiledQueries
    from deepplp.queries.environment import Environment, TensorSource
    from deepplp.queries.plain import probabilities
    from deepplp.queries.prepared import PreparedQuery
    from deepplp.queries.query import Extra, InputValue, Query
    from deepplp.queries.slots import LearnableSlot
    from deepplp.queries.storage import cache_folder
    from deepplp.queries.workshop import Settings

__all__ = [
    "Asking",
    "CacheInfo",
    "CompiledQueries",
    "Environment",
    "Extra",
    "InputValue",
    "LearnableSlot",
    "OnInconsistent",
    "PreparedQuery",
    "Query",
    "Settings",
    "TensorSource",
    "cache_folder",
    "probabilities",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loaded_on_use(
        __name__,
        {
            "asking": "Asking",
            "batch": "OnInconsistent",
            "cache": "CacheInfo CompiledQueries",
            "environment": "Environment TensorSource",
            "plain": "probabilities",
            "prepared": "PreparedQuery",
            "query": "Extra InputValue Query",
            "slots": "LearnableSlot",
            "storage": "cache_folder",
            "workshop": "Settings",
        },
    )
