(** No hypothesis of Lemma 2.2 for Nesterov momentum can be left out, nor of its least growth. *)
From Tangency Require Import small_spaces.

(** f = ‖w‖²/2, β = 0 and η = 1: one step from 1 to 0. *)
Theorem lemma_2_2_nesterov_needs_scale_invariant : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, u t = (g t + β * p t)%V) ->
  (forall t, w (S t) = (w t - η * u t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)))).
Proof.
  intros H. destruct (H line (fun x => ‖x‖² / 2) 1 0 0 first first first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** The same step, against constant f. *)
Theorem lemma_2_2_nesterov_needs_gradients : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> p O = ((1 - τ) * g O)%V -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, u t = (g t + β * p t)%V) -> (forall t, w (S t) = (w t - η * u t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 first first first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** A buffer that holds something before the first step. *)
Theorem lemma_2_2_nesterov_needs_zero_start : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, u t = (g t + β * p t)%V) -> (forall t, w (S t) = (w t - η * u t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 (fun _ => 1) never first never) as [_ C]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** A buffer that is filled by something else. *)
Theorem lemma_2_2_nesterov_needs_momentum : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, u t = (g t + β * p t)%V) -> (forall t, w (S t) = (w t - η * u t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 (fun _ => 1) never second never) as [_ C]; try finish.
  specialize (C 1%nat). cbn in C. lra.
Qed.

(** An update that is something else. *)
Theorem lemma_2_2_nesterov_needs_look_ahead : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * u t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 first never never first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** The weights move by something else. *)
Theorem lemma_2_2_nesterov_needs_update : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, u t = (g t + β * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖u t‖² + 2 * η^2 * (Σ k < t, (β^(t - k + 1) * ⟨u k, p k⟩))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ⟨u k, p k⟩)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 first never never never) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** ** One gradient that is not zero, then none: the buffer β^t p_0 pushes the weights on along one line. *)
Section One.
Variables η β τ : R.

Definition way (t : nat) : R := η * (Σ k < t, (first k + (1 - τ) * β^(S k))).
Definition buffer (t : nat) : plane := ((1 - τ) * β^t * ((-1, 1) : plane))%V.
Definition ahead (t : nat) : plane := (push t + β * buffer t)%V.

Lemma one_gradient : (forall t, 1 < way (S t) \/ way (S t) < -1) ->
  (forall t, gradient corner (pushed way t) (push t)) /\ buffer O = ((1 - τ) * push O)%V /\
  (forall t, buffer (S t) = (β * buffer t + (1 - τ) * push (S t))%V) /\
  (forall t, pushed way (S t) = (pushed way t - η * ahead t)%V).
Proof.
  intros away. split; [| split; [| split]].
  - apply pushed_gradient; [unfold way; cbn; ring | exact away].
  - cbn. f_equal; ring.
  - intros t. cbn. f_equal; ring.
  - intros t. unfold pushed, way. cbn. f_equal; ring.
Qed.
End One.

Theorem nesterov_least_growth_needs_β_nonneg : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, u t = (g t + β * p t)%V) ->
  (forall t, w (S t) = (w t - η * u t)%V) -> β <= 1 -> τ < 1 ->
  (forall t, ‖w (S t)‖² + η^2 * ‖u (S t)‖² + η^2 * β^2 * ‖p t‖² / (1 - τ) <= ‖w (S (S t))‖²)).
Proof.
  intros H. destruct (one_gradient 2 (-1) (-1)) as [G [Z [B W]]].
  - assert (K : forall t, way 2 (-1) (-1) (S t) = 2 * (-1)^(S t)).
    { induction t as [| t IH]; [unfold way; cbn; lra |]. unfold way in *. cbn in *. lra. }
    intros t. rewrite K. assert (O : (-1)^(S t) = 1 \/ (-1)^(S t) = -1) by (induction t; cbn in *; lra). lra.
  - assert (C := H _ _ _ _ _ _ _ _ (ahead (-1) (-1)) corner_invariant G Z B (fun _ => eq_refl) W).
    specialize (C ltac:(lra) ltac:(lra) O). unfold pushed, way in C. cbn in C.
    replace (1 - -1) with 2 in C by ring. lra.
Qed.

Theorem nesterov_least_growth_needs_β_at_most_1 : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, u t = (g t + β * p t)%V) ->
  (forall t, w (S t) = (w t - η * u t)%V) -> 0 <= β -> τ < 1 ->
  (forall t, ‖w (S t)‖² + η^2 * ‖u (S t)‖² + η^2 * β^2 * ‖p t‖² / (1 - τ) <= ‖w (S (S t))‖²)).
Proof.
  intros H. destruct (one_gradient 8 4 (31 / 32)) as [G [Z [B W]]].
  - assert (K : forall t, 9 <= way 8 4 (31 / 32) (S t)).
    { induction t as [| t IH]; [unfold way; cbn; lra |].
      assert (P := pow_lt 4 t ltac:(lra)). unfold way in *. cbn in *. lra. }
    intros t. specialize (K t). lra.
  - assert (C := H _ _ _ _ _ _ _ _ (ahead 4 (31 / 32)) corner_invariant G Z B (fun _ => eq_refl) W).
    specialize (C ltac:(lra) ltac:(lra) 1%nat). unfold pushed, way in C. cbn in C.
    unfold Rdiv in C. replace (1 - 31 * / 32) with (/ 32) in C by lra. rewrite Rinv_inv in C. lra.
Qed.

Theorem nesterov_least_growth_needs_τ_below_1 : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p u : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, u t = (g t + β * p t)%V) ->
  (forall t, w (S t) = (w t - η * u t)%V) -> 0 <= β -> β <= 1 ->
  (forall t, ‖w (S t)‖² + η^2 * ‖u (S t)‖² + η^2 * β^2 * ‖p t‖² / (1 - τ) <= ‖w (S (S t))‖²)).
Proof.
  intros H. destruct (one_gradient 4 (/ 4) 2) as [G [Z [B W]]].
  - assert (K : forall t, way 4 (/ 4) 2 (S t) = 8 / 3 + 4 / 3 * (/ 4)^(S t)).
    { induction t as [| t IH]; [unfold way; cbn; lra |]. unfold way in *. cbn in *. lra. }
    intros t. rewrite K. assert (P := pow_lt (/ 4) (S t) ltac:(lra)). lra.
  - assert (C := H _ _ _ _ _ _ _ _ (ahead (/ 4) 2) corner_invariant G Z B (fun _ => eq_refl) W).
    specialize (C ltac:(lra) ltac:(lra) O). unfold pushed, way in C. cbn in C.
    replace (1 - 2) with (-1) in C by ring. lra.
Qed.
