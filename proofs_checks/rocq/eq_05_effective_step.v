(** Eq. 5, the effective step ‖Δŵ‖ ≈ ‖Δw‖/‖w‖ on the unit sphere (§2.3): its exact value, and both sides of it. *)
From Tangency Require Import inner_product lemma_2_1_gd_norm_growth.

Section EffectiveStep.
Variables (E : space) (η : R) (w p w' : E).
Hypotheses (nonzero : w <> vzero) (tangent : ⟨w, p⟩ = 0) (update : w' = (w - η * p)%V).
(** The cosine of the angle between w and w' *)
Let u := norm w / norm w'.

Lemma square_after : ‖w'‖² = ‖w‖² + η^2 * ‖p‖².
Proof. rewrite update. now apply tangent_step. Qed.

Lemma longer : ‖w‖² <= ‖w'‖².
Proof. rewrite square_after. assert (Q := dot_nonneg E p). assert (S := square_nonneg η). nra. Qed.

Let r_pos : 0 < norm w.
Proof. now apply norm_positive. Qed.

Let grown : norm w <= norm w'.
Proof. apply sqrt_le_1_alt, longer. Qed.

Lemma after_nonzero : w' <> vzero.
Proof. apply positive_nonzero. apply Rlt_le_trans with (2 := longer), dot_positive, nonzero. Qed.

Lemma cosine_bounds : 0 < u <= 1.
Proof.
  split; [apply Rdiv_lt_0_compat; lra |]. apply Rmult_le_reg_r with (norm w'); [lra |]. unfold u. field_simplify; lra.
Qed.

Lemma effective_square : ‖unit w' - unit w‖² = 2 * (1 - u).
Proof.
  assert (D : ⟨w, w'⟩ = norm w * norm w) by (rewrite norm_square, update; gram; rewrite tangent; ring).
  rewrite dot_sub, !dot_sub_r, !unit_square, (dot_comm E (unit w')) by (exact nonzero || exact after_nonzero).
  assert (C : ⟨unit w, unit w'⟩ = u) by (unfold unit, u; gram; rewrite D; field; lra). rewrite C. ring.
Qed.

Lemma moved : ‖w' - w‖² = ‖w'‖² - ‖w‖².
Proof. rewrite square_after, update. gram. rewrite tangent. ring. Qed.

Lemma squared_sine : ‖w' - w‖² / ‖w'‖² = 1 - u^2.
Proof. rewrite moved. unfold u. rewrite <- !norm_square. field. lra. Qed.

Lemma squared_tangent : ‖w' - w‖² / ‖w‖² = (1 - u^2) / u^2.
Proof. rewrite moved. unfold u. rewrite <- !norm_square. field. lra. Qed.

(** The paper's assumption 1/‖w‖ − 1/‖w'‖ = o(η), with its constant *)
Lemma inverse_norms : 0 <= / norm w - / norm w' /\ / norm w - / norm w' <= η^2 * (‖p‖² / (2 * norm w ^ 3)).
Proof.
  set (r := norm w) in *. set (r' := norm w') in *.
  assert (D : η^2 * ‖p‖² = (r' - r) * (r' + r)).
  { assert (H := square_after). rewrite <- (norm_square E w), <- (norm_square E w') in H. fold r r' in H. lra. }
  assert (P : 0 < r * r') by nra. split; [assert (/ r' <= / r) by (apply Rinv_le_contravar; lra); lra |].
  replace (η^2 * (‖p‖² / (2 * r^3))) with ((r' - r) * ((r' + r) / (2 * r^3))).
  2: { transitivity (η^2 * ‖p‖² / (2 * r^3)); [rewrite D |]; field; lra. }
  replace (/ r - / r') with ((r' - r) * / (r * r')) by (field; lra). apply Rmult_le_compat_l; [lra |].
  assert (C : 0 < r^3) by now apply pow_lt. apply Rmult_le_reg_r with (r * r' * (2 * r^3)); [nra |].
  replace (/ (r * r') * (r * r' * (2 * r^3))) with (2 * r^3) by (field; lra).
  replace ((r' + r) / (2 * r^3) * (r * r' * (2 * r^3))) with (r * ((r' + r) * r')) by (field; lra).
  replace (2 * r^3) with (r * ((r + r) * r)) by ring. apply Rmult_le_compat_l; [lra |]. apply Rmult_le_compat; lra.
Qed.

End EffectiveStep.

(** ‖x‖/‖y‖ squared *)
Lemma quotient_square (E : space) (x y : E) : y <> vzero -> norm x / norm y * (norm x / norm y) = ‖x‖² / ‖y‖².
Proof. intros N. assert (P := norm_positive E y N). rewrite <- !norm_square. field. lra. Qed.

Lemma quotient_nonneg (E : space) (x y : E) : y <> vzero -> 0 <= norm x / norm y.
Proof. intros N. apply Rmult_le_pos; [apply norm_nonneg | apply Rlt_le, Rinv_0_lt_compat, norm_positive, N]. Qed.

(** The first is the step itself, then Eq. 5 as printed, the form of the introduction, and the assumption. *)
Theorem eq_05 : forall (E : space) (η : R) (w p w' : E), w <> vzero -> ⟨w, p⟩ = 0 -> w' = (w - η * p)%V ->
  norm (unit w' - unit w) = sqrt (2 * (1 - norm w / norm w')) /\
  norm (w' - w) / norm w' <= norm (unit w' - unit w) /\ norm (unit w' - unit w) <= norm (w' - w) / norm w /\
  0 <= / norm w - / norm w' /\ / norm w - / norm w' <= η^2 * (‖p‖² / (2 * norm w ^ 3)).
Proof.
  intros E η w p w' N T U. assert (S := effective_square E η w p w' N T U).
  assert (N' := after_nonzero E η w p w' N T U).
  assert (B := cosine_bounds E η w p w' N T U). set (u := norm w / norm w') in *.
  split; [unfold norm at 1; now rewrite S |]. split; [| split; [| now apply inverse_norms]].
  - apply least_square; [apply norm_nonneg |]. rewrite quotient_square, norm_square, S by exact N'.
    rewrite (squared_sine E η w p w' N T U). fold u. nra.
  - apply least_square; [now apply quotient_nonneg |]. rewrite quotient_square, norm_square, S by exact N.
    rewrite (squared_tangent E η w p w' N T U). fold u. apply Rmult_le_reg_r with (u^2); [apply pow_lt; lra |].
    replace ((1 - u^2) / u^2 * u^2) with (1 - u^2) by (field; lra).
    assert (0 <= (1 - u)^2 * (1 + 2 * u)) by (apply Rmult_le_pos; [apply square_nonneg | lra]). lra.
Qed.

(** How far Eq. 5 is off, on both sides *)
Theorem eq_05_gaps : forall (E : space) (η : R) (w p w' : E), w <> vzero -> ⟨w, p⟩ = 0 -> w' = (w - η * p)%V ->
  ‖unit w' - unit w‖² - ‖w' - w‖² / ‖w'‖² = (1 - norm w / norm w')^2 /\
  ‖w' - w‖² / ‖w‖² - ‖unit w' - unit w‖² =
    (1 - norm w / norm w')^2 * (1 + 2 * norm w / norm w') / (norm w / norm w')^2.
Proof.
  intros E η w p w' N T U. assert (B := cosine_bounds E η w p w' N T U).
  rewrite (effective_square E η w p w'), (squared_sine E η w p w'), (squared_tangent E η w p w') by assumption.
  replace (2 * norm w / norm w') with (2 * (norm w / norm w')) by (unfold Rdiv; ring).
  set (u := norm w / norm w') in *. split; [ring | field; lra].
Qed.
