"""What people decide on asks. The operator does the rest; reports tell what came of it."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from heliostat_api.approvals.reading import Approvals, may_decide
from heliostat_api.approvals.schemas import (
    Decided,
    DecideRequest,
    DeniedAll,
    DenyAllRequest,
    ResolveRequest,
)
from heliostat_api.base.ask_views import ApprovalView
from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import Text, bilingual
from heliostat_api.documents.port import Document
from heliostat_api.events.log import EventLog
from heliostat_api.people.topics import topic_of_person
from heliostat_api.recording.announcing import Record
from heliostat_api.records.approvals import report_of, view_approval, view_resource
from heliostat_api.web.metrics import Metrics
from heliostat_api.web.problems import NotFoundProblem, ProblemError, refused
from heliostat_core.approvals import API_PREFIX, Approval, ApprovalState
from heliostat_core.worlds import (
    APPROVAL,
    ConflictError,
    ForbiddenError,
    InvalidError,
    JsonObject,
    Ref,
    World,
)

DECIDER: Final = "heliostat-api-decides"
RESOLVER: Final = "heliostat-api-resolves"
"""Field managers begin with these: each person has their own, so that what they said is noted with
its time, and what somebody else says takes nothing of it back."""
_WORDS: Final = {"approve": "Approve", "deny": "Deny"}
_OUTCOMES: Final = {"happened": "Happened", "did_not_happen": "DidNotHappen"}
_QUICK_SECONDS: Final = 3.0
_PAGE: Final = 100


@dataclass(frozen=True)
class Deciding:
    """Writes decisions into the world, under the person's name."""

    approvals: Approvals
    world: World
    as_manager: Callable[[str], World]
    """The same world under the name of a field manager."""
    record: Record
    log: EventLog
    guests_of: Callable[[str], Awaitable[Iterable[str]]]
    """The ids of guests that a person was before they signed in."""
    suspend_agent: Callable[[Person, str, str], Awaitable[object]]
    """Suspends an agent by its id, for a request's correlation id. Raises problems."""
    counted: Metrics
    clock: Callable[[], datetime]

    async def decide(self, person: Person, ask_id: str, request: DecideRequest) -> Decided:
        """Raises problems with status 403, 404 and 422; what came of all else is reported."""
        document = await self._decidable(person, ask_id)
        view = view_approval(document)
        refuse_unshown(view, request)
        if request.decision == "approve":
            await self._refuse_requester(person, view)
        self.counted.count_decision(request.decision, shown_as(request.shown_seconds))
        await self._decide(person, document, request.decision, request.reason)
        return Decided()

    async def resolve(self, person: Person, ask_id: str, request: ResolveRequest) -> Decided:
        """Raises problems with status 403 and 404; what came of all else is reported."""
        document = await self._decidable(person, ask_id)
        found = await self._resource(view_approval(document))
        if (
            found is None
            or found.state is not ApprovalState.OUTCOME_UNKNOWN
            or found.spec.resolution is not None
        ):
            await self._tell(person, document, found)
            return Decided()
        resolution = {
            "by": person.api_name,
            "outcome": _OUTCOMES[request.outcome],
            **({"reason": request.reason} if request.reason else {}),
        }
        await self._write(person, RESOLVER, found, document, {"resolution": resolution})
        return Decided()

    async def deny_all(
        self, person: Person, request: DenyAllRequest, correlation: str
    ) -> DeniedAll:
        """All that is still to be decided of one run. Its agent is suspended first: then nothing
        of it asks again. Raises problems with status 403 and 404."""
        found = await self._pending_of(person, request.execution)
        refuse_key_and_guest(person)
        if request.suspend_agent and (agent := next((each for _, each in found), None)):
            await self.suspend_agent(person, agent.agent_id, correlation)
        for document, _ in found:
            await self._decide(person, document, "deny", request.reason)
        return DeniedAll(denied=len(found))

    async def _pending_of(
        self, person: Person, execution: str
    ) -> list[tuple[Document, ApprovalView]]:
        """Raises NotFoundProblem for a run without any ask that they see."""
        page = await self.approvals.page(person, execution=execution, limit=_PAGE)
        if not page.items:
            raise NotFoundProblem("run with asks")
        documents = [await self.approvals.document(person, each.id) for each in page.items]
        return [
            (document, view)
            for document, view in zip(documents, page.items, strict=True)
            if view.state == ApprovalState.PENDING and may_decide(person, document)
        ]

    async def _decidable(self, person: Person, ask_id: str) -> Document:
        """Raises problems with status 403 and 404."""
        document = await self.approvals.document(person, ask_id)
        refuse_key_and_guest(person)
        if not may_decide(person, document):
            raise ProblemError(HTTPStatus.FORBIDDEN, not_an_approver(view_approval(document)))
        return document

    async def _refuse_requester(self, person: Person, view: ApprovalView) -> None:
        """Whoever signs in is still the guest who started the run."""
        if view.requester_may_approve:
            return
        own = {person.id, *await self.guests_of(person.id)}
        if view.requested_by in {f"{API_PREFIX}{each}" for each in own}:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                bilingual(
                    en="You started this run, and its agent wants somebody else to approve: ask an "
                    "approver of its namespace. You may still deny.",
                    ko="직접 시작한 실행입니다. 이 에이전트는 다른 사람의 승인을 요구하므로 "
                    "네임스페이스의 승인자에게 요청하세요. 거부는 할 수 있습니다.",
                ),
            )

    async def _decide(self, person: Person, document: Document, word: str, reason: str) -> None:
        view = view_approval(document)
        found, by = await self._resource(view), person.api_name
        if (
            found is None
            or found.state is not ApprovalState.PENDING
            or any(each.by == by for each in found.spec.decisions)
        ):
            return await self._tell(person, document, found)
        decision = {
            "by": by,
            "decision": _WORDS[word],
            "digest": view.digest,
            **({"reason": reason} if reason else {}),
        }
        return await self._write(person, DECIDER, found, document, {"decisions": [decision]})

    async def _write(
        self, person: Person, prefix: str, found: Approval, document: Document, spec: JsonObject
    ) -> None:
        """Where the world refuses because somebody was faster, the person is told what is now."""
        meta = found.metadata
        place = {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid}
        asked: JsonObject = {
            "apiVersion": APPROVAL.api_version,
            "kind": APPROVAL.name,
            "metadata": place,
            "spec": spec,
        }
        try:
            written = await self.as_manager(manager_of(prefix, person)).apply(asked)
        except (ConflictError, ForbiddenError, InvalidError):
            later = await self._resource(view_approval(document))
            if later is not None and later.state is found.state:
                raise
            await self._tell(person, document, later)
            return
        await self.record(APPROVAL, written)

    async def _resource(self, view: ApprovalView) -> Approval | None:
        """As it is now; None where it is gone."""
        found = await self.world.get(Ref(APPROVAL, view.namespace, view.name))
        approval = Approval.model_validate(found) if found is not None else None
        return approval if approval and approval.metadata.uid == view.id else None

    async def _tell(self, person: Person, document: Document, found: Approval | None) -> None:
        """The person's screens are told how it is, though nothing changed by them."""
        view = view_approval(document)
        run = await self.approvals.documents.get(f"executions/{view.execution}")
        if found is not None and run is not None:
            view = view_resource(found, run)
        await self.log.append(topic_of_person(person.id), report_of(view, self.clock()))


def manager_of(prefix: str, person: Person) -> str:
    """The field manager of one person."""
    return f"{prefix}-{hashlib.sha256(person.id.encode()).hexdigest()[:16]}"


def shown_as(seconds: float | None) -> str:
    """For the count of decisions that nobody can have read for."""
    if seconds is None:
        return "unknown"
    return "quick" if seconds < _QUICK_SECONDS else "longer"


def refuse_key_and_guest(person: Person) -> None:
    """Raises a problem with status 403 for who did not sign in, or is not here themselves."""
    if person.by_key:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            bilingual(
                en="A key may not decide: sign in to the dashboard and decide there.",
                ko="키로는 결정할 수 없습니다. 대시보드에 로그인해서 결정하세요.",
            ),
        )
    if person.kind is PersonKind.GUEST:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            bilingual(
                en="Sign in to decide: what waits comes with you.",
                ko="결정하려면 로그인하세요. 기다리는 요청은 그대로 옮겨집니다.",
            ),
        )


def refuse_unshown(view: ApprovalView, request: DecideRequest) -> None:
    """Raises a problem with status 422 for a decision on something else than this, whole."""
    if request.digest != view.digest:
        said = bilingual(
            en="is that of another action: read the approval again and decide on what it says now",
            ko="다른 동작의 값입니다. 승인 요청을 다시 읽고 지금 내용으로 결정하세요",
        )
        raise refused([FieldError(field="digest", message=said)])
    is_whole = view.is_complete and not any(each.is_cut for each in view.facts)
    if request.decision == "approve" and not is_whole:
        said = bilingual(
            en="must be deny: the whole action can't be shown",
            ko="deny여야 합니다. 동작 전체를 보여줄 수 없습니다",
        )
        raise refused([FieldError(field="decision", message=said)])


def not_an_approver(view: ApprovalView) -> Text:
    """What somebody is told who may look only."""
    place = f"kubectl -n {view.namespace} get approval {view.name}"
    return bilingual(
        en=f"Only approvers of the namespace {view.namespace} decide on it here, and with kubectl "
        f"whoever may there: {place} shows it.",
        ko=f"여기서는 네임스페이스 {view.namespace}의 승인자만 결정합니다. kubectl 권한이 있으면 "
        f"{place} 명령으로 볼 수 있습니다.",
    )
