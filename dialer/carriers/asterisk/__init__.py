"""Asterisk 22 over ARI: any phone that a SIP trunk reaches.

Pure: `names` (legs and channels), `numbers` (as trunks write them), `events` (what ARI says),
`release` (who let go), `kept` (how it ended while nobody listened), `traces` (events into news),
`standing` (what is found there), `silence` (counted packets into news), `prompts` (what is being
said), `configuration` (Asterisk's own files). `ari` speaks HTTP, `telling` gives news on, `carrier`
joins them. What is there and what is not: `docs/asterisk.md`.
"""
