"""The decisions of ``mappings/policies.yaml``: what happens to whom, and when to stop.

Every switch of the design has its place here. A value that Causeway does not carry out yet is
refused by name, so that nobody relies on a policy that is silently ignored.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from pipelines.config import Frozen, TimeZone, read_model
from pipelines.sync.mapping.named_objects import ACCOUNT

if TYPE_CHECKING:
    from pipelines.sync.mapping.model import ObjectMapping, When

FILE = "policies.yaml"


def only(*available: Any) -> AfterValidator:
    """Refuse the values of a switch that are designed but not carried out yet."""

    def check(value: Any) -> Any:
        if value not in available:
            choices = " or ".join(map(_yaml, available))
            raise ValueError(f"{_yaml(value)} is not available yet; use {choices}")
        return value

    return AfterValidator(check)


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else repr(value)


def _none(value: Any) -> Any:
    """YAML has no bare none: people write the word."""
    return None if value == "none" else value


def _share(value: Any) -> Any:
    """Read ``20%`` as 0.2; everything else is left to the type."""
    number = value.removesuffix("%").strip() if isinstance(value, str) else ""
    return float(number) / 100 if number.replace(".", "", 1).isdecimal() else value


Share = Annotated[float, BeforeValidator(_share), Field(gt=0, le=1)]


def _later(value: Any) -> None:
    if _none(value) is not None:
        raise ValueError("this is not available yet; remove the line")


Later = Annotated[None, BeforeValidator(_later)]


def _texts(value: Any) -> Any:
    """Numbers that people write for texts mean their digits."""
    if not isinstance(value, list):
        return value
    return [str(one) if type(one) is int else one for one in value]


class Batches(Frozen):
    """The range of partitions; today is included."""

    start: date = date(2020, 1, 1)
    timezone: TimeZone = "UTC"


class IntoAccount(Frozen):
    """One chosen account for all contacts of a source, new or existing."""

    into: str = Field(min_length=1)


class Contacts(Frozen):
    """People on contact lists; a source or a list may say otherwise for itself."""

    as_: Literal["lead", "contact"] = Field("contact", alias="as")
    account: Annotated[Literal["source_name"] | IntoAccount | None, BeforeValidator(_none)] = (
        "source_name"
    )
    auto_match: Annotated[Literal["exact_one", "first", "review"], only("first")] = "first"
    on_missing_name: Literal["default", "reject"] = "default"


Groups = Annotated[tuple[str, ...], Field(min_length=1)]


class Customers(Frozen):
    """People who have an account in a shop."""

    groups: Annotated[Literal["all"] | Groups, BeforeValidator(_texts)] = "all"
    default_owner: Later = None
    contact_owner: Annotated[Literal["account_owner", "default_owner"], only("default_owner")] = (
        "default_owner"
    )
    single_account: Annotated[str | None, BeforeValidator(_none)] = None
    account_name: Literal["keep", "overwrite"] = "keep"
    account_kind: Annotated[Literal["business", "person"], only("business")] = "business"

    def keep(self, object_name: str, field: str) -> bool:
        """Whether a field of a record that is there is left alone: the name of an account."""
        return self.account_name == "keep" and _names_account(object_name, field)

    def overwrite(self, object_name: str, field: str) -> bool:
        """Whether a field is written whatever the org holds: the name of an account."""
        return self.account_name == "overwrite" and _names_account(object_name, field)


def _names_account(object_name: str, field: str) -> bool:
    return (object_name, field) == (ACCOUNT, "Name")


class Guests(Frozen):
    """People who ordered without an account."""

    addresses: Literal["capture", "ignore"] = "capture"
    ignore_states: tuple[str, ...] = ("canceled",)


Duplicate = Annotated[Literal["leave", "merge", "review"], only("leave", "review")]


class Duplicates(Frozen):
    """Records of the org that are alike."""

    account: Duplicate = "leave"
    contact: Duplicate = "leave"
    lead: Duplicate = "leave"

    def of(self, object_name: str) -> Duplicate | None:
        """What becomes of those of one object; none of an object without a line: they are left."""
        policy: Duplicate | None = getattr(self, object_name.lower(), None)
        return policy


class Addresses(Frozen):
    """What becomes of countries and states, in an org that has picklists of them."""

    default_country: Annotated[
        Annotated[str, StringConstraints(pattern="^[A-Z]{2,3}$")] | None, BeforeValidator(_none)
    ] = "US"
    unknown_country: Literal["blank", "reject"] = "blank"
    unknown_state: Literal["blank", "append_to_city", "reject"] = "blank"


class Leads(Frozen):
    """When somebody is a Lead, and what becomes of one."""

    enabled: Annotated[bool, only(False)] = False
    convert_on: Annotated[Literal["first_order", "never"], only("never")] = "never"
    convert_states: Later = None
    existing: Annotated[Literal["convert", "leave", "hold"], only("hold")] = "hold"
    converted_status: Later = None
    delete_converted: Annotated[bool, only(False)] = False
    assignment_rule: Later = None
    owner: Later = None
    source: Later = None
    source_in_lookup: Annotated[bool, only(False)] = False


class Subscribers(Frozen):
    """People who read the newsletter and are nobody else."""

    as_: Annotated[Literal["lead"] | None, BeforeValidator(_none)] = Field("lead", alias="as")
    parse_email: Literal["every_subscriber", "customers_only", "never"] = "every_subscriber"


class Limit(Frozen):
    """How much is too much: more than ``above`` rows and more than ``share`` of the snapshot's."""

    share: Share = 0.2
    above: int = Field(500, ge=0)


Guard = Annotated[Limit | None, BeforeValidator(_none)]


class Guards(Frozen):
    """What stops a plan before anything is written. ``first_load: allow``: an empty org is none."""

    max_create: Guard = Limit()
    max_adopt: Guard = Limit()
    max_undelete: Guard = Limit()
    max_move: Guard = Limit()
    max_reassign: Guard = Limit()
    max_update: Guard = Limit(share=0.5)
    max_delete: Guard = Limit()
    max_convert: Later = None
    max_rename: Guard = Limit(share=0.05, above=50)
    max_split: Guard = Limit(share=0.05, above=50)
    max_stale: Guard = Limit()
    first_load: Literal["allow", "guard"] = "allow"


class Api(Frozen):
    """When to leave the org's API calls of the day to others: nothing new is begun above."""

    daily_share: Share = 0.8


class Plans(Frozen):
    """How long plans are kept that never wrote anything; those that did are kept for good."""

    keep_days: int = Field(30, ge=1)


class Home(Frozen):
    """Who else may read the home."""

    share: Literal["none", "group"] = "none"


class Policies(Frozen):
    """All of ``mappings/policies.yaml``; what is not written there has the value shown here."""

    batches: Batches = Batches()
    contacts: Contacts = Contacts()
    customers: Customers = Customers()
    guests: Guests = Guests()
    addresses: Addresses = Addresses()
    duplicates: Duplicates = Duplicates()
    duplicate_rules: Literal["reject", "allow", "review"] = "reject"
    leads: Leads = Leads()
    subscribers: Subscribers = Subscribers()
    deleted_in_org: Literal["leave", "recreate", "undelete"] = "leave"
    merged_in_org: Literal["hold", "follow"] = "hold"
    guards: Guards = Guards()
    api: Api = Api()
    plans: Plans = Plans()
    home: Home = Home()


def when(mapping: ObjectMapping, field: str, policies: Policies) -> When:
    """When a field is sent: as its mapping says, but the name of an account has a policy."""
    if policies.customers.keep(mapping.object, field):
        return "insert"
    return mapping.when(field)


def read_policies(folder: Path) -> Policies:
    """Read ``policies.yaml`` of the folder of mappings.

    Raises:
        ConfigError: every problem of the file, each with its line.
    """
    return read_model(folder / FILE, Policies)


def policy_row(policies: Policies) -> tuple[str, tuple[Any, ...]]:
    """The policies that SQL files read, as the columns and the one row of ``config_policies``."""
    contacts, customers = policies.contacts, policies.customers
    into = contacts.account.into if isinstance(contacts.account, IntoAccount) else None
    row = {
        "contacts_as varchar": contacts.as_,
        "account_mode varchar": "into" if into else contacts.account or "none",
        "account_name varchar": into,
        "customers_groups varchar[]": None if customers.groups == "all" else list(customers.groups),
        "customers_single_account varchar": customers.single_account,
        "guests_addresses varchar": policies.guests.addresses,
        "guests_ignore_states varchar[]": [
            state.lower() for state in policies.guests.ignore_states
        ],
        "subscribers_as varchar": policies.subscribers.as_,
        "subscribers_parse_email varchar": policies.subscribers.parse_email,
    }
    return ", ".join(row), tuple(row.values())
