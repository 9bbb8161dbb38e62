"""What was found, for people and machines."""
