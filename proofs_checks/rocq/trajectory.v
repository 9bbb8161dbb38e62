(** The scale of w_0 does not matter for the directions of a whole run, if η and λ are scaled along. *)
From Tangency Require Import inner_product eq_04_orthogonality eq_10_projection.

Lemma unit_scale (E : space) c (w : E) : 0 < c -> unit (c * w) = unit w.
Proof.
  intros C. destruct (zero_or_not E w) as [-> | N].
  - f_equal. vector. ring.
  - assert (P := norm_positive E w N). unfold unit.
    assert (L : norm (c * w) = c * norm w).
    { unfold norm. rewrite dot_scale, dot_scale_r, <- Rmult_assoc, sqrt_mult_alt, sqrt_square by nra. reflexivity. }
    rewrite L, vscale_mul. f_equal. field. lra.
Qed.

Lemma project_scale (E : space) c a (w x : E) : c <> 0 -> project (c * w) (a * x) = (a * project w x)%V.
Proof.
  intros C. destruct (zero_or_not E w) as [-> | N].
  - assert (Z : (c * vzero)%V = (vzero : E)) by (vector; ring). rewrite Z, !eq_10_at_zero. reflexivity.
  - assert (D := dot_nonzero E w N). vector. unfold project. gram. field. auto.
Qed.

(** Momentum of every kind (a, b), coupled decay κ, decoupled decay λ, any schedule, and any share ρ of a projection *)
Theorem trajectory : forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f -> 0 < c -> (forall t, gradient f (w t) (g t)) -> (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V -> p O = ((1 - τ) * (g O + κ * w O))%V -> p' O = ((1 - τ) * (g' O + (κ / c^2) * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + (κ / c^2) * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - (c^2 * η t) * ((1 - ρ t) *
    (a * (g' t + (κ / c^2) * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + (κ / c^2) * w' t) + b * p' t)))%V) ->
  (forall t, w' t = (c * w t)%V) /\ (forall t, g' t = (/ c * g t)%V) /\ (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t)).
Proof.
  intros E f c β τ a b κ η λ ρ w g p w' g' p' I C G G' start zero zero' buffer buffer' update update'.
  assert (N : c <> 0) by lra.
  assert (grads : forall t, w' t = (c * w t)%V -> g' t = (/ c * g t)%V).
  { intros t W. apply (gradient_unique E f (w' t)); [apply G' |]. rewrite W. now apply homogeneity. }
  assert (pulled : forall t, w' t = (c * w t)%V -> (g' t + κ / c^2 * w' t)%V = (/ c * (g t + κ * w t))%V).
  { intros t W. rewrite (grads t W), W. vector. field. exact N. }
  assert (both : forall t, w' t = (c * w t)%V /\ p' t = (/ c * p t)%V).
  { induction t as [| t [W P]].
    - split; [exact start |]. rewrite zero, zero', (pulled O start). vector. ring.
    - assert (W' : w' (S t) = (c * w (S t))%V).
      { assert (U : (a * (g' t + κ / c^2 * w' t) + b * p' t)%V = (/ c * (a * (g t + κ * w t) + b * p t))%V).
        { rewrite (pulled t W), P. vector. ring. }
        rewrite update, update', U, W, project_scale by exact N.
        set (u := (a * (g t + κ * w t) + b * p t)%V). set (q := project (w t) u). vector. field. exact N. }
      split; [exact W' |]. rewrite buffer, buffer', (pulled _ W'), P. vector. ring. }
  split; [intros; apply both |]. split; [intros; apply grads, both |]. split; [intros; apply both |].
  intros t. destruct (both t) as [-> _]. now apply unit_scale.
Qed.
