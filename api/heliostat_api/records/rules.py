"""The rules of an Agent across its fields, which the API server keeps, before it is asked: pure."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from pydantic import JsonValue

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.texts import Text, bilingual
from heliostat_core.agents import AgentSpec
from heliostat_core.rules import Violation, broken_rules, repeated_items, with_defaults
from heliostat_core.schemas import structural_schema
from heliostat_core.worlds import JsonObject

ROOT: Final = "spec"
_RESERVED: Final = (
    "must not begin with HELIOSTAT_, ANTHROPIC_, OPENAI_ or CLAUDE_: Heliostat sets those",
    "HELIOSTAT_, ANTHROPIC_, OPENAI_, CLAUDE_로 시작할 수 없습니다. Heliostat이 정하는 변수입니다",
)
KOREAN: Final = {
    "must set at most one of claudeCode and command; with neither, Claude Code runs": (
        "claudeCode와 command 중 하나만 정할 수 있습니다. 둘 다 없으면 Claude Code가 실행됩니다"
    ),
    "must name a variable in env or in secretRefs, not in both": (
        "같은 변수를 env와 secretRefs에 함께 적을 수 없습니다"
    ),
    "must set size with type Volume, and only then": (
        "size는 type이 Volume일 때만, 그때는 반드시 정해야 합니다"
    ),
    f"name {_RESERVED[0]}": f"name은 {_RESERVED[1]}",
    f"envName {_RESERVED[0]}": f"envName은 {_RESERVED[1]}",
    "must set either name and key, or secretManager": (
        "name과 key를 함께 정하거나, secretManager만 정해야 합니다"
    ),
    "must have keys as Kubernetes wants them: a name of at most 63 letters, digits, '-', '_' and "
    "'.', with a DNS name and '/' before it or not": (
        "키는 쿠버네티스 형식이어야 합니다. 이름은 영문자, 숫자, '-', '_', '.'으로 63자까지이고, "
        "그 앞에 DNS 이름과 '/'를 붙일 수 있습니다"
    ),
    "must not have keys of heliostat.dev/ or batch.kubernetes.io/, nor "
    "app.kubernetes.io/managed-by, job-name, controller-uid: Heliostat and Kubernetes set those": (
        "heliostat.dev/ 또는 batch.kubernetes.io/로 시작하는 키와 app.kubernetes.io/managed-by, "
        "job-name, controller-uid는 쓸 수 없습니다. Heliostat과 쿠버네티스가 정하는 키입니다"
    ),
    "must set exactly one of tool, mcpTool, argv, class and host": (
        "tool, mcpTool, argv, class, host 중 하나만 정해야 합니다"
    ),
    "must leave out quorum unless decision is Ask": (
        "quorum은 decision이 Ask일 때만 정할 수 있습니다"
    ),
    "must set exactly one of command and files": "command와 files 중 하나만 정해야 합니다",
    "must stay in the workspace: no '..'": "작업 공간 안의 경로여야 합니다. '..'는 쓸 수 없습니다",
}
"""What each rule says, but for those of schedules and hosts: these have words of their own."""


@cache
def agent_schema() -> JsonObject:
    """Of an Agent's spec."""
    return structural_schema(AgentSpec, ROOT)


def breaches(spec: Mapping[str, JsonValue], *, is_whole: bool) -> Iterator[FieldError]:
    """Of a spec whose fields are each within their bounds, but for its schedule, which is judged
    elsewhere; what lacks fields is judged as far as its rules can be read."""
    schema = agent_schema()
    value = with_defaults({key: spec[key] for key in spec if key != "schedule"}, schema)
    for path, keys in repeated_items(value, schema, ROOT):
        if is_whole or None not in keys.values():
            yield FieldError(field=path, message=_say_twice(keys))
    for each in broken_rules(value, None, schema, ROOT):
        if is_whole or not each.doubt:
            yield _say(each)


def _say(broken: Violation) -> FieldError:
    korean = KOREAN.get(broken.message, broken.message)
    return FieldError(field=broken.path, message=bilingual(en=broken.message, ko=korean))


def _say_twice(keys: JsonObject) -> Text:
    named = ", ".join(f"{name} {value}" for name, value in keys.items())
    return bilingual(
        en=f"must be there once: {named} stands above",
        ko=f"한 번만 적을 수 있습니다. {named}이(가) 위에 이미 있습니다",
    )
