"""What is read in the cells of a name: shapes of many countries, and laws that all of them keep."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.full_names import parts, read_name

NAMES = [
    # cell, prefix, first name, last name, suffix
    ("Greta van der Meer", None, "Greta", "van der Meer", None),
    ("Harlow, Iris", None, "Iris", "Harlow", None),
    ("van den Berg, Els", None, "Els", "van den Berg", None),
    ("Dr. Nils Ahl-Bergman", "Dr.", "Nils", "Ahl-Bergman", None),
    ("Herr Prof. Dr. Uwe Lang", "Herr Prof. Dr.", "Uwe", "Lang", None),
    ("Frau Sabine Köhler", "Frau", "Sabine", "Köhler", None),
    ("Mme Claire Dubois", "Mme", "Claire", "Dubois", None),
    ("Sra. Luz Vega", "Sra.", "Luz", "Vega", None),
    ("Sr. Juan Pérez", "Sr.", "Juan", "Pérez", None),
    ("Mr. Bo van Eyck", "Mr.", "Bo", "van Eyck", None),
    ("Lewis R. Carter Jr.", None, "Lewis R.", "Carter", "Jr."),
    ("Carter Jr., Lewis", None, "Lewis", "Carter", "Jr."),
    ("Henry Ford III", None, "Henry", "Ford", "III"),
    ("Kit Marlow, PhD", None, "Kit", "Marlow", "PhD"),
    ("Jane Roe, MD, PhD", None, "Jane", "Roe", "MD, PhD"),
    ("Jane Roe MBA", None, "Jane", "Roe", "MBA"),
    ("Marie-Luce de La Fontaine", None, "Marie-Luce", "de La Fontaine", None),
    ("Juan de la Cruz", None, "Juan", "de la Cruz", None),
    ("Omar bin Hassan", None, "Omar", "bin Hassan", None),
    ("Ali al-Farsi", None, "Ali", "al-Farsi", None),
    ("Sean O'Brien", None, "Sean", "O'Brien", None),
    ("Ewan McGregor", None, "Ewan", "McGregor", None),
    ("Gerard 't Hooft", None, "Gerard", "'t Hooft", None),
    ("Anna von und zu Stein", None, "Anna", "von und zu Stein", None),
    ("JOHN SMITH", None, "JOHN", "SMITH", None),
    ("DUPONT Jean", None, "Jean", "DUPONT", None),
    ("Jean DUPONT", None, "Jean", "DUPONT", None),
    ("JP Morgan", None, "JP", "Morgan", None),
    ("J.R. Ewing", None, "J.R.", "Ewing", None),
    ("Dean Martin", None, "Dean", "Martin", None),
    ("King Vidor", None, "King", "Vidor", None),
    ("Jack Ma", None, "Jack", "Ma", None),
    ("Cherina", None, None, "Cherina", None),
    ("Dr Smith", "Dr", None, "Smith", None),
    ("김민준", None, "민준", "김", None),
    ("山田 太郎", None, "太郎", "山田", None),
    ("毛泽东", None, None, "毛泽东", None),
    ("マイケル・ジャクソン", None, None, "マイケル・ジャクソン", None),
    ("Nguyễn Văn An", None, "Văn An", "Nguyễn", None),
    ("Иван Петров", None, "Иван", "Петров", None),
    ("Орлов Пётр Ильич", None, "Пётр Ильич", "Орлов", None),
    ("Пётр Ильич Орлов", None, "Пётр Ильич", "Орлов", None),
    ("Orlova Nina Pavlovna", None, "Nina Pavlovna", "Orlova", None),
    ("Lê Minh Hà", None, "Minh Hà", "Lê", None),
    ("Erik ten Brink", None, "Erik", "ten Brink", None),
    ("Jan v.d. Berg", None, "Jan", "v.d. Berg", None),
    ("Jan v. d. Berg", None, "Jan", "v. d. Berg", None),
    ("Hans v. Rohr", None, "Hans", "v. Rohr", None),
    ("Els de Wit-van Dam", None, "Els", "de Wit-van Dam", None),
    ("Hans von Rohr zu Stein", None, "Hans", "von Rohr zu Stein", None),
    ("Emil Graf von Rohr", None, "Emil", "Graf von Rohr", None),
    ("Graf von Rohr", "Graf", None, "von Rohr", None),
    ("von der Heide, Ute", None, "Ute", "von der Heide", None),
    ("Omar bin Karim Al Said", None, "Omar", "bin Karim Al Said", None),
    ("de Vries", None, None, "de Vries", None),
    ("la Porte", None, None, "la Porte", None),
    ("Dr.Ina Falk", "Dr.", "Ina", "Falk", None),
    ("Dr. med. dent. Ina Falk", "Dr. med. dent.", "Ina", "Falk", None),
    ("Dipl.-Kfm. Tom Beck", "Dipl.-Kfm.", "Tom", "Beck", None),
    ("Dipl. Ing. Tom Beck", "Dipl. Ing.", "Tom", "Beck", None),
    ("Dott. Ugo Riva", "Dott.", "Ugo", "Riva", None),
    ("JRR Falk", None, "JRR", "Falk", None),
    ("TIM O'SHEA", None, "TIM", "O'SHEA", None),
    ("RONALD McFALK", None, "RONALD", "McFALK", None),
    ("Ali El Masri", None, "Ali", "El Masri", None),
    ("[Ina Falk]", None, "Ina", "Falk", None),
    ("<Ina Falk>", None, "Ina", "Falk", None),
    ('"Falk, Ina"', None, "Ina", "Falk", None),
    ("Ina O&#39;Shea", None, "Ina", "O'Shea", None),
    ("Ina Falkner.", None, "Ina", "Falkner", None),
]

DOUBTS = [
    # cell, first name, last name, left out, word of the reason
    ("Sarah Conners (Sales)", "Sarah", "Conners", "(Sales)", "remark"),
    ("Gale, Omar (Contractor)", "Omar", "Gale", "(Contractor)", "remark"),
    ("Ann Lane 🌸", "Ann", "Lane", "🌸", "signs"),
    ("noreply@shop.example", None, None, "noreply@shop.example", "e-mail"),
    ("Jo Doe <jo@x.example>", "Jo", "Doe", "<jo@x.example>", "e-mail"),
    ('Robert "Bob" Jones', "Robert", "Jones", "Bob", "nickname"),
    ("Jane Smith née Roe", "Jane", "Smith", "Roe", "birth name"),
    ("Keller GmbH", None, "Keller GmbH", None, "company"),
    ("Acme, Inc.", None, "Acme, Inc.", None, "company"),
    ("Smith & Sons", None, "Smith & Sons", None, "company"),
    ("Nordbank AG", None, "Nordbank AG", None, "company"),
    ("Tern Marine Ltd.", None, "Tern Marine Ltd.", None, "company"),
    ("John & Mary Smith", "John & Mary", "Smith", None, "several people"),
    ("John Smith & Mary Jones", None, "John Smith & Mary Jones", None, "several people"),
    ("Jane Doe - Acme", None, "Jane Doe - Acme", None, "not split"),
    ("Doe, Jane, Sales Dept", None, "Doe, Jane, Sales Dept", None, "not split"),
    ("Room 101", None, "Room 101", None, "not split"),
    ("John Falk, Sales Manager", None, "John Falk, Sales Manager", None, "no person"),
    ("John Falk, Berlin", None, "John Falk, Berlin", None, "more than a name"),
    ("John Falk at Acme", None, "John Falk at Acme", None, "no person"),
    ("John Falk do not call", None, "John Falk do not call", None, "more than a name"),
    ("Sales Team", None, "Sales Team", None, "no person"),
    ("Familie Falk", None, "Familie Falk", None, "no person"),
    ("The Falk Family", None, "The Falk Family", None, "no person"),
    ("Blue Sky Media", None, "Blue Sky Media", None, "no person"),
    ("c/o Ina Falk", None, "c/o Ina Falk", None, "no person"),
    ("Ina Falk -Roth", None, "Ina Falk -Roth", None, "not split"),
    ("F\ufffdlk Ina", None, "F\ufffdlk Ina", None, "not split"),
    ("Ina Fa?k", None, "Ina Fa?k", None, "not split"),
    ("John S.", None, "John S.", None, "initial"),
    ("Falk A. B.", None, "Falk A. B.", None, "initial"),
    ("LEE Ann", None, "LEE Ann", None, "capitals"),
    ("Ana Rosa LEE", None, "Ana Rosa LEE", None, "capitals"),
    ("Ina Falk FRCX", None, "Ina Falk FRCX", None, "capitals"),
    ("Jo MA", None, "Jo MA", None, "capitals"),
    ("Falk A.B.", None, "Falk A.B.", None, "initial"),
    ("Орлов П. И.", None, "Орлов П. И.", None, "initial"),
    ("von Rohr Anna", None, "von Rohr Anna", None, "begin with its last name"),
    ("Ina Falk CEO", None, "Ina Falk CEO", None, "more than a name"),
    ("Falk Ina Mrs", None, "Falk Ina Mrs", None, "more than a name"),
    ("Rohr van, V.", None, "Rohr van, V.", None, "not split"),
    ("Ina Falk @inafalk", None, "Ina Falk @inafalk", None, "not split"),
    ("Ina (Falk) Roth)", None, "Ina Roth)", "(Falk)", "not split"),
    ("CEO", None, "CEO", None, "no person"),
    ("Doe John, Doe Jane", None, "Doe John, Doe Jane", None, "more than a name"),
    ("Lim Min-ji", "Lim", "Min-ji", None, "begin with its last name"),
    ("Ina Falk, she/her", "Ina", "Falk", "she/her", "remark"),
    ("Ina Falk, née Roth", "Ina", "Falk", "Roth", "birth name"),
    ("Van Dahl", None, "Van Dahl", None, "part of a last name"),
    ("VAN DER BERG JAN", None, "VAN DER BERG JAN", None, "part of a last name"),
    ("Maria da Luz Reis", None, "Maria da Luz Reis", None, "behind a particle"),
    ("Nguyen Van Anh", None, "Nguyen Van Anh", None, "begin with its last name"),
    ("李明 Ming Li", None, "李明 Ming Li", None, "written twice"),
    ("Anna. Falk", None, "Anna. Falk", None, "more than a name"),
    ("Ana y Luis Vega", "Ana y Luis", "Vega", None, "several people"),
    ("Ana e Ugo Riva", "Ana e Ugo", "Riva", None, "several people"),
    ("Ana &amp; Luis Vega", "Ana & Luis", "Vega", None, "several people"),
    ("{{first_name}} Falk", None, "Falk", "{{first_name}}", "letter to many"),
    ("N/A", None, None, "N/A", "stands for no name"),
    ("Ina Falk \u2020", "Ina", "Falk", "\u2020", "signs"),
]


@pytest.mark.parametrize(("cell", *"pfls"), NAMES)
def test_a_full_name(cell: str, p: str | None, f: str | None, l: str, s: str | None) -> None:  # noqa: E741
    assert parts(None, None, cell) == (p, f, l, s, None, None)


@pytest.mark.parametrize(("cell", "first", "last", "left_out", "reason"), DOUBTS)
def test_what_is_no_plain_name_is_told(
    cell: str, first: str | None, last: str | None, left_out: str | None, reason: str
) -> None:
    read = parts(None, None, cell)
    assert (read.first, read.last, read.left_out) == (first, last, left_out)
    assert reason in (read.why or "")


@pytest.mark.parametrize(
    ("cells", "first", "last"),
    [
        (("HOLM, Jordan", None, None), "Jordan", "HOLM"),
        ((None, "Holm, Jordan", None), "Jordan", "Holm"),
        (("Plumber Jim", None, None), None, "Plumber Jim"),
        (("Gus", None, None), "Gus", None),
        ((None, "van der Berg", None), None, "van der Berg"),
        (("Raj", "Patel, MBA", None), "Raj", "Patel"),
        (("Raj", "Patel, Raj", None), "Raj", "Patel, Raj"),
        (("Jo", None, "Jo Holm"), "Jo", "Holm"),
        (("Jo", None, "Jo"), "Jo", None),
        (("Info", None, "Acme Inc"), "Info", None),
        ((None, "Smith", "John Smith"), "John", "Smith"),
        ((None, "Smith", "Smith John"), None, "Smith"),
        (("HubSpot", "<noreply@x.example>", None), "HubSpot", None),
        (("HubSpot", "&lt;noreply@x.example&gt;", None), "HubSpot", None),
    ],
)
def test_cells_that_give_a_part_keep_it(
    cells: tuple[str | None, ...], first: str | None, last: str | None
) -> None:
    read = parts(*cells)
    assert (read.first, read.last) == (first, last)


ORDINARY = st.sampled_from(("Ada", "Berit", "Carl", "Dora", "Emil", "Frida", "Hanna", "Ivan"))
FAMILY = st.sampled_from(("Ahlström", "Brandt", "Dubois", "Évrard", "Fischer", "Gómez", "Žižek"))


@given(st.lists(ORDINARY, min_size=1, max_size=3), FAMILY, st.sampled_from([str, str.upper]))
def test_plain_names_are_first_names_and_a_last_name(
    first: list[str], last: str, case: type
) -> None:
    given, family = case(" ".join(first)), case(last)
    for cell in (f"{given} {family}", f"{family}, {given}"):
        assert parts(None, None, cell) == (None, given, family, None, None, None)


PIECES = st.sampled_from(
    [
        *("Ada", "van", "der", "Berg", "Dr.", "Jr.", "PhD", "(Sales)", "&", ",", "née", "O'Neil"),
        *(
            "de",
            "la",
            "Herr",
            "GmbH",
            "-",
            "|",
            "山田",
            "김민준",
            "'Bo'",
            '"Bo"',
            "ELM",
            "a@b.example",
        ),
        *("3rd", "und", "y", "M.", "McCoy", "Ma", ";", "[x", "Σ", "ß", "محمد", "بن", "ヤマダ", "é"),
        "🌸",
    ]
)


@given(st.lists(PIECES, max_size=6), st.lists(PIECES, max_size=2), st.lists(PIECES, max_size=2))
def test_every_letter_of_a_name_is_in_a_part_or_left_out(
    name: list[str], first: list[str], last: list[str]
) -> None:
    cells = [" ".join(one) or None for one in (first, last, name)]
    read = json.loads(read_name(*cells))
    assert read["left_out"] is None or read["why"] is not None
    # The full name only adds to what is given.
    given_cells = cells if cells[0] is None and cells[1] is None else cells[:2]
    kept = _letters(read[part] for part in ("prefix", "first", "last", "suffix", "left_out"))
    missing = _letters(given_cells) - kept
    assert missing <= _letters(["née"]), (cells, read)


@given(st.lists(PIECES, min_size=1, max_size=6).map(" ".join))
def test_a_doubtful_name_stays_whole(name: str) -> None:
    read = parts(None, None, name)
    if "not split" in (read.why or ""):
        assert (read.prefix, read.first, read.suffix) == (None, None, None), read
    assert read.last or not read.first, read


def _letters(texts: Iterable[str | None]) -> Counter[str]:
    return Counter(letter for text in texts for letter in text or "" if letter.isalpha())
