(** What Proposition 3.1 needs; and that Adam can turn w less with the projection than without. *)
From Tangency Require Import eq_10_projection small_spaces.

(** ** The angle from a vector to itself, and from 0. *)
Lemma angle_self (E : space) (w : E) : w <> vzero -> angle w w = 0.
Proof. intros N. unfold angle. rewrite unit_square by exact N. apply acos_1. Qed.

Lemma angle_from_0 (E : space) (w : E) : angle vzero w = PI / 2.
Proof. unfold angle, unit. rewrite dot_scale, dot_zero, Rmult_0_r. apply acos_0. Qed.

Lemma no_step (E : space) (w q : E) : (w - 0 * q)%V = w.
Proof. vector. ring. Qed.

(** From 0 every angle is acos 0, a right one. *)
Theorem proposition_3_1_needs_nonzero : ~ (forall (E : space) (η : R) (w p wp wo v : E),
  project w p <> vzero -> 0 < η -> wp = (w - η * project w p)%V -> wo = (w - η * p)%V ->
  v = (- (1) * unit (project w p))%V ->
  unit wp = geodesic (unit w) v (angle w wp) /\ unit wo = geodesic (unit w) v (angle w wo) /\ 0 < angle w wp /\
  angle w wp < PI / 2 /\ 0 < angle w wo /\ angle w wo < PI /\ tan (angle w wp) = η * norm (project w p) / norm w /\
  (norm w - η * ⟨unit w, p⟩) * sin (angle w wo) = η * norm (project w p) * cos (angle w wo) /\
  (⟨w, p⟩ <= 0 -> angle w wo <= angle w wp) /\ (0 <= ⟨w, p⟩ -> angle w wp <= angle w wo)).
Proof.
  intros H. assert (N : project (0 : line) 1 <> vzero) by (rewrite (eq_10_at_zero line); apply R1_neq_R0).
  destruct (H line 1 0 1 _ _ _ N Rlt_0_1 eq_refl eq_refl eq_refl) as [_ [_ [_ [C _]]]].
  rewrite (angle_from_0 line) in C. lra.
Qed.

(** A step along w does not turn it. *)
Theorem proposition_3_1_needs_turning : ~ (forall (E : space) (η : R) (w p wp wo v : E),
  w <> vzero -> 0 < η -> wp = (w - η * project w p)%V -> wo = (w - η * p)%V -> v = (- (1) * unit (project w p))%V ->
  unit wp = geodesic (unit w) v (angle w wp) /\ unit wo = geodesic (unit w) v (angle w wo) /\ 0 < angle w wp /\
  angle w wp < PI / 2 /\ 0 < angle w wo /\ angle w wo < PI /\ tan (angle w wp) = η * norm (project w p) / norm w /\
  (norm w - η * ⟨unit w, p⟩) * sin (angle w wo) = η * norm (project w p) * cos (angle w wo) /\
  (⟨w, p⟩ <= 0 -> angle w wo <= angle w wp) /\ (0 <= ⟨w, p⟩ -> angle w wp <= angle w wo)).
Proof.
  intros H. destruct (H line 1 1 0 _ _ _ R1_neq_R0 Rlt_0_1 eq_refl eq_refl eq_refl) as [_ [_ [C _]]].
  assert (Z : ((1 : line) - 1 * project (1 : line) 0)%V = 1) by (unfold project; cbn; field).
  rewrite Z, (angle_self line) in C by apply R1_neq_R0. lra.
Qed.

Theorem proposition_3_1_needs_η_positive : ~ (forall (E : space) (η : R) (w p wp wo v : E),
  w <> vzero -> project w p <> vzero -> wp = (w - η * project w p)%V -> wo = (w - η * p)%V ->
  v = (- (1) * unit (project w p))%V ->
  unit wp = geodesic (unit w) v (angle w wp) /\ unit wo = geodesic (unit w) v (angle w wo) /\ 0 < angle w wp /\
  angle w wp < PI / 2 /\ 0 < angle w wo /\ angle w wo < PI /\ tan (angle w wp) = η * norm (project w p) / norm w /\
  (norm w - η * ⟨unit w, p⟩) * sin (angle w wo) = η * norm (project w p) * cos (angle w wo) /\
  (⟨w, p⟩ <= 0 -> angle w wo <= angle w wp) /\ (0 <= ⟨w, p⟩ -> angle w wp <= angle w wo)).
Proof.
  intros H. assert (N : ((1, 0) : plane) <> vzero) by (intros Z; apply (f_equal fst) in Z; cbn in Z; lra).
  assert (T : project ((1, 0) : plane) (0, 1) <> vzero) by (intros Z; apply (f_equal snd) in Z; cbn in Z; lra).
  destruct (H plane 0 _ _ _ _ _ N T eq_refl eq_refl eq_refl) as [_ [_ [C _]]].
  rewrite no_step, angle_self in C by exact N. lra.
Qed.

(** ** As printed, w may be 0: then both points are the same. *)
Theorem proposition_3_1_as_printed_everywhere : forall (E : space) (η : R) (w p wp wo : E),
  wp = (w - η * project w p)%V -> wo = (w - η * p)%V ->
  (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V).
Proof.
  intros E η w p wp wo P O.
  assert (K : wp = ((η * (⟨w, p⟩ / ‖w‖²)) * w + wo)%V)
    by (rewrite P, O; vector; unfold project; gram; unfold Rdiv; ring).
  exists (/ norm wp * (η * (⟨w, p⟩ / ‖w‖²) * norm w)), (/ norm wp * norm wo). split.
  - apply Rmult_le_pos; [| apply norm_nonneg]. destruct (norm_nonneg E wp) as [Q | <-].
    + now apply Rlt_le, Rinv_0_lt_compat.
    + rewrite Rinv_0. lra.
  - assert (L : unit wp = (/ norm wp * ((η * (⟨w, p⟩ / ‖w‖²)) * (norm w * unit w) + norm wo * unit wo))%V).
    { rewrite !norm_times_unit. unfold unit. f_equal. exact K. }
    rewrite L, vadd_scale, !vscale_mul. f_equal. f_equal. ring.
Qed.

(** Another point is not in the plane of w and w - ηp … *)
Theorem proposition_3_1_as_printed_needs_projected : ~ (forall (E : space) (η : R) (w p wp wo : E),
  wo = (w - η * p)%V -> (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V)).
Proof.
  intros H. destruct (H plane 1 (1, 0) (0, 0) (0, 1) _ eq_refl) as [a [b [_ C]]].
  apply (f_equal snd) in C. unfold unit in C. cbn in C. assert (P : 0 < norm ((0, 1) : plane)).
  { apply norm_positive. intros Z. apply (f_equal snd) in Z. cbn in Z. lra. }
  assert (Q := Rinv_0_lt_compat _ P). lra.
Qed.

(** … nor are the projected points in any other. *)
Theorem proposition_3_1_as_printed_needs_original : ~ (forall (E : space) (η : R) (w p wp wo : E),
  wp = (w - η * project w p)%V -> (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V)).
Proof.
  intros H. destruct (H plane 1 (1, 0) (0, 1) _ (1, 0) eq_refl) as [a [b [_ C]]].
  apply (f_equal snd) in C. unfold unit in C. cbn in C. set (y := (_, _)) in C. assert (P : 0 < norm (y : plane)).
  { apply norm_positive. intros Z. apply (f_equal snd) in Z. cbn in Z. lra. }
  assert (Q := Rinv_0_lt_compat _ P). lra.
Qed.

(** f = ‖w‖²/2. *)
Theorem proposition_3_1_momentum_needs_scale_invariant :
  ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) -> 0 <= η ->
  0 <= β -> (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. assert (C : 1 * 1 <= 0); [| lra].
  refine (H line (fun x => ‖x‖² / 2) 1 0 0 first first first _ _ _ _ _ _ O); finish.
Qed.

Theorem proposition_3_1_momentum_needs_gradients : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> p O = ((1 - τ) * g O)%V -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η * p t)%V) -> 0 <= η -> 0 <= β -> (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. assert (C : 1 * 1 <= 0); [| lra].
  refine (H line (fun _ => 0) 1 0 0 first first first _ _ _ _ _ _ O); finish.
Qed.

Theorem proposition_3_1_momentum_needs_zero_start : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η * p t)%V) -> 0 <= η -> 0 <= β -> (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. assert (C : 1 * 1 <= 0); [| lra].
  refine (H line (fun _ => 0) 1 0 0 first never first _ _ _ _ _ _ O); finish.
Qed.

Theorem proposition_3_1_momentum_needs_momentum : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, w (S t) = (w t - η * p t)%V) -> 0 <= η -> 0 <= β -> (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. assert (C : (0 + 1) * 1 <= 0); [| lra].
  refine (H line (fun _ => 0) 1 0 0 (fun t => first t + second t) never second _ _ _ _ _ _ 1%nat); finish.
Qed.

(** Weights that jump to the wrong side. *)
Theorem proposition_3_1_momentum_needs_update : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> 0 <= η -> 0 <= β -> (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. assert (C := H plane corner 1 1 0 (pushed (fun t => 2 * first t - 2)) push (fun _ => (-1, 1))).
  specialize (C corner_invariant).
  specialize (C (pushed_gradient (fun t => 2 * first t - 2) ltac:(cbn; lra) ltac:(intros t; cbn; lra))).
  specialize (C ltac:(cbn; f_equal; ring)).
  specialize (C ltac:(intros t; cbn; f_equal; ring)).
  specialize (C Rle_0_1 Rle_0_1 1%nat). cbn in C. lra.
Qed.

Theorem proposition_3_1_momentum_needs_η_nonneg : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) -> 0 <= β ->
  (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. assert (away : forall t, 1 < -2 * INR (S t) \/ -2 * INR (S t) < -1).
  { intros t. rewrite S_INR. assert (P := pos_INR t). lra. }
  assert (C := H plane corner (-2) 1 0 (pushed (fun t => -2 * INR t)) push (fun _ => (-1, 1))).
  specialize (C corner_invariant).
  specialize (C (pushed_gradient (fun t => -2 * INR t) ltac:(cbn; lra) away)).
  specialize (C ltac:(cbn; f_equal; ring)).
  specialize (C ltac:(intros t; cbn; f_equal; ring) ltac:(intros t; unfold pushed; rewrite S_INR; cbn; f_equal; ring)).
  specialize (C Rle_0_1 1%nat). cbn in C. lra.
Qed.

Theorem proposition_3_1_momentum_needs_β_nonneg : ~ (forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) -> 0 <= η ->
  (forall t, ⟨w t, p t⟩ <= 0)).
Proof.
  intros H. set (way t := 8 / 3 * (1 - (- / 2)^t)).
  assert (away : forall t, 1 < way (S t) \/ way (S t) < -1).
  { assert (K : forall t, - / 2 <= (- / 2)^(S t) <= / 2) by (induction t; cbn in *; lra).
    intros t. specialize (K t). unfold way. lra. }
  assert (C := H plane corner 4 (- / 2) 0 (pushed way) push (fun t => ((- / 2)^t * ((-1, 1) : plane))%V)).
  specialize (C corner_invariant).
  specialize (C (pushed_gradient way ltac:(unfold way; cbn; lra) away)).
  specialize (C ltac:(cbn; f_equal; ring)).
  specialize (C ltac:(intros t; cbn; f_equal; ring) ltac:(intros t; unfold pushed, way; cbn; f_equal; field)).
  specialize (C ltac:(lra) 1%nat). unfold pushed, way in C. cbn in C. lra.
Qed.

(** ** The step overshoots, also from w = 0. *)
Theorem proposition_3_1_overshoot_everywhere : forall (E : space) (η : R) (w p wo : E),
  wo = (w - η * p)%V -> (⟨w, wo⟩ <= 0 <-> norm w <= η * ⟨unit w, p⟩).
Proof.
  intros E η w p wo ->. assert (N := norm_nonneg E w). assert (S := norm_square E w).
  unfold unit. rewrite dot_scale, dot_sub_r, dot_scale_r, <- S. destruct (Rle_lt_or_eq_dec _ _ N) as [P | Z].
  - set (n := norm w) in *. replace (n * n - η * ⟨w, p⟩) with (n * (n - η * (/ n * ⟨w, p⟩))) by (field; lra).
    split; intros K; nra.
  - rewrite <- Z in *. assert (V : w = vzero) by (apply dot_definite; lra). rewrite V, dot_zero. split; intros _; lra.
Qed.

Theorem proposition_3_1_overshoot_needs_original : ~ (forall (E : space) (η : R) (w p wo : E),
  (⟨w, wo⟩ <= 0 <-> norm w <= η * ⟨unit w, p⟩)).
Proof.
  intros H. destruct (H line 0 1 1 (-1)) as [C _]. cbn in C. specialize (C ltac:(lra)).
  rewrite line_norm in C; lra.
Qed.

(** ** The first step of Adam with β_1 = 1/2 on a g at right angles to w: p = g/(2|g| + 2ε), element by element. *)
Lemma cosine_square (E : space) (x y : E) : ⟨unit x, unit y⟩^2 = ⟨x, y⟩^2 / (‖x‖² * ‖y‖²).
Proof. unfold unit. gram. rewrite <- !norm_square. unfold Rdiv. rewrite !Rinv_mult. ring. Qed.

Lemma larger_angle (E : space) (x y z : E) :
  0 <= ⟨unit x, unit y⟩ -> 0 <= ⟨unit x, unit z⟩ -> ⟨unit x, unit z⟩^2 < ⟨unit x, unit y⟩^2 ->
  ⟨unit x, unit y⟩^2 <= 1 ->
  angle x y < angle x z.
Proof.
  intros Y Z L B. unfold angle. set (a := ⟨unit x, unit y⟩) in *. set (b := ⟨unit x, unit z⟩) in *.
  assert (b < a) by nra. assert (a <= 1) by nra. apply cos_decreasing_0; try apply acos_bound. rewrite !cos_acos; lra.
Qed.

Theorem proposition_3_1_adam_turns_less : exists (w g p wp wo : plane) (η ε : R),
  0 < η /\ 0 < ε /\ ⟨w, g⟩ = 0 /\
  p = (fst g / (2 * Rabs (fst g) + 2 * ε), snd g / (2 * Rabs (snd g) + 2 * ε)) /\
  wp = (w - η * project w p)%V /\ wo = (w - η * p)%V /\ angle w wp < angle w wo.
Proof.
  exists (2, 1), (1, -2), (/ 3, - 2 / 5), (283 / 150, 184 / 150), (11 / 6, 6 / 5), (/ 2), (/ 2).
  split; [lra |]. split; [lra |]. split; [cbn; ring |].
  split; [cbn; rewrite Rabs_R1, (Rabs_left (-2)) by lra; f_equal; field |].
  split; [unfold project; cbn; f_equal; field |]. split; [unfold project; cbn; f_equal; field |].
  assert (pos : forall x y : plane, 0 <= ⟨x, y⟩ -> 0 <= ⟨unit x, unit y⟩).
  { intros x y H. unfold unit. rewrite dot_scale, dot_scale_r. assert (I : forall r, 0 <= r -> 0 <= / r).
    { intros r [R | <-]; [now apply Rlt_le, Rinv_0_lt_compat | rewrite Rinv_0; lra]. }
    repeat apply Rmult_le_pos; auto using norm_nonneg. }
  apply larger_angle; [apply pos; cbn; lra | apply pos; cbn; lra | |]; rewrite ?cosine_square; cbn; lra.
Qed.
