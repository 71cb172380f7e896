"""Texts as people write them, in three languages: none that is meant as a refusal may be missed.

What is taken for a refusal and isn't one is listed at the end. Each is a text message not sent until START, which is
the side to err on.
"""

import pytest

from sayso.rules.sms import SmsAnswer, classify, means_all
from sayso.rules.sms_words import STOP_ANYWHERE, STOP_PHRASES

REFUSALS_EN = """
un subscribe
un-subscribe me
blocking
terminate
terminate subscription
no further texts
no further contact please
no further communication please
hold all texts
too many texts
too many messages
mute
please unenroll me
remove this phone
remove number
rmv
drop me
strike my number
get off my phone
you're spamming
🛑
do not text
don't text
dont txt me
dont txt this number
don't message
no txts pls
reported as spam
I no longer consent
Wrong #
wrong nbr
DNC please
delete my data
erase me
turn off messages
turn off
off
nomore
St0p
STOP
Stop.
stop!!
"stop"
STOP 🛑
S T O P
St0p? no, STOP
stoppp
STOOOOP
stp
sotp
Stahp
STOP STOP STOP
STOPALL
STOP ALL
stop 2 end
END
Quit
quit.
Cancel
REVOKE
Unsubscribe
unsubscribe me please
UNSUB
pls unsub
Optout
OPT OUT
Opt-out
opt out please
I want to opt out
opt me out of everything
How do I opt out of this?
I'd like to unsubscribe from these
how do i stop these
How can I make these texts stop?
can you stop
Could you please stop
Please stop.
ok stop
yes stop
Thanks but please stop
Stop, thank you
Hi, please STOP now
Please STOP!!! I am at work
I said STOP
I already told you to stop
I asked you to stop last week
why am i still getting these i said stop
Text STOP
reply stop
STOP - Ann
STOP

Sent from my iPhone
stop texting me
Quit texting me
please quit sending me stuff
Stop messaging this number
Stop sending me messages
stop contacting me
stop w/ the texts
Don't text me
don’t text me anymore
dont text this number again
Do not text me again
do not message me
DO NOT CONTACT ME
Never text me again
please don't send me any more of these
Don't send me anything else
no more texts
No more messages please
No more!
No more. Thanks.
no texts please
No thank you, no more
Please no more, email only
remove me
Remove me from your list
REMOVE MY NUMBER
please remove this number
Take me off your list
take my number off
Get me off this list
delete my number
lose my number
Leave me alone
go away
Enough!
enough already
Knock it off
This is spam
stop spamming me
I'm going to report you
I am blocking you
Wrong number
You have the wrong number
wrong person sorry
Not interested
Not interested, thanks
I'm no longer interested
Im not interested in your texts
I don't want these texts
I do not wish to receive text messages
I no longer want to hear from you
i didnt sign up for this
I never signed up for these messages
I did not consent to this
I revoke my consent
I withdraw my consent to text messages
Cancel my subscription
cancel texts
cancel these alerts
End texts
end all messages
Discontinue
Please discontinue these messages
cease and desist
Do not disturb
turn off these notifications
fuck off
Piss off
sick of these texts
Please take us off of your mailing list
Enough with the messages already
Kindly stop
stop  sending
I have asked you to stop
Would you please quit
Please cancel text alerts
no promos
I don't like getting these
Stop bothering my mother
please delete my contact info
You're annoying, stop
Unsubscribe from all
STOP!!!!!!
take this phone number off your list
i do not want any texts from you people
Don't ever text me
I didn't give you permission
Not me, wrong number
Ann doesn't live here, wrong number
remove from list
Remove please
Please take my name off
I want out
Quit bugging me
no longer wish to get these
Stop this madness
please unsubcribe
unsuscribe
Unscubscribe
unsubscirbe
make it stop
I'd rather not get texts
do not send me texts
dont send
Stop sendin me stuff
STOP.PLEASE
stop-please
cancel these
Pls stop
Plz quit
Stop it now or I'll sue
you are harassing me
I'll call my lawyer
Who is this? stop texting
do not reply to me ever
not a customer anymore
no more please stop it
I changed my mind, no texts
I want these to end
please end this
How to cancel
how do I cancel these
I'm done
Count me out
not any more
exit
leave
unfollow
Out
Stop notifications
disable
Please don't message this phone
quit it with these texts
I'd like to stop receiving these
Don't want any more of these
Stop the spam
No longer wish to receive these
take this number off ur list
remove my cell from this
please stop contacting my son
not interested stop messaging
Opt me out
UNSUBSCRIBE!!!
END PLEASE
I don't know who you are, remove my number
pls stop sending this
Never message me again
No marketing texts please
do not wish to be contacted
Don't bother me
Stop. I mean it.
kindly remove my details
I do not consent to these texts
Cut the texts
please no more notifications
i want to be removed
Stop hitting me up
You keep texting me, stop
this number is not Ann's, please delete
Don't send texts to this number
I'm opting out
Tired of this. Stop.
no text
take me out of your system
"""

REFUSALS_ES = """
no sigan mandando mensajes
no sigan escribiendo
dar baja
dadme de baja
alto a los mensajes
párenle
párale
no doy permiso
no soy esa persona
ya no quiero
no gracias, no me interesa
no estoy interesado
no estoy interesada, gracias
no enviar
se equivocó de número
ALTO
Alto por favor
BAJA
Baja
baja por favor
De baja
darme de baja
Quiero darme de baja
quiero que me den de baja
Deme de baja por favor
dar de baja mi número
Solicito la baja
Me quiero dar de baja ya
CANCELAR
cancela
Cancelen
Cancelar suscripción
Quiero cancelar mi suscripción
cancelen mi suscripcion por favor
Cancelar mensajes
PARAR
Pare
paren ya
Para por favor
Paren de mandarme mensajes
para de escribirme
No más
no mas mensajes
NO MÁS MENSAJES POR FAVOR
ya no quiero mensajes
No quiero más mensajes
No quiero recibir más textos
no deseo recibir publicidad
Ya no me escriban
No me escriba más
no me escriban nunca más
No me manden mensajes
No me mande más
No me envíen nada
no me envien mas sms
No me contacten
no me contacte por favor
No me molesten
No molestar
dejen de molestar
Dejen de escribirme
Deje de enviarme mensajes
deja de mandarme sms
dejenme en paz
Déjame en paz
Quítenme de la lista
quiteme de su lista
Sáquenme de esta lista
Borren mi número
bórrame
Eliminen mi número
elimine mi telefono
Detener
Detengan los mensajes
DETÉNGANSE
Basta
¡Ya basta!
fin
Salir
Suspender
anular
Anular la suscripción
Número equivocado
numero equivocado, no soy yo
No me interesa
no me interesa, gracias
Revoco mi consentimiento
retiro mi consentimiento
No autorizo estos mensajes
Yo no solicité esto
esto es spam
STOP por favor
stop ya
Por favor stop
desuscribir
Desuscríbanme
quiero desinscribirme
¿Cómo dejo de recibir estos mensajes?
¿Cómo me doy de baja?
vayanse a la mierda
estoy harta de sus mensajes
no nos escriban más
no me manden nada
no quiero que me escriban
dejen de enviarme promociones
Ya dejen de fastidiar
quiero que dejen de escribirme
Bórrenme de su base de datos
darme de baja inmediatamente
ya no quiero recibir nada
Por favor cancelen los mensajes
No vuelvan a escribirme
STOP BAJA
no más textos por favor
paren de una vez
Desactivar
no soy cliente, dejen de mandar mensajes
No quiero
no quiero nada
ya no me interesa
no gracias no quiero mas
me pueden quitar de su lista
por favor quitar mi numero
eliminame
no envíen más
No mande más mensajes
Parad de enviar sms
dejad de molestarme
cancelar el servicio
deseo cancelar
quiero cancelar
quisiera darme de baja
no contactar
alto ya
Para ya
no quiero spam
retirenme
ya no me manden mensajes por favor
No quiero que me contacten
por favor dejen de enviar
Deténgase
Borre mi teléfono de su lista
No deseo mensajes
no vuelvas a escribirme
Cancele mi número
Quiero que paren
no me interesa nada
Denme de baja
dejad de enviarme sms
Ya no me envíen promociones
Por favor no me llamen ni me escriban
Ya estuvo, dejen de molestar
Cancelen esto
Sin mensajes por favor
Que me borren de la base
no acepto publicidad
Elimínenme de la lista
Ya no deseo recibir mensajes
Prohibido contactarme
"""

REFUSALS_FR = """
désabo
annuler abonnement
oubliez-moi
bloqué
je vous bloque
signalé comme spam
opposition
ARRÊT
arret
Arrêter
ARRETEZ
Arrêtez svp
arrêtez s'il vous plaît
Arrêtez de m'envoyer des messages
arrete de m'écrire
Arrêtez les messages
arrêtez ça
Arrêtez tout
Veuillez arrêter
Merci d'arrêter
Pouvez-vous arrêter vos envois ?
STOP
Stop svp
stop merci
STOP PUB
STOP SMS
stop au 36200
Bonjour, stop, merci
Stoppez les SMS
Cessez
cessez de m'importuner
Cessez tout envoi
Veuillez cesser ces messages
Désabonner
désabonnement
Désabonnez-moi
je veux me désabonner
Comment me désabonner ?
se desabonner svp
Désinscription
désinscrire
Je souhaite me désinscrire
désinscrivez moi de votre liste
RESILIER
résiliation
Annuler
annulez mon abonnement
Fin
Quitter
Assez
Ça suffit
Ça suffit !!!
J'en ai assez de vos messages
j'en ai marre
Ne m'écrivez plus
Ne m’écrivez plus jamais
ne m'envoyez plus de messages
n'envoyez plus rien
Ne me contactez plus
ne me derangez plus
Merci de ne plus m'écrire
merci de ne plus me contacter
Veuillez ne plus m'envoyer de SMS
Je ne veux plus recevoir de SMS
Je ne veux plus de vos messages
je veux plus de vos sms
Je ne souhaite plus être contacté
je ne souhaite pas recevoir de publicité
Plus de messages svp
Plus de SMS
plus aucun message
plus jamais
Retirez-moi de la liste
Retirez mon numéro
Enlevez-moi de votre liste
Supprimez mon numéro
supprimez mes coordonnées
Effacez mon numéro
Laissez-moi tranquille
Fichez-moi la paix
foutez moi la paix
Pas intéressé
pas intéressée merci
Je ne suis plus intéressé
Mauvais numéro
Faux numéro désolé
vous vous trompez de numéro
Je retire mon consentement
je révoque mon accord
Je m'oppose à ces envois
C'est du spam
je vais vous signaler
Je refuse
Je n'ai jamais demandé ça
Mettez fin à ces SMS
Arrêtez immédiatement
Je vous prie de cesser
Ne m'envoyez rien
supprimez-moi de votre fichier
j'aimerais me désinscrire
Merci de me retirer de vos contacts
plus de publicités merci
Veuillez supprimer mon numéro
je ne veux pas recevoir ces sms
Arretez le harcelement
désabonne moi
laissez moi en paix
Stop aux messages
Plus de pub !
merci d'annuler mon inscription
Je ne veux plus de messages
plus de message
svp arreter les textos
arretez vos conneries
enlever mon numero svp
Je désire me désabonner
ne m'appelez plus
Veuillez me retirer de votre liste
pas interessé
non merci, plus de sms
stoppez tout
cesse de m'ecrire
ça ne m'intéresse pas
ca ne m'interesse plus
J'ai demandé d'arrêter
je vous demande d'arrêter
Vous pouvez arrêter ?
je n'en veux plus
Ne plus envoyer
Arrêtez s'il vous plaît de m'écrire
Merci de ne plus m'envoyer de messages
Je souhaite ne plus recevoir vos offres
STOP AUX SMS
Je me désabonne
supprimez-moi
ne me dérangez plus svp
j'aimerais que vous arrêtiez
Enlevez mon numéro de votre base
pas de pub svp
Plus de texto
je ne suis pas intéressé
veuillez me désinscrire
On ne veut plus de vos messages
N'écrivez plus à ce numéro
Stoppez
Je n'accepte plus vos SMS
Supprimer mon numéro svp
Je demande l'arrêt des messages
Cessez de me contacter
plus besoin de vos messages
Retirer mon numéro
Désinscrivez mon numéro
Inutile de m'écrire
Vos sms ne m'intéressent pas
"""

CONVERSATION = """
Yes please
ok
Thanks!
No
no thanks
See you Friday
What time do you open?
Is the blue one still there?
Can I bring the car in on Friday at 3?
I'll stop by tomorrow
We could stop in after work
Where is the bus stop
Is there a bus stop nearby?
Is it a one-stop shop?
Does it have start-stop?
Can you text me the price?
Please text me when it's ready
Send me the photos please
Could you send me more messages like this
I want to sign up
What does the service cost?
My car won't start
Can we start at nine?
please start texting
The weekend works for me
How much is the end table?
Is it a quiet engine
unstoppable
I will adopt outdoor furniture
What is the optional package?
I lost the number of my order, it ends in 42
Call me instead
I am interested in the red one
Can I cancel later if I want?
We were on our way
El fin de semana me va bien
¿A qué hora abren?
Para mañana por favor
¿Para cuándo estará listo?
es para el lunes
Un hombre alto
El precio es muy alto
¿Me pueden mandar una foto?
Quiero más información
Sí, me interesa
Hola, ¿siguen teniendo el rojo?
Mándeme la dirección
Gracias, hasta luego
necesito parabrisas
Quisiera hablar con alguien
La parte baja del motor
¿Pueden llamarme?
À la fin du mois
en fin de journée
L'arrêt de bus est loin ?
Je peux passer demain ?
Plus de détails svp
Je voudrais plus d'informations
Merci beaucoup
Bonjour, vous ouvrez à quelle heure ?
Quel est le prix ?
Oui, ça m'intéresse
Envoyez-moi une photo
Écrivez-moi quand c'est prêt
C'est parfait
Remove the roof rack please
Not interested in the red one, but in the blue one
Can I stop in on Monday to look at it?
Do you have end caps?
When does the sale end?
Is parking available?
Please call me after five
Does the price include delivery?
can you send me the invoice again
I need to change my appointment to Tuesday
¿Tienen citas para el sábado?
¿Cuál es el precio final?
Necesito cambiar mi cita
Gracias por todo
Me gustaría probar el coche
Pouvez-vous me rappeler ?
Avez-vous une place samedi ?
Merci pour tout
C'est combien avec la livraison ?
J'arrive dans dix minutes
Yes that works
No problem
"""

FALSE_ALARMS = """
ya no quiero el rojo, mejor el azul
no me interesa el color, solo el precio
Stop by tomorrow?
Cancel my test drive
Cancel my appointment on Monday
End of the month works
Quit smoking in the loaner car, please
Don't stop texting me
The engine doesn't run, it starts to stop
Did it stop raining there?
I don't want to miss the sale
No more questions, thanks
Enough
Block
No more than 300 a month
Delete
Laissez-moi réfléchir
Laissez-moi votre adresse
Para
Salir
Quiero cancelar la cita
I'd rather not wait until Monday
Basta de lluvia, voy mañana a stop
Je refuse
On arrête tout à midi ?
Ya no
assez
"""


def lines(text: str) -> list[str]:
    """Give the messages; one that goes on after an empty line is one message."""
    joined = text.strip().replace("\n\n", "\0")
    return [line.replace("\0", "\n\n") for line in joined.split("\n")]


ALL_REFUSALS = [*lines(REFUSALS_EN), *lines(REFUSALS_ES), *lines(REFUSALS_FR)]


def test_no_phrase_is_so_short_that_anything_contains_it():
    too_short = [phrase for phrase in (*STOP_PHRASES, *STOP_ANYWHERE) if len(phrase) < 5]
    assert too_short == []


def test_there_are_hundreds_of_messages_in_three_languages():
    every = [*ALL_REFUSALS, *lines(CONVERSATION), *lines(FALSE_ALARMS)]
    assert min(len(lines(text)) for text in (REFUSALS_EN, REFUSALS_ES, REFUSALS_FR)) >= 80
    assert len(ALL_REFUSALS) == len(set(ALL_REFUSALS)) + 1, "STOP is the same in English and French"
    assert len(every) >= 300


@pytest.mark.parametrize("body", ALL_REFUSALS)
def test_no_refusal_is_missed(body):
    assert classify(body) is SmsAnswer.STOP


@pytest.mark.parametrize("body", ALL_REFUSALS)
def test_no_refusal_is_taken_for_the_yes_to_our_own_question(body):
    assert classify(body, pending=True) is SmsAnswer.STOP


@pytest.mark.parametrize("body", [message.upper() for message in ALL_REFUSALS])
def test_shouting_changes_nothing(body):
    assert classify(body) is SmsAnswer.STOP


@pytest.mark.parametrize("body", lines(CONVERSATION))
def test_conversation_is_let_through(body):
    assert classify(body) is SmsAnswer.OTHER


@pytest.mark.parametrize("body", lines(FALSE_ALARMS))
def test_these_are_known_to_be_taken_for_refusals(body):
    assert classify(body) is SmsAnswer.STOP


@pytest.mark.parametrize("body", ["yes please", "YES, thanks", "Sí, por favor", "oui merci", "Oui s'il vous plaît"])
def test_a_polite_yes_is_a_yes(body):
    assert classify(body, pending=True) is SmsAnswer.START
    assert classify(body, pending=True, opted_out=True) is SmsAnswer.OTHER


@pytest.mark.parametrize("body", ["Yes but not on Sundays", "yes what?", "Si mañana", "oui mais stop"])
def test_a_yes_with_more_to_it_is_none(body):
    assert classify(body, pending=True) is not SmsAnswer.START


@pytest.mark.parametrize("body", ["STOPALL", "stop all", "Please stop everything", "stop all texts", "Arrêtez tout"])
def test_a_stop_may_be_about_everything(body):
    assert means_all(body)


@pytest.mark.parametrize("body", ["STOP", "stop texting me", "I called, stop", "baja", "totally stop"])
def test_a_plain_stop_is_about_the_number_it_went_to(body):
    assert not means_all(body)
