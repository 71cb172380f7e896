"""The words by which texts are told apart, in English, Spanish and French.

They are written as `rules.sms` leaves a message: lower case, no accents, no apostrophes, one blank between words. A
word missing here is a refusal missed; a word too many is a text message not sent.
"""

LEADING_STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "quit", "end", "cancel", "revoke", "optout"})
"""Stop whatever follows, at the start of a message; the other keywords only alone: "fin de semana" is a weekend."""

STOP_ANYWHERE = (
    "unsub", "unsus", "unscub", "unscrib", "optout", "desabon", "desinscri", "desuscri", "desubscri", "stopp", "arrete",
    "arreti", "resili", "cesser", "desactiv", "cancelen", "dejenme", "quitenme", "saquenme", "borrenme", "eliminenme",
    "eliminame", "retirenme", "borrame",
)  # fmt: skip
"""Beginnings of words that mean nothing else, wherever they stand."""

# fmt: off
STOP_KEYWORDS = LEADING_STOP_WORDS | frozenset({
    "opt out", "stop all", "end all", "cancel all", "quit all", "stop2end", "stopp", "stoped",
    "stpo", "sotp", "tsop", "stp", "sto", "stip", "atop", "dtop", "stopo", "stopn", "stahp", "sotop", "shtop",
    "discontinue", "cease", "desist", "cease and desist", "enough", "remove", "delete", "block", "spam", "no more",
    "not interested", "no longer interested", "go away", "get lost", "fuck off", "f off", "piss off", "wrong number",
    "exit", "leave", "out", "count out", "want out", "count me out", "disable", "unfollow", "not any more",
    "not anymore",
    "do not text", "dont text", "do not txt", "dont txt", "do not message", "dont message", "do not send", "dnc", "off",
    "turn off", "nomore", "wrong", "wrong nbr", "erase", "erase me", "blocking", "terminate", "mute", "rmv", "drop me",
    "remove it", "unenroll", "un enroll",
    "done", "how to cancel", "how do cancel", "wrong person", "do not disturb", "dnd", "blocked", "reported",
    # Spanish
    "alto", "baja", "dar de baja", "darme de baja", "de baja", "cancela", "cancelar", "cancelen", "cancele",
    "cancelado",
    "detener", "detengan", "detenganse", "detengase", "detenga", "detente", "no mas", "nomas", "para", "parar",
    "pare", "paren", "parad", "basta", "ya basta", "suficiente", "terminar", "salir", "anular", "suspender",
    "suspendan", "suspenda", "eliminar", "eliminarme", "borrar", "borrame", "borrenme", "remover", "no molestar",
    "no molesten", "no moleste", "no me molesten", "no me interesa", "no quiero",
    "no quiero nada", "quiero nada", "no contactar", "desactivar", "numero equivocado", "equivocado",
    "persona equivocada", "ya no", "no enviar", "no escribir", "parenle", "parale", "dejenme en paz", "dejame en paz",
    # French
    "annuler", "annulez", "annulation", "arret", "arrete", "arreter", "arretez", "resilier", "resiliation", "resiliez",
    "cesser", "cessez", "cesse", "quitter", "fin", "finir", "assez", "ca suffit", "suffit", "supprimer", "supprimez",
    "retirer", "bloquer", "refus", "refuser", "je refuse", "pas interesse", "pas interessee", "mauvais numero",
    "faux numero", "erreur de numero", "stop pub", "stop sms", "plus rien", "opposition", "desabo", "bloque",
})

START_KEYWORDS = frozenset({
    "start", "unstop",
    # Spanish
    "alta", "comenzar", "iniciar",
    # French
    "commencer", "reprendre",
})
YES_KEYWORDS = frozenset({"yes", "si", "oui"})
HELP_KEYWORDS = frozenset({"help", "info", "ayuda", "informacion", "aide"})

POLITE = frozenset({
    "please", "pls", "plz", "thanks", "thank", "thx", "you", "u", "favor", "por", "gracias", "merci", "svp", "sil", "s",
    "il", "te", "vous", "plait",
})
FILLERS = POLITE | frozenset({
    "all", "again", "already", "hello", "hey", "hi", "i", "im", "am", "it", "just", "me", "no", "nope", "now", "ok",
    "okay", "sir", "sorry", "text", "texts", "that", "this", "the", "txt", "yes", "reply", "guys", "dear",
    "ahora", "hola", "la", "le", "les", "mensaje", "mensajes", "quiero", "ruego", "senores", "todo", "usted", "ya",
    "bonjour", "bonsoir", "de", "je", "madame", "maintenant", "monsieur", "salut", "suis", "tout", "tous", "toute",
    "sms", "veuillez", "immediatement", "inmediatamente", "immediately",
})
"""Politeness around a stop word changes nothing."""

SIGNATURES = (
    " sent from my ", " get outlook for ", " enviado desde mi ", " envoye de mon ", " envoye depuis mon ",
)

ALL = (
    "stopall", "stop all", "end all", "cancel all", "quit all", "unsubscribe all", "all texts", "all messages",
    "all of them", "everything", "todo", "todos", "todas", "tout", "tous", "toutes",
)
"""In a stop: whatever is sent, from any number."""

HARMLESS = (
    "bus stop", "train stop", "next stop", "last stop", "one stop", "non stop", "pit stop", "truck stop", "door stop",
    "stop by", "stop in", "stop over", "stop at", "stop sign", "stop light", "stop lights", "stop and go",
    "stop start", "start stop", "f stop",
    "arret de bus", "arret de tram", "prochain arret",
    "cant stop", "cannot stop", "wont stop", "doesnt stop", "didnt stop",
)
"""Where "stop" means something else. A message that begins with it stops all the same."""
# fmt: on

_STOP_VERBS = ("stop", "quit", "cease", "end", "cancel", "discontinue", "kill", "halt", "suspend", "block")
_SENDING = (
    "texting", "messaging", "sending", "contacting", "bothering", "spamming", "harassing", "annoying", "pestering",
    "writing", "emailing",
)  # fmt: skip
_SENT = (
    "texts", "text", "messages", "message", "msgs", "sms", "alerts", "notifications", "promotions", "promos", "spam",
    "the texts", "the text", "the messages", "the sms", "these texts", "these text", "these messages", "these alerts",
    "these", "those texts", "those messages", "this texting", "this spam", "all texts", "all messages", "all text",
    "all sms", "your texts", "your messages", "my subscription", "the subscription", "subscription", "my consent",
    "subscribing",
)  # fmt: skip
_NEVER = ("dont", "do not", "never", "please no", "stop", "cant you not", "no longer", "not", "nobody")
_REACH = (
    "text", "txt", "message", "contact", "msg", "sms", "write", "send me", "send any", "send texts", "send messages",
    "send more", "send this", "send these", "bother me", "spam me", "reach out",
)  # fmt: skip
_NO_REACH = tuple(
    f"{no} {reach} {whom}".rstrip()
    for no in ("dont", "do not", "never", "dont ever", "do not ever", "pls dont", "dont you", "not to", "please not")
    for reach in _REACH
    for whom in (("",) if " " in reach else ("me", "my", "us", "this", "again", "any", "anymore"))
)
_WANT = (
    "you quit", "and quit", "please quit", "my lawyer", "see you in court", "no promos", "no promotions", "no alerts",
    "like getting these", "my contact info", "give you permission", "gave you permission", "remove from", "rather not",
    "prefer not", "cut the text", "be removed", "please delete", "no text", "out of your system", "dont send",
    "do not send", "do not reply", "dont reply", "not a customer", "no longer a customer", "these to end",
    "them to end", "this to end", "how do i cancel", "want to cancel", "dont want", "do not want", "dont wish",
    "do not wish", "no longer want", "no longer wish", "dont need", "do not need", "didnt ask for", "did not ask for",
    "never asked for", "didnt sign up", "did not sign up", "never signed up", "didnt subscribe", "did not subscribe",
    "never subscribed", "didnt opt in", "did not opt in", "never agreed to", "didnt agree to", "did not agree to",
    "didnt consent", "did not consent", "never consented", "dont consent", "do not consent",
)  # fmt: skip

# Found at the start of a word anywhere in the message.
STOP_PHRASES: tuple[str, ...] = (
    "opt out", "opt me out", "opted out", "opting out", "opt us out", "opt my number out", "opt this number out",
    *(f"{verb} {what}" for verb in _STOP_VERBS for what in (*_SENDING, *_SENT)),
    *(f"{no} {what}" for no in _NEVER for what in ("text me", "message me", "contact me")),
    *_NO_REACH,
    *_WANT,
    "reported as spam", "reporting as spam", "no longer consent", "no txt", "delete my data", "erase me", "erase my",
    "turn off messag", "turn off the text", "turn off the mess", "turn off sms", "wrong nbr",
    "un subscri", "unenroll", "un enroll", "no further text", "no further mess", "no further contact",
    "no further commun", "terminate subscr", "terminate my", "terminate these", "hold all text", "too many text",
    "too many mess", "remove number", "remove this phone", "strike my number", "get off my phone", "youre spamming",
    "you are spamming", "drop me from",
    "no more", "no texts", "no text messages", "no texting", "no sms", "no messages", "no spam", "no marketing",
    "no thanks no",
    "leave me alone", "leave me be", "leave us alone", "remove me", "remove my", "remove this number", "remove us",
    "take me off", "take my number", "take my name", "take us off", "take this number", "get me off", "lose my number",
    "lose this number", "delete my number", "delete my info", "delete me", "delete this number", "forget my number",
    "scrub my number", "erase my number", "off your list", "off this list", "off the list", "off of your",
    "from your list", "from this list", "from the list", "from your mailing", "wrong number", "wrong person",
    "revoke my", "revoke consent", "revoking", "withdraw my", "withdraw consent", "withdrawing my", "my consent is",
    "revoke permission", "revoke authorization", "not interested in your", "not interested in receiving",
    "not interested anymore", "not interested in these", "not interested in texts", "do not call list",
    "do not contact", "donot contact", "report you", "reporting you", "reported you", "blocking you", "blocking this",
    "block you", "blocked you", "cease and desist", "this is spam", "this is harassment", "harassing me", "spamming me",
    "fuck off", "go away", "piss off", "get lost", "shut up", "knock it off", "cut it out", "quit it", "enough already",
    "enough with", "enough of", "had enough", "done with these", "sick of", "tired of these", "tired of your",
    "make it end", "make this end", "turn off these", "turn these off", "turn off text", "turn off notif",
    "cancel me", "cancel my number", "cancel alerts", "cancel this service", "deactivate", "discontinue",
    # Spanish
    "ya no quiero", "no me interesa", "no nos interesa", "no estoy interesad", "equivoco de numero",
    "no sigan mand", "no sigan escrib", "no sigan envi", "no sigan con", "dar baja", "dadme de baja", "denme la baja",
    "alto a los", "no doy permiso", "no soy esa persona",
    "darme de baja", "darse de baja", "dame de baja", "denme de baja", "deme de baja", "den de baja", "dar de baja",
    "dar la baja", "dado de baja", "dada de baja", "doy de baja", "la baja por favor", "solicito la baja",
    "solicito baja", "quiero la baja", "pido la baja", "tramiten la baja", "mi baja", "baja del servicio",
    "baja de la lista", "baja inmediata", "baja de este", "baja de los mensajes",
    *(
        f"{stop} de {doing}"
        for stop in ("deja", "dejar", "deje", "dejen", "dejad", "para", "paren", "pare", "basta", "cesen", "cese")
        for doing in (
            "enviar", "mandar", "escribir", "molestar", "contactar", "llamar", "texte", "spam", "joder", "acosar",
            "fastidiar", "mensaj", "mandarme", "enviarme", "publicidad", "sms", "chingar", "insistir",
        )
    ),
    *(
        f"{no} {what}"
        for no in ("no", "ya no", "nunca", "jamas", "ni")
        for what in (
            "me escrib", "me envi", "me mand", "me contact", "me text", "me llam", "me molest", "me vuelva",
            "me pongan",
            "nos escrib", "nos envi", "nos mand", "quiero mas", "quiero recib", "quiero que me", "quiero sus",
            "quiero estos", "quiero mensaj", "quiero public", "quiero sms", "quiero saber", "deseo recib", "deseo mas",
            "deseo que me", "envien", "envie mas", "enviar mas", "manden", "mande mas", "escriban", "escriba mas",
            "mas mensaj", "mas sms", "mas texto", "mas public", "mas spam", "mas promoc", "molest", "autorizo",
            "acepto mas", "di mi consent", "he dado mi consent", "solicite", "pedi estos", "pedi est", "contacten",
            "me interesa recib", "me interesan sus", "me interesan est", "vuelvan a", "vuelva a",
        )
    ),
    "sin mensaj", "sin sms", "me borren", "me eliminen", "me quiten", "me saquen", "prohibido contact",
    "prohibido escrib",
    "no deseo", "no quisiera", "no vuelv", "vuelvas a", "no me interesa nada", "no nos interesa", "que paren",
    "que dejen de", "cancele mi", "cancela mi", "no mande", "no envie", "no escrib", "no contact", "no llam",
    "no autorizo", "no acepto", "no doy mi", "no mas", "ni un mensaje",
    "ya no me interes", "quitar mi", "quitarme", "eliminarme", "borrarme", "borrar mi", "eliminar mi", "retirarme",
    "sacarme", "parad de", "paren de", "cancelar el servicio", "deseo cancelar", "quiero cancelar", "quisiera cancelar",
    "no contactar", "no llamar", "no soy cliente", "dejo de recib", "dejar de recib", "no longer interested",
    "quitenme", "quiteme", "quitame", "quiten mi", "quite mi", "quita mi", "saquenme", "saqueme", "sacame",
    "saquen mi", "borrenme", "borreme", "borrame", "borren mi", "borre mi", "borra mi", "eliminenme", "elimineme",
    "eliminen mi", "elimine mi", "elimina mi", "remuevanme", "remueva mi", "fuera de su lista", "de su lista",
    "de la lista", "de esta lista", "de sus listas", "cancelar suscrip", "cancelar mi suscrip", "cancelar la suscrip",
    "cancelen mi", "cancele mi suscrip", "cancela mi suscrip", "cancelar mensaj", "cancelar los mensaj",
    "cancelar sms", "anular mi", "anulen mi", "anular suscrip", "anular la suscrip", "revoco", "retiro mi",
    "retirar mi", "revocar mi", "dejenme en paz", "dejeme en paz", "dejame en paz", "dejadme en paz", "dejenme tranq",
    "dejame tranq", "detengan los", "detengan est", "detener los", "detener est", "detenga los", "detener mensaj",
    "suspendan los", "suspender los", "paren los", "paren con", "ya basta", "basta ya", "numero equivocado",
    "se equivoca", "esto es spam", "es acoso", "me estan acosando", "los voy a denunciar", "voy a denunciar",
    "los denuncio", "estoy harto", "estoy harta", "vayanse", "larguense", "a la mierda", "me opongo",
    # French
    *(
        f"{stop} {what}"
        for stop in ("arrete", "arretez", "arreter", "cesse", "cessez", "cesser", "stoppez", "stopper")
        for what in (
            "de m", "d envoyer", "denvoyer", "les messages", "les sms", "les textos", "ces messages", "ces sms",
            "ces textos", "vos messages", "vos sms", "vos textos", "vos envois", "tout", "de nous", "ce spam", "ca",
            "la pub", "vos pub", "avec vos", "votre", "cela", "cet envoi", "d ecrire", "decrire", "le spam",
            "mon abonnement", "immediatement",
        )
    ),
    "d arreter", "darreter", "veuillez cesser", "veuillez arreter", "faites cesser", "faire cesser", "mettre fin",
    "mettez fin",
    *(
        f"{no} {what}"
        for no in ("ne m", "ne me", "ne", "n", "plus", "pas", "ne nous")
        for what in (
            "envoyez plus", "envoyer plus", "envoie plus", "envoyez pas", "ecrivez plus", "ecris plus",
            "contactez plus", "contacte plus", "contactez pas", "textez plus", "derangez plus", "derangez pas",
            "sollicitez plus", "sollicitez pas", "plus recevoir", "plus m", "plus me", "plus nous", "plus contacter",
            "plus envoyer", "souhaite plus", "veux plus", "voulons plus", "desire plus", "souhaitons plus", "veux pas",
            "souhaite pas", "desire pas", "jamais demande", "ai jamais demande", "consens", "autorise",
            "suis plus interesse", "suis pas interesse", "suis plus client",
        )
    ),
    *("ne menvoy", "ne mecriv", "ne mappel", "nenvoyez plus", "n envoyez plus", "plus menvoyer", "plus mecrire"),
    *("ne m en envoyez", "ne men envoyez", "ne m appelez plus", "plus jamais", "plus aucun"),
    *("accepte plus", "naccepte plus", "l arret des", "larret des", "plus besoin de vos", "inutile de m"),
    "minteressent pas",
    *("m interessent pas", "minteressent plus", "m interessent plus", "demande l arret", "demande larret"),
    *("pas de pub", "pas de sms", "pas de texto", "pas de message", "aucun sms", "aucun message", "aucune pub"),
    *("plus de texto", "ecrivez plus", "necrivez", "contactez plus", "envoyez plus rien", "cessiez", "n accepte plus"),
    *("jamais demande", "jamais sollicite", "jamais accepte", "jamais consenti", "jamais donne mon"),
    *("plus de messages", "plus de message", "plus de sms", "plus de textos", "plus de pub", "plus de spam"),
    *("plus de vos", "veux plus", "souhaite plus", "plus recevoir", "pas recevoir", "plus etre contact"),
    *("plus etre sollicit", "pas etre contact", "plus m envoyer", "plus m ecrire", "plus me contacter"),
    *("retirez moi", "retirez mon", "retirer mon", "retire moi", "enlevez moi", "enlevez mon", "enleve moi"),
    *("supprimez moi", "supprimez mon", "supprimer mon", "supprimez mes", "effacez mon", "effacez moi", "rayez moi"),
    *("rayez mon", "otez moi", "sortez moi", "de votre liste", "de vos listes", "de la liste", "de cette liste"),
    *("laissez moi", "laisse moi tranquille", "fichez moi", "foutez moi", "lachez moi", "la paix", "allez vous faire"),
    *("ca suffit", "j en ai assez", "jen ai assez", "ras le bol", "j en ai marre", "jen ai marre"),
    *("enlever mon", "enlever moi", "m enlever", "me retirer", "retirer de vos", "mon inscription", "me rayer"),
    *("me supprimer", "supprimer moi"),
    *("minteresse pas", "minteresse plus", "m interesse pas", "m interesse plus", "n en veux", "nen veux"),
    *("pas interesse", "plus interesse", "mauvais numero", "faux numero", "trompez de numero", "erreur de numero"),
    *("retire mon", "retirer mon consent", "revoque", "je m oppose", "je moppose", "m opposer", "mopposer"),
    *("oubliez moi", "je vous bloque", "signale comme spam", "annuler abonnement", "annuler inscription"),
    *("annulez mon", "annuler mon abon", "annuler l abon", "annuler labon", "annuler les sms", "resilier"),
    *("resiliation", "c est du spam", "cest du spam", "du harcelement", "harceler", "vous signaler", "vous signale"),
    *("mettez fin", "fin de l abon", "fin des sms", "fin des messages"),
)  # fmt: skip
