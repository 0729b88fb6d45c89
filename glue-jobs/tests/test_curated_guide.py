"""The guide to the curated tables says what tables.py and the job say: nothing of it can go stale."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from rocketgames_glue.jobs import curate
from rocketgames_glue.tables import CURATED, CuratedTable

GUIDE = Path(__file__).parents[2] / "docs" / "curated.md"


def _described(table: CuratedTable) -> str:
    """A table as the guide shows it."""
    keys = ", ".join(f"`{key}`" for key in table.keys)
    rows = [f"| `{each.name}` | {each.athena_type} | {each.comment} |" for each in table.columns]
    return "\n".join([f"### {table.name}", "", f"{table.description}. {table.grain}; key {keys}.", "", "| column | type | |", "|---|---|---|", *rows])


def test_the_guide_describes_every_table_and_column() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    wanted = {table.name: _described(table) for table in CURATED}
    found = re.findall(r"^### (\w+)\n", text.split("## The tables\n")[1].split("\n## ")[0], re.MULTILINE)
    assert found == list(wanted)
    for described in wanted.values():
        assert described in text, f"docs/curated.md lacks, word by word:\n\n{described}"


def test_the_guide_has_a_line_for_every_error_of_the_job() -> None:
    codes = re.findall(r"^``([a-z-]+)``", curate.__doc__ or "", re.MULTILINE)
    section = GUIDE.read_text(encoding="utf-8").split("## Errors\n")[1].split("\n## ")[0]
    assert len(codes) > 10
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == codes


def test_the_job_lists_every_error_that_its_modules_raise() -> None:
    """It shares ``secrets`` with the job that loads a warehouse, which alone reads the parts of one."""
    listed = set(re.findall(r"^``([a-z-]+)``", curate.__doc__ or "", re.MULTILINE))
    assert _codes_reached("rocketgames_glue.jobs.curate") - {"secret-malformed"} == listed


def _codes_reached(start: str) -> set[str]:
    """Codes of the errors that a module, and every module of ours that it imports, raises."""
    sources = Path(curate.__file__).parents[2]
    codes: set[str] = set()
    seen: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        file = sources / f"{name.replace('.', '/')}.py"
        if name in seen or not file.is_file():
            continue
        seen.add(name)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                left += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "JobError":
                codes |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant) and "-" in str(each.value)}
    return codes
