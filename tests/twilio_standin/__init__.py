"""A loopback Twilio: calls, conferences, TwiML and signed webhooks, without a word of ours.

Nothing here imports the product: one mistake must not be able to live on both sides. README.md
tells what is modelled from Twilio's documents and what nobody has observed.
"""
