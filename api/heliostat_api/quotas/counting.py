"""Counts what a person's quotas limit: live runs, and agents with a schedule."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Final

from pydantic import JsonValue

from heliostat_api.documents.port import Document, Documents, Query
from heliostat_api.quotas.service import Quotas, Refusal
from heliostat_api.records.drafts import Draft, has_schedule, read_draft
from heliostat_api.records.fields import SHOWN

_PAGE: Final = 200
_RUNS: Final = Refusal(
    HTTPStatus.TOO_MANY_REQUESTS,
    en="{who} may have {most} runs under way at once: wait until one ends, or cancel one.",
    ko="{who} 동시에 {most}개까지 실행할 수 있습니다. 하나가 끝나기를 기다리거나 취소하세요.",
    retry_after=10,
)
_SCHEDULES: Final = Refusal(
    HTTPStatus.CONFLICT,
    en="{who} may have {most} active agents with a schedule: deactivate one of them, or take the "
    "schedule out of this one.",
    ko="{who} 일정이 있는 에이전트를 {most}개까지 활성화할 수 있습니다. 하나를 비활성화하거나 이 "
    "에이전트의 일정을 빼세요.",
)


@dataclass(frozen=True)
class Counting:
    """Counts what the store holds."""

    documents: Documents

    async def live_runs(self, person_id: str, most: int) -> Collection[str]:
        """Names of runs that have not ended, `most` of them at most."""
        query = Query("executions", person_id, {"isFinished": False}, limit=min(most, _PAGE))
        page = await self.documents.query(query)
        return {str(each.fields.get("name") or each.id) for each in page.documents}

    async def schedules(self, person_id: str, most: int) -> Collection[str]:
        """Ids of active agents that start by themselves, `most` of them at most."""
        query, found = Query("agents", person_id, {SHOWN: True}, limit=_PAGE), set[str]()
        while True:
            page = await self.documents.query(query)
            found |= {each.id for each in page.documents if is_scheduled(each)}
            if page.next is None or len(found) >= most:
                return found
            query = replace(query, after=page.next)


def is_scheduled(document: Document) -> bool:
    """Whether it is an active agent of the dashboard whose resource has a schedule."""
    draft = read_draft(document)
    return draft is not None and draft.status == "active" and has_schedule(applied_spec(draft))


def applied_spec(draft: Draft) -> Mapping[str, JsonValue]:
    """What its resource says; what it is to be says nothing before the next activation."""
    return draft.state.spec if draft.state else {}


def build_run_quotas(
    documents: Documents, clock: Callable[[], datetime], guest: int = 0, person: int = 0
) -> Quotas:
    """Builds the quotas of live runs; 0 is no limit."""
    present = Counting(documents).live_runs
    return Quotas(documents, clock, "runs", present, _RUNS, guest, person)


def build_schedule_quotas(
    documents: Documents, clock: Callable[[], datetime], guest: int = 0, person: int = 0
) -> Quotas:
    """Builds the quotas of agents with a schedule; 0 is no limit."""
    present = Counting(documents).schedules
    return Quotas(documents, clock, "schedules", present, _SCHEDULES, guest, person)
