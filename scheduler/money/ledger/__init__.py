"""What pools and offers cost, priced from the logs and checked."""
