"""An MCP server with one tool, `pay`, that writes down how it was called."""

import json
import sys
from pathlib import Path

CALLS = Path(sys.argv[1])
TOOL = {
    "name": "pay",
    "description": "Pays an invoice.",
    "inputSchema": {"type": "object", "properties": {"amount": {"type": "integer"}}},
}


def reply(method: str, parameters: dict[str, object]) -> dict[str, object]:
    if method == "initialize":
        return {
            "protocolVersion": parameters["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "books", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        with CALLS.open("a") as file:
            file.write(json.dumps(parameters) + "\n")
        return {"content": [{"type": "text", "text": "paid"}]}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        result = reply(message["method"], message.get("params", {}))
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}))
        sys.stdout.write("\n")
        sys.stdout.flush()
