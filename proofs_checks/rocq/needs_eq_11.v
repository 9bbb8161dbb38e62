(** No hypothesis of Eq. 11 can be left out. *)
From Tangency Require Import small_spaces.

Lemma one_nonzero : (1 : line) <> vzero.
Proof. apply R1_neq_R0. Qed.

(** w = 0 has the cosine 0/0, in Coq 0, which is below the threshold. *)
Theorem eq_11_needs_w_nonzero : ~ (forall (E : space) (d δ : R) (w g : E),
  g <> vzero -> 0 < d -> 0 <= δ ->
  (Rabs ⟨w, g⟩ / (norm w * norm g) < δ / sqrt d <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. destruct (H line 1 1 0 1 one_nonzero ltac:(lra) ltac:(lra)) as [C _].
  rewrite sqrt_1, !line_norm in C by lra. cbn in C. rewrite Rmult_0_l, Rabs_R0 in C. lra.
Qed.

Theorem eq_11_needs_g_nonzero : ~ (forall (E : space) (d δ : R) (w g : E),
  w <> vzero -> 0 < d -> 0 <= δ ->
  (Rabs ⟨w, g⟩ / (norm w * norm g) < δ / sqrt d <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. destruct (H line 1 1 1 0 one_nonzero ltac:(lra) ltac:(lra)) as [C _].
  rewrite sqrt_1, !line_norm in C by lra. cbn in C. rewrite Rmult_0_r, Rabs_R0 in C. lra.
Qed.

Theorem eq_11_needs_d_positive : ~ (forall (E : space) (d δ : R) (w g : E),
  w <> vzero -> g <> vzero -> 0 <= δ ->
  (Rabs ⟨w, g⟩ / (norm w * norm g) < δ / sqrt d <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. destruct (H line 0 1 1 1 one_nonzero one_nonzero ltac:(lra)) as [_ C].
  rewrite sqrt_0, !line_norm in C by lra. cbn in C. unfold Rdiv in C.
  rewrite !Rmult_1_r, Rabs_R1, Rinv_1, Rinv_0 in C. lra.
Qed.

Theorem eq_11_needs_δ_nonneg : ~ (forall (E : space) (d δ : R) (w g : E),
  w <> vzero -> g <> vzero -> 0 < d ->
  (Rabs ⟨w, g⟩ / (norm w * norm g) < δ / sqrt d <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. destruct (H line (/ 4) (-1) 1 1 one_nonzero one_nonzero ltac:(lra)) as [_ C]. cbn in C.
  specialize (C ltac:(lra)). assert (P := Rabs_pos (1 * 1)). assert (Q := Rlt_0_1).
  rewrite !line_norm, !Rmult_1_r in C by lra. unfold Rdiv in C. rewrite Rinv_1, Rabs_R1 in C.
  assert (0 < / sqrt (/ 4)) by (apply Rinv_0_lt_compat, sqrt_lt_R0; lra). lra.
Qed.

Theorem eq_11_scale_needs_a_nonzero : ~ (forall (E : space) (a b d δ : R) (w g : E),
  b <> 0 -> (⟨a * w, b * g⟩^2 * d < δ^2 * (‖a * w‖² * ‖b * g‖²) <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. destruct (H line 0 1 0 1 1 1 ltac:(lra)) as [_ C]. cbn in C. lra.
Qed.

Theorem eq_11_scale_needs_b_nonzero : ~ (forall (E : space) (a b d δ : R) (w g : E),
  a <> 0 -> (⟨a * w, b * g⟩^2 * d < δ^2 * (‖a * w‖² * ‖b * g‖²) <-> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. destruct (H line 1 0 0 1 1 1 ltac:(lra)) as [_ C]. cbn in C. lra.
Qed.

(** The gradient of ‖w‖²/2 is w. *)
Theorem eq_11_always_needs_scale_invariant : ~ (forall (E : space) (f : E -> R) (d δ : R) (w g : E),
  gradient f w g -> 0 < δ -> g <> vzero -> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros H. assert (C := H line (fun x => ‖x‖² / 2) 1 1 1 1 (half_square_gradient line 1) Rlt_0_1 one_nonzero).
  cbn in C. lra.
Qed.

Theorem eq_11_always_needs_gradient : ~ (forall (E : space) (f : E -> R) (d δ : R) (w g : E),
  scale_invariant f -> 0 < δ -> g <> vzero -> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros H. assert (C := H line (fun _ => 0) 1 1 1 1 (constant_invariant line 0) Rlt_0_1 one_nonzero).
  cbn in C. lra.
Qed.

Theorem eq_11_always_needs_δ_positive : ~ (forall (E : space) (f : E -> R) (d δ : R) (w g : E),
  scale_invariant f -> gradient f w g -> g <> vzero -> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros H. assert (C := H plane corner 1 0 (1, 1) (-1, 1) corner_invariant corner_gradient).
  cbn in C. assert (N : (-1, 1) <> (0, 0)) by (intros Z; apply (f_equal snd) in Z; cbn in Z; lra).
  specialize (C N). lra.
Qed.

Theorem eq_11_always_needs_g_nonzero : ~ (forall (E : space) (f : E -> R) (d δ : R) (w g : E),
  scale_invariant f -> gradient f w g -> 0 < δ -> ⟨w, g⟩^2 * d < δ^2 * (‖w‖² * ‖g‖²)).
Proof.
  intros H.
  assert (C := H line (fun _ => 0) 1 1 1 vzero (constant_invariant line 0) (constant_gradient line 0 1) Rlt_0_1).
  cbn in C. lra.
Qed.

Theorem eq_11_strict_needs_d_nonneg : ~ (forall (E : space) (d : R) (w g : E),
  ~ (⟨w, g⟩^2 * d < 0^2 * (‖w‖² * ‖g‖²))).
Proof.
  intros H. apply (H line (-1) 1 1). cbn. lra.
Qed.
