"""What is asked of somebody's optimizer beside the claims: the ways to check, and one file a subject."""
