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


def batches(pick: Pick, rows: Sequence[Row]) -> list[list[int]]:
    """Give every batch that is sent before anything is taken out."""
    found: list[list[int]] = []
    while True:
        pick.begin()
        pick.take(one for one in rows if one.id > pick.last)
        ended = pick.end()
        if not ended:
            return found
        found.append([one.id for one in ended])


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

    # All of them may still be on their way: what must know of them waits.
    assert batches(Pick(2, 10**6), rows) == [[1, 3], [4, 7]]


def test_a_grant_goes_along_once_the_refusal_it_knows_of_is_taken_out_and_says_its_version(row: Make) -> None:
    rows = [
        row(id=1),
        row("granted", id=2, seen_row=1),
        row(id=3, topic="channel:email"),
        row("granted", id=4, seen_row=1, based_on=2),
        row("granted", id=5, topic="channel:email", seen_row=3),
    ]
    pick = Pick(500, 10**6)
    said: list[list[tuple[int, int | None]]] = []
    version = 7
    while True:
        pick.begin()
        pick.take(one for one in rows if one.id > pick.last)
        ended = pick.end()
        if not ended:
            break
        said.append([(one.id, one.based_on) for one in ended])
        for one in ended:
            version += 1
            pick.taken_out(one, version)

    # What is sent along with the refusal of e-mails has not seen that one: it saw the refusal of messages, version 8.
    assert said == [[(1, None)], [(2, 8), (3, None), (4, 8)], [(5, 10)]]


def test_a_refusal_that_got_no_version_is_waited_for_no_longer_and_says_nothing(row: Make) -> None:
    pick = Pick(500, 10**6)
    refusal, grant = row(id=1), row("granted", id=2, seen_row=1)
    pick.take([refusal, grant])
    assert pick.end() == [refusal]
    pick.begin()
    assert pick.end() == []
    pick.taken_out(refusal, None)
    pick.begin()

    assert pick.end() == [grant]


def test_few_consumers_who_said_much_don_t_keep_others_from_being_sent(row: Make) -> None:
    rows = [row(id=1)]
    rows += [row("granted", id=number, seen_row=1) for number in range(2, 1002)]
    rows += [row(id=1002, consumer="cust-43")]

    assert picked(rows) == [1, 1002]


def test_what_is_held_is_bounded_and_the_rest_left_to_another_go(row: Make) -> None:
    pick = Pick(500, 10**6)
    rows = [row(id=1), *(row("granted", id=number, seen_row=1) for number in range(2, 1002))]
    pick.take(rows)
    (refusal,) = pick.end()
    pick.taken_out(refusal, 5)

    assert batches(pick, rows) == [[*range(2, 252)]]


def test_while_something_may_be_sent_no_more_than_a_thousand_are_looked_at_to_send_more_along(row: Make) -> None:
    pick = Pick(500, 10**6)
    looked_at = 0
    for consumer in range(30):
        if not pick.wants:
            break
        first = looked_at + 1
        pick.take([row(id=first, consumer=f"cust-{consumer}")])
        pick.take(
            row("granted", consumer=f"cust-{consumer}", id=first + more, seen_row=first) for more in range(1, 100)
        )
        looked_at += 100

    assert looked_at == 1_100
    assert [one.id for one in pick.end()] == [*range(1, 1_100, 100)]


def test_a_batch_that_was_not_ended_is_not_lost(row: Make) -> None:
    pick = Pick(500, 10**6)
    rows = [row(id=1), row(id=2)]
    pick.take(rows)
    pick.begin()  # the file turned out to be damaged, and is read again

    assert pick.end() == rows


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
    versions: dict[int, int] = {}
    for number, (consumer, answer, kind) in enumerate(entries, 1):
        refusals = [one.id for one in rows if one.consumer_id == consumer and one.refuses]
        seen = data.draw(st.sampled_from([0, *refusals])) if answer == "granted" else 0
        rows.append(Row(kind, consumer, b"{}", 0, 0.0, "", 0, f"c{number}", "", answer, seen_row=seen, id=number))
    sent: list[int] = []
    waiting = {one.id for one in rows}
    version = 100
    while waiting:
        pick = Pick(limit, 10**6)
        before = len(sent)
        while True:
            pick.begin()
            pick.take(one for one in rows if one.id > pick.last and one.id in waiting)
            ended = pick.end()
            if not ended:
                break
            grants = [one for one in ended if not one.refuses and one.kind == "choice"]
            assert all(one.seen_row not in waiting for one in grants)
            sent += [one.id for one in ended]
            for one in ended:
                version += 1
                waiting.remove(one.id)
                versions[one.id] = version
                pick.taken_out(one, version)
            for one in grants:
                # Read anew it would say what the store knows of older ones; here it says what it waited for in this go.
                assert one.based_on in (None, versions.get(one.seen_row))
        assert len(sent) > before
    for consumer in "ab":
        mine = [number for number in sent if entries[number - 1][0] == consumer]
        assert mine == sorted(mine)
    assert sorted(sent) == list(range(1, len(entries) + 1))
