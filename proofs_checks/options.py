"""How checks are run: the number of examples, the seed, and the choices that a target must make."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Profile:
    """How many examples each rung demands; a proof and a stored counterexample are the same in all.

    Attributes:
        exact: problems in rational arithmetic, for each claim.
        ball: problems in interval arithmetic, for each claim.
        implementation: trials, for each claim and optimizer.
        foreign: trials, for each claim and an optimizer made elsewhere.
        mutant: trials of a broken optimizer before it counts as a survivor of a claim that has to fail on it.
    """

    name: str
    exact: int
    ball: int
    implementation: int
    foreign: int
    mutant: int


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("quick", exact=25, ball=8, implementation=12, foreign=12, mutant=3000),
        Profile("default", exact=200, ball=50, implementation=100, foreign=50, mutant=3000),
        Profile("thorough", exact=3000, ball=500, implementation=1000, foreign=500, mutant=10_000),
    )
}


def profile_of(name: "Profile | str") -> Profile:
    """The profile with a name.

    Raises:
        ValueError: there is none.
    """
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        raise ValueError(f"profile is {name!r}; it must be one of {', '.join(PROFILES)}")
    return PROFILES[name]


# The norm of a row of torch's default initialisation of linear layers and convolutions, whatever their size, and the
# step size that SGD is usually trained with.
_INITIAL, _USUAL_LR = 3**-0.5, 0.1


@dataclass(frozen=True)
class Trained:
    """The lengths at which one trains: what is false of an optimizer elsewhere violates no theorem in training.

    Attributes:
        w: of a row of the weights: by default a factor of 100 below and above its initial one.
        g: of a row of the gradient: by default from where a step is lost in the rounding of float32 to where it is as
            long as the weights (Eq. 5).
    """

    w: tuple[float, float] = (_INITIAL / 100, _INITIAL * 100)
    g: tuple[float, float] = (2.0**-24 * _INITIAL / _USUAL_LR, _INITIAL / _USUAL_LR)


TRAINED = Trained()


@dataclass(frozen=True)
class Options:
    """How the checks of a session are run.

    Attributes:
        seed: of the whole session; every search derives its own from it.
        database: whether Hypothesis's example database is read and written.
        shrink: whether counterexamples are made minimal; without, a search stops at its first failure.
        pinned: choices of the dialect that a target must speak.
        trained: the magnitudes at which one trains.
    """

    profile: Profile
    seed: int
    database: bool = False
    shrink: bool = True
    pinned: Mapping[str, str] = field(default_factory=dict)
    trained: Trained = TRAINED
