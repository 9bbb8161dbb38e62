(** No hypothesis of Eq. 4, or of its converse, can be left out. *)
From Tangency Require Import eq_04_orthogonality small_spaces.

(** f = ‖w‖²/2 has the gradient w. *)
Theorem eq_04_needs_scale_invariant : ~ (forall (E : space) (f : E -> R) (c : R) (w g : E),
  gradient f w g -> 0 < c -> ⟨w, g⟩ = 0 /\ gradient f (c * w) ((/ c) * g)).
Proof.
  intros H. destruct (H line (fun x => ‖x‖² / 2) 1 1 1 (half_square_gradient line 1) Rlt_0_1) as [C _]. cbn in C. lra.
Qed.

Theorem eq_04_needs_gradient : ~ (forall (E : space) (f : E -> R) (c : R) (w g : E),
  scale_invariant f -> 0 < c -> ⟨w, g⟩ = 0 /\ gradient f (c * w) ((/ c) * g)).
Proof.
  intros H. destruct (H line (fun _ => 0) 1 1 1 (constant_invariant line 0) Rlt_0_1) as [C _]. cbn in C. lra.
Qed.

(** c = -1: in the quadrant opposite to (1, 1) the gradient is 0. *)
Theorem eq_04_needs_c_positive : ~ (forall (E : space) (f : E -> R) (c : R) (w g : E),
  scale_invariant f -> gradient f w g -> ⟨w, g⟩ = 0 /\ gradient f (c * w) ((/ c) * g)).
Proof.
  intros H. destruct (H plane corner (-1) (1, 1) (-1, 1) corner_invariant corner_gradient) as [_ G].
  assert (F : gradient corner (-1 * ((1, 1) : plane)) vzero) by (apply corner_flat; cbn; lra).
  assert (C := uniqueness_limite _ 0 _ _ (G (1, 0)) (F (1, 0))). cbn in C. lra.
Qed.

(** The converse, with no w ≠ 0 in its conclusion. *)
Theorem eq_04_converse_everywhere : forall (E : space) (f : E -> R) (grad : E -> E),
  (forall w, w <> vzero -> gradient f w (grad w)) -> (forall w, w <> vzero -> ⟨w, grad w⟩ = 0) -> scale_invariant f.
Proof.
  intros E f grad G T c w C. destruct (zero_or_not E w) as [-> | N]; [| now apply (eq_04_converse E f grad)].
  f_equal. vector. ring.
Qed.

Theorem eq_04_converse_needs_gradients : ~ (forall (E : space) (f : E -> R) (grad : E -> E),
  (forall w, w <> vzero -> ⟨w, grad w⟩ = 0) -> (forall c w, 0 < c -> w <> vzero -> f (c * w)%V = f w)).
Proof.
  intros H. assert (C := H line (fun x => ‖x‖² / 2) (fun _ => vzero) (fun w _ => dot_zero_r line w) 2 1).
  cbn in C. specialize (C ltac:(lra) R1_neq_R0). lra.
Qed.

Theorem eq_04_converse_needs_tangent : ~ (forall (E : space) (f : E -> R) (grad : E -> E),
  (forall w, w <> vzero -> gradient f w (grad w)) -> (forall c w, 0 < c -> w <> vzero -> f (c * w)%V = f w)).
Proof.
  intros H. assert (C := H line (fun x => ‖x‖² / 2) (fun w => w) (fun w _ => half_square_gradient line w) 2 1).
  cbn in C. specialize (C ltac:(lra) R1_neq_R0). lra.
Qed.

Theorem eq_04_no_gradient_at_0_needs_scale_invariant : ~ (forall (E : space) (f : E -> R) (g : E),
  gradient f vzero g -> forall w, f w = f vzero).
Proof.
  intros H. specialize (H line (fun x => ‖x‖² / 2) vzero (half_square_gradient line vzero) 1). cbn in H. lra.
Qed.

Theorem eq_04_no_gradient_at_0_needs_gradient : ~ (forall (E : space) (f : E -> R) (g : E),
  scale_invariant f -> forall w, f w = f vzero).
Proof.
  intros H. specialize (H plane corner vzero corner_invariant (1, 1)). unfold corner in H. cbn in H.
  destruct (Rlt_dec 0 1), (Rlt_dec 0 0); lra.
Qed.
