"""The cast: invented people at invented companies, on domains that can never receive mail."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Company:
    """Where somebody works; ``spellings`` are how sources write its name, all meaning one."""

    spellings: tuple[str, ...]
    domain: str
    kind: str  # what winmo calls it: company or agency
    street: str
    city: str
    state: str
    zip_code: str
    area_code: str

    @property
    def name(self) -> str:
        """The first spelling."""
        return self.spellings[0]


COMPANIES = (
    Company(("Acme Inc.", "ACME, Inc", "Acme Incorporated"), "acme.example", "company",
            "1200 Market Street", "San Francisco", "California", "94102", "415"),
    Company(("Blue Heron Media LLC", "Blue Heron Media, L.L.C."), "blueheron.example", "agency",
            "77 Hudson Street", "New York", "New York", "10013", "212"),
    Company(("Café Soleil", "CAFÉ SOLEIL"), "cafesoleil.example", "company",
            "310 Royal Street", "New Orleans", "Louisiana", "70130", "504"),
    Company(("Delta & Pine Co.", "Delta & Pine Company"), "deltapine.example", "company",
            "18 Peachtree Place", "Atlanta", "Georgia", "30309", "404"),
    Company(("Evergreen Outfitters", "EVERGREEN OUTFITTERS"), "evergreen.example", "company",
            "902 Pike Street", "Seattle", "Washington", "98101", "206"),
    Company(("Foxglove Agency Ltd", "Foxglove Agency, Ltd."), "foxglove.example", "agency",
            "45 Wacker Drive", "Chicago", "Illinois", "60601", "312"),
    Company(("Granite State Tools Inc", "Granite State Tools, Inc."), "granitetools.example",
            "company", "6 Elm Street", "Manchester", "New Hampshire", "03101", "603"),
    Company(("Harbor Light Studios",), "harborlight.example", "agency",
            "220 Commercial Street", "Boston", "Massachusetts", "02109", "617"),
    Company(("Ironwood Foods Corp", "Ironwood Foods Corporation"), "ironwood.example", "company",
            "5100 Mission Road", "Kansas City", "Missouri", "64111", "816"),
    Company(("Juniper Bikes GmbH", "JUNIPER BIKES"), "juniperbikes.example", "company",
            "39 Alamo Plaza", "San Antonio", "Texas", "78205", "210"),
)  # fmt: skip

NAMES = """
Ada Okafor, Benedikt Aßmann, Camille Fournier, Dmitri Volkov, Elena Petrova, Farid Haddad,
Grace Lindqvist, Hiro Tanaka, Imogen Ashdown, José Álvarez, Katarzyna Żak, Liam O'Connell,
Mei-Ling Zhou, Noah Brandt, Olga Sørensen, Pablo Núñez, Quinn Abernathy, Renée Dubois,
Søren Kjær, Tamsin Wolfe, Umar Siddiqui, Valentina Rossi, Wanda Kowalczyk, Xavier Montclair,
Yusuf Demir, Zoë Hartmann, Anders Bergström, Bianca Moretti, Caleb Whitfield, Daria Novak,
Emeka Adeyemi, Fiona MacGregor, Gustavo Pereira, Hannah Steinberg, Ivan Horvat, Jasmine Patel,
Kofi Mensah, Lucía Fernández, Marek Dvořák, Nadia Rahman, Oscar van den Berg, Priya Nair,
Rafael Cordeiro, Saoirse Byrne, Theo Papadakis, Ursula Keller, Viktor Lindgren, Willa Prescott,
Ximena Salazar, Yara Mansour, Zachary Holt, Amélie Girard, Bruno Castellano, Clara Jensen,
Desmond Achebe, Esther Goldman, Florian Huber, Greta Nyström, Hugo Delacroix, Ingrid Solberg,
Jonas Weber, Keiko Yamamoto, Leo Marchetti, Maya Krishnan, Nils Eriksson, Odette Lambert,
Peter Szabó, Rosa Delgado, Samuel Ofori, Talia Rosen, Ulrich Baumann, Vera Sokolova,
Wesley Grant, Yvonne Chevalier, Zainab Yusuf, Arturo Mendoza, Beatrix Vogel, Cyrus Farahani,
Delphine Roux, Elliot Marsh, Freya Halvorsen, Gideon Abrams, Helena Vasquez, Isaac Thornton,
Joana Figueiredo, Klaus Reinhardt, Leila Karimi, Matteo Bianchi, Noor Al-Farsi, Orla Kavanagh,
Philippa Drake, Rohan Mehta, Sigrid Dahl, Tomás Herrera, Una Gallagher, Vincent Leclerc,
Wren Calloway, Yannick Morel, Zofia Lis, Adrian Poole, Birgit Sommer, Cedric Vaughn,
Dalia Nasser, Edgar Quintero, Francesca Neri, Gareth Llewellyn, Hedda Strand, Ian Castlebury
"""

TITLES = (
    "Chief Marketing Officer", "VP, Brand", "Media Director", "Buyer", "Head of E-Commerce",
    "Account Executive", "Office Manager", "Creative Director",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One of the cast; ``number`` decides everything about them."""

    number: int
    first: str
    last: str

    @property
    def company(self) -> Company:
        """Where they work; people of one company are ``len(COMPANIES)`` numbers apart."""
        return COMPANIES[self.number % len(COMPANIES)]

    @property
    def title(self) -> str:
        """What they do there."""
        return TITLES[self.number % len(TITLES)]

    @cached_property
    def email(self) -> str:
        """At work: ``first.last@company.example``."""
        return f"{_plain(self.first)}.{_plain(self.last)}@{self.company.domain}"

    @property
    def private_email(self) -> str:
        """At home: what newsletter readers give."""
        return f"{_plain(self.first)}.{_plain(self.last)}@example.com"

    @property
    def phone(self) -> str:
        """A number of the range 555-0100 to 555-0199, which is kept for fiction."""
        return f"+1 {self.company.area_code} 555 01{self.number % 100:02d}"

    @property
    def street(self) -> str:
        """Where they live."""
        return f"{100 + 7 * self.number} Maple Avenue"

    @property
    def birthday(self) -> str:
        """As the shop exports it."""
        year, month, day = 1960 + self.number % 40, 1 + self.number % 12, 1 + self.number % 28
        return f"{year}-{month:02d}-{day:02d} 00:00:00"


def _plain(name: str) -> str:
    """A name as it stands in an e-mail address: no accents, no blanks, lower case."""
    for accented, plain in (("ß", "ss"), ("ø", "o"), ("æ", "ae"), ("Ø", "O")):
        name = name.replace(accented, plain)
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", letters.lower())


def _cast() -> tuple[Person, ...]:
    names = " ".join(NAMES.split()).split(", ")
    pairs = (name.split(" ", 1) for name in names)
    return tuple(Person(number, first, last) for number, (first, last) in enumerate(pairs))


CAST = _cast()
