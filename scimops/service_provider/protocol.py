"""The protocol: scim2-server's steps, with the overrides that large groups and real identity providers need.

What the service provider is able to do is declared here (RFC 7643 §5), and the models that a setting's people have:
the core user with its e-mail address, the enterprise extension, the extension URNs of the setting's field mappings.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Union, cast

import scim2_models
from pydantic import Field, ValidationError, create_model
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    BulkRequest,
    ChangePassword,
    ComplexAttribute,
    Context,
    EnterpriseUser,
    ETag,
    Extension,
    Filter,
    ListResponse,
    Meta,
    Mutability,
    Pagination,
    Patch,
    PatchOp,
    Path,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
)  # fmt: skip
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Target
from scim2_server.service import ModelT, ScimService, scim_exception_of
from scim2_server.storage import SearchPage
from scim2_server.utils import parametrize

from scimops.attributes import CORE, ENTERPRISE
from scimops.service_provider.rows import version_of
from scimops.service_provider.storage import Storage
from scimops.service_provider.tolerance import (
    MemberChange,
    member_changes,
    normal_filter,
    normal_patch,
    normal_resource,
    read_json,
)

MAX_BODY = 16 << 20
"""The largest body in bytes: a PUT of a group with 50,000 members has 8 MiB."""

MAX_BULK = 2 << 20

MAX_OPERATIONS, MAX_PAGE = 1000, 200
CURSOR_SECONDS = 3600

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What identity providers are allowed to send beside the RFCs; each is documented by Microsoft or seen on the wire."""


class Email(scim2_models.Email):
    """An e-mail address as text: whether it is usable is the rule's to say, on the wire as in files (design rule 1)."""

    value: Annotated[str | None, Required.true] = None


class User(scim2_models.User[AnyExtension]):
    """User Account"""  # noqa: D415  # the very words of RFC 7643 §8.7.1: `/Schemas` shows them

    # whoever has no address can be sent nothing, so `/Schemas` says that it is required
    emails: Annotated[list[Email] | None, Required.true] = None  # type: ignore[assignment]  # these are e-mails too


class GroupMember(scim2_models.GroupMember):
    """A member of a group; how they are called is the service provider's to say."""

    display: Annotated[str | None, Mutability.read_only] = None


class Group(scim2_models.Group):
    """Group"""  # noqa: D415  # as above

    members: list[GroupMember] | None = None  # type: ignore[assignment]  # these are members too
    Members: ClassVar[type[ComplexAttribute]] = GroupMember


def configuration() -> ServiceProviderConfig:
    """What the service provider does, as `/ServiceProviderConfig` says it (RFC 7643 §5, RFC 9865 §2.4)."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MAX_OPERATIONS, max_payload_size=MAX_BULK),
        filter=Filter(supported=True, max_results=MAX_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=True, index=True, default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=100, max_page_size=MAX_PAGE, cursor_timeout=CURSOR_SECONDS,
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken, name="Bearer token",
                description="The token of the SCIM setting, as a bearer token", primary=True,
            )
        ],
    )  # fmt: skip


@lru_cache(maxsize=64)
def provider_for(attributes: tuple[str, ...]) -> ScimProvider:
    """What is served to a setting that maps these attribute paths: their extension URNs are part of a user."""
    extensions: dict[str, list[str]] = {}
    for path in attributes:
        urn, _, name = path.rpartition(":")
        if urn.lower().startswith("urn:") and urn.lower() not in (ENTERPRISE.lower(), CORE.lower()):
            extensions.setdefault(urn, []).append(name.split("[")[0].split(".")[0])
    models: list[Any] = [User, Group, EnterpriseUser]
    user: Any = EnterpriseUser
    for number, (urn, names) in enumerate(extensions.items()):
        extension = _extension(f"Extension{number}", urn, tuple(dict.fromkeys(names)))
        models.append(extension)
        user |= extension
    types = [ResourceType.from_resource(User[user]), ResourceType.from_resource(Group)]
    return ScimProvider(models=models, resource_types=types, config=configuration(), policy=POLICY)


def _extension(name: str, urn: str, attributes: tuple[str, ...]) -> type[Extension]:
    """A schema extension of strings (RFC 7643 §3.3), as a setting's mappings name its attributes."""
    fields: dict[str, Any] = {
        f"attribute_{number}": (str | None, Field(None, validation_alias=attribute, serialization_alias=attribute))
        for number, attribute in enumerate(attributes)
    }
    return create_model(name, __base__=Extension, __schema__=(ClassVar[URN], URN(urn)), **fields)


class Service(ScimService):
    """The protocol's steps without input or output; bodies are put into the form of the RFCs before they are read."""

    def __init__(self, provider: ScimProvider, *, secret: str | bytes | None = None) -> None:
        super().__init__(provider, secret=secret)
        # held here, for pydantic forgets such a model when nobody does, and takes longer to make it than to answer
        self._list_model = parametrize(ListResponse, Union[tuple(self.get_models())])  # noqa: UP007

    @staticmethod
    def match(request: ScimRequest) -> Target:
        """What a request asks for; the application has found it out already, and each look costs."""
        return getattr(request, "target", None) or ScimService.match(request)

    def read_body(
        self, model: type[ModelT], body: bytes, content_type: str | None, scim_ctx: Context
    ) -> ModelT:  # fmt: skip
        """A body as `model`, however the identity provider wrote it."""
        self.ensure_json(content_type)
        data = read_json(body, max_bytes=MAX_BODY)
        if isinstance(data, dict):
            data = _normal(data, model)
            if issubclass(model, PatchOp) and data.get("Operations") == [] and body.count(b'"op"'):
                # all it asks for is not the client's to change
                return cast("ModelT", model.model_construct(operations=[]))
        try:
            return model.model_validate(data, scim_ctx=scim_ctx)
        except ValidationError as error:
            raise scim_exception_of(error) from error

    def publish(self, base_url: str, resource: Resource[Any]) -> Resource[Any]:
        """A resource as the client sees it; no deep copy as scim2-server's, for what the storage gave is ours alone."""
        assert resource.meta is not None
        location = self.resource_location(base_url, self.get_resource_type_of(resource), resource.id or "")
        meta = resource.meta.model_copy(update={"location": location})
        for extension, attribute, name in _references(type(resource)):
            holder = resource[extension] if extension else resource
            entries = getattr(holder, attribute, None)
            for entry in entries if isinstance(entries, list) else [entries]:
                if entry is not None and (relative := getattr(entry, name)):
                    entry.__dict__[name] = type(relative)(self.reference_location(base_url, relative))
        return resource.model_copy(update={"meta": meta})

    def search_response(
        self, base_url: str, resource_types: list[ResourceType], page: SearchPage, search_request: SearchRequest[Any]
    ) -> ScimResponse:
        """As scim2-server's; its model of the list would read and write every resource a second time."""
        context = Context.RESOURCE_QUERY_RESPONSE
        found = [shown(self.publish(base_url, resource), context, search_request) for resource in page.resources]
        response = super().search_response(base_url, resource_types, replace(page, resources=[]), search_request)
        if response.body is not None and found:
            response.body |= {"itemsPerPage": len(found), "Resources": found}
        return response

    @staticmethod
    def resource_response(
        resource: Resource[Any], scim_ctx: Context, response_parameters: ResponseParameters[Any] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> ScimResponse:  # fmt: skip
        """A published resource, with its ETag."""
        meta = cast("Meta", resource.meta)
        headers = {"Content-Location": str(meta.location)} | ({"ETag": meta.version} if meta.version else {})
        return ScimResponse(status, shown(resource, scim_ctx, response_parameters), headers)

    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: ResponseParameters[Any]
    ) -> ScimResponse:
        """As scim2-server's: 204 with the ETag where no attributes are asked for, and then nothing is put together."""
        meta = resource.meta
        if response_parameters.attributes or response_parameters.excluded_attributes or not (meta and meta.version):
            return super().patch_response(base_url, resource, response_parameters)
        return ScimResponse(HTTPStatus.NO_CONTENT, None, {"ETag": meta.version})

    def decode_body(self, body: bytes, content_type: str | None) -> Any:
        """A body as JSON, not validated yet."""
        self.ensure_json(content_type)
        data = read_json(body, max_bytes=MAX_BODY)
        if isinstance(data, dict) and isinstance(data.get("filter"), str):
            data["filter"] = normal_filter(data["filter"])
        return data


def shown(
    resource: Resource[Any], scim_ctx: Context, parameters: ResponseParameters[Any] | None
) -> dict[str, Any]:  # fmt: skip
    """A resource as the JSON of an answer (RFC 7644 §3.9).

    Where all of it is asked for, its plain form is the same and costs a third: nothing here is returned on request
    only, and `password`, which never is, is never kept.
    """
    if parameters is None or not (parameters.attributes or parameters.excluded_attributes):
        return resource.model_dump()
    return resource.model_dump(scim_ctx=scim_ctx, response_parameters=parameters)


@lru_cache(maxsize=64)
def _references(model: type[Resource[Any]]) -> tuple[tuple[type[Extension] | None, str, str], ...]:
    """Where a resource refers to others (RFC 7643 §2.3.7): extension, attribute and the reference's name there."""
    found = []
    for path in parametrize(Path, model).iter_paths(target_type=[Reference]):
        binding = path.resolve()
        kinds: set[str] = set(getattr(binding and binding.target_type, "__reference_types__", ()))
        if binding and binding.sub_field_name and kinds and not kinds & {"external", "uri"}:
            extension = binding.model if issubclass(binding.model, Extension) else None
            found.append((extension, binding.field_name, binding.sub_field_name))
    return tuple(found)


def _normal(data: dict[str, Any], model: type[Any]) -> dict[str, Any]:
    if issubclass(model, PatchOp):
        return normal_patch(data, _kind(model.__pydantic_generic_metadata__["args"][0]))
    if issubclass(model, Resource):
        return normal_resource(data, _kind(model))
    if issubclass(model, BulkRequest) and isinstance(data.get("Operations"), list):
        return data | {"Operations": [_normal_operation(operation) for operation in data["Operations"]]}
    return data


def _normal_operation(operation: Any) -> Any:
    """One operation of a bulk request (RFC 7644 §3.7), its data as in a request of its own."""
    if not isinstance(operation, dict) or not isinstance(operation.get("data"), dict):
        return operation
    kind: Any = "Group" if str(operation.get("path")).lower().startswith("/groups") else "User"
    normal = normal_patch if str(operation.get("method")).upper() == "PATCH" else normal_resource
    return operation | {"data": normal(operation["data"], kind)}


def _kind(model: type[Any]) -> Any:
    return "Group" if issubclass(model, Group) else "User"


class Handler(ScimHandler):
    """scim2-server's handler, save that members of a group are rows and never copied as a whole."""

    storage: Storage

    def replace(self, request: ScimRequest) -> ScimResponse:
        """Replace a resource; who is made inactive without an address (JumpCloud sends null) keeps theirs."""
        place, _, user = request.path.strip("/").partition("/")
        if place.lower() == "users" and user:
            data = read_json(request.body, max_bytes=MAX_BODY)
            sent = normal_resource(data, "User")
            if sent.get("active") is False and "emails" not in sent:
                request = replace(request, body=self._with_emails(user, data))
        return super().replace(request)

    def _with_emails(self, user: str, data: dict[str, Any]) -> bytes:
        current: Any = self.storage.get(self.service.resource_type_at("/Users"), user)
        kept = {name: value for name, value in data.items() if name.lower() != "emails"}
        return json.dumps(kept | {"emails": current.model_dump().get("emails")}).encode()

    def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: PatchOp[Any], conditions: Conditions
    ) -> Resource[Any]:
        """Apply a PATCH; where it only changes members, as INSERT and DELETE."""
        if not patch_op.operations:
            return self.storage.get(resource_type, resource_id)
        if resource_type.id != "Group" or (changes := _members_only(patch_op)) is None:
            return super().patch_resource(resource_type, resource_id, patch_op, conditions)
        row = self.storage.row(resource_type, resource_id, lock=True)
        conditions.check(version_of(row), "PATCH")
        return self.storage.change_members(resource_type, row, changes)


def _members_only(patch_op: PatchOp[Any]) -> list[MemberChange] | None:
    operations = [
        {"op": operation.op.value, "path": str(operation.path) if operation.path else None, "value": operation.value}
        for operation in patch_op.operations or []
    ]
    return member_changes({"Operations": operations})
