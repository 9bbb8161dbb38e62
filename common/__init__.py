"""What every part reads and prints in one way: calls, inputs, text, numbers. It knows nothing else of this project."""
