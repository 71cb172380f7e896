"""What may be sent next: a consumer's entries in their order, a grant only once the refusals it knows are confirmed."""

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.local.outbox.pick import Pick
from sayso.local.outbox.row import Row

Make = Callable[..., Row]


def picked(rows: Sequence[Row], *, limit: int = 500, room: int = 10**6, skip: Sequence[int] = ()) -> list[int]:
    pick = Pick(limit, room, skip)
    pick.take(rows)
    return [row.id for row in pick.rows]


def test_choices_go_together_in_the_order_they_came(row: Make) -> None:
    assert picked([row(id=1), row(id=2, consumer="cust-43"), row(id=3)]) == [1, 2, 3]


def test_no_more_go_than_fit(row: Make) -> None:
    rows = [row(id=number, body=b"x" * 100) for number in range(1, 10)]

    assert picked(rows, limit=3) == [1, 2, 3]
    assert picked(rows, room=350) == [1, 2]
    assert picked(rows, room=10) == [1]  # alone it goes, for else it never would


def test_a_grant_waits_for_the_refusal_it_knows_of_and_holds_up_what_comes_after(row: Make) -> None:
    rows = [row(id=1), row("granted", id=2, seen_row=1), row(id=3), row(id=4, consumer="cust-43")]

    assert picked(rows) == [1, 4]
    assert picked(rows[1:]) == [2, 3, 4]


def test_the_next_batch_goes_on_where_the_last_one_ended(row: Make) -> None:
    rows = [
        row(id=1),
        row("granted", id=2, seen_row=1),
        row(id=3, consumer="cust-43"),
        row(id=4, consumer="cust-44"),
        row(id=5),
        row("granted", id=6, consumer="cust-43", seen_row=3),
        row(id=7, consumer="cust-44"),
    ]
    pick = Pick(2, 10**6)
    batches: list[list[int]] = []
    while pick.last < 7:
        pick.begin()
        pick.take(one for one in rows if one.id > pick.last)
        batches.append([one.id for one in pick.rows])

    # The first two batches may still be on their way: what must know of them waits for another go.
    assert batches == [[1, 3], [4, 7]]


def test_a_grant_that_knows_of_no_refusal_goes_along_behind_it(row: Make) -> None:
    assert picked([row(id=1), row("granted", id=2)]) == [1, 2]


def test_a_report_goes_alone_and_holds_up_its_consumer(row: Make) -> None:
    rows = [row(id=1, kind="device"), row(id=2), row(id=3, consumer="cust-43"), row(id=4, kind="age", consumer="x")]

    assert picked(rows) == [1]
    assert picked(rows[1:]) == [2, 3]


def test_disclosures_stand_in_a_line_of_their_own(row: Make) -> None:
    rows = [row(id=1, kind="disclosure"), row(id=2), row(id=3, kind="disclosure")]

    assert picked(rows) == [1, 3]
    assert picked(rows[1:]) == [2]


def test_what_is_put_off_holds_up_its_consumer_alone(row: Make) -> None:
    rows = [row(id=1), row(id=2), row(id=3, consumer="cust-43")]

    assert picked(rows, skip=[1]) == [3]


def test_the_same_choice_handed_in_twice_is_not_twice_in_a_batch(row: Make) -> None:
    assert picked([row(id=1, choice_id="a"), row(id=2, choice_id="a"), row(id=3, choice_id="b")]) == [1]


ENTRIES = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["granted", "denied"]), st.sampled_from(["choice", "device"])),
    max_size=12,
)


@settings(max_examples=300)
@given(ENTRIES, st.integers(1, 4), st.data())
def test_everything_is_sent_once_and_in_order_whatever_waits_for_what(
    entries: list[tuple[str, str, str]], limit: int, data: st.DataObject
) -> None:
    rows: list[Row] = []
    for number, (consumer, answer, kind) in enumerate(entries, 1):
        refusals = [one.id for one in rows if one.consumer_id == consumer and one.refuses]
        seen = data.draw(st.sampled_from([0, *refusals])) if answer == "granted" else 0
        rows.append(Row(kind, consumer, b"{}", 0, 0.0, "", 0, f"c{number}", "", answer, seen_row=seen, id=number))
    sent: list[int] = []
    while rows:
        now = picked(rows, limit=limit)
        assert now
        waiting = {one.id for one in rows}
        grants = [one for one in rows if one.id in now and not one.refuses and one.kind == "choice"]
        assert all(one.seen_row not in waiting for one in grants)
        sent += now
        rows = [one for one in rows if one.id not in now]
    for consumer in "ab":
        mine = [number for number in sent if entries[number - 1][0] == consumer]
        assert mine == sorted(mine)
    assert sorted(sent) == list(range(1, len(entries) + 1))
