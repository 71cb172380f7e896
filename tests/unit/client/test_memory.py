from sayso.client.memory import Memory


def test_the_newest_version_wins() -> None:
    memory = Memory()
    memory.saw_version("cust-42", 5)
    memory.saw_version("cust-42", 3)

    assert memory.version("cust-42") == 5
    assert memory.version("cust-43") is None


def test_an_older_snapshot_does_not_overwrite_what_stands() -> None:
    memory = Memory()
    memory.saw_choice("cust-42", 5, "channel:sms", True, True)
    memory.saw_answers("cust-42", 4, {"channel:sms": False})

    assert memory.grant_stands("cust-42", "channel:sms") is True


def test_a_replayed_answer_does_not_overwrite_what_stands() -> None:
    memory = Memory()
    memory.saw_choice("cust-42", 5, "channel:sms", False, True)
    memory.saw_choice("cust-42", 4, "channel:sms", True, True)

    assert memory.grant_stands("cust-42", "channel:sms") is False


def test_a_choice_that_does_not_stand_leaves_the_question_open() -> None:
    memory = Memory()
    memory.saw_choice("cust-42", 1, "channel:sms", True, True)
    memory.saw_choice("cust-42", 2, "channel:sms", True, False)

    assert memory.grant_stands("cust-42", "channel:sms") is None


def test_a_withdraw_all_leaves_every_question_open() -> None:
    memory = Memory()
    memory.saw_choice("cust-42", 1, "channel:sms", True, True)
    memory.saw_choice("cust-42", 2, "*", False, True)

    assert memory.grant_stands("cust-42", "channel:sms") is None


def test_consumers_unseen_for_longest_are_forgotten_first() -> None:
    memory = Memory(limit=2)
    memory.saw_version("cust-1", 1)
    memory.saw_version("cust-2", 1)
    memory.saw_version("cust-1", 2)
    memory.saw_version("cust-3", 1)

    assert [memory.version(f"cust-{n}") for n in (1, 2, 3)] == [2, None, 1]


def test_a_choice_recorded_again_keeps_its_consumer_remembered() -> None:
    memory = Memory(limit=2)
    memory.saw_choice("cust-1", 1, "channel:sms", False, True)
    memory.saw_choice("cust-2", 1, "channel:sms", False, True)
    memory.saw_choice("cust-1", 1, "channel:sms", False, True)
    memory.saw_choice("cust-3", 1, "channel:sms", False, True)

    assert [memory.version(f"cust-{n}") for n in (1, 2, 3)] == [1, None, 1]


def test_a_choice_after_a_gap_forgets_what_stood_before_it() -> None:
    memory = Memory()
    memory.saw_choice("cust-42", 1, "channel:sms", True, True)
    memory.saw_choice("cust-42", 3, "channel:email", True, True)

    assert memory.version("cust-42") == 3
    assert memory.grant_stands("cust-42", "channel:sms") is None
    assert memory.grant_stands("cust-42", "channel:email") is True


def test_a_choice_keeps_what_it_was_first_said_to_have_seen() -> None:
    memory = Memory()

    assert [memory.pin("c-1", None), memory.pin("c-1", 4), memory.pin("c-2", 4), memory.pin("c-2", 5)] == [
        None,
        None,
        4,
        4,
    ]
