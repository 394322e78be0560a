"""HTTP to the Kubernetes API: configuration, one request, one stream, errors by their meaning."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import (
    ConfigException,
    load_incluster_config,
    load_kube_config,
)

from heliostat_core.worlds import JsonObject, UnavailableError
from heliostat_kubernetes.errors import cut, map_error, read_retry_after
from heliostat_kubernetes.sockets import Sockets

# A slow answer is no answer; waiting for a free connection of the pool is not counted.
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=15)
# A log may be silent for hours.
LOG_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)
POOL_SIZE = 100
_TRIES = 5
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

JSON = "application/json"
Query = Mapping[str, str | int]


class SilenceError(UnavailableError):
    """The server took the request, or sent a part of its answer, and then nothing."""


@dataclass(frozen=True)
class Target:
    """Which cluster, and what people call it."""

    name: str
    configuration: Configuration
    renew: Callable[[], Awaitable[None]] | None = None  # credentials that a program hands out
    namespace: str = "default"
    """Where its user works when he names no other."""


async def find_target(kubeconfig: Path | None = None, context: str | None = None) -> Target:
    """The cluster of a kubeconfig, or the one that we run in when nothing is named.

    Looks at `kubeconfig`, then KUBECONFIG, then the service account, then ~/.kube/config. Raises
    UnavailableError when none of them leads to a cluster.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = POOL_SIZE
    # As kubectl: authorities that older kubeadm made lack what the strict mode asks for.
    configuration.disable_strict_ssl_verification = True
    named = kubeconfig or context or os.environ.get("KUBECONFIG")
    try:
        if not named and "KUBERNETES_SERVICE_HOST" in os.environ:
            load_incluster_config(client_configuration=configuration)
            return Target("cluster (in-cluster)", configuration, namespace=_own_namespace())
        path = kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config"
        loader = await load_kube_config(
            config_file=str(path),
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except ConfigException as error:
        raise UnavailableError(f"no cluster to talk to: {error}") from error

    async def renew() -> None:
        await loader.load_and_set(configuration)

    context_name, chosen = loader.current_context["name"], loader.current_context["context"]
    namespace = chosen.get("namespace") or "default"
    return Target(f"cluster {context_name}", configuration, renew, namespace)


def _own_namespace() -> str:
    """That of the pod that we run in."""
    try:
        return _OWN_NAMESPACE.read_text().strip() or "default"
    except OSError:
        return "default"


class Connection:
    """The only place where requests to the API server are made."""

    def __init__(self, target: Target) -> None:
        configuration = target.configuration
        # Left to itself the client asks the environment for proxy and netrc at every request, each
        # time in a thread: two thirds of what a request costs.
        configuration.client_session_kwargs = {"trust_env": False}
        configuration.proxy = configuration.proxy or find_proxy(configuration.host)
        self._client = ApiClient(configuration)
        self._sockets = Sockets()
        self._connector = aiohttp.TCPConnector(
            limit=configuration.connection_pool_maxsize,
            ssl=self._client.rest_client.ssl_context,
            socket_factory=self._sockets.make,
        )
        configuration.client_session_kwargs["connector"] = self._connector
        self._renew = target.renew
        self._client.user_agent = "heliostat"

    async def close(self) -> None:
        """Leaves nothing open, not even a goodbye that nobody would wait for."""
        await self._client.close()
        await self._connector.close(abort_ssl=True)
        await self._sockets.close()

    async def request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: JsonObject | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> tuple[int, JsonObject]:
        """HTTP status and document. Raises WorldErrors; waits and asks again only when told to."""
        renew = self._renew
        tries = 0
        while True:
            async with self._open(
                method, path, query, body, content_type, REQUEST_TIMEOUT, accept
            ) as answer:
                content = await answer.read()
            if answer.status < 400:
                return answer.status, _parse_object(content)
            tries += 1
            if answer.status == 401 and renew:
                await renew()
                renew = None
            elif answer.status == 429 and tries < _TRIES:
                await asyncio.sleep(read_retry_after(answer.headers))
            else:
                raise map_error(answer.status, content)

    @asynccontextmanager
    async def stream(
        self, path: str, query: Query, timeout: aiohttp.ClientTimeout
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of an answer that goes on. Raises WorldErrors, also while it is read."""
        for renew in (self._renew, None):
            async with self._open("GET", path, query, None, JSON, timeout) as answer:
                if answer.status < 400:
                    yield split_lines(answer.content.iter_any())
                    return
                if answer.status != 401 or renew is None:
                    raise map_error(answer.status, await answer.read())
                await renew()

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: JsonObject | None,
        content_type: str,
        timeout: aiohttp.ClientTimeout,
        accept: str = JSON,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Accept": accept, "Content-Type": content_type}
        headers["User-Agent"] = self._client.user_agent
        url = build_url(self._client.configuration.host, path, query)
        try:
            await self._client.update_params_for_auth(
                headers, [], ["BearerToken"], path, method, body
            )
            wrapped = await self._client.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
            answer: aiohttp.ClientResponse = wrapped.response
            async with answer:
                try:
                    yield answer
                finally:
                    _hang_up(answer)
        except aiohttp.SocketTimeoutError as error:
            raise SilenceError(f"{method} {path}: no answer in time") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(f"{method} {path}: {reason}") from error


def _parse_object(content: bytes) -> JsonObject:
    """The document. Raises UnavailableError for what is no JSON object (a proxy's page)."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise UnavailableError(f"the API server sent no JSON object: {cut(content)}")
    return document


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    """The rest of an answer that nobody reads: a goodbye would wait behind it."""
    connection = answer.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


def find_proxy(url: str) -> str | None:
    """The proxy that the environment names for this address (HTTPS_PROXY, NO_PROXY, ...)."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


def build_url(host: str, path: str, query: Query | None) -> str:
    if not query:
        return f"{host}{path}"
    pairs = ((key, str(value)) for key, value in query.items())
    return f"{host}{path}?{urlencode(list(pairs))}"


async def split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines of any length without their end; the last one may lack its newline."""
    rest: list[bytes] = []
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest.append(first)
        for part in others:
            yield b"".join(rest)
            rest = [part]
    if last := b"".join(rest):
        yield last
