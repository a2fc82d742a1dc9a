"""What is to be told of Ids of Salesforce in a file that are not heeded."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.batch import Batch
from pipelines.errors import Problem
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.named_objects import CONTACT, LEAD, PREFIXES
from pipelines.warehouse import literal

ID_FORM = "00[13Q5][0-9A-Za-z]{12}([0-5A-Z]{3})?(~[0-9]+)?"
"""An Id of a record that files of people bring: of an account, a contact, a lead or a user."""


def unheeded_ids(batch: Batch) -> Iterator[Problem]:
    """One problem per source and reason, at the first row with such an Id."""
    mappings = [mapping for name in (CONTACT, LEAD) for mapping in of_object(batch.mappings, name)]
    with batch.connect() as connection:
        for name in ("person_links", "person_records"):
            batch.bind_table(connection, name)
        [(ids,)] = connection.execute(_count_sql()).fetchall()
        if not ids:
            return
        for mapping in mappings:
            batch.bind_table(connection, relation("org_match", mapping.stem))
        objects = sorted({mapping.object for mapping in mappings})
        for name in objects:
            batch.project.bind_org(connection, name)
        query = _unheeded_sql(
            [relation("org_match", mapping.stem) for mapping in mappings], objects
        )
        for file, row, reference, others, reason in connection.execute(query).fetchall():
            more = f" (and {others} more rows of its source)" if others else ""
            yield Problem(
                file, row, f"{reference}{more}: the id looks like one of Salesforce, {reason}"
            )


def _given_sql() -> str:
    return f"""
        select
            links.person_key,
            links.source,
            links.source || ':' || links.source_id as reference,
            split_part(records.source_id, '~', 1) as id,
            records._file,
            records._row
        from person_links as links
        join person_records as records
            on records.record = links.record and records.batch = links.batch
        where regexp_full_match(records.source_id, {literal(ID_FORM)})
    """


def _count_sql() -> str:
    return f"select count(*) from ({_given_sql()})"


def _unheeded_sql(matches: list[str], objects: list[str]) -> str:
    matched = " union all ".join(f"select entity_key, sf_id from {name}" for name in matches)
    converted = {LEAD: '"ConvertedContactId"'}
    known = " union all ".join(
        f'select "Id" as sf_id, coalesce("MasterRecordId", {converted.get(name, "null")}) as heir'
        f" from {relation('org', name)}"
        for name in objects
    )
    people = ", ".join(literal(PREFIXES[name]) for name in objects)
    return f"""
        select
            arg_min(_file, (_file, _row)),
            arg_min(_row, (_file, _row)),
            arg_min(reference, (_file, _row)),
            count(*) - 1,
            reason
        from (
            select
                given.*,
                case
                    when left(given.id, 3) not in ({people}) then 'but not of a person'
                    when known.sf_id is null then 'but this org has no such record'
                    else 'but that record has another name, or is somebody else''s already'
                end as reason
            from ({_given_sql()}) as given
            left join ({known}) as known
                on left(known.sf_id, 15) = left(given.id, 15) and starts_with(known.sf_id, given.id)
            where known.heir is null and not exists (
                select 1 from ({matched}) as matched
                where
                    matched.entity_key = given.person_key
                    and starts_with(matched.sf_id, given.id)
            )
        )
        group by source, reason
        order by all
    """
