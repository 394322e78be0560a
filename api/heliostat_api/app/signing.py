"""The pages of signing in and out: a table of contents, each one call."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from heliostat_api.account.sign_in import FLOW_LIFETIME, SignIn
from heliostat_api.app.entrance import Entrance
from heliostat_api.base.errors import ProviderAwayError
from heliostat_api.base.texts import Text, bilingual, plain
from heliostat_api.documents.port import StoreError
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.people.openid import SignInError
from heliostat_api.people.sessions import LIFETIME
from heliostat_api.web.credentials import SESSION, SIGN_IN, forget_cookie, read_cookie, write_cookie
from heliostat_api.web.notices import notice
from heliostat_api.web.problems import ProblemError
from heliostat_api.web.provide import Provided
from heliostat_api.web.session_middleware import SIGN_IN_PATH

signing = APIRouter(prefix="/auth", include_in_schema=False)


async def sign_in_of(entrance: Provided[Entrance]) -> SignIn:
    """Raises a problem with status 404 where there is no provider."""
    if entrance.sign_in is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            plain("Nobody signs in here: HELIOSTAT_API_OIDC_ISSUER is not set."),
        )
    return entrance.sign_in


SignInOf = Annotated[SignIn, Depends(sign_in_of)]


@signing.get("/sign-in")
async def sign_in(
    request: Request, service: SignInOf, path: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Away to the provider."""
    try:
        departure = await service.begin(path)
    except ProviderAwayError as error:
        return say_failure(error)
    line = write_cookie(request.scope, SIGN_IN, departure.cookie, FLOW_LIFETIME)
    return lead(departure.url, line)


@signing.get("/callback")
async def finish_sign_in(request: Request, service: SignInOf) -> Response:
    """Back from the provider."""
    before = service.sessions.read(read_cookie(request.scope, SESSION))
    flow = read_cookie(request.scope, SIGN_IN)
    try:
        arrival = await service.finish(flow, dict(request.query_params), before)
    except (SignInError, ProviderAwayError, StoreError) as error:
        return say_failure(error)
    return lead(
        arrival.path,
        write_cookie(request.scope, SESSION, arrival.cookie, LIFETIME),
        forget_cookie(request.scope, SIGN_IN),
    )


@signing.post("/sign-out")
async def sign_out(
    request: Request,
    entrance: Provided[Entrance],
    revocations: Provided[SessionRevocations],
    everywhere: bool = False,
) -> Response:
    """The session ends, in this browser or in all; so does what is open of it. What a guest had is
    then out of reach."""
    session = entrance.sessions.read(read_cookie(request.scope, SESSION))
    if session is not None:
        await entrance.register.end_session(session, everywhere=everywhere)
        await revocations.tell(session.person_id)
    path = "/auth/signed-out" if entrance.sign_in else "/"
    return lead(path, forget_cookie(request.scope, SESSION))


@signing.get("/signed-out", dependencies=[Depends(sign_in_of)])
async def signed_out() -> Response:
    """Not the first page: that could lead to the provider, which would sign in again by itself."""
    return notice(
        HTTPStatus.OK,
        bilingual(en="Signed out", ko="로그아웃했습니다"),
        bilingual(en="Your session here has ended.", ko="이 브라우저의 세션이 끝났습니다."),
        again(),
    )


def again() -> tuple[str, Text]:
    """Where to go on, and what that is called."""
    return SIGN_IN_PATH, bilingual(en="Sign in", ko="로그인")


def lead(path: str, *cookies: str) -> Response:
    """Elsewhere, with cookies."""
    response = RedirectResponse(path, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    for line in cookies:
        response.headers.append("set-cookie", line)
    return response


def say_failure(error: SignInError | ProviderAwayError | StoreError) -> Response:
    """Why nobody is signed in, on a page with a way on."""
    is_theirs = isinstance(error, SignInError)
    status = HTTPStatus.FORBIDDEN if is_theirs else HTTPStatus.SERVICE_UNAVAILABLE
    away = bilingual(
        en=f"Signing in does not work right now: {error}",
        ko=f"지금은 로그인할 수 없습니다: {error}",
    )
    title = bilingual(en="You are not signed in", ko="로그인하지 못했습니다")
    return notice(status, title, plain(str(error)) if is_theirs else away, again())
