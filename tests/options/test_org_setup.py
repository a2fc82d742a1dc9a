"""Every key of the local org's ``org.yaml`` changes the org, or is refused with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipelines.local_org.catalog.load import TEMPLATE
from pipelines.local_org.catalog.setup import OrgSetup
from pipelines.local_org.catalog.setup_file import SetupError, read_setup
from pipelines.local_org.dml.convert import LeadConvert, convert_lead
from pipelines.local_org.dml.orgrules import WriteOptions
from pipelines.local_org.dml.records import Batch, JsonTypeError, write_records
from pipelines.local_org.files import Home
from pipelines.local_org.org import Org

MODEL = OrgSetup
TEXT = {"label": "Grade", "type": "Text", "length": 20}
NUMBER = {"label": "Grade", "type": "Number"}
LOOKUP = {"label": "Grade", "type": "Lookup", "refers_to": "Account"}
PICKLIST = {"label": "Grade", "type": "Picklist", "values": ["A", "B"]}
NAMED: dict[str, list[Any]] = {
    "organization.name": ["Other"],
    "organization.type": ["Developer Edition"],
    "organization.instance": ["EU1"],
    "organization.country": ["DE"],
    "organization.language": ["de"],
    "organization.time_zone": ["Europe/Berlin"],
    "user.last_name": ["Bee"],
    "user.first_name": ["Bea"],
    "user.email": ["bea@x.org"],
    "user.username": ["bea@x.org"],
    "limits": [{"DailyApiRequests": 5}, {"DataStorageMB": 0}],
    "restricted_picklists": [["Contact.Salutation"]],
    "fields.*.*.label": ["Mark"],
    "fields.*.*.length": [30],
    "fields.*.*.precision": [5],
    "fields.*.*.scale": [2],
    "fields.*.*.default": ["B"],
    "fields.*.*.values": [["A", "C"]],
    "fields.*.*.labels": [{"A": "Best"}],
    "fields.*.*.inactive": [["B"]],
    "fields.*.*.refers_to": ["Contact"],
    "fields.*.*.help_text": ["From A to F"],
    "users.*.last_name": ["Bee"],
    "users.*.first_name": ["Bea"],
    "users.*.email": ["bea@x.org"],
    "users.*.username": ["bea@x.org"],
    "queues.*.name": ["South"],
    "queues.*.developer_name": ["south"],
    "queues.*.objects": [["Case"]],
    "record_types.*.object": ["Lead"],
    "record_types.*.developer_name": ["Seller"],
    "record_types.*.name": ["Seller"],
    "record_types.*.picklists": [{"Salutation": ["Mr."]}],
    "currencies.*.iso": ["CHF"],
    "currencies.*.name": ["Money"],
    "currencies.*.rate": [2],
    "currencies.*.decimal_places": [0],
    "lead_statuses.*.label": ["Raw"],
    "opportunity_stages.*.label": ["First"],
    "opportunity_stages.*.probability": [15],
    "validation_rules.*.name": ["No site"],
    "validation_rules.*.object": ["Lead"],
    "validation_rules.*.when": ["Email is not null"],
    "validation_rules.*.message": ["No."],
    "validation_rules.*.field": ["Email"],
    "duplicate_rules.*.name": ["One fax"],
    "duplicate_rules.*.object": ["Lead"],
    "duplicate_rules.*.against": ["Lead"],
    "duplicate_rules.*.match": [[["Fax"]]],
    "duplicate_rules.*.message": ["Twice."],
    "assignment_rules.*.name": ["Some"],
    "assignment_rules.*.entries.*.when": ["Email is null"],
    "assignment_rules.*.entries.*.owner": ["other_queue"],
    "automations.*.name": ["Quiet"],
    "automations.*.object": ["Lead"],
    "automations.*.when": ["Email is null"],
    "automations.*.set": [{"Department": "'x'"}],
    "automations.*.throw": ["Not now."],
    "automations.*.after_seconds": [3600],
    "lead_mapping": [{"Contact": {"Grade__c": "Grade__c"}}],
}
"""Values of keys that are no switch."""

QUEUES = [
    {"name": "North", "developer_name": "north_queue"},
    {"name": "Other", "developer_name": "other_queue"},
]
BASE: dict[str, Any] = {
    "users": [{"last_name": "Ann", "email": "ann@x.org", "username": "ann@x.org"}],
    "queues": QUEUES,
    "record_types": [{"object": "Contact", "developer_name": "Buyer", "name": "Buyer"}],
    "validation_rules": [
        {"name": "No fax", "object": "Contact", "when": "Fax = '1'", "message": "No fax."}
    ],
    "duplicate_rules": [
        {
            "name": "One each",
            "object": "Contact",
            "action": "block",
            "match": [["Email"], ["FirstName", "LastName"]],
        }
    ],
    "assignment_rules": [
        {"name": "All", "entries": [{"when": "Email is not null", "owner": "north_queue"}]}
    ],
    "automations": [{"name": "Loud", "object": "Contact", "set": {"Title": "upper(Title)"}}],
    "fields": {"Contact": {"Grade__c": TEXT}, "Lead": {"Grade__c": TEXT}},
}
"""One of everything, beside what ships."""

OWN_RULES: dict[str, Any] = {
    "validation_rules": [
        {"name": "No site", "object": "Contact", "when": "false", "message": "No site."}
    ],
    "duplicate_rules": [
        {"name": "One fax", "object": "Contact", "match": [["Fax"]], "action": "off"}
    ],
    "assignment_rules": [
        {"name": "Some", "active": False, "entries": [{"when": "true", "owner": "other_queue"}]}
    ],
    "automations": [{"name": "Quiet", "object": "Contact", "set": {"Title": "Title"}}],
}
"""Rules of a user's own, which take the place of those that are called so."""

CURRENCIES = [{"iso": "USD", "corporate": True}, {"iso": "EUR", "rate": 0.9}]
PERSON = {"object": "Account", "developer_name": "Person", "name": "Person", "person": True}


def beside(key: tuple[str, ...]) -> dict[str, Any]:
    """What a key needs beside it; nothing is needed by no key."""
    if not key:
        return {}
    if key[0] == "currencies":
        return {"switches": {"multi_currency": True}, "currencies": CURRENCIES}
    if key[:2] == ("switches", "multi_currency"):
        return {"currencies": CURRENCIES}
    if key[:2] == ("switches", "person_accounts"):
        return {"record_types": [PERSON], "switches": {"person_accounts": True}}
    if key[0] == "fields":
        kinds: dict[str, Any] = {
            "precision": NUMBER,
            "scale": NUMBER,
            "refers_to": LOOKUP,
            "case_sensitive": {**TEXT, "unique": True},
        }
        kinds |= {name: PICKLIST for name in ("values", "labels", "inactive", "restricted")}
        kinds["default"] = PICKLIST
        return {"fields": {"Contact": {"Grade__c": kinds.get(key[-1], TEXT)}}}
    return {}


def changed(document: Any, key: tuple[str, ...], value: Any) -> Any:
    """A document with one value changed: of a list its first item, of a mapping the first key."""
    if not key:
        return value
    if isinstance(document, list):
        return [changed(document[0], key[1:], value), *document[1:]]
    part = next(iter(document)) if key[0] == "*" else key[0]
    return document | {part: changed(document.get(part), key[1:], value)}


class Orgs:
    """Makes orgs of documents, and looks at them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._numbers = folder, count()
        self._made: dict[str, list[Any]] = {}

    def observed(self, document: Any) -> Iterator[Any]:
        """What an org is and does, the quick things first."""
        home = self.folder / str(next(self._numbers))
        home.mkdir()
        (home / "org.yaml").write_text(yaml.safe_dump(document))
        (home / "rules.yaml").write_text(yaml.safe_dump(OWN_RULES))
        return observed(Home(home))

    def base(self, document: Any) -> list[Any]:
        """The same of an org that others are compared with: made once."""
        text = yaml.safe_dump(document)
        if text not in self._made:
            self._made[text] = list(self.observed(document))
        return self._made[text]


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Orgs:
    return Orgs(tmp_path_factory.mktemp("orgs"))


def document_of(law: Any, key: tuple[str, ...]) -> Any:
    """A set-up in which a key may be changed."""
    document = law.laid_over(yaml.safe_load(TEMPLATE.read_text()) | BASE, beside(key))
    if key[:1] == ("opportunity_stages",):
        stage = {"label": "Only", "probability": 10}
        won = {**stage, "label": "Won", "won": True, "closed": True}
        document["opportunity_stages"] = [stage, won]
    return document


def test_an_org_is_the_same_when_nothing_is_changed(law: Any, orgs: Orgs) -> None:
    document = document_of(law, ())
    assert list(orgs.observed(document)) == orgs.base(document)


def test_every_key_of_the_set_up(law: Any, orgs: Orgs, key: tuple[str, ...], value: Any) -> None:
    assert value is not ..., f"say in NAMED what a value of {key} may be"
    before = document_of(law, key)
    after = changed(before, key, value)
    try:
        same = OrgSetup.model_validate(after) == OrgSetup.model_validate(before)
    except ValidationError:
        with pytest.raises(SetupError, match=r"org\.yaml:\d"):
            next(orgs.observed(after))
        return
    if same:
        return
    try:
        pairs = zip(orgs.observed(after), orgs.base(before), strict=True)
        assert any(one != other for one, other in pairs), f"{key}: {value!r} changes nothing"
    except SetupError as error:
        assert re.search(r"org\.yaml:\d", str(error)), error


BOMB = b"k0: &k0 [1]\n" + b"".join(
    b"k%d: &k%d [*k%d, *k%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (BOMB, "its aliases make"),
        (b"a: &a [*a]\n", "its aliases make"),
        (b"[" * 30_000 + b"]" * 30_000, "too deep"),
        (b"switches: \xff", "not UTF-8"),
    ],
    ids=["aliases", "circle", "deep", "bytes"],
)
def test_a_set_up_that_is_an_attack_is_refused(
    tmp_path: Path, document: bytes, message: str
) -> None:
    file = tmp_path / "organization.yaml"
    file.write_bytes(document)
    with pytest.raises(SetupError, match=message):
        read_setup(file)


def observed(home: Home) -> Iterator[Any]:
    """What an org is, says of itself and does; Ids and moments left out."""
    org = Org(home)
    try:
        yield repr(org.custom_fields.complete())
        yield re.sub(r"00d\w+", "org", org.state["username"])
        yield org.usage.most("DailyApiRequests"), org.usage.most("DataStorageMB")
        yield org.writer.switches.lock_contention
        user, lead = org.state["user_id"], None
        with org.store.read() as connection:
            for name in (
                "Organization",
                "User",
                "Group",
                "QueueSobject",
                "LeadStatus",
                "RecordType",
                "CurrencyType",
                "OpportunityStage",
            ):
                yield _masked(connection, name)
        for name, record in RECORDS:
            batch = Batch(org.custom_fields.complete()[name], "insert", [record])
            try:
                allow = record["LastName"] == "Two" if name == "Contact" else False
                options = WriteOptions(auto_assign=True, allow_duplicates=allow)
                outcomes = write_records(org.writer, [batch], user, options=options)
            except JsonTypeError as error:
                yield str(error)
            else:
                yield [re.sub(ID, "Id", repr(outcome)) for outcome in outcomes]
                lead = outcomes[0].id if name == "Lead" else lead
        yield _owners(org)
        yield list(_updated(org, user))
        conversion = LeadConvert(
            lead or "", "Closed - Converted", owner_id=user, do_not_create_opportunity=True
        )
        converted = convert_lead(org.writer, conversion, user, org.setup.lead_mapping)
        yield re.sub(ID, "Id", repr(converted))
        with org.store.read() as connection:
            for name in ("Contact", "Lead", "Opportunity"):
                yield _masked(connection, name)
    finally:
        org.close()


ID = r"\b[0-9A-Za-z]{15}([0-9A-Za-z]{3})?\b"
RECORDS: list[tuple[str, dict[str, Any]]] = [
    ("Contact", {"LastName": "One", "Email": "One@x.org", "Title": "ceo", "Grade__c": "A"}),
    ("Contact", {"LastName": "Two", "Email": "one@x.org", "Fax": "2"}),
    ("Contact", {"LastName": "Three", "Fax": "1"}),
    ("Contact", {"LastName": "Four", "Grade__c": "A", "Salutation": "Sir", "Fax": "2"}),
    ("Contact", {"LastName": "Five", "Grade__c": "a", "MailingCountry": "Nowhere"}),
    ("Contact", {"LastName": "Nine", "FirstName": "Robert"}),
    ("Contact", {"LastName": "Nine", "FirstName": "Robbert"}),
    ("Lead", {"LastName": "Six", "Company": "Six", "Email": "one@x.org"}),
    (
        "Lead",
        {"LastName": "Seven", "Company": "Seven", "Email": "7@x.org", "Fax": "3", "Grade__c": "A"},
    ),
    ("Opportunity", {"Name": "Eight", "StageName": "Only", "CloseDate": "2027-01-01"}),
]


def _owners(org: Org) -> list[Any]:
    """The queues that own leads."""
    with org.store.read() as connection:
        return connection.execute(
            'select "LastName", "DeveloperName" from records."Lead" as lead'
            ' join records."Group" as queue on queue."Id" = lead."OwnerId" order by all'
        ).fetchall()


def _updated(org: Org, user: str) -> Iterator[Any]:
    """What becomes of the title of a contact that is changed."""
    with org.store.read() as connection:
        ids = connection.execute('select "Id" from records."Contact" order by "Id"').fetchall()
        yield connection.execute('select "Title" from records."Contact" order by all').fetchall()
    for [contact] in ids:
        batch = Batch(
            org.custom_fields.complete()["Contact"], "update", [{"Id": contact, "Title": "cfo"}]
        )
        write_records(org.writer, [batch], user)
    with org.store.read() as connection:
        yield connection.execute('select "Title" from records."Contact" order by all').fetchall()


def _masked(connection: Any, name: str) -> list[str]:
    tables = connection.execute("select table_name from duckdb_tables()").fetchall()
    if (name,) not in tables:
        return ["none"]
    rows = connection.execute(f'select * from records."{name}"').fetchall()
    moment = r"datetime\.datetime\([^)]*\)"
    masked = (re.sub(moment, "now", re.sub(ID, "Id", repr(row[1:]))) for row in rows)
    return sorted(re.sub(r"00d\w{12,}", "org", row) for row in masked)
