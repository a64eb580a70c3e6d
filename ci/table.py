"""A table for people: with colours on a terminal, as aligned lines elsewhere."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ci.status import aligned


def show(out: Console, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print the rows; a program that reads them gets one line each, never wrapped."""
    if not out.is_terminal:
        for line in aligned([tuple(columns), *(tuple(map(str, row)) for row in rows)]):
            out.print(line, markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)
