(** What Eq. 10 needs: not w ≠ 0, for Π_0 is the identity. *)
From Tangency Require Import eq_10_projection small_spaces.

Theorem eq_10_everywhere : forall (E : space) (a b c : R) (w x y : E),
  project w x = (x - ⟨unit w, x⟩ * unit w)%V /\ ⟨w, project w x⟩ = 0 /\ project w w = vzero /\
  (⟨w, x⟩ = 0 -> project w x = x) /\ project w (a * x + b * y) = (a * project w x + b * project w y)%V /\
  project w (project w x) = project w x /\ ⟨project w x, y⟩ = ⟨x, project w y⟩ /\ ‖project w x‖² <= ‖x‖² /\
  (c <> 0 -> project (c * w) x = project w x) /\ (⟨w, y⟩ = 0 -> ‖x - project w x‖² <= ‖x - y‖²).
Proof.
  intros E a b c w x y. destruct (zero_or_not E w) as [-> | N]; [| now apply eq_10].
  assert (Z : (c * vzero)%V = @vzero E) by (vector; ring).
  rewrite Z, !eq_10_at_zero. unfold unit. repeat split; intros; rewrite ?dot_zero; try reflexivity; try lra.
  - vector. ring.
  - assert (P := dot_nonneg E (x - y)%V). replace ‖x - x‖² with 0 by (gram; ring). exact P.
Qed.

Theorem eq_10_unique_everywhere : forall (E : space) (w x y : E),
  ⟨w, y⟩ = 0 -> (forall z, ⟨w, z⟩ = 0 -> ‖x - y‖² <= ‖x - z‖²) -> y = project w x.
Proof.
  intros E w x y T C. destruct (zero_or_not E w) as [-> | N]; [| now apply eq_10_unique].
  rewrite eq_10_at_zero. specialize (C x (dot_zero E x)). replace ‖x - x‖² with 0 in C by (gram; ring).
  symmetry. apply vector_eq. assert (P := dot_nonneg E (x - y)%V). lra.
Qed.

(** The scale of w does not matter, but for 0. *)
Theorem eq_10_needs_c_nonzero : ~ (forall (E : space) (c : R) (w x : E),
  w <> vzero -> project (c * w) x = project w x).
Proof.
  intros H. specialize (H line 0 1 1 R1_neq_R0). unfold project, Rdiv in H. cbn in H. lra.
Qed.

Theorem eq_10_unique_needs_tangent : ~ (forall (E : space) (w x y : E),
  w <> vzero -> (forall z, ⟨w, z⟩ = 0 -> ‖x - y‖² <= ‖x - z‖²) -> y = project w x).
Proof.
  intros H. specialize (H line 1 1 1 R1_neq_R0). unfold project in H. cbn in H.
  assert (K : 1 = 1 + -1 * (1 * 1 / (1 * 1) * 1)).
  - apply H. intros z _. assert (P := Rle_0_sqr (1 + -1 * z)). unfold Rsqr in P. lra.
  - unfold Rdiv in K. rewrite !Rmult_1_r, Rinv_1 in K. lra.
Qed.

Theorem eq_10_unique_needs_closest : ~ (forall (E : space) (w x y : E),
  w <> vzero -> ⟨w, y⟩ = 0 -> y = project w x).
Proof.
  intros H. specialize (H plane (1, 0) (0, 1) (0, 0) axis_nonzero). cbn in H. specialize (H ltac:(lra)).
  apply (f_equal snd) in H. cbn in H. lra.
Qed.
