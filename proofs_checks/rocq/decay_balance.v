(** Decoupled weight decay against norm growth: w' = (1 − ηλ) w − ηq along a tangent q. λ is the decay as it acts on the
  step: λr where the update is projected, over 1 − β in SGDP. *)
From Tangency Require Import inner_product sums eq_10_projection.

Theorem decay_balance : forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 -> w' = ((1 - η * λ) * w - η * q)%V ->
  ‖w'‖² = (1 - η * λ)^2 * ‖w‖² + η^2 * ‖q‖² /\ ⟨w, w'⟩ = (1 - η * λ) * ‖w‖².
Proof. intros E η λ w q w' T ->. split; gram; rewrite ?T; ring. Qed.

(** Where the norm stands still *)
Theorem decay_balance_stationary : forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 -> w' = ((1 - η * λ) * w - η * q)%V -> η <> 0 ->
  (‖w'‖² = ‖w‖² <-> λ * (2 - η * λ) * ‖w‖² = η * ‖q‖²).
Proof.
  intros E η λ w q w' T U N. destruct (decay_balance E η λ w q w' T U) as [-> _]. split; intros H.
  - apply Rmult_eq_reg_l with η; [lra | exact N].
  - replace (η^2 * ‖q‖²) with (η * (η * ‖q‖²)) by ring. rewrite <- H. ring.
Qed.

(** There the step turns by an angle that η and λ alone say: its cosine is 1 − ηλ, its chord √(2ηλ). *)
Theorem decay_balance_angle : forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 -> w' = ((1 - η * λ) * w - η * q)%V -> w <> vzero -> ‖w'‖² = ‖w‖² ->
  cos (angle w w') = 1 - η * λ /\ ‖unit w' - unit w‖² = 2 * η * λ.
Proof.
  intros E η λ w q w' T U N L. destruct (decay_balance E η λ w q w' T U) as [G D].
  assert (N' : w' <> vzero) by (apply positive_nonzero; rewrite L; now apply dot_positive).
  assert (C : ⟨unit w, unit w'⟩ = 1 - η * λ).
  { assert (P := norm_positive E w N). unfold unit. rewrite dot_scale, dot_scale_r, D.
    replace (norm w') with (norm w) by (unfold norm; now rewrite L). rewrite <- norm_square. field. lra. }
  split.
  - unfold angle. rewrite C. apply cos_acos. assert (P := dot_positive E w N). assert (Q := dot_nonneg E q).
    assert (S := square_nonneg η). assert (B : (1 - η * λ)^2 <= 1).
    { apply Rmult_le_reg_r with ‖w‖²; [exact P |]. rewrite L in G. assert (0 <= η^2 * ‖q‖²) by nra. lra. }
    nra.
  - rewrite dot_sub, !dot_sub_r, !unit_square, (dot_comm E (unit w')), C by assumption. ring.
Qed.

(** Any schedule of η and λ; σ is the product of the factors *)
Theorem decay_balance_run : forall (E : space) (η_ λ_ σ_ : nat -> R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) -> (forall t, w_ (S t) = ((1 - η_ t * λ_ t) * w_ t - η_ t * q_ t)%V) ->
  (forall t, σ_ (S t) = (1 - η_ t * λ_ t) * σ_ t) -> (forall t, σ_ t <> 0) ->
  (forall t, ‖w_ t‖² = (σ_ t / σ_ O)^2 * ‖w_ O‖² + (Σ k < t, ((σ_ t / σ_ (S k) * η_ k)^2 * ‖q_ k‖²))).
Proof.
  intros E η λ σ w q T U shrunk N t. induction t as [| t IH]; [simpl; field; apply N |].
  destruct (decay_balance E (η t) (λ t) (w t) (q t) _ (T t) (U t)) as [-> _]. rewrite IH. cbn [sum].
  assert (next : (Σ k < t, ((σ (S t) / σ (S k) * η k)^2 * ‖q k‖²)) =
    (1 - η t * λ t)^2 * (Σ k < t, ((σ t / σ (S k) * η k)^2 * ‖q k‖²))).
  { rewrite sum_scale. apply sum_eq. intros k _. rewrite shrunk. field. apply N. }
  rewrite next. replace (σ (S t) / σ (S t)) with 1 by (field; apply N). rewrite shrunk. field. apply N.
Qed.

(** ** Limits, under constant η and λ *)
Lemma geometric_limit (r c l : R) (y : nat -> R) : 0 <= r < 1 -> (forall t, Rabs (y t - l) <= r^t * c) -> Un_cv y l.
Proof.
  intros B H eps P. assert (C : 0 <= c) by (assert (K := H O); assert (A := Rabs_pos (y O - l)); simpl in K; lra).
  destruct (pow_lt_1_zero r) with (eps / (c + 1)) as [n K]; [rewrite Rabs_pos_eq; lra | apply Rdiv_lt_0_compat; lra |].
  exists n. intros t L. specialize (K t L). unfold R_dist. apply Rle_lt_trans with (1 := H t).
  assert (D : 0 <= r^t) by (apply pow_le; lra). rewrite Rabs_pos_eq in K by exact D.
  apply (Rmult_lt_compat_r (c + 1)) in K; [| lra]. unfold Rdiv in K. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in K by lra.
  nra.
Qed.

(** Updates of one length: the squared norm goes to where it stands still, by (1 − ηλ)² a step. *)
Theorem decay_balance_limit : forall (E : space) (η λ Q W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) -> (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖q_ t‖² = Q) -> λ * (2 - η * λ) * W = η * Q -> (1 - η * λ)^2 < 1 ->
  (forall t, ‖w_ t‖² - W = (1 - η * λ)^(2 * t) * (‖w_ O‖² - W)) /\ Un_cv (fun t => ‖w_ t‖²) W.
Proof.
  intros E η λ Q W w q T U length still B.
  assert (H : forall t, ‖w t‖² - W = (1 - η * λ)^(2 * t) * (‖w O‖² - W)).
  { intros t. rewrite pow_mult. induction t as [| t IH]; [simpl; ring |].
    destruct (decay_balance E η λ (w t) (q t) _ (T t) (U t)) as [-> _]. rewrite length.
    replace (η^2 * Q) with (η * (η * Q)) by ring. rewrite <- still.
    transitivity ((1 - η * λ)^2 * (‖w t‖² - W)); [ring |]. rewrite IH. cbn [pow]. ring. }
  split; [exact H |]. apply geometric_limit with ((1 - η * λ)^2) (Rabs (‖w O‖² - W)).
  - split; [apply square_nonneg | exact B].
  - intros t. rewrite H, pow_mult, Rabs_mult, (Rabs_pos_eq (((1 - η * λ)^2)^t)); [lra |].
    apply pow_le, square_nonneg.
Qed.

(** y' = x y + (1 − x) W²/y contracts towards W from its second step on. *)
Lemma contracts x W y y' y'' : 1 <= 2 * x -> x < 1 -> 0 < W -> 0 < y ->
  y * y' = x * y^2 + (1 - x) * W^2 -> y' * y'' = x * y'^2 + (1 - x) * W^2 ->
  0 < y' /\ Rabs (y'' - W) <= x * Rabs (y' - W).
Proof.
  intros X X1 P Y E1 E2.
  assert (P' : 0 < y').
  { apply Rmult_lt_reg_l with y; [exact Y |]. rewrite E1, Rmult_0_r. assert (0 < W^2) by now apply pow_lt.
    assert (0 < y^2) by now apply pow_lt. nra. }
  split; [exact P' |].
  (* y'² ≥ 4x(1 − x)W², the least value of the map *)
  assert (least : 4 * x * (1 - x) * W^2 <= y'^2).
  { apply Rmult_le_reg_l with (y^2); [now apply pow_lt |]. replace (y^2 * y'^2) with ((y * y')^2) by ring. rewrite E1.
    assert (S := square_nonneg (x * y^2 - (1 - x) * W^2)). lra. }
  assert (far : (1 - x) * W <= 2 * x * y').
  { apply least_square; [nra |]. replace (2 * x * y' * (2 * x * y')) with (4 * x^2 * y'^2) by ring.
    apply Rle_trans with (4 * x^2 * (4 * x * (1 - x) * W^2)).
    - replace ((1 - x) * W * ((1 - x) * W)) with ((1 - x) * (1 - x) * W^2) by ring.
      replace (4 * x^2 * (4 * x * (1 - x) * W^2)) with (16 * x^3 * (1 - x) * W^2) by ring.
      apply Rmult_le_compat_r; [apply square_nonneg |]. apply Rmult_le_compat_r; [lra |].
      assert (1 <= 4 * x^2) by nra. assert (1 <= 8 * x^3) by nra. lra.
    - apply Rmult_le_compat_l; [assert (S := square_nonneg x); lra | exact least]. }
  apply Rmult_le_reg_l with y'; [exact P' |].
  rewrite <- (Rabs_pos_eq y') at 1 by lra. rewrite <- Rabs_mult.
  replace (y' * (y'' - W)) with ((x * y' - (1 - x) * W) * (y' - W)) by lra.
  rewrite Rabs_mult. replace (y' * (x * Rabs (y' - W))) with (x * y' * Rabs (y' - W)) by ring.
  apply Rmult_le_compat_r; [apply Rabs_pos |]. apply Rabs_le. nra.
Qed.

(** Updates that are as short as the weights are long, as Eq. 4 has it for gradients: the norm goes to where it stands
  still, and the cosine of every step to 1 − ηλ. *)
Theorem decay_balance_equilibrium : forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) -> (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) -> 0 < W -> λ * (2 - η * λ) * W^2 = η * G ->
  1 <= 2 * (1 - η * λ)^2 -> (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) W /\ Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ).
Proof.
  intros E η λ G W w q T U length P still X X1. set (x := (1 - η * λ)^2) in *.
  assert (map : forall t, ‖w t‖² * ‖w (S t)‖² = x * ‖w t‖²^2 + (1 - x) * W^2).
  { intros t. destruct (decay_balance E η λ (w t) (q t) _ (T t) (U t)) as [-> _]. fold x.
    replace (‖w t‖² * (x * ‖w t‖² + η^2 * ‖q t‖²)) with (x * ‖w t‖²^2 + η * (η * (‖w t‖² * ‖q t‖²))) by ring.
    rewrite length, <- still. unfold x. ring. }
  assert (Y : forall t, 0 < ‖w t‖²).
  { induction t as [| t IH]; [apply dot_positive; intros Z |].
    - specialize (length O). rewrite Z, dot_zero, Rmult_0_l in length. rewrite <- length in still.
      assert (0 < W^2) by now apply pow_lt. assert (V : η * (λ * (2 - η * λ) * W^2) = 0) by (rewrite still; ring).
      assert ((1 - x) * W^2 = 0) by (unfold x; lra). nra.
    - now apply (contracts x W _ _ _ X X1 P IH (map t) (map (S t))). }
  assert (C : forall t, Rabs (‖w (S (S t))‖² - W) <= x * Rabs (‖w (S t)‖² - W)).
  { intros t. now apply (contracts x W _ _ _ X X1 P (Y t) (map t) (map (S t))). }
  assert (later : Un_cv (fun t => ‖w (S t)‖²) W).
  { apply geometric_limit with x (Rabs (‖w 1%nat‖² - W)); [lra |].
    induction t as [| t IH]; [simpl; lra |]. apply Rle_trans with (1 := C t). simpl.
    assert (K := Rmult_le_compat_l x _ _ ltac:(lra) IH). lra. }
  assert (limit : Un_cv (fun t => ‖w t‖²) W).
  { intros eps Heps. destruct (later eps Heps) as [n H]. exists (S n). intros [| t] L; [lia |]. apply H. lia. }
  split; [exact C |]. split; [exact limit |].
  assert (cosine : forall t, ⟨unit (w t), unit (w (S t))⟩ = (1 - η * λ) * sqrt (‖w t‖² * / ‖w (S t)‖²)).
  { intros t. destruct (decay_balance E η λ (w t) (q t) _ (T t) (U t)) as [_ D]. unfold unit.
    rewrite dot_scale, dot_scale_r, D. assert (A := Y t). assert (B := Y (S t)). rewrite sqrt_mult_alt by lra.
    rewrite sqrt_inv. fold (norm (w t)). fold (norm (w (S t))). rewrite <- norm_square.
    assert (Z := norm_positive E (w t) (positive_nonzero E _ A)).
    assert (Z' := norm_positive E (w (S t)) (positive_nonzero E _ B)). field. lra. }
  assert (one : Un_cv (fun t => sqrt (‖w t‖² * / ‖w (S t)‖²)) 1).
  { rewrite <- sqrt_1. apply (continuity_seq sqrt (fun t => ‖w t‖² * / ‖w (S t)‖²)); [apply continuity_pt_sqrt; lra |].
    replace 1 with (W * / W) by (field; lra). apply CV_mult; [exact limit |].
    apply (continuity_seq (fun y => / y) (fun t => ‖w (S t)‖²)); [| exact later].
    apply (continuity_pt_inv (fun y => y)); [apply derivable_continuous_pt, derivable_pt_id | lra]. }
  assert (F : Un_cv (fun t => (1 - η * λ) * sqrt (‖w t‖² * / ‖w (S t)‖²)) ((1 - η * λ) * 1)).
  { apply (CV_mult (fun _ => 1 - η * λ)); [| exact one].
    intros eps Heps. exists O. intros. rewrite R_dist_eq. exact Heps. }
  rewrite Rmult_1_r in F. intros eps Heps. destruct (F eps Heps) as [n H]. exists n. intros t L. rewrite cosine.
  now apply H.
Qed.
