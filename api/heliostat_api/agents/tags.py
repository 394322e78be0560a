"""ETags of agents. An edit is of a revision: what a run changes meanwhile is no conflict."""

from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import Header

from heliostat_api.base.texts import bilingual, plain
from heliostat_api.web.problems import ProblemError

IfMatch: TypeAlias = Annotated[
    str | None, Header(max_length=256, description="The ETag that was read, or *.")
]


def tag_of(revision: int) -> str:
    """A strong one."""
    return f'"{revision}"'


def required(if_match: str | None) -> str:
    """Raises a problem with status 428."""
    if if_match is None:
        raise ProblemError(
            HTTPStatus.PRECONDITION_REQUIRED,
            plain(
                "Send If-Match with the ETag of the agent as you read it, so that nobody's edit is "
                "lost."
            ),
        )
    return if_match


def check_match(if_match: str | None, revision: int) -> None:
    """Raises a problem with status 412 unless it names this revision."""
    if if_match is None:
        return
    tags = [each.strip() for each in if_match.split(",")]
    if "*" not in tags and tag_of(revision) not in tags:
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED,
            bilingual(
                en=f"The agent was edited meanwhile: read revision {revision}, then edit that.",
                ko=f"그사이 에이전트가 수정되었습니다. 리비전 {revision}을(를) 읽고 고치세요.",
            ),
        )
