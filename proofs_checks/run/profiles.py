"""How much is tried: the profiles of ``tangency verify``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How many examples each rung demands; a proof and a stored counterexample are the same in all.

    Attributes:
        exact: problems in rational arithmetic, for each claim.
        ball: problems in interval arithmetic, for each claim.
        implementation: trials, for each claim and optimizer.
        mutant: trials of a broken optimizer before it counts as a survivor of a claim that has to fail on it.
    """

    name: str
    exact: int
    ball: int
    implementation: int
    mutant: int


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("quick", exact=25, ball=8, implementation=12, mutant=3000),
        Profile("default", exact=200, ball=50, implementation=100, mutant=3000),
        Profile("thorough", exact=3000, ball=500, implementation=1000, mutant=10_000),
    )
}
