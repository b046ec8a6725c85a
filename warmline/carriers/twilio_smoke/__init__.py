"""What only a live account can prove: tried once by an operator with two phones in hand.

`questions` says what is asked, `stage` holds carrier, phones and what is seen, `trials` makes the
calls, `run` puts them together.
"""
