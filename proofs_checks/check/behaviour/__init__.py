"""What users of optimizers rely on: the checks of `tangency check` that are not about the algorithm alone."""
