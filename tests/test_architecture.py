"""The arrows between the parts, and the names that stand in more than one place."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipelines.sql import read_sql

ROOT = Path(__file__).resolve().parent.parent
OURS = ("assets", "pipelines", "schemas")

MAY_IMPORT = {
    "schemas": ("schemas",),
    "pipelines.salesforce": ("pipelines.salesforce",),
    "pipelines.local_org": ("pipelines.local_org",),
    "pipelines.errors": (),
    "pipelines.sync": (
        "pipelines.sync", "pipelines.salesforce", "schemas",
        "pipelines.config", "pipelines.errors", "pipelines.files", "pipelines.nearest",
        "pipelines.warehouse",
    ),
    "pipelines.sources": (
        "pipelines.sources", "pipelines.config", "pipelines.errors", "pipelines.files",
        "pipelines.memo", "pipelines.nearest", "pipelines.warehouse",
    ),
    "pipelines.nearest": (),
    "pipelines.demo": ("pipelines.demo", "pipelines.files"),
}  # fmt: skip
"""Package or module → the prefixes of ours that it may import; who is not here may import all."""

KNOW_DAGSTER = (
    "assets",
    "pipelines.definitions",
    "pipelines.jobs",
    "pipelines.metadata",
    "pipelines.record",
    "pipelines.resources",
    "pipelines.storage",
)

NAMED = ("Account", "Contact", "Lead")
KNOW_NAMES = {
    "pipelines/sync/mapping/named_objects.py": "routes and conversion",
    "pipelines/undo/children.py": "objects in which people work, whatever is mapped",
    "pipelines/commands/org.py": "what the local org is seeded with",
}
"""File → why it may call objects by their names; everything else goes by the mappings."""

WRITES = frozenset(
    {
        "write_text", "write_bytes", "touch", "rename", "hardlink_to", "symlink_to",
        "copyfile", "copy", "copy2", "copytree", "move",
    }
)  # fmt: skip
"""Methods and functions by which a file comes to be, besides ``open``, ``Path.replace`` and SQL."""

MAY_WRITE = {
    "pipelines/files.py": "the one way: everybody else writes a draft, or calls it",
    "pipelines/warehouse.py": "relations, each in a draft",
    "pipelines/catalog.py": "causeway.duckdb, in a draft",
    "pipelines/demo/inputs.py": "a file of the inbox, in a draft",
    "pipelines/validate/rejects.py": "rejected rows as CSV, in a draft",
    "pipelines/sync/plan/save.py": "files of a plan whose folder gets its name last",
    "pipelines/sync/apply/bulk.py": "rows to upload, which nobody reads before they are noted",
    "pipelines/sources/readers/reader.py": "a link that gives a file a name that is no pattern",
    "pipelines/run_log.py": "the log of a run, line by line; a torn last line counts for nothing",
    "pipelines/org/switch.py": "whole relations that change their place, by a noted change",
    "pipelines/plan/sweep.py": "plans that go, by a noted change",
    "pipelines/trial/home.py": "a home of one command alone, which starts as a copy",
    "pipelines/trial/template.py": "a folder of a cache that gets its name last",
    "pipelines/salesforce/session.py": "answers of the org on their way, which nobody keeps",
    "pipelines/salesforce/rest_query.py": "answers of the org on their way, which nobody keeps",
}
"""File → what it may write by itself; the local org is a product of its own."""


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the import in full"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _files(package: str) -> list[Path]:
    path = ROOT / package.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_nothing_is_imported_against_the_arrows(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in _files(package)
        for line, name in _imports(path)
        if any(_below(name, part) for part in OURS)
        and not any(_below(name, prefix) for prefix in MAY_IMPORT[package])
    ]
    assert wrong == []


def _imported_modules() -> dict[str, set[str]]:
    """Every module of ours → those it imports anywhere in it, under TYPE_CHECKING too."""
    paths = {
        _module(path): path for package in (*OURS, "bench", "prove") for path in _files(package)
    }
    return {
        module: {
            imported
            for _, name in _imports(path)
            for imported in (name, name.rpartition(".")[0])
            if imported in paths and imported != module
        }
        for module, path in paths.items()
    }


def _reachable(module: str, imports: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [module]
    while ahead:
        new = imports[ahead.pop()] - reached
        reached |= new
        ahead += new
    return reached


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = _imported_modules()
    reachable = {module: _reachable(module, imports) for module in imports}
    circles = {
        frozenset(other for other in ahead if module in reachable[other])
        for module, ahead in reachable.items()
        if module in ahead
    }
    assert circles == set()


def test_only_the_named_modules_know_dagster() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for package in OURS
        for path in _files(package)
        if not any(_below(_module(path), allowed) for allowed in KNOW_DAGSTER)
        for line, name in _imports(path)
        if _below(name, "dagster")
    ]
    assert wrong == []


def test_the_local_org_shares_no_line_with_the_client() -> None:
    def lines(package: str) -> set[str]:
        """Lines long enough to say something of their own."""
        texts = (path.read_text(encoding="utf-8").splitlines() for path in _files(package))
        text = (line.strip() for lines in texts for line in lines)
        return {line for line in text if len(line) > 60 and not line.startswith(("from", "import"))}

    assert lines("pipelines.local_org") & lines("pipelines.salesforce") == set()


def test_the_code_location_has_one_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    [loaded] = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    named = loaded["python_module"]
    assert named["location_name"] == project["code_location_name"]
    assert named["module_name"] == project["code_location_target_module"]


READS = re.compile(r"\b(read_(csv|parquet|json|ndjson|text|blob)\w*|parquet_\w+|glob|sniff_csv)\(")
READ_BY_NAME = {
    "pipelines/warehouse.py": "where a path becomes a pattern of itself alone",
    "pipelines/sources/readers/parquet.py": "the names of columns, which no table of rows shows",
    "pipelines/local_org/bulk/csvfile.py": "imports nothing of ours, has a function of its own",
    "pipelines/local_org/api/query.py": "the same",
    "pipelines/local_org/store/store.py": "the same",
}
"""File → why it may name files to DuckDB, which takes names for patterns, in its own words."""


def test_files_are_read_under_no_name_that_means_others() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in (*OURS, "bench", "prove")
        for path in _files(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and READS.search(node.value)
    }
    assert found == READ_BY_NAME.keys()
    sql = [path for package in (*OURS, "bench") for path in (ROOT / package).rglob("*.sql")]
    assert [path for path in sql if READS.search(path.read_text(encoding="utf-8"))] == []


def test_every_sql_asset_says_what_one_of_its_rows_is() -> None:
    files = sorted((ROOT / "assets").glob("*/*.sql"))
    assert files
    assert [path.name for path in files if len(read_sql(path).description) < 20] == []


def test_only_the_named_files_know_objects_by_their_names() -> None:
    packages = ("plan", "apply", "undo", "explain", "sync", "org", "commands")
    files = [path for name in packages for path in _files(f"pipelines.{name}")]
    files += [path for path in (ROOT / "pipelines").glob("*.py")] + _files("assets")
    line_of = {
        path.relative_to(ROOT).as_posix(): node.lineno
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in NAMED
    }
    assert line_of.keys() == KNOW_NAMES.keys(), line_of


def test_no_sql_of_the_core_knows_objects_by_their_names() -> None:
    """Of the graph, ``routes`` does, and ``open_references`` reads the accounts of the org."""
    files = sorted((ROOT / "pipelines" / "sync").rglob("*.sql"))
    assert files
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert [
        name for name in texts if any(f"'{object_name}'" in texts[name] for object_name in NAMED)
    ] == []


def _writes(node: ast.AST) -> bool:
    """Whether a part of a program makes a file, or gives one another name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.startswith("copy (")
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    name = node.func.attr
    if name == "replace":  # of a path; a text is replaced by another, a value by keywords
        return len(node.args) == 1 and not node.keywords
    if name == "open":
        modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        return any(isinstance(mode, str) and {*mode} & {*"wax+"} for mode in modes)
    return name in WRITES or ast.unparse(node.func) == "os.link"


def test_only_the_named_files_write_and_all_others_publish_whole() -> None:
    paths = [path for path in _files("pipelines") if "local_org" not in path.parts]
    writing = {
        path.relative_to(ROOT).as_posix(): node.lineno
        for path in (*paths, *_files("assets"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _writes(node)
    }
    assert writing.keys() == MAY_WRITE.keys(), writing
