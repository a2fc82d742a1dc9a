"""State and Country picklists: text and code of a country or a state always say the same.

With the switch on, every address has code fields beside its text fields. A write may give either;
the other follows, and what is no country of the list, or no state of the country, is refused with
`FIELD_INTEGRITY_EXCEPTION`. Where both are given the code decides. (From memory of real orgs, not
confirmed: the texts of the errors, and that the code decides.)
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import Column, WriteRequest

_BAD = (
    "There''s a problem with this {0}, even though it may appear correct. "
    "Please select a {0} from the list of valid {1}."
)


@dataclass(frozen=True)
class Block:
    """The four fields of one address that hang together."""

    country: str
    country_code: str
    state: str
    state_code: str

    @property
    def names(self) -> tuple[str, str, str, str]:
        """All four."""
        return (self.country, self.country_code, self.state, self.state_code)


def blocks(sobject: SObject) -> Iterator[Block]:
    """The addresses of an object that have code fields."""
    for field in sobject.fields:
        if field.name.endswith("CountryCode"):
            stem = field.name.removesuffix("CountryCode")
            yield Block(f"{stem}Country", field.name, f"{stem}State", f"{stem}StateCode")


def with_siblings(request: WriteRequest, texts: pa.Table) -> tuple[WriteRequest, pa.Table]:
    """The request with all four fields of each address that it touches, the new ones empty."""
    columns = list(request.columns)
    for block in blocks(request.sobject):
        if not any(name in request.by_field for name in block.names):
            continue
        for name in block.names:
            if name not in request.by_field:
                column = Column(name, len(columns), request.sobject[name])
                columns.append(column)
                nothing = pa.nulls(texts.num_rows, pa.string())
                texts = texts.append_column(column.raw, nothing)
    return replace(request, columns=tuple(columns)), texts


def touched(request: WriteRequest) -> Iterator[Block]:
    """The addresses that a request with all siblings writes."""
    for block in blocks(request.sobject):
        if block.country in request.by_field:
            yield block


def align_sql(request: WriteRequest, block: Block) -> str:
    """SQL that makes the text and code columns of `work` agree, or refuses the row."""
    country, code, state, state_code = (request.by_field[name] for name in block.names)
    wanted = (
        f"select w._row, {_wanted(country, code)}, {_wanted(state, state_code)} "
        f"from work w left join {request.sobject.table} t on t._n = w._n and not w._created"
    )
    aligned = (
        "select wanted._row, coalesce(cc.country, cn.country) as country_code, "
        "coalesce(cc.name, cn.name) as country, coalesce(sc.state, sn.state) as state_code, "
        f"coalesce(sc.name, sn.name) as state, {_error_sql(block)} as error "
        f"from ({wanted}) as wanted(_row, country_text, country_code, state_text, state_code) "
        "left join org.country cc on cc.state is null "
        "and lower(cc.country) = lower(wanted.country_code) "
        "left join org.country cn on cn.state is null and wanted.country_code is null "
        "and lower(cn.name) = lower(wanted.country_text) "
        "left join org.country sc on sc.country = coalesce(cc.country, cn.country) "
        "and lower(sc.state) = lower(wanted.state_code) "
        "left join org.country sn on sn.country = coalesce(cc.country, cn.country) "
        "and sn.state is not null and wanted.state_code is null "
        "and lower(sn.name) = lower(wanted.state_text)"
    )
    values = {country: "country", code: "country_code", state: "state", state_code: "state_code"}
    changes = [f"{column.value} = a.{name}" for column, name in values.items()]
    changes += [f"g{column.position} = true" for column in values]
    changes.append("_error = coalesce(work._error, a.error)")
    return f"update work set {', '.join(changes)} from ({aligned}) a where a._row = work._row"


def _wanted(text: Column, code: Column) -> str:
    """Text and code as the record shall have them: what is given, else what it has."""
    given = f"w.g{text.position} or w.g{code.position}"
    return (
        f"case when {given} then w.{text.value} else t.{text.field.column} end, "
        f"case when {given} then w.{code.value} else t.{code.field.column} end"
    )


def _error_sql(block: Block) -> str:
    bad_country = error_sql(
        "FIELD_INTEGRITY_EXCEPTION", block.country, f"'{_BAD.format('country', 'countries')}'"
    )
    bad_state = error_sql(
        "FIELD_INTEGRITY_EXCEPTION", block.state, f"'{_BAD.format('state', 'states')}'"
    )
    alone = error_sql(
        "FIELD_INTEGRITY_EXCEPTION",
        block.state,
        f"'A country must be specified before specifying a state value for field: {block.state}'",
    )
    country = "coalesce(wanted.country_code, wanted.country_text) is not null"
    state = "coalesce(wanted.state_code, wanted.state_text) is not null"
    return (
        f"case when {country} and coalesce(cc.country, cn.country) is null then {bad_country} "
        f"when {state} and not {country} then {alone} "
        f"when {state} and coalesce(sc.state, sn.state) is null then {bad_state} end"
    )
