"""All SQL of routing, one file per idea. Every function works inside the caller's transaction."""
