"""A brand's own tests may put aioresponses between the client and the network."""

import re

import pytest

import sayso

URL = "https://sayso.dealer.example"


@pytest.fixture
async def privacy(secret, clock):
    async with sayso.Client(URL, "dealer.k1", secret, clock=clock, live=False) as client:
        yield client


async def test_a_check_is_intercepted(privacy, mocked) -> None:
    decision = {"topic": "purpose:marketing", "allowed": True, "reason": "granted"}
    mocked.post(f"{URL}/v1/decisions", payload={"decisions": [decision]})

    assert await privacy.consumer("cust-42").allows("purpose:marketing") is True


async def test_a_retry_is_intercepted(privacy, mocked, clock) -> None:
    mocked.get(re.compile(f"{URL}/v1/catalogue"), status=503)
    mocked.get(f"{URL}/v1/catalogue", payload={"revision": 2, "brand": "dealer", "languages": ["en"], "topics": []})

    catalogue = await privacy.catalogue()

    assert catalogue.revision == 2
    assert len(clock.slept) == 1


async def test_an_outage_in_the_middle_of_nowhere_is_no(privacy, mocked) -> None:
    mocked.post(f"{URL}/v1/decisions", exception=OSError("no route"), repeat=True)

    decision = await privacy.consumer("cust-42").decide("purpose:marketing")

    assert (decision.allowed, decision.reason) == (False, "unavailable")


async def test_a_tls_certificate_that_is_not_trusted_is_told_and_not_tried_again(privacy, mocked, clock) -> None:
    import aiohttp

    bad = aiohttp.ClientConnectorCertificateError(None, Exception("self-signed certificate for cust-42"))
    mocked.get(f"{URL}/v1/catalogue", exception=bad)

    with pytest.raises(sayso.UnavailableError, match="certificate is not trusted") as caught:
        await privacy.catalogue()

    assert caught.value.code == "certificate"
    assert clock.slept == []
