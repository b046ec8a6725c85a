"""Which rule of the source documents is proved by which test."""
