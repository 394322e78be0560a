"""Saved states of an agent: one document each, below the agent's."""

from datetime import datetime

from heliostat_api.base.views import RevisionDetailView, RevisionView, View
from heliostat_api.documents.port import Document, Expected, Fields, Put
from heliostat_api.records.contents import Content
from heliostat_api.records.diffs import changes_of


class RevisionPage(View):
    """Newest first. `next` is the cursor of older ones; None at the end."""

    items: tuple[RevisionView, ...]
    next: str | None


def revision_path(agent: str, number: int) -> str:
    """`agent` is the path of the agent's document."""
    return f"{agent}/revisions/{number:06d}"


def put_revision(agent: str, number: int, content: Content, note: str, now: datetime) -> Put:
    """A saved state is written once."""
    fields: Fields = {
        "number": number,
        "name": content.name,
        "description": content.description,
        "spec": dict(content.spec),
        "note": note,
        "createdAt": now,
    }
    return Put(revision_path(agent, number), fields, Expected.ABSENT)


def content_in(revision: Document) -> Content:
    """What was saved."""
    return Content.model_validate(
        {name: revision.fields[name] for name in ("name", "description", "spec")}
    )


def view_revision(revision: Document) -> RevisionView:
    """A line of the list."""
    return RevisionView.model_validate(_head(revision))


def view_revision_detail(revision: Document, before: Document | None) -> RevisionDetailView:
    """With what changed since the one before, or since there was nothing."""
    content = content_in(revision)
    return RevisionDetailView.model_validate(
        {
            **_head(revision),
            "description": content.description,
            "spec": content.spec,
            "changes": changes_of(content_in(before) if before else None, content),
        }
    )


def _head(revision: Document) -> dict[str, object]:
    fields = revision.fields
    return {
        "number": fields["number"],
        "name": fields["name"],
        "note": fields["note"],
        "created_time": fields["createdAt"],
    }
