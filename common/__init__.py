"""Calls, inputs, text and numbers, as all parts read and print them. Imports no other part of the project."""
