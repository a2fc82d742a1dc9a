"""Make the home that upgrades are tested with, by the program of commit d30ce69.

    git worktree add --detach ../old d30ce69 && cd ../old && make setup
    .venv/bin/python …/tests/homes/d30ce69.py …/tests/homes/d30ce69.tar.xz

Two batches, each person in them invented, with the org they were written to. What a test has to
know of it stands in the rows below. The first day is synced, then the second, then the second
once more with a change, and that third plan is undone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HOME = Path("/tmp/causeway-home")
"""A path that says nothing of whose machine it is."""

SOURCES = """\
sources:
  fair: {entity: contacts, preset: generic, as: contact, priority: 20}
  partners: {entity: contacts, preset: generic, as: contact, account: {into: Partners}}
  prospects: {entity: contacts, preset: generic, as: lead, priority: 30}
  shop: {entity: customers, preset: generic, priority: 10}
  orders: {preset: magento_order, priority: 15}
  news: {preset: magento_subscriber_table, priority: 40}
"""

RULES = """\
validation_rules:
  - {name: Titles, object: Contact, when: "Title = 'Refused'", message: Not this title.}
automations:
  - {name: Loud departments, object: Contact, set: {Department: upper(Department)}}
"""

LIST = "ID,First Name,Last Name,Email,Title,Department,Company,Phone,Last Updated\n"
SHOP = "Customer ID,First Name,Last Name,Email,Updated At\n"
NEWS = "subscriber_id,customer_id,subscriber_email,subscriber_status,change_status_at\n"
ORDERS = (
    "entity_id,increment_id,state,status,customer_id,customer_is_guest,customer_email,"
    "customer_firstname,customer_lastname,grand_total,created_at,updated_at\n"
)

FIRST, SECOND = "2026-11-03", "2026-11-04"

CAROL = "F8,Carol,Novak,novaks@cases.example,,,,,2026-11-02 10:00:00\n"

DAYS = {
    FIRST: {
        # Anna and Bob have one mailbox and become one person; so do, over two days, Carol and Dan.
        "fair": LIST
        + "F1,Anna,Miller,family@cases.example,Teacher,,,,2026-11-02 10:00:00\n"
        + "F2,Bob,Miller,family@cases.example,,,,+1 212 555 0142,2026-11-01 10:00:00\n"
        + "F3,Ada,Okafor,ada@acme.example,Buyer,sales,Acme,+1 212 555 0101,2026-11-02 10:00:00\n"
        + "F4,Cy,Roux,cy@blue.example,Director,,Blue,,2026-11-02 10:00:00\n"
        + "F5,Ed,Holt,ed@acme.example,Refused,,Acme,,2026-11-02 10:00:00\n"
        + "F6,,Nobody,not an address,,,Acme,,2026-11-02 10:00:00\n"
        + CAROL,
        "partners": LIST + "P1,Pia,Lang,pia@partner.example,,,Lang & Lang,,2026-11-02 10:00:00\n",
        "prospects": LIST
        + "L1,Hugo,Brandt,hugo@delta.example,,,Delta,,2026-11-02 10:00:00\n"
        + "L2,Ida,Falk,ida@echo.example,,,Echo,,2026-11-02 10:00:00\n",
        "shop": SHOP
        + "11,Ada,Okafor,ada@acme.example,2026-11-02 09:00:00\n"
        + "12,Noor,Haddad,noor@cases.example,2026-11-02 09:00:00\n",
        "news": NEWS
        + "21,0,reader@cases.example,1,2026-11-02 08:00:00\n"
        + "22,11,ada@acme.example,1,2026-11-02 08:00:00\n",
    },
    SECOND: {
        # Hugo's Lead is open, so that he waits to become a Contact.
        "fair": LIST
        + "F3,Ada,Okafor,ada@acme.example,Head Buyer,sales,Acme,,2026-11-03 10:00:00\n"
        + "F9,Dan,Novak,novaks@cases.example,,,,,2026-11-03 10:00:00\n"
        + "F10,Di,Marsh,di@blue.example,Editor,,Blue,,2026-11-03 10:00:00\n",
        "prospects": LIST
        + "L2,Ida,Falk,ida@echo.example,Owner,,Echo,,2026-11-03 10:00:00\n",
        "shop": SHOP + "13,Hugo,Brandt,hugo@delta.example,2026-11-03 09:00:00\n",
        "orders": ORDERS
        + "31,100031,complete,complete,,1,jo@cases.example,Jo,Guest,10.00,"
        + "2026-11-03 09:00:00,2026-11-03 09:00:00\n",
        "news": NEWS + "21,0,reader@cases.example,3,2026-11-03 08:00:00\n",
    },
}  # fmt: skip

UNDONE = (
    LIST
    + "F3,Ada,Okafor,ada@acme.example,Director,sales,Acme,,2026-11-03 12:00:00\n"
    + "F9,Dan,Novak,novaks@cases.example,,,,,2026-11-03 10:00:00\n"
    + "F10,Di,Marsh,di@blue.example,Editor,,Blue,,2026-11-03 10:00:00\n"
    + "F11,Una,Tran,una@blue.example,,,Blue,,2026-11-03 12:00:00\n"
)
"""The second day's list once more: what was written because of it was undone."""

LEFT_OUT = (
    "dagster", "locks", "spill", "causeway.duckdb", "my_rules.yaml", "local_org/tls",
    "local_org/jobs", "local_org/cursors",
)  # fmt: skip
"""What comes again by itself, or is none of a home's, as all mappings but for the sources."""

SECRETS = ("client_id", "client_secret", "password", "security_token")
KEPT = ("organization_id", "user_id", "username")


def make(archive: Path) -> None:
    """Make the home, and pack it."""
    shutil.rmtree(HOME, ignore_errors=True)
    shutil.copytree("mappings", HOME / "mappings")
    (HOME / "mappings" / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    (HOME / "my_rules.yaml").write_text(RULES, encoding="utf-8")
    for day, files in DAYS.items():
        for source, content in files.items():
            _put(source, day, content)
    _causeway("org", "start", "--rules", HOME / "my_rules.yaml")
    for day in DAYS:
        _causeway("sync", "--batch", day)
    _put("fair", SECOND, UNDONE)
    run = json.loads(_causeway("sync", "--batch", SECOND, "--json"))
    _causeway("undo", run["run_id"], "--yes")
    _causeway("org", "stop")
    _clean()
    with tarfile.open(archive, "w:xz") as packed:
        packed.add(HOME, ".")
    shutil.rmtree(HOME)


def _put(source: str, day: str, content: str) -> None:
    path = HOME / "inbox" / source / day / f"{source}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _causeway(*arguments: str | Path) -> str:
    """Run the command; rows that wait or were refused are meant to."""
    environ = {**os.environ, "CAUSEWAY_HOME": str(HOME), "CAUSEWAY_MAPPINGS": f"{HOME}/mappings"}
    command = [Path(sys.executable).with_name("causeway"), *arguments]
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{arguments} ended with {done.returncode}")
    return done.stdout


def _clean() -> None:
    """Leave only what a home is, without keys and secrets."""
    shutil.rmtree(HOME / "mappings")
    (HOME / "mappings").mkdir()
    (HOME / "mappings" / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    for name in LEFT_OUT:
        path = HOME / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    org = HOME / "local_org"
    for path in (*org.glob("*.pem"), *org.glob("*.key"), *org.glob("*.log"), *org.glob("*.lock")):
        path.unlink()
    state = json.loads((org / "org.json").read_text(encoding="utf-8"))
    kept = {name: state[name] for name in KEPT} | {name: f"no-{name}" for name in SECRETS}
    kept["access_token"] = f"{state['organization_id'][:15]}!AQ{'x' * 96}"
    (org / "org.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
