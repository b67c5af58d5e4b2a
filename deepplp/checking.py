"""What can be said of a program before anything is run: errors, probable slips, and the networks that it needs."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from deepplp.errors import DeepPLPError, Position
from deepplp.grounding import Grounder, hint_for, impossible_goals, number_faults, stated_faults
from deepplp.program import (
    ASKING,
    Program,
    Statement,
    Term,
    asserted_signatures,
    calls_of,
    probability_faults,
    subterms,
    variables_of,
)

__all__ = ["Finding", "Report", "check_file"]

_READING = frozenset({"consult/1", "use_module/1", "use_module/2"})
_NO_QUERY = "it has no query/1, so that deepplp prob has nothing to ask; in Python, model.query(…) names what is asked"
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend (``error``) or to look at (``warning``), and where it stands."""

    severity: Severity
    message: str
    position: Position | None

    def __str__(self) -> str:
        if self.position is None:
            return f"{self.severity}: {self.message}"
        return f"{self.position}: {self.severity}: {self.message}\n{self.position.caret()}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order of the text, a line for each network that the program needs, and what else to know."""

    findings: tuple[Finding, ...]
    networks: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """The number of errors."""
        return sum(f.severity == "error" for f in self.findings)


def check_file(path: str | os.PathLike[str]) -> Report:
    """Check a program without networks or data.

    Finds all syntax errors, constructs that are not supported, predicates that are called but not defined (with near
    misses) or, where the program has queries, defined but of no use to them, variables that occur once, and
    probabilities that cannot be. Directives are carried out, but for those that would run Python.
    """
    program, faults = Program.with_errors(path)
    findings = [Finding("error", e.message, e.position) for e in faults]
    try:
        grounder: Grounder | None = Grounder(program)
    except DeepPLPError as error:
        findings.append(Finding("error", error.message, error.position))
        grounder = None
    findings += [Finding("error", message, place) for message, place in stated_faults(program)]
    findings += _numbers(program)
    for statement in program.statements:
        findings += [Finding("error", message, statement.position) for message in probability_faults(statement)]
        findings += [Finding("warning", m, statement.position) for m in _singletons(statement)]
    if grounder is not None:
        findings += [Finding("error", message, place) for message, place in grounder.unsupported()]
        findings += _undefined(program, grounder)
        findings += _unused(program)
        findings += (Finding("warning", message, place) for message, place in impossible_goals(program, probable=True))
    order = {text.name: i for i, text in enumerate(program.texts)}
    findings.sort(
        key=lambda f: (order.get(f.position.file, 0), f.position.line, f.position.column) if f.position else (0, 0, 0)
    )
    notes = () if faults or "query/1" in _defined(program) else (_NO_QUERY,)
    return Report(tuple(dict.fromkeys(findings)), tuple(_networks(program)), notes)


def _numbers(program: Program) -> Iterator[Finding]:
    """Thresholds, widths and learnt numbers that are none."""
    try:
        _ = program.learnt_numbers
    except DeepPLPError as error:
        yield Finding("error", error.message, error.position)
    own = _defined(program)
    for statement in program.statements:
        body = statement.heads_and_body()[1]
        for goal in subterms([] if body is None else [body]):
            for message, is_error in number_faults(goal) if goal.signature not in own else ():
                yield Finding("error" if is_error else "warning", message, program.place(goal, statement))


def _defined(program: Program) -> dict[str, Statement]:
    """The predicates that the program's own statements define, with the first statement of each."""
    defined: dict[str, Statement] = {}
    for statement in program.statements:
        for head in statement.heads_and_body()[0]:
            if head.signature != "_directive/0":
                defined.setdefault(head.signature, statement)
    return defined


def _undefined(program: Program, grounder: Grounder) -> Iterator[Finding]:
    asserted = asserted_signatures(program)
    own = sorted(set(_defined(program)) | (asserted or set()))
    severity: Severity = "warning" if any(map(_lets_fail, program.directives())) else "error"
    reads_files = any(
        signature in _READING for s in program.statements if not s.is_directive for signature, _ in calls_of(s)
    )
    for statement in program.statements:
        for signature, place in calls_of(statement):
            if place is None or signature in own or signature == "!/0" or grounder.is_defined(signature):
                continue
            if (reads_files or asserted is None) and hint_for(signature) is None:
                continue  # a file that a goal reads may define it, or what it asserts
            name = signature.rpartition("/")[0]
            close = difflib.get_close_matches(name, [k.rpartition("/")[0] for k in own], n=2, cutoff=0.7)
            near = [k for k in own if k.rpartition("/")[0] in (name, *close)]
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            where = program.texts[statement.file].position(place)
            yield Finding(severity, hint_for(signature) or f"no clauses for {signature}{hint}", where)


def _lets_fail(goal: Term | None) -> bool:
    """Whether a directive lets calls of unknown predicates fail."""
    return goal is not None and goal.signature == "unknown/1" and str(goal.args[0]) == "fail"


def _unused(program: Program) -> Iterator[Finding]:
    """Predicates that no query, evidence or directive leads to; nothing where the program asks no query itself."""
    defined = _defined(program)
    if "query/1" not in defined:
        return
    calls: dict[str, set[str]] = {}
    roots = set(ASKING)
    for statement in program.statements:
        called = {signature for signature, _ in calls_of(statement)}
        for head in statement.heads_and_body()[0]:
            calls.setdefault(head.signature, set()).update(called)
            if head.signature == "_directive/0":
                roots |= called
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        signature = waiting.pop()
        if signature not in reached:
            reached.add(signature)
            waiting.extend(calls.get(signature, ()))
    for signature, statement in defined.items():
        if signature not in reached:
            yield Finding("warning", f"{signature} is of no use to any query", statement.position)


def _singletons(statement: Statement) -> Iterator[str]:
    counts = Counter(variables_of(statement))
    if statement.heads_and_body()[1] is None and statement.heads_and_body()[0][0].signature in ASKING:
        return  # query(p(X)) asks for every X
    # The variables of a probabilistic head tell its choices apart, so that they matter even if they occur once.
    told = {str(v) for h in statement.heads_and_body()[0] if h.probability is not None for v in h.variables()}
    once = [name for name, count in counts.items() if count == 1 and name not in told and not name.startswith("_")]
    if once:
        names = ", ".join(once)
        yield f"{names} occur{'s' if len(once) == 1 else ''} once; write _ for a variable that does not matter"


def _networks(program: Program) -> Iterator[str]:
    for declaration in program.declarations:
        kind = {
            "bernoulli": "decides yes or no",
            "categorical": "decides one value of the domain",
            "independent": "decides each value of the domain by itself",
            "tensor": "gives a tensor",
        }[declaration.kind]
        inputs = len(declaration.inputs)
        yield (
            f"{declaration.position}: network {declaration.network}: {inputs} input{'s' if inputs != 1 else ''}, "
            f"{kind}, as {declaration}"
        )
