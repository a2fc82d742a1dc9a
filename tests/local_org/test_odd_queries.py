"""Whatever query is asked, good or damaged: never a 5xx, always JSON of the right shape."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.local_org.catalog.load import TEMPLATE, load_catalog
from pipelines.local_org.catalog.model import Field, SObject
from pipelines.local_org.catalog.setup_file import read_setup
from tests.local_org.odd import BOUNDED, damaged, mostly, well_shaped

OBJECTS = load_catalog(read_setup(TEMPLATE)).objects
BY_NAME = {sobject.name: sobject for sobject in OBJECTS}
LITERALS = st.sampled_from(
    [
        *("null", "true", "FALSE", "0", "-1", "+3", "1.5", "1e3", "1e999", "99999999999999999999"),
        *(
            "''",
            "'x'",
            "'a%_\\\\'",
            "'\\u00e9'",
            "'\\ud800'",
            "'\\u12'",
            "'\\x'",
            "'001000000000001'",
        ),
        *("2024-02-29", "2023-02-31", "9999-12-31", "0001-01-01", "2024-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2024-01-01T25:00:00Z"),
        *(
            "TODAY",
            "LAST_N_DAYS:7",
            "NEXT_N_DAYS:999999999999",
            "LAST_N_YEARS:3000",
            "NEXT_N_YEARS:0",
        ),
        *(
            "N_DAYS_AGO:5",
            "LAST_N_MONTHS:99999",
            "THIS_QUARTER",
            "SOMEDAY",
            "LAST_N_QUARTERS:99999999",
        ),
    ]
)
FITTING = {
    "boolean": st.sampled_from(["true", "FALSE", "null"]),
    "date": st.sampled_from(["2024-02-29", "TODAY", "LAST_N_DAYS:7", "null", "0001-01-01"]),
    "datetime": st.sampled_from(["2024-01-01T00:00:00Z", "N_DAYS_AGO:5", "0001-01-01T00:00:00Z"]),
    "id": st.sampled_from(["'001000000000001'", "'003000000000001AAA'", "null", "''"]),
    "reference": st.sampled_from(["'001000000000001'", "'003000000000001AAA'", "null"]),
} | dict.fromkeys(("int", "double", "currency", "percent"), st.sampled_from(["0", "-1.5", "1e3"]))
"""Literals that a filter on a field of this type takes; every other type takes texts."""
TEXTS = st.sampled_from(["'x'", "''", "'a%_'", "'\\u00e9'", "null", "'O\\'Hara'"])
FUNCTIONS = (
    *("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "CALENDAR_YEAR", "HOUR_IN_DAY"),
    *("DAY_ONLY", "toLabel", "FORMAT", "convertTimezone", "FIELDS", "WEEK_IN_YEAR", "GROUPING"),
)
OPERATORS = ("=", "!=", "<>", "<", ">=", "LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES")


@st.composite
def paths(draw: st.DrawFn, sobject: SObject, depth: int = 0) -> tuple[str, Field]:
    """A field of an object, or of one of its parents, and the path to it."""
    field: Field = draw(st.sampled_from(sobject.fields))
    if field.relationship and depth < 3 and draw(st.booleans()):
        parents = [BY_NAME[n] for n in field.references if n in BY_NAME]
        if parents:
            inner, field_of_parent = draw(paths(draw(st.sampled_from(parents)), depth + 1))
            return f"{field.relationship}.{inner}", field_of_parent
    return field.name.swapcase() if draw(st.booleans()) else field.name, field


@st.composite
def expressions(draw: st.DrawFn, sobject: SObject) -> str:
    """A path, alone or in a function."""
    path, _ = draw(paths(sobject))
    if draw(st.integers(0, 5)):
        return path
    inside = draw(mostly([path], ["", "ALL", "STANDARD", f"MIN({path})"]))
    return f"{draw(st.sampled_from(FUNCTIONS))}({inside})"


@st.composite
def conditions(draw: st.DrawFn, sobject: SObject, depth: int = 0) -> str:
    """A test, or several."""
    if depth < 2 and not draw(st.integers(0, 3)):
        joined = draw(st.sampled_from([" AND ", " OR "]))
        parts = draw(st.lists(conditions(sobject, depth + 1), min_size=1, max_size=3))
        word = draw(st.sampled_from(["", "NOT "]))
        return f"{word}({joined.join(parts)})"
    left, field = draw(paths(sobject))
    operator = draw(st.sampled_from(OPERATORS))
    literals = FITTING.get(field.type, TEXTS)
    if not draw(st.integers(0, 5)):
        left, literals = draw(expressions(sobject)), LITERALS
    values = draw(st.lists(literals, min_size=1, max_size=3))
    right = values[0] if operator not in OPERATORS[6:] else f"({', '.join(values)})"
    if operator in {"IN", "NOT IN"} and depth < 2 and draw(st.booleans()):
        right = f"({draw(queries(depth + 2))})"
    return f"{left} {operator} {right}"


@st.composite
def queries(draw: st.DrawFn, depth: int = 0) -> str:
    """A whole query, right as a rule."""
    sobject = draw(st.sampled_from(OBJECTS))
    items = draw(st.lists(expressions(sobject), min_size=1, max_size=4))
    if depth == 0 and not draw(st.integers(0, 4)):
        items.append(draw(st.sampled_from(["COUNT()", "COUNT(Id) n", "Name alias", *_typeofs()])))
    names = [child.name for child in sobject.children if child.name]
    if depth == 0 and names and draw(st.booleans()):
        name = draw(st.sampled_from(names))
        items.append(f"(SELECT Id, CreatedDate FROM {name} LIMIT {draw(st.integers(0, 3))})")
    text = f"SELECT {', '.join(items)} FROM {sobject.name}"
    if draw(st.booleans()):
        text += f" WHERE {draw(conditions(sobject, depth))}"
    if not draw(st.integers(0, 3)):
        groups = draw(
            st.sampled_from(
                [items, items[:1], draw(st.lists(expressions(sobject), min_size=1, max_size=2))]
            )
        )
        text += f" GROUP BY {', '.join(groups)}"
        if draw(st.booleans()):
            text += f" HAVING {draw(conditions(sobject, 2))}"
    if not draw(st.integers(0, 2)):
        text += f" ORDER BY {draw(expressions(sobject))} DESC NULLS LAST"
    if not draw(st.integers(0, 2)):
        text += f" LIMIT {draw(mostly(['1', '5', '0'], ['-1', '+2', '2147483648', 'x']))}"
    if not draw(st.integers(0, 5)):
        text += f" OFFSET {draw(mostly(['0', '1'], ['-5', '2001']))}"
    return text


def _typeofs() -> list[str]:
    return [
        "TYPEOF What WHEN Account THEN Phone, Owner.Name WHEN Case THEN Subject ELSE Name END",
        "TYPEOF Owner WHEN User THEN Alias END",
        "TYPEOF CreatedBy WHEN User THEN Alias END",
        "TYPEOF Who WHEN Account THEN Id END",
    ]


@BOUNDED
@given(data=st.data())
def test_queries(rest: Any, data: st.DataObject) -> None:
    soql = data.draw(queries().flatmap(damaged))
    columns = data.draw(st.sampled_from([{}, {}, {"columns": "true"}]))
    path = data.draw(st.sampled_from(["query", "queryAll", "tooling/query"]))
    answer = rest("GET", path, params={"q": soql, **columns})
    well_shaped(answer)
    if answer.ok:
        assert {"columnMetadata"} <= set(answer.json()) or isinstance(
            answer.json()["records"], list
        )
