"""One small parser per platform: payload, headers and time of arrival in, happenings out. No I/O."""

from collections.abc import Mapping

from dealer_day.platforms import app, crm, liveperson, twilio, web, whatsapp
from dealer_day.platforms.permissions import Parser, permission_report

PARSERS: Mapping[str, Parser] = {
    "liveperson": liveperson.parse,
    "twilio": twilio.parse,
    "whatsapp": whatsapp.parse,
    "react-native-permissions": permission_report("react-native-permissions"),
    "expo": permission_report("expo"),
    "flutter": permission_report("flutter"),
    "capacitor": permission_report("capacitor"),
    "web": web.parse,
    "app": app.parse,
    "crm": crm.parse,
}
