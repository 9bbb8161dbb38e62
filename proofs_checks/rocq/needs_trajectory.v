(** What the theorem on trajectories needs. *)
From Tangency Require Import inner_product small_spaces trajectory.

Definition rests (t : nat) : line := 1.
Definition nought (t : nat) : R := 0.

Ltac settle := try finish; try (intros; unfold rests, nought, never; cbn; unfold Rdiv; try rewrite Rinv_1; lra);
  try (intros [| [| t]]; unfold rests, nought, never, first, second; cbn; unfold Rdiv; rewrite ?Rinv_1; lra).

(** f = ‖w‖²/2: gradients at 2w are twice as long. *)
Theorem trajectory_needs_scale_invariant :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun x => ‖x‖² / 2) 2 0 0 0 0 0 nought nought nought rests rests rests (fun _ => 2) (fun _ => 2)
    (fun _ => 2)) as [_ [C _]]; settle; try (intros; apply half_square_gradient).
  specialize (C O). unfold rests in C. cbn in C. lra.
Qed.

(** c = 0: no direction is left. *)
Theorem trajectory_needs_c_positive :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H. destruct (H line (fun _ => 0) 0 0 0 0 0 0 nought nought nought rests never never never never never)
    as [_ [_ [_ C]]]; settle.
  specialize (C O). unfold rests, never in C. unfold unit in C at 2. rewrite line_norm in C by lra. cbn in C.
  rewrite Rinv_1 in C. lra.
Qed.

Theorem trajectory_needs_gradients :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests rests rests rests never never) as [_ [C _]];
  settle.
  specialize (C O). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_gradients' :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never never rests rests rests) as [_ [C _]];
  settle.
  specialize (C O). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_start :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never never (fun _ => 2) never never) as [C _];
  settle.
  specialize (C O). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_zero_start :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never first rests never never) as [_ [_ [C _]]];
  settle.
  specialize (C O). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_zero_start' :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never never rests never first) as [_ [_ [C _]]];
  settle.
  specialize (C O). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_momentum :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never second rests never never) as [_ [_ [C _]]];
  settle.
  specialize (C 1%nat). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_momentum' :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never never rests never second) as [_ [_ [C _]]];
  settle.
  specialize (C 1%nat). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_update :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w' (S t) = ((1 - c^2 * η t * (λ t / c^2)) * w' t - c^2 * η t * ((1 - ρ t) * (a * (g' t +
    κ / c^2 * w' t) + b * p' t) + ρ t * project (w' t) (a * (g' t + κ / c^2 * w' t) + b * p' t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought first never never rests never never) as [C _];
  settle.
  specialize (C 1%nat). unfold rests, never, first, second in C. cbn in C. lra.
Qed.

Theorem trajectory_needs_update' :
  ~ (forall (E : space) (f : E -> R) (c β τ a b κ : R) (η λ ρ : nat -> R) (w g p w' g' p' : nat -> E),
  scale_invariant f ->
  0 < c ->
  (forall t, gradient f (w t) (g t)) ->
  (forall t, gradient f (w' t) (g' t)) ->
  w' O = (c * w O)%V ->
  p O = ((1 - τ) * (g O + κ * w O))%V ->
  p' O = ((1 - τ) * (g' O + κ / c^2 * w' O))%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * (g (S t) + κ * w (S t)))%V) ->
  (forall t, p' (S t) = (β * p' t + (1 - τ) * (g' (S t) + κ / c^2 * w' (S t)))%V) ->
  (forall t, w (S t) = ((1 - η t * λ t) * w t - η t * ((1 - ρ t) * (a * (g t + κ * w t) + b * p t) +
    ρ t * project (w t) (a * (g t + κ * w t) + b * p t)%V))%V) ->
  (forall t, w' t = (c * w t)%V) /\
  (forall t, g' t = (/ c * g t)%V) /\
  (forall t, p' t = (/ c * p t)%V) /\
  (forall t, unit (w' t) = unit (w t))).
Proof.
  intros H.
  destruct (H line (fun _ => 0) 1 0 0 0 0 0 nought nought nought rests never never first never never) as [C _];
  settle.
  specialize (C 1%nat). unfold rests, never, first, second in C. cbn in C. lra.
Qed.
