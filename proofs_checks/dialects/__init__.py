"""The choices that published optimizers make otherwise, and which of them a target made."""
