"""`Program`: a ProbLog program with neural predicates, parsed and checked, never run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from problog.logic import AnnotatedDisjunction, Clause, Constant, Or, Term, Var

from deepplp.errors import (
    DeepPLPError,
    Position,
    ProgramFileError,
    ProgramSyntaxError,
    QueryError,
    UnsupportedConstructError,
)
from deepplp.program.constructs import check_heads, check_libraries, declared_predicates, idle_questions
from deepplp.program.files import read_source, read_text
from deepplp.program.learnable import LearnableClause, learnable_clause, write_learnt
from deepplp.program.parameters import LearntNumber, learnt_numbers_in, unique_starts, with_values
from deepplp.program.syntax import parse_statements
from deepplp.program.terms import list_items, substituted
from deepplp.program.text import Text

__all__ = ["NeuralDeclaration", "Program", "Statement", "heads_and_body"]

NeuralKind = Literal["categorical", "independent", "bernoulli", "tensor"]


@dataclass(frozen=True, slots=True)
class NeuralDeclaration:
    """``nn(network, [inputs], output, domain) :: head :- body``, or ``nn(network, [inputs]) :: head :- body``.

    ``kind`` is ``"categorical"`` for nn/4: the network decides which value of the domain holds. It is
    ``"independent"`` for nn/5, ``nn(network, [inputs], output, domain, independent)``: the network decides for each
    value by itself whether it holds. It is ``"bernoulli"`` for nn/2: the network decides whether the head holds. It is
    ``"tensor"`` for nn/3: the network's output is a tensor term.
    """

    index: int
    network: str
    inputs: tuple[Term, ...]
    output: Term | None
    domain: Term | None
    head: Term
    body: Term | None
    kind: NeuralKind
    position: Position

    def __str__(self) -> str:
        inputs = ", ".join(map(str, self.inputs))
        if self.kind == "bernoulli":
            return f"nn({self.network}, [{inputs}])"
        if self.kind == "tensor":
            return f"nn({self.network}, [{inputs}], {self.output})"
        last = ", independent" if self.kind == "independent" else ""
        return f"nn({self.network}, [{inputs}], {self.output}, {_domain_text(self.domain)}{last})"


@dataclass(frozen=True, slots=True)
class Statement:
    """One clause, fact, annotated disjunction or directive.

    ``neural`` where a network decides its head, ``learnable`` where a probability of it is learnt, ``consulted`` where
    it is a directive that reads another file: the number of that file, and ``declared`` where it is one that declares
    predicates, such as ``:- dynamic p/1``: their signatures. ``file`` is the number of its own file, and ``end`` the
    character behind it there.
    """

    term: Term
    position: Position
    file: int
    end: int
    neural: NeuralDeclaration | None = None
    learnable: LearnableClause | None = None
    consulted: int | None = None
    declared: tuple[str, ...] | None = None

    @property
    def is_directive(self) -> bool:
        """Whether it is ``:- goal``, which loading carries out."""
        return isinstance(self.term, Clause) and str(self.term.head) == "_directive"

    def heads_and_body(self) -> tuple[list[Term], Term | None]:
        """The heads, one unless it is an annotated disjunction, and the body, None for a fact."""
        return heads_and_body(self.term)


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed program. Make one by `from_file` or `from_string`.

    Parsing never runs code: directives are carried out by grounding, and those that would load Python or read a data
    base only where the caller allows it.

    >>> Program.from_string("nn(net, [X], Y, [0..9]) :: digit(X, Y).").networks
    ('net',)
    """

    texts: tuple[Text, ...]
    statements: tuple[Statement, ...]
    root: str = "."

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Program:
        """Parse a file, or standard input for ``-``, and what it consults, by paths that begin where it stands."""
        try:
            text = read_source(path)
        except ProgramFileError:
            if isinstance(path, str) and _IS_PROGRAM.search(path):
                shown = path.strip().partition("\n")[0][:40]
                raise ProgramFileError(
                    f"{shown!r} is a program's text, no file's name: deepplp.Program.from_string(text) makes a program "
                    "of it"
                ) from None
            raise
        return _Loader(text.folder).load(text)

    @classmethod
    def from_string(cls, text: str, name: str = "<string>") -> Program:
        """Parse a text; ``name`` is what errors call it. Relative paths in it are taken from the current folder."""
        if not isinstance(text, str):
            raise QueryError(f"a program is a text such as '0.3::rain. query(rain).', not a {type(text).__name__}")
        if not isinstance(name, str):
            raise QueryError(f"a program's name is a text such as 'rain.pl', not a {type(name).__name__}")
        if _IS_FILE.fullmatch(text):
            raise ProgramFileError(
                f"{text.strip()!r} is a file's name, no program's text: deepplp.Program.from_file(path) reads a file"
            )
        return _Loader(".").load(Text(name, text))

    @classmethod
    def with_errors(cls, path: str | os.PathLike[str]) -> tuple[Program, list[DeepPLPError]]:
        """Parse a file as far as it goes: the statements that are well-formed, and all errors, not only the first."""
        errors: list[DeepPLPError] = []
        text = read_source(path)
        return _Loader(text.folder, errors).load(text), errors

    def directives(self) -> list[Term | None]:
        """The goals that loading carries out, in their order."""
        return [s.heads_and_body()[1] for s in self.statements if s.is_directive]

    def with_facts(self, text: str, name: str = "<facts>") -> Program:
        """The program and the clauses of one more text; errors in it are called ``name``."""
        loader = _Loader(self.root)
        loader.resume(self)
        program = loader.load(Text(name, text, self.root))
        learnable = next((s for s in program.statements[len(self.statements) :] if s.learnable is not None), None)
        if learnable is not None:
            raise UnsupportedConstructError(
                "facts of a query hold no t(…): a parameter belongs to the program, where every query finds it",
                learnable.position,
            )
        return program

    @property
    def text(self) -> Text:
        """The program's own text; the other ``texts`` are consulted files."""
        return self.texts[0]

    @property
    def declarations(self) -> tuple[NeuralDeclaration, ...]:
        """The neural declarations, in the order of the text."""
        return tuple(s.neural for s in self.statements if s.neural is not None)

    @property
    def learnables(self) -> tuple[LearnableClause, ...]:
        """The clauses with learnable probabilities, in the order of the text."""
        return tuple(s.learnable for s in self.statements if s.learnable is not None)

    def place(self, term: object, statement: Statement) -> Position:
        """Where a term of a statement stands; where the statement does, if that is not known."""
        location = term.location if isinstance(term, Term) else None
        if isinstance(location, tuple) and location[1] is not None:
            return self.texts[statement.file].position(location[1])
        return statement.position

    @property
    def learnt_numbers(self) -> dict[str, float]:
        """The numbers ``param(Name, Start)`` that are learnt: where each starts, by its name.

        Raises:
            ProgramError: one starts at two values.
        """
        return unique_starts([n for statement in self.statements for n in self._learnt_numbers_of(statement)])

    def _learnt_numbers_of(self, statement: Statement) -> list[LearntNumber]:
        heads, body = statement.heads_and_body()
        terms = [*heads, *(() if body is None else (body,))]
        if statement.neural is not None:
            terms += statement.neural.inputs
        return list(learnt_numbers_in(terms, self.texts[statement.file]))

    def with_learnt(
        self,
        groundings: Mapping[int, Sequence[tuple[Sequence[str], Sequence[float]]]],
        numbers: Mapping[str, float] = MappingProxyType({}),
    ) -> str:
        """The text with numbers in place of ``t(…)`` and of ``param(…)``.

        ``groundings[i]`` are those of learnable clause i, and ``numbers`` the values by name.

        A consulted file in which something was learnt stands in place of the directive that consults it.
        """
        owner: dict[int, Statement] = {}  # the directive that made a file part of the program; others do nothing
        for statement in self.statements:
            if statement.consulted is not None and statement.consulted > statement.file:
                owner.setdefault(statement.consulted, statement)
        texts: dict[int, tuple[str, bool]] = {}  # text, and whether anything was learnt in it
        for number in reversed(range(len(self.texts))):  # files stand behind those that consult them
            own = self.texts[number]
            pieces: list[str] = []
            done = 0
            anything = False
            for statement in (s for s in self.statements if s.file == number):
                replacement = None
                start = own.offset(statement.position.line, statement.position.column)
                values = [(n, numbers[n.name]) for n in self._learnt_numbers_of(statement) if n.name in numbers]
                if statement.learnable is not None:
                    found = groundings.get(statement.learnable.index, ())
                    tokens: dict[str, Term] = {str(n.term): Constant(value) for n, value in values}
                    (term,) = substituted([statement.term], tokens, compounds=True)
                    replacement, learnt = write_learnt(term, statement.learnable, found), True
                elif values:
                    replacement, learnt = with_values(own.content[start : statement.end], start, values), True
                elif statement.consulted is not None:
                    mine = owner.get(statement.consulted) is statement
                    text, learnt = texts[statement.consulted] if mine else ("", False)
                    # Once a file's text stands elsewhere, the relative paths in it would lead astray.
                    replacement = text if learnt or number > 0 else None
                if replacement is not None:
                    pieces += [own.content[done:start], replacement]
                    done = statement.end
                    anything = anything or learnt
            texts[number] = ("".join([*pieces, own.content[done:]]), anything)
        return texts[0][0]

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks that the program mentions, in the order of the text."""
        return tuple(dict.fromkeys(d.network for d in self.declarations))

    def __str__(self) -> str:
        return self.text.content


_IS_PROGRAM = re.compile(r"::|:-|\n|[\w)]\.\s*$")  # what the name of a file hardly ever holds
_IS_FILE = re.compile(r"\s*[^\s(),]+\.(?:pl|plp|pro|problog|prolog)\s*")
_FULL_STOP = re.compile(r"\.(?=\s|%|$)")


class _Loader:
    """Parses a program and the files that it consults, each once, in the order in which they are consulted.

    With a list of ``errors``, these are collected, and what is at fault is left out of the program.
    """

    def __init__(self, root: str, errors: list[DeepPLPError] | None = None) -> None:
        self._root = root
        self._errors = errors
        self._texts: list[Text] = []
        self._numbers: dict[str, int] = {}
        self._statements: list[Statement] = []
        self._declarations = 0
        self._learnables = 0

    def resume(self, program: Program) -> None:
        """Go on where a program ended."""
        self._texts = list(program.texts)
        self._numbers = {os.path.abspath(s.name): i for i, s in enumerate(program.texts)}
        self._statements = list(program.statements)
        self._declarations = len(program.declarations)
        self._learnables = len(program.learnables)

    def load(self, text: Text) -> Program:
        """The whole program."""
        self._read_text(text)
        stated = [s for s in self._statements if not s.is_directive]
        for fault in idle_questions([(*s.heads_and_body(), s.position) for s in stated]):
            if self._errors is None:
                raise fault
            self._errors.append(fault)
        return Program(tuple(self._texts), tuple(self._statements), self._root)

    def _read_text(self, text: Text) -> int:
        number = len(self._texts)
        self._texts.append(text)
        self._numbers[os.path.abspath(text.name)] = number
        found = parse_statements(text, number) if self._errors is None else self._well_formed(text, number)
        for term, position, end in found:
            try:
                self._statements.append(self._statement(term, position, number, end, Path(text.folder)))
            except DeepPLPError as error:
                if self._errors is None:
                    raise
                self._errors.append(error)
        return number

    def _well_formed(self, text: Text, number: int) -> list[tuple[Term, Position, int]]:
        """The statements that can be parsed; each that cannot is blanked out, up to its full stop, and reported."""
        assert self._errors is not None
        content = text.content
        while True:
            try:
                return parse_statements(Text(text.name, content), number)
            except ProgramSyntaxError as error:
                if error.position is None:
                    raise
                fault = text.offset(error.position.line, error.position.column)
                shown = text.at(error.position.line, error.position.column)
                self._errors.append(ProgramSyntaxError(error.message, shown))
                starts = [m.end() for m in _FULL_STOP.finditer(content, 0, fault)]
                stop = _FULL_STOP.search(content, fault)
                first, last = starts[-1] if starts else 0, stop.end() if stop else len(content)
                if not content[first:last].strip():  # nothing left to leave out
                    return []
                content = (
                    content[:first] + "".join("\n" if c == "\n" else " " for c in content[first:last]) + content[last:]
                )

    def _statement(self, term: Term, position: Position, number: int, end: int, folder: Path) -> Statement:
        check_libraries(term, position)
        path = _consulted(term, position)
        if path is not None:
            return Statement(term, position, number, end, consulted=self._consult(folder, path, position))
        declared = declared_predicates(term, position)
        if declared is not None:
            return Statement(term, position, number, end, declared=declared)
        neural = _neural_declaration(term, position, self._declarations)
        given, body = heads_and_body(term)
        heads = [] if neural else [h for h in given if isinstance(h, Term)]
        check_heads(heads, body, position)
        learnable = learnable_clause(heads, body, position, self._learnables)
        self._declarations += neural is not None
        self._learnables += learnable is not None
        return Statement(term, position, number, end, neural, learnable)

    def _consult(self, folder: Path, path: str, position: Position) -> int:
        file = next((f for f in (folder / path, folder / f"{path}.pl") if f.is_file()), None)
        if file is None:
            raise ProgramFileError(f"cannot read {path}: there is no file {folder / path}", position)
        known = self._numbers.get(os.path.abspath(file))
        return self._read_text(read_text(file, str(file), position)) if known is None else known


def _consulted(statement: Term, position: Position) -> str | None:
    """The file that a directive ``:- consult(file)`` or ``:- [file]`` names."""
    if not isinstance(statement, Clause) or str(statement.head) != "_directive":
        return None
    goal = statement.body
    if not isinstance(goal, Term):
        return None
    files = [goal.args[0]] if goal.functor == "consult" and goal.arity == 1 else list_items(goal)
    if not files or isinstance(files[0], Var):
        return None
    if len(files) > 1:
        raise UnsupportedConstructError(
            "consult one file a directive, such as :- consult('a.pl'). :- consult('b.pl').", position
        )
    return str(files[0]).strip("'\"")


def _domain_text(domain: Term | None) -> str:
    return str(domain).replace("'..'", "..") if domain is not None else ""


def heads_and_body(statement: Term) -> tuple[list[Term], Term | None]:
    """The heads of a clause's term, and its body; None for a fact."""
    if isinstance(statement, AnnotatedDisjunction):
        return list(statement.heads), statement.body
    if isinstance(statement, Clause):
        return [statement.head], statement.body
    if isinstance(statement, Or):
        return list(statement.to_list()), None
    return [statement], None


def _is_neural(probability: object) -> bool:
    return isinstance(probability, Term) and probability.functor == "nn"


def _neural_declaration(statement: Term, position: Position, index: int) -> NeuralDeclaration | None:
    """The neural declaration that a statement is, if it is one."""
    heads, body = heads_and_body(statement)
    annotations = [h.probability for h in heads if isinstance(h, Term) and _is_neural(h.probability)]
    if not annotations:
        return None
    if len(heads) > 1:
        raise UnsupportedConstructError(
            "an nn annotation must be the only head of its clause; give each network a clause of its own", position
        )
    (annotation,) = annotations
    return _declaration(annotation, heads[0].with_probability(None), body, position, index)


def _declaration(nn: Term, head: Term, body: Term | None, position: Position, index: int) -> NeuralDeclaration:
    if nn.arity not in (2, 3, 4, 5):
        raise ProgramSyntaxError(
            f"nn takes 2 to 5 arguments, not {nn.arity}: nn(network, [inputs]), nn(network, [inputs], Tensor), "
            "nn(network, [inputs], Output, [values]) or nn(network, [inputs], Output, [values], independent)",
            position,
        )
    if nn.arity == 5 and str(nn.args[4]) != "independent":
        raise ProgramSyntaxError(
            f"the fifth argument of nn is the word independent, for values each of which may hold by itself, not "
            f"{nn.args[4]}",
            position,
        )
    name = nn.args[0]
    if isinstance(name, Var) or not isinstance(name, Term) or name.arity != 0 or name.is_constant():
        raise ProgramSyntaxError(f"the network's name must be an atom, not {name}", position)
    inputs = list_items(nn.args[1])
    if inputs is None:  # DeepProbLog also takes a single input without its brackets
        inputs = [nn.args[1]]
    output = nn.args[2] if nn.arity > 2 else None
    domain = nn.args[3] if nn.arity > 3 else None
    if output is not None and not isinstance(output, Var):
        raise ProgramSyntaxError(f"the third argument of nn/{nn.arity} must be a variable, not {output}", position)
    if output is not None and str(output) not in {str(v) for v in head.variables()}:
        raise ProgramSyntaxError(f"the output {output} does not occur in the head {head}", position)
    if domain is not None and not isinstance(domain, Var) and list_items(domain) is None and domain.functor != "'..'":
        raise ProgramSyntaxError(f"the domain must be a list such as [0..9] or [red, green], not {domain}", position)
    kinds: dict[int, NeuralKind] = {2: "bernoulli", 3: "tensor", 4: "categorical", 5: "independent"}
    text = str(name)
    return NeuralDeclaration(
        index,
        text[1:-1] if text.startswith("'") and text.endswith("'") else text,
        tuple(inputs),
        output,
        domain,
        head,
        body,
        kinds[nn.arity],
        position,
    )
