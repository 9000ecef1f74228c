"""The page to forward: nothing is fetched, nothing runs, nobody is named, everything is in sight."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from scimops.errors import CATALOGUE, finding
from scimops.present.summary import GROUP_SAMPLES, summary_html, without_people
from scimops.preview import preview_export
from scimops.setting import quick_setting


def words(html):
    """The page as a person reads it, pictures' alternative texts included."""
    html = re.sub(r"<style>.*?</style>|src=\"data:[^\"]*\"", "", html, flags=re.DOTALL)
    alts = " ".join(re.findall(r'alt="([^"]*)"', html))
    return unescape(re.sub(r"<[^>]+>", " ", html) + alts)


def test_a_browser_without_a_network_shows_it(hostile, visit, tmp_path):
    path = tmp_path / "summary.html"
    path.write_text(summary_html(hostile), encoding="utf-8")
    visit.open(path)
    page = visit.page
    assert (visit.requests, visit.dialogs) == ([], [])
    assert page.locator("script").count() == 0
    assert page.locator("h1").inner_text() == "Where everybody lands: Test"
    text = page.locator("body").inner_text()
    for one in hostile.findings:
        assert one.advice in text
    for name in ("Sales [/x]", "=cmd|' /C calc'!A0", "<img onerror=alert(1) src=x>", "\\u202eabc"):
        assert page.locator("table").first.get_by_text(name, exact=True).is_visible()
    assert text.count("This page holds no names of people.") == 1


def test_it_is_readable_at_the_width_of_a_phone(hostile, visit, tmp_path):
    path = tmp_path / "summary.html"
    path.write_text(summary_html(hostile), encoding="utf-8")
    visit.open(path)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    pictures = visit.page.locator("img")
    assert pictures.count() == 2
    assert all(picture.get_attribute("alt") for picture in pictures.all())
    assert visit.page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 300)")


def test_a_script_would_not_run(visit, tmp_path, hostile):
    page = summary_html(hostile).replace("</main>", "<script>alert(1)</script><img src=x onerror=alert(1)></main>")
    path = tmp_path / "attacked.html"
    path.write_text(page, encoding="utf-8")
    visit.open(path)
    visit.page.wait_for_timeout(200)
    assert (visit.requests, visit.dialogs) == ([], [])


def test_it_is_one_accessible_document(sample):
    html = summary_html(sample)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert not re.search(r"<(script|link|iframe|object|form)\b|\bon\w+=\"|https?://|url\(", html)
    assert re.findall(r"<h(\d)", html) == ["1", "2", "2", "2", "2"]
    assert len(re.findall(r"<caption>", html)) == len(re.findall(r"<table>", html)) == 2
    assert not re.findall(r"<th(?! scope=|ead)", html)
    assert "@media print" in html


def test_nobody_is_named(sample):
    text = words(summary_html(sample)).casefold()
    people = sample.people.select("externalId", "userName", "email", "phone")
    values = {value for row in people.iter_rows() for value in row if value and len(value) > 3}
    values |= {
        f"{first} {last}" for first, last in sample.people.select("firstName", "lastName").iter_rows() if first and last
    }
    assert len(values) > 500
    assert not [value for value in values if value.casefold() in text]
    assert not [row.text for row in sample.export.rejected if row.text.casefold() in text]


def test_rows_stand_in_for_the_people(sample):
    bad = next(one for one in sample.findings if one.code == "bad_email")
    assert "anna@@example.com" in bad.message
    text = re.sub(r"\s+", " ", words(summary_html(sample)))
    assert f"1 person with an unusable e-mail address will be rejected. {bad.advice} Row {bad.row_numbers[0]}" in text


@pytest.mark.parametrize("code", sorted(code for code, entry in CATALOGUE.items() if "{sample}" in entry.message))
def test_every_sample_of_a_person_is_left_out(code):
    one = finding(code, count=3, row_numbers=[1, 2, 3], **CATALOGUE[code].example | {"sample": "SAMPLE (x): y"})
    assert ("SAMPLE" in without_people(one)) == (code in GROUP_SAMPLES)
    plain = without_people(one, hidden={"key"})
    assert "SAMPLE" not in plain
    assert plain.endswith(".")
    assert "{" not in plain
    assert plain.split()[0] in one.message
    assert len(plain) > 25


def test_a_sentence_of_another_make_says_rather_too_little(sample):
    bad = next(one for one in sample.findings if one.code == "bad_email")
    assert without_people(replace(bad, message="anna@@example.com is bad")) == "1 person: see the rows."


def test_groups_named_after_people_have_no_name(look):
    people = [{"givenName": "Anna", "surname": "Kurz", "department": "Bo Lang"}, {"givenName": "Bo", "surname": "Lang"}]
    text = words(summary_html(look(people)))
    assert "Bo Lang" not in text
    assert text.count("(a person's name)") >= 1
    assert "1 group named after people: the names are left out." in text


def test_groups_by_a_personal_field_have_no_names(sample):
    text = words(summary_html(preview_export(sample.export, quick_setting("email", "Everyone")))).casefold()
    addresses = [email for email in sample.people["email"] if email]
    assert not [email for email in addresses if email.casefold() in text]


def test_counts(sample):
    html = summary_html(sample)
    cells = [
        int(cell)
        for cell in re.findall(r'<td class="number">(\d+)</td></tr>', html.split("Every record has one reason", 1)[1])
    ]
    assert sum(cells[:-1]) == cells[-1] == sample.rows


def test_more_groups_than_shown(look):
    html = summary_html(look([{"department": f"Department {number:03d}"} for number in range(60)]))
    assert "… and 10 more groups with 10 members." in html


def test_an_empty_export(look):
    text = words(summary_html(look([])))
    assert "Nobody lands in a group." in text
    assert "The export holds no people." in text
