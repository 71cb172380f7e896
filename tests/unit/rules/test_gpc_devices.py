"""Under which device a signal is noted when a consumer has had more devices than are kept apart."""

from sayso.model.signal import SignalSeen
from sayso.rules.gpc import device_to_note


def seen(count, name="gpc"):
    return [SignalSeen(name, f"phone-{number}", number + 1, 10, "header") for number in range(count)]


def test_a_new_device_is_noted_by_its_own_name_up_to_50():
    assert device_to_note([], "gpc", "laptop") == "laptop"
    assert device_to_note(seen(49), "gpc", "laptop") == "laptop"


def test_from_the_51st_on_a_signal_is_noted_without_a_device():
    assert device_to_note(seen(50), "gpc", "laptop") == ""
    assert device_to_note([*seen(25), *seen(25, "dnt")], "gpc", "laptop") == ""


def test_a_device_known_already_keeps_its_name():
    assert device_to_note(seen(50), "gpc", "phone-7") == "phone-7"


def test_what_was_noted_without_a_device_takes_no_devices_place():
    assert device_to_note([*seen(49), SignalSeen("gpc", "", 99, 10, "app")], "gpc", "laptop") == "laptop"
