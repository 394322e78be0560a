"""The least that an api in Python can cost: a list, and what one posts is heard by all who listen.

`python -m bench.bare_api PORT`: FastAPI and uvicorn as in the api, and nothing known of anybody.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()
listening: set[asyncio.Queue[str]] = set()


@app.get("/agent/reports/stream", response_class=EventSourceResponse)
async def follow() -> AsyncIterator[ServerSentEvent]:
    heard = asyncio.Queue[str]()
    listening.add(heard)
    try:
        yield ServerSentEvent(raw_data="{}", event="snapshot")
        while True:
            yield ServerSentEvent(raw_data=await heard.get(), event="report")
    finally:
        listening.discard(heard)


@app.post("/events")
async def tell(request: Request) -> dict[str, int]:
    text = (await request.body()).decode().strip()
    for each in listening:
        each.put_nowait(text)
    return {"next": 1}


@app.get("/items")
async def list_items() -> list[dict[str, str]]:
    """About as long as a page of the api."""
    return [{"id": str(number), "message": "m" * 500} for number in range(5)]


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_config=None)
