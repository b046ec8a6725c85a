"""All SQL of the dialer: calls, news, and what is due."""
