"""The platform's management API: a stand-in for the paths of its published OpenAPI file.

One client is written against both. Our additions travel in the optional object `scimops`, and on paths below
`/api/scim/{id}/scimops`.

The rooms: `requests` turns HTTP into calls of actions and back, `access` knows who calls, `answers` has what actions
share, `paging` the searches, `audit` the audit log; every other module is one topic of the API.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scimops.service_provider.authentication import Failures
from scimops.service_provider.database import Database
from scimops.service_provider.directory import server_secret
from scimops.service_provider.management import (
    audit,
    companies,
    enrolments,
    fields,
    groups,
    jobs,
    log,
    people,
    setting_tokens,
    settings,
)
from scimops.service_provider.management.answers import Action
from scimops.service_provider.management.paging import FullSearch, Search
from scimops.service_provider.management.requests import Api

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

ACTIONS: dict[str, dict[str, Action]] = {
    "/api/companies/my": {"GET": Action(companies.my, of_company=False)},
    "/api/companies/search": {"POST": Action(companies.search, body=companies.CompanySearch, of_company=False)},
    "/api/scim": {"POST": Action(settings.create, writes=True, body=settings.NewSetting)},
    "/api/scim/search": {"POST": Action(settings.search, body=Search)},
    "/api/scim/fields": {"GET": Action(fields.scim_fields)},
    "/api/scim/{id}": {
        "GET": Action(settings.get),
        "PUT": Action(settings.rename, writes=True, body=settings.Renaming),
        "DELETE": Action(settings.delete, writes=True),
    },
    "/api/scim/{id}/revoke": {"POST": Action(settings.revoke, writes=True)},
    "/api/scim/{id}/scimops/tokens": {"GET": Action(setting_tokens.tokens)},
    "/api/scim/{id}/scimops/tokens/rotate": {
        "POST": Action(setting_tokens.rotate, writes=True, body=setting_tokens.Rotation)
    },
    "/api/scim/{id}/scimops/tokens/{token}": {"DELETE": Action(setting_tokens.revoke, writes=True)},
    "/api/scim/{id}/scimops/log": {"GET": Action(log.lines)},
    "/api/scim/{id}/scimops/users": {"GET": Action(log.people)},
    "/api/target-groups": {
        "GET": Action(groups.every),
        "POST": Action(groups.create, writes=True, body=groups.NewGroup),
    },
    "/api/target-groups/search": {"POST": Action(groups.search, body=Search)},
    "/api/target-groups/{id}": {"GET": Action(groups.get)},
    "/api/target-groups/{id}/users": {"POST": Action(people.of_group, body=people.GroupSearch)},
    "/api/target-users": {"POST": Action(people.create, writes=True, body=people.NewUser)},
    "/api/target-users/search": {"POST": Action(people.search, body=Search)},
    "/api/target-users/count-summary": {"GET": Action(people.count_summary)},
    "/api/target-users/{id}": {"GET": Action(people.get)},
    "/api/custom-fields": {"POST": Action(fields.create, writes=True, body=fields.NewCustomField)},
    "/api/custom-fields/company": {"GET": Action(fields.of_company)},
    "/api/audit-logs/search": {"POST": Action(audit.search, body=Search)},
    "/api/jobs": {"GET": Action(jobs.latest)},
    "/api/jobs/{id}": {"GET": Action(jobs.get)},
    "/api/enrollments/search": {"POST": Action(enrolments.search, body=FullSearch)},
    "/api/enrollments/{id}": {"GET": Action(enrolments.get)},
    "/api/training-reports/{id}/users/search": {"POST": Action(enrolments.report, body=FullSearch)},
}
"""Path → method → action; a fixed path stands before one with an id that would take it too."""


def routes(database: Database) -> list[Route]:
    """The routes of the management API, to be mounted at the root; a secret is made in the database when first needed.

    Raises:
        DatabaseGoneError: the database cannot be reached.
    """
    with database.write() as connection:
        key = server_secret(connection, "access tokens")
    api = Api(database, key, Failures())
    methods = list(METHODS)
    made = [Route(path, _endpoint(api, actions), methods=methods) for path, actions in ACTIONS.items()]
    token = Route("/connect/token", api.token, methods=methods)
    return [token, *made, Route("/api/{rest:path}", api.nothing, methods=methods)]


def _endpoint(
    api: Api, actions: Mapping[str, Action]
) -> Callable[[Request], Coroutine[Any, Any, Response]]:  # fmt: skip
    async def endpoint(request: Request) -> Response:
        return await api.serve(request, actions)

    return endpoint
