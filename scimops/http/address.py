"""URLs for people; which ones may be talked to, :mod:`scimops.connections` decides."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit


def is_plain(url: str) -> bool:
    """Is there no TLS?"""
    return urlsplit(url).scheme == "http"


def shown(url: str, base: str = "") -> str:
    """`url` (relative to `base`) for people: scheme, host and path; without user, query and fragment."""
    try:
        parts = urlsplit(urljoin(base, url))
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        host = ""
    if not host:
        return "a place that is no URL"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"
