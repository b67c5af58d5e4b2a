r"""Slips of the pen, found among the tokens of a statement that cannot be parsed: what is meant, and where it stands.

ProbLog's parser says that an operator is missing, or that one has no argument. What people write instead of ProbLog's
own signs (``!=``, ``<=``, ``&&``, ``#``), capitalised predicates and forgotten full stops deserve a sentence of their
own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from problog.parser import Token

from deepplp.errors import ProgramSyntaxError
from deepplp.program.text import Text

__all__ = [
    "character_hint",
    "check_arguments",
    "comma_between_heads",
    "percent_sign",
    "quote_within",
    "side_by_side",
    "slip_in",
]

Slip = tuple[str, int]
"""What is wrong, and the offset of where it is."""

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_PARTNER = {"(": ")", "[": "]", "{": "}"}
_OPERAND = re.compile(r"\w|['\"]")
_WORD_OPERATORS = frozenset({"is", "as", "not", "xor", "rdiv", "mod", "rem", "div"})
_LOOSE = frozenset({";", "->", ":-", "<-", "-->"})  # bind less tightly than the comma between arguments
_NECKS = frozenset({":-", "<-", "-->"})
_PREFIXES = frozenset({"\\+", "not", "-", "+", "\\", "\\\\", "~", ":-"})
_SIGNS = {
    ("!", "="): "!= is no operator; write X \\= Y for terms that differ, X =\\= Y for numbers",
    ("<", "="): "<= is no operator; at most is =<",
    ("<", ">"): "<> is no operator; write X \\= Y for terms that differ, X =\\= Y for numbers",
    ("&", "&"): "&& is no operator; and is a comma: a, b",
    ("|", "|"): "|| is no operator; or is a semicolon: a ; b",
    ("==", ">"): "==> is no operator; a rule is head :- body, a grammar rule head --> body",
    (":", "="): ":= is no operator; a rule is head :- body, a value X is Expression",
    ("==", "="): "=== is no operator; write X == Y for terms that are the same, X =:= Y for numbers",
    ("+", "="): "+= is no operator; a variable keeps its value: write New is Old + Step",
    ("=", ":"): "=: is no operator; =:= compares numbers",
    ("-", ":"): "-: is no operator; a rule is head :- body",
    ("=", "!"): "=! is no operator; write X \\= Y for terms that differ, X =\\= Y for numbers",
}  # fmt: skip
_WORDS = {
    "and": "and is a comma: a, b",
    "or": "or is a semicolon: a ; b",
    "if": "if is :- in a rule: head :- body",
    "then": "there is no then; a rule is head :- body",
    "else": "there is no else; write the cases as rules of their own",
    "in": "there is no in; write member(X, List) or between(Low, High, X)",
}
_QUOTES = "a text stands in straight quotes, ' or \""
_DIFFER = "write X \\= Y for terms that differ, X =\\= Y for numbers"
_CHARACTERS = {
    "\u201c": _QUOTES,
    "\u201d": _QUOTES,
    "\u2018": _QUOTES,
    "\u2019": _QUOTES,
    "`": _QUOTES,
    "\u2260": _DIFFER,
    "\u2264": "at most is =<",
    "\u2265": "at least is >=",
    "\u00ac": "not is \\+",
    "\u2227": "and is a comma",
    "\u2228": "or is a semicolon",
    "\u2190": "a rule is head :- body",
    "\u2192": "a rule is head :- body",
    "\u00d7": "times is *",
    "\u2212": "minus is -",
    "\u2013": "minus is -",
    ".": "a full stop is followed by a blank or a line's end, a decimal point by a digit",
    "@": "the operators with @ are @<, @>, @=< and @>=",
}


def character_hint(character: str) -> str | None:
    """What to write instead of a character that begins nothing in ProbLog."""
    return _CHARACTERS.get(character)


def check_arguments(tokens: Sequence[Token], text: Text) -> None:
    """Refuse ``p()``, which ProbLog reads as ``p`` with an argument that is nothing.

    Raises:
        ProgramSyntaxError: it stands there.
    """
    for number, (left, right) in enumerate(_pairs(tokens)):
        if left.string == "(" and right.string == ")" and left.special is not None and right.special is not None:
            name = tokens[number - 1].string if number and _adjacent(tokens[number - 1], left) else ""
            message = f"{name}() has no arguments; write {name}" if name else "nothing stands between '(' and ')'"
            raise ProgramSyntaxError(message, text.position(left.location))


def slip_in(tokens: Sequence[Token], text: Text) -> Slip | None:
    """The first slip in a statement, if one is known."""
    for find in (
        _comment, _percent, _brackets, _sign, _capital, _decimal_comma, _blank, _missing_operand, side_by_side,
        _argument, _necks,
    ):  # fmt: skip
        found = find(tokens, text)
        if found is not None:
            return found
    return None


def _pairs(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    yield from itertools.pairwise(tokens)


def _adjacent(left: Token, right: Token) -> bool:
    return bool(left.location + len(left.string) == right.location)


def _comment(tokens: Sequence[Token], text: Text) -> Slip | None:
    first = tokens[0]
    if first.string in ("#", "//") or (first.string == "-" and tokens[1:2] and tokens[1].string == "-"):
        shown = "--" if first.string == "-" else first.string
        return f"a comment begins with %, not {shown}", first.location
    return None


_PER_CENT = re.compile(r"(?<![\w.'\"])(\d+(?:\.\d+)?)[ \t]*%[ \t]*::")
_REMAINDER = re.compile(
    r"[\w)][ \t]*(%)[ \t]*(?:\d+|[A-Z_]\w*|\()[ \t]*(?=[-+*/=<>,;.)\\]|is\b)(?!.*\w[ \t]+(?!is\b|mod\b)\w)"
)


def percent_sign(text: Text, start: int, end: int) -> Slip | None:
    """A percent sign that is meant, in a part of a text that lacks what comes after it."""
    found = _PER_CENT.search(text.content, start, end)
    if found is not None:
        shown = f"; a probability is a number from 0 to 1: {float(found[1]) / 100:g}"
        return f"% begins a comment{shown}", text.content.index("%", found.start())
    found = _REMAINDER.search(text.content, start, end)
    return None if found is None else ("% begins a comment; the remainder is mod: X mod 2", found.start(1))


def _percent(tokens: Sequence[Token], text: Text) -> Slip | None:
    return percent_sign(text, tokens[0].location, tokens[-1].location)


def _brackets(tokens: Sequence[Token], text: Text) -> Slip | None:
    stack: list[Token] = []
    for token in tokens:
        if token.special is None:
            continue
        if token.string in _OPENING:
            stack.append(token)
        elif token.string in _CLOSING:
            if not stack:
                return f"{token.string!r} has no partner", token.location
            opened = stack.pop()
            if _PARTNER[opened.string] != token.string:
                place = text.position(opened.location)
                expected = _PARTNER[opened.string]
                return (
                    f"expected {expected!r} before {token.string!r}: the {opened.string!r} of line {place.line}, "
                    f"column {place.column} is still open",
                    token.location,
                )
    return None


def _sign(tokens: Sequence[Token], text: Text) -> Slip | None:
    for left, right in _pairs(tokens):
        message = _SIGNS.get((left.string, right.string))
        if message is not None and _adjacent(left, right):
            return message, left.location
    return None


def _capital(tokens: Sequence[Token], text: Text) -> Slip | None:
    for left, right in _pairs(tokens):
        name = left.string
        if name[:1].isupper() and right.string == "(" and _adjacent(left, right):
            small = name[:1].lower() + name[1:]
            return f"{name} is a variable; a predicate's name begins with a small letter: {small}(…)", left.location
    return None


def _decimal_comma(tokens: Sequence[Token], text: Text) -> Slip | None:
    strings = [t.string for t in tokens[:4]]
    if len(strings) == 4 and strings[1] == "," and strings[3] == "::" and strings[0].isdigit() and strings[2].isdigit():
        return f"a number has a decimal point, not a comma: {strings[0]}.{strings[2]}", tokens[0].location
    return None


def _blank(tokens: Sequence[Token], text: Text) -> Slip | None:
    for left, right in _pairs(tokens):
        is_name = left.string[:1].islower() and left.string not in _WORD_OPERATORS | _WORDS.keys()
        if is_name and right.string == "(" and not _adjacent(left, right):
            return f"no blank stands between a name and its parenthesis: {left.string}(…)", right.location
    return None


def _missing_operand(tokens: Sequence[Token], text: Text) -> Slip | None:
    last = tokens[-1]
    for left, right in _pairs(tokens):
        if right.string in _CLOSING and right.special is not None and _is_separator(left):
            return f"nothing stands between {left.string!r} and {right.string!r}", left.location
        if left.string in _OPENING and left.special is not None and right.string in (",", ";", "|"):
            return f"nothing stands between {left.string!r} and {right.string!r}", right.location
        if _is_separator(left) and _is_separator(right) and right.string not in _PREFIXES - {":-"}:
            return f"nothing stands between {left.string!r} and {right.string!r}", right.location
    if _is_separator(last):
        return f"nothing stands between {last.string!r} and the full stop", last.location
    return None


def _is_separator(token: Token) -> bool:
    return token.string in _NECKS or token.string in (",", ";", "|", "->", "::")


def _necks(tokens: Sequence[Token], text: Text) -> Slip | None:
    necks = [t for t in _outer(tokens) if t.string in _NECKS]
    if len(necks) > 1:
        return (
            f"a statement has one {necks[0].string!r}; is a full stop missing before this clause?",
            necks[1].location,
        )
    return None


def comma_between_heads(tokens: Sequence[Token], text: Text) -> Slip | None:
    """A comma between heads."""
    for token in _outer(tokens):
        if token.string in _NECKS:
            return None
        if token.string == ",":
            return (
                "a comma stands between the goals of a body, not between heads: write a clause for each head, or, "
                "where one of them at most holds, 0.5::a; 0.5::b",
                token.location,
            )
    return None


def quote_within(text: Text, offset: int) -> Slip | None:
    """The quote that ends a text too early, where the one at ``offset`` has no partner: that of ``'don't'``."""
    quote = text.content[offset : offset + 1]
    if quote not in ("'", '"'):
        return None
    line = text.content.rfind("\n", 0, offset) + 1
    found = re.compile(rf"{quote}[^{quote}\n]*{quote}(?=\w)").search(text.content, line, offset)
    return None if found is None else (_quote_ends(quote), found.end() - 1)


def _quote_ends(quote: str) -> str:
    return f"this quote ends the text before it; a quote within quotes takes a backslash: \\{quote}"


def _argument(tokens: Sequence[Token], text: Text) -> Slip | None:
    """An operator such as ``;`` within an argument, which takes parentheses of its own."""
    opened: list[int | None] = []  # the bracket that begins the arguments of a name; None for other brackets
    found: Slip | None = None
    for number, token in enumerate(tokens):
        if token.special is not None and token.string in _OPENING:
            is_call = token.string == "(" and number > 0 and bool(tokens[number - 1].functor)
            opened.append(number if is_call else None)
        elif token.special is not None and token.string in _CLOSING:
            opened.pop()
        elif found is None and opened and opened[-1] is not None and token.string in _LOOSE:
            found = _without_parentheses(tokens, opened[-1], number, text), token.location
    return None if opened else found  # a bracket that is not closed is the fault then


def _without_parentheses(tokens: Sequence[Token], opening: int, number: int, text: Text) -> str:
    """What is said of an operator in the arguments that begin behind a bracket."""
    first, depth = opening + 1, 0
    last = len(tokens)
    for i in range(opening + 1, len(tokens)):
        string, special = tokens[i].string, tokens[i].special is not None
        depth += (special and string in _OPENING) - (special and string in _CLOSING)
        if depth < 0 or (depth == 0 and string == "," and i > number):
            last = i
            break
        if depth == 0 and string == ",":
            first = i + 1
    end = tokens[last].location if last < len(tokens) else tokens[-1].location + len(tokens[-1].string)
    name, shown = tokens[opening - 1].string, text.content[tokens[first].location : end].strip()
    if name in ("query", "evidence"):
        return f"{name} is of one atom: give {shown} a name by a rule, such as p :- {shown}, and write {name}(p)"
    return f"{shown} as an argument stands in parentheses of its own: ({shown})"


def _outer(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens that no bracket encloses."""
    depth = 0
    for token in tokens:
        if token.special is not None and token.string in _CLOSING:
            depth -= 1
        if depth == 0:
            yield token
        if token.special is not None and token.string in _OPENING:
            depth += 1


def side_by_side(tokens: Sequence[Token], text: Text) -> Slip | None:
    """Two operands with no operator between them."""
    for left, right in _pairs(tokens):
        for word in (left, right):
            if word.string in _WORDS and _begins(right) and _ends(left):
                return _WORDS[word.string], word.location
        if not (_ends(left) and _begins(right)) or (right.string in _OPENING and _adjacent(left, right)):
            continue
        if left.string == "!":
            return "not is \\+; the cut ! stands for itself", left.location
        if left.string[0] in "'\"" and _adjacent(left, right):
            return _quote_ends(left.string[0]), right.location - 1
        before, here = text.position(left.location), text.position(right.location)
        if here.line > before.line and here.column == 1:
            return f"the statement before this, which ends in line {before.line}, has no full stop", right.location
        return "expected an operator, ',' or '.' before this; is a comma or full stop missing?", right.location
    return None


def _ends(token: Token) -> bool:
    """Whether an operand may end here."""
    if token.special is not None and token.string in _CLOSING:
        return True
    return token.string == "!" or (_OPERAND.match(token.string) is not None and token.string not in _WORD_OPERATORS)


def _begins(token: Token) -> bool:
    """Whether an operand begins here."""
    if token.special is not None and token.string in _OPENING:
        return True
    return _OPERAND.match(token.string) is not None and (token.string == "not" or token.string not in _WORD_OPERATORS)
