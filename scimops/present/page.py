"""The frame of every HTML page that scimops writes: it fetches nothing, and runs only what its policy names."""

from __future__ import annotations

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; {policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="scimops">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def html_page(title: str, body: str, style: str, policy: str) -> str:
    """A page; `title` and `body` are HTML that is safe already, `policy` what is allowed beyond nothing (CSP)."""
    return _PAGE.format(title=title, body=body, style=style, policy=policy)
