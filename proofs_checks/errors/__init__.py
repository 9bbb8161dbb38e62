"""How far rounding may carry a computation from the exact result."""
