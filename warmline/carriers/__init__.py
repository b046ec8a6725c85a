"""The carrier a process stands on: one object per kind, made from the settings.

`choosing` picks the kind; each kind has a module of its own, and `in_use` says what it owes the
process. What a carrier owes the dialer is in `dialer/carriers/__init__.py`.
"""
