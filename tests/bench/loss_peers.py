"""One run of one SDK: gives it events, each with a marker, and ends as told.

Arguments: the SDK; `exit`, `killed`, `fork` or `flush`; how many; the sink's address;
a file to make when all are given.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Peer(NamedTuple):
    """How to give an SDK an event, and how to flush it."""

    give: Callable[[str], object]
    flush: Callable[[], object]


def segment(url: str) -> Peer:
    """Segment's, with its defaults."""
    from segment.analytics.client import Client

    client = Client("key", host=url)
    return Peer(lambda marker: client.track("user", marker), client.flush)


def posthog(url: str) -> Peer:
    """PostHog's, with its defaults."""
    from posthog import Posthog

    client = Posthog("key", host=url)
    return Peer(lambda marker: client.capture(marker, distinct_id="user"), client.flush)


def sentry(url: str) -> Peer:
    """Sentry's, with its defaults."""
    import sentry_sdk

    sentry_sdk.init(dsn=url.replace("http://", "http://key@") + "/1")
    return Peer(sentry_sdk.capture_message, sentry_sdk.flush)


def launchdarkly(url: str) -> Peer:
    """LaunchDarkly's, with its defaults but for the addresses; it is not waited for, since the sink has no flags."""
    import ldclient
    from ldclient.config import Config

    config = Config("key", base_uri=url, events_uri=url, stream_uri=url, stream=False, diagnostic_opt_out=True)
    client = ldclient.LDClient(config, start_wait=0.1)
    context = ldclient.Context.create("user")
    return Peer(lambda marker: client.track(marker, context), client.flush)


PEERS = {"segment": segment, "posthog": posthog, "sentry": sentry, "launchdarkly": launchdarkly}


def main() -> None:
    """Run it."""
    logging.disable()
    name, how, count, url, ready = sys.argv[1:]
    peer = PEERS[name](url)
    if how == "fork":
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    for number in range(int(count)):
        peer.give(f"marker-{number:06d}")
    if how == "flush":
        peer.flush()
        time.sleep(2)  # some only ask a thread of theirs to flush
        os._exit(0)  # what flushing did is the question here, not what exiting does
    Path(ready).touch()
    if how == "killed":
        time.sleep(60)


if __name__ == "__main__":
    main()
