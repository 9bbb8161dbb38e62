"""What is checked: somebody's optimizer, found, understood and driven."""
