"""Small pages for people, where there is no dashboard to tell them."""

from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse

from heliostat_api.base.texts import Text, bilingual

_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Heliostat</title>
<main><h1>{title}</h1><p>{text}</p>{link}</main></html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def notice(
    status: HTTPStatus, title: Text, words: Text, link: tuple[str, Text] | None = None
) -> HTMLResponse:
    """A page that says one thing. `link` is where to go on, and what that is called."""
    anchor = f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    page = _PAGE.format(
        language=bilingual(en="en", ko="ko"), title=escape(title), text=escape(words), link=anchor
    )
    return HTMLResponse(page, status, _HEADERS)
