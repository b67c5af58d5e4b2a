"""Text to terms: ProbLog's own parser, with ranges (``[0..9]``) and with positions that are right.

The grammar is ProbLog's; only the token ``..`` is new, an infix operator whose term ``'..'(0, 9)`` means a range where
a domain is expected.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from problog.errors import ProbLogError
from problog.logic import And, AnnotatedDisjunction, Clause, Constant, Not, Or, Term, Var
from problog.parser import (
    SPECIAL_BRACK_CLOSE,
    SPECIAL_PAREN_CLOSE,
    SPECIAL_PAREN_OPEN,
    SPECIAL_STRING,
    ListExpression,
    ParenExpression,
    ParseError,
    PrologParser,
    Token,
    UnmatchedCharacter,
)
from problog.program import DefaultPrologFactory

from deepplp.errors import Position, ProgramSyntaxError
from deepplp.program.atoms import is_word, spelt
from deepplp.program.constructs import DECLARATIONS
from deepplp.program.grammar import GrammarError, clause_of_rule, is_grammar_rule
from deepplp.program.halves import DENIED, PROVED, half_name
from deepplp.program.naming import readable
from deepplp.program.placement import check_placement
from deepplp.program.slips import (
    character_hint,
    check_arguments,
    comma_between_heads,
    percent_sign,
    quote_within,
    slip_in,
)
from deepplp.program.text import Text

__all__ = ["RANGE_FUNCTOR", "compound", "name_of", "parse_goal", "parse_statements", "parse_term"]

_ATOM = re.compile(r"[a-z]\w*|'[$\w ]+'", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9]\d*", re.ASCII)
RANGE_FUNCTOR = "'..'"
_CONNECTIVES = {",": And, ";": Or, ":-": Clause}
_POWER = "**"
_CHARACTER_CODE = 100  # the kind of a token such as 0'a, beside ProbLog's own
_ESCAPED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
    "e": "\x1b",
    "s": " ",
}
_SIGNS = (
    "** * + - -> *-> --> /\\ // / : << < =< =:= =\\= =@= =.. == = => >> >< >= > @< @=< @>= @> \\\\ \\== \\= \\/ \\ ^ "
    "~= .."
)
_COLLECTING = ("findall", "all", "all_or_none")
_DECLARATION_PRIORITY = 1150
_COMPARISON_PRIORITY = 700
_RANGE_PRIORITY = 650  # binds tighter than comparison, looser than arithmetic: 0..N-1 is 0..(N-1)


class _Braces(ParenExpression):  # type: ignore[misc]
    """``{goal}``, which is the term ``'{}'(goal)``."""

    tokens: Any
    arglist = property(lambda self: False, lambda self, value: None)

    def accepts(self, token: Token) -> bool:
        return bool(token.string == "}")

    def parse(self, parser: PrologParser) -> None:
        if self.tokens:
            super().parse(parser)
            self.tokens = parser.factory.build_function("{}", (self.tokens,), location=self.location)
        else:
            self.tokens = parser.factory.build_function("{}", (), location=self.location)


class _List(ListExpression):  # type: ignore[misc]
    """``[a, b]``, which has a place."""

    def parse(self, parser: PrologParser) -> None:
        super().parse(parser)
        if isinstance(self.tokens, Term) and self.tokens.functor in (".", "[]"):
            self.tokens.location = parser.factory.loc_id, self.location


class _Parentheses(ParenExpression):  # type: ignore[misc]
    """Parentheses, which a brace does not close."""

    def accepts(self, token: Token) -> bool:
        return bool(token.string == ")")


class _Parser(PrologParser):  # type: ignore[misc]  # problog has no types
    """ProbLog's parser with the range operator, and with ``dynamic`` and its like as prefix operators of directives."""

    def _token_dot(self, s: str, pos: int) -> tuple[Token, int]:
        if s[pos : pos + 2] == "..":
            token = Token("..", pos, binop=(_RANGE_PRIORITY, "xfx", self.factory.build_binop), atom=False)
            return token, pos + 2
        return super()._token_dot(s, pos)  # type: ignore[no-any-return]

    def _token_squot(self, s: str, pos: int) -> tuple[Token, int]:
        end = self._closing(s, pos)
        return Token(s[pos : end + 1], pos, functor=self._next_paren_open(s, end)), end + 1

    def _token_dquot(self, s: str, pos: int) -> tuple[Token, int]:
        end = self._closing(s, pos)
        return Token(s[pos : end + 1], pos, special=SPECIAL_STRING), end + 1

    def _closing(self, s: str, pos: int) -> int:
        """The quote that ends a text. ProbLog takes the one of a text that ends in a backslash for a part of it."""
        end = pos + 1
        while end < len(s) and s[end] != s[pos]:
            end += 2 if s[end] == "\\" else 1
        if end >= len(s):
            raise UnmatchedCharacter(s, pos)
        return end

    def _token_min(self, s: str, pos: int) -> tuple[Token, int]:
        token, end = super()._token_min(s, pos)
        before = pos - 1
        while before >= 0 and s[before].isspace():
            before -= 1
        if token.unop and s[before - 1 : before + 1] == _POWER:  # takes no operand of its own priority, as in 2 ** -1
            token.unop = (token.unop[0] - 1, *token.unop[1:])
        return token, end

    def _token_number(self, s: str, pos: int) -> tuple[Token, int]:
        end = _end_of_code(s, pos) if s.startswith("0'", pos) else None
        if end is None:
            return super()._token_number(s, pos)  # type: ignore[no-any-return]
        return Token(s[pos:end], pos, special=_CHARACTER_CODE), end

    def _build_operator_free(self, string: str, tokens: Any) -> Any:
        if len(tokens) == 1 and tokens[0].special == _CHARACTER_CODE:
            character = tokens[0].string[2:]
            if character[0] == "\\":
                character = _ESCAPED.get(character[1], character[1])
            return self.factory.build_constant(ord(character[0]), location=tokens[0].location)
        return super()._build_operator_free(string, tokens)

    def _token_brace_open(self, s: str, pos: int) -> tuple[Token, int]:
        return Token("{", pos, atom=False, special=SPECIAL_PAREN_OPEN), pos + 1

    def _token_brace_close(self, s: str, pos: int) -> tuple[Token, int]:
        return Token("}", pos, atom=False, special=SPECIAL_PAREN_CLOSE), pos + 1

    def prepare(self) -> None:
        super().prepare()
        self._token_act4[0] = self._token_brace_open
        self._token_act4[2] = self._token_brace_close

    def _create_paren_expression(
        self, string: str, token: Token, close_char: int = SPECIAL_PAREN_CLOSE
    ) -> ParenExpression:
        if token.string == "<":  # an aggregate, such as sum<X>
            return super()._create_paren_expression(string, token, close_char)
        return (_Braces if token.string == "{" else _Parentheses)(string, token, close_char)

    def _create_list_expression(
        self, string: str, token: Token, close_char: int = SPECIAL_BRACK_CLOSE
    ) -> ListExpression:
        return _List(string, token, close_char)

    def _token_equal(self, s: str, pos: int) -> tuple[Token, int]:
        return self._identity("==", s, pos) or super()._token_equal(s, pos)

    def _token_backslash(self, s: str, pos: int) -> tuple[Token, int]:
        return self._identity("\\==", s, pos) or super()._token_backslash(s, pos)

    def _identity(self, operator: str, s: str, pos: int) -> tuple[Token, int] | None:
        """The token of an operator of which ProbLog warns. It means here what it means in Prolog.

        To silence the warning would change the warning filters of all threads.
        """
        if not s.startswith(operator, pos):
            return None
        binary = (_COMPARISON_PRIORITY, "xfx", self.factory.build_binop)
        return Token(operator, pos, binop=binary), pos + len(operator)

    def _token_lower(self, s: str, pos: int) -> tuple[Token, int]:
        token, end = super()._token_lower(s, pos)
        if token.string in DECLARATIONS and not token.functor and s[:pos].rstrip().endswith(":-"):
            priority = (_DECLARATION_PRIORITY, "fx", self.factory.build_unop)
            return Token(token.string, pos, unop=priority, atom=False), end
        return token, end


def _end_of_code(s: str, pos: int) -> int | None:
    """Where a character's code such as ``0'a`` ends; a quote stands twice, or behind a backslash."""
    character = s[pos + 2 : pos + 3]
    if character == "\\" and not s[pos + 3 : pos + 4].isspace():
        return pos + 4
    if character == "'":
        return pos + 4 if s.startswith("''", pos + 2) else None
    return pos + 3 if character and character != "\n" else None


@functools.cache
def _operators() -> dict[tuple[str, int], tuple[int, str]]:
    """Priority and specification of the operators that make terms of their names, by name and number of operands."""
    parser = _Parser(DefaultPrologFactory())
    found: dict[tuple[str, int], tuple[int, str]] = {}
    for name in (*_SIGNS.split(), *parser.string_operators):
        token, _ = parser.next_token(f"{name} ", 0)
        if token.string == name and token.binop and token.binop[2] == parser.factory.build_binop:
            found[name, 2] = token.binop[:2]
        if token.string == name and token.unop and token.unop[2] == parser.factory.build_unop:
            found[name, 1] = token.unop[:2]
    return found


class _Factory(DefaultPrologFactory):  # type: ignore[misc]
    """ProbLog's factory of terms, with probabilities as exact as they are written.

    ProbLog rounds all numbers to 15 decimals, which for arithmetic is wanted, but makes 0 of a probability of 1e-16.
    """

    def __init__(self, identifier: int) -> None:
        super().__init__(identifier=identifier)
        self._floats: dict[Any, float] = {}  # by location

    def build_unop(self, functor: Any, operand: Any, location: Any = None, **extra: Any) -> Term:
        if functor == "-" and isinstance(operand, Constant) and operand.is_float() and operand.functor == 0:
            return operand  # there is one zero
        return super().build_unop(functor, operand, location, **extra)

    def build_constant(self, value: Any, location: Any = None) -> Constant:
        if isinstance(value, float):
            self._floats[location] = value
        return super().build_constant(value, location)

    def build_function(self, functor: Any, arguments: Any, location: Any = None, **extra: Any) -> Term:
        if functor in _COLLECTING and len(arguments) == 3:
            # ProbLog takes _ itself, as an argument of these, for a mark of its own.
            arguments = [
                Var(f"_{location}_{i}") if isinstance(a, Var) and a.functor == "_" else a
                for i, a in enumerate(arguments)
            ]
        if "opspec" in extra:  # an operator, whose name is in quotes inside
            return super().build_function(functor, arguments, location, **extra)
        functor = spelt(functor)
        name = functor.strip("'")
        operator = _operators().get((name, len(arguments)))
        signed_number = name == "-" and len(arguments) == 1 and isinstance(arguments[0], Constant)
        if operator is not None and not signed_number:  # +(1, 2) is 1+2
            extra = {"priority": operator[0], "opspec": operator[1]}
            functor = f"'{name}'"
        elif name == "\\+" and len(arguments) == 1:
            return self.build_not(name, arguments[0], location=location)
        elif name == "." and len(arguments) == 2:
            functor = "."
        elif name in _CONNECTIVES and len(arguments) == 2:
            return _CONNECTIVES[name](*arguments, location=(self.loc_id, location))
        return super().build_function(functor, arguments, location, **extra)

    def build_probabilistic(self, operand1: Any, operand2: Any, location: Any = None, **extra: Any) -> Term:
        stack = [operand1]
        while stack:
            term = stack.pop()
            if isinstance(term, Constant) and term.is_float() and isinstance(term.location, tuple):
                Term.__init__(term, self._floats[term.location[1]], location=term.location)
            elif isinstance(term, Term):
                stack.extend(term.args)
        operand2.probability = operand1  # a negated head is renamed once it is known to be a head
        return operand2

    def build_clause(self, functor: Any, operand1: Any, operand2: Any, location: Any = None, **extra: Any) -> Term:
        return super().build_clause(functor, [self._head(h) for h in operand1], operand2, location, **extra)

    def as_statement(self, term: Term) -> Term:
        r"""What a term is as a statement: ``0.5::\\+a`` is a fact about a predicate of its own."""
        if isinstance(term, Or):
            return Or.from_list([self._head(h) for h in term.to_list()])
        return self._head(term)

    def _head(self, head: Term) -> Term:
        if not isinstance(head, Not) or head.probability is None:
            return head
        renamed: Term = self.neg_head_literal_to_pos_literal(head)
        renamed.probability = head.probability
        return renamed

    def neg_head_literal_to_pos_literal(self, literal: Term) -> Term:
        """``a`` becomes what some clause proves and none denies. ProbLog's names for the two may be the program's."""
        atom: Term = abs(literal)
        name = str(atom.functor)
        names = {"c": atom.arity, "f": name, "p": half_name(name, PROVED), "n": half_name(name, DENIED)}
        names["location"] = atom.location
        atom.functor = self.neg_head_lits.setdefault(atom.signature, names)["n"]
        return atom

    def build_program(self, clauses: list[Term]) -> list[Term]:
        built: list[Term] = super().build_program(clauses)
        for rule, names in zip(reversed(built), reversed(self.neg_head_lits.values()), strict=False):
            assert isinstance(rule, Clause)
            rule.body.op1.location = names["location"]  # for the message where nothing proves it
        return built


def _error_offset(error: ParseError, text: Text) -> int:
    """The character that a ProbLog parse error speaks of.

    ProbLog counts columns from 0 on the first line and from 1 on all others.
    """
    location = error.location
    if not isinstance(location, tuple) or location[1] is None:
        return 0
    line, column = int(location[1]), int(location[2])
    return text.offset(line, column + 1 if line == 1 else column)


def _goal_start(text: Text, statement_start: int) -> int:
    """Where a directive's goal starts, behind its ``:-``."""
    content = text.content
    start = statement_start + 2 if content.startswith(":-", statement_start) else statement_start
    while start < len(content) and content[start].isspace():
        start += 1
    return start


def _explain(error: ParseError, text: Text, statement_start: int, tokens: Sequence[Token]) -> ProgramSyntaxError:
    offset = _error_offset(error, text)
    message = str(error.base_message)
    if (
        text.content.startswith("0'", max(0, offset - 1))
        and not text.content[max(0, offset - 2) : offset - 1].isdigit()
    ):
        return ProgramSyntaxError(
            "a character's code is 0' and the character, such as 0'a; that of a quote is 0'\\'",
            text.position(offset - 1),
        )
    if message == "Expected binary operator" and text.content[offset - 1 : offset + 1] in ("''", '""'):
        quote = text.content[offset]
        return ProgramSyntaxError(
            f"a quote within quotes takes a backslash: \\{quote}, not {quote}{quote}", text.position(offset)
        )
    if message == "Expected binary operator" and text.content.startswith("op(", _goal_start(text, statement_start)):
        return ProgramSyntaxError(
            "ProbLog has no operators but its own; write terms as name(a, b)", text.position(statement_start)
        )
    slip = slip_in(tokens, text) if tokens else percent_sign(text, statement_start, len(text.content))
    if slip is None and message.lower() == "operator priority clash":
        slip = comma_between_heads(tokens, text)
    if slip is not None:
        return ProgramSyntaxError(slip[0], text.position(slip[1]))
    if message == "Incomplete statement":
        return ProgramSyntaxError(
            "this statement does not end: expected '.' before the end of the text", text.position(statement_start)
        )
    if message == "Expected binary operator":
        return ProgramSyntaxError(
            "expected an operator, ',' or '.' before this; is a comma or full stop missing?", text.position(offset)
        )
    if message.startswith("Unmatched character"):
        slip = quote_within(text, offset) or (f"{text.content[offset : offset + 1]!r} has no partner", offset)
        return ProgramSyntaxError(slip[0], text.position(slip[1]))
    if message.startswith("Unexpected character"):
        character = text.content[offset : offset + 1]
        hint = character_hint(character) or ("quote a name that starts with it" if character.isalpha() else None)
        instead = "" if hint is None else f"; {hint}"
        return ProgramSyntaxError(f"unexpected character {character!r}{instead}", text.position(offset))
    if message == "Ambiguous token role":
        return ProgramSyntaxError("this operator has no argument on one of its sides", text.position(offset))
    return ProgramSyntaxError(message[:1].lower() + message[1:], text.position(offset))


_LONG_INTEGER = re.compile(r"(?<![\w.])\d{4301,}")  # which Python refuses to read


def _syntax_errors(text: Text, start: int, build: Any, tokens: Sequence[Token] = ()) -> Any:
    """Run one step of ProbLog's parser, with its exceptions turned into positioned syntax errors.

    ``tokens`` are those of the statement that is parsed.
    """
    try:
        return build()
    except ParseError as error:
        raise _explain(error, text, start, tokens) from None
    except RecursionError:
        raise ProgramSyntaxError(
            "this statement is nested too deeply to be parsed; split it into several rules", text.position(start)
        ) from None
    except ProbLogError as error:
        message = str(error.base_message)
        if message.startswith("Unexpected clause head"):
            slip = comma_between_heads(tokens, text) if tokens else None
            if slip is not None:
                raise ProgramSyntaxError(slip[0], text.position(slip[1])) from None
            message = f"{message}; a head is an atom such as p(X)"
        raise ProgramSyntaxError(message[:1].lower() + message[1:], text.position(start)) from None
    except (AttributeError, IndexError, TypeError, KeyError, ValueError) as error:
        long = _LONG_INTEGER.search(text.content, start) if isinstance(error, ValueError) else None
        if long is not None:
            raise ProgramSyntaxError("an integer has at most 4,300 digits", text.position(long.start())) from None
        # ProbLog's parser fails in these ways on operators without operands.
        slip = slip_in(tokens, text) if tokens else None
        message, offset = ("this statement is not well-formed", start) if slip is None else slip
        raise ProgramSyntaxError(message, text.position(offset)) from None


_STATEMENT = "a fact or a rule"


def parse_statements(
    text: Text,
    identifier: int = 0,
    *,
    expected: str = _STATEMENT,
    kinds: tuple[type, ...] = (Clause, AnnotatedDisjunction, Or),
) -> list[tuple[Term, Position, int]]:
    """Parse a program: each statement with the position of its first token and the offset behind its full stop.

    ``kinds`` are what a statement may be besides an atom, and ``expected`` is what errors call it.

    Locations inside the terms are ``(identifier, offset)``, as ProbLog wants them.
    """
    factory = _Factory(identifier)
    parser = _Parser(factory)
    content = text.content
    terms: list[Any] = []
    positions: list[Position] = []
    ends: list[int] = []
    for tokens in _statements(text, parser):
        start = tokens[0].location
        check_placement(tokens, text)
        check_arguments(tokens, text)
        term = _syntax_errors(text, start, lambda tokens=tokens: parser._parse_statement(content, tokens), tokens)
        if isinstance(term, Term) and is_grammar_rule(term):
            term = _grammar_clause(term, text, start)
        terms.append(factory.as_statement(term))
        positions.append(text.position(start))
        ends.append(content.index(".", tokens[-1].location + len(tokens[-1].string)) + 1)
        if not isinstance(terms[-1], kinds) and type(terms[-1]) is not Term:
            raise _no_statement(terms[-1], expected, tokens, text)
        if terms[-1].functor == RANGE_FUNCTOR:
            raise ProgramSyntaxError(
                "a range such as 0..9 is the domain of an nn annotation, not a fact", positions[-1]
            )
    # The factory adds clauses for negated heads (0.5::\+a :- b) behind those of the text.
    built = factory.build_program(list(terms))
    end = text.position(len(content))
    more = len(built) - len(positions)
    return list(zip(built, positions + [end] * more, ends + [len(content)] * more, strict=True))


def _no_statement(term: Any, expected: str, tokens: Sequence[Token], text: Text) -> ProgramSyntaxError:
    slip = slip_in(tokens, text) or (comma_between_heads(tokens, text) if expected == _STATEMENT else None)
    if slip is not None:
        return ProgramSyntaxError(slip[0], text.position(slip[1]))
    if isinstance(term, Var):
        name = str(term.functor)
        return ProgramSyntaxError(
            f"expected {expected}, not the variable {name}; a name begins with a small letter: "
            f"{name[:1].lower() + name[1:]}",
            text.position(term.location[1]),
        )
    return ProgramSyntaxError(f"expected {expected}", text.position(tokens[0].location))


def _grammar_clause(rule: Term, text: Text, start: int) -> Term:
    try:
        return clause_of_rule(rule)
    except GrammarError as error:
        location = getattr(error.term, "location", None)
        offset = location[1] if isinstance(location, tuple) and location[1] is not None else start
        raise ProgramSyntaxError(str(error), text.position(offset)) from None


def _statements(text: Text, parser: _Parser) -> Any:
    """The token lists of the statements, one after another; every error is a positioned one."""
    iterator = parser._extract_statements(text.content, parser._tokenize(text.content))
    start = 0
    while True:
        tokens = _syntax_errors(text, start, lambda: next(iterator, None))
        if tokens is None:
            return
        yield tokens
        start = min(tokens[-1].location + 2, len(text.content))
        while start < len(text.content) and text.content[start].isspace():
            start += 1


def parse_goal(text: str, name: str = "<query>") -> Term:
    r"""Parse one goal, such as a query: ``"addition(a, b, S)"`` or ``"\+rain"``; a final full stop may stand."""
    stripped = text.strip()
    expected = "one atom, such as addition(a, b, S); a conjunction needs a rule of the program as its name"
    try:
        if not stripped.rstrip("."):
            raise ProgramSyntaxError(f"expected {expected}", Position(name, 1, 1))
        complete = stripped if stripped.endswith(".") else stripped + " ."
        statements = parse_statements(Text(name, complete), expected=expected, kinds=(Not,))
        term, position, _ = statements[-1]
        atom = term.child if isinstance(term, Not) else term
        if len(statements) == 1 and type(atom) is Term and atom.probability is not None:
            plain = atom.with_probability(None)
            raise ProgramSyntaxError(
                f"{atom.probability}::{plain} is a clause, which belongs to the program or to a query's facts; "
                f"what is asked or known is {plain}",
                position,
            )
        if isinstance(term, Not) and isinstance(atom, (Not, Var)):
            fault = f"{atom} is a variable, and no atom that can hold or not"
            if isinstance(atom, Not):
                fault = f"it is negated twice; write {readable(atom.child)}"
            raise ProgramSyntaxError(f"expected one atom or its negation: {fault}", position)
        if len(statements) != 1 or type(atom) is not Term:
            raise ProgramSyntaxError(f"expected {expected}", position)
        if atom.functor == "'-'" and atom.arity == 2 and str(atom.args[0]) == "?":
            raise ProgramSyntaxError(f"a query is its atom alone, without ?-: {readable(atom.args[1])}", position)
    except ProgramSyntaxError as error:
        where = error.position
        shown = Text(name, stripped).at(where.line, where.column) if where else None
        raise ProgramSyntaxError(error.message, shown) from None
    _forget_locations(term)
    return term


def parse_term(text: str) -> Term:
    """Parse a ground term of any kind, such as ``"[a, 1]"`` or ``"2"``."""
    if _ATOM.fullmatch(text):  # ProbLog's parser takes milliseconds
        return Term(text)
    if _INTEGER.fullmatch(text):
        return Constant(int(text))
    return parse_goal(f"term({text})", "<term>").args[0]


def compound(name: str, arguments: Sequence[Any]) -> Term:
    """The term that a program writes as ``name(…)``, where an operator or a connective is of a class of its own.

    >>> compound("-", [Term("a"), Term("b")]), compound("','", [Term("a"), Term("b")])
    (a-b, a, b)
    """
    made: Term = _Factory(0).build_function(name, list(arguments))
    made.location = None
    return made


def name_of(term: Term) -> Term:
    """The name of a term as an atom, as a program writes it; an atomic term is its own.

    >>> name_of(Term("'-'", Term("a"), Term("b"))), name_of(Term(".", Term("a"), Term("[]")))
    (-, '.')
    """
    if not term.args:
        return term
    functor = str(term.functor)
    is_bare = functor[:1] == "'" or is_word(functor)
    return Term(spelt(functor if is_bare else f"'{functor}'"))


def _forget_locations(term: Term) -> None:
    """A goal stands in no file: without this, errors would point into the program's first file."""
    stack: list[Any] = [term]
    while stack:
        current = stack.pop()
        if isinstance(current, Term):
            current.location = None
            stack.extend(current.args)
