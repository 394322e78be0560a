"""The runner with the real Claude Code binary against a scripted model."""

from __future__ import annotations

from collections.abc import Callable

from .anthropic_stub import AnthropicStub, Call, Say, Script, in_order
from .conftest import KEY, Pod

Serve = Callable[[Script], AnthropicStub]
MakePod = Callable[[str], Pod]


def test_an_agent_writes_and_runs_a_program_and_is_verified(
    serve: Serve, make_pod: MakePod
) -> None:
    model = serve(
        in_order(
            [
                Call("Write", {"file_path": "hello.py", "content": "print('hello')"}),
                Call("Bash", {"command": "python3 hello.py > hello.txt; env"}),
                Say("hello.txt is there."),
            ]
        )
    )
    pod = make_pod(model.url)
    pod.write(verify={"command": ["grep", "hello", "hello.txt"], "files": ["hello.txt"]})

    left = pod.run()

    assert left.ending == ("Succeeded", "Verified", 0), left.stderr
    assert left.result["result"] == "hello.txt is there."
    assert left.result["turns"] == 3
    assert left.result["usage"] == {
        "inputTokens": 30,
        "outputTokens": 15,
        "cacheReadTokens": 0,
        "cacheWriteTokens": 0,
    }
    assert model.requests[0].headers["x-api-key"] == KEY
    assert KEY not in left.stdout.decode() + str(left.transcript)
