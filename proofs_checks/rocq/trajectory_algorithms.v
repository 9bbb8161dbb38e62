(** The same for SGDP and AdamP as they are specified: decision, projection and all. *)
From Coq Require Import Vector.
From Tangency Require Import inner_product euclidean eq_10_projection algorithm_1_sgdp algorithm_2_adamp trajectory.
Open Scope R_scope.

Section Scaled.
Variables (c : R) (positive : 0 < c).

Let nonzero : c <> 0.
Proof. lra. Qed.

(** Of rows of vectors, one after the other *)
Lemma scaled_rows (E : space) n (A : Type) (f f' : E -> E -> A) a b (x y : rows E n) :
  (forall u v, f' (a * u)%V (b * v)%V = f u v) ->
  Vector.map2 f' (a * x : rows E n)%V (b * y : rows E n)%V = Vector.map2 f x y.
Proof.
  intros H. apply Vector.eq_nth_iff. intros i j <-. simpl. unfold rows_scale.
  rewrite !(Vector.nth_map2 _ _ _ i i i), !(Vector.nth_map _ _ i i) by reflexivity. apply H.
Qed.

Section Decision.
Variables (E : space) (d : R) (n : nat) (h h' : hyperparameters reals).
Hypotheses (same_delta : delta h' = delta h) (same_dimension : one_dimensional h' = one_dimensional h).
Local Notation T := (real_tensors E d n).

Lemma passes_scaled (F : space) (e : R) (w g : F) :
  passes (V := real_vectors F e) h' (c * w)%V (/ c * g)%V = passes (V := real_vectors F e) h w g.
Proof.
  unfold passes. rewrite same_delta. simpl.
  replace (⟨c * w, c * w⟩ * ⟨/ c * g, / c * g⟩) with (‖w‖² * ‖g‖²) by (gram; field; exact nonzero).
  replace ⟨c * w, / c * g⟩ with ⟨w, g⟩ by (gram; field; exact nonzero). reflexivity.
Qed.

Lemma choose_view_scaled (w g : rows E n) :
  choose_view (T := T) h' (c * w : rows E n)%V (/ c * g : rows E n)%V = choose_view (T := T) h w g.
Proof.
  unfold choose_view. rewrite same_dimension.
  assert (rows_pass : all_rows reals T (passes (V := row T) h') (c * w : rows E n)%V (/ c * g : rows E n)%V =
    all_rows reals T (passes (V := row T) h) w g).
  { apply (f_equal (fun v => Vector.fold_right andb v true)), scaled_rows. apply passes_scaled. }
  rewrite rows_pass.
  assert (whole_passes := passes_scaled (rows E n) (INR n * d) w g).
  change (passes (V := whole T) h' (c * w : rows E n)%V (/ c * g : rows E n)%V = passes (V := whole T) h w g)
    in whole_passes.
  now rewrite whole_passes.
Qed.

Lemma project_rows_scaled (v : view) a (w p : rows E n) :
  project_rows (T := T) v (c * w : rows E n)%V (a * p : rows E n)%V = (a * project_rows (T := T) v w p : rows E n)%V.
Proof.
  destruct v; [| | reflexivity].
  - apply Vector.eq_nth_iff. intros i j <-. simpl. unfold rows_scale.
    rewrite (Vector.nth_map2 _ _ _ i i i), !(Vector.nth_map _ _ i i), (Vector.nth_map2 _ _ _ i i i) by reflexivity.
    rewrite !project_vec_is. now apply project_scale.
  - unfold project_rows. etransitivity; [apply (project_vec_is (rows E n)) |].
    etransitivity; [apply (project_scale (rows E n) c a w p nonzero) |]. f_equal. symmetry.
    apply (project_vec_is (rows E n)).
Qed.

Lemma step_scaled (v : view) (factor η η' a : R) (w p : rows E n) : η' * a = c * η ->
  step_along (T := T) v factor η' (c * w : rows E n)%V (a * p : rows E n)%V =
    (c * step_along (T := T) v factor η w p : rows E n)%V.
Proof.
  intros H. unfold step_along. rewrite project_rows_scaled. set (q := project_rows (T := T) v w p : rows E n).
  assert (K : forall (F : space) (x y : F), (factor * (c * x) - η' * (a * y))%V = (c * (factor * x - η * y))%V).
  { intros. rewrite (vscale_mul _ η' a), H. vector. ring. }
  apply (K (rows E n)).
Qed.

End Decision.

Section SGDP.
Variables (E : space) (d : R) (n : nat) (h h' : hyperparameters reals).
Hypotheses (same_delta : delta h' = delta h) (same_dimension : one_dimensional h' = one_dimensional h).
Hypotheses (same_momentum : momentum h' = momentum h) (same_dampening : dampening h' = dampening h).
Hypotheses (same_nesterov : with_nesterov h' = with_nesterov h) (same_ratio : wd_ratio h' = wd_ratio h).
Hypotheses (lr_scaled : lr h' = c^2 * lr h) (decay_scaled : weight_decay h' = weight_decay h / c^2).
Local Notation T := (real_tensors E d n).

Lemma sgdp_scaled (w b g : rows E n) : let s := sgdp (T := T) h (w, b) g in
  sgdp (T := T) h' (c * w : rows E n, / c * b : rows E n)%V (/ c * g : rows E n)%V =
    (c * fst s : rows E n, / c * snd s : rows E n)%V.
Proof.
  assert (B : forall (F : space) (m t : R) (x y : F),
    (m * (/ c * x) + (1 - t) * (/ c * y))%V = (/ c * (m * x + (1 - t) * y))%V) by (intros; vector; ring).
  assert (buffers : forall x y : rows E n, buffer (V := T) h' (/ c * x : rows E n)%V (/ c * y : rows E n)%V =
    (/ c * buffer (V := T) h x y : rows E n)%V).
  { intros. unfold buffer. rewrite same_momentum, same_dampening. apply (B (rows E n)). }
  assert (updates : update (V := T) h' (/ c * b : rows E n)%V (/ c * g : rows E n)%V =
    (/ c * update (V := T) h b g : rows E n)%V).
  { unfold update. rewrite same_nesterov, same_momentum, buffers. destruct (with_nesterov h); [| reflexivity].
    assert (N : forall (F : space) (m : R) (x y : F), (/ c * x + m * (/ c * y))%V = (/ c * (x + m * y))%V)
      by (intros; vector; ring).
    apply (N (rows E n)). }
  assert (factors : forall v, decay h' v = decay h v).
  { intros v. rewrite !decay_is, same_momentum, same_ratio, lr_scaled, decay_scaled.
    replace (c^2 * lr h * (weight_decay h / c^2)) with (lr h * weight_decay h) by (field; exact nonzero).
    reflexivity. }
  intros s. unfold s, sgdp. cbn [fst snd].
  rewrite (choose_view_scaled E d n h h' same_delta same_dimension), updates, buffers, factors.
  f_equal. apply step_scaled. rewrite lr_scaled. field. exact nonzero.
Qed.

(** Of every field of gradients that are as short as the weights are long *)
Theorem trajectory_sgdp (field : rows E n -> rows E n) (w0 : rows E n) :
  (forall w, field (c * w)%V = (/ c * field w)%V) -> forall t,
  let s := descend (sgdp (T := T) h) field (w0, vzero) t in
  descend (sgdp (T := T) h') field ((c * w0)%V, vzero) t = (c * fst s : rows E n, / c * snd s : rows E n)%V.
Proof.
  intros homogeneous t. cbv zeta. induction t as [| t IH].
  - cbn [descend fst snd]. f_equal.
    assert (Z : forall F : space, vzero = (/ c * vzero : F)%V) by (intros; vector; ring).
    apply (Z (rows E n)).
  - cbn [descend]. rewrite IH. cbn [fst]. rewrite homogeneous.
    destruct (descend (sgdp (T := T) h) field (w0, vzero) t) as [w b]. apply sgdp_scaled.
Qed.

End SGDP.

Section AdamP.
Variables (d n : nat) (h h' : adam_hyperparameters reals).
Hypotheses (same_delta : delta h' = delta h) (same_dimension : one_dimensional h' = one_dimensional h).
Hypotheses (same_nesterov : with_nesterov h' = with_nesterov h) (same_ratio : wd_ratio h' = wd_ratio h).
Hypotheses (same_beta1 : beta1 h' = beta1 h) (same_beta2 : beta2 h' = beta2 h).
Hypothesis same_correction : bias_correction h' = bias_correction h.
Hypotheses (lr_scaled : lr h' = c * lr h) (decay_scaled : weight_decay h' = weight_decay h / c).
Hypothesis epsilon_scaled : epsilon h' = epsilon h / c.
Local Notation tensor := (rows (euclidean d) n).
Local Notation T := (real_tensors (euclidean d) (INR d) n).
Local Notation X := (real_elementwise d n).

(** m over c, v over c² *)
Definition scaled_moments (s : moments tensor) : moments tensor :=
  Moments (/ c * first s)%V (/ c^2 * second s)%V (steps s).

Lemma scaled_numbers (f f' : R -> R -> R) a b (e : R) (x y : tensor) :
  (forall u v, f' (a * u) (b * v) = e * f u v) ->
  each_number X f' (a * x : tensor)%V (b * y : tensor)%V = (e * each_number X f x y : tensor)%V.
Proof.
  intros H. apply Vector.eq_nth_iff. intros i j <-. simpl. unfold rows_scale.
  rewrite (Vector.nth_map2 _ _ _ i i i), !(Vector.nth_map _ _ i i), (Vector.nth_map2 _ _ _ i i i) by reflexivity.
  apply Vector.eq_nth_iff. intros k l <-. unfold euclidean. simpl. unfold rows_scale.
  rewrite (Vector.nth_map2 _ _ _ k k k), !(Vector.nth_map _ _ k k), (Vector.nth_map2 _ _ _ k k k) by reflexivity.
  apply H.
Qed.

Lemma average_scaled (e : R) (m x : tensor) (β : R) :
  (β * (e * m) + (1 - β) * (e * x))%V = (e * (β * m + (1 - β) * x))%V.
Proof.
  assert (K : forall (F : space) (m x : F), (β * (e * m) + (1 - β) * (e * x))%V = (e * (β * m + (1 - β) * x))%V)
    by (intros; vector; ring).
  apply (K tensor).
Qed.

Lemma moments_scaled (s : moments tensor) (g : tensor) :
  next_moments X h' (scaled_moments s) (/ c * g : tensor)%V = scaled_moments (next_moments X h s g).
Proof.
  unfold next_moments, scaled_moments. cbn [first second steps]. rewrite same_beta1, same_beta2.
  rewrite (scaled_numbers (num_mul reals) (num_mul reals) (/ c) (/ c) (/ c^2)) by (intros; simpl; field; exact nonzero).
  f_equal; apply average_scaled.
Qed.

Lemma update_scaled (s : moments tensor) (g : tensor) :
  adam_update X h' (scaled_moments s) (/ c * g : tensor)%V = adam_update X h s g.
Proof.
  unfold adam_update, scaled_moments. cbn [first second steps].
  rewrite same_nesterov, same_beta1, same_beta2, same_correction, epsilon_scaled.
  assert (core : forall (scale : R) (m : tensor),
    each_number X (fun m v => m / (sqrt v / scale + epsilon h / c)) (/ c * m : tensor)%V (/ c^2 * second s : tensor)%V =
      each_number X (fun m v => m / (sqrt v / scale + epsilon h)) m (second s)).
  { intros scale m. etransitivity; [apply (scaled_numbers (fun m v => m / (sqrt v / scale + epsilon h)) _ _ _ 1)
      | apply (vscale_one tensor)].
    intros u v. simpl. assert (P : 0 < / (c * (c * 1))) by (apply Rinv_0_lt_compat; nra).
    rewrite sqrt_mult_alt by lra. replace (sqrt (/ (c * (c * 1)))) with (/ c).
    2: { rewrite sqrt_inv. f_equal. rewrite Rmult_1_r. symmetry. apply sqrt_square. lra. }
    replace (/ c * sqrt v / scale + epsilon h / c) with (/ c * (sqrt v / scale + epsilon h)) by (unfold Rdiv; ring).
    unfold Rdiv at 1 3. rewrite Rinv_mult, Rinv_inv. generalize (/ (sqrt v / scale + epsilon h)). intros r. field.
    exact nonzero. }
  specialize (core (if bias_correction h then sqrt (1 - power (K := reals) (beta2 h) (steps s)) else 1)).
  destruct (with_nesterov h); [| exact (core (first s))].
  etransitivity; [| exact (core (beta1 h * first s + (1 - beta1 h) * g)%V)].
  apply (f_equal (fun m : tensor => each_number X _ m _)), average_scaled.
Qed.

Lemma adamp_scaled (w g : tensor) (s : moments tensor) : let after := adamp X h (w, s) g in
  adamp X h' (c * w : tensor, scaled_moments s)%V (/ c * g : tensor)%V =
    (c * fst after : tensor, scaled_moments (snd after))%V.
Proof.
  intros after. unfold after, adamp. cbn [fst snd].
  rewrite (choose_view_scaled (euclidean d) (INR d) n h h' same_delta same_dimension), moments_scaled, update_scaled.
  f_equal. set (m := next_moments X h s g). set (p := adam_update X h m g : tensor).
  replace (adam_decay h' (choose_view (T := T) h w g)) with (adam_decay h (choose_view (T := T) h w g)).
  2: { unfold adam_decay. simpl. rewrite lr_scaled, decay_scaled, same_ratio. field. exact nonzero. }
  assert (K := step_scaled (euclidean d) (INR d) n (choose_view (T := T) h w g)
    (adam_decay h (choose_view (T := T) h w g)) (step_size (T := T) h m) (step_size (T := T) h' (scaled_moments m))
    1 w p).
  rewrite (vscale_one tensor p) in K. apply K. unfold step_size. rewrite same_correction, same_beta1, lr_scaled.
  destruct (bias_correction h); simpl; unfold Rdiv; ring.
Qed.

(** t steps of AdamP down a field *)
Fixpoint adamp_run (h : adam_hyperparameters reals) (field : tensor -> tensor) (s : tensor * moments tensor)
    (t : nat) : tensor * moments tensor :=
  match t with O => s | S t => let s := adamp_run h field s t in adamp X h s (field (fst s)) end.

Theorem trajectory_adamp (field : tensor -> tensor) (w0 : tensor) :
  (forall w, field (c * w)%V = (/ c * field w)%V) -> forall t,
  let s := adamp_run h field (w0, Moments vzero vzero O) t in
  adamp_run h' field ((c * w0)%V, Moments vzero vzero O) t = (c * fst s : tensor, scaled_moments (snd s))%V.
Proof.
  intros homogeneous t. cbv zeta. induction t as [| t IH].
  - cbn [adamp_run fst snd]. unfold scaled_moments. cbn [first second steps].
    assert (Z : forall (F : space) a, vzero = (a * vzero : F)%V) by (intros; vector; ring).
    f_equal. f_equal; apply (Z tensor).
  - cbn [adamp_run]. rewrite IH. cbn [fst]. rewrite homogeneous.
    destruct (adamp_run h field (w0, Moments vzero vzero O) t) as [w s]. apply adamp_scaled.
Qed.

End AdamP.
End Scaled.
