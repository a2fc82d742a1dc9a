"""The page that says what was proven, and one sentence of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from operator import attrgetter

from prove.batch import UNDONE, Size, leads_of_the_org
from prove.fuzz import Fuzzed
from prove.worker import Ended

PAGE = """\
# How it stands kills, faults and damaged files

Made by `make prove`, which writes this page ({day}, DuckDB {duckdb}).

{sentence}

Each case starts with an empty org and a planned batch of {rows:,} records: {accounts:,} Accounts
and {contacts:,} Contacts, which go through sObject Collections, and {leads:,} Leads, which go
through Bulk API 2.0. It is killed (kill -9) or broken, run again until it comes to its end, and
what the org then holds is compared with an uninterrupted run, field by field. *Lost* are records
that are missing, *doubled* such as nobody asked for, *sent twice* such as the org's own stamps say
were written a second time.

## Kills

A process is killed right before it sends a request, writes a file, gives one its name or removes
one; Python's audit events tell when, so nothing in Causeway knows of it. Every other case goes on
with the same plan, as Dagster's re-execution from failure does; the others run the batch anew.

{kills}

## Faults of the org

{faults}

## Several faults at once

{mixed}

## Undo

A second batch changes {leads_undone:,} Leads, adopts {adopted:,} and creates more of them, and does
the same to some Contacts and Accounts; its undo puts back, lets go and deletes them. It is killed
or broken, and given again; what the org then holds is compared with an uninterrupted undo. In every
other kill another user edits a record meanwhile, and the edit must stand. *Sent twice* are records
that were put back or deleted more than once.

{undos}

{broken}

A killed undo is given again, or its batch is run again first: then each record is undone and stays
so, or it is as it was written and nothing says otherwise.

## Changes of a home

A small home goes over to another org and back, forgets what was undone, lets refused rows go again
and clears away plans that nobody needs. Each of these is killed, the home is looked at by another
command (`causeway status`), and must be as before or as after in every row, plan and file of its
orgs; then the command is given again. A home that is neither counts as a run that came to no end.

{changes}

## Damaged files

Rows in = valid + rejected, or the whole file is refused with its name; never a traceback.

{files}

One file of a small home is damaged, and commands are given one after the other: each goes on, or it
names the file with what to do about it; where that is not to restore a copy, it is done, and the
next sync goes on. *Named* are files that some command could not do without.

{damaged}
"""


def sentence(ended: Sequence[Ended], fuzzed: Sequence[Fuzzed]) -> str:
    """What was done, and what came of it."""
    damaged = [one for one in ended if one.group.startswith("home damaged")]
    ended = [one for one in ended if one not in damaged]
    kills = sum("killed: " in one.group for one in ended)
    lost = sum(one.lost for one in ended)
    doubled = sum(one.doubled for one in ended)
    again = sum(one.again for one in ended)
    stuck = sum(bool(one.stuck) for one in ended)
    wrong = sum(bool(one.wrong) for one in fuzzed) + sum(bool(one.stuck) for one in damaged)
    return (
        f"{kills} kills, {len(ended) - kills} runs with faults, {len(fuzzed) + len(damaged)}"
        f" damaged files: {lost} records lost, {doubled} doubled, {again} sent twice, {stuck} runs"
        f" that came to no end, {wrong} files treated wrongly."
    )


def page(size: Size, ended: Sequence[Ended], fuzzed: Sequence[Fuzzed]) -> str:
    """The whole page."""
    kills = [one for one in ended if one.group.startswith("killed")]
    return PAGE.format(
        day=datetime.now(UTC).date(),
        duckdb=version("duckdb"),
        sentence=f"**{sentence(ended, fuzzed)}**",
        rows=size.rows,
        accounts=size.accounts,
        contacts=size.contacts,
        leads=size.leads,
        kills=_kills(kills),
        faults=_each([one for one in ended if one.group == "fault alone"]),
        mixed=_each([one for one in ended if one.group == "faults mixed"]),
        leads_undone=UNDONE.leads,
        adopted=len(leads_of_the_org(UNDONE)),
        undos=_kills([one for one in ended if one.group.startswith("undo killed")]),
        broken=_each([one for one in ended if one.group == "undo broken"]),
        changes=_kills([one for one in ended if one.group.startswith("home killed")]),
        files=_files(fuzzed),
        damaged=_damaged([one for one in ended if one.group.startswith("home damaged")]),
    )


def _kills(ended: Sequence[Ended]) -> str:
    lines = [
        "| where | times | lost | doubled | sent twice | most runs to the end |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    group = attrgetter("group")
    for name, some in groupby(sorted(ended, key=group), group):
        lines.append(f"| {name.partition('killed: ')[2]} | {_numbers(list(some))} |")
    lines.append(f"| **all** | {_numbers(ended)} |")
    return "\n".join(lines)


def _each(ended: Sequence[Ended]) -> str:
    lines = [
        "| fault | lost | doubled | sent twice | runs to the end |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for one in ended:
        runs = one.stuck or one.runs
        lines.append(f"| {one.case} | {one.lost} | {one.doubled} | {one.again} | {runs} |")
    return "\n".join(lines)


def _damaged(ended: Sequence[Ended]) -> str:
    lines = [
        "| damage to a home | files | named | treated wrongly |",
        "| --- | ---: | ---: | ---: |",
    ]
    group = attrgetter("group")
    for name, some in groupby(sorted(ended, key=group), group):
        files = list(some)
        named, wrong = (sum(map(bool, map(attrgetter(what), files))) for what in ("runs", "stuck"))
        lines.append(f"| {name.partition(': ')[2]} | {len(files)} | {named} | {wrong} |")
    return "\n".join(lines)


def _numbers(some: Sequence[Ended]) -> str:
    sums = (sum(getattr(one, what) for one in some) for what in ("lost", "doubled", "again"))
    most = max((one.runs for one in some), default=0)
    return " | ".join(map(str, (len(some), *sums, most)))


def _files(fuzzed: Sequence[Fuzzed]) -> str:
    lines = [
        "| damage | files | rows landed | valid | rejected | files refused | treated wrongly |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    damage = attrgetter("damage")
    for name, group in groupby(sorted(fuzzed, key=damage), damage):
        some = list(group)
        sums = (sum(getattr(one, what) for one in some) for what in ("landed", "valid", "rejected"))
        refused, wrong = (
            sum(bool(one.refused) for one in some),
            sum(bool(one.wrong) for one in some),
        )
        numbers = " | ".join(f"{number:,}" for number in (len(some), *sums, refused, wrong))
        lines.append(f"| {name} | {numbers} |")
    return "\n".join(lines)
