(** Eq. 1, Norm_k(cWx) = Norm_k(Wx) for c > 0 (§1, §2.1).

    The n numbers that are normalised together are a vector u, the vector of ones is e (here any e). κ = 1 centres them,
    as batch, layer, instance and group normalisation do; κ = 0 is weight normalisation and the ℓ2 projection. *)
From Tangency Require Import inner_product.

Section Eq1.
Variables (E : space) (κ : R) (e : E).
Implicit Types u : E.

Lemma centred_scale c u : centred κ e (c * u) = (c * centred κ e u)%V.
Proof. vector. unfold centred. gram. unfold Rdiv. ring. Qed.

Lemma variance_scale c u : variance κ e (c * u) = c^2 * variance κ e u.
Proof. unfold variance. rewrite centred_scale, dot_scale, dot_scale_r. unfold Rdiv. ring. Qed.

Lemma variance_nonneg u : 0 <= variance κ e u.
Proof.
  unfold variance, Rdiv. destruct (dot_nonneg E e) as [P | <-].
  - apply Rmult_le_pos; [apply dot_nonneg | now apply Rlt_le, Rinv_0_lt_compat].
  - rewrite Rinv_0. lra.
Qed.

(** What is left of the scale c under ε ≥ 0. *)
Lemma normalised_scale c ε u : 0 <= ε -> 0 < c ->
  normalised κ e ε (c * u) =
    (sqrt (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * normalised κ e ε u)%V.
Proof.
  intros Z C. unfold normalised. rewrite centred_scale, variance_scale, !vscale_mul.
  assert (V := variance_nonneg u). set (σ2 := variance κ e u) in *. assert (D := pow_lt c 2 C).
  destruct (Rle_lt_or_eq_dec 0 (σ2 + ε)) as [P | N]; [lra | |].
  - assert (Q : 0 < c^2 * σ2 + ε).
    { destruct V as [V | <-]; [assert (0 < c^2 * σ2) by now apply Rmult_lt_0_compat |]; lra. }
    f_equal. replace (1 + ε * (c^2 - 1) / (c^2 * σ2 + ε)) with (c^2 * (σ2 + ε) / (c^2 * σ2 + ε)) by (field; lra).
    rewrite sqrt_div_alt, sqrt_mult_alt, sqrt_pow2 by lra.
    field. split; apply Rgt_not_eq; now apply sqrt_lt_R0.
  - replace σ2 with 0 by lra. replace ε with 0 by lra. rewrite Rmult_0_r, Rplus_0_r, sqrt_0, Rinv_0. f_equal. ring.
Qed.

End Eq1.

Theorem eq_01 : forall (E : space) (κ c ε : R) (e u : E),
  ε = 0 -> 0 < c -> normalised κ e ε (c * u) = normalised κ e ε u.
Proof.
  intros E κ c ε e u -> C. rewrite normalised_scale by lra. unfold Rdiv.
  now rewrite !Rmult_0_l, Rplus_0_r, sqrt_1, vscale_one.
Qed.

(** Any function of normalised outputs is scale-invariant in the weights w of a linear map A. *)
Theorem eq_01_layer : forall (W E : space) (A : W -> E) (loss : E -> R) (κ : R) (e : E),
  (forall a x, A (a * x)%V = (a * A x)%V) -> scale_invariant (fun w => loss (normalised κ e 0 (A w))).
Proof. intros W E A loss κ e linear c w C. now rewrite linear, eq_01. Qed.

(** ε = 0 included. *)
Theorem eq_01_excess : forall (E : space) (κ c ε : R) (e u : E), 0 <= ε -> 0 < c ->
  ‖normalised κ e ε (c * u)‖² =
    (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * ‖normalised κ e ε u‖² /\
  normalised κ e ε (c * u) =
    (sqrt (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * normalised κ e ε u)%V.
Proof.
  intros E κ c ε e u Z C. split; rewrite normalised_scale by assumption; [| reflexivity].
  rewrite dot_scale, dot_scale_r, <- Rmult_assoc, sqrt_sqrt; [reflexivity |].
  assert (V := variance_nonneg E κ e u). set (σ2 := variance κ e u) in *. assert (D := pow_lt c 2 C).
  assert (Q : 0 <= c^2 * σ2) by (apply Rmult_le_pos; lra).
  destruct (Rle_lt_or_eq_dec 0 (c^2 * σ2 + ε)) as [P | N]; [lra | |].
  - replace (1 + ε * (c^2 - 1) / (c^2 * σ2 + ε)) with ((c^2 * σ2 + c^2 * ε) / (c^2 * σ2 + ε)) by (field; lra).
    apply Rmult_le_pos; [| now apply Rlt_le, Rinv_0_lt_compat].
    apply Rplus_le_le_0_compat; [| apply Rmult_le_pos]; lra.
  - replace ε with 0 by lra. unfold Rdiv. rewrite !Rmult_0_l. lra.
Qed.
