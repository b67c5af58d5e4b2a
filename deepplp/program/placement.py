r"""Where a probability may stand: before a head, and nowhere else.

ProbLog's parser takes ``p::goal`` in many other places, and its engine forgets the probability there. A program that
says so means something else than it would get, so that it is refused where it says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from problog.parser import Token

from deepplp.errors import ProgramSyntaxError, UnsupportedConstructError
from deepplp.program.slips import side_by_side
from deepplp.program.text import Text

__all__ = ["check_placement"]

_NECKS = frozenset({":-", "<-", "-->"})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_SEPARATORS = frozenset({",", ";", "->", "*->", "|", "&"}) | _NECKS
_NEGATIONS = frozenset({"\\+", "not"})
# Their arguments are clauses, whose heads may have probabilities.
_TAKE_CLAUSES = frozenset({"assertz", "asserta", "assert", "retract", "retractall"})
_ASKING = frozenset({"query", "evidence"})
_RULE = "a probability stands before a head"


@dataclass(slots=True)
class _Enclosure:
    """A pair of brackets, or the whole statement; ``name`` is what the arguments within it belong to."""

    name: str | None
    is_body: bool = False  # what comes next is behind a neck


def check_placement(tokens: Sequence[Token], text: Text) -> None:
    """Refuse probabilities in bodies and in arguments.

    ``tokens`` are those of one statement.

    Raises:
        ProgramSyntaxError: one stands there; the error has its place, and says what to write instead.
    """
    open_ones = [_Enclosure(None)]
    for number, token in enumerate(tokens):
        if token.string in _NECKS and token.binop:
            open_ones[-1].is_body = True
        elif token.special is not None and token.string in _OPENING:
            open_ones.append(_enclosure(tokens, number))
        elif token.special is not None and token.string in _CLOSING:
            if len(open_ones) > 1:
                open_ones.pop()
        elif token.string == "::" and token.binop:
            message = _fault(tokens, number, open_ones, text)
            # Where a full stop is missing before the probability, the parser says so.
            if message is not None and side_by_side(tokens[_first(tokens, number) : number], text) is None:
                raise ProgramSyntaxError(message, text.position(tokens[_first(tokens, number)].location))
        elif token.string == "~" and _is_infix(tokens, number) and any(e.is_body or e.name for e in open_ones):
            raise UnsupportedConstructError(
                "~ is for continuous random variables; deepplp has discrete ones, such as "
                "0.2::x(low); 0.5::x(middle); 0.3::x(high)",
                text.position(token.location),
            )


def _is_infix(tokens: Sequence[Token], number: int) -> bool:
    return number > 0 and tokens[number - 1].string not in _OPENING | _SEPARATORS | _NEGATIONS


def _enclosure(tokens: Sequence[Token], number: int) -> _Enclosure:
    """The one that a bracket opens."""
    if tokens[number].string == "[":
        return _Enclosure("[]")
    before = tokens[number - 1] if number else None
    if before is None or not before.functor or before.binop or before.unop:
        return _Enclosure(None)
    return _Enclosure(str(before.string))


def _fault(tokens: Sequence[Token], number: int, open_ones: Sequence[_Enclosure], text: Text) -> str | None:
    """What is wrong with the ``::`` of a number, if anything is."""
    named = max((i for i, e in enumerate(open_ones) if e.name is not None), default=-1)
    inner = open_ones[named].name if named >= 0 else None
    written = _Written(tokens, number, text)
    if any(e.is_body for e in open_ones[named + 1 :]):
        return _in_body(written)
    if inner is None:
        return None
    if inner in _TAKE_CLAUSES:
        within_parentheses = named + 1 < len(open_ones)
        return None if within_parentheses else f"a clause as an argument stands in parentheses: {inner}(({written}))"
    if any(e.is_body for e in open_ones[:named]):
        return _in_body(written)
    if inner in _ASKING:
        return f"{_RULE}, not in {inner}: state {written} as a clause, and write {inner}({written.goal})"
    return f"{_RULE}, not within {'a list' if inner == '[]' else f'the arguments of {inner}'}"


class _Written:
    """A ``probability::goal`` as the text has it."""

    def __init__(self, tokens: Sequence[Token], number: int, text: Text) -> None:
        self.tokens, self.text = tokens, text
        first = _first(tokens, number)
        self.is_negated = first > 0 and tokens[first - 1].string in _NEGATIONS
        self.probability = _text(tokens[first:number], text)
        self.goal = _text(tokens[number + 1 : _behind(tokens, number)], text)

    def __str__(self) -> str:
        return f"{self.probability}::{self.goal}"

    def head(self) -> str | None:
        """The first head of the clause without its probability; None in a directive."""
        neck = next(i for i, t in enumerate(self.tokens) if t.string in _NECKS and t.binop)
        start = next((i for i in range(neck) if self.tokens[i].string == "::"), -1) + 1
        end = next((i for i in range(start, neck) if self.tokens[i].string == ";"), neck)
        return _text(self.tokens[start:end], self.text) if neck else None


def _in_body(written: _Written) -> str:
    head = written.head()
    if head is None:
        return f"{_RULE}, not in a directive: state {written} as a clause"
    goal = f"\\+{written.goal}" if written.is_negated else written.goal
    rule = f"{written.probability}::{head} :- {goal}."
    if written.goal.startswith(("\\+", "not ", "(")):  # no fact
        return f"{_RULE}, not in a body; write {rule}"
    return f"{_RULE}, not in a body; write {written}. {head} :- {goal}. (a fact of its own) or {rule} (a rule's)"


def _first(tokens: Sequence[Token], number: int) -> int:
    """The first token of the probability before a ``::``."""
    depth = 0
    for i in range(number - 1, -1, -1):
        string, special = tokens[i].string, tokens[i].special is not None
        if special and string in _CLOSING:
            depth += 1
        elif special and string in _OPENING:
            depth -= 1
        if depth < 0 or (depth == 0 and (string in _SEPARATORS or string in _NEGATIONS)):
            return i + 1
    return 0


def _behind(tokens: Sequence[Token], number: int) -> int:
    """The token behind the goal after a ``::``."""
    depth = 0
    for i in range(number + 1, len(tokens)):
        string, special = tokens[i].string, tokens[i].special is not None
        if special and string in _OPENING:
            depth += 1
        elif special and string in _CLOSING:
            depth -= 1
        if depth < 0 or (depth == 0 and string in _SEPARATORS):
            return i
    return len(tokens)


def _text(tokens: Sequence[Token], text: Text) -> str:
    """What tokens are in the text, its line breaks and runs of blanks as single blanks."""
    if not tokens:
        return ""
    last = tokens[-1]
    return " ".join(text.content[tokens[0].location : last.location + len(last.string)].split())
