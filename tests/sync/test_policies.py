"""Policies: defaults, and the refusal of what is not carried out yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.sync.mapping.policies import Policies, read_policies


def test_the_shipped_file_says_what_an_empty_one_means(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_text("")
    assert read_policies(tmp_path) == Policies() == read_policies(PROJECT / "mappings")


def test_shares_are_written_as_people_write_them(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_text(
        "guards: {max_create: {share: 7.5%, above: 10}, max_adopt: {share: 0.1}}"
    )
    guards = read_policies(tmp_path).guards
    assert guards.max_create is not None
    assert guards.max_adopt is not None
    assert (guards.max_create.share, guards.max_create.above) == (0.075, 10)
    assert guards.max_adopt.share == 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("leads: {existing: convert}", "'convert' is not available yet; use 'hold'"),
        ("contacts: {auto_match: exact_one}", "'exact_one' is not available yet; use 'first'"),
        ("contacts: {auto_match: review}", "'review' is not available yet; use 'first'"),
        ("leads: {enabled: true}", "true is not available yet; use false"),
        ("duplicates: {contact: merge}", "'merge' is not available yet; use 'leave' or 'review'"),
        ("deleted_in_org: purge", "Input should be 'leave', 'recreate' or 'undelete'"),
        ("duplicate_rules: ask", "Input should be 'reject', 'allow' or 'review'"),
        ("customers: {account_kind: person}", "'person' is not available yet; use 'business'"),
        ("customers: {default_owner: a@b.c}", "not available yet; remove the line"),
        ("guards: {max_convert: {share: 1%}}", "not available yet; remove the line"),
        ("api: {daily_share: 150%}", "less than or equal to 1"),
        ("leads: {existing: destroy}", "Input should be 'convert', 'leave' or 'hold'"),
        ("guests: {adresses: capture}", "unknown key 'adresses'; did you mean 'addresses'?"),
        ("batches: {timezone: Mars/Base}", "'Mars/Base' is no time zone"),
        ("guards: {max_create: {share: 120%}}", "less than or equal to 1"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "policies.yaml").write_text("# somebody's policies\n" + text)
    with pytest.raises(ConfigError) as error:
        read_policies(tmp_path)
    [problem] = error.value.problems
    assert problem.line == 2
    assert message in problem.message
