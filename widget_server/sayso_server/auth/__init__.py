"""Who may call: tokens are verified here, the same way and in the same order for every route.

`Verifier.verify` says whom a token speaks for, `check_fetch_context` whether it may be used from where it
came. Both raise `TokenRefusedError`, which carries the code for the answer.
"""

from sayso_server.auth.access import bearer_token, check_fetch_context
from sayso_server.auth.cache import Verifier
from sayso_server.auth.claims import Claims
from sayso_server.auth.live import LiveKeys
from sayso_server.auth.refused import Lacking, TokenRefusedError
from sayso_server.auth.ring import Key, KeyRing
from sayso_server.auth.used import UsedTokens

__all__ = [
    "Claims",
    "Key",
    "KeyRing",
    "Lacking",
    "LiveKeys",
    "TokenRefusedError",
    "UsedTokens",
    "Verifier",
    "bearer_token",
    "check_fetch_context",
]
