"""Why a record of the org looks as it does: per field its value, its source, its rule, its plan.

Only what lies in the home is read, and nothing is locked: relations, the mirror of the org, the
ledger and saved plans. The org is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.explain.find import find_in
from pipelines.explain.golden import Golden, read_golden
from pipelines.explain.history import Touch, touches
from pipelines.org import describes
from pipelines.sync.explain import SourceValue
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.values import mapping_columns
from pipelines.sync.mapping.wire import quoted
from pipelines.sync.prove import same_sql
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.mapping.fields import Field
    from pipelines.sync.mapping.model import FieldRule, ObjectMapping


@dataclass(frozen=True)
class Written:
    """What we wrote of a field last.

    Attributes:
        stored: what the org then held; as sent while it was not read back.
        before: what stood there; none of a record that we created.
        current: whether that is what the org still holds.
    """

    plan_id: str
    batch: str | None
    action: str | None
    sent: str | None
    stored: str | None
    before: str | None
    current: bool


@dataclass(frozen=True)
class FieldStory:
    """One field of a record.

    Attributes:
        value: what the org holds.
        wanted: what our sources and the mapping make of it.
        rule: the mapping's own words.
        place: file and line of the rule.
        columns: golden columns it is made from.
        gave: source records that the value comes from.
        others: source records that say something else.
        written: what we wrote of it; none when we never did.
        note: what else is to be said, in words.
    """

    field: str
    value: str | None
    wanted: str | None
    rule: str
    place: str
    columns: Sequence[str]
    gave: Sequence[SourceValue]
    others: Sequence[SourceValue]
    written: Written | None
    note: str | None


@dataclass(frozen=True)
class Explanation:
    """One record and its story.

    Attributes:
        key: our key; none of a record that is not ours.
        sf_id: none of a record that is not in the org, or not any more.
        records: the source records that it is made of.
        fields: in the order of the mapping.
        history: plans that touched it, newest first.
    """

    object: str
    key: str | None
    sf_id: str | None
    name: str
    records: Sequence[SourceValue]
    fields: Sequence[FieldStory] = field(default=())
    history: Sequence[Touch] = field(default=())

    def document(self) -> dict[str, Any]:
        """As plain data, for scripts."""
        return asdict(self)


def explain(project: Project, mappings: Sequence[ObjectMapping], text: str) -> Explanation:
    """The story of one record, found by Id, e-mail address, key or name.

    Args:
        project: whose home is read.
        mappings: one or more of the same object; the one that took the record tells its rules.
        text: what somebody wrote.

    Raises:
        ConfigError: there is no such record, or there are several.
    """
    organization_id = project.bound_org
    if organization_id is None:
        raise ConfigError(
            f"nothing is known of an org in {project.home}; run `causeway sync` first"
        )
    object_name = mappings[0].object
    schema = describes.last_described(project.org_home(organization_id) / "describe", object_name)
    own = fit({mapping.stem: mapping for mapping in mappings}, {object_name: schema})
    with Batch.none_of(project).connect() as connection:
        project.bind_org(connection, object_name, "records")
        named = find_in(connection, project, mappings, text)
        keys = [key for key in (named.key, named.sf_id) if key is not None]
        history = touches(connection, project.home, organization_id, object_name, keys)
        if named.key is None:
            found = (object_name, None, named.sf_id, named.name)
            return Explanation(*found, records=(), history=history)
        connection.execute("create temp table requested as select $1 as key", [named.key])
        mapping = _mapping_of_record(project, connection, list(own.values()))
        golden = read_golden(project, connection, mapping.from_, named.key)
        book = Ledger.of(project.org_home(organization_id), object_name)
        stories = _Stories(project, connection, mapping, schema, golden, history)
        fields = tuple(stories.field_stories(book.sql("requested")))
    return Explanation(
        object_name, named.key, named.sf_id, named.name, golden.source_values(), fields, history
    )


def _mapping_of_record(
    project: Project, connection: DuckDBPyConnection, mappings: Sequence[ObjectMapping]
) -> ObjectMapping:
    """The mapping that took the key in ``requested`` in the newest batch; else the first."""
    candidates: list[tuple[date, ObjectMapping]] = []
    for mapping in mappings[: len(mappings) if len(mappings) > 1 else 0]:
        name, warehouse = relation("sf", mapping.stem), project.warehouse
        for day in reversed(warehouse.days(name)):
            warehouse.bind(connection, name, [day], "chosen")
            if connection.execute(
                "select 1 from chosen semi join requested using (key)"
            ).fetchall():
                candidates.append((day, mapping))
                break
    return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else mappings[0]


class _Stories:
    """The fields of one record, told one by one."""

    def __init__(
        self,
        project: Project,
        connection: DuckDBPyConnection,
        mapping: ObjectMapping,
        schema: Mapping[str, Field],
        golden: Golden,
        history: Sequence[Touch],
    ) -> None:
        self.project, self.connection = project, connection
        self.mapping, self.schema = mapping, schema
        self.golden, self.history = golden, history

    def field_stories(self, ledger: str) -> Iterator[FieldStory]:
        """Every enabled field; ``ledger`` is what we wrote of the record."""
        entries = {row["field"]: row for row in self._rows(f"select * from ({ledger})")}
        org_records = self._rows(_org_record_sql(self.mapping.key))
        org_values = org_records[0] if org_records else {}
        desired_values = self._desired_values()
        same = self._same(org_values, entries, desired_values)
        columns = mapping_columns(self.mapping)
        for field_name, rule in self.mapping.enabled().items():
            gave, other_values = self.golden.origins(columns[field_name])
            written = self._written(field_name, entries.get(field_name), same)
            yield FieldStory(
                field=field_name,
                value=org_values.get(field_name),
                wanted=desired_values.get(field_name),
                rule=_rule(rule),
                place=f"{self.mapping.file.name}:{self.mapping.line('fields', field_name)}",
                columns=columns[field_name],
                gave=gave,
                others=other_values,
                written=written,
                note=self._note(field_name, org_values, desired_values, written, same),
            )

    def _desired_values(self) -> Mapping[str, Any]:
        """What the newest batch that knew the record wanted it to look like."""
        name, warehouse = relation("sf", self.mapping.stem), self.project.warehouse
        for day in reversed(warehouse.days(name)):
            warehouse.bind(self.connection, name, [day], "desired")
            if rows := self._rows("select desired.* from desired semi join requested using (key)"):
                return rows[0]
        return {}

    def _rows(self, query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.connection.sql(query).to_arrow_table().to_pylist()
        return rows

    def _same(
        self,
        org_values: Mapping[str, Any],
        entries: Mapping[str, Any],
        desired_values: Mapping[str, Any],
    ) -> Mapping[str, tuple[bool, bool, bool]]:
        """Field → whether the org holds what we knew, holds what we want, kept what we sent."""
        judged = {}
        for name in self.mapping.enabled():
            entry = entries.get(name, {})
            texts = (
                org_values.get(name),
                entry.get("stored"),
                desired_values.get(name),
                entry.get("sent"),
            )
            org_text, stored_text, desired_text, sent_text = map(_text_sql, texts)
            if name in self.schema:
                pairs = (
                    (org_text, stored_text),
                    (org_text, desired_text),
                    (stored_text, sent_text),
                )
                query = ", ".join(same_sql(self.schema[name], left, right) for left, right in pairs)
                [judged[name]] = self.connection.execute(f"select {query}").fetchall()
        return judged

    def _written(
        self, name: str, entry: Mapping[str, Any] | None, same: Mapping[str, Sequence[bool]]
    ) -> Written | None:
        """As the ledger knows it; what it has no entry for, as the plans do."""
        if entry is None:
            touch = next(
                (earlier for earlier in self.history if earlier.written and name in earlier.sent),
                None,
            )
            if touch is None or touch.kind == "undo":
                return None
            entry = {"sent": touch.sent[name], "stored": touch.sent[name]}
        else:
            plan_id = entry["plan_id"]
            touch = next((earlier for earlier in self.history if earlier.plan_id == plan_id), None)
        return Written(
            plan_id=touch.plan_id if touch else entry["plan_id"],
            batch=touch.batch if touch else None,
            action=touch.action if touch else None,
            sent=entry["sent"],
            stored=entry["stored"],
            before=touch.before.get(name) if touch else None,
            current=same[name][0] if name in same else True,
        )

    def _note(
        self,
        name: str,
        org_values: Mapping[str, Any],
        desired_values: Mapping[str, Any],
        written: Written | None,
        same: Mapping[str, Sequence[bool]],
    ) -> str | None:
        """The one thing that explains a value which is not simply ours."""
        is_as_stored, is_as_desired, is_as_sent = same.get(name, (True, True, True))
        decided = next(
            (touch.reasons[name] for touch in self.history if name in touch.reasons), None
        )
        if written is not None and not is_as_stored:
            return f"changed in Salesforce since; we had stored {_quoted(written.stored)}"
        if written is not None and not is_as_sent:
            return f"the org made this of the {_quoted(written.sent)} that we sent"
        if is_as_desired or not org_values:
            return None
        return decided or (
            None
            if desired_values.get(name) is None
            else f"ours would be {_quoted(desired_values[name])}"
        )


def _org_record_sql(key_field: str) -> str:
    return (
        "select records.* from records"
        f" join requested on lower({quoted(key_field)}) = lower(requested.key)"
        " where \"IsDeleted\" = 'false'"
    )


def _text_sql(value: str | None) -> str:
    return "null::varchar" if value is None else literal(value)


def _rule(rule: FieldRule) -> str:
    """The rule in the YAML's own words, on one line, where the value comes from first."""
    written = rule.model_dump(exclude_unset=True, by_alias=True, exclude={"enabled"})
    if "from" in written:
        column = str(written.pop("from"))
        return ", ".join((column, *_keys(written)))
    return ", ".join(_keys(written))


def _keys(written: Mapping[str, Any]) -> Iterator[str]:
    for key, value in written.items():
        if isinstance(value, Mapping):
            listed = ", ".join(f"{name}: {item}" for name, item in value.items())
            yield f"{key}: {{{listed}}}"
        else:
            text = " ".join(value) if isinstance(value, tuple | list) else value
            yield f"{key}: {text}"


def _quoted(value: str | None) -> str:
    return "blank" if value is None else f"'{value}'"
