"""What the figures are compared with, measured in the same run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from bench.generate import FOLDER, Generated
from bench.measure import cost
from pipelines.batch import Batch
from pipelines.errors import InternalError
from pipelines.project import Project
from pipelines.salesforce.bulk import IngestJob
from pipelines.salesforce.rows import Load
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.validate import judge_sql as validate_sql
from pipelines.validate.judge import validate
from pipelines.warehouse import Written, csv_sql, literal

BEST_OF = 3


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs."""
    return min(cost(work).seconds for _ in range(BEST_OF))


def read_csv(project: Project, generated: Generated) -> tuple[float, float]:
    """A bare DuckDB ``read_csv`` of the same files into memory, all columns text, on all threads.

    Returns:
        seconds, and seconds of processor time; of some runs the best of each.
    """

    def read() -> None:
        with project.warehouse.connect() as connection:
            connection.execute("reset global threads")
            for at, file in enumerate(generated.files):
                connection.execute(_read_sql(f"file_{at}", file))

    costs = [cost(read) for _ in range(BEST_OF)]
    return min(one.seconds for one in costs), min(one.cpu for one in costs)


def rules_in_sql(project: Project, day: date) -> tuple[float, float]:
    """Seconds of validating the contacts: by the schemas, and by the same rules written as SQL."""

    def by_schemas() -> Written:
        with Batch(project, day).connect() as connection:
            return validate(project.warehouse, connection, "contacts", day).rejected

    def by_sql() -> Written:
        return _validate_in_sql(project, day)

    if by_schemas().rows != by_sql().rows:
        raise InternalError("bench/contact_rules.sql no longer says what schemas/contacts.py does")
    in_sql = best(by_sql)
    return best(by_schemas), in_sql  # last, so that the relations are the schemas'


def raw_put(project: Project, day: date) -> float:
    """Seconds of sending what the day's plan creates as bare files, of which the org does nothing.

    The jobs stay open, so that nothing is written.
    """
    total = 0.0
    with project.org() as org, Batch(project, day).connect() as connection:
        for mapping in Batch(project, day).mappings.values():
            name = relation("plan", mapping.stem)
            project.warehouse.bind(connection, name, [day])
            file = project.home / f"{name}.csv"
            connection.execute(_creates_sql(mapping, name, file))
            job = IngestJob.create(org.session, Load(mapping.object, "upsert", mapping.key))
            total += cost(partial(job.upload, file)).seconds
            file.unlink()
    return total


def persisting(project: Project, day: date) -> float:
    """Seconds that writing every relation of the day takes, from memory to Parquet on disk."""
    total = 0.0
    for folder in sorted((project.home / "stage").glob("*/")):
        if not project.warehouse.path(folder.name, day).exists():
            continue
        with project.warehouse.connect() as connection:
            project.warehouse.bind(connection, folder.name, [day], name="written")
            connection.execute("create temp table held as from written")
            write = partial(project.warehouse.write, connection, "bench", day, "from held")
            total += cost(write).seconds
    return total


def _validate_in_sql(project: Project, day: date) -> Written:
    with Batch(project, day).connect() as connection:
        for name in ("raw_contacts", "stg_contacts"):
            project.warehouse.bind(connection, name, [day])
        for name, value in _patterns().items():
            connection.execute(f"set variable {name} = $1", [value])
        connection.execute(validate_sql.failures_sql())
        connection.execute((FOLDER / "contact_rules.sql").read_text(encoding="utf-8"))
        connection.execute(validate_sql.repeated_sql("contacts"))
        rule = validate_sql.Rule("Duplicates", "duplicate", "source_id", "refused")
        connection.execute(validate_sql.duplicates_sql("contacts", rule))
        write = project.warehouse.write
        write(connection, "valid_contacts", day, validate_sql.valid_sql("contacts"))
        return write(connection, "rejected_contacts", day, validate_sql.rejected_sql("contacts"))


def _patterns() -> dict[str, str]:
    from schemas.checks import COUNTRY, EMAIL, FOUR_DIGITS

    return {"email": EMAIL, "four_digits": FOUR_DIGITS, "country": COUNTRY}


def _read_sql(table: str, file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        names = lines.readline().rstrip("\r\n").split(",")
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in names)
    options = f"header = true, columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"'"
    return f"create temp table {table} as from {csv_sql([file], options)}"


def _creates_sql(mapping: ObjectMapping, name: str, file: Path) -> str:
    fields = ", ".join(f'"{field}"' for field in mapping.enabled())
    return (
        f"copy (select key as \"{mapping.key}\", {fields} from {name} where action = 'create')"
        f" to {literal(file)} (format csv, header true)"
    )
