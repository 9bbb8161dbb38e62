(** What the statements speak of: to believe a theorem, read its statement and this file. *)
From Coq Require Export Reals.
From Coq Require Import Arith.
Open Scope R_scope.

(** A real inner-product space of any dimension. R^n is one (euclidean.v). *)
Record space : Type := Space {
  vector :> Type;
  vzero : vector;
  vadd : vector -> vector -> vector;
  vscale : R -> vector -> vector;
  dot : vector -> vector -> R;
  vadd_comm : forall x y, vadd x y = vadd y x;
  vadd_assoc : forall x y z, vadd x (vadd y z) = vadd (vadd x y) z;
  vadd_zero : forall x, vadd x vzero = x;
  vscale_zero : forall x, vscale 0 x = vzero;
  vscale_one : forall x, vscale 1 x = x;
  vscale_mul : forall a b x, vscale a (vscale b x) = vscale (a * b) x;
  vscale_add : forall a b x, vscale (a + b) x = vadd (vscale a x) (vscale b x);
  vadd_scale : forall a x y, vscale a (vadd x y) = vadd (vscale a x) (vscale a y);
  dot_comm : forall x y, dot x y = dot y x;
  dot_add : forall x y z, dot (vadd x y) z = dot x z + dot y z;
  dot_scale : forall a x y, dot (vscale a x) y = a * dot x y;
  dot_nonneg : forall x, 0 <= dot x x;
  dot_definite : forall x, dot x x = 0 -> x = vzero
}.
Arguments vzero {_}. Arguments vadd {_}. Arguments vscale {_}. Arguments dot {_}.

Declare Scope space_scope.
Delimit Scope space_scope with V.
Bind Scope space_scope with vector.

(** x − y *)
Definition vsub {E : space} (x y : E) : E := vadd x (vscale (-1) y).

Infix "+" := vadd : space_scope.
Infix "-" := vsub : space_scope.
Infix "*" := vscale : space_scope.
Notation "⟨ x , y ⟩" := (dot x%V y%V) (at level 0, x at level 99, y at level 99).
Notation "‖ x ‖²" := (dot x%V x%V) (at level 0, x at level 99).

(** ‖x‖ *)
Definition norm {E : space} (x : E) : R := sqrt ‖x‖².

(** x̂ = x/‖x‖ *)
Definition unit {E : space} (x : E) : E := (/ norm x * x)%V.

(** Π_w(x) of Eq. 10, without the square root of ŵ *)
Definition project {E : space} (w x : E) : E := (x - (⟨w, x⟩ / ‖w‖²) * w)%V.

(** ∠(x, y) *)
Definition angle {E : space} (x y : E) : R := acos ⟨unit x, unit y⟩.

(** The point at arc length θ of the geodesic of the unit sphere that starts at u towards the unit tangent v. *)
Definition geodesic {E : space} (u v : E) (θ : R) : E := (cos θ * u + sin θ * v)%V.

(** Σ_{k<t} a_k *)
Fixpoint sum (t : nat) (a : nat -> R) : R := match t with O => 0 | S t => sum t a + a t end.
Notation "'Σ' k < t , x" := (sum t (fun k => x)) (at level 40, k name, t at level 69, x at level 40).

(** Eq. 1 *)
Definition scale_invariant {E : space} (f : E -> R) : Prop := forall c w, 0 < c -> f (c * w)%V = f w.

(** [g] is the gradient of [f] at [w]: every directional derivative is ⟨g, h⟩. Fréchet's gradient is one of these. *)
Definition gradient {E : space} (f : E -> R) (w g : E) : Prop :=
  forall h, derivable_pt_lim (fun s => f (w + s * h)%V) 0 ⟨g, h⟩.

(** u minus its mean (κ = 1) or u itself (κ = 0), where [e] is the vector of ones *)
Definition centred {E : space} (κ : R) (e u : E) : E := (u - (κ * (⟨u, e⟩ / ‖e‖²)) * e)%V.

(** The variance of the numbers in u (κ = 1) or their mean square (κ = 0) *)
Definition variance {E : space} (κ : R) (e u : E) : R := ‖centred κ e u‖² / ‖e‖².

(** What a normalisation layer makes of u *)
Definition normalised {E : space} (κ : R) (e : E) (ε : R) (u : E) : E :=
  (/ sqrt (variance κ e u + ε) * centred κ e u)%V.

(** A_k = 2^k where k is a power of two, else 0 *)
Definition bursts (k : nat) : R := if (2^(Nat.log2 k) =? k)%nat then 2^k else 0.
