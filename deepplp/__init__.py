"""deepplp: probabilistic logic programs as PyTorch layers.

A ProbLog program says which of its predicates a neural network decides; a `Model` answers its queries with exact
probabilities, and gradients flow back into the networks.
"""

from importlib.metadata import PackageNotFoundError, version

from deepplp import errors
from deepplp.answers import Answers, ManyAnswers
from deepplp.checking import Finding, Report, check_file
from deepplp.compilation import CompilationReport, CompileBudget
from deepplp.compilation import compile_formula as compile  # noqa: A004 (a name of this package, not a built-in's)
from deepplp.errors import DeepPLPError, InconsistentEvidenceError
from deepplp.evaluation import evaluate_circuit as evaluate
from deepplp.grounding import GroundBudget, ground
from deepplp.model import Model
from deepplp.neural import Network
from deepplp.program import Program
from deepplp.queries import CacheInfo, PreparedQuery, Query

__all__ = [
    "Answers",
    "CacheInfo",
    "CompilationReport",
    "CompileBudget",
    "DeepPLPError",
    "Finding",
    "GroundBudget",
    "InconsistentEvidenceError",
    "ManyAnswers",
    "Model",
    "Network",
    "PreparedQuery",
    "Program",
    "Query",
    "Report",
    "check_file",
    "compile",
    "errors",
    "evaluate",
    "ground",
]

try:
    __version__ = version("deepplp")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0"
