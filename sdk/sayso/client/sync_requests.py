"""The officers' side of rights requests for code without an event loop."""

from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sayso.client.portal import Portal
from sayso.client.requests import Requests
from sayso.client.rights import RightsRequest
from sayso.model.request import RequestState

P = ParamSpec("P")
T = TypeVar("T")


def _of_requests(
    method: Callable[Concatenate[Requests, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["SyncRequests", P], T]:
    @wraps(method)
    def blocking(self: "SyncRequests", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.run(method(self._requests, *args, **kwargs))

    return blocking


class SyncRequests:
    """Works rights requests; every call waits for its answer. What each does is said at `Requests`."""

    def __init__(self, requests: Requests, portal: Portal) -> None:
        """Take what it waits for; made by `SyncClient.requests`."""
        self._requests = requests
        self._portal = portal

    @property
    def as_backend(self) -> "SyncRequests":
        """The same with the role `backend`."""
        return SyncRequests(self._requests.as_backend, self._portal)

    file = _of_requests(Requests.file)
    show = _of_requests(Requests.show)
    find = _of_requests(Requests.find)
    acknowledge = _of_requests(Requests.acknowledge)
    verify = _of_requests(Requests.verify)
    start = _of_requests(Requests.start)
    extend = _of_requests(Requests.extend)
    fulfil = _of_requests(Requests.fulfil)
    deny = _of_requests(Requests.deny)
    revoke = _of_requests(Requests.revoke)
    hand_over = _of_requests(Requests.hand_over)
    note = _of_requests(Requests.note)
    lift = _of_requests(Requests.lift)
    result = _of_requests(Requests.result)

    def list(self, state: RequestState | str = "open") -> Iterator[RightsRequest]:
        """Go through the brand's requests, the one that is due next first: see `Requests.list`."""
        pages = self._requests.list(state)

        async def following() -> RightsRequest | None:
            return await anext(pages, None)

        while (request := self._portal.run(following())) is not None:
            yield request

    def __repr__(self) -> str:
        return "<SyncRequests>"
