"""The words every room uses: ids, phone numbers, refusals, verdicts, calendar arithmetic.

Standard library only, and it imports no other room.
"""
