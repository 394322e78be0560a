"""The server of the api: streams end when it stops, instead of being waited for."""

import socket

import uvicorn
from fastapi import FastAPI

from heliostat_api.events.stream import Streams
from heliostat_api.web.provide import services_of


class ApiServer(uvicorn.Server):
    """Serves an app that `create_app` made."""

    def __init__(self, config: uvicorn.Config) -> None:
        # The app knows which proxies it believes; uvicorn would believe this whole machine.
        config.proxy_headers = False
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams, then does as uvicorn does."""
        app = self.config.app
        assert isinstance(app, FastAPI)
        services_of(app).get(Streams).end()
        await super().shutdown(sockets)
