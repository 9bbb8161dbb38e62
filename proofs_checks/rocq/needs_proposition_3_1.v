(** What Proposition 3.1 needs. *)
From Tangency Require Import eq_10_projection proposition_3_1_geodesic small_spaces.

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
  intros H. assert (N := axis_nonzero).
  assert (T : project ((1, 0) : plane) (0, 1) <> vzero) by (intros Z; apply (f_equal snd) in Z; cbn in Z; lra).
  destruct (H plane 0 _ _ _ _ _ N T eq_refl eq_refl eq_refl) as [_ [_ [C _]]].
  rewrite no_step, angle_self in C by exact N. lra.
Qed.

(** ** As printed, w may be 0: then both points are the same. *)
Theorem proposition_3_1_as_printed_everywhere : forall (E : space) (η : R) (w p wp wo : E),
  wp = (w - η * project w p)%V -> wo = (w - η * p)%V ->
  (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V).
Proof.
  intros E η w p wp wo P O. destruct (zero_or_not E w) as [-> | N];
    [| now apply (proposition_3_1_as_printed E η w p)].
  exists 0, 1. split; [lra |]. rewrite P, O, eq_10_at_zero. vector. ring.
Qed.

(** Another point is not in the plane of w and w - ηp … *)
Theorem proposition_3_1_as_printed_needs_projected : ~ (forall (E : space) (η : R) (w p wp wo : E),
  w <> vzero -> wo = (w - η * p)%V -> (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V)).
Proof.
  intros H. destruct (H plane 1 (1, 0) (0, 0) (0, 1) _ axis_nonzero eq_refl) as [a [b [_ C]]].
  apply (f_equal snd) in C. unfold unit in C. cbn in C. assert (P : 0 < norm ((0, 1) : plane)).
  { apply norm_positive. intros Z. apply (f_equal snd) in Z. cbn in Z. lra. }
  assert (Q := Rinv_0_lt_compat _ P). lra.
Qed.

(** … nor are the projected points in any other. *)
Theorem proposition_3_1_as_printed_needs_original : ~ (forall (E : space) (η : R) (w p wp wo : E),
  w <> vzero -> wp = (w - η * project w p)%V -> (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V)).
Proof.
  intros H. destruct (H plane 1 (1, 0) (0, 1) _ (1, 0) axis_nonzero eq_refl) as [a [b [_ C]]].
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
  intros E η w p wo O. destruct (zero_or_not E w) as [-> | N]; [| now apply proposition_3_1_overshoot].
  unfold unit, norm. rewrite dot_scale, !dot_zero, sqrt_0. split; intros _; lra.
Qed.

Theorem proposition_3_1_overshoot_needs_original : ~ (forall (E : space) (η : R) (w p wo : E),
  w <> vzero -> (⟨w, wo⟩ <= 0 <-> norm w <= η * ⟨unit w, p⟩)).
Proof.
  intros H. destruct (H line 0 1 1 (-1) R1_neq_R0) as [C _]. cbn in C. specialize (C ltac:(lra)).
  rewrite line_norm in C; lra.
Qed.
