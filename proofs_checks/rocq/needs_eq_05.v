(** No hypothesis of Eq. 5 can be left out. *)
From Tangency Require Import small_spaces.

(** From 1 to 2 nothing turns, and from 0 to 1 there is no angle. *)
Lemma straight : norm (1 : line) = 1 /\ norm (2 : line) = 2 /\ (unit (2 : line) - unit (1 : line))%V = 0.
Proof.
  assert (N : norm (1 : line) = 1) by (apply line_norm; lra).
  assert (M : norm (2 : line) = 2) by (apply line_norm; lra).
  repeat split; auto. unfold unit. rewrite N, M. cbn. lra.
Qed.

Lemma from_0 : norm (0 : line) = 0 /\ norm (1 : line) = 1 /\ (unit (1 : line) - unit (0 : line))%V = 1.
Proof.
  assert (N : norm (0 : line) = 0) by (apply line_norm; lra).
  assert (M : norm (1 : line) = 1) by (apply line_norm; lra).
  repeat split; auto. unfold unit. rewrite N, M. cbn. rewrite Rinv_1. lra.
Qed.

Theorem eq_05_needs_nonzero : ~ (forall (E : space) (η : R) (w p w' : E),
  ⟨w, p⟩ = 0 -> w' = (w - η * p)%V ->
  norm (unit w' - unit w) = sqrt (2 * (1 - norm w / norm w')) /\
  norm (w' - w) / norm w' <= norm (unit w' - unit w) /\ norm (unit w' - unit w) <= norm (w' - w) / norm w /\
  0 <= / norm w - / norm w' /\ / norm w - / norm w' <= η^2 * (‖p‖² / (2 * norm w ^ 3))).
Proof.
  intros H. destruct (H line (-1) 0 1 1 ltac:(cbn; ring) ltac:(cbn; ring)) as [C _]. destruct from_0 as [N [M U]].
  rewrite U, N, M in C. apply (f_equal (fun x => x * x)) in C. rewrite sqrt_sqrt in C; lra.
Qed.

Theorem eq_05_needs_tangent : ~ (forall (E : space) (η : R) (w p w' : E),
  w <> vzero -> w' = (w - η * p)%V ->
  norm (unit w' - unit w) = sqrt (2 * (1 - norm w / norm w')) /\
  norm (w' - w) / norm w' <= norm (unit w' - unit w) /\ norm (unit w' - unit w) <= norm (w' - w) / norm w /\
  0 <= / norm w - / norm w' /\ / norm w - / norm w' <= η^2 * (‖p‖² / (2 * norm w ^ 3))).
Proof.
  intros H.
  destruct (H line (-1) 1 1 2 (Rgt_not_eq 1 0 Rlt_0_1) ltac:(cbn; ring)) as [C _]. destruct straight as [N [M U]].
  rewrite U, N, M, line_norm in C by lra. replace (2 * (1 - 1 / 2)) with 1 in C by field. rewrite sqrt_1 in C. lra.
Qed.

Theorem eq_05_needs_update : ~ (forall (E : space) (η : R) (w p w' : E),
  w <> vzero -> ⟨w, p⟩ = 0 ->
  norm (unit w' - unit w) = sqrt (2 * (1 - norm w / norm w')) /\
  norm (w' - w) / norm w' <= norm (unit w' - unit w) /\ norm (unit w' - unit w) <= norm (w' - w) / norm w /\
  0 <= / norm w - / norm w' /\ / norm w - / norm w' <= η^2 * (‖p‖² / (2 * norm w ^ 3))).
Proof.
  intros H.
  destruct (H line 0 1 0 2 (Rgt_not_eq 1 0 Rlt_0_1) ltac:(cbn; ring)) as [C _]. destruct straight as [N [M U]].
  rewrite U, N, M, line_norm in C by lra. replace (2 * (1 - 1 / 2)) with 1 in C by field. rewrite sqrt_1 in C. lra.
Qed.

Theorem eq_05_gaps_needs_nonzero : ~ (forall (E : space) (η : R) (w p w' : E),
  ⟨w, p⟩ = 0 -> w' = (w - η * p)%V ->
  ‖unit w' - unit w‖² - ‖w' - w‖² / ‖w'‖² = (1 - norm w / norm w')^2 /\
  ‖w' - w‖² / ‖w‖² - ‖unit w' - unit w‖² =
    (1 - norm w / norm w')^2 * (1 + 2 * norm w / norm w') / (norm w / norm w')^2).
Proof.
  intros H. destruct (H line (-1) 0 1 1 ltac:(cbn; ring) ltac:(cbn; ring)) as [C _]. destruct from_0 as [N [M U]].
  rewrite U, N, M in C. cbn in C. lra.
Qed.

Theorem eq_05_gaps_needs_tangent : ~ (forall (E : space) (η : R) (w p w' : E),
  w <> vzero -> w' = (w - η * p)%V ->
  ‖unit w' - unit w‖² - ‖w' - w‖² / ‖w'‖² = (1 - norm w / norm w')^2 /\
  ‖w' - w‖² / ‖w‖² - ‖unit w' - unit w‖² =
    (1 - norm w / norm w')^2 * (1 + 2 * norm w / norm w') / (norm w / norm w')^2).
Proof.
  intros H.
  destruct (H line (-1) 1 1 2 (Rgt_not_eq 1 0 Rlt_0_1) ltac:(cbn; ring)) as [C _]. destruct straight as [N [M U]].
  rewrite U, N, M in C. cbn in C. lra.
Qed.

Theorem eq_05_gaps_needs_update : ~ (forall (E : space) (η : R) (w p w' : E),
  w <> vzero -> ⟨w, p⟩ = 0 ->
  ‖unit w' - unit w‖² - ‖w' - w‖² / ‖w'‖² = (1 - norm w / norm w')^2 /\
  ‖w' - w‖² / ‖w‖² - ‖unit w' - unit w‖² =
    (1 - norm w / norm w')^2 * (1 + 2 * norm w / norm w') / (norm w / norm w')^2).
Proof.
  intros H.
  destruct (H line 0 1 0 2 (Rgt_not_eq 1 0 Rlt_0_1) ltac:(cbn; ring)) as [C _]. destruct straight as [N [M U]].
  rewrite U, N, M in C. cbn in C. lra.
Qed.
