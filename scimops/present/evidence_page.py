"""The pages of an evidence file: its cover, to be printed and signed by hand, and the stories of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import scimops
from scimops.audit.audit import WORDS
from scimops.audit.causes import CAUSES
from scimops.audit.evidence import METHOD, SAMPLED
from scimops.audit.explain_words import utc
from scimops.grouping import REASONS
from scimops.present.audit_files import sheet_name
from scimops.present.evidence_person import story_html
from scimops.present.page import STYLE, escaped, facts_list, findings_list, html_page, named, section, table
from scimops.present.words import many, people

if TYPE_CHECKING:
    from scimops.audit.audit import Question
    from scimops.audit.explain import PersonStory
    from scimops.present.evidence_file import Evidence

UNSIGNED = (
    "This file is not signed: it shows accidents. A change on purpose shows against a SHA-256 that was kept elsewhere."
)
_SIGNED = "The manifest is signed with the ledger's key (Ed25519); public_key.pem is its public half."


def cover_html(evidence: Evidence, *, signed: bool) -> str:
    """The cover: who made it and when, each question with its counts that add up, what it was made from."""
    audit = evidence.audit
    title = f"Evidence of an audit: {audit.preview.setting.name}"
    facts = {
        "The platform as of": utc(audit.at), "Made": utc(evidence.made_at), "By": evidence.by,
        "With": f"scimops {scimops.__version__}",
        "People": "names replaced by a keyed hash (--mask)" if evidence.masked else "named",
        "Not read": ", ".join([*audit.coverage.not_read, "campaigns"]), "Signature": _SIGNED if signed else UNSIGNED,
    }  # fmt: skip
    body = [f"<header><h1>{escaped(title)}</h1></header><main>", facts_list(facts.items())]
    body += [section(escaped(one.title), _question(one)) for one in evidence.questions]
    body += [
        section("Findings", findings_list(evidence.findings)), section("What it was made from", _inputs(evidence)),
        section("Sample", _sample(evidence)), section("Runs", _runs(evidence)),
        section("How to check it", "<p>VERIFY.md says how to check this file without scimops, in three commands.</p>"),
        section("Signed by hand", '<p class="sign">Name, date, signature:</p>'), "</main>", _FOOTER,
    ]  # fmt: skip
    return html_page(escaped(title), "\n".join(body), STYLE + _STYLE, "style-src 'unsafe-inline'")


def sample_html(stories: Sequence[PersonStory], seed: int) -> str:
    """The whole story of each person of the sample."""
    title = f"The sample of seed {seed}: {people(len(stories))}"
    parts = [story_html(story, f"{place}. {named(story.who)}") for place, story in enumerate(stories, 1)]
    body = f"<header><h1>{title}</h1></header><main>{''.join(parts)}</main>{_FOOTER}"
    return html_page(title, body, STYLE + _STYLE, "style-src 'unsafe-inline'")


def _question(one: Question) -> str:
    counts = [
        [f"<code>{escaped(total)}</code>", escaped(_meaning(total)), f"{count:,}"]
        for total, count in one.totals.items()
    ]
    counts.append(["<b>together</b>", "", f"<b>{sum(one.totals.values()):,}</b>"])
    facts = {
        "Population": f"{one.about}: {one.population:,}", "Source": one.source, "How": one.how,
        "Answer": f"{many(one.answer.height, 'row')} in questions/{one.name}.csv and the sheet {sheet_name(one.name)}",
    }  # fmt: skip
    return facts_list(facts.items()) + table("Control totals", ["Counted as", "Meaning", "Count"], counts, numbers=[2])


def _meaning(total: str) -> str:
    """A control total in words: of a status, or of the cause behind a link."""
    return (WORDS | CAUSES | REASONS).get(total.rpartition(": ")[2], "")


def _inputs(evidence: Evidence) -> str:
    rows = [
        [named(one["name"]), f"{one['size']:,}", f"<code>{one['sha256'] or 'changed while it was hashed'}</code>"]
        for one in evidence.inputs
    ]
    where = f"<p>The platform was read at: {named(evidence.audit.preview.existing.source or 'not known')}.</p>"
    return where + table("Files that were read", ["File", "Bytes", "SHA-256"], rows, numbers=[1])


def _sample(evidence: Evidence) -> str:
    if evidence.seed is None:
        return "<p>No sample was asked for.</p>"
    said = f"{people(evidence.sample.height)}, drawn with seed {evidence.seed}: sample/sample.csv"
    said += " with each chain, sample/stories.html with each whole story." if evidence.stories else " with each chain."
    return f"<p>{escaped(said)}</p><p>{escaped(METHOD.format(question=SAMPLED))}</p>"


def _runs(evidence: Evidence) -> str:
    if not evidence.runs:
        return "<p>No run in the ledger read or wrote one of these files.</p>"
    said = f"{many(len(evidence.runs), 'record')} of the ledger, of runs that read or wrote one of these files"
    return f"<p>{said}: runs.ndjson.</p>"


_FOOTER = (
    "<footer><p>It says no more than was seen: expected is no proof of enrolled, and campaigns cannot be read at all. "
    "Times are UTC. Give it only to those who may see these people.</p></footer>"
)

_STYLE = """
body { max-width: 64rem; } td { white-space: normal; } section tbody th { min-width: 0; }
code { font-size: .8rem; overflow-wrap: anywhere; } .sign { min-height: 5rem; }
.story { border-top: 2px solid #0072b2; margin-top: 2rem; break-inside: auto; } time { white-space: nowrap; }
@media print { .story { break-before: page; } .story:first-child { break-before: auto; } }
"""
