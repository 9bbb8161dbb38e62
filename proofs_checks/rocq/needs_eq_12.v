(** What Eq. 12 needs. *)
From Tangency Require Import eq_10_projection eq_12_projected_norm_growth small_spaces.

(** q = w = 1 and η = 1: a step to 0. *)
Theorem eq_12_needs_projected : ~ (forall (E : space) (η : R) (w p q w' : E),
  w' = (w - η * q)%V ->
  ‖w'‖² = ‖w‖² + η^2 * ‖q‖² /\ ‖w'‖² <= ‖w‖² + η^2 * ‖p‖² /\
  ‖w‖² * (‖w‖² + η^2 * ‖p‖² - ‖w'‖²) = η^2 * ⟨w, p⟩^2).
Proof.
  intros H. destruct (H line 1 1 0 1 0) as [C _]; cbn in *; lra.
Qed.

(** The weights move by something else. *)
Theorem eq_12_needs_update : ~ (forall (E : space) (η : R) (w p q w' : E),
  q = project w p ->
  ‖w'‖² = ‖w‖² + η^2 * ‖q‖² /\ ‖w'‖² <= ‖w‖² + η^2 * ‖p‖² /\
  ‖w‖² * (‖w‖² + η^2 * ‖p‖² - ‖w'‖²) = η^2 * ⟨w, p⟩^2).
Proof.
  intros H. destruct (H line 0 1 0 _ 0 eq_refl) as [C _]. cbn in C. lra.
Qed.

Theorem eq_12_equality_needs_η_nonzero : ~ (forall (E : space) (η : R) (w p q w' : E),
  q = project w p -> w' = (w - η * q)%V -> (‖w'‖² = ‖w‖² + η^2 * ‖p‖² <-> ⟨w, p⟩ = 0)).
Proof.
  intros H. destruct (H line 0 1 1 _ _ eq_refl eq_refl) as [C _]. cbn in C. lra.
Qed.

Theorem eq_12_run_needs_update : ~ (forall (E : space) (η : R) (w p : nat -> E),
  (forall t, ‖w t‖² = ‖w O‖² + η^2 * (Σ k < t, (‖project (w k) (p k)‖²)))).
Proof.
  intros H. specialize (H line 0 first never 1%nat). cbn in H. lra.
Qed.
