(** Lemma 2.2 for Nesterov momentum: what "also applicable to Nesterov momentum" (§2.4) is exactly. *)
From Tangency Require Import inner_product sums eq_04_orthogonality.

Section Tangent.
Variables (E : space) (η β τ : R) (w g p u : nat -> E).
Hypotheses (tangent : forall t, ⟨w t, g t⟩ = 0) (start : p O = ((1 - τ) * g O)%V).
Hypotheses (buffer : forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V).
Hypotheses (look_ahead : forall t, u t = (g t + β * p t)%V) (update : forall t, w (S t) = (w t - η * u t)%V).

Lemma nesterov_radial_component t : ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)).
Proof.
  induction t as [| t IH].
  - rewrite start. gram. rewrite (tangent O). simpl. ring.
  - rewrite discounted_step, buffer. gram. rewrite (tangent (S t)), update. gram. rewrite IH. ring.
Qed.

(** β leaves the sum. *)
Lemma one_more_β t : (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩)) = β * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)).
Proof. rewrite sum_scale. apply sum_eq. intros k _. rewrite pow_add. ring. Qed.

Lemma nesterov_growth t :
  ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩)).
Proof.
  assert (U : ⟨w t, u t⟩ = β * ⟨w t, p t⟩) by (rewrite look_ahead; gram; rewrite (tangent t); ring).
  rewrite update. gram. rewrite U, nesterov_radial_component, one_more_β. ring.
Qed.

Hypotheses (β_nonneg : 0 <= β) (β_at_most_1 : β <= 1) (τ_below_1 : τ < 1).

Let i_pos : 0 < / (1 - τ).
Proof. apply Rinv_0_lt_compat. lra. Qed.

(** ‖p_t‖²/(2(1−τ)) ≤ Σ_{k≤t} β^{t−k} u_k·p_k *)
Lemma products_from_below t :
  / (1 - τ) * ‖p t‖² <= 2 * ((Σ k < t, (β^(t - k) * ⟨u k, p k⟩)) + ⟨u t, p t⟩).
Proof.
  assert (unfresh : forall t, (1 - τ) * ⟨g t, p t⟩ = ⟨(1 - τ) * g t, p t⟩) by (intros; gram; ring).
  induction t as [| t IH].
  - cbn [sum]. rewrite look_ahead, start. gram. assert (C : 0 < 1 - τ) by lra. assert (G := dot_nonneg E (g O)).
    replace (/ (1 - τ) * ((1 - τ) * ((1 - τ) * ‖g O‖²))) with ((1 - τ) * ‖g O‖²) by (field; lra).
    assert (0 <= (1 - τ) * ‖g O‖²) by nra. assert (0 <= β * ((1 - τ) * ((1 - τ) * ‖g O‖²))); [| lra].
    apply Rmult_le_pos; [lra |]. apply Rmult_le_pos; lra.
  - rewrite discounted_step, (look_ahead (S t)).
    assert (U : ⟨g (S t), p (S t)⟩ = / (1 - τ) * (‖p (S t)‖² - β * ⟨p t, p (S t)⟩)).
    { apply Rmult_eq_reg_l with (1 - τ); [| lra]. rewrite unfresh.
      replace ((1 - τ) * g (S t))%V with (p (S t) - β * p t)%V by (vector; rewrite buffer; gram; ring). gram. field.
      lra. }
    rewrite dot_add, dot_scale, U. assert (D := dot_nonneg E (p t - p (S t))%V). revert D. gram. intros D.
    assert (P := dot_nonneg E (p (S t))). apply (Rmult_le_compat_l β) in IH; [| exact β_nonneg].
    assert (0 <= / (1 - τ) * (β * (‖p t‖² - 2 * ⟨p t, p (S t)⟩ + ‖p (S t)‖²) + (1 - β) * ‖p (S t)‖²)).
    { apply Rmult_le_pos; [lra |]. apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra. }
    assert (0 <= β * ‖p (S t)‖²) by now apply Rmult_le_pos. lra.
Qed.

Lemma nesterov_grows_by t :
  ‖w (S t)‖² + η^2 * ‖u (S t)‖² + η^2 * β^2 * ‖p t‖² / (1 - τ) <= ‖w (S (S t))‖².
Proof.
  rewrite (nesterov_growth (S t)), one_more_β, discounted_step. assert (H := products_from_below t).
  assert (0 <= η^2 * β^2) by (apply Rmult_le_pos; apply square_nonneg). unfold Rdiv. nra.
Qed.

Lemma nesterov_never_shrinks t : ‖w t‖² + η^2 * ‖u t‖² <= ‖w (S t)‖².
Proof.
  destruct t as [| t]; [rewrite (nesterov_growth O); simpl; lra |]. eapply Rle_trans; [| apply nesterov_grows_by].
  assert (0 <= η^2 * β^2 * ‖p t‖² / (1 - τ)); [| lra]. unfold Rdiv.
  repeat (apply Rmult_le_pos; [| first [apply square_nonneg | apply dot_nonneg | lra]]). apply square_nonneg.
Qed.

End Tangent.

Theorem lemma_2_2_nesterov : forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, u t = (g t + β * p t)%V) -> (forall t, w (S t) = (w t - η * u t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩))).
Proof.
  intros E f η β τ w g p u I G start buffer look_ahead update.
  assert (T : forall t, ⟨w t, g t⟩ = 0) by (intros; now apply (orthogonality E f)).
  split; intros t; [eapply nesterov_growth | eapply nesterov_radial_component]; eauto.
Qed.

Theorem nesterov_least_growth : forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, u t = (g t + β * p t)%V) -> (forall t, w (S t) = (w t - η * u t)%V) ->
  0 <= β -> β <= 1 -> τ < 1 ->
  (forall t, ‖w (S t)‖² + η^2 * ‖u (S t)‖² + η^2 * β^2 * ‖p t‖² / (1 - τ) <= ‖w (S (S t))‖²).
Proof.
  intros E f η β τ w g p u I G start buffer look_ahead update B0 B1 T t.
  apply (nesterov_grows_by E η β τ w g p u); auto. intros k. now apply (orthogonality E f).
Qed.
