"""A statement as readable text, as LaTeX, and as the kernel's own language: three spellings of one tree."""

from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import normalize

from tangency.proofs_checks.statement.operators import OPERATORS, Operator
from tangency.proofs_checks.statement.terms import PROP, REAL, STEP, Apply, Bind, Number, Term, Variable

_GREEK = {
    "η": r"\eta", "β": r"\beta", "τ": r"\tau", "ρ": r"\rho", "δ": r"\delta", "κ": r"\kappa",
    "ε": r"\varepsilon", "ξ": r"\xi", "λ": r"\lambda", "σ": r"\sigma", "μ": r"\mu",
}  # fmt: skip
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_INFIX = ("+", "-", "*", "/", "dot")


def type_of(one: Term) -> str:
    """The type of a term."""
    if isinstance(one, Variable):
        return one.type
    if isinstance(one, Number):
        return REAL
    if isinstance(one, Bind):
        return REAL if one.operator == "Σ" else PROP
    assert isinstance(one, Apply)
    if one.operator == "at":
        return type_of(one.arguments[0]).partition("-> ")[2]
    if OPERATORS[one.operator].result:
        return OPERATORS[one.operator].result
    kinds = [type_of(argument) for argument in one.arguments if not isinstance(argument, Number)]
    return kinds[-1] if kinds else REAL


def is_vector(one: Term) -> bool:
    """Whether a term is an element of a space."""
    kind = type_of(one)
    return "->" not in kind and kind not in (PROP, REAL, STEP)


@dataclass(frozen=True)
class Paper:
    """Text or LaTeX: two spellings of the same layout.

    Attributes:
        variable: a letter.
        template: of an operator.
        power, step: base and exponent, letter and step.
        bind: operator, variable, extra and body.
        fraction: whether a quotient needs no brackets.
    """

    variable: Callable[[Variable], str]
    template: Callable[[Operator], str]
    power: Callable[[str, str], str]
    step: Callable[[str, str], str]
    bind: Callable[[str, str, str, str], str]
    fraction: bool

    def write(self, one: Term) -> str:
        """A term in this spelling."""
        if isinstance(one, Variable):
            return self.variable(one)
        if isinstance(one, Number):
            return str(one.value)
        if isinstance(one, Bind):
            if one.operator == "∀":
                return self.write(one.body)  # a free letter is any
            extra = "" if one.extra is None else self.write(one.extra)
            least = 60 if one.operator == "Σ" else 0
            return self.bind(one.operator, self.variable(one.variable), extra, self._within(one.body, least))
        assert isinstance(one, Apply)
        if one.operator == "at" and type_of(one.arguments[0]).startswith(STEP):
            return self.step(self.write(one.arguments[0]), self.write(one.arguments[1]))
        if one.operator == "^":
            base, exponent = one.arguments
            return self.power(self._within(base, 71), self.write(exponent))
        if one.operator == "sqrt" and not self.fraction and isinstance(one.arguments[0], Variable):
            return f"√{self.write(one.arguments[0])}"
        if one.operator == "unit" and not self.fraction and _letter(one.arguments[0]):
            return _hat(self.write(one.arguments[0]))
        operator = OPERATORS[one.operator]
        last = len(one.arguments) - 1
        written = [
            self._within(argument, self._need(one, least, place == last), place < last and one.operator in _INFIX)
            for place, (argument, least) in enumerate(zip(one.arguments, operator.needs, strict=True))
        ]
        if one.operator == "*" and not self.fraction and _apart(*written):
            written[1] = " " + written[1]
        if one.operator == "project" and not self.fraction and len(written[0]) > 1:
            written[0] = f"{{{written[0]}}}"
        return self.template(operator).format(*written)

    def _need(self, one: Apply, least: int, last: bool) -> int:
        if one.operator == "*" and not last and getattr(one.arguments[0], "operator", "") == "dot":
            return 71  # (w·x)w
        return 0 if self.fraction and one.operator in ("/", "inverse") else least

    def _within(self, one: Term, least: int, open_ended: bool = False) -> str:
        """In brackets where it binds less tightly; a sum has no end, so that it has them wherever something follows."""
        endless = open_ended and isinstance(one, Bind)
        return f"({self.write(one)})" if self._level(one) < least or endless else self.write(one)

    def _level(self, one: Term) -> int:
        if isinstance(one, Bind):
            return 61 if one.operator == "Σ" else 4
        if not isinstance(one, Apply):
            return 100
        if one.operator in ("/", "inverse") and self.fraction:
            return 60
        return OPERATORS[one.operator].level


def _letter(one: Term) -> bool:
    """Whether a term is a letter, or one at a step."""
    return isinstance(one, Variable) or (isinstance(one, Apply) and one.operator == "at")


def _apart(left: str, right: str) -> bool:
    """Whether two factors need a space between them: before a sum or sine, and where a letter would look like one."""
    return right.startswith(("Σ", "sin ", "cos ")) or (right[0] == "(" and left[-1].isalpha())


def _hat(letter: str) -> str:
    return normalize("NFC", f"{letter[0]}\u0302") + letter[1:]


def _superscript(base: str, exponent: str) -> str:
    if exponent.isdigit():
        return base + exponent.translate(_RAISED)
    tight = exponent.replace(" ", "")
    return f"{base}^{tight}" if len(tight) == 1 else f"{base}^{{{tight}}}"


def _subscript(letter: str, step: str) -> str:
    tight = step.replace(" ", "")
    return f"{letter}_{tight}" if len(tight) == 1 else f"{letter}_{{{tight}}}"


def _bound_text(operator: str, variable: str, extra: str, body: str) -> str:
    if operator == "Σ":
        return f"Σ_{{{variable}<{extra.replace(' ', '')}}} {body}"
    return f"∃{variable}: {body}" if operator == "∃" else f"{body} → {extra}"


def _bound_latex(operator: str, variable: str, extra: str, body: str) -> str:
    if operator == "Σ":
        return rf"\sum_{{{variable}<{extra}}} {body}"
    return rf"\exists {variable}\colon {body}" if operator == "∃" else rf"{body} \to {extra}"


def _braced(letter: str, step: str) -> str:
    return f"{{{letter}}}_{{{step}}}" if "'" in letter or "^" in letter else f"{letter}_{{{step}}}"


_TEXT = Paper(
    lambda letter: letter.text or letter.name,
    lambda operator: operator.text,
    _superscript,
    _subscript,
    _bound_text,
    fraction=False,
)
_LATEX = Paper(
    lambda letter: letter.latex or _GREEK.get(letter.name, letter.name),
    lambda operator: operator.latex,
    lambda base, exponent: f"{base}^{{{exponent}}}",
    _braced,
    _bound_latex,
    fraction=True,
)


def text(one: Term) -> str:
    """As readable text."""
    return _TEXT.write(one)


def latex(one: Term) -> str:
    """As LaTeX mathematics."""
    return _LATEX.write(one)


def rocq(one: Term, *, scope: str = REAL) -> str:
    """In the kernel's language; ``scope`` says what is around it: R, E, nat (a step), an exponent."""
    if isinstance(one, Variable):
        return one.name
    if isinstance(one, Number):
        return str(one.value) if scope != STEP else f"{one.value}%nat" if one.value else "O"
    if isinstance(one, Bind):
        return _rocq_bound(one)
    assert isinstance(one, Apply)
    operator = OPERATORS[one.operator]
    if operator.result == PROP and one.operator in ("=", "≠", "<", "≤"):
        return _rocq_relation(one)
    if one.operator == "at":
        head, argument = one.arguments
        return f"{rocq(head)} {_rocq_within(argument, 100, STEP if type_of(head).startswith(STEP) else '')}"
    further = _further(one) if scope == STEP else 0
    if further:
        return "S (" * (further - 1) + f"S {_rocq_within(one.arguments[0], 100, STEP)}" + ")" * (further - 1)
    vector = is_vector(one) and one.operator in ("+", "-", "*", "neg")
    inner = [_inner_scope(one.operator, place, scope, vector) for place in range(len(one.arguments))]
    needs = (100,) * len(one.arguments) if operator.application else operator.needs
    template = "- (1) * {}" if vector and one.operator == "neg" else operator.rocq
    written = template.format(*map(_rocq_within, one.arguments, needs, inner))
    if scope == STEP:
        return f"({written})%nat"
    return f"({written})%V" if vector and scope != "E" else written


def _further(one: Term) -> int:
    """How many steps further than a letter: 1 for t + 1; 0 for what is written otherwise."""
    last = one.arguments[-1] if isinstance(one, Apply) and one.operator == "+" else None
    return last.value if isinstance(last, Number) else 0


def _inner_scope(operator: str, place: int, scope: str, vector: bool) -> str:
    if (operator == "^" and place == 1) or operator == "real":
        return "exponent"
    if operator == "dot" or operator == "square":
        return "E"
    if vector:
        return REAL if operator == "*" and place == 0 else "E"
    return scope if scope in (STEP, "exponent") else REAL


def _rocq_relation(one: Apply) -> str:
    steps = [type_of(argument) == STEP for argument in one.arguments]
    scope = STEP if any(steps) else REAL
    left, right = (_rocq_within(argument, 21, scope) for argument in one.arguments)
    written = OPERATORS[one.operator].rocq.format(left, right)
    return f"({written})%nat" if scope == STEP else written


def _rocq_bound(one: Bind) -> str:
    letter, body = one.variable.name, rocq(one.body)
    if one.operator == "Σ":
        assert one.extra is not None
        return f"(Σ {letter} < {_rocq_within(one.extra, 100, STEP)}, ({body}))"
    if one.operator == "→":
        assert one.extra is not None
        return f"Un_cv (fun {letter} => {body}) ({rocq(one.extra)})"
    return f"({'forall' if one.operator == '∀' else 'exists'} {letter}, {body})"


def _rocq_within(one: Term, least: int, scope: str) -> str:
    written = rocq(one, scope=scope)
    if isinstance(one, Variable | Number) or (written[0] + written[-1] == "()" and isinstance(one, Bind)):
        return f"({written})" if written[0] == "-" else written
    return written if _rocq_level(one, scope) >= least or _closed(written) else f"({written})"


def _closed(written: str) -> bool:
    """Whether it stands in brackets with a scope of its own, ``(…)%V``."""
    depth = 0
    for place, letter in enumerate(written):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return written[place:] in (")%V", ")%nat")
    return False


def _rocq_level(one: Term, scope: str) -> int:
    if isinstance(one, Bind):
        return 4
    assert isinstance(one, Apply)
    operator = OPERATORS[one.operator]
    if operator.application or one.operator == "at" or (scope == STEP and _further(one)):
        return 90 if one.arguments else 100
    if one.operator == "dot":
        return 100
    return 60 if one.operator in ("/", "inverse") else operator.level
