(** Lemma 2.1, norm growth by GD (§2.3; Lemma 2.4 of Arora et al. 2019). *)
From Tangency Require Import inner_product eq_04_orthogonality.

(** A tangent step lengthens the weights. *)
Lemma tangent_step (E : space) (η : R) (w p : E) : ⟨w, p⟩ = 0 -> ‖w - η * p‖² = ‖w‖² + η^2 * ‖p‖².
Proof. intros H. gram. rewrite H. ring. Qed.

Theorem lemma_2_1 : forall (E : space) (f : E -> R) (η : R) (w p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (p t)) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖²) /\ (forall t, ‖w t‖² <= ‖w (S t)‖²).
Proof.
  intros E f η w p invariant gradients update.
  assert (growth : forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖²).
  { intros t. rewrite update. apply tangent_step, (orthogonality E f); auto. }
  split; [exact growth |]. intros t. rewrite growth. assert (P := dot_nonneg E (p t)). assert (H := square_nonneg η).
  nra.
Qed.
