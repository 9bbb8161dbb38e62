(** Eq. 2 here: layer normalisation after a skip connection, LN(g_w(x) + x), is not scale-invariant in w (§4.5). *)
From Tangency Require Import inner_product.

(** v and ξ are the centred g_w(x) and x; they are linearly independent exactly if ‖v‖²‖ξ‖² − ⟨v, ξ⟩² ≠ 0. *)
Theorem eq_02 : forall (E : space) (c : R) (v ξ : E),
  ‖v‖² * ‖ξ‖² - ⟨v, ξ⟩^2 <> 0 -> c <> 1 -> unit (c * v + ξ) <> unit (v + ξ).
Proof.
  intros E c v ξ independent C same.
  assert (area : ‖c * v + ξ‖² * ‖v + ξ‖² - ⟨c * v + ξ, v + ξ⟩^2 = 0).
  { rewrite <- (norm_times_unit E (c * v + ξ)), <- (norm_times_unit E (v + ξ)), same. gram. ring. }
  replace (‖c * v + ξ‖² * ‖v + ξ‖² - ⟨c * v + ξ, v + ξ⟩^2)
    with ((c - 1)^2 * (‖v‖² * ‖ξ‖² - ⟨v, ξ⟩^2)) in area by (gram; ring).
  apply Rmult_integral in area. destruct area as [Z | Z]; [| contradiction].
  apply (pow_nonzero (c - 1) 2) in Z; [assumption | lra].
Qed.

(** The same of the layer: u is g_w(x), e the vector of ones. *)
Theorem eq_02_layer : forall (E : space) (c : R) (e u x : E),
  e <> vzero -> ‖centred 1 e u‖² * ‖centred 1 e x‖² - ⟨centred 1 e u, centred 1 e x⟩^2 <> 0 -> c <> 1 ->
  normalised 1 e 0 (c * u + x) <> normalised 1 e 0 (u + x).
Proof.
  intros E c e u x Z independent C same. apply (eq_02 E c _ _ independent C).
  assert (N := norm_positive E e Z).
  assert (sum : forall a : R, centred 1 e (a * u + x) = (a * centred 1 e u + centred 1 e x)%V).
  { intros a. vector. unfold centred. gram. unfold Rdiv. ring. }
  assert (LN : forall y : E, unit (centred 1 e y) = (/ norm e * normalised 1 e 0 y)%V).
  { intros y. unfold normalised, unit. rewrite vscale_mul. f_equal. unfold variance.
    rewrite Rplus_0_r, sqrt_div_alt by now apply dot_positive. fold (norm e) (norm (centred 1 e y)).
    unfold Rdiv. rewrite Rinv_mult, Rinv_inv, (Rmult_comm _ (norm e)), <- Rmult_assoc, Rinv_l; lra. }
  rewrite <- sum, <- (vscale_one E (centred 1 e u)), <- sum, !LN, same. now rewrite vscale_one.
Qed.
