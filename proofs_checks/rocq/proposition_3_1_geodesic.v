(** Proposition 3.1: the projection changes how far a step turns the weights, never whither (§3.1; proof in A.3). *)
From Coq Require Import Vector.
From Tangency Require Import inner_product sums euclidean.
From Tangency Require Import eq_04_orthogonality eq_10_projection lemma_2_2_momentum_norm_growth.

Section OnGeodesic.
Variables (E : space) (y v x : E) (a b : R).
Hypotheses (y_unit : ‖y‖² = 1) (v_unit : ‖v‖² = 1) (y_v : ⟨y, v⟩ = 0) (b_pos : 0 < b) (x_is : x = (a * y + b * v)%V).

Lemma length_of : norm x = sqrt (a^2 + b^2).
Proof. unfold norm. rewrite x_is. f_equal. gram. rewrite y_v, v_unit, y_unit. ring. Qed.

Lemma length_positive : 0 < norm x.
Proof. rewrite length_of. apply sqrt_lt_R0. nra. Qed.

Lemma length_square : norm x * norm x = a^2 + b^2.
Proof. rewrite length_of. apply sqrt_sqrt. nra. Qed.

Lemma cosine_is : ⟨y, unit x⟩ = a / norm x.
Proof. assert (P := length_positive). unfold unit. rewrite x_is at 2. gram. rewrite y_v, y_unit. field. lra. Qed.

(** The angle of the point a y + b v, b > 0, and the point itself on the geodesic from y towards v *)
Lemma turned : let θ := acos ⟨y, unit x⟩ in
  unit x = geodesic y v θ /\ 0 < θ < PI /\ cos θ = a / norm x /\ sin θ = b / norm x.
Proof.
  intros θ. assert (P := length_positive). assert (Q := length_square). unfold θ. rewrite cosine_is. clear θ.
  set (n := norm x) in *.
  assert (K : (a / n)^2 + (b / n)^2 = 1) by (replace 1 with (n * n / (n * n)) by (field; lra); rewrite Q at 1; field;
    lra).
  assert (B : 0 < b / n) by now apply Rdiv_lt_0_compat. assert (I : -1 < a / n < 1) by nra.
  assert (C : cos (acos (a / n)) = a / n) by (apply cos_acos; lra).
  assert (S : sin (acos (a / n)) = b / n).
  { rewrite sin_acos by lra. unfold Rsqr. replace (1 - a / n * (a / n)) with (b / n * (b / n)) by nra.
    apply sqrt_square. lra. }
  split; [| split; [now apply acos_bound_lt | now split]]. unfold geodesic. rewrite C, S. unfold unit. fold n.
  rewrite x_is, vadd_scale, !vscale_mul. f_equal; f_equal; unfold Rdiv; ring.
Qed.

End OnGeodesic.

(** w − ηp along ŵ and v, with r = ‖w‖, c = ŵ·p and s = ‖Π_w(p)‖; w − ηΠ_w(p) is the same with c = 0. *)
Lemma in_coordinates (E : space) (η : R) (w p v : E) : w <> vzero -> project w p <> vzero ->
  v = (- (1) * unit (project w p))%V ->
  (w - η * p)%V = ((norm w - η * ⟨unit w, p⟩) * unit w + (η * norm (project w p)) * v)%V /\
  (w - η * project w p)%V = (norm w * unit w + (η * norm (project w p)) * v)%V.
Proof.
  intros N S ->. assert (W := norm_times_unit E w). assert (Q := norm_times_unit E (project w p)).
  assert (P : p = (⟨unit w, p⟩ * unit w + project w p)%V) by (rewrite as_printed by exact N; vector; ring).
  split.
  - transitivity (norm w * unit w - η * (⟨unit w, p⟩ * unit w + norm (project w p) * unit (project w p)))%V.
    + now rewrite Q, <- P, W.
    + vector. ring.
  - transitivity (norm w * unit w - η * (norm (project w p) * unit (project w p)))%V; [now rewrite Q, W | vector; ring].
Qed.

Theorem proposition_3_1 : forall (E : space) (η : R) (w p wp wo v : E),
  w <> vzero -> project w p <> vzero -> 0 < η -> wp = (w - η * project w p)%V -> wo = (w - η * p)%V ->
  v = (- (1) * unit (project w p))%V ->
  unit wp = geodesic (unit w) v (angle w wp) /\ unit wo = geodesic (unit w) v (angle w wo) /\
  0 < angle w wp /\ angle w wp < PI / 2 /\ 0 < angle w wo /\ angle w wo < PI /\
  tan (angle w wp) = η * norm (project w p) / norm w /\
  (norm w - η * ⟨unit w, p⟩) * sin (angle w wo) = η * norm (project w p) * cos (angle w wo) /\
  (⟨w, p⟩ <= 0 -> angle w wo <= angle w wp) /\ (0 <= ⟨w, p⟩ -> angle w wp <= angle w wo).
Proof.
  intros E η w p wp wo v N T H Wp Wo V. destruct (in_coordinates E η w p v N T V) as [Io Ip].
  rewrite <- Wo in Io. rewrite <- Wp in Ip.
  assert (R0 := norm_positive E w N). assert (S0 := norm_positive E _ T).
  assert (X := Rmult_lt_0_compat _ _ H S0). assert (U := unit_square E w N).
  assert (Vv : ‖v‖² = 1) by (rewrite V; gram; rewrite unit_square by exact T; ring).
  assert (Uv : ⟨unit w, v⟩ = 0) by (rewrite V; unfold unit; gram; rewrite project_tangent; ring).
  destruct (turned E _ _ _ _ _ U Vv Uv X Ip) as [Gp [Bp [Cp Sp]]].
  destruct (turned E _ _ _ _ _ U Vv Uv X Io) as [Go [Bo [Co So]]].
  assert (M := length_positive E _ _ _ _ _ U Vv Uv X Ip). assert (O := length_positive E _ _ _ _ _ U Vv Uv X Io).
  fold (angle w wp) in *. fold (angle w wo) in *.
  assert (D : ⟨w, p⟩ = norm w * ⟨unit w, p⟩) by (unfold unit; gram; field; lra). rewrite D. clear D.
  set (r := norm w) in *. set (c := ⟨unit w, p⟩) in *. set (x := η * norm (project w p)) in *.
  set (m := norm wp) in *. set (n := norm wo) in *. set (a := angle w wp) in *. set (b := angle w wo) in *.
  assert (cos_pos : 0 < cos a) by (rewrite Cp; now apply Rdiv_lt_0_compat).
  assert (A2 : a < PI / 2).
  { destruct (Rlt_or_le a (PI / 2)) as [L | L]; [exact L |]. exfalso.
    assert (PP := PI_RGT_0). assert (Z := cos_le_0 a L ltac:(lra)). lra. }
  assert (difference : sin (a - b) = - (η * c) * (x / (m * n))) by (rewrite sin_minus, Cp, Co, Sp, So; field; lra).
  assert (Q : 0 < x / (m * n)) by (apply Rdiv_lt_0_compat; [exact X | now apply Rmult_lt_0_compat]).
  repeat split; try assumption; try lra.
  - unfold tan. rewrite Cp, Sp. field. lra.
  - rewrite Co, So. field. lra.
  - intros C. destruct (Rle_or_lt b a) as [L | L]; [exact L |]. exfalso.
    assert (Z : sin (a - b) < 0) by (apply sin_lt_0_var; lra). assert (c <= 0) by nra.
    assert (0 <= - (η * c)) by nra. nra.
  - intros C. destruct (Rle_or_lt a b) as [L | L]; [exact L |]. exfalso.
    assert (Z : 0 < sin (a - b)) by (apply sin_gt_0; lra). assert (0 <= c) by nra. assert (- (η * c) <= 0) by nra. nra.
Qed.

(** What the paper states: the projected point lies in the plane of w and the original point; and b ≥ 0, on its side. *)
Theorem proposition_3_1_as_printed : forall (E : space) (η : R) (w p wp wo : E),
  w <> vzero -> wp = (w - η * project w p)%V -> wo = (w - η * p)%V ->
  (exists a b, 0 <= b /\ unit wp = (a * unit w + b * unit wo)%V).
Proof.
  intros E η w p wp wo N Wp Wo. exists (/ norm wp * (η * (⟨w, p⟩ / ‖w‖²) * norm w)), (/ norm wp * norm wo). split.
  - apply Rmult_le_pos; [| apply norm_nonneg]. destruct (norm_nonneg E wp) as [P | P].
    + now apply Rlt_le, Rinv_0_lt_compat.
    + rewrite <- P, Rinv_0. lra.
  - assert (K : wp = ((η * (⟨w, p⟩ / ‖w‖²)) * w + wo)%V).
    { rewrite Wp, Wo. unfold project. vector. field. now apply dot_nonzero. }
    transitivity (/ norm wp * ((η * (⟨w, p⟩ / ‖w‖²)) * (norm w * unit w) + norm wo * unit wo))%V.
    + now rewrite !norm_times_unit, <- K.
    + vector. ring.
Qed.

(** Momentum GD on a scale-invariant function has c ≤ 0, so that its projected steps never turn w by less. *)
Theorem proposition_3_1_momentum : forall (E : space) (f : E -> R) (η β τ : R) (w g p : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  0 <= η -> 0 <= β -> (forall t, ⟨w t, p t⟩ <= 0).
Proof.
  intros E f η β τ w g p I G start buffer update H B t.
  rewrite (proj2 (lemma_2_2 E f η β τ w g p I G start buffer update) t).
  assert (0 <= Σ k < t, (β^(t - k) * ‖p k‖²)); [| nra].
  apply sum_nonneg. intros k. apply Rmult_le_pos; [now apply pow_le | apply dot_nonneg].
Qed.

(** Without the projection a step can turn the weights by 90° or more. *)
Theorem proposition_3_1_overshoot : forall (E : space) (η : R) (w p wo : E),
  w <> vzero -> wo = (w - η * p)%V -> (⟨w, wo⟩ <= 0 <-> norm w <= η * ⟨unit w, p⟩).
Proof.
  intros E η w p wo N ->. assert (P := norm_positive E w N).
  assert (D : ⟨w, w - η * p⟩ = norm w * (norm w - η * ⟨unit w, p⟩)).
  { unfold unit. gram. rewrite <- norm_square. field. lra. }
  rewrite D. split; intros K; nra.
Qed.

(** Adam's c has either sign: after its first step on a tangent gradient the projection can turn w by less. *)
Theorem proposition_3_1_adam_turns_less : ~ (forall (η ε : R) (w g p wp wo : euclidean 2),
  w <> vzero -> ⟨w, g⟩ = 0 -> 0 < η -> 0 < ε -> p = Vector.map (fun x => x / (2 * Rabs x + 2 * ε)) g ->
  wp = (w - η * project w p)%V -> wo = (w - η * p)%V -> angle w wo <= angle w wp).
Proof.
  intros all. set (pair := fun x y : R => Vector.cons R x 1 (Vector.cons R y 0 (Vector.nil R)) : euclidean 2).
  set (w := pair 2 1). set (p := pair (1 / 3) (- 2 / 5)).
  assert (C : ⟨w, p⟩ = 4 / 15) by (unfold w, p; simpl; unfold rows_dot; simpl; field).
  assert (W : ‖w‖² = 5) by (unfold w; simpl; unfold rows_dot; simpl; field).
  assert (P2 : ‖p‖² = 61 / 225) by (unfold p; simpl; unfold rows_dot; simpl; field).
  assert (N : w <> vzero) by (apply positive_nonzero; rewrite W; lra).
  assert (S : project w p <> vzero).
  { intros Z. assert (K := project_square _ w p). rewrite Z, dot_zero, C, W, P2 in K. lra. }
  assert (A : angle w (w - 1 * p)%V <= angle w (w - 1 * project w p)%V).
  { apply (all 1 (1 / 2) w (pair 1 (-2)) p); auto; try lra; unfold w, p, pair; simpl; unfold rows_dot; simpl.
    - ring.
    - rewrite Rabs_R1, (Rabs_left (-2)) by lra. repeat f_equal; field. }
  destruct (proposition_3_1 _ 1 w p _ _ _ N S Rlt_0_1 eq_refl eq_refl eq_refl)
    as [_ [_ [A0 [A1 [_ [_ [T [L [_ ge]]]]]]]]]. specialize (ge ltac:(lra)).
  (* equal angles would need c = 0 *)
  replace (angle w (w - 1 * p)%V) with (angle w (w - 1 * project w p)%V) in L by lra.
  set (a := angle w (w - 1 * project w p)%V) in *. assert (R0 := norm_positive _ w N).
  assert (cos_pos : 0 < cos a) by (apply cos_gt_0; lra). assert (sin_pos : 0 < sin a) by (apply sin_gt_0; lra).
  assert (sin_is : norm w * sin a = 1 * norm (project w p) * cos a).
  { apply Rmult_eq_reg_r with (/ (norm w * cos a)).
    - unfold tan in T. replace (norm w * sin a * / (norm w * cos a)) with (sin a / cos a) by (field; lra). rewrite T.
      field. lra.
    - apply Rinv_neq_0_compat. nra. }
  assert (D : ⟨w, p⟩ = norm w * ⟨unit w, p⟩) by (unfold unit; rewrite dot_scale; field; lra). nra.
Qed.
