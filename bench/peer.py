"""The peer of the embedded platform: scim2-server's own server that keeps everything in memory, behind uvicorn.

    python bench/peer.py PORT PEOPLE

It checks no token, writes no log, places nobody and forgets all when it stops.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import uvicorn  # noqa: E402  # after the path
from scim2_models import (  # noqa: E402
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    EnterpriseUser,
    ETag,
    Filter,
    Group,
    Patch,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    User,
)
from scim2_server.applications.asgi import ASGIApplication  # noqa: E402
from scim2_server.memory import AsyncInMemoryStorage, InMemoryStorage  # noqa: E402

from bench.serving import person  # noqa: E402


def provider() -> ScimProvider:
    config = ServiceProviderConfig(
        patch=Patch(supported=True), bulk=Bulk(supported=False), filter=Filter(supported=True, max_results=200),
        change_password=ChangePassword(supported=False), sort=Sort(supported=True), etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(type=AuthenticationScheme.Type.oauthbearertoken, name="Bearer", description="Bearer")
        ],
    )  # fmt: skip
    types = [ResourceType.from_resource(User[EnterpriseUser]), ResourceType.from_resource(Group)]
    return ScimProvider(models=[User, EnterpriseUser, Group], resource_types=types, config=config)


def filled(provider: ScimProvider, people: int) -> InMemoryStorage:
    storage, types = InMemoryStorage(), {kind.name: kind for kind in provider.resource_types}
    user = provider.model_for(types["User"])
    ids = []
    with provider:
        for number in range(people):
            resource = user.model_validate(person(f"person{number}"))
            ids.append(storage.create(types["User"], resource).id)
        half = [{"value": one, "type": "User", "$ref": f"Users/{one}"} for one in ids[: people // 2]]
        storage.create(types["Group"], Group.model_validate({"displayName": "Half", "members": half}))
    return storage


def main(port: int, people: int) -> None:
    made = provider()
    app = ASGIApplication(AsyncInMemoryStorage(filled(made, people)), made)
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, server_header=False, log_level="info")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
