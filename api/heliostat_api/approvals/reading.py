"""Asks from the documents: open and decided ones alike."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from heliostat_api.approvals.schemas import ApprovalPage
from heliostat_api.base.ask_views import ApprovalView
from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.documents.paging import query_merged
from heliostat_api.documents.port import Document, Documents, Query
from heliostat_api.documents.values import text_in
from heliostat_api.people.visibility import is_own, queries_of, sees
from heliostat_api.records.approvals import APPROVERS, shortened, view_approval
from heliostat_api.web.problems import NotFoundProblem, ProblemError

_COLLECTION = "approvals"


@dataclass(frozen=True)
class Approvals:
    """What one person may see of them: their own, those without an owner where they operate, and
    those that need others where they approve."""

    documents: Documents

    async def get(self, person: Person, ask_id: str) -> ApprovalView:
        """Whole. Raises NotFoundProblem, for somebody else's too."""
        return view_approval(await self.document(person, ask_id))

    async def document(self, person: Person, ask_id: str) -> Document:
        """Its document. Raises NotFoundProblem."""
        document = await self.documents.get(f"{_COLLECTION}/{ask_id}")
        if document is None or not (sees(person, document) or approves(person, document)):
            raise NotFoundProblem("approval")
        return document

    async def page(
        self,
        person: Person,
        *,
        is_open: bool | None = None,
        execution: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ApprovalPage:
        """Raises CursorError, and a problem with status 400 for filters that do not go together."""
        if is_open is not None and execution is not None:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                bilingual(
                    en="execution goes with no other filter: leave out open.",
                    ko="execution은 다른 필터와 함께 쓸 수 없습니다. open을 빼고 다시 요청하세요.",
                ),
            )
        given = {"isOpen": is_open, "execution": execution}
        where = {name: value for name, value in given.items() if value is not None}
        query = Query(_COLLECTION, person.id, where, limit=limit, after=cursor)
        page = await query_merged(self.documents, (*queries_of(person, query), *_of(person, query)))
        items = tuple(shortened(view_approval(each)) for each in page.documents)
        return ApprovalPage(items=items, next=page.next)


def approves(person: Person, document: Document) -> bool:
    """Whether it needs others beside its owner, and they are one of those who may."""
    return text_in(document.fields, APPROVERS) in person.approves


def may_decide(person: Person, document: Document) -> bool:
    """Whether their word counts at all: it is theirs, or they approve where it was asked."""
    return is_own(person, document) or approves(person, document)


def _of(person: Person, query: Query) -> tuple[Query, ...]:
    """The same list of what they approve."""
    where: Mapping[str, str | int | bool] = query.where or {}
    return tuple(
        replace(query, owner=None, where={**where, APPROVERS: each})
        for each in sorted(person.approves)
    )
