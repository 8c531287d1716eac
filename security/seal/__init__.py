"""Sealing in the age v1 format, so that stock age opens what we seal."""
