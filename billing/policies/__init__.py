"""Insurance policies: who is insured, from when to when, and what that entitles them to. Pure.

A *policy* in this package is a contract of insurance (保单). What a program asks of it is its
`Cover`, part of the program's `[billing]` section.
"""
