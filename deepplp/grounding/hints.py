"""What to use in place of the predicates of Prolog that ProbLog does not have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["hint_for"]

_TEXT = "library(string) has concat/2, join/3, str2lst/2, lst2str/2 and sub_string/5"
_STATE = "a ground program has no state; hand values on as arguments"
_OUTPUT = "write/1 to write/9, writeln/1 to writeln/9 and nl/0 print while the program is ground"
_ERRORS = "test beforehand what a goal needs; error/1 to error/9 stop with a message"
_STRINGS = "a string in double quotes is a term of its own; " + _TEXT

# Signatures by what replaces them; those in a library are said to be in it.
_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "bagof/3": "all/3 collects answers and fails where there are none",
        "setof/3": "findall(X, Goal, All), sort(All, Set) collects answers in order, each once; add Set \\= [] to fail "
        "where there are none",
        "aggregate_all/3": "count by findall(x, Goal, L), length(L, N), add up by findall(X, Goal, L), sum_list(L, S); "
        "max_list/2, min_list/2 and L itself give max, min and bag",
        "aggregate_all/4": "findall/3 or all/3, and sum_list/2, max_list/2 or length/2 of the list",
        "findall/4": "findall/3 and append/3",
        "&/2": "and is a comma: a, b",
        "|/2": "or is a semicolon: a ; b",
        "~/1": "not is \\+",
        "~=/2": "a value is unified by =; continuous random variables there are none",
        "style_check/1": "there are no style checks; leave the directive out",
        "set_stream/2": "there are no streams; leave the directive out",
        "encoding/1": "files are UTF-8; leave the directive out",
        "license/1": "leave the directive out",
        "ignore/1": "(G ; \\+ G) holds always, with G's bindings where it holds",
        "apply/2": "call/2 to call/9",
        "sumlist/2": "sum_list/2",
        "nb_setval/2": _STATE,
        "nb_getval/2": _STATE,
        "b_setval/2": _STATE,
        "b_getval/2": _STATE,
        "flag/3": _STATE,
        "format/1": _OUTPUT,
        "format/2": _OUTPUT,
        "format/3": _OUTPUT,
        "print/1": _OUTPUT,
        "write_canonical/1": _OUTPUT,
        "print_message/2": _OUTPUT,
        "tab/1": _OUTPUT,
        "read/1": "put what a program should read into facts, a CSV file or the call's facts",
        "catch/3": _ERRORS,
        "throw/1": _ERRORS,
        "halt/0": "a program ends when its queries are answered",
        "atom_length/2": "library(string) turns text into a list: str2lst(Text, L), length(L, N)",
        "atom_chars/2": "library(string) has str2lst/2 and lst2str/2",
        "atom_codes/2": "library(string) has str2lst/2 and lst2str/2, for characters",
        "char_code/2": "there are no character codes; compare characters as atoms",
        "number_codes/2": "atom_number/2, or str2int/2 of library(string)",
        "atom_concat/3": "library(string) has concat/2: concat([A, B], AB)",
        "atomic_list_concat/2": "library(string) has concat/2",
        "atomic_list_concat/3": "library(string) has join/3: join(Separator, List, Text)",
        "sub_atom/5": "library(string) has sub_string/5",
        "atom_string/2": _STRINGS,
        "string_concat/3": "library(string) has concat/2: concat([A, B], AB)",
        "string_length/2": "library(string) turns text into a list: str2lst(Text, L), length(L, N)",
        "string_chars/2": "library(string) has str2lst/2 and lst2str/2",
        "string_codes/2": "library(string) has str2lst/2 and lst2str/2, for characters",
        "string_to_atom/2": _STRINGS,
        "split_string/4": _TEXT,
        "upcase_atom/2": "there is no change of case; state both forms as facts",
        "term_to_atom/2": "terms and text are not turned into each other; use =../2 to take terms apart",
        "copy_term/2": "findall(T, true, [Copy]) copies a term with new variables",
        "setarg/3": "terms do not change; use =../2 to build another one",
        "nb_setarg/3": "terms do not change; use =../2 to build another one",
        "string/1": "there is no test for strings; compare with ==",
        "number_string/2": "str2int/2 of library(string)",
        "random/1": "a probabilistic fact or an annotated disjunction is what is random here",
        "random/3": "select_uniform/4 or an annotated disjunction is what is random here",
        "random_between/3": "select_uniform/4 or an annotated disjunction is what is random here",
        "random_member/2": "select_uniform/4 chooses one item of a list, all as likely",
        "op/3": "there are no operators but ProbLog's own; write terms with parentheses",
        "initialization/1": "a directive runs when the program is loaded: :- goal.",
        "set_prolog_flag/2": "there are no flags; leave the directive out",
        "ensure_loaded/1": "consult/1, or use_module/1 for libraries",
        "include/1": "consult/1",
        "garbage_collect/0": "leave it out",
        "statistics/2": "measure outside of the program",
        "get_time/1": "measure outside of the program",
        "tnot/1": "\\+",
        "dif/2": "\\== on what is bound, or \\=",
        "when/2": "order the goals so that variables are bound when they are needed",
        "freeze/2": "order the goals so that variables are bound when they are needed",
        "unify_with_occurs_check/2": "= checks for cycles already",
        "?=/2": "== and \\=",
        "=@=/2": "subsumes_term/2 both ways",
        "term_variables/2": "state the variables in a list where the term is written",
        "nb_current/2": _STATE,
        "assert/1": "library(assert) has assertz/1: ':- use_module(library(assert)).'",
        "asserta/1": "library(assert) has assertz/1, which adds clauses at the end",
        "abolish/1": "library(assert) has retractall/1",
    }
)
_LIBRARIES: Mapping[str, str] = MappingProxyType(
    {
        "assert": "assertz/1 retract/1 retractall/1",
        "record": "current_key/1 recorda/2 recorda/3 recordz/2 recordz/3 erase/1 recorded/2 recorded/3 instance/2",
        "string": "concat/2 join/3 str2lst/2 lst2str/2 str2int/2 sub_string/5",
        "cut": "cut/1 cut/2",
        "aggregate": "aggregate/5",
        "collect": "'=>'/2",
        "control": "on_fail/2",
        "db": "csv_load/2 sqlite_load/1",
    }
)


def hint_for(signature: str) -> str | None:
    """What to say to a program that calls a predicate of Prolog's, or one of a library that it does not load."""
    for library, exported in _LIBRARIES.items():
        if signature in exported.split():
            return f"{signature} is a predicate of library({library}): ':- use_module(library({library})).'"
    instead = _INSTEAD.get(signature)
    return None if instead is None else f"ProbLog has no {signature}; {instead}"
