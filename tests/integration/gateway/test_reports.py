"""Sums, anomalies, pauses and forecasts of a real gateway process."""

import asyncio
import csv
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heliostat_core.keys import execution_claims, sign_execution_key
from heliostat_gateway.money.ledger import SqliteLedger
from heliostat_gateway.reports.calendars import epoch_ms
from heliostat_gateway.storage import Storage
from support.ledger_rows import Row, book
from tools.machine import ROOT

from .gateway_process import GatewayProcess, Reply

HELLO = {"input": 100, "output": 20, "cacheRead": 1000, "cacheWrite5m": 200, "cacheWrite1h": 50}
EXAMPLE = re.compile(r"/admin/(?:usage|anomalies|forecast)[^`'\s]*")


def run_key(gateway: GatewayProcess, agent: str, execution: str) -> str:
    now = int(time.time())
    claims = execution_claims(
        namespace="default",
        execution=execution,
        execution_uid=execution,
        attempt=1,
        agent=agent,
        cap_nanos=None,
        cap_tokens=None,
        correlation_id="c",
        issued=now,
        expires=now + 600,
    )
    return sign_execution_key(gateway.private, claims)


async def ask(gateway: GatewayProcess, path: str, method: str = "GET") -> Reply:
    return await gateway.ask(path, method=method, headers=gateway.admin_headers())


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """The folder of a gateway whose agent has ended twenty runs at a thousandth of a cent."""
    storage = Storage(tmp_path / "data")
    now = datetime.now(UTC)
    rows = [
        Row(
            epoch_ms(now - timedelta(days=1, minutes=n)),
            agent="default/steady",
            execution=f"past-{n}",
            provider="scripted",
            model="scripted/hello",
            cost=10_000,
        )
        for n in range(20)
    ]
    asyncio.run(book(SqliteLedger(storage), rows))
    storage.close()
    return tmp_path


@pytest.fixture
def pausing(past: Path) -> GatewayProcess:
    made = GatewayProcess(past)
    made.write_public_key()
    made.start(
        HELIOSTAT_GATEWAY_ANOMALY_ACTION="pause",
        HELIOSTAT_GATEWAY_ANOMALY_FLOOR_MICROS="0",
    )
    return made


async def test_sums_of_calls_in_json_and_csv(gateway: GatewayProcess) -> None:
    for execution in ("u1", "u1", "u2"):
        key = run_key(gateway, "sums", execution)
        assert (await gateway.message(key, "scripted/hello")).status == 200
    await gateway.message(run_key(gateway, "sums", "u2"), "scripted/overloaded")
    report = json.loads(await gateway.get("/admin/usage?by=execution,model"))
    hello, refused = {"u1": 2, "u2": 1}, "scripted/overloaded"
    assert [line["key"] for line in report["lines"]] == [
        {"execution": "u1", "model": "scripted/hello"},
        {"execution": "u2", "model": "scripted/hello"},
        {"execution": "u2", "model": refused},
    ]
    first = report["lines"][0]
    tokens = {kind: 2 * count for kind, count in HELLO.items()} | {"webSearches": 0}
    assert {kind: first["tokens"][kind] for kind in tokens} == tokens
    assert first["costNanos"] == 2 * 2_400_000 == (await gateway.cost("u1")).cost_nanos
    assert first["cacheSavedNanos"] == 2 * (1250 * 4 - 200 - 200 * 5 - 50 * 8) * 1000
    assert report["lines"][2]["errors"] == {"provider_refused": 1}
    assert report["total"]["requests"] == 4
    assert report["total"]["costNanos"] == sum(hello.values()) * 2_400_000
    page = json.loads(await gateway.get("/admin/usage?by=execution,model&limit=2"))
    rest = json.loads(await gateway.get(f"/admin/usage?cursor={page['next']}"))
    assert page["lines"] + rest["lines"] == report["lines"]
    answer = await ask(gateway, "/admin/usage?by=execution,model&format=csv&limit=2")
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["x-heliostat-next-cursor"] == page["next"]
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert (header[:3], len(rows)) == (["execution", "model", "input"], 2)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/admin/usage?by=colour", "by: 'colour' is nothing to group by"),
        ("/admin/usage?tz=UTC", "tz: there is no such parameter"),
        ("/admin/usage?from=soon", "from: 'soon' must be a day"),
        ("/admin/usage?format=xml", "format: 'xml' must be json or csv"),
        ("/admin/usage?timeZone=Mars", "timeZone: 'Mars' is no time zone"),
        ("/admin/forecast?by=day", "by: 'day' must be agent or model"),
        ("/admin/forecast?month=2026-11", "month: there is no such parameter"),
        ("/admin/anomalies?limit=0", "limit: '0' must be a whole number"),
    ],
)
async def test_mistakes_are_refused_by_name(shared: GatewayProcess, path: str, words: str) -> None:
    answer = await ask(shared, path)
    assert (answer.status, answer.error[0]) == (400, "invalid_request_error")
    assert words in answer.error[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/usage"),
        ("GET", "/admin/anomalies"),
        ("GET", "/admin/forecast"),
        ("POST", "/admin/agents/x/y/resume"),
    ],
)
async def test_reports_need_the_operators_token(
    shared: GatewayProcess, method: str, path: str
) -> None:
    answer = await shared.ask(path, method=method, headers={"x-api-key": shared.key("nosy")})
    assert (answer.status, answer.error[0]) == (401, "authentication_error")


async def test_the_examples_of_the_page_are_answered(shared: GatewayProcess) -> None:
    page = (ROOT / "docs" / "finops.md").read_text()
    examples = sorted({each for each in EXAMPLE.findall(page) if "{" not in each})
    assert len(examples) >= 5
    for each in examples:
        assert (await ask(shared, each)).status == 200, each


async def test_a_run_far_out_of_the_ordinary_pauses_its_agent_until_it_is_resumed(
    pausing: GatewayProcess,
) -> None:
    wild = run_key(pausing, "steady", "wild")
    assert (await pausing.message(wild, "scripted/hello")).status == 200
    await pausing.revoke("wild")
    deadline = time.monotonic() + 20
    while not (state := json.loads(await pausing.get("/admin/agents/default/steady")))["paused"]:
        assert time.monotonic() < deadline, pausing.log.read_text()
        await asyncio.sleep(0.02)
    assert state["reason"] == (
        "execution wild cost $0.002400, 240.0 times the median of the agent's last 20 runs "
        "($0.000010)."
    )
    refused = await pausing.message(run_key(pausing, "steady", "next"), "scripted/hello")
    assert (refused.status, refused.error[0]) == (403, "permission_error")
    assert refused.headers["x-should-retry"] == "false"
    assert "/admin/agents/default/steady/resume" in refused.error[1]
    assert (await pausing.cost("next")).requests == 0
    other = await pausing.message(run_key(pausing, "other", "o"), "scripted/hello")
    assert other.status == 200
    found = json.loads(await pausing.get("/admin/anomalies"))
    assert [each["execution"] for each in found["anomalies"]] == ["wild"]
    assert [(each["agent"], each["kind"]) for each in found["held"]] == [
        ("default/steady", "pause")
    ]
    assert found["check"]["failures"] == 0

    pausing.kill()
    pausing.start(HELIOSTAT_GATEWAY_ANOMALY_FLOOR_MICROS="0")
    refused = await pausing.message(run_key(pausing, "steady", "next"), "scripted/hello")
    assert refused.status == 403
    resumed = await ask(pausing, "/admin/agents/default/steady/resume", "POST")
    assert json.loads(resumed.body) == {"agent": "default/steady", "resumed": True}
    again = await ask(pausing, "/admin/agents/default/steady/resume", "POST")
    assert json.loads(again.body)["resumed"] is False
    answered = await pausing.message(run_key(pausing, "steady", "next"), "scripted/hello")
    assert answered.status == 200
    pausing.kill()


async def test_the_forecast_is_honest_without_history_and_a_figure_with_it(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    await gateway.message(run_key(gateway, "new", "f1"), "scripted/hello")
    report = json.loads(await gateway.get("/admin/forecast"))
    assert (report["total"]["method"], report["total"]["expectedNanos"]) == ("none", None)
    assert report["total"]["message"].startswith("No history: 0 whole days are known")
    assert report["total"]["spentNanos"] == 2_400_000
    gateway.stop()
    storage = Storage(tmp_path / "data")
    now = datetime.now(UTC)
    rows = [Row(epoch_ms(now - timedelta(days=n)), cost=1000) for n in range(1, 31)]
    await book(SqliteLedger(storage), rows)
    storage.close()
    gateway.start()
    report = json.loads(await gateway.get("/admin/forecast?by=model"))
    total = report["total"]
    assert (total["method"], total["historyDays"]) == ("weekday", 30)
    assert total["spentNanos"] < total["expectedNanos"]
    assert total["lowNanos"] <= total["expectedNanos"] <= total["highNanos"]
    models = {line["key"]["model"] for line in report["lines"]}
    assert models == {"claude-opus-5-5", "scripted/hello"}


async def test_the_audit_of_a_running_gateway_equals_its_own_invoice(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    for _ in range(3):
        await gateway.message(run_key(gateway, "audited", "a1"), "scripted/hello")
    today = datetime.now(UTC).date().isoformat()
    header = "date,model,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens"
    figures = f"{today},scripted/hello,300,60,3000,750,3"
    for cost, code in (("0.0072", 0), ("0.007200001", 1)):
        (tmp_path / "export.csv").write_text(f"{header},requests,cost_usd\n{figures},{cost}\n")
        process = await asyncio.create_subprocess_exec(
            str(ROOT / ".venv" / "bin" / "heliostat"),
            *("gateway", "audit", "--provider", "scripted", "--url", gateway.url),
            *("--export", str(tmp_path / "export.csv"), "--json"),
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "HELIOSTAT_ADMIN_KEY": gateway.admin_headers()["authorization"].split()[1],
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == code, output.decode()
        differences = json.loads(output)["differences"]
        assert [each["figure"] for each in differences] == ["costNanos"] * code
