"""How each topic's notice came to be what it is: counted from one revision to the next by whoever publishes."""

from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros
from sayso.model.topic import Topic
from sayso.model.topic_history import TopicHistory


def with_history(old: Catalogue | None, new: Catalogue, now: Micros) -> Catalogue:
    """Write down what becomes of each topic's notice by publishing a catalogue in another's place.

    A higher version starts anew and remembers the one before, so that `grace` can be counted. Under the same version a
    changed text counts up `minor`: it asks nobody again, but a choice keeps which text was shown. Publishing the same
    again gives the same.

    Args:
        old: What is published now; None for a first catalogue.
        new: What is to be published, its retired topics included. What it says of its own history is not believed.
        now: When it is published.
    """
    history: dict[str, TopicHistory] = {}
    for key, topic in new.topics.items():
        before = old.topic(key) if old is not None else None
        if before is None or old is None:
            continue
        past = old.history.get(key)
        if topic.version > before.version:
            past = TopicHistory(since=now, previous=before.version)
        elif shown_texts(topic) != shown_texts(before):
            past = past or TopicHistory()
            past = past.model_copy(update={"minor": past.minor + 1})
        if past is not None:
            history[key] = past
    return new.model_copy(update={"history": history}) if history != new.history else new


def shown_texts(topic: Topic) -> tuple[object, ...]:
    """Give the texts that a consumer is shown with the question, to be compared with another revision's."""
    return topic.title, topic.notice, topic.warning, topic.change
