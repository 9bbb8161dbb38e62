"""How checks are run: suites, processes, expected failures, baselines."""
