"""The compiler that eliminates variables: circuits whose size follows the treewidth."""

from deepplp.compilation.elimination.eliminate import Elimination
from deepplp.compilation.elimination.groups import TooWideError

__all__ = ["Elimination", "TooWideError"]
