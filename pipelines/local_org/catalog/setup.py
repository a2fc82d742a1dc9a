"""The org's set-up file, `org.yaml`: what an admin decides. Unknown keys are errors."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

FieldType = Literal[
    "Text",
    "TextArea",
    "LongTextArea",
    "Email",
    "Phone",
    "Url",
    "Checkbox",
    "Number",
    "Currency",
    "Percent",
    "Date",
    "DateTime",
    "Picklist",
    "MultiselectPicklist",
    "Lookup",
]


class Frozen(BaseModel):
    """A part of a set-up file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OrganizationSetup(Frozen):
    """What the Organization record says."""

    name: str
    type: str = "Enterprise Edition"
    sandbox: bool = True
    instance: str = Field(default="LOCAL", max_length=5)
    country: str = "US"
    language: str = "en_US"
    time_zone: str = "America/Los_Angeles"


class UserSetup(Frozen):
    """A user; without a user name one is made up from the org's id."""

    last_name: str
    first_name: str | None = None
    email: str
    username: str | None = None
    active: bool = True


class QueueSetup(Frozen):
    """A queue and the objects whose records it may own."""

    name: str
    developer_name: str
    objects: tuple[str, ...] = ("Lead",)


class RecordTypeSetup(Frozen):
    """A record type; `picklists` gives fields fewer values than the object has for them."""

    object: str
    developer_name: str
    name: str
    person: bool = False
    active: bool = True
    default: bool = False
    picklists: dict[str, tuple[str, ...]] = {}


class CurrencySetup(Frozen):
    """A currency of an org that has several; rates are to the corporate one."""

    iso: str = Field(pattern="^[A-Z]{3}$")
    name: str | None = None
    rate: float = Field(default=1, gt=0)
    decimal_places: int = Field(default=2, ge=0)
    corporate: bool = False
    active: bool = True


class LeadStatusSetup(Frozen):
    """One lead status, in order."""

    label: str
    default: bool = False
    converted: bool = False


class OpportunityStageSetup(Frozen):
    """One stage of opportunities, in order; what is won is closed."""

    label: str
    probability: int = Field(ge=0, le=100)
    forecast: Literal["Omitted", "Pipeline", "Best Case", "Commit", "Closed"] = "Pipeline"
    closed: bool = False
    won: bool = False


STAGES = tuple(
    OpportunityStageSetup(
        label=label,
        probability=probability,
        forecast=forecast,
        closed=label.startswith("Closed"),
        won=label == "Closed Won",
    )
    for label, probability, forecast in (
        ("Prospecting", 10, "Pipeline"),
        ("Qualification", 10, "Pipeline"),
        ("Needs Analysis", 20, "Pipeline"),
        ("Value Proposition", 50, "Pipeline"),
        ("Id. Decision Makers", 60, "Pipeline"),
        ("Perception Analysis", 70, "Pipeline"),
        ("Proposal/Price Quote", 75, "Pipeline"),
        ("Negotiation/Review", 90, "Pipeline"),
        ("Closed Won", 100, "Closed"),
        ("Closed Lost", 0, "Omitted"),
    )
)
"""The stages of a new org."""


class SwitchSetup(Frozen):
    """What the org as a whole does or does not."""

    lower_case_email: bool = True
    state_and_country_picklists: bool = True
    person_accounts: bool = False
    multi_currency: bool = False
    middle_names: bool = False
    name_suffixes: bool = False
    lock_contention: bool = False


class FieldSetup(Frozen):
    """A custom field, in the words of the Metadata API.

    `labels` gives picklist values a label that differs from them; `inactive` names values that
    records may keep but no longer take.
    """

    label: str
    type: FieldType
    length: int | None = None
    precision: int = 18
    scale: int = 0
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    required: bool = False
    restricted: bool = False
    default: str | None = None
    values: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    inactive: tuple[str, ...] = ()
    refers_to: str | None = None
    help_text: str | None = None


class ValidationRuleSetup(Frozen):
    """Refuses records for which the SQL expression `when` is true."""

    name: str
    object: str
    when: str
    message: str
    field: str | None = None


class DuplicateRuleSetup(Frozen):
    """Finds records that share all fields of one group of `match`; blank never matches."""

    name: str
    object: str
    against: str | None = None
    match: tuple[tuple[str, ...], ...]
    action: Literal["block", "alert", "off"] = "alert"
    fuzzy: bool = False
    """Compare as the standard matching rules do; else letter for letter, whatever the case."""
    message: str = "Use one of these records?"

    @field_validator("action", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """YAML reads a bare `off` as false."""
        return "off" if value is False else value


class AssignmentEntrySetup(Frozen):
    """Gives records for which `when` is true to a user (user name) or queue (developer name)."""

    when: str
    owner: str


class AssignmentRuleSetup(Frozen):
    """Chooses owners of records that are made or changed; the first entry that fits decides."""

    name: str
    object: Literal["Lead", "Case"] = "Lead"
    active: bool = True
    entries: tuple[AssignmentEntrySetup, ...]


class AutomationSetup(Frozen):
    """Sets fields of saved records, or throws and so fails its whole chunk of 200."""

    name: str
    object: str
    at: Literal["create", "update", "save"] = "save"
    when: str = "true"
    set: dict[str, str] = {}
    throw: str | None = None
    after_seconds: float = Field(default=0, ge=0)


class OrgSetup(Frozen):
    """The whole file."""

    organization: OrganizationSetup
    user: UserSetup
    switches: SwitchSetup = SwitchSetup()
    limits: dict[str, int] = {}
    fields: dict[str, dict[str, FieldSetup]] = {}
    users: tuple[UserSetup, ...] = ()
    queues: tuple[QueueSetup, ...] = ()
    record_types: tuple[RecordTypeSetup, ...] = ()
    restricted_picklists: tuple[str, ...] = ()
    """Standard picklists that take their own values only: `Contact.Salutation`."""
    currencies: tuple[CurrencySetup, ...] = ()
    lead_statuses: tuple[LeadStatusSetup, ...] = ()
    opportunity_stages: tuple[OpportunityStageSetup, ...] = STAGES
    validation_rules: tuple[ValidationRuleSetup, ...] = ()
    duplicate_rules: tuple[DuplicateRuleSetup, ...] = ()
    assignment_rules: tuple[AssignmentRuleSetup, ...] = ()
    automations: tuple[AutomationSetup, ...] = ()
    lead_mapping: dict[str, dict[str, str]] = {}

    @model_validator(mode="after")
    def _one_of_each(self) -> "OrgSetup":
        """A person account needs its record type, several currencies a corporate one."""
        persons = [kind for kind in self.record_types if kind.person]
        if self.switches.person_accounts != bool(persons):
            raise ValueError(
                "person_accounts goes with a record type of Account that says person: true"
            )
        if self.switches.multi_currency and sum(c.corporate for c in self.currencies) != 1:
            raise ValueError("multi_currency needs currencies, of which one is the corporate one")
        for name in {kind.object for kind in self.record_types}:
            if sum(k.default for k in self.record_types if k.object == name) > 1:
                raise ValueError(f"{name} has more than one default record type")
        return self
