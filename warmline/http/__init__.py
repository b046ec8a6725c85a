"""The HTTP frame: declared operations, typed problems, principals, and what is around them."""
