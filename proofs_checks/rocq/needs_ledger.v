(** What the ledger needs. *)
From Tangency Require Import inner_product sums small_spaces eq_10_projection.

(** Where nothing changes: 1, 1, 1, … *)
Definition always (t : nat) : R := 1.
Definition corner_push (t : nat) : plane := match t with O => vzero | _ => (-1, 1) end.

(** To (3, −1), to (6, −2), and from there along (1, −1): s = 1, 2, 1, … and η = 2, 0, 1, … *)
Definition doubled (t : nat) : plane := match t with
  | O => (1, 1) | 1%nat => (3, -1) | S (S t) => (6 + INR t, -2 - INR t) end.

Lemma doubled_gradient t : gradient corner (doubled t) (push t).
Proof.
  destruct t as [| [| t]]; unfold push; cbn [first]; rewrite ?vscale_one, ?vscale_zero; [apply corner_gradient | |];
    apply corner_flat; right; [lra |]. assert (P := pos_INR t). lra.
Qed.

(** The weights move by something else. *)
Theorem ledger_needs_update : ~ (forall (E : space) (s η : nat -> R) (w a b d : nat -> E),
  (forall t, ‖w (S t)‖² - ‖w t‖² = η t^2 * ‖a t + b t + d t‖² - 2 * s t * η t * ⟨w t, a t⟩ -
    2 * s t * η t * ⟨w t, b t⟩ + ((s t^2 - 1) * ‖w t‖² - 2 * s t * η t * ⟨w t, d t⟩)) /\
  (forall t, ‖w t‖² - ‖w O‖² = (Σ k < t, (η k^2 * ‖a k + b k + d k‖² - 2 * s k * η k * ⟨w k, a k⟩ -
    2 * s k * η k * ⟨w k, b k⟩ + ((s k^2 - 1) * ‖w k‖² - 2 * s k * η k * ⟨w k, d k⟩))))).
Proof.
  intros H. destruct (H line always always first never never never) as [C _]. specialize (C O). unfold always in C.
  cbn in C. lra.
Qed.

(** s = 2 and σ = 1: from 1 to 2, with g = 1 at the start alone and β = 1 *)
Theorem ledger_momentum_needs_shrunk : ~ (forall (E : space) (β τ : R) (s σ η : nat -> R) (w g p u : nat -> E),
  (forall t, σ t <> 0) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * u t)%V) ->
  (forall t, ⟨w (S t), p (S t)⟩ = β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩) /\
  (forall t, ⟨w t, p t⟩ = (1 - τ) * (Σ k < (S t), (β^(t - k) * σ t / σ k * ⟨w k, g k⟩)) - (Σ k < t, (β^(t -
    k) * σ t / σ (S k) * (η k * ⟨u k, p k⟩))))).
Proof.
  intros H. destruct (H line 1 0 (fun _ => 2) always (fun _ => 0) (fun t => 2^t) first (fun _ => 1) (fun _ => 0))
    as [_ C]; try (intros; unfold always; cbn; lra).
  specialize (C 1%nat). unfold always in C. cbn in C. lra.
Qed.

(** σ = 0 throughout *)
Theorem ledger_momentum_needs_not_to_0 : ~ (forall (E : space) (β τ : R) (s σ η : nat -> R) (w g p u : nat -> E),
  (forall t, σ (S t) = s t * σ t) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * u t)%V) ->
  (forall t, ⟨w (S t), p (S t)⟩ = β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩) /\
  (forall t, ⟨w t, p t⟩ = (1 - τ) * (Σ k < (S t), (β^(t - k) * σ t / σ k * ⟨w k, g k⟩)) - (Σ k < t, (β^(t -
    k) * σ t / σ (S k) * (η k * ⟨u k, p k⟩))))).
Proof.
  intros H. destruct (H line 0 0 always never (fun _ => 0) always always always (fun _ => 0))
    as [_ C]; try (intros; unfold always, never; cbn; lra).
  specialize (C O). unfold always, never in C. cbn in C. unfold Rdiv in C. lra.
Qed.

(** A buffer that holds something before the first step *)
Theorem ledger_momentum_needs_zero_start : ~ (forall (E : space) (β τ : R) (s σ η : nat -> R) (w g p u : nat -> E),
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * u t)%V) ->
  (forall t, ⟨w (S t), p (S t)⟩ = β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩) /\
  (forall t, ⟨w t, p t⟩ = (1 - τ) * (Σ k < (S t), (β^(t - k) * σ t / σ k * ⟨w k, g k⟩)) - (Σ k < t, (β^(t -
    k) * σ t / σ (S k) * (η k * ⟨u k, p k⟩))))).
Proof.
  intros H. destruct (H line 0 0 always always (fun _ => 0) always never first (fun _ => 0))
    as [_ C]; try (intros; unfold always, never; cbn; lra).
  specialize (C O). unfold always, never, first in C. cbn in C. lra.
Qed.

(** A buffer that is filled by something else *)
Theorem ledger_momentum_needs_momentum : ~ (forall (E : space) (β τ : R) (s σ η : nat -> R) (w g p u : nat -> E),
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, w (S t) = (s t * w t - η t * u t)%V) ->
  (forall t, ⟨w (S t), p (S t)⟩ = β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩) /\
  (forall t, ⟨w t, p t⟩ = (1 - τ) * (Σ k < (S t), (β^(t - k) * σ t / σ k * ⟨w k, g k⟩)) - (Σ k < t, (β^(t -
    k) * σ t / σ (S k) * (η k * ⟨u k, p k⟩))))).
Proof.
  intros H. destruct (H line 0 0 always always (fun _ => 0) always never second (fun _ => 0))
    as [C _]; try (intros; unfold always, never; cbn; lra).
  specialize (C O). unfold always, never, second in C. cbn in C. lra.
Qed.

(** The weights move by something else: to 0. *)
Theorem ledger_momentum_needs_update : ~ (forall (E : space) (β τ : R) (s σ η : nat -> R) (w g p u : nat -> E),
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, ⟨w (S t), p (S t)⟩ = β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩) /\
  (forall t, ⟨w t, p t⟩ = (1 - τ) * (Σ k < (S t), (β^(t - k) * σ t / σ k * ⟨w k, g k⟩)) - (Σ k < t, (β^(t -
    k) * σ t / σ (S k) * (η k * ⟨u k, p k⟩))))).
Proof.
  intros H. destruct (H line 1 0 always always (fun _ => 0) first first always (fun _ => 0))
    as [C _]; try (intros; unfold always, first; cbn; lra).
  specialize (C O). unfold always, first in C. cbn in C. lra.
Qed.

(** f = ‖w‖²/2 *)
Theorem ledger_scale_invariant_needs_scale_invariant :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H line (fun x => ‖x‖² / 2) 0 0 always always always first first first never) as [C _]; try finish;
    try (intros; unfold always; cbn; lra); try (intros [| t]; unfold always, never; cbn; lra).
  specialize (C O). cbn in C. lra.
Qed.

(** The same, against constant f *)
Theorem ledger_scale_invariant_needs_gradients :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) 0 0 always always always first first first never) as [C _]; try finish;
    try (intros; unfold always; cbn; lra); try (intros [| t]; unfold always, never; cbn; lra).
  specialize (C O). cbn in C. lra.
Qed.

(** σ = 1 though s_1 = 2 *)
Theorem ledger_scale_invariant_needs_shrunk :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ t <> 0) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H plane corner 1 0 (fun t => match t with 1%nat => 2 | _ => 1 end) always
    (fun t => match t with O => 2 | 1%nat => 0 | _ => 1 end) doubled push push corner_push) as [_ C].
  - apply corner_invariant.
  - apply doubled_gradient.
  - intros; unfold always; lra.
  - intros t. unfold push. vector. ring.
  - reflexivity.
  - intros [| t]; unfold push, corner_push; cbn; f_equal; ring.
  - intros [| [| t]]; unfold doubled, push, corner_push, vsub; cbn -[INR]; f_equal; rewrite ?S_INR; cbn; ring.
  - specialize (C 2%nat). unfold doubled, push, corner_push, always in C. cbn in C. lra.
Qed.

(** The same run with σ = 0 throughout *)
Theorem ledger_scale_invariant_needs_not_to_0 :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H plane corner 1 0 (fun t => match t with 1%nat => 2 | _ => 1 end) never
    (fun t => match t with O => 2 | 1%nat => 0 | _ => 1 end) doubled push push corner_push) as [_ C].
  - apply corner_invariant.
  - apply doubled_gradient.
  - intros; unfold always, never; cbn; lra.
  - intros t. unfold push. vector. ring.
  - reflexivity.
  - intros [| t]; unfold push, corner_push; cbn; f_equal; ring.
  - intros [| [| t]]; unfold doubled, push, corner_push, vsub; cbn -[INR]; f_equal; rewrite ?S_INR; cbn; ring.
  - specialize (C 2%nat). unfold doubled, push, corner_push, never in C. cbn in C. unfold Rdiv in C. lra.
Qed.

(** What is called fresh is not made of the gradient. *)
Theorem ledger_scale_invariant_needs_fresh :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) 0 0 always always always first never first never) as [C _]; try finish;
    try (intros; unfold always; cbn; lra); try (intros [| t]; unfold always, never; cbn; lra).
  specialize (C O). cbn in C. lra.
Qed.

(** A buffer that holds something before the first step *)
Theorem ledger_scale_invariant_needs_no_memory :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) 0 0 always always always first never never first) as [_ C]; try finish;
    try (intros; unfold always; cbn; lra); try (intros [| t]; unfold always, never; cbn; lra).
  specialize (C O). unfold always in C. cbn in C. lra.
Qed.

(** A buffer that is filled by something else *)
Theorem ledger_scale_invariant_needs_memory :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  b O = vzero ->
  (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H line (fun _ => 0) 0 0 always always always (fun t => first t + second t) never never second)
    as [_ C]; try finish; try (intros; unfold always; cbn; lra); try (intros [| [| t]]; unfold always, never; cbn; lra).
  specialize (C 1%nat). unfold always, never in C. cbn in C. lra.
Qed.

(** The weights move by something else, to (−1, −1). *)
Theorem ledger_scale_invariant_needs_update :
  ~ (forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) ->
  (forall t, a t = ((1 - τ) * g t)%V) ->
  b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) = 2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k +
    b k‖²))))).
Proof.
  intros H. destruct (H plane corner 1 0 always always always (fun t => match t with O => (1, 1) | _ => (-1, -1) end)
    push push corner_push) as [_ C].
  - apply corner_invariant.
  - intros [| t]; unfold push; cbn [first]; rewrite ?vscale_one, ?vscale_zero; [apply corner_gradient |].
    apply corner_flat. right. lra.
  - intros; unfold always; lra.
  - intros; unfold always; lra.
  - intros t. unfold push. vector. ring.
  - reflexivity.
  - intros [| t]; unfold push, corner_push; cbn; f_equal; ring.
  - specialize (C 1%nat). unfold push, corner_push, always in C. cbn in C. lra.
Qed.

(** The weights move by something else. *)
Theorem ledger_projected_needs_update : ~ (forall (E : space) (s η : nat -> R) (w a b : nat -> E),
  (forall t, ‖w (S t)‖² - ‖w t‖² = η t^2 * ‖project (w t) (a t) + project (w t) (b t)‖² + (s t^2 - 1) * ‖w t‖²) /\
  (forall t, ‖w t‖² * (‖s t * w t - η t * (a t + b t)‖² - ‖w (S t)‖²) = η t^2 * ⟨w t, (a t + b t)⟩^2 -
    2 * s t * η t * ⟨w t, (a t + b t)⟩ * ‖w t‖²)).
Proof.
  intros H. destruct (H line always always first never never) as [C _]. specialize (C O).
  unfold project, always, never in C. cbn in C. unfold Rdiv in C. lra.
Qed.
