"""The registry: every claim is found, in the order of the paper."""

import pytest
import small_claims as small

from tangency.proofs_checks.claim import UnknownClaim, select
from tangency.proofs_checks.run.registry import ORDER, discover, ordered


def test_order_is_the_papers_whatever_order_claims_come_in() -> None:
    ids = ["rate", "a-new-one", "eq-10", "lemma-2.2-nesterov", "eq-02", "lemma-2.2", "algorithm-1"]
    expected = ["eq-02", "lemma-2.2", "lemma-2.2-nesterov", "eq-10", "algorithm-1", "rate", "a-new-one"]
    for shuffled in (ids, ids[::-1], sorted(ids)):
        assert [claim.id for claim in ordered(map(small.claim, shuffled))] == expected


def test_every_claim_of_the_paper_is_found_and_known_to_the_order() -> None:
    found = [claim.id for claim in discover()]
    assert len(set(found)) == len(found)
    assert found == [id for id in ORDER if id in found]


def test_two_claims_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two claims have the id 'eq-01'"):
        ordered([small.claim("eq-01"), small.claim("eq-02"), small.claim("eq-01", title="another")])


def test_an_unknown_id_names_its_neighbours() -> None:
    claims = [small.claim(id) for id in ("lemma-2.1", "lemma-2.2", "eq-10")]
    with pytest.raises(UnknownClaim, match=r"no claim is called 'lema-2.1'; did you mean lemma-2.1 or lemma-2.2\?"):
        select(claims, ["lema-2.1"])
    with pytest.raises(UnknownClaim, match=r"there are lemma-2.1, lemma-2.2, eq-10"):
        select(claims, ["§§§"])


def test_a_selection_keeps_the_order_of_the_paper_and_repeats_nothing() -> None:
    claims = [small.claim(id) for id in ("lemma-2.1", "lemma-2.2", "eq-10")]
    assert [claim.id for claim in select(claims, ["eq-10", "lemma-2.1", "eq-10"])] == ["lemma-2.1", "eq-10"]
