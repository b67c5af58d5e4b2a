"""deepplp: probabilistic logic programs as PyTorch layers.

A ProbLog program says which of its predicates a neural network decides; a `Model` answers its queries with exact
probabilities, and gradients flow back into the networks.

Names are loaded when they are first used (PEP 562), so that what needs no network does not wait for torch.
"""

from typing import TYPE_CHECKING

from deepplp import errors
from deepplp.errors import DeepPLPError, InconsistentEvidenceError
from deepplp.lazy import loaded_on_use

if TYPE_CHECKING:
    from deepplp.answers import Answers, ManyAnswers
    from deepplp.checking import Finding, Report, check_file
    from deepplp.compilation import CompilationReport, CompileBudget
    from deepplp.compilation import compile_formula as compile  # noqa: A004 (a name of this package alone)
    from deepplp.evaluation import evaluate_circuit as evaluate
    from deepplp.grounding import GroundBudget, ground
    from deepplp.model import Model
    from deepplp.neural import Network
    from deepplp.program import Program, quote, term_text
    from deepplp.program import TermValue as Term
    from deepplp.queries import CacheInfo, PreparedQuery, Query, probabilities
    from deepplp.version import __version__

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
    "Term",
    "__version__",
    "check_file",
    "compile",
    "errors",
    "evaluate",
    "ground",
    "probabilities",
    "quote",
    "term_text",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loaded_on_use(
        __name__,
        {
            "answers": "Answers ManyAnswers",
            "checking": "Finding Report check_file",
            "compilation": "CompilationReport CompileBudget compile_formula=compile",
            "evaluation": "evaluate_circuit=evaluate",
            "grounding": "GroundBudget ground",
            "model": "Model",
            "neural": "Network",
            "program": "Program TermValue=Term quote term_text",
            "queries": "CacheInfo PreparedQuery Query probabilities",
            "version": "__version__",
        },
    )
