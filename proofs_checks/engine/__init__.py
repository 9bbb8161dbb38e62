"""What runs claims: records, proofs, generated problems, trials of real optimizers, bounds, reports."""
