"""One module a check; `bot/catalog.py` names them all."""
