(** What Eq. 12 needs. *)
From Coq Require Import Reals Lra.
From Tangency Require Import vocabulary inner_product eq_10_projection small_spaces.
Open Scope R_scope.

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

(** With no w ≠ 0: where w = 0, both sides hold. *)
Theorem eq_12_equality_everywhere : forall (E : space) (η : R) (w p q w' : E),
  q = project w p -> w' = (w - η * q)%V -> η <> 0 -> (‖w'‖² = ‖w‖² + η^2 * ‖p‖² <-> ⟨w, p⟩ = 0).
Proof.
  intros E η w p q w' -> -> H. destruct (Req_dec ‖w‖² 0) as [Z | N].
  - apply dot_definite in Z. subst w. rewrite eq_10_at_zero. gram. split; intros _; ring.
  - assert (gap : ‖w - η * project w p‖² = ‖w‖² + η^2 * ‖p‖² - η^2 * (⟨w, p⟩^2 / ‖w‖²))
      by (unfold project; gram; now field).
    rewrite gap. split; intros K.
    + assert (Z : η^2 * (⟨w, p⟩^2 / ‖w‖²) = 0) by lra.
      apply Rmult_integral in Z. destruct Z as [Z | Z]; [now apply (pow_nonzero η 2) in H |].
      apply Rmult_integral in Z. destruct Z as [Z | Z]; [| exfalso; revert Z; now apply Rinv_neq_0_compat].
      destruct (Req_dec ⟨w, p⟩ 0) as [e | e]; [exact e | now apply (pow_nonzero _ 2) in e].
    + rewrite K. unfold Rdiv. ring.
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
