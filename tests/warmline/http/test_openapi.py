"""The document says everything the application can answer, and the application keeps to it."""
