"""One running org: its set-up, catalog, records, sessions and jobs."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.local_org.bulk.ingest import run_ingest
from pipelines.local_org.bulk.jobs import Jobs
from pipelines.local_org.bulk.query import run_query
from pipelines.local_org.catalog.changes import Changes
from pipelines.local_org.catalog.load import TEMPLATE, load_catalog
from pipelines.local_org.catalog.rules import RulesSetup, check_rules, with_rules
from pipelines.local_org.catalog.setup import OrgSetup
from pipelines.local_org.catalog.setup_file import read_model, read_setup
from pipelines.local_org.certificates import ensure_jwt_key
from pipelines.local_org.customfields import CustomFields
from pipelines.local_org.dml.automations import Later
from pipelines.local_org.dml.orgrules import OrgRules
from pipelines.local_org.dml.storage import Storage
from pipelines.local_org.dml.write import Writer
from pipelines.local_org.faults import Faults
from pipelines.local_org.files import Home
from pipelines.local_org.identity import ensure_identity, pod_of
from pipelines.local_org.seed import seed
from pipelines.local_org.sessions import Sessions
from pipelines.local_org.store.store import Store
from pipelines.local_org.usage import Usage


class Org:
    """Everything that a request needs to know of the org."""

    def __init__(
        self,
        home: Home,
        *,
        faults: bool = False,
        rules: Path | None = None,
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        if not home.setup.exists():
            home.folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(TEMPLATE, home.setup)
        self.home = home
        self.hosts = hosts
        """Names besides this machine's own by which it may be asked."""
        self.setup, own = _set_up(home, rules)
        self.jwt_public_key = ensure_jwt_key(home.jwt_key)
        self.state: dict[str, Any] = ensure_identity(home, self.setup)
        declared = load_catalog(self.setup)
        self.store = Store(home.records, pod_of(self.state))
        self.custom_fields = CustomFields(self.store, declared)
        for file, described in own.items():
            check_rules(file, described, self.custom_fields.complete())
        if rules is not None and rules != home.rules:
            shutil.copyfile(rules, home.rules)
        seed(self.store, declared, self.setup, self.state)
        self.changes = Changes()
        self.faults = Faults(home.faults) if faults else None
        self.usage = Usage(self.store, self.setup.limits)
        self.writer = Writer(
            self.store,
            declared,
            self.setup.switches,
            OrgRules(self.setup, self.custom_fields.complete()),
            self.faults,
            storage=Storage(self.usage.most("DataStorageMB")),
        )
        self.sessions = Sessions(self.store, self.state)
        self.later = Later(self.store, self.writer.rules)
        self.jobs = Jobs(
            home,
            self.store,
            self.writer_for,
            self.usage,
            {"V2Ingest": run_ingest, "V2Query": run_query},
        )

    @property
    def organization_id(self) -> str:
        """The org's 18-character id."""
        organization_id: str = self.state["organization_id"]
        return organization_id

    def writer_for(self, user: str) -> Writer:
        """Writes records as far as this user may."""
        return replace(self.writer, catalog=self.custom_fields.visible_to(user))

    def close(self) -> None:
        """Finish the running step, save the counts and let go of the files."""
        self.jobs.close()
        self.later.close()
        self.usage.save()
        self.store.close()


def _set_up(home: Home, rules: Path | None) -> tuple[OrgSetup, dict[Path, OrgSetup | RulesSetup]]:
    """The org's set-up with its user's rules, and what each file said of rules."""
    setup = read_setup(home.setup)
    rules_by_file: dict[Path, OrgSetup | RulesSetup] = {home.setup: setup}
    file = rules or home.rules
    if file.exists():
        own = read_model(file, RulesSetup)
        rules_by_file[file] = own
        setup = with_rules(setup, own)
    return setup, rules_by_file
