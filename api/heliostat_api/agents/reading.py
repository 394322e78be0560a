"""Agents from the documents: those of the dashboard and those made by kubectl, in one list."""

from dataclasses import dataclass
from http import HTTPStatus

from pydantic import JsonValue, TypeAdapter

from heliostat_api.base.person import Person
from heliostat_api.base.texts import bilingual
from heliostat_api.base.views import AgentDetailView, AgentView, View
from heliostat_api.documents.paging import query_merged
from heliostat_api.documents.port import OWNER, Document, Documents, Query
from heliostat_api.people.visibility import is_own, is_owned, queries_of, sees
from heliostat_api.records.agents import read_agent, view_agent
from heliostat_api.records.contents import with_defaults
from heliostat_api.records.drafts import exported_spec, read_draft
from heliostat_api.records.fields import SCHEDULE_STATUS, SHOWN, SPEC
from heliostat_api.records.manifests import export_yaml
from heliostat_api.records.names import resource_name, slug
from heliostat_api.records.schedules import view_recent
from heliostat_api.web.problems import NotFoundProblem, ProblemError
from heliostat_core.schedules.status import ScheduleStatus

_COLLECTION = "agents"
_SPEC = TypeAdapter(dict[str, JsonValue])


class AgentPage(View):
    """Newest first. `next` is the cursor of older ones; None at the end."""

    items: tuple[AgentView, ...]
    next: str | None


@dataclass(frozen=True)
class Found:
    """An agent and the id of the person whose it is."""

    owner: str
    view: AgentView


@dataclass(frozen=True)
class Agents:
    """What one person may see of them: their own, and those without an owner that they operate."""

    documents: Documents

    async def get(self, person: Person, agent_id: str) -> AgentView:
        """Raises NotFoundProblem, for somebody else's too."""
        return view_of(await self.document(person, agent_id))

    async def commanded(self, person: Person, agent_id: str) -> AgentView:
        """One that they may run. Raises NotFoundProblem, and a problem with status 403."""
        document = await self.document(person, agent_id)
        view = view_of(document)
        if not is_own(person, document):
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                bilingual(
                    en="It was made with kubectl and is run there: create an Execution with "
                    f"agentRef {view.resource} in namespace {view.namespace}. Or duplicate it to "
                    "have one of your own.",
                    ko="kubectl로 만든 에이전트라서 그곳에서 실행합니다. 네임스페이스 "
                    f"{view.namespace}에서 agentRef {view.resource}(으)로 Execution을 만들거나, "
                    "복제해서 내 에이전트로 쓰세요.",
                ),
            )
        return view

    async def detail(self, person: Person, agent_id: str) -> AgentDetailView:
        """The same with its spec and manifest. Raises NotFoundProblem."""
        return view_detail(await self.document(person, agent_id))

    async def find(self, agent_id: str) -> Found | None:
        """Anybody's, for what proves by itself that it may; None for nobody's, and for none."""
        document = await self.documents.get(f"{_COLLECTION}/{agent_id}")
        if document is None or not is_shown(document) or not is_owned(document):
            return None
        return Found(str(document.fields[OWNER]), view_of(document))

    async def document(self, person: Person, agent_id: str) -> Document:
        """Its document. Raises NotFoundProblem."""
        document = await self.documents.get(f"{_COLLECTION}/{agent_id}")
        if document is None or not sees(person, document) or not is_shown(document):
            raise NotFoundProblem("agent")
        return document

    async def page(self, person: Person, cursor: str | None = None, limit: int = 50) -> AgentPage:
        """Raises CursorError."""
        query = Query(_COLLECTION, person.id, {SHOWN: True}, limit=limit, after=cursor)
        page = await query_merged(self.documents, queries_of(person, query))
        return AgentPage(
            items=tuple(view_of(document) for document in page.documents), next=page.next
        )


def is_shown(document: Document) -> bool:
    """Whether people see it: a draft, or one whose resource is there."""
    return document.fields.get(SHOWN, True) is True


def view_of(document: Document) -> AgentView:
    """The last view that was recorded, or what the earlier platform's fields make of one."""
    return view_agent(document).model_copy(update={"is_owned": is_owned(document)})


def spec_of(document: Document) -> dict[str, JsonValue]:
    """Of any agent; the earlier platform kept a prompt alone."""
    if SPEC in document.fields:
        return _SPEC.validate_python(document.fields[SPEC])
    prompt = read_agent(document).final_agent_prompt
    return {"prompt": prompt} if prompt else {}


def view_detail(document: Document) -> AgentDetailView:
    """With the spec as it is saved; of one made by kubectl as its resource has it."""
    view, draft = view_of(document), read_draft(document)
    if draft is not None:
        name = draft.resource or resource_name(draft.name, document.id)
        spec, exported = dict(draft.spec), exported_spec(draft)
        status = draft.state.schedule if draft.state else None
    else:
        name, spec = view.resource or slug(view.name), spec_of(document)
        exported = spec
        status = read_schedule_status(document)
    whole = with_defaults(exported)
    return AgentDetailView(
        **{each: getattr(view, each) for each in AgentView.model_fields},
        spec=spec,
        yaml=export_yaml(name, exported),
        whole_yaml=export_yaml(name, _SPEC.validate_python(whole.to_json())) if whole else "",
        schedule_recent=view_recent(status),
    )


def read_schedule_status(document: Document) -> ScheduleStatus | None:
    """Of an agent made by kubectl; None where it was recorded without one."""
    known = document.fields.get(SCHEDULE_STATUS)
    return ScheduleStatus.model_validate(known) if known else None
