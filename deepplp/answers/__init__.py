"""What a query came to: its ground answers, and for every row of the batch the probability of each."""

from typing import TYPE_CHECKING

from deepplp.lazy import loaded_on_use

if TYPE_CHECKING:
    from deepplp.answers.answers import Answers
    from deepplp.answers.many import ManyAnswers
    from deepplp.answers.readings import Readings
    from deepplp.answers.targets import Targets
    from deepplp.answers.terms import AnswerTerms

__all__ = ["AnswerTerms", "Answers", "ManyAnswers", "Readings", "Targets"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loaded_on_use(
        __name__,
        {
            "answers": "Answers",
            "many": "ManyAnswers",
            "readings": "Readings",
            "targets": "Targets",
            "terms": "AnswerTerms",
        },
    )
