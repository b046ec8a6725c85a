"""Real SIP phones against a real Asterisk."""
