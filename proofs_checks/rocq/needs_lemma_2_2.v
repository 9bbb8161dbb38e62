(** No hypothesis of Lemma 2.2 can be left out. *)
From Tangency Require Import small_spaces.

(** f = ‖w‖²/2, β = 0 and η = 1: one step from 1 to 0. *)
Theorem lemma_2_2_needs_scale_invariant : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²)))).
Proof.
  intros H. destruct (H line (fun x => ‖x‖² / 2) 1 0 0 first first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** The same step, against constant f. *)
Theorem lemma_2_2_needs_gradients : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> p O = ((1 - τ) * g O)%V -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 first first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** A buffer that holds something before the first step. *)
Theorem lemma_2_2_needs_zero_start : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 first never first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** A buffer that is filled by something else. *)
Theorem lemma_2_2_needs_momentum : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 (fun t => first t + second t) never second) as [C _]; try finish.
  specialize (C 1%nat). cbn in C. lra.
Qed.

(** The weights move by something else. *)
Theorem lemma_2_2_needs_update : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖² + 2 * η^2 * (Σ k < t, (β^(t - k) * ‖p k‖²))) /\
  (forall t, ⟨w t, p t⟩ = - η * (Σ k < t, (β^(t - k) * ‖p k‖²)))).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 0 0 first never never) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** The same runs, of one step, with a step size for each t *)
Theorem lemma_2_2_schedule_needs_scale_invariant :
  ~ (forall (E : space) (f : E -> R) (η_ : nat -> R) (β τ : R) (w g p : nat -> E),
  (forall t, gradient f (w t) (g t)) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η_ t * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η_ t^2 * ‖p t‖² + 2 * η_ t * (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))) /\
  (forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²))))).
Proof.
  intros H. destruct (H line (fun x => ‖x‖² / 2) (fun _ => 1) 0 0 first first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

Theorem lemma_2_2_schedule_needs_gradients :
  ~ (forall (E : space) (f : E -> R) (η_ : nat -> R) (β τ : R) (w g p : nat -> E),
  scale_invariant f ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η_ t * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η_ t^2 * ‖p t‖² + 2 * η_ t * (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))) /\
  (forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) (fun _ => 1) 0 0 first first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

Theorem lemma_2_2_schedule_needs_zero_start :
  ~ (forall (E : space) (f : E -> R) (η_ : nat -> R) (β τ : R) (w g p : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η_ t * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η_ t^2 * ‖p t‖² + 2 * η_ t * (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))) /\
  (forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) (fun _ => 1) 0 0 first never first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

Theorem lemma_2_2_schedule_needs_momentum :
  ~ (forall (E : space) (f : E -> R) (η_ : nat -> R) (β τ : R) (w g p : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, w (S t) = (w t - η_ t * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η_ t^2 * ‖p t‖² + 2 * η_ t * (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))) /\
  (forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) (fun _ => 1) 0 0 (fun t => first t + second t) never second) as [C _];
  try finish.
  specialize (C 1%nat). cbn in C. lra.
Qed.

Theorem lemma_2_2_schedule_needs_update :
  ~ (forall (E : space) (f : E -> R) (η_ : nat -> R) (β τ : R) (w g p : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η_ t^2 * ‖p t‖² + 2 * η_ t * (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²)))) /\
  (forall t, ⟨w t, p t⟩ = - (Σ k < t, (β^(t - k) * (η_ k * ‖p k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) (fun _ => 1) 0 0 first never never) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.
