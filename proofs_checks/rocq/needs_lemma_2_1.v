(** No hypothesis of Lemma 2.1 can be left out. *)
From Tangency Require Import small_spaces.

(** f = ‖w‖²/2 and η = 1: one step from 1 to 0. *)
Theorem lemma_2_1_needs_scale_invariant : ~ (forall (E : space) (f : E -> R) (η : R) (w p : nat -> E),
  (forall t, gradient f (w t) (p t)) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖²) /\ (forall t, ‖w t‖² <= ‖w (S t)‖²)).
Proof.
  intros H. destruct (H line (fun x => ‖x‖² / 2) 1 first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** The same step with p, which is not the gradient, against constant f. *)
Theorem lemma_2_1_needs_no_momentum : ~ (forall (E : space) (f : E -> R) (η : R) (w p : nat -> E),
  scale_invariant f -> (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖²) /\ (forall t, ‖w t‖² <= ‖w (S t)‖²)).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 first first) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.

(** The weights move by something else. *)
Theorem lemma_2_1_needs_update : ~ (forall (E : space) (f : E -> R) (η : R) (w p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (p t)) ->
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖p t‖²) /\ (forall t, ‖w t‖² <= ‖w (S t)‖²)).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 first never) as [C _]; try finish.
  specialize (C O). cbn in C. lra.
Qed.
