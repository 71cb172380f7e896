import asyncio
from datetime import timedelta

import jwt
import pytest

import sayso
from sayso.client.known_catalogue import KnownCatalogue
from sayso.transport.answer import Answer

TOML = """
[topics."channel:sms"]
basis = "consent"
version = 1
title = { en = "Text messages" }
notice = { en = "May we text you?" }
"""


def _scope(asked) -> str:
    return jwt.decode(asked.headers["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})[
        "scope"
    ]


async def test_the_catalogue_in_force_is_shown(privacy, server) -> None:
    topics = [{"key": "channel:sms", "kind": "channel"}, {"key": "partner:crm:share"}]
    partners = [{"key": "crm", "flows": {"share": "partner:crm:share"}}]
    server.then(
        200, {"revision": 3, "brand": "dealer", "languages": ["en", "es"], "topics": topics, "partners": partners}
    )

    catalogue = await privacy.catalogue()

    assert (catalogue.revision, catalogue.brand, catalogue.languages) == (3, "dealer", ("en", "es"))
    assert list(catalogue.topics) == ["channel:sms", "partner:crm:share"]
    assert catalogue.flows("crm") == ("partner:crm:share",)
    assert catalogue.flows("nobody") == ()


async def test_a_file_is_published_as_canonical_json_by_an_admin(privacy, server, tmp_path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(TOML)
    server.then(200, {"revision": 4, "changed": True})

    published = await privacy.publish_catalogue(file)

    assert published == sayso.CataloguePublished(revision=4, changed=True)
    assert server.paths == ["PUT /v1/catalogue"]
    assert server.asked[0].body["topics"]["channel:sms"]["title"] == {"en": "Text messages"}
    assert _scope(server.asked[0]) == "admin"


async def test_a_catalogue_may_be_published_from_python(privacy, server) -> None:
    server.then(200, {"revision": 4, "changed": False})

    published = await privacy.publish_catalogue(sayso.read_catalogue(TOML))

    assert published.changed is False


async def test_a_file_that_cannot_be_read_names_table_and_key(privacy, server, tmp_path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(TOML.replace('basis = "consent"', 'basis = "vibes"'))

    with pytest.raises(sayso.CatalogueError, match=r'topics."channel:sms".*basis'):
        await privacy.publish_catalogue(file)

    assert server.asked == []


async def test_other_calls_claim_no_more_than_backend(privacy, server) -> None:
    await privacy.consumer("cust-42").allows("channel:sms")

    assert _scope(server.asked[0]) == "backend"


def test_a_consumer_token_is_signed_here(make_client, server, secret) -> None:
    token = make_client().consumer_token("cust-42", origins=["https://dealer.example"])

    claims = jwt.decode(token, secret, algorithms=["HS256"], audience="sayso")
    assert (claims["sub"], claims["origins"]) == ("cust-42", ["https://dealer.example"])
    assert server.asked == []


@pytest.mark.parametrize(
    ("consumer_id", "origins"),
    [("ann@dealer.example", ["app"]), ("cust-42", []), ("cust-42", ["http://dealer.example"])],
)
def test_a_consumer_token_that_would_not_do_is_refused(make_client, consumer_id: str, origins: list[str]) -> None:
    with pytest.raises(sayso.InvalidError):
        make_client().consumer_token(consumer_id, origins=origins)


async def test_an_answer_that_comes_late_puts_no_older_catalogue_in_the_place_of_a_newer() -> None:
    asked: list[asyncio.Future[Answer]] = []

    class Slow:
        async def call(self, *_: object, **__: object) -> Answer:
            asked.append(asyncio.get_running_loop().create_future())
            return await asked[-1]

    known = KnownCatalogue(Slow())
    first, second = asyncio.create_task(known.fetch()), asyncio.create_task(known.fetch())
    await asyncio.sleep(0)
    for place, revision in ((1, 8), (0, 7)):
        body = {"revision": revision, "brand": "dealer", "languages": ["en"], "topics": []}
        asked[place].set_result(Answer({}, body, float(place)))
        await asyncio.sleep(0.01)

    assert ((await first).revision, (await second).revision) == (7, 8)
    assert (await known.current(0.5, timedelta(seconds=1))).revision == 8
