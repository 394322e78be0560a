"""The HTTP contract on a real process: shapes, headers, probes, refusals."""

import gzip
import json

import aiohttp
import pytest

from .gateway_process import GatewayProcess, small_request


@pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz", "/metrics", "/", "/api/hello"])
async def test_probes_need_no_key(shared: GatewayProcess, path: str) -> None:
    assert (await shared.ask(path, method="GET")).status == 200


@pytest.mark.parametrize("path", ["/", "/api/hello"])
async def test_claude_code_start_up_probe(shared: GatewayProcess, path: str) -> None:
    assert (await shared.ask(path, method="HEAD")).status == 200


async def test_an_answer_says_where_it_came_from(shared: GatewayProcess) -> None:
    answer = await shared.ask(
        "/v1/messages?beta=true",
        document=small_request("scripted/hello", stream=False) | {"unknown_field": {"deep": 1}},
        headers={"authorization": f"Bearer {shared.key('surface')}", "anthropic-beta": "x"},
    )
    assert answer.status == 200
    assert {k: v for k, v in answer.headers.items() if k.startswith("x-heliostat")} == {
        "x-heliostat-request-id": answer.headers["x-heliostat-request-id"],
        "x-heliostat-execution": "surface",
        "x-heliostat-provider": "scripted",
        "x-heliostat-model": "scripted/hello",
        "x-heliostat-attempts": "1",
        "x-heliostat-decision": "scripted answered",
        "x-heliostat-cost": "2400000",
        "x-heliostat-overhead-ms": answer.headers["x-heliostat-overhead-ms"],
    }
    assert float(answer.headers["x-heliostat-overhead-ms"]) >= 0
    assert json.loads(answer.body)["usage"]["cache_creation"] == {
        "ephemeral_5m_input_tokens": 200,
        "ephemeral_1h_input_tokens": 50,
    }


async def test_the_stream_has_the_real_shape(shared: GatewayProcess) -> None:
    answer = await shared.message(shared.key("shape"), "scripted/tools")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = [
        json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")
    ]
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert [e["index"] for e in events if e["type"] == "content_block_start"] == [0, 1]
    assert [e["index"] for e in events if e["type"] == "content_block_stop"] == [0, 1]
    arguments = "".join(
        e["delta"]["partial_json"]
        for e in events
        if e["type"] == "content_block_delta" and e["delta"]["type"] == "input_json_delta"
    )
    assert json.loads(arguments)["command"] == "echo sunlight"
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("model", "status", "kind", "words"),
    [
        ("claude-opus-5-5", 503, "api_error", "ANTHROPIC_API_KEY"),
        ("scripted/none", 404, "not_found_error", "no scenario none"),
        ("gpt-17", 404, "not_found_error", "no price is known"),
        ("", 400, "invalid_request_error", "model: must name"),
    ],
)
async def test_models_that_are_not_served(
    shared: GatewayProcess, model: str, status: int, kind: str, words: str
) -> None:
    answer = await shared.message(shared.key("refused"), model)
    assert (answer.status, answer.error[0]) == (status, kind)
    assert words in answer.error[1]
    assert answer.headers["x-heliostat-request-id"] in answer.text
    assert answer.headers["x-heliostat-execution"] == "refused"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/nothing", 404, "not_found_error"),
        ("GET", "/v1/messages", 405, "invalid_request_error"),
        ("POST", "/v1/messages", 401, "authentication_error"),
        ("POST", "/v1/messages/count_tokens", 401, "authentication_error"),
        ("GET", "/v1/models", 401, "authentication_error"),
        ("GET", "/admin/executions/x", 401, "authentication_error"),
        ("POST", "/admin/revocations", 401, "authentication_error"),
        ("GET", "/admin/scripted/bill", 401, "authentication_error"),
    ],
)
async def test_refusals_have_the_shape_of_the_api(
    shared: GatewayProcess, method: str, path: str, status: int, kind: str
) -> None:
    answer = await shared.ask(path, method=method)
    assert (answer.status, answer.error[0]) == (status, kind)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'"x"', b"\xff\xfe"])
async def test_a_body_that_is_no_json_object(shared: GatewayProcess, body: bytes) -> None:
    headers = {"x-api-key": shared.key("bad")}
    answer = await shared.ask("/v1/messages", data=body, headers=headers)
    assert answer.status == 400
    assert "JSON object" in answer.error[1]


async def test_admin_bodies_are_checked(shared: GatewayProcess) -> None:
    answer = await shared.ask(
        "/admin/revocations", document={"execution": "x"}, headers=shared.admin_headers()
    )
    assert (answer.status, answer.error[0]) == (400, "invalid_request_error")
    assert "attempt" in answer.error[1]


async def test_admin_models(shared: GatewayProcess) -> None:
    served = json.loads(await shared.get("/admin/models?name=scripted/demo-none"))
    assert (served["served"], served["reason"]) == (False, "UnknownModel")
    served = json.loads(await shared.get("/admin/models?name=scripted/hello"))
    assert served == {
        "name": "scripted/hello",
        "served": True,
        "provider": "scripted",
        "reason": "Served",
        "message": "Served by scripted.",
    }
    missing = json.loads(await shared.get("/admin/models?name=claude-opus-5-5"))
    assert missing["reason"] == "ProviderKeyMissing"


async def test_an_unknown_execution_and_agent_are_zeros(shared: GatewayProcess) -> None:
    assert json.loads(await shared.get("/admin/executions/nobody")) == {
        "execution": "nobody",
        "costNanos": 0,
        "settled": True,
        "estimated": False,
        "requests": 0,
        "usage": {
            "inputTokens": 0,
            "outputTokens": 0,
            "cacheReadTokens": 0,
            "cacheWriteTokens": 0,
        },
        "provider": None,
        "model": None,
        "attempts": [],
    }
    assert json.loads(await shared.get("/admin/agents/x/y")) == {
        "costNanos": 0,
        "requests": 0,
        "paused": False,
        "slowedDown": False,
        "reason": "",
        "since": None,
        "resumeWith": "",
    }


async def test_metrics_have_no_unbounded_labels(shared: GatewayProcess) -> None:
    await shared.message(shared.key("metrics-execution"), "scripted/hello")
    text = (await shared.ask("/metrics", method="GET")).text
    labels = 'dialect="messages",model="hello",outcome="answered",provider="scripted"'
    assert f"heliostat_gateway_calls_total{{{labels}}}" in text
    assert "metrics-execution" not in text


async def test_a_body_may_be_gzip(shared: GatewayProcess) -> None:
    body = gzip.compress(json.dumps(small_request("scripted/hello", stream=False)).encode())
    headers = {"authorization": f"Bearer {shared.key('gzip')}", "content-type": "application/json"}
    async with aiohttp.ClientSession() as session:

        async def ask(raw: bytes, encoding: str) -> tuple[int, str]:
            sent = headers | {"content-encoding": encoding}
            url = f"{shared.url}/v1/messages"
            async with session.post(url, data=raw, headers=sent) as answer:
                return answer.status, await answer.text()

        assert (await ask(body, "gzip"))[0] == 200
        broken = [(body[:-9], "gzip", "ends too early"), (b"{}", "gzip", "is not gzip")]
        for raw, encoding, words in broken:
            status, text = await ask(raw, encoding)
            assert (status, words in text) == (400, True)
        status, text = await ask(body, "br")
        assert (status, "send gzip" in text) == (415, True)
        bomb = gzip.compress(bytes(65 * 1024 * 1024))
        assert (await ask(bomb, "gzip"))[0] == 413


@pytest.mark.parametrize("path", ["/v1/messages/", "/v1/chat/completions/"])
async def test_a_slash_at_the_end_is_no_redirect(shared: GatewayProcess, path: str) -> None:
    answer = await shared.ask(
        path,
        document=small_request("scripted/hello", stream=False),
        headers={"authorization": f"Bearer {shared.key('slash')}"},
    )
    assert answer.status == 200
