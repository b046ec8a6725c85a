"""The people's pages: built from `web/` into `built/`, which ships with the package."""
