"""The probe: which weights of a model are scale-invariant, in which view, and what share of it they are (§1, §2.1).

    run           scan(): three ways, and the reasons where they disagree
    record        what was found
    report        as a table, as JSON, as parameter groups
    rescale       f under rescaling, the definition
    orthogonal    w·∇f(w) = 0, a sequential test
    structure     the graph
    propagation   how a scale goes through it
    evaluation    the model as a function of its weights
    arithmetic    float64, and what rounding does
    view          channel, head, layer, none

Each imports only those below it.
"""

from tangency.probe.record import Scan, Weight
from tangency.probe.run import scan
from tangency.probe.view import View

__all__ = ["Scan", "View", "Weight", "scan"]
