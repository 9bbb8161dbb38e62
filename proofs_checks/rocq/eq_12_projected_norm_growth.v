(** Eq. 12: projected updates grow the norm by η²‖q‖² and no more, ‖w'‖² = ‖w‖² + η²‖q‖² ≤ ‖w‖² + η²‖p‖² (§3.1). *)
From Tangency Require Import inner_product sums eq_10_projection lemma_2_1_gd_norm_growth.

Theorem eq_12 : forall (E : space) (η : R) (w p q w' : E), q = project w p -> w' = (w - η * q)%V ->
  ‖w'‖² = ‖w‖² + η^2 * ‖q‖² /\ ‖w'‖² <= ‖w‖² + η^2 * ‖p‖² /\
  ‖w‖² * (‖w‖² + η^2 * ‖p‖² - ‖w'‖²) = η^2 * ⟨w, p⟩^2.
Proof.
  intros E η w p q w' -> ->. rewrite (tangent_step E η w _ (project_tangent E w p)). split; [reflexivity |]. split.
  - apply Rplus_le_compat_l, Rmult_le_compat_l; [apply square_nonneg | apply shortens].
  - rewrite <- (project_square E w p). ring.
Qed.

(** The projection changes the growth wherever there is something to remove. *)
Theorem eq_12_equality : forall (E : space) (η : R) (w p q w' : E), q = project w p -> w' = (w - η * q)%V ->
  η <> 0 -> (‖w'‖² = ‖w‖² + η^2 * ‖p‖² <-> ⟨w, p⟩ = 0).
Proof.
  intros E η w p q w' Q W H. destruct (zero_or_not E w) as [-> | N].
  { rewrite W, Q, eq_10_at_zero. gram. split; intros _; ring. }
  destruct (eq_12 E η w p q w' Q W) as [_ [_ gap]]. assert (S := dot_positive E w N).
  assert (P := pow_nonzero η 2 H). split; intros K; rewrite K in gap.
  - assert (Z : η^2 * ⟨w, p⟩^2 = 0) by lra. apply Rmult_integral in Z. destruct Z as [Z | Z]; [contradiction |].
    destruct (Req_dec ⟨w, p⟩ 0) as [D | D]; [exact D |]. now apply (pow_nonzero _ 2) in D.
  - nra.
Qed.

Theorem eq_12_run : forall (E : space) (η : R) (w p : nat -> E),
  (forall t, w (S t) = (w t - η * project (w t) (p t))%V) ->
  (forall t, ‖w t‖² = ‖w O‖² + η^2 * (Σ k < t, (‖project (w k) (p k)‖²))).
Proof.
  intros E η w p H t. induction t as [| t IH]; [simpl; ring |].
  destruct (eq_12 E η (w t) (p t) _ _ eq_refl (H t)) as [G _]. rewrite G, IH. cbn [sum]. ring.
Qed.
