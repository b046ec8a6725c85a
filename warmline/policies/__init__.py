"""Insurers' lists on their way in, and what follows from them: codes sent, entitlements checked."""
