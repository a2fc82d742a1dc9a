"""An address that said no: which records of the org have it, whoever's they are.

A refusal reaches every live record with its address. Where the plan has a row for the record, that
row wants the opt-out; every other record (a stranger's, one that nobody can tell whose it is, one
of ours that the batch does not touch) gets a row of its own which can send nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import converts
from pipelines.sync.mapping.persons import consent_of
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

BY_ADDRESS = "its address said no to the newsletter"
"""Why such a row is in the plan."""

RULE = "address"
"""The rule by which it found its record."""

DESIRED, MATCHED = "desired_before_opt_outs", "matched_before_opt_outs"
"""The relations that ``desired_sql`` and ``matched_sql`` widen."""

ASKED = "desired_before_answers"
"""The relation that ``unanswered_sql`` changes."""


def concerned_sql(mapping: ObjectMapping) -> str:
    """Records that are not opted out, or would be opted in, though their address was once refused.

    ``sf_id``, ``own_key``, ``email``, ``address`` as the state knows it, and ``out``, whether it is
    opted out. It reads ``sf_`` and ``org_match_<mapping>``, the relation of the org and the state.
    """
    consent, key = consent_of(mapping.object), quoted(mapping.key)
    opt_out = quoted(consent.opt_out)
    email = f"norm_email({quoted(consent.address)})"
    converted = " and \"IsConverted\" = 'false'" if converts(mapping.object) else ""
    return f"""
        with refused as (
            select distinct about as address
            from statement_in_force
            where channel = 'email' and says = 'out'
        ),
        records as (
            select
                "Id" as sf_id,
                lower({key}) as own_key,
                {email} as email,
                record_key('email', {email}) as address,
                coalesce({opt_out} = 'true', false) as out
            from {relation("org", mapping.object)}
            where "IsDeleted" = 'false'{converted} and {consent.condition}
                and {email} is not null
                and ({opt_out} is distinct from 'true' or "Id" in (
                    select matched.sf_id
                    from {relation("org_match", mapping.stem)} as matched
                    join {relation("sf", mapping.stem)} as desired
                        on desired.key = matched.entity_key
                    where desired.{opt_out} = 'false' and matched.sf_id is not null
                ))
        )
        select * from records semi join refused using (address)
    """


REFUSALS = """
    select
        about as address,
        arg_max(
            struct_pack(record, batch, source, source_id),
            (said_at is null, said_at, batch, record)
        ) as one
    from state.statement
    semi join (select address as about from concerned) using (about)
    semi join (
        select source, about from statement_in_force where channel = 'email' and says = 'out'
    ) using (source, about)
    where channel = 'email' and says = 'out'
    group by about
"""
"""Addresses of the table ``concerned``, each with the newest record that says no.

What is not confirmed yet is no statement about records that are there.
"""


OPTED = """
    select
        concerned.sf_id,
        concerned.own_key,
        concerned.email,
        concerned.out,
        concerned.email || ' said no to the newsletter, '
            || refusals.one.source || ':' || refusals.one.source_id
            || coalesce(' (' || records._file || ':' || records._row || ')', '') as why
    from concerned
    join refusals using (address)
    left join person_records as records
        on records.record = refusals.one.record and records.batch = refusals.one.batch
"""
"""The relation ``opted_<mapping>``: those of ``concerned`` whose address is refused today.

``why`` tells who said no, and where.

It reads ``concerned``, ``refusals`` and the ``person_records`` of their days.
"""


def strangers_sql(mapping: ObjectMapping, same_object: Iterable[str], *, listed: bool) -> str:
    """Of ``opted_<mapping>`` the records without a row: ``key``, ``sf_id``, ``adopt``, ``alias``.

    A row is known by the key of ours that its record carries, else by its Id.

    Args:
        mapping: whose rows they become.
        same_object: stems of all mappings of its object.
        listed: whether it is the one of them whose rows they become.
    """
    rows = " union all ".join(
        f"select matched.entity_key, matched.sf_id"
        f" from {relation('org_match', stem)} as matched"
        f" join {relation('sf', stem)} as desired on desired.key = matched.entity_key"
        for stem in same_object
    )
    keys = " union all ".join(f"select key from {relation('sf', stem)}" for stem in same_object)
    own = "(own_key is not null and own_key not in (select key from keys))"
    return f"""
        with rows as ({rows}), keys as ({keys})
        select
            case when {own} then own_key else sf_id end as key,
            sf_id,
            not {own} as adopt,
            case when not {own} then own_key end as alias,
            why
        from {relation("opted", mapping.stem)}
        where not out and sf_id not in (select sf_id from rows where sf_id is not null)
            and {str(listed).lower()}
    """


def matched_sql(mapping: ObjectMapping) -> str:
    """``MATCHED`` with the records of ``strangers_<mapping>``.

    Somebody whose record goes by another mapping now has a match here and no row; the row that the
    record gets takes the place of that match, or the key would stand twice.
    """
    return f"""
        select matched.*
        from {MATCHED} as matched
        anti join {relation("strangers", mapping.stem)} as strangers
            on strangers.key = matched.entity_key
        union all by name
        select
            key as entity_key,
            sf_id,
            {literal(RULE)} as rule,
            1::bigint as candidates,
            adopt,
            alias,
            []::varchar[] as others
        from {relation("strangers", mapping.stem)}
    """


def desired_sql(mapping: ObjectMapping, named: Iterable[str]) -> str:
    """``DESIRED`` with the opt-outs of ``opted_<mapping>``, in rows that are there and new ones.

    Args:
        mapping: of the rows.
        named: fields by which people call a record; the new rows have the org's values.
    """
    opt_out = quoted(consent_of(mapping.object).opt_out)
    org_values = "".join(f", records.{quoted(name)}" for name in named)
    return f"""
        select desired.* replace (
            case when opted.sf_id is not null then 'true' else desired.{opt_out} end as {opt_out}
        )
        from {DESIRED} as desired
        left join {MATCHED} as matched on matched.entity_key = desired.key
        left join {relation("opted", mapping.stem)} as opted on opted.sf_id = matched.sf_id
        union all by name
        select strangers.key, strangers.why as {EXCLUDED}, 'true' as {opt_out}{org_values}
        from {relation("strangers", mapping.stem)} as strangers
        join {relation("org", mapping.object)} as records on records."Id" = strangers.sf_id
    """


def yes_elsewhere_sql(mapping: ObjectMapping) -> str:
    """``key`` and ``sf_id`` of refused records whose person says yes at another address."""
    consent = consent_of(mapping.object)
    address, opt_out = quoted(consent.address), quoted(consent.opt_out)
    return f"""
        select desired.key, opted.sf_id
        from {DESIRED} as desired
        join {MATCHED} as matched on matched.entity_key = desired.key
        join {relation("opted", mapping.stem)} as opted on opted.sf_id = matched.sf_id
        where desired.{opt_out} = 'false'
            and norm_email(desired.{address}) is distinct from opted.email
    """


def unanswered_sql(mapping: ObjectMapping, matched: str) -> str:
    """``ASKED`` with an opt-out in each row of somebody who has not answered yet, or not clearly.

    Only where a record is going to be made: one that is there is left alone.

    Args:
        mapping: of the rows; its people know who has not answered.
        matched: the relation ``org_match_<mapping>``, by its name of the moment.
    """
    opt_out = quoted(consent_of(mapping.object).opt_out)
    return f"""
        select desired.* replace (
            case
                when unanswered.key is not null and records.entity_key is null then 'true'
                else desired.{opt_out}
            end as {opt_out}
        )
        from {ASKED} as desired
        left join ({unanswered_keys_sql(mapping)}) as unanswered on unanswered.key = desired.key
        left join (select distinct entity_key from {matched} where sf_id is not null) as records
            on records.entity_key = desired.key
    """


def unanswered_keys_sql(mapping: ObjectMapping) -> str:
    """``key`` of everybody of a mapping who was asked and has not answered clearly."""
    return f"select {mapping.key_column} as key from {mapping.from_} where consent_open"


def leaving_sql(mapping: ObjectMapping, plan: str) -> str:
    """``sf_id`` of those of ``yes_elsewhere`` that lose the refused address by this plan.

    They would be opted out by this plan for an address that it takes away, and in by the next one.

    Args:
        mapping: of the rows.
        plan: the query of the plan in which all of ``opted_<mapping>`` are opted out.
    """
    address = consent_of(mapping.object).address
    return f"""
        select yes_elsewhere.sf_id
        from yes_elsewhere
        join ({plan}) as planned using (key)
        where list_contains(planned.changed, {literal(address)})
    """


def may_opt_out(mapping: ObjectMapping, compared: Iterable[str]) -> bool:
    """Whether a mapping writes opt-outs of records that are there."""
    return consent_of(mapping.object).opt_out in compared
