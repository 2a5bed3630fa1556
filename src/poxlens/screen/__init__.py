"""One photo and one bundle give one Decision with reasons and a heat map; no torch in here."""
