"""What the page `/rights` says, in each language that it speaks."""

from collections.abc import Mapping
from typing import Final

from sayso.model.deadline import RequestKind

KINDS: Final[Mapping[RequestKind, Mapping[str, tuple[str, str]]]] = {
    RequestKind.ACCESS: {
        "en": ("See what is held about me", "You get to see the data, and who has received it."),
        "es": ("Ver qué se conserva sobre mí", "Verá los datos y quién los ha recibido."),
        "fr": ("Voir ce qui est conservé à mon sujet", "Vous voyez les données et qui les a reçues."),
    },
    RequestKind.COPY: {
        "en": ("Get a copy of my data", "You get a file to keep and to read."),
        "es": ("Obtener una copia de mis datos", "Recibirá un archivo para guardar y leer."),
        "fr": ("Obtenir une copie de mes données", "Vous recevez un fichier à conserver et à lire."),
    },
    RequestKind.TRANSFER: {
        "en": ("Take my data elsewhere", "You get a file that other companies’ programs can read."),
        "es": ("Llevar mis datos a otra empresa", "Recibirá un archivo que otros programas pueden leer."),
        "fr": ("Transférer mes données ailleurs", "Vous recevez un fichier que d’autres programmes savent lire."),
    },
    RequestKind.CORRECT: {
        "en": ("Correct something about me", "You say what is wrong, and it is put right."),
        "es": ("Corregir algo sobre mí", "Usted dice qué está mal y se corrige."),
        "fr": ("Corriger quelque chose à mon sujet", "Vous dites ce qui est faux, et c’est corrigé."),
    },
    RequestKind.DELETE: {
        "en": ("Delete my data", "What is held about you is erased, except what a law says must be kept."),
        "es": ("Eliminar mis datos", "Se borra lo que se conserva sobre usted, salvo lo que la ley obliga a guardar."),
        "fr": ("Supprimer mes données", "Ce qui est conservé est effacé, sauf ce que la loi oblige à garder."),
    },
    RequestKind.WITHDRAW_ALL: {
        "en": ("Take back everything I agreed to", "Nothing that needs your consent goes on."),
        "es": ("Retirar todo lo que acepté", "No continúa nada que necesite su consentimiento."),
        "fr": ("Retirer tout ce que j’ai accepté", "Plus rien de ce qui exige votre consentement ne continue."),
    },
    RequestKind.OBJECT: {
        "en": ("Object to uses I was not asked about", "Uses that rest on the company’s own interest stop."),
        "es": (
            "Oponerme a usos sobre los que no me preguntaron",
            "Cesan los usos basados en el interés de la empresa.",
        ),
        "fr": ("M’opposer à des usages non demandés", "Les usages fondés sur l’intérêt de l’entreprise cessent."),
    },
    RequestKind.RESTRICT: {
        "en": ("Have my data kept but not used", "For as long as something about it is being settled."),
        "es": ("Que mis datos se guarden pero no se usen", "Mientras se resuelve alguna cuestión sobre ellos."),
        "fr": ("Que mes données soient gardées sans être utilisées", "Le temps qu’une question soit réglée."),
    },
    RequestKind.SALE_OPT_OUT: {
        "en": ("Do not sell or share my data", "It is no longer sold, nor shared for advertising."),
        "es": ("No vender ni compartir mis datos", "Ya no se venden ni se comparten para publicidad."),
        "fr": (
            "Ne pas vendre ni partager mes données",
            "Elles ne sont plus vendues, ni partagées à des fins publicitaires.",
        ),
    },
    RequestKind.SMS_OPT_OUT: {
        "en": ("Stop text messages", "Give the number that gets them."),
        "es": ("No recibir más mensajes de texto", "Indique el número que los recibe."),
        "fr": ("Ne plus recevoir de SMS", "Indiquez le numéro qui les reçoit."),
    },
    RequestKind.EMAIL_OPT_OUT: {
        "en": ("Stop e-mails", "Give the address that gets them."),
        "es": ("No recibir más correos electrónicos", "Indique la dirección que los recibe."),
        "fr": ("Ne plus recevoir d’e-mails", "Indiquez l’adresse qui les reçoit."),
    },
    RequestKind.MINOR_CONTENT_REMOVAL: {
        "en": ("Remove what I posted before I was 18", "You give the address of each piece."),
        "es": ("Retirar lo que publiqué antes de los 18 años", "Usted indica la dirección de cada contenido."),
        "fr": ("Retirer ce que j’ai publié avant 18 ans", "Vous indiquez l’adresse de chaque contenu."),
    },
}
"""Each kind in plain words: what it is called, and what comes of it."""

PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "EEA": {
        "en": "European Union, Iceland, Liechtenstein or Norway",
        "es": "Unión Europea, Islandia, Liechtenstein o Noruega",
        "fr": "Union européenne, Islande, Liechtenstein ou Norvège",
    },
    "GB": {"en": "United Kingdom", "es": "Reino Unido", "fr": "Royaume-Uni"},
    "US-CA": {"en": "California", "es": "California", "fr": "Californie"},
    "US": {
        "en": "Another part of the United States",
        "es": "Otra parte de los Estados Unidos",
        "fr": "Ailleurs aux États-Unis",
    },
    "CA-QC": {"en": "Québec", "es": "Quebec", "fr": "Québec"},
    "CA": {"en": "Another part of Canada", "es": "Otra parte de Canadá", "fr": "Ailleurs au Canada"},
    "": {
        "en": "Elsewhere, or I would rather not say",
        "es": "En otro lugar, o prefiero no decirlo",
        "fr": "Ailleurs, ou je préfère ne pas le dire",
    },
}
"""Where somebody may live, by the jurisdiction that a request then has."""

MONTHS: Final[Mapping[str, str]] = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
DATES: Final[Mapping[str, str]] = {
    "en": "{day} {month} {year}",
    "es": "{day} de {month} de {year}",
    "fr": "{day} {month} {year}",
}

FAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "inaccurate": {"en": "It is wrong", "es": "Es incorrecto", "fr": "C’est inexact"},
    "incomplete": {"en": "Something is missing", "es": "Falta algo", "fr": "C’est incomplet"},
    "ambiguous": {"en": "It can be misunderstood", "es": "Puede malinterpretarse", "fr": "C’est ambigu"},
    "unauthorised": {
        "en": "It should not be there at all",
        "es": "No debería figurar ahí",
        "fr": "Cela ne devrait pas y figurer",
    },
}

NAMES: Final[Mapping[str, str]] = {"en": "English", "es": "Español", "fr": "Français"}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Ask for your privacy rights",
        "intro": "You need no account, and it costs nothing. First say what you want; then you see by when you get an "
        "answer and whom you can turn to, before you send anything.",
        "languages": "Language",
        "brand": "Which company",
        "choose": "Choose…",
        "no_brand": "Choose the company from the list.",
        "kind": "What do you want?",
        "no_kind": "Choose what you want.",
        "place": "Where do you live?",
        "place_hint": "Laws differ. If you don’t say, the strictest one counts.",
        "next": "Go on",
        "back": "Change this",
        "to": "To",
        "want": "You want",
        "live": "You live in",
        "when": "When you get an answer",
        "acknowledge": "You hear that it has arrived by {date} at the latest.",
        "respond": "You get an answer by {date} at the latest.",
        "extend": "If it is complicated, it may take until {date}. You would be told before, and why.",
        "check": "Before that {brand} makes sure that it is you who is asking. The time runs meanwhile.",
        "no_check": "Nobody has to check who you are for this. It takes effect as soon as it is known which data are "
        "yours, so give what {brand} knows you by.",
        "gpc": "Your browser sends Global Privacy Control. On this browser {brand} has to honour it without a request.",
        "turn": "If you are not satisfied",
        "you": "How can you be reached?",
        "reach": "Give at least one of e-mail address, phone number and postal address. It is used for this request "
        "alone.",
        "no_reach": "Give an e-mail address, a phone number or a postal address; else nobody can answer you.",
        "name": "Name",
        "email": "E-mail address",
        "phone": "Phone number",
        "address": "Postal address",
        "optional": "optional",
        "about": "What is wrong?",
        "about_hint": "Such as: my phone number.",
        "fault": "What is wrong with it?",
        "urls": "Addresses of what is to go",
        "urls_hint": "One on each line, whole, beginning with https://",
        "text": "Anything else that helps to find it",
        "text_hint": "Please write no passwords and no card numbers.",
        "send": "Send the request",
        "nothing_yet": "Nothing has been sent yet.",
        "problems": "This is still missing or does not fit:",
        "wrong": "“{name}” does not fit. Look at it once more.",
        "missing": "“{name}” is missing.",
        "done_title": "Your request has arrived",
        "done": "{brand} has your request.",
        "reference": "Reference number",
        "keep": "Write it down or print this page. Quote it if you ask about your request.",
        "stops": "It is carried out as soon as it is known which data are yours; nobody has to check who you are.",
        "waits": "{brand} gets in touch with you, to make sure that it is you who is asking.",
        "another": "Ask for something else",
        "busy_title": "Too many requests from here",
        "busy": "More requests came from your network than this page takes at once, so yours was not sent. Try again "
        "in {minutes} minutes, or write or call:",
        "office": "Or write to {brand}",
        "cross": "This form was not sent from this page, so nothing was done. Start here:",
        "unavailable": "This can’t be done now. Try again in a moment.",
    },
    "es": {
        "title": "Ejercer sus derechos de privacidad",
        "intro": "No necesita cuenta y es gratis. Primero diga qué desea; después verá cuándo recibirá respuesta y a "
        "quién puede acudir, antes de enviar nada.",
        "languages": "Idioma",
        "brand": "Qué empresa",
        "choose": "Elija…",
        "no_brand": "Elija la empresa de la lista.",
        "kind": "¿Qué desea?",
        "no_kind": "Elija qué desea.",
        "place": "¿Dónde vive?",
        "place_hint": "Las leyes difieren. Si no lo dice, cuenta la más estricta.",
        "next": "Continuar",
        "back": "Cambiar esto",
        "to": "Para",
        "want": "Desea",
        "live": "Vive en",
        "when": "Cuándo recibirá respuesta",
        "acknowledge": "Se le confirmará que ha llegado a más tardar el {date}.",
        "respond": "Recibirá respuesta a más tardar el {date}.",
        "extend": "Si es complicado, puede tardar hasta el {date}. Se le avisaría antes, con el motivo.",
        "check": "Antes, {brand} comprueba que es usted quien lo solicita. El plazo sigue corriendo.",
        "no_check": "Para esto nadie tiene que comprobar quién es usted. Surte efecto en cuanto se sabe qué datos son "
        "suyos; indique, pues, los datos por los que {brand} le conoce.",
        "gpc": "Su navegador envía Global Privacy Control. En este navegador {brand} debe respetarlo sin solicitud.",
        "turn": "Si no queda satisfecho",
        "you": "¿Cómo podemos localizarle?",
        "reach": "Indique al menos un correo electrónico, un teléfono o una dirección postal. Solo se usa para esta "
        "solicitud.",
        "no_reach": "Indique un correo electrónico, un teléfono o dirección postal; si no, nadie puede responderle.",
        "name": "Nombre",
        "email": "Correo electrónico",
        "phone": "Teléfono",
        "address": "Dirección postal",
        "optional": "opcional",
        "about": "¿Qué está mal?",
        "about_hint": "Por ejemplo: mi número de teléfono.",
        "fault": "¿Qué le pasa?",
        "urls": "Direcciones de lo que debe retirarse",
        "urls_hint": "Una por línea, completa, que empiece por https://",
        "text": "Algo más que ayude a encontrarlo",
        "text_hint": "No escriba contraseñas ni números de tarjeta.",
        "send": "Enviar la solicitud",
        "nothing_yet": "Todavía no se ha enviado nada.",
        "problems": "Falta algo o no es correcto:",
        "wrong": "«{name}» no es correcto. Revíselo.",
        "missing": "Falta «{name}».",
        "done_title": "Su solicitud ha llegado",
        "done": "{brand} tiene su solicitud.",
        "reference": "Número de referencia",
        "keep": "Anótelo o imprima esta página. Indíquelo si pregunta por su solicitud.",
        "stops": "Se llevará a cabo en cuanto se sepa qué datos son suyos; nadie tiene que comprobar quién es usted.",
        "waits": "{brand} se pondrá en contacto con usted para comprobar que es usted quien lo solicita.",
        "another": "Solicitar otra cosa",
        "busy_title": "Demasiadas solicitudes desde aquí",
        "busy": "Desde su red llegaron más solicitudes de las que esta página admite a la vez, así que la suya no se "
        "envió. Inténtelo de nuevo en {minutes} minutos, o escriba o llame:",
        "office": "O escriba a {brand}",
        "cross": "Este formulario no se envió desde esta página, así que no se hizo nada. Empiece aquí:",
        "unavailable": "No es posible ahora. Inténtelo de nuevo en un momento.",
    },
    "fr": {
        "title": "Exercer vos droits sur vos données",
        "intro": "Aucun compte n’est nécessaire et c’est gratuit. Dites d’abord ce que vous voulez ; vous verrez "
        "ensuite quand vous aurez une réponse et à qui vous adresser, avant tout envoi.",
        "languages": "Langue",
        "brand": "Quelle entreprise",
        "choose": "Choisissez…",
        "no_brand": "Choisissez l’entreprise dans la liste.",
        "kind": "Que voulez-vous ?",
        "no_kind": "Choisissez ce que vous voulez.",
        "place": "Où habitez-vous ?",
        "place_hint": "Les lois diffèrent. Si vous ne le dites pas, la plus stricte s’applique.",
        "next": "Continuer",
        "back": "Modifier",
        "to": "À",
        "want": "Vous voulez",
        "live": "Vous habitez",
        "when": "Quand vous aurez une réponse",
        "acknowledge": "La réception vous est confirmée au plus tard le {date}.",
        "respond": "Vous avez une réponse au plus tard le {date}.",
        "extend": "Si c’est compliqué, cela peut durer jusqu’au {date}. Vous en seriez averti avant, avec la raison.",
        "check": "Auparavant, {brand} vérifie que c’est bien vous qui le demandez. Le délai court pendant ce temps.",
        "no_check": "Personne n’a à vérifier votre identité pour cela. Cela prend effet dès que l’on sait quelles "
        "données sont les vôtres ; donnez donc les coordonnées que {brand} connaît.",
        "gpc": "Votre navigateur envoie Global Privacy Control. Sur ce navigateur, {brand} doit le respecter sans "
        "demande.",
        "turn": "Si la réponse ne vous satisfait pas",
        "you": "Comment vous joindre ?",
        "reach": "Donnez au moins une adresse e-mail, un numéro de téléphone ou une adresse postale. Cela ne sert qu’à "
        "cette demande.",
        "no_reach": "Donnez une adresse e-mail, un numéro de téléphone ou une adresse postale ; sinon personne ne peut "
        "vous répondre.",
        "name": "Nom",
        "email": "Adresse e-mail",
        "phone": "Numéro de téléphone",
        "address": "Adresse postale",
        "optional": "facultatif",
        "about": "Qu’est-ce qui est faux ?",
        "about_hint": "Par exemple : mon numéro de téléphone.",
        "fault": "Qu’est-ce qui ne va pas ?",
        "urls": "Adresses de ce qui doit disparaître",
        "urls_hint": "Une par ligne, entière, commençant par https://",
        "text": "Autre chose qui aide à trouver",
        "text_hint": "N’écrivez ni mot de passe ni numéro de carte.",
        "send": "Envoyer la demande",
        "nothing_yet": "Rien n’a encore été envoyé.",
        "problems": "Il manque quelque chose, ou ceci ne convient pas :",
        "wrong": "« {name} » ne convient pas. Vérifiez encore une fois.",
        "missing": "« {name} » manque.",
        "done_title": "Votre demande est arrivée",
        "done": "{brand} a votre demande.",
        "reference": "Numéro de référence",
        "keep": "Notez-le ou imprimez cette page. Citez-le si vous posez une question sur votre demande.",
        "stops": "Elle est exécutée dès que l’on sait quelles données sont les vôtres ; personne n’a à vérifier votre "
        "identité.",
        "waits": "{brand} prend contact avec vous pour vérifier que c’est bien vous qui le demandez.",
        "another": "Demander autre chose",
        "busy_title": "Trop de demandes depuis ici",
        "busy": "Plus de demandes sont venues de votre réseau que cette page n’en prend à la fois ; la vôtre n’a donc "
        "pas été envoyée. Réessayez dans {minutes} minutes, écrivez ou appelez :",
        "office": "Ou écrivez à {brand}",
        "cross": "Ce formulaire n’a pas été envoyé depuis cette page ; rien n’a été fait. Commencez ici :",
        "unavailable": "Ce n’est pas possible maintenant. Réessayez dans un moment.",
    },
}
