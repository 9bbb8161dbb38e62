"""The checks of an optimizer beside the claims: the two ways to write one, and one file a subject."""
