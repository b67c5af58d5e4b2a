"""From a question to its compiled form, and from a batch of questions to weights and answers."""

from deepplp.queries.batch import OnInconsistent, Options, answer_many, answer_one, options
from deepplp.queries.cache import CacheInfo, CompiledQueries
from deepplp.queries.environment import Environment, TensorSource
from deepplp.queries.evidence import checked_evidence
from deepplp.queries.prepared import PreparedQuery, request_of
from deepplp.queries.query import Asked, Extra, Query, read
from deepplp.queries.slots import LearnableSlot
from deepplp.queries.storage import cache_folder
from deepplp.queries.weights import Request
from deepplp.queries.workshop import Compiler, Engine, Settings

__all__ = [
    "Asked",
    "CacheInfo",
    "CompiledQueries",
    "Compiler",
    "Engine",
    "Environment",
    "Extra",
    "LearnableSlot",
    "OnInconsistent",
    "Options",
    "PreparedQuery",
    "Query",
    "Request",
    "Settings",
    "TensorSource",
    "answer_many",
    "answer_one",
    "cache_folder",
    "checked_evidence",
    "options",
    "read",
    "request_of",
]
