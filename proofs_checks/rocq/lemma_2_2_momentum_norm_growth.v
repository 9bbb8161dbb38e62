(** Lemma 2.2, norm growth by momentum (§2.4; proof in Appendix A.1), with dampening τ; τ = 0 is Eq. 7. *)
From Tangency Require Import inner_product sums eq_04_orthogonality.

(** Of the function the proof uses only that gradients are tangent. *)
Section Tangent.
Variables (E : space) (η β τ : R) (w g p : nat -> E).
Hypotheses (tangent : forall t, ⟨w t, g t⟩ = 0) (start : p O = ((1 - τ) * g O)%V).
Hypotheses (buffer : forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V).
Hypotheses (update : forall t, w (S t) = (w t - η * p t)%V).

Lemma radial_component t : ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²)).
Proof.
  induction t as [| t IH].
  - rewrite start. gram. rewrite (tangent O). simpl. ring.
  - rewrite discounted_step, buffer. gram. rewrite (tangent (S t)), update. gram. rewrite IH. ring.
Qed.

Lemma growth t : ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²)).
Proof. assert (H := radial_component t). rewrite update. gram. rewrite H. ring. Qed.

(** Appendix A.2 *)
Lemma total_growth t : ‖w t‖² - ‖w O‖² = η^2 * (Σ k < t, (‖p k‖² + 2 * (Σ j < k, (β^(k - j) * ‖p j‖²)))).
Proof. induction t as [| t IH]; [simpl; ring |]. rewrite growth. cbn [sum]. lra. Qed.

Lemma never_shrinks t : 0 <= β -> ‖w t‖² + η^2 * ‖p t‖² <= ‖w (S t)‖².
Proof.
  intros B. rewrite growth. assert (0 <= Σ k < t, (β^(t - k) * ‖p k‖²)).
  { apply sum_nonneg. intros k. apply Rmult_le_pos; [now apply pow_le | apply dot_nonneg]. }
  assert (H2 := square_nonneg η). nra.
Qed.

End Tangent.

Theorem lemma_2_2 : forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²))).
Proof.
  intros E f η β τ w g p I G start buffer update.
  assert (T : forall t, ⟨w t, g t⟩ = 0) by (intros; now apply (orthogonality E f)).
  split; intros t; [eapply growth | eapply radial_component]; eauto.
Qed.

(** With a step size that changes, each past update counts with its own: the buffer holds p, not ηp. *)
Theorem lemma_2_2_schedule : forall (E : space) (f : E -> R) (η_ : nat -> R) (β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η_ t * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η_ t^2 * ‖p t‖² + 2 * η_ t * (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))) /\
  (forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))).
Proof.
  intros E f η_ β τ w g p I G start buffer update.
  assert (T : forall t, ⟨w t, g t⟩ = 0) by (intros; now apply (orthogonality E f)).
  assert (radial : forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))).
  { induction t as [| t IH].
    - rewrite start. gram. rewrite (T O). simpl. ring.
    - rewrite (discounted_step β (fun k => η_ k * ‖p k‖²)), buffer. gram. rewrite (T (S t)), update. gram. rewrite IH.
      ring. }
  split; [| exact radial]. intros t. assert (H := radial t). rewrite update. gram. rewrite H. ring.
Qed.
