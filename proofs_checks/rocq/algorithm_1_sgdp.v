(** Algorithm 1, SGDP (§3.1), and what it is made of: GD, momentum and Nesterov momentum,
  as theory/algorithms.py has them.

    Written once, over any number system. Over the reals the theorems speak of them; over the rationals they run, and
    kernel/conformance.py compares these runs with those of Python. *)
From Coq Require Import List Vector QArith Qreduction.
From Tangency Require Import inner_product sums euclidean eq_04_orthogonality eq_10_projection.
From Tangency Require Import eq_12_projected_norm_growth lemma_2_2_momentum_norm_growth lemma_2_2_nesterov.
Import ListNotations.
Open Scope R_scope.

(** ** Number systems: operations without laws *)
Record number_system : Type := NumberSystem {
  num :> Type;
  num_zero : num; num_one : num;
  num_add : num -> num -> num; num_sub : num -> num -> num; num_mul : num -> num -> num; num_div : num -> num -> num;
  num_less : num -> num -> bool; num_is_zero : num -> bool
}.

(** Vectors over one: a row of numbers, or a tensor as one row; [vec_size] counts its numbers. *)
Record vectors (K : number_system) : Type := Vectors {
  vec :> Type;
  vec_add : vec -> vec -> vec; vec_sub : vec -> vec -> vec; vec_scale : K -> vec -> vec;
  vec_dot : vec -> vec -> K; vec_size : vec -> K
}.

(** Tensors, with a function of every row and a test of all rows *)
Record tensors (K : number_system) : Type := Tensors {
  row : vectors K; whole :> vectors K;
  each_row : (row -> row -> row) -> whole -> whole -> whole;
  all_rows : (row -> row -> bool) -> whole -> whole -> bool
}.
Arguments row {_}. Arguments whole {_}.

Declare Scope num_scope. Delimit Scope num_scope with num. Bind Scope num_scope with num.
Declare Scope vec_scope. Delimit Scope vec_scope with vec. Bind Scope vec_scope with vec.

(** As they are written *)
Module Operations.
Infix "+" := (num_add _) : num_scope. Infix "-" := (num_sub _) : num_scope.
Infix "*" := (num_mul _) : num_scope. Infix "/" := (num_div _) : num_scope.
Notation "1" := (num_one _) : num_scope. Notation "0" := (num_zero _) : num_scope.
Infix "+" := (vec_add _ _) : vec_scope. Infix "-" := (vec_sub _ _) : vec_scope.
Infix "*" := (vec_scale _ _) : vec_scope.
Notation "x · y" := (vec_dot _ _ x%vec y%vec) (at level 40).
End Operations.

Record hyperparameters (K : number_system) : Type := Hyperparameters {
  lr : K; momentum : K; dampening : K; with_nesterov : bool;
  weight_decay : K; delta : K; wd_ratio : K; one_dimensional : bool
}.
Arguments lr {_}. Arguments momentum {_}. Arguments dampening {_}. Arguments with_nesterov {_}.
Arguments weight_decay {_}. Arguments delta {_}. Arguments wd_ratio {_}. Arguments one_dimensional {_}.

(** ** Gradient descent and momentum; a state is w_t and p_{t−1} *)
Section Momentum.
Import Operations.
Context {K : number_system} {V : vectors K}.
Variable h : hyperparameters K.

(** Eq. 3 *)
Definition gd (s : V * V) (g : V) : V * V := (fst s - lr h * g, snd s)%vec.

(** Eq. 7, with dampening *)
Definition buffer (p g : V) : V := (momentum h * p + (1 - dampening h) * g)%vec.

(** What the step goes along: the buffer, or with Nesterov momentum g + βp *)
Definition update (p g : V) : V := if with_nesterov h then (g + momentum h * buffer p g)%vec else buffer p g.

Definition heavy_ball (s : V * V) (g : V) : V * V := (fst s - lr h * update (snd s) g, buffer (snd s) g)%vec.

(** Eq. 10; Π_0 = identity *)
Definition project_vec (w x : V) : V := if num_is_zero K (w · w) then x else (x - ((w · x) / (w · w))%num * w)%vec.

(** Eq. 11, squared; a row with w = 0 or g = 0 has no angle and counts as cos = 0. *)
Definition passes (w g : V) : bool :=
  if num_is_zero K (delta h) then false
  else if num_is_zero K ((w · w) * (g · g)) then num_less K 0 (delta h)
  else num_less K ((w · g) * (w · g) * vec_size K V w) (delta h * delta h * ((w · w) * (g · g))).

End Momentum.

(** ** Algorithm 1, with the weight decay of E.1 *)
Inductive view : Type := channel | layer | none.

Section SGDP.
Import Operations.
Context {K : number_system} {T : tensors K}.
Variable h : hyperparameters K.

(** The first view all of whose rows pass *)
Definition choose_view (w g : T) : view :=
  if one_dimensional h then none
  else if all_rows K T (passes h) w g then channel
  else if passes (V := T) h w g then layer
  else none.

Definition project_rows (v : view) (w p : T) : T :=
  match v with channel => each_row K T project_vec w p | layer => project_vec w p | none => p end.

(** w ← factor · w − ηq: the decay multiplies the weights before the step. *)
Definition step_along (v : view) (factor η : K) (w p : T) : T := (factor * w - η * project_rows v w p)%vec.

(** 1 − ηλr/(1−β) *)
Definition decay (v : view) : K :=
  if num_is_zero K (weight_decay h) then 1%num
  else (1 - lr h * weight_decay h * match v with none => 1 | _ => wd_ratio h end / (1 - momentum h))%num.

Definition sgdp (s : T * T) (g : T) : T * T :=
  let v := choose_view (fst s) g in
  (step_along v (decay v) (lr h) (fst s) (update h (snd s) g), buffer h (snd s) g).

End SGDP.

(** t steps down a field *)
Fixpoint descend {V : Type} (step : V * V -> V -> V * V) (field : V -> V) (start : V * V) (t : nat) : V * V :=
  match t with O => start | S t => let s := descend step field start t in step s (field (fst s)) end.

(** ** Over the reals *)
Definition reals : number_system :=
  NumberSystem R 0 1 Rplus Rminus Rmult Rdiv (fun a b => if Rlt_dec a b then true else false)
    (fun a => if Req_EM_T a 0 then true else false).

(** A space, of d dimensions *)
Definition real_vectors (E : space) (d : R) : vectors reals := Vectors reals E vadd vsub vscale dot (fun _ => d).

(** n rows of d numbers *)
Definition real_tensors (E : space) (d : R) (n : nat) : tensors reals :=
  Tensors reals (real_vectors E d) (real_vectors (rows E n) (INR n * d)) (fun f x y => Vector.map2 f x y)
    (fun f x y => Vector.fold_right andb (Vector.map2 f x y) true).

Lemma project_vec_is (E : space) d (w x : E) : project_vec (V := real_vectors E d) w x = project w x.
Proof.
  unfold project_vec. simpl. destruct Req_EM_T as [Z | _]; [| reflexivity].
  apply dot_definite in Z. subst w. symmetry. apply eq_10_at_zero.
Qed.

(** A field off 0, with no step at 0: every run down it is one down the field, as long as it is not at 0. *)
Lemma same_run {E : space} (step : E * E -> E -> E * E) (field field' : E -> E) start :
  (forall w, w <> vzero -> field' w = field w) -> (forall t, fst (descend step field' start t) <> vzero) ->
  forall t, descend step field' start t = descend step field start t.
Proof.
  intros same N. induction t as [| t IH]; [reflexivity |]. assert (Nt := N t). rewrite IH in Nt. simpl.
  now rewrite IH, same.
Qed.

Section Runs.
Variables (E : space) (d : R) (f : E -> R) (field : E -> E) (h : hyperparameters reals) (w0 : E).
Hypotheses (invariant : scale_invariant f) (gradients : forall w, w <> vzero -> gradient f w (field w)).
Hypotheses (nonzero : w0 <> vzero) (β_nonneg : 0 <= momentum h).

Let stopped (w : E) : E := if Req_EM_T ‖w‖² 0 then vzero else field w.

Lemma stopped_is w : w <> vzero -> stopped w = field w.
Proof. intros N. unfold stopped. destruct Req_EM_T as [Z | _]; [| reflexivity]. now apply dot_definite in Z. Qed.

Lemma stopped_tangent w : ⟨w, stopped w⟩ = 0.
Proof.
  unfold stopped. destruct Req_EM_T as [Z | N]; [apply dot_zero_r |].
  apply (orthogonality E f invariant), gradients. intros ->. rewrite dot_zero in N. now apply N.
Qed.

Lemma never_zero (w : nat -> E) : w O <> vzero -> (forall t, ‖w t‖² <= ‖w (S t)‖²) -> forall t, w t <> vzero.
Proof.
  intros N G. assert (P : forall t, 0 < ‖w t‖²).
  { induction t as [| t IH]; [now apply dot_positive |]. specialize (G t). lra. }
  intros t. apply positive_nonzero, P.
Qed.

Let step : E * E -> E -> E * E := heavy_ball (V := real_vectors E d) h.
Let at_ t := descend step field (w0, vzero) t.
Let w t := fst (at_ t).
Let g t := field (w t).
Let p t := snd (at_ (S t)).

Lemma start_of field' : snd (descend step field' (w0, vzero) 1) = ((1 - dampening h) * field' w0)%V.
Proof. simpl. unfold buffer. simpl. vector. ring. Qed.

(** The hypotheses of Lemma 2.2: it is a theorem about the algorithm. *)
Theorem heavy_ball_run : with_nesterov h = false ->
  (forall t, w t <> vzero) /\ (forall t, gradient f (w t) (g t)) /\ p O = ((1 - dampening h) * g O)%V /\
  (forall t, p (S t) = (momentum h * p t + (1 - dampening h) * g (S t))%V) /\
  (forall t, w (S t) = (w t - lr h * p t)%V).
Proof.
  intros plain.
  assert (moves : forall field' t, let s := descend step field' (w0, vzero) in
    fst (s (S t)) = (fst (s t) - lr h * snd (s (S t)))%V).
  { intros. simpl. unfold update. now rewrite plain. }
  assert (N : forall t, fst (descend step stopped (w0, vzero) t) <> vzero).
  { apply never_zero; [exact nonzero |]. intros t.
    eapply Rle_trans; [| apply (never_shrinks E (lr h) (momentum h) (dampening h)
      (fun t => fst (descend step stopped (w0, vzero) t)) (fun t => stopped (fst (descend step stopped (w0, vzero) t)))
      (fun t => snd (descend step stopped (w0, vzero) (S t))))]; auto.
    - assert (S0 := square_nonneg (lr h)). assert (P := dot_nonneg E (snd (descend step stopped (w0, vzero) (S t)))).
      nra.
    - intros. apply stopped_tangent.
    - apply start_of. }
  assert (same := same_run step field stopped (w0, vzero) stopped_is N).
  assert (Nw : forall t, w t <> vzero) by (intros t; unfold w, at_; rewrite <- same; apply N).
  repeat split; [exact Nw | intros; apply gradients, Nw | apply start_of | intros; apply moves].
Qed.

Let u t : E := update (V := real_vectors E d) h (snd (at_ t)) (g t).

Theorem nesterov_run : with_nesterov h = true -> momentum h <= 1 -> dampening h < 1 ->
  (forall t, w t <> vzero) /\ (forall t, gradient f (w t) (g t)) /\ p O = ((1 - dampening h) * g O)%V /\
  (forall t, p (S t) = (momentum h * p t + (1 - dampening h) * g (S t))%V) /\
  (forall t, u t = (g t + momentum h * p t)%V) /\ (forall t, w (S t) = (w t - lr h * u t)%V).
Proof.
  intros ahead β_at_most_1 τ_below_1.
  assert (looks : forall (b x : E), update (V := real_vectors E d) h b x =
    (x + momentum h * buffer (V := real_vectors E d) h b x)%V) by (intros; unfold update; now rewrite ahead).
  assert (N : forall t, fst (descend step stopped (w0, vzero) t) <> vzero).
  { apply never_zero; [exact nonzero |]. intros t. set (s := descend step stopped (w0, vzero)).
    set (v := fun t => update (V := real_vectors E d) h (snd (s t)) (stopped (fst (s t))) : E).
    eapply Rle_trans; [| apply (nesterov_never_shrinks E (lr h) (momentum h) (dampening h)
      (fun t => fst (s t)) (fun t => stopped (fst (s t))) (fun t => snd (s (S t))) v)]; auto.
    - assert (S0 := square_nonneg (lr h)). assert (P := dot_nonneg E (v t)). nra.
    - intros. apply stopped_tangent.
    - apply start_of.
    - intros. apply looks. }
  assert (same := same_run step field stopped (w0, vzero) stopped_is N).
  assert (Nw : forall t, w t <> vzero) by (intros t; unfold w, at_; rewrite <- same; apply N).
  repeat split; [exact Nw | intros; apply gradients, Nw | apply start_of | intros; apply looks].
Qed.

End Runs.

(** ** What a step of SGDP computes *)
Lemma nth_replace {A : Type} {n} (i : Fin.t n) (a : A) : forall x : Vector.t A n,
  Vector.nth (Vector.replace x i a) i = a.
Proof. induction i as [m | m i IH]; intros x; apply (Vector.caseS' x); intros; [reflexivity | apply IH]. Qed.

Lemma nth_replace_other {A : Type} {n} (i : Fin.t n) (a : A) : forall (x : Vector.t A n) j,
  j <> i -> Vector.nth (Vector.replace x i a) j = Vector.nth x j.
Proof.
  induction i as [m | m i IH]; intros x j; apply (Vector.caseS' x); intros b y; apply (Fin.caseS' j); auto.
  - now intros [].
  - intros k N. apply IH. now intros ->.
Qed.

Lemma passes_iff (E : space) (d : R) (h : hyperparameters reals) (w g : E) :
  0 <= d -> w <> vzero -> g <> vzero ->
  (passes (V := real_vectors E d) h w g = true <-> ⟨w, g⟩^2 * d < delta h ^ 2 * (‖w‖² * ‖g‖²)).
Proof.
  intros D W G. assert (P := Rmult_lt_0_compat _ _ (dot_positive E w W) (dot_positive E g G)). unfold passes. simpl.
  rewrite !Rmult_1_r. destruct Req_EM_T as [Z | _].
  - split; [discriminate |]. rewrite Z. intros L. exfalso.
    assert (0 <= ⟨w, g⟩ * ⟨w, g⟩ * d) by (apply Rmult_le_pos; [apply Rle_0_sqr | exact D]). lra.
  - destruct Req_EM_T as [Z | _]; [lra |]. destruct Rlt_dec as [L | L]; split; intros K; auto; discriminate.
Qed.

(** Eq. 11 finds the weights of a scale-invariant function, whose gradients are tangent. *)
Lemma tangent_passes (E : space) (d : R) (h : hyperparameters reals) (w g : E) :
  ⟨w, g⟩ = 0 -> 0 < delta h -> passes (V := real_vectors E d) h w g = true.
Proof.
  intros T D. unfold passes. simpl. destruct Req_EM_T; [lra |].
  destruct Req_EM_T as [_ | N]; (destruct Rlt_dec as [_ | L]; [reflexivity |]; destruct L); [exact D |].
  rewrite T, !Rmult_0_l. apply Rmult_lt_0_compat; [now apply Rmult_lt_0_compat |].
  assert (P := Rmult_le_pos _ _ (dot_nonneg E w) (dot_nonneg E g)). lra.
Qed.

Section Step.
Variables (E : space) (d : R) (n : nat) (h : hyperparameters reals).
Local Notation T := (real_tensors E d n).
Local Notation "x [ i ]" := (Vector.nth x i) (at level 1, format "x [ i ]").

Lemma nth_minus (a c : R) (x y : rows E n) i : (a * x - c * y)%V[i] = (a * x[i] - c * y[i])%V.
Proof.
  unfold vsub. simpl. unfold rows_add, rows_scale.
  rewrite (Vector.nth_map2 _ _ _ i i i), !(Vector.nth_map _ _ i i); auto.
Qed.

Lemma decay_is v :
  decay h v = 1 - lr h * weight_decay h * match v with none => 1 | _ => wd_ratio h end / (1 - momentum h).
Proof.
  unfold decay. simpl. destruct Req_EM_T as [Z | _]; [| reflexivity]. rewrite Z. unfold Rdiv. ring.
Qed.

Lemma no_decay v : weight_decay h = 0 -> decay h v = 1.
Proof.
  intros Z. assert (one : forall r x : R, 1 - lr h * 0 * r / x = 1) by (intros; unfold Rdiv; ring).
  rewrite decay_is, Z. apply one.
Qed.

(** A step, row by row or of the layer as one row *)
Lemma step_along_is (v : view) (factor η : R) (w p : rows E n) :
  let w' := step_along (T := T) v factor η w p : rows E n in
  (v = channel -> forall i,
    w'[i] = (factor * w[i] - η * project w[i] p[i])%V) /\
  (v = layer -> w' = (factor * w - η * project w p)%V) /\ (v = none -> w' = (factor * w - η * p)%V).
Proof.
  intros w'. change w' with (factor * w - η * (project_rows (T := T) v w p : rows E n))%V.
  repeat split; intros ->.
  - intros i. rewrite nth_minus. do 2 f_equal. simpl. rewrite (Vector.nth_map2 _ _ _ i i i) by reflexivity.
    apply project_vec_is.
  - do 2 f_equal. apply (project_vec_is (rows E n)).
  - reflexivity.
Qed.

(** Without weight decay a projected step is one of Eq. 12. *)
Lemma step_along_is_eq_12 (v : view) (η : R) (w p : rows E n) :
  let w' := step_along (T := T) v 1 η w p : rows E n in
  (v = channel -> forall i,
    ‖w'[i]‖² = ‖w[i]‖² + η^2 * ‖project w[i] p[i]‖² /\
    ‖w'[i]‖² <= ‖w[i]‖² + η^2 * ‖p[i]‖²) /\
  (v = layer -> ‖w'‖² = ‖w‖² + η^2 * ‖project w p‖² /\ ‖w'‖² <= ‖w‖² + η^2 * ‖p‖²).
Proof.
  intros w'. destruct (step_along_is v 1 η w p) as [C [L _]]. fold w' in C, L.
  assert (one : forall (F : space) (x y z : F), z = (1 * x - η * project x y)%V ->
    ‖z‖² = ‖x‖² + η^2 * ‖project x y‖² /\ ‖z‖² <= ‖x‖² + η^2 * ‖y‖²).
  { intros F x y z ->. rewrite vscale_one. destruct (eq_12 F η x y _ _ eq_refl eq_refl) as [A [B _]]. now split. }
  split; [intros c i; apply one, C, c | intros l; apply one, L, l].
Qed.

(** Algorithm 1, its lines *)
Theorem algorithm_1 (w b g p w' b' : rows E n) (v : view) :
  p = update (V := T) h b g -> v = choose_view (T := T) h w g -> (w', b') = sgdp (T := T) h (w, b) g ->
  b' = (momentum h * b + (1 - dampening h) * g)%V /\
  (v = channel -> forall i,
    w'[i] = ((1 - lr h * weight_decay h * wd_ratio h / (1 - momentum h)) * w[i] - lr h * project w[i] p[i])%V) /\
  (v = layer -> w' = ((1 - lr h * weight_decay h * wd_ratio h / (1 - momentum h)) * w - lr h * project w p)%V) /\
  (v = none -> w' = ((1 - lr h * weight_decay h / (1 - momentum h)) * w - lr h * p)%V).
Proof.
  intros -> V St. unfold sgdp in St. cbn [fst snd] in St. rewrite <- V, decay_is in St. injection St as -> ->.
  split; [reflexivity |].
  assert (K := step_along_is v). clear V. destruct v; rewrite ?Rmult_1_r; split; [| split | | split | | split];
    intros V; try discriminate; now apply K.
Qed.

Theorem sgdp_is_eq_12 (w b g p w' b' : rows E n) (v : view) :
  p = update (V := T) h b g -> v = choose_view (T := T) h w g -> (w', b') = sgdp (T := T) h (w, b) g ->
  weight_decay h = 0 ->
  (v = channel -> forall i,
    ‖w'[i]‖² = ‖w[i]‖² + lr h ^ 2 * ‖project w[i] p[i]‖² /\
    ‖w'[i]‖² <= ‖w[i]‖² + lr h ^ 2 * ‖p[i]‖²) /\
  (v = layer -> ‖w'‖² = ‖w‖² + lr h ^ 2 * ‖project w p‖² /\ ‖w'‖² <= ‖w‖² + lr h ^ 2 * ‖p‖²).
Proof.
  intros -> V St Z. unfold sgdp in St. cbn [fst snd] in St. rewrite <- V in St. injection St as -> _.
  rewrite no_decay by exact Z. apply step_along_is_eq_12.
Qed.

(** A step that is not projected is one of momentum. *)
Theorem sgdp_is_momentum (w b g : rows E n) :
  choose_view (T := T) h w g = none -> weight_decay h = 0 -> sgdp (T := T) h (w, b) g = heavy_ball (V := T) h (w, b) g.
Proof.
  intros V Z. unfold sgdp, heavy_ball. cbn [fst snd]. rewrite V, no_decay by exact Z.
  apply (f_equal (fun x => (x, _))). destruct (step_along_is none 1 (lr h) w (update (V := T) h b g)) as [_ [_ U]].
  rewrite (U eq_refl), vscale_one. reflexivity.
Qed.

(** On tangent gradients SGDP without momentum is GD, whatever it projects. *)
Theorem sgdp_is_gd (w b g : rows E n) : (forall i, ⟨w[i], g[i]⟩ = 0) ->
  momentum h = 0 -> dampening h = 0 -> weight_decay h = 0 ->
  fst (sgdp (T := T) h (w, b) g) = fst (gd (V := T) h (w, b) g).
Proof.
  intros O B D Z. assert (U : update (V := T) h b g = g).
  { assert (K : forall x y : rows E n, (0 * x + (1 - 0) * y)%V = y) by (intros; vector; ring).
    assert (M : forall x y : rows E n, (x + 0 * y)%V = x) by (intros; vector; ring).
    unfold update, buffer. rewrite B, D. destruct with_nesterov; [exact (M _ _) | exact (K _ _)]. }
  assert (whole_tangent : ⟨w, g⟩ = 0).
  { simpl. unfold rows_dot. replace (Vector.map2 dot w g) with (Vector.const 0 n).
    - clear. induction n as [| m IH]; simpl; [reflexivity | rewrite IH; ring].
    - apply Vector.eq_nth_iff. intros i j <-. now rewrite Vector.const_nth, (Vector.nth_map2 _ _ _ i i i), O. }
  assert (Q : forall v, project_rows (T := T) v w g = g).
  { intros [| |]; [| | reflexivity]; simpl.
    - apply Vector.eq_nth_iff. intros i j <-. rewrite (Vector.nth_map2 _ _ _ i i i), project_vec_is by reflexivity.
      apply keeps_tangent, O.
    - rewrite (project_vec_is (rows E n)). exact (keeps_tangent (rows E n) w g whole_tangent). }
  unfold sgdp, gd, step_along. cbn [fst snd]. rewrite U, Q, no_decay by exact Z.
  exact (f_equal (fun x : rows E n => (x - lr h * g)%V) (vscale_one (rows E n) w)).
Qed.

(** A function that ignores the length of row i has a gradient that is tangent in row i … *)
Lemma row_tangent (f : rows E n -> R) (w g : rows E n) i :
  (forall c w, 0 < c -> f (Vector.replace w i (c * w[i])%V) = f w) -> gradient f w g -> ⟨w[i], g[i]⟩ = 0.
Proof.
  intros I G. apply (orthogonality E (fun x => f (Vector.replace w i x))).
  - intros c x C. rewrite <- (I c (Vector.replace w i x) C). f_equal.
    now rewrite Vector.replace_replace_eq, nth_replace.
  - intros v. set (e := Vector.replace (rows_zero E n) i v : rows E n).
    assert (along : forall s, f (w + s * e)%V = f (Vector.replace w i (w[i] + s * v)%V)).
    { intros s. f_equal. apply Vector.eq_nth_iff. intros j k <-. unfold e. simpl. unfold rows_add, rows_scale.
      rewrite (Vector.nth_map2 _ _ _ j j j), (Vector.nth_map _ _ j j) by reflexivity.
      destruct (Fin.eq_dec j i) as [-> | N]; [now rewrite !nth_replace |].
      rewrite !nth_replace_other by exact N. unfold rows_zero. rewrite Vector.const_nth. vector. ring. }
    assert (product : ⟨g, e⟩ = ⟨g[i], v⟩).
    { unfold e. simpl. unfold rows_dot, rows_zero. clear. revert i. induction g as [| x m g IH]; intros i.
      - now apply Fin.case0.
      - assert (nothing : Vector.fold_right Rplus (Vector.map2 dot g (Vector.const vzero m)) 0 = 0).
        { clear. induction g as [| x m g IH]; simpl; [reflexivity | rewrite IH, dot_zero_r; ring]. }
        apply (Fin.caseS' i); [simpl; rewrite nothing; ring |]. intros j. simpl. rewrite IH, dot_zero_r. ring. }
    rewrite <- product. apply derivative_ext with (1 := along), G.
Qed.

(** … so that SGDP finds every row of it, and projects it. *)
Theorem sgdp_projects (f : rows E n -> R) (w g : rows E n) :
  (forall i c w, 0 < c -> f (Vector.replace w i (c * w[i])%V) = f w) -> gradient f w g ->
  0 < delta h -> one_dimensional h = false -> choose_view (T := T) h w g = channel.
Proof.
  intros I G D M. assert (O : forall i, ⟨w[i], g[i]⟩ = 0) by exact (fun i => row_tangent f w g i (I i) G).
  assert (all : all_rows reals T (passes (V := row T) h) w g = true).
  { transitivity (Vector.fold_right andb (Vector.const true n) true).
    - apply (f_equal (fun v => Vector.fold_right andb v true)), Vector.eq_nth_iff. intros i j <-.
      rewrite Vector.const_nth, (Vector.nth_map2 _ _ _ i i i) by reflexivity. now apply tangent_passes.
    - clear. induction n as [| m IH]; simpl; [reflexivity | exact IH]. }
  unfold choose_view. now rewrite M, all.
Qed.

End Step.

(** ** Over the rationals *)
Definition rationals : number_system :=
  NumberSystem Q 0%Q 1%Q (fun a b => Qred (a + b)) (fun a b => Qred (a - b)) (fun a b => Qred (a * b))
    (fun a b => Qred (a / b)) (fun a b => negb (Qle_bool b a)) (fun a => Qeq_bool a 0).

(** f of the elements of two lists, pairwise *)
Fixpoint pairwise {A B : Type} (f : A -> A -> B) (x y : list A) : list B :=
  match x, y with a :: x, b :: y => f a b :: pairwise f x y | _, _ => [] end.

Definition total (x : list rationals) : rationals := List.fold_right (num_add rationals) (num_zero _) x.

Definition rational_vectors : vectors rationals :=
  Vectors rationals (list rationals) (pairwise (num_add _)) (pairwise (num_sub _)) (fun a => List.map (num_mul _ a))
    (fun x y => total (pairwise (num_mul _) x y)) (fun x => inject_Z (Z.of_nat (List.length x))).

Definition rational_tensors : tensors rationals :=
  Tensors rationals rational_vectors
    (let V := rational_vectors in
     Vectors rationals (list V) (pairwise (vec_add _ V)) (pairwise (vec_sub _ V)) (fun a => List.map (vec_scale _ V a))
       (fun x y => total (pairwise (vec_dot _ V) x y)) (fun x => total (List.map (vec_size _ V) x)))
    (fun f => pairwise f) (fun f x y => forallb (fun b => b) (pairwise f x y)).
