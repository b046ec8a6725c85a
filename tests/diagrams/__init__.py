"""The state diagrams of `docs/`, found by walking the real machines: `python -m tests.diagrams`."""
