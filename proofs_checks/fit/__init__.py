"""Which dialect a target speaks: probes, the search, and what its departures from the paper do."""
