import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.model.disclosure import Disclosure
from sayso.rules.field_names import names_to_disclose


def test_names_stay_as_they_are() -> None:
    names = ("id", "customer.contact.email", "lead-source", "teléfono", "adf:name", "line2", "_x")

    assert names_to_disclose(names) == names


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("people.+1 415 555 0100.phone", "people.*.phone"),
        ("people.cust-4217.phone", "people.*.phone"),
        ("people.4217.phone", "people.*.phone"),
        ("people.mary.smith@mail.example.phone", "*"),
        ("a name with spaces", "*"),
        ("", "*"),
        ("a..b", "a.*.b"),
        ("x" * 61, "*"),
        ("a\nb", "*"),
    ],
)
def test_a_step_that_does_not_look_like_a_name_is_not_told(name: str, told: str) -> None:
    assert names_to_disclose([name]) == (told,)


def test_names_that_come_to_the_same_are_told_once() -> None:
    assert names_to_disclose(["people.1234.phone", "people.5678.phone", "id", "id"]) == ("people.*.phone", "id")


def test_of_many_names_the_deepest_steps_are_put_together() -> None:
    names = [f"customer.part{number}x.name" for number in range(300)]

    assert names_to_disclose([*names, "id"]) == ("customer.*", "id")


def test_of_many_names_side_by_side_the_last_are_put_together() -> None:
    told = names_to_disclose(f"field{number}" for number in range(500))

    assert told == (*(f"field{number}" for number in range(199)), "*")


def test_a_long_name_ends_early() -> None:
    (told,) = names_to_disclose(["step." * 50 + "end"])

    assert told == "step." * 39 + "*"


@given(
    st.lists(st.text() | st.from_regex(r"[a-z.@0-9]{0,300}", fullmatch=True))
    | st.integers(0, 600).map(lambda n: [f"f{i}" for i in range(n)])
)
def test_the_server_takes_whatever_is_told(names: list[str]) -> None:
    told = names_to_disclose(names)

    disclosure = Disclosure.model_validate_json(
        Disclosure.model_construct(
            id="0198f3a0-0000-7000-8000-0000000000d1",
            consumer_id="cust-42",
            partner="vinsolutions",
            flow="share",
            answer="send",
            fields_sent=told,
            fields_held_back=(),
            at="2026-11-23T19:00:00Z",
        ).model_dump_json(warnings=False)
    )
    assert disclosure.fields_sent == told
    assert bool(told) == bool(names)
