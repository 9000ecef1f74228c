"""The grouping rule (design section 4), of one value and of one clash at a time."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimops.errors import SettingError
from scimops.grouping import (
    ARRIVING,
    EMAIL,
    MAX_EMAIL,
    REASONS,
    REJECTED,
    ExistingGroup,
    Grouping,
    Placement,
    assign_group,
    assign_groups,
    existing_by_key,
    group_key,
    identity_key,
    spelling,
    usable_email,
)
from scimops.setting import Setting

RICH = (
    "iıİIsSſßẞσςΣkKåÅÅşŞçÇ²2ﬁﬀŉǰΐẖįĮḭỊ´¨ͅᾳᾀև㌀𝐀 \t\n\u00a0\u2003\u3000"
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\ufeff\u0300\u0301\u0307\u0307\u0308\u0323\u0327\u0328"
)
TEXTS = st.text(st.sampled_from(RICH) | st.characters(codec="utf-8"), max_size=12)


def grouping(existing: dict[str, str] | None = None, **group_settings: Any) -> Grouping:
    """A grouping by department, unless `criterion` says otherwise."""
    parts = {"criterion": {"field": "department"}, "target_group": "Everyone"} | group_settings
    return Grouping(Setting.model_validate({"name": "Test", "group_settings": parts}), existing or {})


# Rule 2: the key


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Sales", "SALES"),
        ("Sales", "sales "),
        ("Sales", "\tSales\u00a0"),
        ("Human Resources", "Human   Resources"),
        ("Human Resources", "human\u2003resources"),
        ("Human Resources", "Human\nResources"),
        ("Satış", "SATIŞ"),
        ("Satış", "satis\u0327"),
        ("Bilgi", "BİLGİ"),
        ("Bilgi", "BI\u0307LGI\u0307"),
        ("Straße", "STRASSE"),
        ("Straße", "STRAẞE"),
        ("Sales", "\u200bSales"),
        ("Sales", "Sa\u00adles"),
        ("Sales", "\ufeffSa\u2060les\u200f"),
        ("Sales", "\u202aSales\u202c"),
        ("R&D²", "R&D2"),
        ("R&D", "\uff32\uff06\uff24"),
        ("ΟΔΟΣ", "οδος"),
        ("ΟΔΟΣ", "οδοσ"),
        ("Café", "Cafe\u0301"),
        ("Finance", "\ufb01nance"),
        ("İ\u0307stanbul", "istanbul"),
    ],
)
def test_values_that_are_one_group(one: str, two: str) -> None:
    assert group_key(one) == group_key(two) != ""


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Engineering", "Enginering"),
        ("Sales", "Sale"),
        ("R&D", "R & D"),
        ("Café", "Cafe"),
        ("Şube", "Sube"),
        ("007", "7"),
        ("Human Resources", "HumanResources"),
    ],
)
def test_values_that_are_two_groups(one: str, two: str) -> None:
    assert group_key(one) != group_key(two)


@pytest.mark.parametrize("value", ["", " ", "\t\r\n", "\u00a0\u2003\u3000", "\u200b", "\u00ad\u200b \ufeff"])
def test_a_blank_value_has_no_key(value: str) -> None:
    assert group_key(value) == ""


def test_keys_as_they_are_written() -> None:
    assert group_key("  Satış  Ekibi ") == "satiş ekibi"
    assert group_key("007") == "007"


@given(TEXTS)
@settings(max_examples=500)
def test_key_is_idempotent(value: str) -> None:
    key = group_key(value)
    assert group_key(key) == key


def test_key_is_idempotent_for_100_000_seeded_strings() -> None:
    dice = random.Random(20261125)
    plain = [chr(code) for code in range(0x3000) if unicodedata.category(chr(code)) != "Cs"]
    for _ in range(100_000):
        value = "".join(dice.choice(RICH if dice.random() < 0.7 else plain) for _ in range(dice.randrange(1, 8)))
        key = group_key(value)
        assert group_key(key) == key, ascii(value)


@given(TEXTS)
def test_composed_and_decomposed_letters_are_one_group(value: str) -> None:
    key = group_key(value)
    assert group_key(unicodedata.normalize("NFC", value)) == key
    assert group_key(unicodedata.normalize("NFD", value)) == key
    assert group_key(f" {value}\u200b ") == key


@given(st.text(st.characters(max_codepoint=127), max_size=12))
def test_the_short_way_for_ascii_is_the_long_way(value: str) -> None:
    assert group_key(value) == group_key(f"{value}\u200b")


@given(TEXTS)
def test_a_spelling_has_the_key_of_its_value(value: str) -> None:
    assert group_key(spelling(value)) == group_key(value)
    assert spelling(spelling(value)) == spelling(value)


# Rule 8: keys of identity; rule 1: usable e-mail


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Anna@Example.com", "anna@example.com"),
        (" anna ", "anna"),
        ("ÉLODIE", "élodie"),
        ("ａnna", "anna"),
        ("ß", "SS"),
    ],
)
def test_identities_that_are_one(one: str, two: str) -> None:
    assert identity_key(one) == identity_key(two)


def test_identities_keep_inner_spaces_and_dots() -> None:
    assert identity_key("an na") != identity_key("anna")
    assert identity_key("a.b@example.com") != identity_key("ab@example.com")


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.com",
        "ANNA.O'Hara+tag@sub.example.co.uk",
        "jörg@münchen.example",
        "пётр@пример.рф",
        "a@localhost",
        '"quoted"@example.com',
        "a" * (MAX_EMAIL - 12) + "@example.com",
    ],
)
def test_usable_addresses(address: str) -> None:
    assert usable_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.com",
        "anna@",
        "anna@@example.com",
        "anna@exam@ple.com",
        "an na@example.com",
        "anna@exam ple.com",
        "anna\u00a0@example.com",
        "anna@example.com ",
        "anna@example.com\n",
        "\x00anna@example.com",
        "anna\x1f@example.com",
        "anna@exa\x85mple.com",
        "anna\x9f@example.com",
        "anna@.example.com",
        "anna@example..com",
        "anna@example.com.",
        "anna@.",
        "anna\ud800@example.com",
        "a" * (MAX_EMAIL - 11) + "@example.com",
    ],
)
def test_unusable_addresses(address: str) -> None:
    assert not usable_email(address)


def _polars(addresses: list[str]) -> list[bool]:
    """The check as the preview's first stage makes it."""
    email = pl.col("email")
    usable = email.str.contains(EMAIL) & (email.str.len_chars() <= MAX_EMAIL)
    return pl.DataFrame({"email": addresses}, schema={"email": pl.String}).select(usable).to_series().to_list()


@given(
    st.lists(
        st.text(st.sampled_from("a@. \t\n\r\x0b\x1c\x1f\x7f\x85\xa0\u180e\u2028\u200bé") | st.characters(codec="utf-8"))
    )
)
@settings(max_examples=300)
def test_both_engines_agree_on_addresses(addresses: list[str]) -> None:
    assert _polars(addresses) == [usable_email(address) for address in addresses]


def test_both_engines_agree_on_every_character() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    addresses = [form.format(c) for c in characters for form in ("a{}b@x.y", "a@x{}.y")]
    assert _polars(addresses) == [usable_email(address) for address in addresses]


# Rules 3 to 7: where one value leads


ALIASES = {"R&D": "Engineering", "Research": "ENGINEERING", "Engineering": "Technology", "Home Office": "everyone"}
EXISTING = {"sales": "SALES DEPT", "everyone": "EVERYONE (old)", "engineering": "Eng."}


@pytest.mark.parametrize(
    ("existing", "options", "value", "expected"),
    [
        # rule 4: the existing group, the target group, the alias's name, the first spelling met
        ({}, {}, "Sales", Placement("sales", None, "matched")),
        (EXISTING, {}, " sales", Placement("sales", "SALES DEPT", "matched")),
        ({}, {}, "EVERYONE", Placement("everyone", "Everyone", "matched")),
        (EXISTING, {}, "Everyone", Placement("everyone", "EVERYONE (old)", "matched")),
        ({}, {"target_group": " Every   one "}, "every one", Placement("every one", "Every one", "matched")),
        # rule 3: aliases on keys, once, not chained
        ({}, {"aliases": ALIASES}, "r&d", Placement("engineering", "Engineering", "alias")),
        ({}, {"aliases": ALIASES}, "RESEARCH", Placement("engineering", "Engineering", "alias")),
        ({}, {"aliases": ALIASES}, "engineering", Placement("technology", "Technology", "alias")),
        ({}, {"aliases": ALIASES}, "Technology", Placement("technology", "Technology", "matched")),
        ({}, {"aliases": ALIASES}, "home office", Placement("everyone", "Everyone", "alias")),
        (EXISTING, {"aliases": ALIASES}, "R&D", Placement("engineering", "Eng.", "alias")),
        ({}, {"aliases": {"R&D": "R&d"}}, "r&d", Placement("r&d", "R&d", "alias")),
        ({}, {"aliases": {"\u200b": "Nobody"}}, "\u200b", Placement("everyone", "Everyone", "fallback_blank")),
        # rule 5: blank
        ({}, {}, None, Placement("everyone", "Everyone", "fallback_blank")),
        ({}, {}, "", Placement("everyone", "Everyone", "fallback_blank")),
        ({}, {}, " \t\u00a0", Placement("everyone", "Everyone", "fallback_blank")),
        ({}, {}, "\u200b", Placement("everyone", "Everyone", "fallback_blank")),
        (EXISTING, {}, None, Placement("everyone", "EVERYONE (old)", "fallback_blank")),
        ({}, {"target_group": None}, " ", Placement(None, None, "ungrouped")),
        ({}, {"target_group": None}, "Sales", Placement("sales", None, "matched")),
        # rule 6: no criterion
        ({}, {"criterion": None}, "Sales", Placement("everyone", "Everyone", "everyone")),
        ({}, {"criterion": None}, None, Placement("everyone", "Everyone", "everyone")),
        ({}, {"criterion": None, "target_group": None}, "Sales", Placement(None, None, "ungrouped")),
        # rule 7: the identity provider's groups; aliases are of values, not of groups
        ({}, {"criterion": {"idp_groups": True}}, "VPN Users", Placement("vpn users", None, "idp_group")),
        (EXISTING, {"criterion": {"idp_groups": True}}, "sales", Placement("sales", "SALES DEPT", "idp_group")),
        ({}, {"criterion": {"idp_groups": True}}, "everyone", Placement("everyone", "Everyone", "idp_group")),
        ({}, {"criterion": {"idp_groups": True}}, None, Placement("everyone", "Everyone", "fallback_no_idp_group")),
        ({}, {"criterion": {"idp_groups": True}, "target_group": None}, None, Placement(None, None, "ungrouped")),
        ({}, {"criterion": {"idp_groups": True}, "aliases": ALIASES}, "R&D", Placement("r&d", None, "idp_group")),
    ],
)
def test_place(existing: dict[str, str], options: dict[str, Any], value: str | None, expected: Placement) -> None:
    assert grouping(existing, **options).place(value) == expected


def test_two_aliases_of_one_key_must_agree() -> None:
    with pytest.raises(SettingError, match='"Sales" and "SALES"'):
        grouping(aliases={"Sales": "Trade", "SALES": "Commerce"})
    agreed = grouping(aliases={"Sales": "Trade", "SALES": "TRADE"})
    assert agreed.place("sales") == Placement("trade", "Trade", "alias")


@given(st.none() | TEXTS, st.sampled_from([None, "Everyone", "Satış"]))
def test_place_gives_a_reason_of_those_who_arrive_and_a_key_or_none(value: str | None, target: str | None) -> None:
    placement = grouping(target_group=target, aliases={"İK": "Human Resources"}).place(value)
    assert placement.reason in ARRIVING
    assert (placement.key is None) == (placement.reason == "ungrouped")
    assert placement.key is None or group_key(placement.key) == placement.key
    assert placement.name is None or group_key(placement.name) == placement.key


def test_the_name_of_a_placement_leads_back_to_the_group() -> None:
    by_department = grouping()
    for value in ("Sales", "SATIŞ", "Straße"):
        key = by_department.place(value).key
        assert by_department.place(key).key == key


@pytest.mark.parametrize(
    ("inactive", "active", "lands"),
    [
        ("no_group", True, True),
        ("no_group", None, True),
        ("no_group", False, False),
        ("reject", False, False),
        ("reject", None, True),
        ("keep_group", False, True),
    ],
)
def test_assign_group_of_inactive_people(inactive: str, active: bool | None, lands: bool) -> None:
    placement = assign_group(grouping(inactive=inactive), "Sales", active)
    assert placement == (Placement("sales", None, "matched") if lands else None)


def test_reasons_are_a_closed_list_with_sentences() -> None:
    assert set(ARRIVING) | set(REJECTED) | {"inactive", "out_of_scope"} == set(REASONS)
    assert all(sentence and sentence[0].islower() and not sentence.endswith(".") for sentence in REASONS.values())


# Rule 4: which of several existing groups


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (ExistingGroup("Sales", "9", own=True), ExistingGroup("SALES", "1", scim=True, created="2020-01-01")),
        (ExistingGroup("Sales", "9", scim=True), ExistingGroup("SALES", "1", created="2020-01-01")),
        (ExistingGroup("Sales", "9", created="2020-01-01"), ExistingGroup("SALES", "1", created="2021-01-01")),
        (ExistingGroup("Sales", "9", created="2020-01-01"), ExistingGroup("SALES", "1")),
        (ExistingGroup("Sales", "1"), ExistingGroup("SALES", "2")),
        (ExistingGroup("Sales", "9"), ExistingGroup("SALES", "10")),
    ],
)
def test_the_better_of_two_existing_groups(better: ExistingGroup, worse: ExistingGroup) -> None:
    assert existing_by_key([better, worse]) == existing_by_key([worse, better]) == {"sales": better.name}


def test_existing_groups_without_a_key_are_left_out() -> None:
    assert existing_by_key([ExistingGroup(" "), ExistingGroup("\u200b"), ExistingGroup("Satış")]) == {"satiş": "Satış"}


# Rule 8 over a population: the expression alone, on plain frames


Row = tuple[str | None, str, str, bool | None]  # early, user_key, email_key, active


def _assigned(rows: list[Row], **options: Any) -> list[str]:
    """The reasons of rows (early, user_key, email_key, active), all of them in Sales."""
    keys = {"early": pl.String, "user_key": pl.String, "email_key": pl.String, "active": pl.Boolean}
    people = pl.DataFrame(rows, schema=keys, orient="row").with_row_index("n")
    people = people.with_columns(pl.col("n").cast(pl.Int64), value=pl.lit("Sales"))
    values = pl.DataFrame({"value": ["Sales"], "group_key": ["sales"], "reason": ["matched"]})
    lazy = [nw.from_native(frame.lazy()) for frame in (people, values)]
    result: pl.DataFrame = assign_groups(lazy[0], lazy[1], grouping(**options)).to_native().collect().sort("n")
    assert [key is None for key in result["group_key"]] == [reason not in ARRIVING for reason in result["reason"]]
    return result["reason"].to_list()


OK, DUP, OFF = "matched", "rejected_duplicate", "inactive"


@pytest.mark.parametrize(
    ("policy", "rows", "expected"),
    [
        ("reject_all", [(None, "a", "x", True), (None, "a", "y", True), (None, "b", "z", True)], [DUP, DUP, OK]),
        ("keep_first", [(None, "a", "x", True), (None, "a", "y", True), (None, "b", "z", True)], [OK, DUP, OK]),
        ("keep_active", [(None, "a", "x", True), (None, "a", "y", False), (None, "b", "z", True)], [OK, DUP, OK]),
        ("keep_active", [(None, "a", "x", False), (None, "a", "y", None)], [DUP, OK]),
        ("keep_active", [(None, "a", "x", True), (None, "a", "y", None)], [DUP, DUP]),
        ("keep_active", [(None, "a", "x", False), (None, "a", "y", False)], [DUP, DUP]),
        ("keep_first", [(None, "a", "x", False), (None, "a", "y", True)], [OFF, DUP]),
        # among those left: whoever lost their userName takes no part in the clash over the e-mail address
        ("reject_all", [(None, "a", "x", True), (None, "a", "y", True), (None, "b", "y", True)], [DUP, DUP, OK]),
        ("keep_first", [(None, "a", "x", True), (None, "a", "y", True), (None, "b", "y", True)], [OK, DUP, OK]),
        ("keep_first", [(None, "a", "x", True), (None, "b", "x", True), (None, "b", "z", True)], [OK, DUP, DUP]),
        ("keep_active", [(None, "a", "x", True), (None, "a", "y", False), (None, "b", "y", False)], [OK, DUP, OFF]),
        # rows that are out already take no part
        ("reject_all", [("rejected_bad_email", "a", "x", True), (None, "a", "y", True)], ["rejected_bad_email", OK]),
        ("keep_first", [("out_of_scope", "a", "x", True), (None, "a", "x", True)], ["out_of_scope", OK]),
        # duplicates come before inactive
        ("reject_all", [(None, "a", "x", False), (None, "a", "y", True)], [DUP, DUP]),
    ],
)
def test_duplicates(policy: str, rows: list[Row], expected: list[str]) -> None:
    assert _assigned(rows, duplicates=policy) == expected
