"""What becomes of a notice from one revision to the next."""

import pytest

from sayso.catalogue import catalogue_from_python, with_history, with_retired
from sayso.errors import CatalogueError
from sayso.model.catalogue import Catalogue
from sayso.model.topic_history import TopicHistory

TOPIC, SHARE = "purpose:marketing", "partner:crm:share"


def catalogue(*, version=1, notice="We write to you.", share_version=1, share_notice="We send your lead.", **topic):
    texts = {"basis": "consent", "title": {"en": "Offers"}}
    share = {**texts, "version": share_version, "notice": {"en": share_notice}}
    return Catalogue.model_validate(
        {
            "topics": {TOPIC: {**texts, "version": version, "notice": {"en": notice}, **topic}},
            "partners": {"crm": {"partner_class": "integration", "flows": {"share": share}}},
        }
    )


def followed(*revisions):
    """Publish one after the other, the first at time 0, each an hour later."""
    published = None
    for place, revision in enumerate(revisions):
        published = with_history(published, with_retired(published, revision), place * 3600)
    return published


def test_a_first_publication_has_no_history():
    assert followed(catalogue()).history == {}


def test_a_raised_version_remembers_when_and_which_came_before():
    assert followed(catalogue(), catalogue(version=3)).history == {TOPIC: TopicHistory(since=3600, previous=1)}


def test_a_text_that_changes_under_its_version_counts_up_and_keeps_the_rest():
    found = followed(catalogue(), catalogue(version=2), catalogue(version=2, notice="We write."))
    assert found.history == {TOPIC: TopicHistory(minor=1, since=3600, previous=1)}


@pytest.mark.parametrize("text", ["title", "warning", "change"])
def test_every_text_that_people_see_with_the_question_counts(text):
    assert followed(catalogue(), catalogue(**{text: {"en": "Other words."}})).minor(TOPIC) == 1


def test_going_back_to_the_first_words_is_another_text_too():
    assert followed(catalogue(), catalogue(notice="We write."), catalogue()).minor(TOPIC) == 2


def test_a_raised_version_starts_counting_anew():
    assert followed(catalogue(), catalogue(notice="We write."), catalogue(version=2)).minor(TOPIC) == 0


def test_publishing_the_same_again_gives_the_same_bytes():
    first = followed(catalogue(), catalogue(version=2, notice="We write."))
    assert with_history(first, catalogue(version=2, notice="We write."), 99).canonical_json() == first.canonical_json()


def test_a_partners_flow_has_a_history_like_any_topic():
    found = followed(catalogue(), catalogue(share_version=2), catalogue(share_version=2, share_notice="All of it."))
    assert found.history == {SHARE: TopicHistory(minor=1, since=3600, previous=1)}


def test_a_topic_that_was_dropped_and_comes_back_goes_on_with_its_history():
    gone = Catalogue.model_validate({"topics": {"purpose:other": {"basis": "consent"}}})
    assert followed(catalogue(), catalogue(version=2), gone, catalogue(version=2)).history[TOPIC] == TopicHistory(
        since=3600, previous=1
    )


def test_what_a_catalogue_claims_about_its_own_history_is_not_believed():
    claimed = catalogue(version=2).model_copy(update={"history": {TOPIC: TopicHistory(since=10**15, previous=1)}})
    assert with_history(catalogue(), claimed, 7).history == {TOPIC: TopicHistory(since=7, previous=1)}
    assert with_history(None, claimed, 7).history == {}


def test_a_file_with_a_history_is_refused():
    with pytest.raises(CatalogueError, match=r"\[history\]: is kept by the server"):
        catalogue_from_python({"topics": {}, "history": {}})


def test_it_is_stored_and_read_back_and_shown_with_the_topic():
    found = followed(catalogue(), catalogue(version=2, grace="P30D", refresh_before="P14D", expires_after="P365D"))
    assert Catalogue.from_json(found.canonical_json()) == found
    (shown,) = [topic for topic in found.to_wire()["topics"] if topic["key"] == TOPIC]
    assert (
        shown
        | {
            "version": 2,
            "minor": 0,
            "previous_version": 1,
            "version_since": "1970-01-01T00:00:00.003600Z",
            "grace": "P30D",
            "refresh_before": "P14D",
        }
        == shown
    )
    assert "history" not in found.to_wire()


def test_without_a_history_nothing_of_it_is_written():
    assert b"history" not in catalogue().canonical_json()
