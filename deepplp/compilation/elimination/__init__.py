"""The compiler that eliminates variables: circuits whose size follows the treewidth."""

from deepplp.compilation.elimination.eliminate import Elimination
from deepplp.compilation.elimination.propagation import TooWideError

__all__ = ["Elimination", "TooWideError"]
