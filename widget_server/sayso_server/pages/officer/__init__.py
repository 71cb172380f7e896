"""The privacy officer's page: one shell of HTML, in which a script of ours shows what the server answers.

It needs a script, for a token may be in the memory of a page only. Everything that it loads is a file of this folder.
"""

from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Final

from sayso.wire import Code

OFFICER_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Forms are sent by the script alone, and nothing can turn text into markup."""

_TYPES: Final = {"css": "text/css", "js": "text/javascript"}


def _files() -> dict[str, tuple[str, bytes]]:
    # Read once, when the server is put together: a handler never waits for the disk.
    here = sorted(resources.files(__name__).iterdir(), key=lambda one: one.name)
    known = [(one, one.name.rpartition(".")[2]) for one in here]
    return {one.name: (_TYPES[ending], one.read_bytes()) for one, ending in known if ending in _TYPES}


FILES: Final = _files()
"""What the page loads, by name: media type and content."""

ROLES: Final = {
    "privacy_officer": "privacy officer",
    "auditor": "auditor",
    "agent": "agent",
    "admin": "administrator",
}
_REFUSED: Final = {
    Code.LINK_USED: "This sign-in link was used before. Each works once.",
    Code.LINK_EXPIRED: "This sign-in link no longer works. It is older than 72 hours, or your access was changed.",
}
_NO_LINK: Final = "This is no sign-in link, or not the whole of one."


def officer_page(
    *, name: str | None = None, brand: str | None = None, roles: Sequence[str] = (), refused: Code | None = None
) -> str:
    """Give the page.

    Args:
        name: Whom the link that was opened signs in; None for a page that was opened without one.
        brand: For which brand.
        roles: What they may do.
        refused: Why the link that was opened signs nobody in.
    """
    if name is not None and brand is not None:
        start = _welcome(name, brand, roles)
    else:
        start = _ask(None if refused is None else _REFUSED.get(refused, _NO_LINK))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Privacy desk</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/base.css">
<link rel="stylesheet" href="/officer/officer.css">
<script type="module" src="/officer/app.js"></script>
</head>
<body>
<header class="bar"><p class="bar-title">Privacy desk</p><div id="who"></div></header>
<main id="main" tabindex="-1">
<h1>Sign in</h1>
{start}
<noscript><p class="notice bad">This page needs JavaScript: your access is kept in its memory and nowhere else.</p>
</noscript>
</main>
</body>
</html>
"""


def _welcome(name: str, brand: str, roles: Sequence[str]) -> str:
    what = ", ".join(ROLES.get(role, role) for role in roles)
    return f"""<div id="start" data-link="here">
<p>This link signs in <strong>{escape(name)}</strong> for <strong>{escape(brand)}</strong> as {escape(what)}.
It works once. Nothing has happened yet.</p>
<p><button type="button" id="sign-in" class="main">Sign in</button></p>
<p class="quiet">You stay signed in while this page is open, for 12 hours at most. Nothing is kept in the browser, so
reloading or closing the page signs you out.</p>
</div>"""


def _ask(problem: str | None) -> str:
    said = "" if problem is None else f'<p class="notice bad" role="alert">{escape(problem)}</p>'
    return f"""<div id="start">
{said}
<p>You need a sign-in link. You can make one yourself while you are signed in (“Link for next time”); otherwise whoever
runs this server makes one with <code>sayso-server staff link NAME --brand ID</code>.</p>
<form id="link-form">
<p><label for="link">Your sign-in link</label>
<input id="link" name="link" type="text" autocomplete="off" spellcheck="false" required></p>
<p><button type="submit" class="main">Sign in</button></p>
</form>
</div>"""
