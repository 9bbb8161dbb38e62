"""Targets of optax: its own SGD under another name, and one with a planted defect."""

import optax


def heavy_ball(learning_rate, momentum=0.0):
    """SGD with momentum."""
    return optax.sgd(learning_rate, momentum=momentum)


def ascends(learning_rate, momentum=0.0):
    """The sign is wrong."""
    return optax.sgd(-learning_rate, momentum=momentum)
