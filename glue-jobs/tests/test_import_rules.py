"""Who may import what: what computes reaches nothing outside, what reaches outside stands in one place, AWS Glue is known by entries."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

JOBS = Path(__file__).resolve().parents[1]
PACKAGE = JOBS / "rocketgames_glue"
LINES = 360
FUNCTION_LINES = 70


@dataclass(frozen=True)
class Source:
    """A module by its path below ``glue-jobs``."""

    path: str
    tree: ast.Module
    lines: int

    def imports(self) -> Iterator[str]:
        """Every module that is imported, also inside functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path} imports relatively"
                yield from (f"{node.module}.{each.name}" for each in node.names)

    def attributes(self) -> Iterator[tuple[str, str]]:
        """``a.b`` as ("a", "b") wherever a is a plain name or ends in one."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                inner = node.value
                name = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
                yield name, node.attr


def _sources() -> list[Source]:
    files = sorted([*PACKAGE.rglob("*.py"), *JOBS.glob("*.py")])
    texts = {str(each.relative_to(JOBS)): each.read_text(encoding="utf-8") for each in files}
    return [Source(path, ast.parse(text), text.count("\n")) for path, text in texts.items()]


SOURCES = _sources()
TRANSFORMS_MAY = ("pyspark", "rocketgames_glue.contract", "rocketgames_glue.tables", "rocketgames_glue.transforms")
STANDARD = (
    *("__future__", "abc", "collections", "dataclasses", "datetime", "functools", "itertools", "math", "operator"),
    *("re", "string", "types", "typing"),
)
OUTSIDE = ("boto3", "botocore", "urllib", "requests", "http", "socket", "snowflake")


def _of(folder: str) -> list[Source]:
    found = [each for each in SOURCES if each.path.startswith(f"rocketgames_glue/{folder}/")]
    assert found, folder
    return found


def _begins(name: str, *prefixes: str) -> bool:
    return any(name == each or name.startswith(each + ".") for each in prefixes)


def test_transforms_import_spark_the_contract_and_the_tables_alone() -> None:
    broken = [
        f"{each.path}: {name}" for each in _of("transforms") for name in each.imports() if not _begins(name, *TRANSFORMS_MAY, *STANDARD)
    ]
    assert broken == []


def test_statements_are_pure_text() -> None:
    may = ("rocketgames_glue.statements", "rocketgames_glue.tables", "rocketgames_glue.job_error", *STANDARD)
    broken = [f"{each.path}: {name}" for each in _of("statements") for name in each.imports() if not _begins(name, *may)]
    assert broken == []


def test_only_io_reaches_outside() -> None:
    inside = [each for each in SOURCES if not each.path.startswith("rocketgames_glue/io/")]
    broken = [f"{each.path}: {name}" for each in inside for name in each.imports() if _begins(name, *OUTSIDE)]
    spark = {("spark", "read"), ("spark", "readStream")}
    broken += [f"{each.path}: {'.'.join(pair)}" for each in inside for pair in each.attributes() if pair in spark or pair[1] == "jdbc"]
    # A frame's, that is: a build, a file and a stream have a `write` of their own.
    writes = {(frame, verb) for frame in ("frame", "df", "rows", "spark") for verb in ("write", "writeTo", "writeStream")}
    broken += [f"{each.path}: {'.'.join(pair)}" for each in inside for pair in each.attributes() if pair in writes]
    assert broken == []


def test_nothing_imports_jobs_or_entries_but_entries() -> None:
    broken = [
        f"{each.path}: {name}"
        for each in SOURCES
        if "/" in each.path and not each.path.startswith("rocketgames_glue/jobs/")
        for name in each.imports()
        if _begins(name, "rocketgames_glue.jobs", "rocketgames_glue.entry")
    ]
    assert broken == []


def test_aws_glue_is_known_by_the_entries_alone_which_hold_no_logic() -> None:
    entries = [each for each in SOURCES if "/" not in each.path]
    assert [each.path for each in entries] == ["curate_accounts.py", "load_warehouse.py", "unload_snapshot.py"]
    assert [each.path for each in SOURCES if "/" in each.path and any(_begins(name, "awsglue") for name in each.imports())] == []
    assert [each.path for each in entries if each.lines > 25] == []
    assert [each.path for each in entries for node in ast.walk(each.tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))] == []


def test_functions_have_types_and_fit_on_a_page() -> None:
    broken = []
    for source in SOURCES:
        if source.lines > LINES:
            broken.append(f"{source.path}: {source.lines} lines")
        for node in ast.walk(source.tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if node.end_lineno and node.end_lineno - node.lineno >= FUNCTION_LINES:
                broken.append(f"{source.path}: {node.name} has {node.end_lineno - node.lineno + 1} lines")
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [each.arg for each in arguments if each.annotation is None and each.arg not in ("self", "cls")]
            if untyped or node.returns is None:
                broken.append(f"{source.path}: {node.name} lacks the type of {untyped or 'its result'}")
    assert broken == []
