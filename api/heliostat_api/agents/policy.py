"""The policy says what an agent may name: its owner's Secrets, images, hosts and models."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from pydantic import JsonValue

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.person import Person
from heliostat_api.base.texts import Text, bilingual
from heliostat_api.gateway.models import Route, Routes
from heliostat_api.records.contents import Content, Spec
from heliostat_api.secrets.records import OwnSecret
from heliostat_api.secrets.service import Secrets
from heliostat_api.secrets.uses import managed_secrets, secret_refs
from heliostat_api.web.problems import refused
from heliostat_core.egress import Host, is_allowed, read_host


@dataclass(frozen=True)
class PolicyResult:
    """A content with its secrets named as the world has them, and what is wrong with it.

    `hindrances` keep it from starting, not from being saved; `doubts` are what nobody could tell.
    """

    content: Content
    faults: tuple[FieldError, ...] = ()
    hindrances: tuple[FieldError, ...] = ()
    doubts: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class AgentPolicy:
    """Checks what agents name. `images` and `managed` secrets are patterns; None allows any."""

    secrets: Secrets
    images: Sequence[str] | None
    hosts: Sequence[str] | None
    managed: Sequence[str] | None
    routes: Routes

    async def checked(self, person: Person, content: Content) -> Content:
        """As it is stored. Raises a problem with status 422 that names every field."""
        looked = await self.look(person, content)
        if looked.faults:
            raise refused(looked.faults)
        return looked.content

    async def startable(self, person: Person, content: Content) -> Content:
        """As it runs. Raises a problem with status 422 for what is known to be wrong."""
        looked = await self.look(person, content)
        if faults := (*looked.faults, *looked.hindrances):
            raise refused(faults)
        return looked.content

    async def look(self, person: Person, content: Content) -> PolicyResult:
        """Whether that person may save and run it."""
        has_refs = any(secret_refs(content.spec))
        own = await self.secrets.of(person) if has_refs else ()
        spec, faults = resolve_secrets(content.spec, own)
        judged = (
            *judge_image(spec, self.images),
            *judge_hosts(spec, self.hosts),
            *judge_managed(spec, self.managed),
        )
        looked = PolicyResult(content.model_copy(update={"spec": spec}), (*faults, *judged))
        return with_route(looked, await self.routes.look(spec))


def with_route(looked: PolicyResult, route: Route | None) -> PolicyResult:
    """A model that is named must be served; one by default, only to start."""
    if route is None:
        return looked
    if route.doubt is not None:
        return replace(looked, doubts=(route.doubt,))
    if route.fault is None:
        return looked
    if route.is_named:
        return replace(looked, faults=(*looked.faults, route.fault))
    return replace(looked, hindrances=(route.fault,))


def resolve_secrets(spec: Spec, own: Sequence[OwnSecret]) -> tuple[Spec, tuple[FieldError, ...]]:
    """Names that a person gave become those of the Secrets; what is not theirs is unknown."""
    known = {each.name: each for each in own} | {each.resource: each for each in own}
    names: dict[int, str] = {}
    faults = []
    for place, name, key in secret_refs(spec):
        field = f"spec.workspace.secretRefs[{place}]"
        if name not in known:
            message = bilingual(
                en="there is no such secret of yours: make it first, under secrets",
                ko="그런 비밀 값이 없습니다. 먼저 비밀 값 메뉴에서 만드세요",
            )
            faults.append(FieldError(field=f"{field}.name", message=message))
        elif key not in known[name].keys:
            keys = ", ".join(known[name].keys)
            message = bilingual(
                en=f"must be one of its keys: {keys}", ko=f"다음 키 중 하나여야 합니다: {keys}"
            )
            faults.append(FieldError(field=f"{field}.key", message=message))
        elif known[name].resource != name:
            names[place] = known[name].resource
    return with_secret_names(spec, names), tuple(faults)


def with_secret_names(spec: Spec, names: Mapping[int, str]) -> Spec:
    """The spec with other names at these places of its references."""
    workspace = spec.get("workspace")
    if not names or not isinstance(workspace, Mapping):
        return spec
    refs = workspace["secretRefs"]
    assert isinstance(refs, list | tuple)
    renamed: list[JsonValue] = [
        {**each, "name": names[place]} if place in names and isinstance(each, dict) else each
        for place, each in enumerate(refs)
    ]
    return {**spec, "workspace": {**workspace, "secretRefs": renamed}}


def judge_managed(spec: Spec, patterns: Sequence[str] | None) -> Iterator[FieldError]:
    """Whether the admin lets agents made here name these secrets of Secret Manager: persons share
    a namespace, and its labels can't tell them apart."""
    if patterns is None:
        return
    for place, secret in managed_secrets(spec):
        if not any(fnmatchcase(secret, each) for each in patterns):
            yield FieldError(
                field=f"spec.workspace.secretRefs[{place}].secretManager.secret",
                message=_not_allowed(secret, patterns),
            )


def judge_image(spec: Spec, patterns: Sequence[str] | None) -> tuple[FieldError, ...]:
    """Whether the admin lets an agent have its image; none is the operator's own."""
    workspace = spec.get("workspace")
    image = workspace.get("image") if isinstance(workspace, Mapping) else None
    if patterns is None or not isinstance(image, str):
        return ()
    if any(fnmatchcase(image, each) for each in patterns):
        return ()
    return (FieldError(field="spec.workspace.image", message=_not_allowed(image, patterns)),)


def judge_hosts(spec: Spec, allowed: Sequence[str] | None) -> tuple[FieldError, ...]:
    """Whether the admin lets an agent reach its hosts; what is no host is said elsewhere."""
    if allowed is None:
        return ()
    return tuple(
        FieldError(
            field=f"spec.workspace.egress[{place}].host", message=_not_allowed(host, allowed)
        )
        for place, host in _named_hosts(spec)
        if not is_allowed(host, allowed)
    )


def _named_hosts(spec: Spec) -> Iterator[tuple[int, Host]]:
    workspace = spec.get("workspace")
    given = workspace.get("egress") if isinstance(workspace, Mapping) else None
    for place, each in enumerate(given if isinstance(given, list | tuple) else ()):
        host = each.get("host") if isinstance(each, Mapping) else None
        with suppress(ValueError):
            yield place, read_host(host if isinstance(host, str) else "")


def _not_allowed(what: Host | str, allowed: Sequence[str]) -> Text:
    listed = ", ".join(allowed)
    return bilingual(
        en=f"{what} is not allowed here: "
        + (f"must be within {listed}, or left out" if allowed else "leave it out")
        + "; an admin allows more",
        ko=f"{what}은(는) 여기서 허용되지 않습니다. "
        + (f"{listed} 안에서 고르거나 빼 주세요" if allowed else "빼 주세요")
        + ". 관리자가 더 허용할 수 있습니다",
    )
