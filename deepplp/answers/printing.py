"""Answers as people read them: one line for one row, a small table for a batch."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from torch import Tensor

__all__ = ["as_html", "as_text", "summary"]

_ROWS = 5
_TERMS = 8
_LABEL = 40  # characters of a term in a table
_LONGEST = 80  # characters of a term on a line


def summary(terms: Sequence[str], rows: int) -> str:
    """The number of rows and of answers, on one line."""
    return f"Answers(batch={rows}, {_count(len(terms))})"


def as_text(terms: Sequence[str], probs: Tensor) -> str:
    """Answers with their probabilities [batch, n]: one line where the batch is 1, else a table with a column a row."""
    rows = probs.shape[0]
    if not terms or not rows:
        return summary(terms, rows)
    shown = _shown(probs)
    if rows == 1:
        listed = ", ".join(f"{_cut(t, _LONGEST)}: {column[0]:.6g}" for t, column in zip(terms, shown, strict=False))
        return f"Answers(batch=1, {listed}{', …' if len(terms) > _TERMS else ''})"
    labels = [_cut(t, _LABEL) for t in terms[:_TERMS]]
    columns = [[f"row {r}", *(f"{column[r]:.4g}" for column in shown)] for r in range(len(shown[0]))]
    widths = [max(map(len, column)) for column in columns]
    more = "  …" if rows > _ROWS else ""
    margin = max(map(len, labels))
    lines = [
        f"{label:<{margin}}  " + "  ".join(f"{c[i]:>{w}}" for c, w in zip(columns, widths, strict=True)) + more
        for i, label in enumerate(["", *labels])
    ]
    return "\n".join([summary(terms, rows), *lines, *(["…"] if len(terms) > _TERMS else [])])


def as_html(terms: Sequence[str], probs: Tensor) -> str:
    """The same table for a notebook; the most probable answer of each row is bold where it is shown."""
    rows = probs.shape[0]
    caption = f"<caption>{html.escape(summary(terms, rows))}</caption>"
    if not terms or not rows:
        return f"<table>{caption}</table>"
    shown = _shown(probs)
    best = [_best(row) for row in probs[:_ROWS].tolist()]
    more = rows > _ROWS
    heads = ["answer", *(f"row {r}" for r in range(len(best))), *(["…"] if more else [])]
    lines = ["<tr>" + "".join(f"<th>{h}</th>" for h in heads) + "</tr>"]
    for number, (term, column) in enumerate(zip(terms, shown, strict=False)):
        cells = [f"<b>{p:.4g}</b>" if best[r] == number else f"{p:.4g}" for r, p in enumerate(column)]
        cells = [f"<code>{html.escape(_cut(term, _LONGEST))}</code>", *cells, *(["…"] if more else [])]
        lines.append("<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    if len(terms) > _TERMS:
        lines.append("<tr>" + "<td>…</td>" * len(heads) + "</tr>")
    return f"<table>{caption}<thead>{lines[0]}</thead><tbody>{''.join(lines[1:])}</tbody></table>"


def _shown(probs: Tensor) -> list[list[float]]:
    """The probabilities that a table shows: those of each of the first answers in each of the first rows."""
    found: list[list[float]] = probs[:_ROWS, :_TERMS].T.tolist()
    return found


def _best(row: Sequence[float]) -> int | None:
    """The first of a row's largest numbers; None where all are 0 or one is no number."""
    if any(map(math.isnan, row)) or max(row) <= 0:
        return None
    return row.index(max(row))


def _count(answers: int) -> str:
    return "no answers" if not answers else f"{answers} answer{'s' if answers > 1 else ''}"


def _cut(text: str, most: int) -> str:
    """A text of at most so many characters; where it is longer its start and its end, which tell answers apart."""
    if len(text) <= most:
        return text
    start = (most - 1) // 2
    return f"{text[:start]}…{text[len(text) - (most - 1 - start) :]}"
