(** What Corollary 2.3 needs. For the vanishing share see corollary_2_3_geometric and corollary_2_3_bursts. *)
From Tangency Require Import eq_04_orthogonality small_spaces.

(** η ≠ 0 follows from the others: without steps the buffer grows, and the gradient, which has its norm, does not. *)
Theorem corollary_2_3_η_nonzero : forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) -> (exists k, 0 < ‖p k‖²) -> η <> 0.
Proof.
  intros E E' f f' η β τ w g p w' p' _ grad start buffer step _ grad' step' B0 B1 same [k K] ->.
  assert (still : forall (F : space) (x q : F), (x - 0 * q)%V = x) by (intros; vector; ring).
  assert (W : forall t, w t = w O) by (induction t as [| t IH]; [reflexivity |]; now rewrite step, still).
  assert (G : forall t, g t = g O) by (intros t; apply (gradient_unique E f (w O)); [rewrite <- (W t) |]; apply grad).
  assert (P' : p' 1%nat = p' O).
  { apply (gradient_unique E' f' (w' O)); [| apply grad']. assert (W' : w' 1%nat = w' O) by now rewrite step', still.
    rewrite <- W'. apply grad'. }
  assert (P1 : p 1%nat = ((1 + β) * p O)%V) by (rewrite buffer, G, <- start; vector; ring).
  assert (Z : p O = vzero).
  { apply dot_definite. assert (S := same 1%nat). rewrite P', <- same, P1, dot_scale, dot_scale_r in S.
    assert (Q := dot_nonneg E (p O)). nra. }
  assert (A : forall t, p t = vzero).
  { induction t as [| t IH]; [exact Z |]. rewrite buffer, G, <- start, IH, Z. vector. ring. }
  rewrite A, dot_zero in K. lra.
Qed.

(** ** A run with β = 1/2 on the corner: p_t = (1 - τ) 2^-t (-1, 1). *)
Definition halving (τ : R) (t : nat) : plane := ((1 - τ) * (/ 2)^t * ((-1, 1) : plane))%V.
Definition far (t : nat) : R := 4 * (1 - (/ 2)^t).

Lemma half_power t : 0 < (/ 2)^t <= 1.
Proof. induction t; cbn in *; lra. Qed.

Lemma far_away t : 1 < far (S t) \/ far (S t) < -1.
Proof. assert (P := half_power t). unfold far. cbn. lra. Qed.

Lemma far_gradient : forall t, gradient corner (pushed far t) (push t).
Proof. apply pushed_gradient; [unfold far; cbn; ring | apply far_away]. Qed.

Lemma halving_start τ : halving τ O = ((1 - τ) * push O)%V.
Proof. cbn. f_equal; ring. Qed.

Lemma halving_buffer τ t : halving τ (S t) = (/ 2 * halving τ t + (1 - τ) * push (S t))%V.
Proof. cbn. f_equal; ring. Qed.

Lemma far_step η τ : η * (1 - τ) = 2 -> forall t, pushed far (S t) = (pushed far t - η * halving τ t)%V.
Proof.
  intros H t. unfold pushed, far. cbn.
  f_equal; [replace (-1 * (η * ((1 - τ) * (/ 2)^t * -1))) with (η * (1 - τ) * (/ 2)^t) by ring
    | replace (-1 * (η * ((1 - τ) * (/ 2)^t * 1))) with (- (η * (1 - τ) * (/ 2)^t)) by ring]; rewrite H; field.
Qed.

Lemma halving_update τ : 1 - τ <> 0 -> exists k, 0 < ‖halving τ k‖².
Proof. intros H. exists O. cbn. nra. Qed.

Lemma halving_square τ t : ‖halving τ t‖² = 2 * (1 - τ)^2 * ((/ 2)^t * (/ 2)^t).
Proof. cbn. ring. Qed.

Lemma zero_share (A : nat -> R) : (forall t, A (S t) = 0) -> Un_cv (fun t => A t / (Σ k < S t, A k)) 0.
Proof.
  intros Z eps Heps. exists 1%nat. intros [| t] T; [lia |]. unfold R_dist, Rdiv.
  rewrite Z, Rmult_0_l, Rminus_0_r, Rabs_R0. exact Heps.
Qed.

Lemma halving_share τ : 1 - τ <> 0 -> Un_cv (fun t => ‖halving τ t‖² / (Σ k < S t, (‖halving τ k‖²))) 0.
Proof.
  intros H eps Heps. assert (P : 0 < 2 * (1 - τ)^2) by nra.
  destruct (pow_lt_1_zero (/ 2) ltac:(rewrite Rabs_pos_eq; lra) eps Heps) as [N K]. exists N. intros t T.
  specialize (K t T). unfold R_dist. rewrite Rminus_0_r. assert (B := half_power t). rewrite Rabs_pos_eq in K by lra.
  assert (S : 2 * (1 - τ)^2 <= Σ k < S t, (‖halving τ k‖²)).
  { clear. induction t as [| t IH]; [cbn; lra |]. assert (Q := dot_nonneg plane (halving τ (S t))).
    change (sum (S (S t)) ?f) with (sum (S t) f + f (S t)). cbv beta. lra. }
  rewrite halving_square. set (s := sum _ _) in *. set (x := (/ 2)^t) in *. set (a := 2 * (1 - τ)^2) in *.
  assert (I : 0 < / s) by (apply Rinv_0_lt_compat; lra).
  assert (L : a * / s <= 1) by (rewrite <- (Rinv_r s) by lra; apply Rmult_le_compat_r; lra).
  assert (Q : 0 <= a * / s) by (apply Rmult_le_pos; lra). unfold Rdiv.
  replace (a * (x * x) * / s) with (x * (x * (a * / s))) by ring.
  assert (0 <= x * (a * / s) <= 1) by nra. rewrite Rabs_pos_eq; nra.
Qed.

Lemma pushed_growth s t : ‖pushed s t‖² - ‖pushed s O‖² = 2 * (s t * s t) - 2 * (s O * s O).
Proof. cbn. ring. Qed.

(** The limit at β = 1/2 is 3. *)
Lemma not_3 (F : nat -> R) : (forall t, (4 <= t)%nat -> F t <= 2 \/ 7 / 2 <= F t) ->
  ~ Un_cv F (1 + 2 * / 2 / (1 - / 2)).
Proof.
  intros H C. destruct (C (/ 2) ltac:(lra)) as [N K]. specialize (K (N + 4)%nat ltac:(lia)).
  specialize (H (N + 4)%nat ltac:(lia)).
  replace (1 + 2 * / 2 / (1 - / 2)) with 3 in K by field. unfold R_dist in K. apply Rabs_def2 in K. lra.
Qed.

Lemma same_growth x : x / x <= 2.
Proof.
  destruct (Req_dec x 0) as [-> | N]; [unfold Rdiv; lra |]. unfold Rdiv. rewrite Rinv_r; lra.
Qed.

Lemma small_power t : (4 <= t)%nat -> (/ 2)^t <= / 16.
Proof.
  intros H. replace t with (4 + (t - 4))%nat by lia. rewrite pow_add. assert (P := half_power (t - 4)). cbn in *. lra.
Qed.

(** One step with momentum, which is one without. *)
Definition jump (t : nat) : R := 2 - 2 * first t.

Lemma jump_gradient : forall t, gradient corner (pushed jump t) (push t).
Proof. apply pushed_gradient; [unfold jump; cbn; ring | intros t; unfold jump; cbn; lra]. Qed.

Lemma jump_step t : pushed jump (S t) = (pushed jump t - 2 * push t)%V.
Proof. destruct t; unfold pushed, jump; cbn; f_equal; ring. Qed.

(** A gradient that would stop the buffer: with and without momentum the same single step. *)
Theorem corollary_2_3_needs_gradients :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> p O = ((1 - τ) * g O)%V -> (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) ->
  (forall t, w (S t) = (w t - η * p t)%V) -> scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) ->
  (forall t, w' (S t) = (w' t - η * p' t)%V) -> η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H. pose (g t := match t with O => push O | S t => (push (S t) - / 2 * push t)%V end).
  apply (not_3 (fun t => (‖pushed jump t‖² - ‖pushed jump O‖²) / (‖pushed jump t‖² - ‖pushed jump O‖²))).
  - intros t _. left. apply same_growth.
  - apply (H plane plane corner corner 2 (/ 2) 0 (pushed jump) g push (pushed jump) push);
      try apply corner_invariant; try apply jump_gradient; try apply jump_step; try lra; try reflexivity.
    + cbn. f_equal; ring.
    + intros t. vector. cbn. ring.
    + exists O. cbn. lra.
    + apply zero_share. intros t. cbn. ring.
Qed.

Theorem corollary_2_3_needs_momentum :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, w (S t) = (w t - η * p t)%V) -> scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) ->
  (forall t, w' (S t) = (w' t - η * p' t)%V) -> η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H.
  apply (not_3 (fun t => (‖pushed jump t‖² - ‖pushed jump O‖²) / (‖pushed jump t‖² - ‖pushed jump O‖²))).
  - intros t _. left. apply same_growth.
  - apply (H plane plane corner corner 2 (/ 2) 0 (pushed jump) push push (pushed jump) push);
      try apply corner_invariant; try apply jump_gradient; try apply jump_step; try lra; try reflexivity.
    + cbn. f_equal; ring.
    + exists O. cbn. lra.
    + apply zero_share. intros t. cbn. ring.
Qed.

(** GD on ‖w‖²/2, whose norms shrink. *)
Theorem corollary_2_3_needs_scale_invariant' :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) -> η <> 0 -> 0 < β -> β < 1 ->
  (forall t, ‖p t‖² = ‖p' t‖²) -> (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H. set (w' t := ((/ 2)^t * ((4, 4) : plane))%V).
  apply (not_3 (fun t => (‖pushed far t‖² - ‖pushed far O‖²) / (‖w' t‖² - ‖w' O‖²))).
  - intros t T. left. rewrite pushed_growth.
    replace (‖w' t‖² - ‖w' O‖²) with (32 * ((/ 2)^t * (/ 2)^t) - 32) by (cbn; ring).
    assert (S := small_power t T). assert (P := half_power t). unfold far. set (x := (/ 2)^t) in *.
    assert (I : / (32 * (x * x) - 32) < 0) by (apply Rinv_lt_0_compat; nra). cbn. unfold Rdiv. nra.
  - apply (H plane plane corner (fun x => ‖x‖² / 2) (/ 2) (/ 2) (-3) (pushed far) push (halving (-3)) w' w');
      try apply corner_invariant; try apply far_gradient; try apply halving_start; try apply halving_buffer; try lra.
    + apply far_step. lra.
    + intros t. apply half_square_gradient.
    + intros t. cbn. f_equal; field.
    + intros t. cbn. ring.
    + apply halving_update. lra.
    + apply halving_share. lra.
Qed.

(** The other run has momentum, too. *)
Theorem corollary_2_3_needs_gradients' :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, w' (S t) = (w' t - η * p' t)%V) -> η <> 0 -> 0 < β -> β < 1 ->
  (forall t, ‖p t‖² = ‖p' t‖²) -> (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H. apply (not_3 (fun t => (‖pushed far t‖² - ‖pushed far O‖²) / (‖pushed far t‖² - ‖pushed far O‖²))).
  - intros t _. left. apply same_growth.
  - assert (W := far_step 2 0 ltac:(lra)).
    apply (H plane plane corner (fun _ => 0) 2 (/ 2) 0 (pushed far) push (halving 0) (pushed far) (halving 0));
      try apply corner_invariant; try apply constant_invariant; try apply far_gradient; try apply halving_start;
      try apply halving_buffer; try exact W; try lra; try reflexivity.
    + apply halving_update. lra.
    + apply halving_share. lra.
Qed.

(** The other weights run away along a ray. *)
Theorem corollary_2_3_needs_update' :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> η <> 0 -> 0 < β -> β < 1 ->
  (forall t, ‖p t‖² = ‖p' t‖²) -> (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H. set (w' t := (/ (/ 2)^t * ((1, 1) : plane))%V).
  apply (not_3 (fun t => (‖pushed far t‖² - ‖pushed far O‖²) / (‖w' t‖² - ‖w' O‖²))).
  - intros t T. left. rewrite pushed_growth. assert (S := small_power t T). assert (P := half_power t).
    replace (‖w' t‖² - ‖w' O‖²) with (2 * (/ (/ 2)^t * / (/ 2)^t) - 2) by (cbn; rewrite Rinv_1; ring).
    unfold far. set (x := (/ 2)^t) in *.
    assert (I : 16 <= / x) by (rewrite <- (Rinv_inv 16); apply Rinv_le_contravar; lra).
    assert (D : 510 <= 2 * (/ x * / x) - 2) by nra. set (d := 2 * (/ x * / x) - 2) in *.
    apply Rmult_le_reg_r with d; [lra |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. cbn. nra.
  - assert (G : forall t, gradient corner (w' t) (halving 0 t)).
    { intros t. assert (P := half_power t). assert (I : 0 < / (/ 2)^t) by (apply Rinv_0_lt_compat; lra).
      destruct (eq_04 plane corner (/ (/ 2)^t) (1, 1) (-1, 1) corner_invariant corner_gradient I) as [_ G].
      replace (halving 0 t) with (/ / (/ 2)^t * ((-1, 1) : plane))%V; [exact G |].
      rewrite Rinv_inv. unfold halving. f_equal. ring. }
    apply (H plane plane corner corner 2 (/ 2) 0 (pushed far) push (halving 0) w' (halving 0));
      try apply corner_invariant; try apply far_gradient; try apply halving_start; try apply halving_buffer;
      try exact G; try lra; try reflexivity.
    + apply far_step. lra.
    + apply halving_update. lra.
    + apply halving_share. lra.
Qed.

(** The other run makes one step alone: the ratio tends to 4. *)
Theorem corollary_2_3_needs_same_norms :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H. apply (not_3 (fun t => (‖pushed far t‖² - ‖pushed far O‖²) / (‖pushed jump t‖² - ‖pushed jump O‖²))).
  - intros t T. right. rewrite !pushed_growth. assert (S := small_power t T). assert (P := half_power t).
    replace (jump t) with 2 by (destruct t; [lia |]; unfold jump; cbn; ring). unfold jump, far. cbn.
    set (x := (/ 2)^t) in *. replace (2 - 2 * 1) with 0 by ring. unfold Rdiv.
    replace (2 * (2 * 2) - 2 * (0 * 0)) with 8 by ring. nra.
  - apply (H plane plane corner corner 2 (/ 2) 0 (pushed far) push (halving 0) (pushed jump) push);
      try apply corner_invariant; try apply far_gradient; try apply halving_start; try apply halving_buffer;
      try apply jump_gradient; try apply jump_step; try lra.
    + apply far_step. lra.
    + apply halving_update. lra.
    + apply halving_share. lra.
Qed.

(** Nothing moves. *)
Theorem corollary_2_3_needs_an_update :
  ~ (forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β))).
Proof.
  intros H. apply (not_3 (fun t => (‖never t‖² - ‖never O‖²) / (‖never t‖² - ‖never O‖²))).
  - intros t _. left. apply same_growth.
  - apply (H line line (fun _ => 0) (fun _ => 0) 1 (/ 2) 0 never never never never never); try finish.
    apply zero_share. intros t. cbn. ring.
Qed.
