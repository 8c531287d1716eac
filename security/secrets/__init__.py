"""Secrets and personal data in text: rules as data, found in linear time, never kept or shown."""

from security.secrets.catalog import BY_ID, RULES
from security.secrets.finding import best
from security.secrets.scanning import mark, scan
from security.secrets.values import Found, Hit, Kind, Rule

__all__ = ["BY_ID", "RULES", "Found", "Hit", "Kind", "Rule", "best", "mark", "scan"]
