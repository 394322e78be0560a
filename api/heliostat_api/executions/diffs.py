"""What differs between two runs: what they were asked, how they ended, what they made. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import JsonValue, TypeAdapter

from heliostat_api.base.views import ExecutionView, FieldChangeView, View
from heliostat_api.documents.files import WorkFile
from heliostat_api.documents.port import Document
from heliostat_api.executions.reading import view_of
from heliostat_api.records.diffs import changes_between
from heliostat_api.records.fields import SPEC
from heliostat_api.records.subjects import as_json

_OWN: Final = frozenset(
    {"id", "name", "correlationId", "createdTime", "startTime", "completionTime", "blockedBy"}
)
"""Fields of a view that differ between any two runs, or tell of now alone."""
_OWN_ORDER: Final = frozenset({"correlationId", "trigger", "cancel", "deadlineTime"})
_JSON = TypeAdapter(dict[str, JsonValue])


class FileChangeView(View):
    """A file of either run, by its path; `id` is that of the run's latest one, null without."""

    path: str
    change: Literal["added", "removed", "changed", "same"]
    left_id: str | None
    right_id: str | None


class ExecutionDiffView(View):
    """From the left run to the right one. `changes` names fields of the view, and of `spec` what
    the run was asked; `attempts` is their number."""

    left: ExecutionView
    right: ExecutionView
    changes: tuple[FieldChangeView, ...]
    files: tuple[FileChangeView, ...]


def build_diff(
    left: Document, right: Document, made_left: Sequence[WorkFile], made_right: Sequence[WorkFile]
) -> ExecutionDiffView:
    """Files are given with the latest first."""
    return ExecutionDiffView(
        left=view_of(left),
        right=view_of(right),
        changes=changes_between(comparable(left), comparable(right)),
        files=tuple(compare_files(latest(made_left), latest(made_right))),
    )


def comparable(run: Document) -> dict[str, JsonValue]:
    """What of a run may be compared with another's."""
    view = view_of(run)
    told = {name: each for name, each in as_json(view).items() if name not in _OWN}
    asked = _JSON.validate_python(run.fields.get(SPEC) or {})
    spec: JsonValue = {name: each for name, each in asked.items() if name not in _OWN_ORDER}
    return {**told, "attempts": len(view.attempts), "spec": spec}


def latest(files: Sequence[WorkFile]) -> dict[str, WorkFile]:
    """Each path's file of the last attempt that left one."""
    return {each.path: each for each in sorted(files, key=lambda each: each.attempt)}


def compare_files(
    left: dict[str, WorkFile], right: dict[str, WorkFile]
) -> Iterator[FileChangeView]:
    """In the order of their paths."""
    for path in sorted(left.keys() | right.keys()):
        before, after = left.get(path), right.get(path)
        yield FileChangeView(
            path=path,
            change=change_of(before, after),
            left_id=before.id if before else None,
            right_id=after.id if after else None,
        )


def change_of(
    before: WorkFile | None, after: WorkFile | None
) -> Literal["added", "removed", "changed", "same"]:
    """By what is in them."""
    if before is None or after is None:
        return "added" if before is None else "removed"
    return "same" if before.sha256 == after.sha256 else "changed"
