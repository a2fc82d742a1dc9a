"""Lead conversion: a lead becomes an account, a contact and an opportunity (api-facts 4.1)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import duckdb
import yaml

from pipelines.local_org import ids, unconfirmed
from pipelines.local_org.catalog.features import NAME_PARTS, contact_name
from pipelines.local_org.catalog.load import FOLDER as CATALOG
from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.dml.orgrules import WriteOptions
from pipelines.local_org.dml.outcome import RowError
from pipelines.local_org.dml.records import Batch, write_records
from pipelines.local_org.dml.recordtypes import has_persons
from pipelines.local_org.dml.write import Writer
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import Update, update
from pipelines.local_org.store.store import rows

MOST = 100
FIRST_STAGE = "Prospecting"
MAPPING: dict[str, dict[str, str]] = yaml.safe_load((CATALOG / "conversion.yaml").read_text())


class Refused(Exception):
    """A conversion that cannot be; raised inside its transaction to undo it."""

    def __init__(self, *errors: RowError) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True)
class LeadConvert:
    """One conversion as the client asks for it."""

    lead_id: str
    converted_status: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    opportunity_name: str | None = None
    owner_id: str | None = None
    do_not_create_opportunity: bool = False
    overwrite_lead_source: bool = False
    allow_duplicates: frozenset[str] = frozenset()
    """Objects whose duplicate rules that only alert are passed over."""


@dataclass(frozen=True)
class Converted:
    """What became of one conversion."""

    lead_id: str | None
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    errors: tuple[RowError, ...] = ()


def convert_lead(
    writer: Writer, request: LeadConvert, user: str, mapping: dict[str, dict[str, str]]
) -> Converted:
    """Convert one lead in a transaction of its own.

    Args:
        writer: writes the new records by the rules of their objects.
        request: what to convert into what.
        user: id of the user who converts.
        mapping: more target fields per object, for custom fields.
    """
    try:
        with writer.store.write() as connection:
            return _Conversion(writer, connection, request, user, mapping).run()
    except Refused as refused:
        return Converted(None, errors=refused.errors)


class _Conversion:
    def __init__(
        self,
        writer: Writer,
        connection: duckdb.DuckDBPyConnection,
        request: LeadConvert,
        user: str,
        mapping: dict[str, dict[str, str]],
    ) -> None:
        self.writer, self.connection, self.request, self.user = writer, connection, request, user
        self.mapping = {name: fields | mapping.get(name, {}) for name, fields in MAPPING.items()}
        self.catalog = writer.catalog

    def run(self) -> Converted:
        request = self.request
        lead = self._lead()
        self._check_status()
        owner = self._owner(lead)
        contact = self._existing("Contact", request.contact_id)
        account = self._existing("Account", request.account_id)
        if contact is not None and (account is None or contact["AccountId"] != account["Id"]):
            raise _refused(unconfirmed.NOT_OF_ACCOUNT, "contactId", name="contact")
        account_id, contact_id = self._people(lead, account, contact, owner)
        opportunity = self._existing("Opportunity", request.opportunity_id)
        if opportunity is not None and opportunity["AccountId"] != account_id:
            raise _refused(unconfirmed.NOT_OF_ACCOUNT, "opportunityId", name="opportunity")
        opportunity_id = opportunity["Id"] if opportunity is not None else None
        if opportunity is None and not request.do_not_create_opportunity:
            opportunity_id = self._opportunity(lead, account_id, owner)
        self._close(lead, account_id, contact_id, opportunity_id)
        self._move_children(lead["Id"], account_id, contact_id)
        return Converted(lead["Id"], account_id, contact_id, opportunity_id)

    def _lead(self) -> dict[str, Any]:
        lead = self._record(self.catalog["Lead"], self.request.lead_id, "leadId")
        if lead["IsConverted"]:
            raise Refused(
                RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
            )
        return lead

    def _check_status(self) -> None:
        status = self.request.converted_status
        statuses = self.connection.execute(
            'select 1 from records."LeadStatus" where lower("MasterLabel") = lower(?) '
            'and "IsConverted"',
            [status],
        ).fetchall()
        if not statuses:
            message = f"invalid convertedStatus: {status}"
            raise Refused(RowError("INVALID_STATUS", message, ("Status",)))

    def _owner(self, lead: dict[str, Any]) -> str:
        owner = self.request.owner_id or lead["OwnerId"]
        if not ids.is_id(owner) or owner[:3] != self.catalog["User"].prefix:
            raise _refused(unconfirmed.NO_USER, "ownerId")
        return ids.to18(owner)

    def _existing(self, name: str, record_id: str | None) -> dict[str, Any] | None:
        argument = f"{name.lower()}Id"
        return self._record(self.catalog[name], record_id, argument) if record_id else None

    def _record(self, sobject: SObject, record_id: str, argument: str) -> dict[str, Any]:
        if not ids.is_id(record_id) or record_id[:3] != sobject.prefix:
            message = f"id value of incorrect type: {record_id}"
            raise Refused(RowError("MALFORMED_ID", message, (argument,)))
        records = rows(
            self.connection,
            f'select * from {sobject.table} where "Id" = ?',
            ids.to18(record_id),
        )
        if not records:
            raise Refused(RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
        if records[0]["IsDeleted"]:
            raise Refused(RowError("ENTITY_IS_DELETED", "entity is deleted"))
        return records[0]

    def _people(
        self,
        lead: dict[str, Any],
        account: dict[str, Any] | None,
        contact: dict[str, Any] | None,
        owner: str,
    ) -> tuple[str, str]:
        """The ids of the account and of the contact, who may be one person."""
        person = account is not None and account.get("IsPersonAccount")
        is_person = account is None and lead["Company"] is None
        if is_person and has_persons(self.catalog["Account"]):
            return self._contact_behind(self._person(lead, owner))
        account_id = self._make_or_fill("Account", lead, account, {"OwnerId": owner})
        if person:
            return self._contact_behind(account_id)
        links = {"OwnerId": owner, "AccountId": account_id}
        return account_id, self._make_or_fill("Contact", lead, contact, links)

    def _person(self, lead: dict[str, Any], owner: str) -> str:
        """A lead without a company becomes a person account."""
        account = self._values("Account", lead) | {"OwnerId": owner}
        contact = self._values("Contact", lead)
        for field in self.catalog["Account"].fields:
            if (name := contact_name(field)) in contact:
                account[field.name] = contact[name]
        record_types = self.connection.execute(
            'select min("Id") from records."RecordType" where "IsPersonType" and "IsActive"'
        ).fetchall()
        return self._write("Account", "insert", account | {"RecordTypeId": record_types[0][0]})

    def _contact_behind(self, account_id: str) -> tuple[str, str]:
        """A person account and the contact behind it."""
        contacts = self.connection.execute(
            'select "PersonContactId" from records."Account" where "Id" = ?', [account_id]
        ).fetchall()
        return account_id, contacts[0][0]

    def _values(self, name: str, lead: dict[str, Any]) -> dict[str, Any]:
        """What the mapping takes from a lead for an object."""
        return {
            field: _json(lead[source])
            for field, source in self.mapping[name].items()
            if lead.get(source) is not None
        }

    def _make_or_fill(
        self,
        name: str,
        lead: dict[str, Any],
        existing: dict[str, Any] | None,
        links: dict[str, Any],
    ) -> str:
        """Make a record of the lead's values, or fill what is empty in one that exists."""
        values = self._values(name, lead)
        if existing is None:
            return self._write(name, "insert", values | links)
        filled = {
            field: value
            for field, value in values.items()
            if existing.get(field) is None and not _elsewhere(field, values, existing)
        }
        if name == "Contact" and self.request.overwrite_lead_source and "LeadSource" in values:
            filled["LeadSource"] = values["LeadSource"]
        if filled:
            self._write(name, "update", {"Id": existing["Id"]} | filled)
        record_id: str = existing["Id"]
        return record_id

    def _opportunity(self, lead: dict[str, Any], account_id: str, owner: str) -> str:
        person = " ".join(filter(None, (lead.get(part) for part in NAME_PARTS)))
        values = {"Name": person} | self._values("Opportunity", lead)
        if self.request.opportunity_name:
            values["Name"] = self.request.opportunity_name
        values |= {
            "AccountId": account_id,
            "OwnerId": owner,
            "StageName": FIRST_STAGE,
            "CloseDate": _end_of_quarter(now().date()).isoformat(),
        }
        return self._write("Opportunity", "insert", values)

    def _write(self, name: str, operation: str, record: dict[str, Any]) -> str:
        batch = Batch(self.catalog[name], operation, [record])
        options = WriteOptions(allow_duplicates=name in self.request.allow_duplicates)
        outcome = write_records(self.writer, [batch], self.user, options=options)[0]
        if not outcome.success or outcome.id is None:
            raise Refused(*outcome.errors)
        return outcome.id

    def _close(
        self, lead: dict[str, Any], account_id: str, contact_id: str, opportunity_id: str | None
    ) -> None:
        moment = now()
        values = {
            "IsConverted": True,
            "IsUnreadByOwner": False,
            "Status": self.request.converted_status,
            "ConvertedDate": moment.date(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
        }
        change = Update(
            self.catalog["Lead"],
            {name: f"${name}" for name in values},
            't."Id" = $lead',
            stamps={
                "LastModifiedDate": "$now",
                "SystemModstamp": "$now",
                "LastModifiedById": "$user",
            },
        )
        parameters = {**values, "lead": lead["Id"], "now": moment, "user": self.user}
        update(self.writer.store, change, "convert", self.user, parameters)

    def _move_children(self, lead_id: str, account_id: str, contact_id: str) -> None:
        values = {"lead": lead_id, "account": account_id, "contact": contact_id}
        moved = {
            "Task": ({"WhoId": "$contact", "AccountId": "$account"}, 't."WhoId" = $lead'),
            "Event": ({"WhoId": "$contact", "AccountId": "$account"}, 't."WhoId" = $lead'),
            "CampaignMember": ({"ContactId": "$contact"}, 't."LeadId" = $lead'),
        }
        for name, (changes, where) in moved.items():
            change = Update(self.catalog[name], changes, where)
            update(self.writer.store, change, "convert", self.user, values)


def _refused(message: unconfirmed.Message, argument: str, **values: object) -> Refused:
    return Refused(RowError(message.code, message(**values), (argument,)))


def _elsewhere(field: str, values: dict[str, Any], existing: dict[str, Any]) -> bool:
    """Whether a state would be put into another country than the lead's."""
    if not field.endswith("State"):
        return False
    country = field.removesuffix("State") + "Country"
    return existing.get(country) not in {None, values.get(country)}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _end_of_quarter(day: dt.date) -> dt.date:
    month = (day.month - 1) // 3 * 3 + 4
    return dt.date(day.year + month // 13, (month - 1) % 12 + 1, 1) - dt.timedelta(days=1)
