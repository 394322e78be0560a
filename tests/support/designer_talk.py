"""A person's words to the script that plays the designer, and its calls."""

from collections.abc import Sequence

from heliostat_json.objects import JsonObject
from heliostat_scripted.conversation import read_conversation
from heliostat_scripted.designer.answers import answer_designer
from heliostat_scripted.scenario import Pace, Recording
from heliostat_scripted.script import Script, Text, ToolUse

TOOLS = ("save_agent", "set_schedule", "run_test", "read_result", "estimate_cost", "list_models")


class Talk:
    """A conversation with the script; every call is answered at once."""

    def __init__(self, *tools: str, system: str = "", recordings: Sequence[Recording] = ()) -> None:
        self._system = system
        self._recordings = recordings
        self._tools: list[JsonObject] = [{"name": each} for each in tools or TOOLS]
        self.messages: list[JsonObject] = []

    def say(self, text: str, *, refused: str = "") -> tuple[list[ToolUse], str]:
        """Every call that the words led to, and all words of the script."""
        self.messages.append({"role": "user", "content": text})
        calls: list[ToolUse] = []
        words = ""
        while True:
            script = self._answer()
            words += "\n".join(each.text for each in script.actions if isinstance(each, Text))
            called = [each for each in script.actions if isinstance(each, ToolUse)]
            self._remember(script, called, refused)
            calls += called
            if not called:
                return calls, words

    def _answer(self) -> Script:
        request: JsonObject = {
            "model": "scripted/designer",
            "system": self._system,
            "messages": [*self.messages],
            "tools": [*self._tools],
        }
        return answer_designer(read_conversation(request, 100), self._recordings, Pace())

    def _remember(self, script: Script, called: list[ToolUse], refused: str) -> None:
        blocks: list[JsonObject] = [
            {"type": "tool_use", "id": each.id, "name": each.name, "input": each.input}
            for each in called
        ]
        self.messages.append({"role": "assistant", "content": [*blocks] or "said"})
        results: list[JsonObject] = [
            {
                "type": "tool_result",
                "tool_use_id": each.id,
                "content": refused or "done",
                "is_error": bool(refused),
            }
            for each in called
        ]
        if any(each.name == "save_agent" for each in called) and not refused:
            self._system = "Agent: its name (agent-1)"  # as the chat tells it
        if results:
            self.messages.append({"role": "user", "content": [*results]})
        assert script.stop_reason == ("tool_use" if called else "end_turn")
