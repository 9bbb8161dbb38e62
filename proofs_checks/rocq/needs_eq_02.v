(** What a skip connection needs to break scale invariance (§4.5). *)
From Tangency Require Import eq_01_norm_scale_invariance small_spaces.

Theorem eq_02_needs_independence : ~ (forall (E : space) (c : R) (v ξ : E),
  c <> 1 -> unit (c * v + ξ) <> unit (v + ξ)).
Proof.
  intros H. apply (H line 2 1 0); [lra |]. unfold unit. rewrite !line_norm by (cbn; lra). cbn. field.
Qed.

Theorem eq_02_needs_c_not_1 : ~ (forall (E : space) (c : R) (v ξ : E),
  ‖v‖² * ‖ξ‖² - ⟨v, ξ⟩^2 <> 0 -> unit (c * v + ξ) <> unit (v + ξ)).
Proof.
  intros H. apply (H plane 1 (1, 0) (0, 1)); [cbn; lra |]. now rewrite vscale_one.
Qed.

(** Without the skip connection nothing changes (Eq. 1). *)
Theorem eq_02_needs_skip_connection : ~ (forall (E : space) (c : R) (v ξ : E),
  ‖v‖² * ‖ξ‖² - ⟨v, ξ⟩^2 <> 0 -> c <> 1 -> unit (c * v) <> unit v).
Proof.
  intros H. apply (H plane 2 (1, 0) (0, 1)); [cbn; lra | lra |].
  assert (K : forall y : plane, unit y = normalised 0 ((1, 0) : plane) 0 y).
  { intros y. unfold normalised, variance, centred, unit, norm. rewrite Rmult_0_l. f_equal.
    - f_equal. f_equal. gram. cbn. field.
    - vector. ring. }
  rewrite !K. apply eq_01; lra.
Qed.

(** Three numbers, of which centring removes the first. *)
Lemma independent : let e : solid := (1, (0, 0)) in let u : solid := (0, (1, 0)) in let x : solid := (0, (0, 1)) in
  e <> vzero /\ ‖centred 1 e u‖² * ‖centred 1 e x‖² - ⟨centred 1 e u, centred 1 e x⟩^2 <> 0.
Proof.
  split; [intros Z; apply (f_equal fst) in Z; cbn in Z; lra |]. unfold centred, Rdiv. cbn. lra.
Qed.

Theorem eq_02_layer_needs_e_nonzero : ~ (forall (E : space) (c : R) (e u x : E),
  ‖centred 1 e u‖² * ‖centred 1 e x‖² - ⟨centred 1 e u, centred 1 e x⟩^2 <> 0 -> c <> 1 ->
  normalised 1 e 0 (c * u + x) <> normalised 1 e 0 (u + x)).
Proof.
  intros H. apply (H plane 2 vzero (1, 0) (0, 1)); [unfold centred, Rdiv; cbn; lra | lra |].
  unfold normalised, variance, Rdiv. rewrite !dot_zero, Rinv_0, !Rmult_0_r, Rplus_0_r, sqrt_0, Rinv_0.
  now rewrite !vscale_zero.
Qed.

(** A layer of one number, which centring makes 0. *)
Theorem eq_02_layer_needs_independence : ~ (forall (E : space) (c : R) (e u x : E),
  e <> vzero -> c <> 1 -> normalised 1 e 0 (c * u + x) <> normalised 1 e 0 (u + x)).
Proof.
  intros H. apply (H line 2 1 1 0); [apply R1_neq_R0 | lra |].
  unfold normalised. assert (Z : forall y, centred 1 (1 : line) y = vzero) by (intros y; unfold centred; cbn; field).
  rewrite !Z. cbn. ring.
Qed.

Theorem eq_02_layer_needs_c_not_1 : ~ (forall (E : space) (c : R) (e u x : E),
  e <> vzero -> ‖centred 1 e u‖² * ‖centred 1 e x‖² - ⟨centred 1 e u, centred 1 e x⟩^2 <> 0 ->
  normalised 1 e 0 (c * u + x) <> normalised 1 e 0 (u + x)).
Proof.
  destruct independent as [Z I]. intros H. apply (H solid 1 _ _ _ Z I). now rewrite vscale_one.
Qed.

Theorem eq_02_layer_needs_skip_connection : ~ (forall (E : space) (c : R) (e u x : E),
  e <> vzero -> ‖centred 1 e u‖² * ‖centred 1 e x‖² - ⟨centred 1 e u, centred 1 e x⟩^2 <> 0 -> c <> 1 ->
  normalised 1 e 0 (c * u) <> normalised 1 e 0 u).
Proof.
  destruct independent as [Z I]. intros H. apply (H solid 2 _ _ _ Z I); [lra |]. apply eq_01; lra.
Qed.

(** Nor does anything change where the branch is normalised before the sum. *)
Theorem eq_02_layer_needs_normalisation_last : ~ (forall (E : space) (c : R) (e u x : E),
  e <> vzero -> ‖centred 1 e u‖² * ‖centred 1 e x‖² - ⟨centred 1 e u, centred 1 e x⟩^2 <> 0 -> c <> 1 ->
  (normalised 1 e 0 (c * u) + x)%V <> (normalised 1 e 0 u + x)%V).
Proof.
  destruct independent as [Z I]. intros H. apply (H solid 2 _ _ _ Z I); [lra |]. f_equal. apply eq_01; lra.
Qed.
