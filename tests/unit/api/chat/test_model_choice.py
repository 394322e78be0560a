"""Which model answers in the chat, and what people are told where none does."""

from dataclasses import dataclass

import pytest

from heliostat_api.chat.answer_writer import Language, script_status
from heliostat_api.chat.model_connection import SCRIPT, ModelChoice
from heliostat_core.agents import DEFAULT_MODEL
from heliostat_gateway.routes.routing import ANYONE
from support.routes import NOW, build_test_router


@dataclass(frozen=True)
class Names:
    """Of the models that a gateway with these keys has a way to."""

    keys: dict[str, str]

    async def names(self, key: str) -> tuple[str, ...]:
        assert key
        return tuple(build_test_router(keys=self.keys).models(ANYONE, NOW))


@pytest.mark.parametrize(
    ("variable", "chosen"),
    [
        ("ANTHROPIC_API_KEY", DEFAULT_MODEL),
        ("GEMINI_API_KEY", SCRIPT),
        ("OPENAI_API_KEY", SCRIPT),
        ("OPENROUTER_API_KEY", SCRIPT),
        ("ZAI_API_KEY", SCRIPT),
        ("", SCRIPT),
    ],
)
async def test_the_usual_model_answers_where_a_key_leads_to_it(variable: str, chosen: str) -> None:
    model = Names({variable: "secret"} if variable else {})
    assert await ModelChoice(model).choose("key") == chosen
    assert await ModelChoice(model, "gemini-2.5-pro").choose("key") == "gemini-2.5-pro"


@pytest.mark.parametrize(
    ("wanted", "language", "said"),
    [
        (
            "",
            "en",
            "No model answers here, a script does: there is no way to claude-sonnet-5-5. "
            "Set ANTHROPIC_API_KEY or HELIOSTAT_API_CHAT_MODEL.",
        ),
        (
            "",
            "ko",
            "모델이 아니라 스크립트가 답합니다. claude-sonnet-5-5에 연결할 방법이 없습니다. "
            "ANTHROPIC_API_KEY 또는 HELIOSTAT_API_CHAT_MODEL을 설정하세요.",
        ),
        (
            "scripted/talk",
            "en",
            "No model answers here, a script does: HELIOSTAT_API_CHAT_MODEL is scripted/talk.",
        ),
        (
            "scripted/talk",
            "ko",
            "모델이 아니라 스크립트가 답합니다. HELIOSTAT_API_CHAT_MODEL이 scripted/talk입니다.",
        ),
    ],
)
def test_where_a_script_answers_people_are_told_why(
    wanted: str, language: Language, said: str
) -> None:
    assert script_status(wanted, language).text == said
