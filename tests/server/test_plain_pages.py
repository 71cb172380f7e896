"""The frame of the pages that a link opens."""

import pytest

from sayso_server.pages.plain import accepted, button, page, paragraph, spoken
from sayso_server.pages.preferences import ShownTopic, show

NASTY = "<script>\"&'"


def test_whatever_a_brand_writes_stays_text():
    made = page("en", NASTY, paragraph(NASTY), button(NASTY, {NASTY: NASTY}, describes=NASTY))
    shown = show("en", NASTY, [ShownTopic(NASTY, NASTY, NASTY, NASTY, True, True)], refused=NASTY, gpc=False)
    for html in (made, shown):
        assert "<script>" not in html
        assert "\"&'" not in html


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", [""]),
        ("es", ["es"]),
        ("en;q=0.5, es", ["es", "en"]),
        ("fr-CA, fr;q=0.9, *;q=0.1", ["fr-CA", "fr", "*"]),
        ("en;q=high, es;q=0.2", ["es"]),
    ],
)
def test_the_language_most_wished_for_comes_first(header, tags):
    assert accepted(header) == tags


@pytest.mark.parametrize(
    ("wanted", "otherwise", "language"),
    [(["de", "fr-CA"], None, "fr"), (["de"], "es-MX", "es"), ([], None, "en"), (["ES"], "fr", "es")],
)
def test_a_page_is_in_a_language_that_it_speaks(wanted, otherwise, language):
    assert spoken(wanted, otherwise) == language


def test_a_title_in_another_language_says_so():
    topic = ShownTopic("purpose:marketing", "Angebote", "Wir schreiben Ihnen.", "de", True, True)
    html = show("en", "Dealer", [topic], refused=None, gpc=False)
    assert '<section lang="de"><h2>Angebote</h2>' in html
    assert '<p lang="en">On</p>' in html
