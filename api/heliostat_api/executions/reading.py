"""Executions from the documents: live and long gone ones alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import ExecutionView, TranscriptView, View
from heliostat_api.documents.paging import query_merged
from heliostat_api.documents.port import Document, Documents, Query
from heliostat_api.documents.transcripts import TranscriptPage
from heliostat_api.people.visibility import is_own, is_owned, queries_of, sees
from heliostat_api.records.executions import view_execution
from heliostat_api.records.fields import SPEC, SPEC_CUT
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_core.executions import ExecutionSpec, Phase

_COLLECTION = "executions"
_GOING = (Phase.STARTING, Phase.RUNNING, Phase.RETRYING, Phase.STOPPING)


class ExecutionPage(View):
    """Newest first. `next` is the cursor of older ones; None at the end."""

    items: tuple[ExecutionView, ...]
    next: str | None


class ExecutionCounts(View):
    """Runs that have not ended: those that go on, and those that wait for something."""

    going: int
    waiting: int


@dataclass(frozen=True)
class Executions:
    """What one person may see of them: their own, and those without an owner that they operate."""

    documents: Documents

    async def get(self, person: Person, uid: str) -> ExecutionView:
        """Raises NotFoundProblem, for somebody else's too."""
        return view_of(await self.document(person, uid))

    async def spec(self, person: Person, uid: str) -> ExecutionSpec:
        """What it was asked to do. Raises NotFoundProblem, also where the record does not say:
        the earlier platform kept none. And a problem with status 409 where it says not all.
        """
        document = await self.document(person, uid)
        if SPEC not in document.fields:
            raise NotFoundProblem("order of that run")
        if document.fields.get(SPEC_CUT) is True:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                bilingual(
                    en="Its input and parameters were too long to be kept: start a new run of its "
                    "agent with less in them.",
                    ko="입력과 매개변수가 너무 길어 보관하지 못했습니다. 더 짧은 입력으로 "
                    "에이전트를 새로 실행하세요.",
                ),
            )
        return ExecutionSpec.model_validate(document.fields[SPEC])

    async def document(self, person: Person, uid: str) -> Document:
        """Its document. Raises NotFoundProblem."""
        document = await self.documents.get(f"{_COLLECTION}/{uid}")
        if document is None or not sees(person, document):
            raise NotFoundProblem("execution")
        return document

    async def commanded(self, person: Person, uid: str) -> ExecutionView:
        """One that they may command. Raises NotFoundProblem, and a problem with status 403."""
        document = await self.document(person, uid)
        view = view_of(document)
        if not is_own(person, document):
            cancel = (
                f"kubectl -n {view.namespace} patch execution {view.name} --type merge "
                """-p '{"spec":{"cancel":true}}'"""
            )
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                bilingual(
                    en=f"It was made with kubectl and is commanded there: {cancel} cancels it; a "
                    "new Execution of the same Agent runs it again.",
                    ko=f"kubectl로 만든 실행이라서 그곳에서 다룹니다. {cancel} 명령으로 취소하고, "
                    "같은 에이전트의 새 Execution으로 다시 실행합니다.",
                ),
            )
        return view

    async def page(
        self,
        person: Person,
        *,
        agent: str | None = None,
        agent_id: str | None = None,
        phase: str | None = None,
        is_finished: bool | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ExecutionPage:
        """Raises CursorError, and a problem with status 400 for filters that do not go together."""
        if agent_id is not None and (agent, phase, is_finished) != (None, None, None):
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                bilingual(
                    en="agentId goes with no other filter: leave out agent and phase.",
                    ko="agentId는 다른 필터와 함께 쓸 수 없습니다. agent와 phase를 빼고 다시 "
                    "요청하세요.",
                ),
            )
        given = {
            "agentName": agent,
            "agentId": agent_id,
            "phase": phase,
            "isFinished": is_finished,
        }
        where = {name: value for name, value in given.items() if value is not None}
        query = Query(_COLLECTION, person.id, where, limit=limit, after=cursor)
        page = await query_merged(self.documents, queries_of(person, query))
        return ExecutionPage(
            items=tuple(view_of(document) for document in page.documents), next=page.next
        )

    async def counts(self, person: Person) -> ExecutionCounts:
        """All that they see, however many."""
        waiting = await self._count(person, {"phase": Phase.PENDING.value})
        going = [await self._count(person, {"phase": each.value}) for each in _GOING]
        return ExecutionCounts(going=sum(going), waiting=waiting)

    async def _count(self, person: Person, where: Mapping[str, str | int | bool]) -> int:
        query = Query(_COLLECTION, person.id, where)
        return sum([await self.documents.count(each) for each in queries_of(person, query)])


def view_of(document: Document) -> ExecutionView:
    """The last view that was recorded, or what the earlier platform's fields make of one."""
    return view_execution(document).model_copy(update={"is_owned": is_owned(document)})


def latest_attempt(execution: ExecutionView) -> int:
    """The attempt that people mean when they name none; 1 before there is any."""
    return execution.attempts[-1].number if execution.attempts else 1


def view_transcript(attempt: int, page: TranscriptPage) -> TranscriptView:
    """A page of raw lines as clients get it."""
    return TranscriptView(
        attempt=attempt,
        first=page.first,
        events=tuple(json.loads(line) for line in page.events),
        next=page.next,
    )
