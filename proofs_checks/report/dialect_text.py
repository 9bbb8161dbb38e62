"""The fitted dialect in words, the same in every report."""

from collections.abc import Iterator
from dataclasses import dataclass

from tangency.common.numbers import digits
from tangency.proofs_checks.finding import Departure, Fit, Judgement


@dataclass(frozen=True)
class DepartureText:
    """One departure, in the words of the reports.

    Attributes:
        choice, value: what the target does.
        differs: what it differs from: the paper's value, the published package's, or both.
        judgement: its effect in up to three words.
        effect: the size of the effect.
        says: the target's choice in a sentence.
        worst: whether it violates a theorem.
    """

    choice: str
    value: str
    differs: str
    judgement: str
    effect: str
    says: str
    worst: bool


def departures(fit: Fit) -> list[DepartureText]:
    """The departures from the published package; those from the paper are told with what fails because of them."""
    return [departure_text(departure) for departure in fit.departures if not departure.differs or not fit.explained]


def departure_text(departure: Departure) -> DepartureText:
    paper, published = departure.paper != departure.value, departure.published != departure.value
    if paper and published and departure.paper == departure.published:
        differs = f"paper and published package: {departure.paper}"
    else:
        differs = "; ".join(
            [f"paper: {departure.paper}"] * paper + [f"published package: {departure.published}"] * published
        )
    judgement = departure.judgement.value if departure.judgement else "as the paper"
    worst = departure.judgement is Judgement.THEOREM
    return DepartureText(departure.choice, departure.value, differs, judgement, departure.effect, departure.says, worst)


def summary(fit: Fit) -> str:
    """Whether a dialect explains the target, and how well; else where the target first differs from the nearest one."""
    if not fit.family:
        return f"no dialect: {fit.leaves_at or 'no step of the target could be run'}"
    if fit.explained:
        ulps = "" if fit.ulps is None else f" to {digits(fit.ulps)} ulps"
        same = "" if fit.departures else "; it is that of the paper and of the published package"
        return f"a dialect of {fit.family} reproduces every probe{ulps}{same}"
    left = f"; it leaves the nearest one at {fit.leaves_at}" if fit.leaves_at else ""
    return f"no known dialect of {fit.family} explains it{left}"


def choices(fit: Fit) -> Iterator[tuple[str, str]]:
    """Every choice with its value, and the values that fit equally well."""
    for choice in dict.fromkeys([*fit.dialect, *fit.open]):
        others = [value for value in fit.open.get(choice, ()) if value != fit.dialect.get(choice)]
        fitted = [fit.dialect[choice]] if choice in fit.dialect else []
        yield choice, " or ".join([*fitted, *others])
