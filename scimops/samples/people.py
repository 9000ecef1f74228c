"""The synthetic people: who they are, whatever file they are written to.

Everything is drawn from `random.Random(text).random()`, the one method whose sequence Python promises to keep.
Names are invented from the lists below; addresses are at reserved domains, phone numbers at +1-555-01xx.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from functools import cache

from scimops.errors import UsageError
from scimops.samples.nasty import CASES

BIG = 10_000
"""From this many people on there are 300 departments, some in several spellings, and 1 % have none."""

DAYS = 2_600
"""Accounts are created on one of so many days from 2019-01-01 on."""

_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835  # 2**128 divided by the golden ratio: spreads numbers, gives none twice
_SLOTS = 8_192
_STEP = 5


@dataclass(frozen=True)
class Place:
    """An office: where it is and what its people speak."""

    city: str
    state: str
    country: str
    code: str
    language: str
    zone: str


_Names = list[tuple[str, str, str, Place]]

_PLACES = (
    Place("İstanbul", "", "Türkiye", "TR", "tr-TR", "Europe/Istanbul"),
    Place("München", "Bayern", "Germany", "DE", "de-DE", "Europe/Berlin"),
    Place("Lyon", "Auvergne-Rhône-Alpes", "France", "FR", "fr-FR", "Europe/Paris"),
    Place("Gdańsk", "Pomorskie", "Poland", "PL", "pl-PL", "Europe/Warsaw"),
    Place("Huế", "", "Vietnam", "VN", "vi-VN", "Asia/Ho_Chi_Minh"),
    Place("Osaka", "", "Japan", "JP", "ja-JP", "Asia/Tokyo"),
    Place("Cork", "Munster", "Ireland", "IE", "en-IE", "Europe/Dublin"),
    Place("Sevilla", "Andalucía", "Spain", "ES", "es-ES", "Europe/Madrid"),
    Place("Århus", "", "Denmark", "DK", "da-DK", "Europe/Copenhagen"),
    Place("Springfield", "IL", "United States", "US", "en-US", "America/Chicago"),
)

# First names and last names, one pair of lines for each place.
_NAMES = """
Ayşe Mehmet Zeynep Emre Elif Çağrı Gülşen İbrahim Özlem Uğur Şule Kerem Derya Tolga
Yılmaz Kaya Demir Şahin Çelik Öztürk Aydın Arslan Doğan Kılıç Koç Güneş Işık Yıldırım
Anna Jürgen Katrin Björn Heike Lukas Sabine Jörg Ute Matthias Karl-Heinz Anneliese Götz Nele
Müller Weiß Schäfer Großmann Krüger Vogel Lindner Jäger Böhm Strauß Meyer-Landrut Kühn Brandt Hoffmann
Chloé Jean-Luc Hélène Rémi Agnès Benoît Maëlle François Anne-Marie Loïc Sylvie Étienne Margaux Théo
Lefèvre D'Aubigny Moreau Gérard L'Hôpital Bonnet Garçon Dupré Saint-Clair Roussel Château Noël Pelletier Baudoin
Łukasz Agnieszka Paweł Małgorzata Zbigniew Żaneta Grzegorz Iwona Jędrzej Kinga Bogusław Celina Stanisław Urszula
Wójcik Kowalczyk Zieliński Dąbrowska Szymański Woźniak Jabłońska Wróbel Gąsior Nowak-Lis Krawczyk Pająk Żuk Mazur
Minh Linh Tuấn Hương Đức Ngọc Quân Thảo Bảo Trang Khánh Vy Phúc Yến
Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương
Haruto Yui Sota Aoi Kenji Mio Ren Sakura Takumi Hina Daiki Emi Shun'ichi Naoko
Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Sasaki Inoue Kimura
Siobhán Conor Aoife Declan Niamh Seán Róisín Fergus Gráinne Oisín Maeve Cormac Sinéad Rory
O'Brien Murphy O'Neill Byrne McCarthy Walsh O'Connor Kelly Fitzgerald Doyle Nolan Mac-Donagh Healy Sweeney
Lucía Íñigo Begoña Joaquín Ana-Belén Ángel Nuria Rubén Sofía José-Luis Paloma Gonzalo Elena Raúl
García Núñez Peña-Ruiz Muñoz Ibáñez Castaño Domínguez Vázquez Ortega Bermúdez Gil Cañas Romero Sáez
Søren Freja Mads Åse Jørgen Ida Rasmus Kirsten Troels Mette Bjarne Sigrid Anders Liv
Sørensen Nielsen Ågård Østergaard Kjær Møller Holm Dahl-Jensen Lund Bæk Friis Vestergaard Krogh Skov
Amara Jordan Priya Marcus Grace Dwayne Leilani Victor Hannah Malik Rosa Kevin Imani Olivia
Carter Washington Patel Brooks Jefferson Nakai Rivera Coleman Singh Reyes Hughes Fisher Okafor Bennett
"""

_DEPARTMENTS = {
    "Engineering": 210, "Sales": 170, "Customer Support": 125, "Operations": 105, "Marketing": 80,
    "Information Technology": 75, "Finance": 60, "Human Resources": 50, "R&D": 40, "Research": 35, "Legal": 28,
    "Procurement": 22,
}  # fmt: skip

_AREAS = (
    "EMEA", "DACH", "Nordics", "Benelux", "France", "Iberia", "Italy", "Poland", "Türkiye", "UK & Ireland",
    "Middle East", "Africa", "India", "Japan", "Vietnam", "Australia", "Canada", "US East", "US West", "US Central",
    "Mexico", "Brazil", "Andes", "Asia Pacific",
)  # fmt: skip

_TITLES = ("Specialist", "Analyst", "Engineer, Senior", "Coordinator", "Consultant", "Team Lead", "Manager", "Director")
_STREETS = ("Harbour Street", "Mill Lane", "Station Road", "Garden Row", "Bridge Street", "Market Square", "Park Way")
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper, str.lower, lambda name: name + " ", lambda name: " " + name, lambda name: name.replace(" ", "  "),
)  # fmt: skip
_ADDRESSES = tuple(f"{number} {street}" for number in range(1, 91) for street in _STREETS)
_PHONES = tuple(f"+1-555-01{number:02d}" for number in range(100))
_TIMES = tuple(time(8 + minute // 60, minute % 60, 10) for minute in range(600))
_ISO_TIMES = tuple(f"T{one.isoformat()}Z" for one in _TIMES)
_US_TIMES = tuple(f"{(one.hour + 11) % 12 + 1}:{one.minute:02d}:10 {'AM' if one.hour < 12 else 'PM'}" for one in _TIMES)
_LETTERS = str.maketrans({"ß": "ss", "ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "'": None})


@dataclass(slots=True)
class Person:
    """One account. `number` counts from 1, `case` names the nasty case it carries; `key` and `draw` decide the rest."""

    number: int
    key: int
    draw: int
    first: str
    last: str
    user_name: str
    email: str
    department: str
    active: bool
    place: Place
    employee_number: str
    user_type: str = "Member"
    shown_as: str = ""
    street_end: str = ""
    case: str = ""

    @property
    def display(self) -> str:
        """The name that people see."""
        return self.shown_as or f"{self.first} {self.last}"

    @property
    def login(self) -> str:
        """The user name without its domain, for directories that have no domain in it."""
        return self.user_name.partition("@")[0]

    @property
    def object_id(self) -> str:
        """An id in the form of a UUID, different for each person."""
        text = f"{self.key:032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    @property
    def title(self) -> str:
        """The job's title."""
        return _TITLES[self.draw % 8]

    @property
    def phone(self) -> str:
        """The work number."""
        return _PHONES[self.draw // 8 % 100]

    @property
    def mobile(self) -> str:
        """The mobile number; half of the people have none."""
        return _PHONES[self.draw // 1_600 % 100] if self.draw // 800 % 2 else ""

    @property
    def street(self) -> str:
        """House number and street."""
        return _ADDRESSES[self.draw // 160_000 % 630] + self.street_end

    @property
    def postal_code(self) -> str:
        """Five digits, many with zeros in front."""
        return str(100_000 + self.draw // 100_800_000 % 20_000)[1:]

    @property
    def created_day(self) -> str:
        """The day the account was made, such as 2021-08-19."""
        return _iso_day(self.draw % DAYS)

    @property
    def created(self) -> str:
        """When the account was made, such as 2021-08-19T15:02:10Z."""
        return _iso_day(self.draw % DAYS) + _ISO_TIMES[self.draw // DAYS % 600]

    @property
    def created_us(self) -> str:
        """The same as American programs write it, such as 8/19/2021 3:02:10 PM."""
        return _us_day(self.draw % DAYS) + _US_TIMES[self.draw // DAYS % 600]

    @property
    def hired_us(self) -> str:
        """The day of hire at midnight, such as 8/19/2021 12:00:00 AM."""
        return _us_day(self.draw % DAYS) + "12:00:00 AM"

    @property
    def groups(self) -> list[str]:
        """The identity provider's own groups this person is in: none, one or several."""
        named = ["All Staff"] if self.user_type == "Member" else []
        named += ["VPN Users"] if self.draw % 3 == 0 else []
        return named + (["Wiki Editors"] if self.draw % 11 == 0 else [])


@cache
def _iso_day(day: int) -> str:
    return (date(2019, 1, 1) + timedelta(day)).isoformat()


@cache
def _us_day(day: int) -> str:
    made = date(2019, 1, 1) + timedelta(day)
    return f"{made.month}/{made.day}/{made.year} "  # the time follows


def synthetic_people(count: int, seed: int = 1, nasty: bool = True) -> Iterator[Person]:
    """`count` people, one after the other in bounded memory; the same ones for the same arguments, everywhere.

    Args:
        count: how many.
        seed: other seeds give other people.
        nasty: put the cases of :data:`scimops.samples.nasty.CASES` on every fifth of the first people (closer
            together where there are few people; of fewer people than cases the first cases).

    Raises:
        UsageError: `count` is negative.
    """
    if count < 0:
        raise UsageError(f"{count} people cannot be written.", advice="Say 0 or more.")
    draw = random.Random(f"scimops people {seed}").random  # noqa: S311  # nothing here is a secret
    names = _shuffled(_all_names(), draw)
    departments = _slots(_big_departments() if count >= BIG else _DEPARTMENTS)
    step = max(1, min(_STEP, count // len(CASES)))
    for index in range(count):
        person = _person(index, seed, names, departments[int(draw() * _SLOTS)], draw)
        if count >= BIG:
            person.department = _spelled(person.department, draw())
        case, rest = divmod(index, step)
        if nasty and rest == step // 2 and case < len(CASES):
            name, changes = CASES[case]
            person = replace(person, **{"active": True, "case": name, **changes})
        yield person


def _person(index: int, seed: int, names: _Names, department: str, draw: Callable[[], float]) -> Person:
    first, last, name, place = names[index % len(names)]
    lap = index // len(names)
    domain = "example.com" if draw() < 0.9 else "example.org"
    address = f"{name}{lap + 1}@{domain}" if lap else f"{name}@{domain}"
    return Person(
        number=index + 1,
        key=((seed << 64) + index + 1) * _ODD % (1 << 128),
        draw=int(draw() * (1 << 53)),
        first=first,
        last=last,
        user_name=address,
        email=address,
        department=department,
        active=draw() >= 0.05,
        place=place,
        employee_number=f"{index + 1:06d}",
    )


def _all_names() -> _Names:
    """Every first name with every last name of its place, and the pair as it stands in an address."""
    lines = [line.split() for line in _NAMES.split("\n") if line]
    pairs = zip(_PLACES, lines[::2], lines[1::2], strict=True)
    return [
        (first, last, f"{plain(first)}.{plain(last)}", place)
        for place, firsts, lasts in pairs
        for first in firsts
        for last in lasts
    ]


def plain(name: str) -> str:
    """`name` as it stands in an address: ASCII letters and hyphens."""
    text = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def _shuffled(items: _Names, draw: Callable[[], float]) -> _Names:
    for index in range(len(items) - 1, 0, -1):
        other = int(draw() * (index + 1))
        items[index], items[other] = items[other], items[index]
    return items


def _big_departments() -> dict[str, float]:
    names = [*_DEPARTMENTS, *(f"{name} {area}" for area in _AREAS for name in _DEPARTMENTS)]
    return {name: 1 / (rank + 4) for rank, name in enumerate(names)}


def _slots(weights: dict[str, int] | dict[str, float]) -> Sequence[str]:
    """A list of :data:`_SLOTS` names in which each stands as often as its weight says, at least once."""
    share = (_SLOTS - len(weights)) / sum(weights.values())
    slots = [name for name, weight in weights.items() for _ in range(1 + int(weight * share))]
    return slots + [slots[0]] * (_SLOTS - len(slots))


def _spelled(department: str, chance: float) -> str:
    """One in a hundred has no department, three in a hundred spell theirs in another way."""
    if chance >= 0.04:
        return department
    return "" if chance < 0.01 else _SPELLINGS[int((chance - 0.01) / 0.03 * len(_SPELLINGS))](department)
