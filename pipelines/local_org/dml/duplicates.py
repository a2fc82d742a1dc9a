"""Duplicate rules: which records that are there a new one would repeat (api-facts 6).

A rule matches by groups of fields; all fields of a group must match. Letter for letter, whatever
the case, or as the standard matching rules compare: names that sound or look alike, also swapped,
companies without their legal forms, phones by their digits. Blank never matches; only beside an
e-mail address a blank is passed over. A row is compared with the records of the org and with the
good rows of earlier chunks. Where Salesforce names metaphone, keyboard distance and name variants,
Jaro-Winkler and a rough sound key stand in for them.
"""

from pipelines.local_org.catalog.model import Catalog, literal
from pipelines.local_org.catalog.setup import DuplicateRuleSetup

CHUNK = 200
FIRST_NAME_ALIKE, LAST_NAME_ALIKE, COMPANY_ALIKE = 0.85, 0.9, 0.9
_LEGAL = r"\b(inc|incorporated|corp|corporation|co|company|ltd|limited|llc|llp|lp|plc|gmbh|ag|sa)\b"


def find_sql(catalog: Catalog, rule: DuplicateRuleSetup) -> str:
    """SQL that adds to `duplicate(_row, rule, id)` what the rows of `candidate` repeat."""
    against = catalog[rule.against or rule.object]
    alive = 'not "IsDeleted"'
    if against.get("IsConverted") is not None:
        alive += ' and not "IsConverted"'
    names = list(dict.fromkeys(name for group in rule.match for name in group))
    columns = ", ".join(f'"{name}"' for name in names)
    existing = (
        f'select "Id" as id, null::bigint as chunk, {columns} from {against.table} where {alive}'
    )
    if rule.against in (None, rule.object):
        earlier = ", ".join(f'c."{name}"' for name in names)
        existing += (
            f" union all select c._id, c._row // {CHUNK}, {earlier} from candidate c "
            "join work w on w._row = c._row where w._error is null"
        )
    pairs = []
    for group in rule.match:
        orders: list[dict[str, str]] = [{}]
        if rule.fuzzy and {"FirstName", "LastName"} <= set(group):
            orders.append({"FirstName": "LastName", "LastName": "FirstName"})
        for swapped in orders:
            same = " and ".join(
                _same_sql(name, swapped.get(name, name), rule.fuzzy, "Email" in group)
                for name in group
            )
            pairs.append(f"select c._row, d.id from candidate c join existing d on {same}")
            pairs[-1] += (
                f" where d.id is distinct from c._id and (d.chunk is null or "
                f"d.chunk < c._row // {CHUNK})"
            )
    return (
        f"insert into duplicate with existing as ({existing}) "
        f"select distinct _row, {literal(rule.name)}, id from ({' union all '.join(pairs)})"
    )


def _same_sql(name: str, other: str, fuzzy: bool, beside_email: bool) -> str:
    """SQL: does field `name` of a candidate `c` match field `other` of an existing record `d`?"""
    left, right = f'c."{name}"', f'd."{other}"'
    if not fuzzy:
        return f"lower({left}) = lower({right})"
    test = _alike_sql(name, left, right)
    if beside_email and name != "Email":
        return f"({left} is null or {right} is null or {test})"
    return test


def _alike_sql(name: str, left: str, right: str) -> str:
    """SQL: are two values of a field alike?

    What can be said as an equality is: the join runs on it.
    """
    if name == "FirstName":
        a, b = _tidy_sql(left), _tidy_sql(right)
        initial = f"(length({a}) = 1 or length({b}) = 1)"
        return (
            f"left({a}, 1) = left({b}, 1) and "
            f"({initial} or jaro_winkler_similarity({a}, {b}) >= {FIRST_NAME_ALIKE})"
        )
    if name == "LastName":
        a, b = _tidy_sql(left), _tidy_sql(right)
        return (
            f"({_sound_sql(a)} = {_sound_sql(b)} "
            f"or jaro_winkler_similarity({a}, {b}) >= {LAST_NAME_ALIKE})"
        )
    if name in {"Name", "Company"}:
        a, b = _company_sql(left), _company_sql(right)
        return (
            f"left({a}, 3) = left({b}, 3) and jaro_winkler_similarity({a}, {b}) >= {COMPANY_ALIKE}"
        )
    tidy = {"Phone": _phone_sql, "Website": _site_sql}.get(name, _plain_sql)
    return f"{tidy(left)} = {tidy(right)}"


def _tidy_sql(value: str) -> str:
    """Letters only, in lower case, without accents; null for none."""
    return f"nullif(regexp_replace(lower(strip_accents({value})), '[^a-z]', '', 'g'), '')"


def _sound_sql(tidy: str) -> str:
    """A rough key of how a name sounds: its consonants, with those that sound alike as one."""
    sounds = f"replace(replace(replace({tidy}, 'ph', 'f'), 'ck', 'k'), 'sch', 's')"
    alike = f"translate({sounds}, 'czqvdy', 'ksktti')"
    return f"left({alike}, 1) || regexp_replace(substr({alike}, 2), '[aeiouhw]', '', 'g')"


def _company_sql(value: str) -> str:
    """A company's name without case, signs and legal forms."""
    words = f"replace(lower(strip_accents({value})), '&', ' and ')"
    words = f"regexp_replace({words}, '[^a-z0-9 ]', '', 'g')"
    return f"nullif(trim(regexp_replace({words}, '{_LEGAL}', '', 'g')), '')"


def _phone_sql(value: str) -> str:
    digits = f"regexp_replace({value}, '[^0-9]', '', 'g')"
    return f"nullif(regexp_replace({digits}, '^1(.{{10}})$', '\\1'), '')"


def _site_sql(value: str) -> str:
    return f"nullif(regexp_replace(lower({value}), '^(https?://)?(www\\.)?|/.*$', '', 'g'), '')"


def _plain_sql(value: str) -> str:
    return f"nullif(regexp_replace(lower(trim({value})), '\\s+', ' ', 'g'), '')"
