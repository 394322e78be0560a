"""Who leaves while it answers: the answer ends before what was said goes, and nothing stays."""

import asyncio

from heliostat_api.chat.shelf import Shelf
from heliostat_api.mine.erasing import REST
from support.chatting import of_type

from .conftest import ANN, ChatPlace


async def test_an_answer_that_is_being_written_ends_and_nothing_of_it_stays(
    place: ChatPlace,
) -> None:
    api, body = place.api, {"confirm": "delete everything"}
    async with place.talker() as ann, api.browser(ANN) as browser:
        conversation = await ann.say("stand still")
        await ann.until(lambda _: any(of_type(each, "text") for each in ann.answers))
        assert (await browser.request("DELETE", "/api/me", json=body)).status_code == 202
        api.clock.go_on(REST)
        async with asyncio.timeout(30):
            while not await api.parts.erasing.resume():
                await asyncio.sleep(0.02)
    booked = await place.gateway.booked(conversation)
    assert (booked["requests"], booked["settled"]) == (1, True), "the model is not called any more"
    assert await api.documents.get(f"conversations/{conversation}") is None
    shelf = Shelf(api.documents, api.parts.streams.log, api.clock)
    assert await shelf.latest(conversation) == ()
    heard = await api.parts.streams.log.read([f"conversation:{conversation}"], 0)
    assert heard.reports == ()
