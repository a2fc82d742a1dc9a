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

NO_PERSON = _words(
    "the at of aka a.k.a. attn attention c/o household haushalt family families famille familia"
    " famiglia familie familien eheleute ehepaar fam. verein e.v. team department dept dept. desk"
    " office support sales marketing accounts accounting payable receivable billing purchasing"
    " procurement reception reservations helpdesk webmaster postmaster info admin administrator"
    " administration secretary manager director supervisor coordinator engineer consultant"
    " developer analyst specialist assistant vp owner founder co-founder executive holding"
    " holdings group gruppe grupo groupe consulting consultants solutions software systems services"
    " technologies technology logistics industries enterprises ventures capital partners properties"
    " realty insurance media studio studios hotel hotels restaurant trattoria ristorante café"
    " bakery bäckerei metzgerei autohaus apotheke praxis kanzlei stadtwerke hospital clinic klinik"
    " school schule college academy kirche gemeinde club shop store pizza bank trust society"
    " council ministry committee agency agentur customer client user test unknown mobile cell home"
    " work deceased estate lnu fnu vip z.hd. z. zhd voicemail newsletter"
)
"""Words of firms, offices, posts and remarks: what stands beside one may be no person's name."""

NO_NAME = re.compile(r"^(?:n/a|n\.a\.|\[not provided\])$", re.IGNORECASE)
CUT_OFF = re.compile(r"\{\{[^{}]*\}\}|%\w+%|\*\|[^|]*\|\*|\$\{[^{}]*\}|<%[^%]*%>")
"""Where a letter to many puts a name, left as it stood there."""

QUOTED = re.compile(r"""^(["'`“„«‘‚<(\[])([^"'`“”„«»‘’‚<>()\[\]@]*)["'`”“»’‘>)\]]$""")
"""A cell that stands in quotes or brackets as a whole."""

PRONOUNS = re.compile(
    r"\b(?:he|him|she|her|they|them)(?:/(?:he|him|his|she|hers?|they|them|theirs?))+\b", re.I
)
BORN = re.compile(r",\s*(?=(?:née|nee|geb|geborene)\b)", re.IGNORECASE)
INITIALS = re.compile(r"(?:[^\W\d_]\.)+|[^\W\d_]")
FULL_STOP = re.compile(r"(?<=[^\W\d_A-Z]{4})\.$")
LIGATED = re.compile(
    r"\b(Prof|Dr|med|Dipl|Mag|Ing|Mr|Mrs|Ms|Herr|Frau|Sr|Sra)\.(?=[^\W\d_]{2,})", re.IGNORECASE
)
"""A title whose dot stands for the blank behind it."""

NOBLE = _words(
    "graf gräfin freifrau prinz prinzessin fürst fürstin herzog herzogin ritter edler edle"
)
"""What stands between first and last name and belongs to the last one."""

ROMANCE = _words("de del da do dos das della")
"""Particles that begin a last name (da Silva Santos) or end a first name (Maria da Luz)."""

EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SALUTATIONS = _words("mr mrs ms dr prof herr frau")
"""The titles that most names with a title begin with."""

WORDS = re.compile(r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+")
"""Words of Latin letters and nothing else."""

LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
PATRONYMIC = re.compile(
    r"\w(?:[оеёи]вич|ич|[оеё]вна|ична|івна|ївна|[eo]vich|[eo]vna|[eo]vych|ivna)$", re.IGNORECASE
)
"""The name after the father, which stands behind the first name, in Cyrillic or Latin letters."""

TITLES = _words(
    "doña dona dña maître pani univ.-prof dipl.-kfm dipl.-kffr dipl.-wirt.-ing dipl.-inf dipl.-phys"
    " dipl.-chem dipl.-biol dipl.-math dipl.-psych dipl.-jur dipl.-vw dipl.-oec stb priv.-doz"
    " dipl dott avv geom arch rag د"
)
"""Titles that nameparser does not know."""

PARTICLES = _words("ten tot onder zum zur el")
"""Particles that it does not know."""

SHORT = _words("v. d. vd vd. v.d. v.d van't van’t")
"""Particles as people shorten them, in small letters."""

SEVERAL = re.compile(
    r"[&+/;]|\s(?:and|und(?! zu)|et|og|och|en|u\.)\s|^\w+ (?-i:[yei]) \w+ ", re.IGNORECASE
)
ADDRESS = re.compile(
    r"(?:<|&lt;)?\s*(?:mailto:)?[^\s<>()\[\],;&]+@[^\s<>()\[\],;&]+\s*(?:>|&gt;)?", re.IGNORECASE
)
REMARK = re.compile(r"\([^()]*\)?|\[[^\[\]]*\]?|（[^（）]*）?|\{[^{}]*\}?")
SIGNS = re.compile(
    "[\u2020-\u2022\u2122\u00ae\u00a9\u200d\u2190-\u2bff\ufe00-\ufe0f\ufffc\U0001f000-\U0001faff*~#=]+"
)
"""Emoji and other signs; letters, marks and what stands within names are none."""

DIVIDED = re.compile(r'\s[-–—]|[-–—]\s|[|:?_@<>()\[\]{}\ufffd\\%$§!]|\d|^[^"]*"[^"]*$')
"""What stands between a name and something else, or in place of a letter that was lost."""
KATAKANA = re.compile(r"[\u30a0-\u30ff\uff65-\uff9f]")
JAPANESE = re.compile(r"[\u3040-\u309f\u3400-\u9fff]")
VIETNAMESE = _words("nguyễn trần lê phạm huỳnh vũ võ đặng bùi đỗ hồ ngô dương trịnh đinh")
"""Family names of Viet Nam, where they stand first, written with all their marks."""

FAMILY_FIRST = _words("nguyen tran pham huynh dang bui ngo duong trinh dinh")
"""Those without their marks: whether they stand first nobody knows."""

NO_TITLES = _words(
    "first st king queen prince princess judge duke count earl baron marquis dean bishop pope page"
    " major marshal sheriff chancellor hon mag sultan cardinal dom fray rey bey"
)
"""Titles that are somebody's first or last name more often where no dot stands behind them."""
