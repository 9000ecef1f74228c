"""The page of a guide in a real browser: nothing in it is markup, nothing is fetched, its buttons copy."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from scimops.idp import read_export
from scimops.present.guide import Guide, make_guide
from scimops.present.guide_page import guide_page, show_guide
from scimops.present.guide_text import guide_text
from scimops.preview import preview_export
from scimops.samples import write_sample
from scimops.setting import Setting

NASTY = "<img src=x onerror=alert(1)>"
GUIDES = ["entra", "jumpcloud", "okta", "onelogin", "other"]
URL = "https://scim.example.com/scim"


def nasty_setting() -> Setting:
    """A setting whose every text is markup of some kind: HTML, Markdown, a name of ours, the terminal's."""
    return Setting.model_validate(
        {
            "name": NASTY,
            "field_mappings": [
                {"attribute": f'roles[type eq "{NASTY}"]', "field": "{{token}} **x** [l](http://evil.example) `c`"},
                {"attribute": "title", "field": "</script><script>alert(2)</script>"},
            ],
            "columns": {"[red]Cost[/x]": '"><b>'},
            "group_settings": {
                "criterion": {"field": "[red]Cost[/x]"},
                "target_group": '</style><svg onload="alert(3)">| a | b |\n',
            },
        }
    )


def plain_setting() -> Setting:
    groups = {"criterion": {"field": "department"}, "target_group": "Everyone"}
    return Setting.model_validate({"name": "Acme", "group_settings": groups})


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def show(page: Page, guide: Guide, tmp_path: Path) -> list[str]:
    """Open the page of `guide`; gives what the browser complains of and fetches."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("dialog", lambda dialog: (heard.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: heard.append(f"request {request.url}"))
    (tmp_path / "guide.html").write_text(guide_page(guide), encoding="utf-8")
    page.goto((tmp_path / "guide.html").as_uri())
    return heard


@pytest.mark.parametrize("idp", GUIDES)
def test_values_are_never_markup(idp: str) -> None:
    plain, nasty = (Tags(guide_page(make_guide(idp, one, URL))) for one in (plain_setting(), nasty_setting()))
    for tag, attributes in nasty.seen:
        assert tag not in ("img", "svg", "b", "iframe", "link")
        assert not [name for name in attributes if name.startswith("on")]
    assert [tag for tag, _ in nasty.seen].count("script") == 1
    links = [{a["href"] for tag, a in one.seen if tag == "a"} for one in (plain, nasty)]
    assert links[0] == links[1]


@pytest.mark.parametrize("idp", GUIDES)
def test_markup_is_shown_as_it_was_written(idp: str, opened: Page, tmp_path: Path) -> None:
    heard = show(opened, make_guide(idp, nasty_setting(), URL), tmp_path)
    assert [line for line in heard if not line.startswith("request file:")] == []
    assert len(heard) == 1, heard
    assert NASTY in opened.locator("h1").inner_text()
    text = opened.locator("main").inner_text()
    assert "{{token}} **x** [l](http://evil.example) `c`" in text
    assert '</style><svg onload="alert(3)">| a | b |' in text
    assert "</script><script>alert(2)</script>" in text


def test_a_script_that_got_in_would_not_run(opened: Page, tmp_path: Path) -> None:
    heard: list[str] = []
    opened.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    attack = "<script>alert(1)</script><style>h1{display:none}</style><img src=x onerror=alert(2)>"
    page = guide_page(make_guide("entra", plain_setting(), URL)).replace("</main>", f"{attack}</main>")
    (tmp_path / "guide.html").write_text(page, encoding="utf-8")
    opened.goto((tmp_path / "guide.html").as_uri())
    assert opened.locator("h1").is_visible()
    assert heard == []


def test_a_click_and_a_key_copy_the_value(opened: Page, tmp_path: Path) -> None:
    show(opened, make_guide("entra", plain_setting(), URL), tmp_path)
    button = opened.get_by_role("button", name=f"Copy {URL}?aadOptscim062020")
    button.click()
    opened.get_by_text("Copied.").wait_for()  # copying is asynchronous
    assert button.inner_text() == "Copied"
    assert opened.evaluate("navigator.clipboard.readText()") == f"{URL}?aadOptscim062020"
    opened.get_by_role("button", name="Copy objectId").focus()
    opened.keyboard.press("Enter")
    opened.wait_for_function("navigator.clipboard.readText().then(text => text === 'objectId')")
    opened.get_by_text("Copied.").wait_for()
    assert opened.get_by_role("status").inner_text() == "Copied."


def test_onelogins_template_is_copied_as_it_is(opened: Page, tmp_path: Path) -> None:
    guide = make_guide("onelogin", plain_setting(), URL)
    show(opened, guide, tmp_path)
    opened.get_by_role("button", name="Copy SCIM JSON Template").click()
    opened.get_by_text("Copied.").wait_for()
    assert opened.evaluate("navigator.clipboard.readText()") + "\n" == guide.files["onelogin_scim_template.json"]


def test_without_scripts_one_click_selects_and_no_button_is_shown(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    show(page, make_guide("okta", plain_setting(), URL), tmp_path)
    assert page.locator("button.copy").count() > 5
    assert page.locator("button.copy:visible").count() == 0
    assert page.locator(".paste code").first.evaluate("node => getComputedStyle(node).userSelect") == "all"
    context.close()


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("idp", GUIDES)
def test_no_page_is_wider_than_its_window(idp: str, width: int, opened: Page, tmp_path: Path) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    path = write_sample(tmp_path / "users.json", "entra_graph_users", 60, seed=1)
    preview = preview_export(read_export(path), plain_setting())
    show(opened, make_guide(idp, plain_setting(), URL, preview), tmp_path)
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    assert opened.locator("text=People with a value").count() >= 1


def test_the_policy_allows_our_script_alone() -> None:
    page = guide_page(make_guide("entra", plain_setting(), URL))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]


def test_a_notebook_shows_the_same_without_a_script() -> None:
    html = show_guide(make_guide("entra", nasty_setting(), URL)).data
    tags = Tags(html)
    assert [tag for tag, _ in tags.seen].count("script") == 0
    assert [tag for tag, _ in tags.seen if tag in ("img", "svg", "iframe")] == []
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


@pytest.mark.parametrize("idp", GUIDES)
def test_in_a_terminal_markup_is_text_and_nothing_is_obeyed(idp: str) -> None:
    console = Console(width=200, record=True, file=io.StringIO(), color_system=None)
    console.print(guide_text(make_guide(idp, nasty_setting(), URL)))
    text = console.export_text()
    assert NASTY in text
    assert "{{token}} **x** [l](http://evil.example) `c`" in text
    assert "[red]Cost[/x]" in text
    assert "\x1b" not in text


def test_counts_of_an_export_are_in_the_guide(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "users.json", "entra_graph_users", 300, seed=3)
    setting = plain_setting().model_copy(update={"seats": 10})
    preview = preview_export(read_export(path), setting)
    page = guide_page(make_guide("entra", setting, URL, preview))
    assert f"{preview.numbers.seats - 10:,} too few for all users" in page
    assert "not known" in page
    narrowed = setting.model_copy(update={"scope": setting.scope.model_copy(update={"user_types": ["Guest"]})})
    counted = guide_page(make_guide("entra", narrowed, URL, preview_export(read_export(path), narrowed)))
    assert "The people of the setting" in counted
    assert "not known" not in counted
