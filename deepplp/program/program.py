"""`Program`: a ProbLog program with neural predicates, parsed and checked, never run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from problog.logic import AnnotatedDisjunction, Clause, Or, Term, Var

from deepplp.errors import Position, ProgramFileError, ProgramSyntaxError, UnsupportedConstructError
from deepplp.program.learnable import LearnableClause, learnable_clause, write_learnt
from deepplp.program.source import Source
from deepplp.program.syntax import parse_statements

__all__ = ["NeuralDeclaration", "Program", "Statement"]

NeuralKind = Literal["categorical", "bernoulli"]


@dataclass(frozen=True, slots=True)
class NeuralDeclaration:
    """``nn(network, [inputs], output, domain) :: head :- body``, or ``nn(network, [inputs]) :: head :- body``.

    ``kind`` is ``"categorical"`` for nn/4 (the network decides which value of the domain holds) and ``"bernoulli"``
    for nn/2 (it decides whether the head holds).
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
        return f"nn({self.network}, [{inputs}], {self.output}, {_domain_text(self.domain)})"


@dataclass(frozen=True, slots=True)
class Statement:
    """One clause, fact, annotated disjunction or directive.

    ``neural`` where a network decides its head, ``learnable`` where a probability of it is learnt; ``end``
    is the character behind it.
    """

    term: Term
    position: Position
    neural: NeuralDeclaration | None = None
    learnable: LearnableClause | None = None
    end: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed program. Make one by `from_file` or `from_string`.

    Parsing never runs code: directives are carried out by grounding, and those that would load Python or read a data
    base only where the caller allows it.

    >>> Program.from_string("nn(net, [X], Y, [0..9]) :: digit(X, Y).").networks
    ('net',)
    """

    source: Source
    statements: tuple[Statement, ...]
    root: str = "."

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Program:
        """Parse a file. Relative paths in the program (``consult``) are taken from the file's folder."""
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ProgramFileError(f"cannot read {file}: {error.strerror or error}") from None
        except UnicodeDecodeError as error:
            raise ProgramFileError(f"cannot read {file}: byte {error.start} is not UTF-8 text") from None
        return cls._parse(Source(str(path), text), str(file.parent))

    @classmethod
    def from_string(cls, text: str, name: str = "<string>") -> Program:
        """Parse a text; ``name`` is what errors call it."""
        return cls._parse(Source(name, text), ".")

    @classmethod
    def _parse(cls, source: Source, root: str) -> Program:
        statements: list[Statement] = []
        declarations = learnables = 0
        for term, position, end in parse_statements(source):
            neural = _neural_declaration(term, position, declarations)
            declarations += neural is not None
            heads = [] if neural else [h for h in _heads_and_body(term)[0] if isinstance(h, Term)]
            learnable = learnable_clause(heads, position, learnables)
            learnables += learnable is not None
            statements.append(Statement(term, position, neural, learnable, end))
        return cls(source, tuple(statements), root)

    @property
    def declarations(self) -> tuple[NeuralDeclaration, ...]:
        """The neural declarations, in the order of the text."""
        return tuple(s.neural for s in self.statements if s.neural is not None)

    @property
    def learnables(self) -> tuple[LearnableClause, ...]:
        """The clauses with learnable probabilities, in the order of the text."""
        return tuple(s.learnable for s in self.statements if s.learnable is not None)

    def with_learnt(self, groundings: Mapping[int, Sequence[tuple[Sequence[str], Sequence[float]]]]) -> str:
        """The text with numbers in place of ``t(…)``; ``groundings[i]`` are those of learnable clause i."""
        text = self.source.text
        pieces: list[str] = []
        done = 0
        for statement in self.statements:
            if statement.learnable is not None:
                start = self.source.offset(statement.position.line, statement.position.column)
                found = groundings.get(statement.learnable.index, ())
                pieces += [text[done:start], write_learnt(statement.term, statement.learnable, found)]
                done = statement.end
        return "".join([*pieces, text[done:]])

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks that the program mentions, in the order of the text."""
        return tuple(dict.fromkeys(d.network for d in self.declarations))

    def __str__(self) -> str:
        return self.source.text


def _domain_text(domain: Term | None) -> str:
    return str(domain).replace("'..'", "..") if domain is not None else ""


def _heads_and_body(statement: Term) -> tuple[list[Term], Term | None]:
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
    heads, body = _heads_and_body(statement)
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
    if nn.arity == 3:
        raise UnsupportedConstructError(
            "nn/3 (a network whose output is a tensor term) is not supported; use nn/4 for a choice among values "
            "or nn/2 for a yes or no",
            position,
        )
    if nn.arity not in (2, 4):
        raise ProgramSyntaxError(
            f"nn takes 2 or 4 arguments, not {nn.arity}: nn(network, [inputs]) or nn(network, [inputs], Output, "
            "[values])",
            position,
        )
    name = nn.args[0]
    if isinstance(name, Var) or not isinstance(name, Term) or name.arity != 0 or name.is_constant():
        raise ProgramSyntaxError(f"the network's name must be an atom, not {name}", position)
    inputs = _list_items(nn.args[1])
    if inputs is None:  # DeepProbLog also takes a single input without its brackets
        inputs = [nn.args[1]]
    output, domain = (nn.args[2], nn.args[3]) if nn.arity == 4 else (None, None)
    if output is not None and not isinstance(output, Var):
        raise ProgramSyntaxError(f"the third argument of nn/4 must be a variable, not {output}", position)
    if output is not None and str(output) not in {str(v) for v in head.variables()}:
        raise ProgramSyntaxError(f"the output {output} does not occur in the head {head}", position)
    if domain is not None and not isinstance(domain, Var) and _list_items(domain) is None and domain.functor != "'..'":
        raise ProgramSyntaxError(f"the domain must be a list such as [0..9] or [red, green], not {domain}", position)
    kind: NeuralKind = "bernoulli" if output is None else "categorical"
    text = str(name)
    return NeuralDeclaration(
        index,
        text[1:-1] if text.startswith("'") and text.endswith("'") else text,
        tuple(inputs),
        output,
        domain,
        head,
        body,
        kind,
        position,
    )


def _list_items(term: Term) -> list[Term] | None:
    """The items of a proper list, or None."""
    items: list[Term] = []
    while isinstance(term, Term) and not isinstance(term, Var) and term.functor == "." and term.arity == 2:
        items.append(term.args[0])
        term = term.args[1]
    return items if isinstance(term, Term) and str(term) == "[]" else None
