"""What texts mean for texting."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rules.sms import SmsAnswer, classify


@pytest.mark.parametrize(
    "body",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!!",
        "STOPALL",
        "UNSUBSCRIBE",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "OPT OUT",
        "opt-out",
        "CANCEL",
        "S.T.O.P.",
        "s t o p",
        "ＳＴＯＰ",
        "S\u200bTOP",
        "\u202eSTOP\u202c",
        "STOP \U0001f6d1",
        "\u201cSTOP\u201d",
        "stop\nstop",
        "BAJA",
        "Baja, por favor",
        "Por favor, deténganse",
        "ALTO",
        "CANCELAR",
        "No más",
        "ARRET",
        "ARRÊT",
        "Arre\u0302t",
        "Arrêtez svp",
        "STOP PUB",
        "Désabonner",
    ],
)
def test_a_stop_word_stops(body):
    assert classify(body) is SmsAnswer.STOP


@pytest.mark.parametrize(
    "body",
    [
        "STOP PLEASE",
        "please stop",
        "ok stop it",
        "Yes, STOP",
        "stop texting me",
        "Hey can you quit messaging me?",
        "I'd like to unsubscribe from this",
        "opt me out of these texts",
        "NO STOP",
        "enough, stop this",
        "I want to opt out",
        "Don't text me again",
        "don\u2019t text me",
        "no more texts thanks",
        "REMOVE ME from your list",
        "Quiero darme de baja",
        "Por favor dejen de enviar mensajes",
        "No me escriban más",
        "Arrêtez de m'envoyer des messages",
        "Je ne veux plus recevoir vos SMS",
        "Désabonnez-moi",
    ],
)
def test_any_reasonable_wording_stops(body):
    assert classify(body) is SmsAnswer.STOP


@pytest.mark.parametrize(
    "body",
    ["Stop by tomorrow?", "Cancel my test drive", "Don't stop texting me", "START STOPALL please stop"],
)
def test_doubt_falls_on_the_side_of_stop(body):
    assert classify(body) is SmsAnswer.STOP


@pytest.mark.parametrize("body", ["START", "unstop", "Start!", "ALTA", "INICIAR", "Commencer", "Reprendre"])
@pytest.mark.parametrize("opted_out", [True, False])
def test_start_words_resume(body, opted_out):
    assert classify(body, opted_out=opted_out) is SmsAnswer.START


@pytest.mark.parametrize("body", ["YES", "yes.", "Sí", "si", "OUI"])
def test_yes_answers_only_our_own_question(body):
    assert classify(body, pending=True) is SmsAnswer.START
    assert classify(body) is SmsAnswer.OTHER


@pytest.mark.parametrize("body", ["YES", "Sí", "oui"])
@pytest.mark.parametrize("pending", [True, False])
def test_a_stray_yes_never_undoes_a_stop(body, pending):
    assert classify(body, opted_out=True, pending=pending) is SmsAnswer.OTHER


@pytest.mark.parametrize(
    "body",
    ["start over", "Can we start at nine?", "please start texting", "yes please do start", "unstoppable"],
)
def test_nothing_but_a_keyword_starts(body):
    assert classify(body, pending=True) is SmsAnswer.OTHER


@pytest.mark.parametrize("body", ["HELP", "info", "Help?", "AYUDA", "Información", "AIDE"])
def test_help_words_ask_for_help(body):
    assert classify(body) is SmsAnswer.HELP


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "\u200b",
        "?!",
        "Is the blue one still there?",
        "Where is the bus stop",
        "I will adopt outdoor furniture",
        "El fin de semana",
        "Un hombre alto",
        "para mañana",
        "please help me choose",
        "thanks",
        "no",
    ],
)
def test_the_rest_is_conversation(body):
    assert classify(body) is SmsAnswer.OTHER


@pytest.mark.parametrize(
    ("said", "answer"), [("STOP", SmsAnswer.STOP), ("START", SmsAnswer.START), ("HELP", SmsAnswer.HELP)]
)
@pytest.mark.parametrize("body", ["STOP", "START", "HELP", "hello", ""])
def test_what_the_platform_already_decided_wins(said, answer, body):
    assert classify(body, opt_out_type=said) is answer


@pytest.mark.parametrize("said", ["", "OTHER", "YES", "STOP;START", "\u0405TOP"])
def test_an_unknown_decision_of_the_platform_is_as_if_absent(said):
    assert classify("hello", opt_out_type=said) is SmsAnswer.OTHER
    assert classify("stop", opt_out_type=said) is SmsAnswer.STOP


def test_only_the_first_1600_characters_are_read():
    assert classify("x " * 799 + "y unsubscribe") is SmsAnswer.OTHER
    assert classify("x " * 500 + "y unsubscribe") is SmsAnswer.STOP
    assert classify(" " * 5000 + "STOP" + " " * 5000) is SmsAnswer.STOP


@pytest.mark.parametrize(
    "unit", ["stop", "s ", "opt ", "\ufdfa", "a\u0300", "\u200b", " ", "(((((", "don't ", "do not text "]
)
def test_a_hostile_text_costs_no_more_than_its_length(unit):
    started = time.process_time()
    for _ in range(3):
        classify(unit * 200_000)
    assert time.process_time() - started < 5


def test_a_pattern_is_only_text():
    assert classify("(help|a)*$") is SmsAnswer.OTHER
    assert classify(".*") is SmsAnswer.OTHER


@given(st.text(), st.booleans(), st.booleans())
def test_every_text_has_an_answer(body, pending, opted_out):
    assert classify(body, pending=pending, opted_out=opted_out) in SmsAnswer


@given(st.text())
def test_while_opted_out_only_start_words_resume(body):
    if classify(body, pending=True, opted_out=True) is SmsAnswer.START:
        assert classify(body) is SmsAnswer.START


@given(st.text(max_size=40))
def test_a_text_that_begins_with_stop_always_stops(rest):
    assert classify(f"STOP {rest}") is SmsAnswer.STOP
