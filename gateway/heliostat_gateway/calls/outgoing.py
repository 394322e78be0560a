"""What one provider gets of a request: the caller's own bytes, or a translation. Pure."""

from dataclasses import dataclass

from heliostat_gateway.calls.edits import (
    Edit,
    ask_for_usage,
    drop_foreign_parts,
    edit_bytes,
    edit_document,
    lower_output,
    name_model,
    put_system_first,
    set_defaults,
)
from heliostat_gateway.calls.requests import ModelRequest
from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.translation import translate_request
from heliostat_gateway.providers import ProviderCall
from heliostat_gateway.routes.plans import Candidate, Plan
from heliostat_json.encoding import dump_object
from heliostat_json.objects import JsonObject


@dataclass(frozen=True)
class Outgoing:
    """A call that is ready to be sent."""

    call: ProviderCall
    dropped: tuple[str, ...]  # fields that the target dialect can't say, harmlessly left out
    hides_usage: bool  # the provider was asked for a usage chunk that the caller did not ask for


def build_outgoing(
    request: ModelRequest, plan: Plan, candidate: Candidate, most: int | None
) -> Outgoing:
    """The call to one candidate; `most` output tokens under a strict cap.

    Raises UntranslatableError, which names the field that the candidate's dialect can't say.
    """
    edits = _edits(request, plan, most)
    target = candidate.provider.dialect
    if target is request.dialect:
        if candidate.provider.checks_signatures:
            # First: its places are those of the caller's own request.
            edits = drop_foreign_parts(request.document) + edits
        if candidate.provider.target_is_model:
            edits += name_model(request.document, candidate.target)
        usage = ask_for_usage(request.document) if target is Dialect.CHAT else []
        edits += usage
        body = edit_bytes(request.body, edits)
        document = edit_document(request.document, edits) if edits else request.document
        call = _call(request, candidate, body, document if edits else request.document)
        return Outgoing(call, (), bool(usage))
    translated = translate_request(
        edit_document(request.document, edits),
        request.dialect,
        target,
        candidate.target,
        takes_details=candidate.provider.takes_details,
    )
    document = edit_document(translated.document, _usage_edits(target, translated.document))
    call = _call(request, candidate, dump_object(document), document)
    return Outgoing(call, translated.dropped, hides_usage=False)


def with_persona(request: ModelRequest, plan: Plan) -> tuple[JsonObject, int]:
    """The request as its persona makes it, and its size in bytes."""
    if plan.persona is None:
        return request.document, len(request.body)
    edits = _persona_edits(request, plan)
    return edit_document(request.document, edits), len(edit_bytes(request.body, edits))


def _persona_edits(request: ModelRequest, plan: Plan) -> list[Edit]:
    if plan.persona is None:
        return []
    edits = set_defaults(request.document, plan.persona.defaults)
    return edits + put_system_first(request.document, request.dialect, plan.persona.system)


def _edits(request: ModelRequest, plan: Plan, most: int | None) -> list[Edit]:
    edits = _persona_edits(request, plan)
    if most is None:
        return edits
    return edits + lower_output(edit_document(request.document, edits), request.dialect, most)


def _usage_edits(target: Dialect, document: JsonObject) -> list[Edit]:
    return ask_for_usage(document) if target is Dialect.CHAT else []


def _call(
    request: ModelRequest, candidate: Candidate, body: bytes, document: JsonObject
) -> ProviderCall:
    return ProviderCall(
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=body,
        request=document,
        target=candidate.target,
        execution=request.caller.execution or request.caller.account,
        credential=candidate.credential,
        stream=request.is_stream,
    )
