"""Telling people and systems outside: SMS to callers, status pushes to the customer-service system."""
