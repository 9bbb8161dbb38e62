"""The proof rung: right identities pass, wrong ones are rejected, and certificates are certificates."""

import pytest
import sympy

from tangency.proofs_checks.claim import Violation
from tangency.proofs_checks.proof.gram import Given, Gram, Identity, NonNegative, Proof, normal_form

X, Y = sympy.symbols("x y", real=True)
A = sympy.Symbol("a", nonnegative=True)
BETA = sympy.Symbol("β", positive=True)
T = sympy.Symbol("t", integer=True, nonnegative=True)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((X + Y) ** 3, X**3 + 3 * X**2 * Y + 3 * X * Y**2 + Y**3),
        ((X**2 - Y**2) / (X - Y), X + Y),
        (BETA ** (T + 1), BETA * BETA**T),
        (BETA ** (2 * T), (BETA**T) ** 2),
        ((1 - BETA ** (T + 1)) / (1 - BETA), (1 - BETA**T) / (1 - BETA) + BETA**T),
    ],
)
def test_right_identities_pass(left: sympy.Expr, right: sympy.Expr) -> None:
    Identity("so it is", left, right).check()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((X + Y) ** 2, X**2 + Y**2),
        ((X + Y) ** 2, (X - Y) ** 2),
        (BETA ** (T + 1), BETA**T),
        ((1 - BETA ** (T + 1)) / (1 - BETA), (1 - BETA**T) / (1 - BETA) + BETA ** (T + 1)),
        (1 / X, X),
        (X, sympy.sqrt(X**2 + 1)),
    ],
)
def test_wrong_identities_are_rejected(left: sympy.Expr, right: sympy.Expr) -> None:
    step = Identity("it is not", left, right)
    with pytest.raises(Violation, match="it is not: expected residual 0, got residual"):
        step.check()
    with pytest.raises(Violation):
        Proof("wrong", (), (Identity("fine", X, X), step), "").check()


def test_a_proof_without_steps_proves_nothing() -> None:
    with pytest.raises(Violation, match="at least one step"):
        Proof("nothing", (Given("nothing"),), (), "nothing").check()


def test_a_proof_counts_its_steps() -> None:
    assert Proof("two", (), (Identity("x", X, X), NonNegative("y", Y**2, [(sympy.Integer(1), Y)])), "").check() == 2


def test_certificates() -> None:
    NonNegative("a sum of squares", X**2 - 2 * X * Y + 2 * Y**2, [(1, X - Y), (1, Y)]).check()
    NonNegative("weighted", A * X**2 + A * Y**2, [(A, X), (A, Y)]).check()
    with pytest.raises(Violation, match="residual"):
        NonNegative("another polynomial", X**2 - Y**2, [(1, X - Y)]).check()
    with pytest.raises(Violation, match="a non-negative coefficient"):
        NonNegative("a negative coefficient", X**2 - Y**2, [(1, X), (-1, Y)]).check()
    with pytest.raises(Violation, match="a non-negative coefficient"):
        NonNegative("a coefficient of unknown sign", X * Y**2, [(X, Y)]).check()
    with pytest.raises(Violation, match="a real base"):
        NonNegative("an imaginary base", -(X**2), [(1, sympy.I * X)]).check()
    with pytest.raises(Violation, match="a real base"):
        NonNegative("a complex symbol", sympy.Symbol("z") ** 2, [(1, sympy.Symbol("z"))]).check()


def test_gram_knows_only_inner_products() -> None:
    gram = Gram("u v", relations={("v", "u"): 0, ("u", "u"): 1})
    u, v = gram.vectors
    vv = gram.square(v)
    assert gram.square(3 * u - 2 * v) == 9 + 4 * vv
    assert gram.dot(u + v, u - v) == 1 - vv
    assert vv.is_nonnegative
    assert vv.is_real


def test_gram_is_bilinear_and_symmetric() -> None:
    gram = Gram("u v w")
    u, v, w = gram.vectors
    left = gram.dot(X * u + Y * v, w)
    assert normal_form(left - X * gram.dot(u, w) - Y * gram.dot(v, w)) == 0
    assert gram.dot(u, v) == gram.dot(v, u)
    pythagoras = gram.square(u + v) - gram.square(u) - gram.square(v) - 2 * gram.dot(u, v)
    assert normal_form(pythagoras) == 0


def test_gram_refuses_what_is_not_linear_or_not_its_own() -> None:
    gram = Gram("u v")
    u, v = gram.vectors
    for wrong in (u * v, u**2, 1 / u, u + 1, u + sympy.Symbol("a_vector_of_another_name"), sympy.sqrt(u)):
        with pytest.raises(ValueError, match="must be linear"):
            gram.dot(wrong, u)
        with pytest.raises(ValueError, match="must be linear"):
            gram.dot(u, wrong)
    with pytest.raises(ValueError, match="relations has the pair"):
        Gram("u v", relations={("u", "x"): 0})
