(** Eq. 11, |cos(w, g)| < δ/√d: which weights count as scale-invariant (§3.1). *)
From Tangency Require Import inner_product eq_04_orthogonality.

(** The decision without roots and quotients. *)
Theorem eq_11 : forall (E : space) (d δ : R) (w g : E), w <> vzero -> g <> vzero -> 0 < d -> 0 <= δ ->
  (Rabs ⟨w, g⟩ / (norm w * norm g) < δ / sqrt d <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros E d δ w g W G D Hδ. assert (N := norm_positive E w W). assert (M := norm_positive E g G).
  assert (S := sqrt_lt_R0 d D). assert (P : 0 < norm w * norm g) by now apply Rmult_lt_0_compat.
  assert (roots : Rabs ⟨w, g⟩ / (norm w * norm g) < δ / sqrt d <-> Rabs ⟨w, g⟩ * sqrt d < δ * (norm w * norm g)).
  { assert (B : 0 < norm w * norm g * sqrt d) by now apply Rmult_lt_0_compat.
    replace (Rabs ⟨w, g⟩ * sqrt d) with (Rabs ⟨w, g⟩ / (norm w * norm g) * (norm w * norm g * sqrt d)) by (field; lra).
    replace (δ * (norm w * norm g)) with (δ / sqrt d * (norm w * norm g * sqrt d)) by (field; lra).
    split; [now apply Rmult_lt_compat_r | now apply Rmult_lt_reg_r]. }
  rewrite roots. rewrite <- (sqrt_sqrt d) at 2 by lra. rewrite <- !norm_square.
  replace (⟨w, g⟩^2 * (sqrt d * sqrt d)) with ((Rabs ⟨w, g⟩ * sqrt d)^2) by (rewrite Rpow_mult_distr, pow2_abs; ring).
  replace (δ^2 * (norm w * norm w * (norm g * norm g))) with ((δ * (norm w * norm g))^2) by ring.
  assert (A := Rabs_pos ⟨w, g⟩).
  assert (0 <= Rabs ⟨w, g⟩ * sqrt d) by (apply Rmult_le_pos; lra).
  assert (0 <= δ * (norm w * norm g)) by (apply Rmult_le_pos; lra).
  rewrite <- !Rsqr_pow2. split; intros; [now apply Rsqr_incrst_1 | now apply Rsqr_incrst_0].
Qed.

(** It ignores the scales of w and of g, and their signs. *)
Theorem eq_11_scale : forall (E : space) (a b d δ : R) (w g : E), a <> 0 -> b <> 0 ->
  (⟨a * w, b * g⟩^2 * d < δ^2 * (‖a * w‖² * ‖b * g‖²) <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros E a b d δ w g A B. assert (P : 0 < (a * b)^2).
  { rewrite <- Rsqr_pow2. apply Rlt_0_sqr. now apply Rmult_integral_contrapositive. }
  gram. replace ((a * (b * ⟨w, g⟩))^2 * d) with ((a * b)^2 * (⟨w, g⟩^2 * d)) by ring.
  replace (δ^2 * (a * (a * ‖w‖²) * (b * (b * ‖g‖²)))) with ((a * b)^2 * (δ^2 * (‖w‖² * ‖g‖²))) by ring.
  split; [now apply Rmult_lt_reg_l | now apply Rmult_lt_compat_l].
Qed.

(** A scale-invariant function that has a gradient at 0 is constant. *)
Lemma gradient_at_0 (E : space) (f : E -> R) (g : E) : scale_invariant f -> gradient f vzero g -> g = vzero.
Proof.
  intros invariant D. apply (gradient_unique E f vzero); [exact D |]. intros h. rewrite dot_zero.
  apply (derivative_ext (fct_cte (f vzero))); [| apply derivable_pt_lim_const].
  intros s. symmetry. now apply (eq_04_no_gradient_at_0 E f g).
Qed.

(** Gradients of scale-invariant functions always pass. *)
Theorem eq_11_always : forall (E : space) (f : E -> R) (d δ : R) (w g : E),
  scale_invariant f -> gradient f w g -> 0 < δ -> g <> vzero -> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²).
Proof.
  intros E f d δ w g invariant D Hδ G. destruct (eq_04 E f 1 w g invariant D Rlt_0_1) as [T _]. rewrite T.
  assert (W : w <> vzero) by (intros ->; now apply G, (gradient_at_0 E f)).
  replace (0^2 * d) with 0 by ring. apply Rmult_lt_0_compat; [now apply pow_lt |].
  apply Rmult_lt_0_compat; now apply dot_positive.
Qed.

(** At δ = 0 nothing passes. *)
Theorem eq_11_strict : forall (E : space) (d : R) (w g : E), 0 <= d -> ~ (⟨w, g⟩^2 * d < 0^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros E d w g D. assert (0 <= ⟨w, g⟩^2 * d) by (apply Rmult_le_pos; [apply pow2_ge_0 | exact D]).
  replace (0^2 * (‖w‖² * ‖g‖²)) with 0 by ring. lra.
Qed.
