"""Twilio Programmable Voice: any phone, without a line of one's own.

Pure: `names` (legs, rooms, paths), `line` (what we know of a leg), `documents` (what Twilio is told
to do next), `events` (webhooks, read), `release` (who let go), `telling` (events into news),
`numbers`. `http` and `api` speak to Twilio through its SDK, `webhooks` listens, `hearing` gives
news on, `book` keeps lines and events, `budget` keeps to the calls per second, `carrier` joins
them. What is there and what is not: `docs/twilio.md`.
"""
