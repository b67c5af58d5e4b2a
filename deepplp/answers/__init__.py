"""What a query came to: its ground answers, and for every row of the batch the probability of each."""

from deepplp.answers.answers import Answers
from deepplp.answers.many import ManyAnswers
from deepplp.answers.readings import Readings
from deepplp.answers.targets import Targets
from deepplp.answers.terms import AnswerTerms

__all__ = ["AnswerTerms", "Answers", "ManyAnswers", "Readings", "Targets"]
