"""Files that a program reads while it is loaded or ground, by ``use_module/1`` or by a ``consult/1`` in a body."""

from __future__ import annotations

from problog.logic import Term

from deepplp.errors import ProgramSyntaxError, UnsupportedConstructError
from deepplp.program.constructs import check_heads, control_faults, declared_predicates
from deepplp.program.program import Statement, heads_and_body
from deepplp.program.syntax import parse_statements
from deepplp.program.terms import list_items
from deepplp.program.text import Text

__all__ = ["module_of", "module_statements"]

_PARAMETERS = {"nn": "networks", "t": "learnable probabilities"}


def module_statements(text: Text, number: int) -> list[Statement]:
    """The statements of such a file, which the locations in their terms call ``number``.

    Networks and learnable probabilities belong to the program, which is known before anything is loaded, so that such a
    file cannot bring them.

    Raises:
        ProgramError: something in the file cannot be part of a program; the error has its place in the file.
    """
    statements: list[Statement] = []
    for term, position, end in parse_statements(text, number):
        given, body = heads_and_body(term)
        heads = [h for h in given if isinstance(h, Term)]
        for head in heads:
            name = head.probability.functor if isinstance(head.probability, Term) else None
            if name in _PARAMETERS:
                raise UnsupportedConstructError(
                    f"this file is read after the program, and can add no {_PARAMETERS[name]} to it; read it by a "
                    f"directive of its own: :- consult('{text.name}').",
                    position,
                )
        check_heads(heads, body, position)
        statements.append(Statement(term, position, number, end, declared=declared_predicates(term, position)))
    defined = {h.signature for s in statements for h in s.heads_and_body()[0]}
    for statement in statements:
        if statement is not statements[0] and module_of(statement) is not None:
            raise ProgramSyntaxError("a module's directive is the first statement of its file", statement.position)
        for message, location in control_faults(statement.heads_and_body()[1], defined):
            place = statement.position if location is None else text.position(location[1])
            raise UnsupportedConstructError(message, place)
    return statements


def module_of(statement: Statement) -> tuple[str, list[Term]] | None:
    """The name of the module that a directive ``:- module(name, [p/1, …])`` begins, and what that exports."""
    body = statement.heads_and_body()[1] if statement.is_directive else None
    if not isinstance(body, Term) or body.signature != "module/2":
        return None
    exported = list_items(body.args[1])
    if exported is None:
        raise ProgramSyntaxError(
            f"module/2 takes a list of predicates, such as [edge/2], not {body.args[1]}", statement.position
        )
    return str(body.args[0]), exported
