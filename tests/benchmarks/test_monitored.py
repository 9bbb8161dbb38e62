"""What the monitor costs can be measured; that it is little is not asserted here."""

import math

from tangency.benchmarks import monitored


def test_every_way_of_sampling_is_measured() -> None:
    found = monitored.overheads("SGD", rounds=1, batch=4)
    assert set(found) == set(monitored.EVERY)
    assert all(map(math.isfinite, found.values()))
