"""The larger commands of `warmline`, one module each; `warmline/cli.py` adds them."""
