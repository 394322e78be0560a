"""Run documents: what the operator tells the runner."""

SESSION = "5e551011-0000-4000-8000-000000000001"


def make_run_document(gateway: str, **changes: object) -> dict[str, object]:
    """A run of Claude Code with every field; `changes` are whole fields, by their names."""
    return {
        "version": 1,
        "execution": {"namespace": "default", "name": "sales-1", "uid": "u-1"},
        "agent": {"name": "sales"},
        "attempt": 1,
        "correlationId": "c-1",
        "trigger": {"kind": "Manual", "id": ""},
        "runtime": {"type": "ClaudeCode", "stallSeconds": 60},
        "prompt": "Write hello.txt.",
        "input": "",
        "parameters": [{"name": "region", "value": "EU"}],
        "model": "scripted/demo",
        "tools": {"allow": ["Bash", "Write"], "deny": ["WebFetch"]},
        "limits": {
            "timeoutSeconds": 60,
            "maxTurns": 20,
            "maxTokens": None,
            "maxCostMicros": 500000,
        },
        "verify": None,
        "gateway": {"url": gateway},
        "storage": "Ephemeral",
        "session": {"id": SESSION, "resume": False},
        "graceSeconds": 10,
        **changes,
    }
