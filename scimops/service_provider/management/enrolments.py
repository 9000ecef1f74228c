"""Enrolments and who is in them: `/api/enrollments` and `/api/training-reports`. Fixtures make them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scimops.service_provider.database import loaded
from scimops.service_provider.management.answers import Call, Json, NoBody, found, iso
from scimops.service_provider.management.paging import FullSearch, contains, contains_folded, find_page
from scimops.service_provider.management.person import rows_of
from scimops.service_provider.tables import enrolled, enrolments, users


def search(call: Call[FullSearch]) -> Json:
    """`POST /api/enrollments/search`."""
    table = enrolments.c
    query = sa.select(enrolments).where(table.company_id == call.company_id)
    if text := call.body.text:
        query = query.where(contains(text, table.name))
    orders = {"CreateTime": table.created, "Name": table.name, "StartDate": table.created}
    frame, rows = find_page(call.connection, query, call.body, orders, table.id)
    return {**frame, "results": [_row(row) for row in rows]}


def get(call: Call[NoBody]) -> Json:
    """`GET /api/enrollments/{id}`; without auto-enrol there is no `enrollmentAutoEnroll`."""
    row = _enrolment(call, call.id)
    document = loaded(row.document)
    auto = {"enrollmentAutoEnroll": {"type": "Immediately", "dayOfWeek": None, "periodCount": None}}
    return {
        "trainingId": row.id, "name": row.name, "learningPathId": None, "trainingOrder": None,
        "targetGroupResourceIds": document["group_ids"], "phishingCampaignResourceId": None,
        "phishingCampaignConditionTypes": [], "languageIds": [], **(auto if row.auto_enrol else {}), "smsTexts": [],
        "awardCertificate": False, "markedAsTest": False, "distributionDays": None,
    }  # fmt: skip


def report(call: Call[FullSearch]) -> Json:
    """`POST /api/training-reports/{id}/users/search`: who is enrolled; the platform tells no date of it."""
    row = _enrolment(call, call.id)
    query = (
        sa.select(users, enrolled.c.status).join(enrolled, enrolled.c.user_n == users.c.n)
        .where(enrolled.c.enrolment_id == row.id, users.c.company_id == call.company_id)
    )  # fmt: skip
    if text := call.body.text:
        query = query.where(contains_folded(text, users.c.email_scim))
    orders = {"Email": users.c.email_key, "CreateTime": users.c.n, "Status": enrolled.c.status}
    frame, rows = find_page(call.connection, query, call.body, orders, users.c.n)
    people = rows_of(call.connection, call.company_id, rows)
    return {**frame, "results": [_report_row(row, known, person)
                                 for known, person in zip(rows, people, strict=True)]}  # fmt: skip


def _enrolment(call: Call[Any], enrolment_id: str) -> Any:
    table = enrolments.c
    query = sa.select(enrolments).where(table.company_id == call.company_id, table.id == enrolment_id)
    return found(call.connection.execute(query).one_or_none(), "enrolment")


def _row(row: Any) -> Json:
    return {
        "tags": [], "languages": [], "enrollmentId": row.id, "name": row.name, "enrolledBy": "scimops",
        "startDate": iso(row.created), "trainingName": loaded(row.document).get("training") or row.name,
        "delivery": "Email", "deliveryType": "Email", "createTime": iso(row.created), "isReminderActive": False,
        "isAutoEnrollmentActive": row.auto_enrol, "status": "Active", "recipientType": "Target Group",
        "category": None, "targetAudience": None, "type": "Training", "hasQuiz": False,
        "sendTemplatesInPreferredLanguage": False, "trainingRoles": [], "duration": None, "level": None,
    }  # fmt: skip


def _report_row(enrolment: Any, row: Any, person: Json) -> Json:
    return {
        "firstCompletionDate": None, "lastInteractionDate": None, "deliveryType": "Email",
        "phoneNumber": person["phoneNumber"], "currentStep": None, "status": row.status, "examStatusName": None,
        "examScore": None, "lastInteractedStep": None, "enrollmentId": enrolment.id, "targetUserResourceId": row.id,
        "resourceId": row.id, "firstName": person["firstName"], "lastName": person["lastName"], "email": row.email,
        "department": person["department"], "isMainScore": False, "customFieldValues": person["customFieldValues"],
    }  # fmt: skip
