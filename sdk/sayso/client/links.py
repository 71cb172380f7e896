"""Making links by which consumers refuse without signing in."""

from collections.abc import Iterable, Mapping, Sequence

from sayso.client.faults import checked_consumer_id, invalid, reading
from sayso.model.topic import EVERY_TOPIC, TopicKind
from sayso.transport.codec import dumps
from sayso.transport.http import Transport
from sayso.wire import MAX_LINKS, Code

_PATH = "/v1/unsubscribe-links"


async def link_urls(transport: Transport, wanted: Sequence[Mapping[str, str]]) -> list[str]:
    """Have links made, 500 to a request; give their addresses in the order wanted.

    Raises:
        InvalidError: One could do nothing; `pointer` names it within its request. None of that request is made.
        Error: The class says why.
    """
    urls: list[str] = []
    for start in range(0, len(wanted), MAX_LINKS):
        part = wanted[start : start + MAX_LINKS]
        answer = await transport.call("POST", _PATH, dumps({"links": list(part)}))
        with reading():
            made = answer.data["links"]
            if [link["consumer_id"] for link in made] != [link["consumer_id"] for link in part]:
                raise ValueError("links of other consumers")
            urls += [str(link["url"]) for link in made]
    return urls


def refused_topic(name: str) -> str:
    """Give the topic that a link is to refuse: a name without a kind, such as `email`, is a channel's."""
    return name if ":" in name or name == EVERY_TOPIC else f"{TopicKind.CHANNEL.value}:{name}"


async def unsubscribe_links(
    transport: Transport, consumer_ids: Iterable[str], members: Mapping[str, str]
) -> dict[str, str]:
    """Have an unsubscribe link made for each of many consumers; give their addresses by consumer.

    Raises:
        Error: As for `link_urls`.
    """
    ids = [checked_consumer_id(consumer_id) for consumer_id in dict.fromkeys(consumer_ids)]
    urls = await link_urls(transport, [{"consumer_id": consumer_id, **members} for consumer_id in ids])
    return dict(zip(ids, urls, strict=True))


def unsubscribe_headers(link: str) -> dict[str, str]:
    """Give the headers of a message that can be unsubscribed from with one click (RFC 8058 §3.1).

    Args:
        link: What `unsubscribe_link` gave.

    Raises:
        InvalidError: That is no address.
    """
    if not link.startswith(("https://", "http://")) or any(bad in link for bad in " <>\r\n\t"):
        raise invalid("/link", Code.INVALID_VALUE, "give the address that unsubscribe_link made")
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
