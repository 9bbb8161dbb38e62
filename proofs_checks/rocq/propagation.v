(** How an error of a vector moves what is made of it (errors/rounding.py). *)
From Tangency Require Import inner_product.

Section Propagation.
Variable E : space.
Implicit Types x y e : E.

(** Cauchy and Schwarz *)
Lemma product_at_most x y : Rabs ⟨x, y⟩ <= norm x * norm y.
Proof.
  assert (X := norm_nonneg E x). assert (Y := norm_nonneg E y). apply least_square; [now apply Rmult_le_pos |].
  rewrite <- Rabs_mult, Rabs_pos_eq by apply Rle_0_sqr.
  replace (norm x * norm y * (norm x * norm y)) with (‖x‖² * ‖y‖²) by (rewrite <- !norm_square; ring).
  destruct (zero_or_not E y) as [-> | N]; [rewrite !dot_zero_r; lra |].
  assert (P := dot_positive E y N). assert (D := dot_nonneg E (‖y‖² * x - ⟨x, y⟩ * y)%V). revert D. gram. intros D.
  apply Rmult_le_reg_l with (1 := P). lra.
Qed.

(** |ŷ·(x + e) − ŷ·x| ≤ ‖e‖ *)
Theorem norm_error x y e : y <> vzero -> Rabs (⟨unit y, x + e⟩ - ⟨unit y, x⟩) <= norm e.
Proof.
  intros N. rewrite dot_add_r. replace (⟨unit y, x⟩ + ⟨unit y, e⟩ - ⟨unit y, x⟩) with ⟨unit y, e⟩ by ring.
  eapply Rle_trans; [apply product_at_most |]. unfold norm at 1. rewrite unit_square, sqrt_1 by exact N. lra.
Qed.

Lemma norm_triangle x y : norm (x + y)%V <= norm x + norm y.
Proof.
  assert (X := norm_nonneg E x). assert (Y := norm_nonneg E y). apply least_square; [lra |].
  rewrite norm_square. assert (P := product_at_most x y). assert (Q := Rle_abs ⟨x, y⟩).
  replace ‖x + y‖² with (norm x * norm x + 2 * ⟨x, y⟩ + norm y * norm y) by (rewrite !norm_square; gram; ring). nra.
Qed.

(** ‖(x + e)/‖x + e‖ − x/‖x‖‖ ≤ ‖e‖/(‖x‖ − ‖e‖) *)
Theorem direction_error x e : norm e < norm x -> norm (unit (x + e) - unit x)%V <= norm e / (norm x - norm e).
Proof.
  intros L. assert (P := norm_nonneg E e). set (y := (x + e)%V).
  assert (far : norm x - norm e <= norm y).
  { assert (T := norm_triangle y ((-1) * e)%V). replace (y + (-1) * e)%V with x in T by (unfold y; vector; ring).
    replace (norm ((-1) * e)%V) with (norm e) in T; [lra |]. unfold norm. f_equal. gram. ring. }
  assert (nonzero : forall z : E, 0 < norm z -> z <> vzero).
  { intros z Z ->. unfold norm in Z. rewrite dot_zero, sqrt_0 in Z. lra. }
  assert (Nx := nonzero x ltac:(lra)). assert (Ny := nonzero y ltac:(lra)).
  set (d := (unit y - unit x)%V).
  assert (apart : ‖e‖² = (norm y - norm x)^2 + norm x * norm y * ‖d‖²).
  { assert (Ux := unit_square E x Nx). assert (Uy := unit_square E y Ny).
    replace e with (norm y * unit y - norm x * unit x)%V by (rewrite !norm_times_unit; unfold y; vector; ring).
    unfold d. gram. rewrite Ux, Uy. ring. }
  apply Rmult_le_reg_r with (norm x - norm e); [lra |].
  replace (norm e / (norm x - norm e) * (norm x - norm e)) with (norm e) by (field; lra).
  apply least_square; [exact P |]. rewrite norm_square, apart.
  replace (norm d * (norm x - norm e) * (norm d * (norm x - norm e))) with ((norm x - norm e)^2 * ‖d‖²)
    by (rewrite <- norm_square; ring).
  assert (D := dot_nonneg E d). assert (S := square_nonneg (norm y - norm x)).
  assert (M : (norm x - norm e)^2 <= norm x * norm y) by (simpl; rewrite Rmult_1_r; apply Rmult_le_compat; lra).
  apply (Rmult_le_compat_r ‖d‖²) in M; [lra | exact D].
Qed.

End Propagation.
