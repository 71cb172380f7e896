"""A catalogue in which nothing is wrong, for tests that then put one thing wrong."""

from typing import Any

import pytest


@pytest.fixture
def tables() -> dict[str, Any]:
    """The tables of a small file that lints without errors and without warnings."""
    office = {"name": "Example Motors", "address": ["1 Example Avenue"], "email": "privacy@motors.example"}
    return {
        "languages": ["en", "fr-CA"],
        "default_language": "en",
        "topics": {
            "purpose:marketing": {
                "basis": "consent",
                "version": 2,
                "data_classes": ["contact"],
                "title": {"en": "Offers", "fr-CA": "Offres"},
                "notice": {"en": "We send offers.", "fr-CA": "Nous envoyons des offres."},
            },
            "purpose:quality": {
                "basis": "legitimate_interest",
                "data_classes": ["contact"],
                "title": {"en": "Quality", "fr-CA": "Qualité"},
                "notice": {"en": "We check answers.", "fr-CA": "Nous vérifions les réponses."},
            },
            "permission:camera": {
                "basis": "consent",
                "data_classes": ["contact"],
                "title": {"en": "Camera", "fr-CA": "Appareil photo"},
                "notice": {"en": "You may send pictures.", "fr-CA": "Vous pouvez envoyer des photos."},
            },
            "cookie:performance": {
                "basis": "consent",
                "title": {"en": "Measuring", "fr-CA": "Mesure"},
                "notice": {"en": "We count visits.", "fr-CA": "Nous comptons les visites."},
            },
            "channel:sms": {
                "basis": "consent",
                "title": {"en": "Texts", "fr-CA": "Textos"},
                "notice": {"en": "We text you.", "fr-CA": "Nous vous textons."},
            },
        },
        "partners": {
            "vinsolutions": {
                "partner_class": "integration",
                "country": "US",
                "policy_url": "https://vinsolutions.example/privacy",
                "title": {"en": "VinSolutions", "fr-CA": "VinSolutions"},
                "flows": {
                    "share": {
                        "basis": "consent",
                        "title": {"en": "Send", "fr-CA": "Envoyer"},
                        "notice": {"en": "We send it.", "fr-CA": "Nous l’envoyons."},
                    }
                },
                "fields": {"customer.phone": ["channel:sms"], "vehicle": []},
            }
        },
        "retention": {
            "contact": {
                "period": "P730D",
                "start": "last_contact",
                "title": {"en": "Contact", "fr-CA": "Coordonnées"},
                "ground": {"en": "People come back.", "fr-CA": "Les gens reviennent."},
            }
        },
        "deadlines": {
            "policy": {
                "law": "Our policy",
                "regions": ["*"],
                "respond": "30 days",
                "valid_from": "2026-01-01",
            }
        },
        "contacts": {
            "controller": office,
            "data_protection_officer": office,
            "eu_representative": office,
            "uk_representative": office,
            "authorities": {
                "eea": {
                    "regions": ["EEA"],
                    "url": "https://authority.example/",
                    "name": {"en": "Authority", "fr-CA": "Autorité"},
                }
            },
        },
    }
