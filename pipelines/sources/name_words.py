"""What names are made of besides names, beyond what nameparser knows."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMPANY = re.compile(
    r"[\s,](?:g?gmbh|mbh|inc|llc|ltd|limited|corp|corporation|incorporated|company|plc|llp|pty"
    r"|s\.?r\.?l|s\.?p\.?a|s\.?a\.?r\.?l|s\.a\.s|s\.\s?a|s\.\s?l|b\.?v|n\.v|a/s|oyj|e\.\s?[vk]"
    r"|sp\.? z ?o\. ?o|s\.r\.o|d\.o\.o|k\.k|foundation|university|association|institute)\.?$"
    r"|(?:&|\band|\bund|\bet) (?:co|cie|sons|söhne|partners?|associates|brothers|company)\b"
    r"|\bco\.(?: kg(?:aa)?)?$|株式会社|有限会社|有限公司|주식회사",
    re.IGNORECASE,
)
"""A legal form, or what only firms call themselves."""

FIRM_WORDS = _words(
    "gmbh ggmbh mbh inc llc ltd limited corp corporation incorporated company plc llp pty srl spa"
    " sarl bv oyj foundation university association institute ag kg ug se sa ab as nv ohg kgaa gbr"
    " sas aps oy og och en"
)
"""Plain words of the patterns here: a name with one of them is looked at closely."""

FORMS = re.compile(r"\s(?:AG|KG|UG|SE|SA|AB|AS|NV|OHG|KGaA|GbR|SAS|SARL|ApS|Oy)$")
"""Legal forms that are names in other letters (Sa, As), and say nothing in a name of capitals."""

SEVERAL = re.compile(r"[&+/;]|\s(?:and|und(?! zu)|et|og|och|en|u\.)\s", re.IGNORECASE)
ADDRESS = re.compile(
    r"(?:<|&lt;)?\s*(?:mailto:)?[^\s<>()\[\],;&]+@[^\s<>()\[\],;&]+\s*(?:>|&gt;)?", re.IGNORECASE
)
REMARK = re.compile(r"\([^()]*\)?|\[[^\[\]]*\]?|（[^（）]*）?|\{[^{}]*\}?")
SIGNS = re.compile(
    "[\u2122\u00ae\u00a9\u200d\u2190-\u2bff\ufe00-\ufe0f\ufffc\ufffd\U0001f000-\U0001faff*~#=]+"
)
"""Emoji and other signs; letters, marks and what stands within names are none."""

DIVIDED = re.compile(r"\s[-–—]\s|[|:]")
KATAKANA = re.compile(r"[\u30a0-\u30ff\uff65-\uff9f]")
JAPANESE = re.compile(r"[\u3040-\u309f\u3400-\u9fff]")
VIETNAMESE = _words("nguyễn trần phạm huỳnh vũ võ đặng bùi đỗ hồ ngô dương trịnh đinh")
"""Family names of Viet Nam, where they stand first, written with all their marks."""

NO_TITLES = _words(
    "king queen prince princess judge duke count earl baron marquis dean bishop pope page major"
    " marshal sheriff chancellor hon mag sultan cardinal dom fray rey bey"
)
"""Titles that are somebody's first or last name more often where no dot stands behind them."""
