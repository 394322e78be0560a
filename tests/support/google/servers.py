"""A server that speaks one of Google's gRPC services over TLS and knows who calls."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import grpc

from support.certificates import make_identity
from support.google.accounts import ServiceAccount

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Refused(Exception):
    """What a method answers instead."""

    def __init__(self, code: grpc.StatusCode, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True)
class Method(Generic[Request, Answer]):
    """A method of the service: how its messages are read and written, and what answers them.

    `answer` gets the caller's e-mail address and the request.
    """

    read: Callable[[bytes], Request]
    write: Callable[[Answer], bytes]
    answer: Callable[[str, Request], Answer]


class GoogleServer:
    """Serves `service` (its full name) at `endpoint` while it is entered.

    `host` is the name that tokens are made for. A call without a token of a known account is
    UNAUTHENTICATED; `is_away` answers every call with UNAVAILABLE.
    """

    def __init__(self, service: str, host: str) -> None:
        self.is_away = False
        self._service = service
        self._host = host
        self._accounts: dict[str, ServiceAccount] = {}
        self._server = grpc.server(ThreadPoolExecutor(4))
        key, certificate = _identity()
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        port = self._server.add_secure_port("localhost:0", credentials)
        self.endpoint = f"localhost:{port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop(grace=None).wait()

    def add(self, name: str, method: Method[Request, Answer]) -> None:
        """Answers calls of that method."""
        handler = grpc.method_handlers_generic_handler(self._service, {name: self._handler(method)})
        self._server.add_generic_rpc_handlers((handler,))

    def know(self, account: ServiceAccount) -> ServiceAccount:
        """Accepts that account's tokens from now on."""
        self._accounts[account.email] = account
        return account

    def trust(self) -> grpc.ChannelCredentials:
        """How a client in this process trusts the server."""
        return grpc.ssl_channel_credentials(_identity()[1])

    def write_roots(self, file: Path) -> Path:
        """A file for GRPC_DEFAULT_SSL_ROOTS_FILE_PATH of a process."""
        file.write_bytes(_identity()[1])
        return file

    def _handler(self, method: Method[Request, Answer]) -> "grpc.RpcMethodHandler[Request, Answer]":
        def answer(request: Request, context: grpc.ServicerContext) -> Answer:
            try:
                if self.is_away:
                    raise Refused(grpc.StatusCode.UNAVAILABLE, "away")
                return method.answer(self._caller(context), request)
            except Refused as refused:
                context.abort(refused.code, refused.words)

        return grpc.unary_unary_rpc_method_handler(answer, method.read, method.write)

    def _caller(self, context: grpc.ServicerContext) -> str:
        for name, value in context.invocation_metadata():
            if name == "authorization" and isinstance(value, str):
                token = value.removeprefix("Bearer ")
                for account in self._accounts.values():
                    if account.has_signed(token, self._host):
                        return account.email
        raise Refused(grpc.StatusCode.UNAUTHENTICATED, "a token of a known account is needed")


@cache
def _identity() -> tuple[bytes, bytes]:
    """A key, and a certificate for localhost that it signed itself."""
    return make_identity("localhost", "127.0.0.1")
