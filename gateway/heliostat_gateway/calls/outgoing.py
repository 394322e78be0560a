"""What one provider gets of a request: the caller's own bytes, or a translation. Pure."""

from dataclasses import dataclass

from heliostat_gateway.calls.asks import Ask
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


def build_outgoing(ask: Ask, plan: Plan, candidate: Candidate, most: int | None) -> Outgoing:
    """The call to one candidate; `most` output tokens under a strict cap.

    Raises UntranslatableError, which names the field that the candidate's dialect can't say.
    """
    edits = _edits(ask, plan, most)
    target = candidate.provider.dialect
    if target is ask.dialect:
        if candidate.provider.checks_signatures:
            # First: its places are those of the caller's own request.
            edits = drop_foreign_parts(ask.document) + edits
        if candidate.provider.target_is_model:
            edits += name_model(ask.document, candidate.target)
        usage = ask_for_usage(ask.document) if target is Dialect.CHAT else []
        edits += usage
        body = edit_bytes(ask.body, edits)
        document = edit_document(ask.document, edits) if edits else ask.document
        call = _call(ask, candidate, body, document if edits else ask.document)
        return Outgoing(call, (), bool(usage))
    translated = translate_request(
        edit_document(ask.document, edits),
        ask.dialect,
        target,
        candidate.target,
        takes_details=candidate.provider.takes_details,
    )
    document = edit_document(translated.document, _usage_edits(target, translated.document))
    call = _call(ask, candidate, dump_object(document), document)
    return Outgoing(call, translated.dropped, hides_usage=False)


def with_persona(ask: Ask, plan: Plan) -> tuple[JsonObject, int]:
    """The request as its persona makes it, and its size in bytes."""
    if plan.persona is None:
        return ask.document, len(ask.body)
    edits = _persona_edits(ask, plan)
    return edit_document(ask.document, edits), len(edit_bytes(ask.body, edits))


def _persona_edits(ask: Ask, plan: Plan) -> list[Edit]:
    if plan.persona is None:
        return []
    edits = set_defaults(ask.document, plan.persona.defaults)
    return edits + put_system_first(ask.document, ask.dialect, plan.persona.system)


def _edits(ask: Ask, plan: Plan, most: int | None) -> list[Edit]:
    edits = _persona_edits(ask, plan)
    if most is None:
        return edits
    return edits + lower_output(edit_document(ask.document, edits), ask.dialect, most)


def _usage_edits(target: Dialect, document: JsonObject) -> list[Edit]:
    return ask_for_usage(document) if target is Dialect.CHAT else []


def _call(ask: Ask, candidate: Candidate, body: bytes, document: JsonObject) -> ProviderCall:
    return ProviderCall(
        path=ask.path,
        query=ask.query,
        headers=ask.headers,
        body=body,
        request=document,
        target=candidate.target,
        execution=ask.caller.execution or ask.caller.account,
        credential=candidate.credential,
        stream=ask.is_stream,
    )
