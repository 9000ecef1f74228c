"""The brake, what is known of service providers, and what they say of themselves."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from ends import answer
from managing import Platform as Embedded
from proxying import Proxy, scim_error

from scimops.client import ServiceProvider, connect
from scimops.client.brake import MOST, Brake
from scimops.client.quirks import KNOWN, OTHER, known_by
from scimops.errors import ScimopsError
from scimops.platform import Retries


def eased(brake: Brake, times: int) -> int:
    for _ in range(times):
        brake.ease()
    return brake.limit


def test_the_brake_halves_once_a_moment_and_grows_slowly() -> None:
    brake = Brake(longest=60)
    assert brake.limit == 4
    began = time.monotonic()
    brake.press(began, None)
    brake.press(began, None)  # a request of the same moment
    assert brake.limit == 2
    brake.press(time.monotonic(), None)
    brake.press(time.monotonic(), None)
    assert brake.limit == 1
    assert eased(brake, 1) == 2
    assert eased(brake, 1) == 2
    assert eased(brake, 200) == MOST


def test_no_more_are_under_way_than_the_brake_lets() -> None:
    brake, running, most, lock = Brake(longest=60, start=2), 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=10)

    def work() -> None:
        nonlocal running, most
        with brake.slot():
            with lock:
                running += 1
                most = max(most, running)
            both.wait()
            with lock:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert (most, running) == (2, 0)


def test_who_asks_to_wait_is_waited_for_but_not_for_ever() -> None:
    brake = Brake(longest=0.05)
    brake.press(time.monotonic(), 3600)
    asked = time.monotonic()
    with brake.slot() as began:
        assert began - asked > 0.03


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://scim.eu-west-1.amazonaws.com/x/scim/v2", "AWS IAM Identity Center"),
        ("https://amazonaws.com.example.com/scim/v2", OTHER.capabilities.name),
        ("https://scim-api.keepnetlabs.com/scim", "the platform's published API"),
        ("https://scim.example.com/scim", OTHER.capabilities.name),
    ],
)
def test_who_is_known_by_the_host(url: str, name: str) -> None:
    assert known_by(url, "Bearer").capabilities.name == name


def test_what_is_known_has_a_source_and_a_sign() -> None:
    assert all(one.source and bool(one.host) != bool(one.scheme) for one in KNOWN)


def test_the_embedded_platform_is_known_by_what_it_says(service_provider: ServiceProvider) -> None:
    features = service_provider.features
    assert service_provider.capabilities.own
    assert service_provider.capabilities.rules == frozenset(range(1, 12))
    assert (features.patch, features.filter, features.sort, features.etag, features.cursor) == (True,) * 5
    assert (features.page, features.bulk, features.users, features.groups) == (200, 1000, "/Users", "/Groups")
    assert "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User" in features.schemas


def test_only_the_configuration_must_be_there(proxy: Proxy, token: str, connected: Any) -> None:
    proxy.meant = lambda asked: asked.path.endswith(("/ResourceTypes", "/Schemas"))
    proxy.always = lambda _asked, _pass_on: scim_error(501, "not here")
    found = connected(f"{proxy.url}/scim/v2")
    assert (found.features.users, found.features.groups, found.features.schemas) == ("/Users", "/Groups", frozenset())


def test_a_configuration_that_is_none(proxy: Proxy, embedded: Embedded, connected: Any) -> None:
    proxy.fail("GET", "/ServiceProviderConfig", always=lambda _a, _p: answer({"patch": 7}, kind="application/json"))
    with pytest.raises(ScimopsError, match="none of SCIM: patch") as found:
        connected(f"{proxy.url}/scim/v2")
    assert found.value.where == 'connection "acme"'


def test_the_public_face() -> None:
    import scimops.client

    assert connect is scimops.client.connect
    assert scimops.client.Retries is Retries
