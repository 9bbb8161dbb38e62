"""Problems, gradients and trials, drawn by Hypothesis."""
