(** No hypothesis of Eq. 1 can be left out. *)
From Tangency Require Import small_spaces.

(** Without centring, one number u becomes u/√(u² + ε). *)
Lemma line_variance (u : line) : variance 0 (1 : line) u = u * u.
Proof. unfold variance, centred. cbn. field. Qed.

Lemma line_normalised ε (u : line) : normalised 0 (1 : line) ε u = / sqrt (u * u + ε) * u.
Proof. unfold normalised. rewrite line_variance. unfold centred. cbn. f_equal. field. Qed.

Theorem eq_01_needs_ε_zero : ~ (forall (E : space) (κ c ε : R) (e u : E),
  0 < c -> normalised κ e ε (c * u) = normalised κ e ε u).
Proof.
  intros H. assert (C := H line 0 2 1 1 1 ltac:(lra)). rewrite !line_normalised in C. cbn in C.
  apply (f_equal (fun x => x * x)) in C. rewrite (Rmult_comm (/ sqrt (2 * 1 * (2 * 1) + 1))) in C.
  replace (2 * 1 * (2 * 1) + 1) with 5 in C by ring. replace (1 * 1 + 1) with 2 in C by ring.
  assert (F := sqrt_lt_R0 5 ltac:(lra)). assert (T := sqrt_lt_R0 2 ltac:(lra)).
  assert (F2 := sqrt_sqrt 5 ltac:(lra)). assert (T2 := sqrt_sqrt 2 ltac:(lra)).
  replace (2 * 1 * / sqrt 5 * (2 * 1 * / sqrt 5)) with (4 / (sqrt 5 * sqrt 5)) in C by (field; lra).
  replace (/ sqrt 2 * 1 * (/ sqrt 2 * 1)) with (1 / (sqrt 2 * sqrt 2)) in C by (field; lra).
  rewrite F2, T2 in C. lra.
Qed.

(** c = -1 turns the sign. *)
Theorem eq_01_needs_c_positive : ~ (forall (E : space) (κ c ε : R) (e u : E),
  ε = 0 -> normalised κ e ε (c * u) = normalised κ e ε u).
Proof.
  intros H. assert (C := H line 0 (-1) 0 1 1 eq_refl). rewrite !line_normalised in C. cbn in C.
  replace (-1 * 1 * (-1 * 1) + 0) with 1 in C by ring. replace (1 * 1 + 0) with 1 in C by ring.
  rewrite sqrt_1, Rinv_1 in C. lra.
Qed.

(** A bias that nothing removes. *)
Theorem eq_01_layer_needs_linear : ~ (forall (W E : space) (A : W -> E) (loss : E -> R) (κ : R) (e : E),
  scale_invariant (fun w => loss (normalised κ e 0 (A w)))).
Proof.
  intros H. assert (C := H line line (fun w => w - 1) (fun y => y) 0 1 2 1 ltac:(lra)). cbv beta in C.
  rewrite !line_normalised in C. cbn in C.
  replace ((2 * 1 - 1) * (2 * 1 - 1) + 0) with 1 in C by ring. rewrite sqrt_1, Rinv_1 in C. lra.
Qed.

Theorem eq_01_excess_needs_ε_nonneg : ~ (forall (E : space) (κ c ε : R) (e u : E),
  0 < c ->
  ‖normalised κ e ε (c * u)‖² =
    (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * ‖normalised κ e ε u‖² /\
  normalised κ e ε (c * u) =
    (sqrt (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * normalised κ e ε u)%V).
Proof.
  intros H. destruct (H line 0 2 (-2) 1 1 ltac:(lra)) as [C _]. rewrite !line_normalised in C.
  rewrite (sqrt_neg_0 (1 * 1 + -2)), Rinv_0 in C by lra. cbn in C.
  replace (2 * 1 * (2 * 1) + -2) with 2 in C by ring.
  assert (T := sqrt_lt_R0 2 ltac:(lra)). assert (P := Rinv_0_lt_compat _ T). nra.
Qed.

Theorem eq_01_excess_needs_c_positive : ~ (forall (E : space) (κ c ε : R) (e u : E),
  0 <= ε ->
  ‖normalised κ e ε (c * u)‖² =
    (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * ‖normalised κ e ε u‖² /\
  normalised κ e ε (c * u) =
    (sqrt (1 + ε * (c^2 - 1) / (c^2 * variance κ e u + ε)) * normalised κ e ε u)%V).
Proof.
  intros H. destruct (H line 0 (-1) 0 1 1 ltac:(lra)) as [_ C]. rewrite !line_normalised in C. cbn in C.
  replace (-1 * 1 * (-1 * 1) + 0) with 1 in C by ring. replace (1 * 1 + 0) with 1 in C by ring. unfold Rdiv in C.
  rewrite sqrt_1, Rinv_1, !Rmult_0_l, Rplus_0_r, sqrt_1 in C. lra.
Qed.
