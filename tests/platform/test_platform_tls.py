"""TLS to the platform: a private CA, and certificates that are wrong, each with its sentence."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from ends import SECRET, SECRET_NAME, End, caught, client_of, connection_to, good, running_end

from scimops.platform import connect, faults

FIELDS = "/api/custom-fields/company"
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(SECRET_NAME, SECRET)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def tls_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def end(ca: trustme.CA) -> Iterator[End]:
    with running_end(tls_of(ca.issue_cert("127.0.0.1"))) as running:
        yield running.on(FIELDS, good([]))


def test_a_private_ca_is_taken_from_its_file(end: End, ca_file: str) -> None:
    with client_of(end, ca_file=ca_file) as platform:
        assert platform.custom_fields() == []


def test_a_ca_nobody_knows(end: End, ca_file: str) -> None:
    with client_of(end) as platform:
        error = caught(faults.CertificateError, platform.custom_fields)
    assert "somebody this computer does not trust" in str(error)
    assert "ca_file" in str(error)
    assert end.asked == []


WRONG = {
    "is not valid yet": {"not_before": NOW + DAY, "not_after": NOW + 9 * DAY},
    "has expired": {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY},
}


@pytest.mark.parametrize("words", WRONG)
def test_a_certificate_out_of_its_time_names_the_clock(ca: trustme.CA, ca_file: str, words: str) -> None:
    certificate = ca.issue_cert("127.0.0.1", **WRONG[words])
    with running_end(tls_of(certificate)) as end, client_of(end, ca_file=ca_file) as platform:
        error = caught(faults.CertificateError, platform.custom_fields)
        assert words in str(error)
        assert "clock" in str(error)
        assert end.asked == []


def test_a_certificate_of_another_computer(ca: trustme.CA, ca_file: str) -> None:
    with running_end(tls_of(ca.issue_cert("api.example.com"))) as end, client_of(end, ca_file=ca_file) as platform:
        assert "is another computer's" in str(caught(faults.CertificateError, platform.custom_fields))
        assert end.asked == []


def test_no_tls_at_the_port(ca_file: str) -> None:
    with (
        running_end() as plain,
        connect(connection_to(plain.url.replace("http", "https"), ca_file=ca_file)) as platform,
    ):
        assert "speaks no TLS" in str(caught(faults.CertificateError, platform.custom_fields))


def test_a_file_of_certificates_that_is_none(end: End, ca_file: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("missing.pem", "empty.pem"):
        file = str(tmp_path / name)
        error = caught(faults.CertificateError, lambda file=file: connect(connection_to(end.url, ca_file=file)))
        assert file in str(error)


def test_the_environment_adds_no_certificates(end: End, ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with client_of(end) as platform:
        caught(faults.CertificateError, platform.custom_fields)
