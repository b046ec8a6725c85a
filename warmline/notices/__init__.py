"""What is told outside: SMS to callers, status pushes to the customer-service system."""
