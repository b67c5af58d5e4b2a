"""ProbLog's libraries: which there are, and lists and higher-order predicates where a program calls what they export.

Most Prolog systems, and programs written for them, take ``member/2`` for granted; in ProbLog it must be imported. A
program's own predicates of such names are never touched.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import problog
from problog.logic import Clause

from deepplp.grounding.problog.database import Database
from deepplp.program import Constant, Program, Term, list_items

__all__ = ["exports_of_libraries", "libraries_for", "load_library", "mend_libraries"]

_LIBRARIES = ("lists", "apply")
_MENDED = r"""
append(Lists, All) :- ground(Lists), append2(Lists, [], All).
append(Lists, All) :- \+ ground(Lists), '$needs_list'(append/2, Lists), append_parts(Lists, All).
append2([], Done, Done).
append2([List|Lists], Done, All) :- append(Done, List, More), append2(Lists, More, All).
reverse(List, Back) :- is_list(List), reverse(List, [], Back).
reverse(List, Back) :- '$no_list'(List), '$needs_list'(reverse/2, Back), reverse(Back, [], List).
permutation(List, Other) :- is_list(List), permuted(List, Other).
permutation(List, Other) :- '$no_list'(List), '$needs_list'(permutation/2, Other), permuted(Other, List).
subset(Part, Whole) :- '$needs_list'(subset/2, Part), subset_of(Part, Whole).
same_length([], []).
same_length([_|First], [_|Second]) :- same_length(First, Second).
memberchk(X, List) :- ground(X), ground(List), '$memberchk'(X, List).
memberchk(X, List) :- \+ (ground(X), ground(List)), memberchk_search(X, List).
flatten(X, Done, List) :- var(X), append(Done, [X], List).
flatten(X, Done, Done) :- nonvar(X), X = [].
flatten(X, Done, List) :- nonvar(X), X = [Y|Rest], flatten(Y, Done, More), flatten(Rest, More, List).
flatten(X, Done, List) :- nonvar(X), X \= [], X \= [_|_], append(Done, [X], List).
nth0(0, [X|List], X, List).
nth0(I, [Y|List], X, [Y|Rest]) :- nonvar(I), I > 0, J is I - 1, nth0(J, List, X, Rest).
nth0(I, [Y|List], X, [Y|Rest]) :- var(I), nth0(J, List, X, Rest), I is J + 1.
nth1(I, List, X, Rest) :- nonvar(I), J is I - 1, nth0(J, List, X, Rest).
nth1(I, List, X, Rest) :- var(I), nth0(J, List, X, Rest), I is J + 1.
select(X, [X|Rest], Y, [Y|Rest]).
select(X, [Z|Rest], Y, [Z|Other]) :- select(X, Rest, Y, Other).
selectchk(X, [X|Rest], Y, [Y|Rest]).
selectchk(X, [Z|Rest], Y, [Z|Other]) :- X \= Z, selectchk(X, Rest, Y, Other).
max_member(List, Most) :- is_list(List), '$max_member'(List, Most).
max_member(Most, List) :- '$no_list'(Most), '$max_member'(List, Most).
min_member(List, Least) :- is_list(List), '$min_member'(List, Least).
min_member(Least, List) :- '$no_list'(Least), '$min_member'(List, Least).
list_to_set(List, Set) :- '$list_to_set'(List, Set).
"""
_ADDED = r"""
append_parts([], []).
append_parts([List|Lists], All) :- append(List, Rest, All), append_parts(Lists, Rest).
subset_of([], _).
subset_of([X|Part], Whole) :- memberchk(X, Whole), subset_of(Part, Whole).
permuted([], []).
permuted(List, [X|Other]) :- List = [_|_], select(X, List, Rest), permuted(Rest, Other).
msort(List, Ordered) :- '$msort'(List, Ordered).
sort(Argument, Order, List, Ordered) :- '$sort'(Argument, Order, List, Ordered).
keysort(Pairs, Ordered) :- '$keysort'(Pairs, Ordered).
list_to_ord_set(List, Set) :- sort(List, Set).
sumlist(List, Sum) :- sum_list(List, Sum).
predsort(Compare, List, Ordered) :- length(List, N), predsort(N, Compare, List, _, Ordered).
predsort(0, _, Rest, Rest, []).
predsort(1, _, [X|Rest], Rest, [X]).
predsort(N, Compare, List, Rest, Ordered) :-
    N > 1, M is N // 2, K is N - M,
    predsort(M, Compare, List, More, First), predsort(K, Compare, More, Rest, Second),
    predmerge(First, Second, Compare, Ordered).
predmerge([], Second, _, Second).
predmerge([X|First], [], _, [X|First]).
predmerge([X|First], [Y|Second], Compare, Ordered) :-
    call(Compare, Order, X, Y), predmerge(Order, X, First, Y, Second, Compare, Ordered).
predmerge(<, X, First, Y, Second, Compare, [X|Ordered]) :- predmerge(First, [Y|Second], Compare, Ordered).
predmerge(=, X, First, _, Second, Compare, [X|Ordered]) :- predmerge(First, Second, Compare, Ordered).
predmerge(>, X, First, Y, Second, Compare, [Y|Ordered]) :- predmerge([X|First], Second, Compare, Ordered).
"""
_ADDED_EXPORTS = ("msort/2", "sort/4", "keysort/2", "predsort/3", "list_to_ord_set/2", "sumlist/2")
_FOLDER = Path(problog.__file__).parent / "library"


def libraries_for(undefined: set[str], program: Program | None = None) -> list[str]:
    """The libraries that export predicates of these signatures, but for those that a program loads itself."""
    if not undefined:  # reading what libraries export takes as long as a small program
        return []
    own = () if program is None else tuple(_loaded(program))
    return [name for name in _LIBRARIES if name not in own and not undefined.isdisjoint(_exports(name))]


def _loaded(program: Program) -> list[str]:
    goals = program.directives()
    calls = [g for g in goals if isinstance(g, Term) and g.functor == "use_module" and g.arity in (1, 2)]
    return [str(g.args[0].args[0]) for g in calls if isinstance(g.args[0], Term) and g.args[0].functor == "library"]


def load_library(database: Database, name: str) -> None:
    """Load a library, also one that another library has loaded for itself; what is defined stays as it is."""
    database.use_module(Term("library", Term(name)), None)
    for signature in _exports(name):
        predicate, _, arity = signature.rpartition("/")
        if not database.is_defined(signature):
            database._create_alias(Term("'/'", Term(predicate), Constant(int(arity))), name)


def mend_libraries(database: Database) -> None:
    """Replace clauses of ProbLog's libraries that do not work.

    In library(lists), ``append/2`` concatenates unknown lists, which never ends, and neither do ``reverse/2``,
    ``permutation/2`` and ``flatten/2`` where the first list is unknown; ``same_length/2``, ``nth0/3`` and ``nth1/3`` do
    not take unknown lists or places; ``select/4`` and ``selectchk/4`` forget the rest of the list, ``min_member/2``
    gives the largest one, and ``list_to_set/2`` fails on ``[]``. What other Prolog systems have for sorting besides
    ``sort/2`` is added, and ``sumlist/2``. ``sub_string/5`` of library(string) calls a predicate that library(lists)
    keeps to itself.
    """
    loaded = database.find(Term("_lists_append2", *[None] * 3))
    if loaded is not None and not database.has_data("mended"):
        database.set_data("mended", True)
        mended, added = (
            [_without_locations(s.term) for s in Program.from_string(text).statements] for text in (_MENDED, _ADDED)
        )
        heads = {(c.args[0] if isinstance(c, Clause) else c).signature for c in mended}
        for name, _, arity in (h.rpartition("/") for h in heads):
            wrong = database.get_node(database.find(Term(f"_lists_{name}", *[None] * int(arity)))).children
            wrong.erase(tuple(wrong))
        database.mark(library="lists")
        for clause in [*mended, *added]:
            database.add_statement(clause, "lists")
        database.mark()
    used = database.find(Term("_string_sub_list", *[None] * 5))
    if used is not None and not database.get_node(used):
        database._create_alias(Term("'/'", Term("sub_list"), Constant(5)), "lists", my_scope="string")


def _without_locations(term: Term) -> Term:
    """A term that stands in no file of the program's."""
    stack: list[Term | int] = [term]
    while stack:
        current = stack.pop()
        if isinstance(current, Term):
            current.location = None
            stack.extend(current.args)
    return term


def exports_of_libraries() -> Iterator[str]:
    """What all libraries that are written in ProbLog export."""
    for path in _FOLDER.glob("*.pl"):
        yield from _exports(path.stem)


@functools.cache
def _exports(library: str) -> frozenset[str]:
    """What a library's module directive exports, such as ``member/2``."""
    first = Program.from_file(_FOLDER / f"{library}.pl").statements[0].heads_and_body()[1]
    if not isinstance(first, Term) or first.signature != "module/2":
        return frozenset()
    found = {str(item).replace("'", "").replace(" ", "") for item in list_items(first.args[1]) or ()}
    return frozenset(found.union(_ADDED_EXPORTS) if library == "lists" else found)
