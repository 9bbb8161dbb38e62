(** The rate O(T^{-1/2}) to a stationary point, for any fixed step size (§2.3, after Arora et al. 2019).

    Assumed of f: scale-invariant, with a gradient and a second directional derivative H at every w ≠ 0, and on the unit
    sphere |H(w, u)| ≤ L‖u‖², ‖∇f‖ ≤ G and max f − min f ≤ D. Everything else is proved. *)
From Tangency Require Import inner_product sums eq_04_orthogonality lemma_2_1_gd_norm_growth.

(** ** Facts about real functions *)

(** A derivative that is nowhere positive on [0, 1] lets a function only fall. *)
Lemma falls F F' : (forall s, 0 <= s <= 1 -> derivable_pt_lim F s (F' s)) -> (forall s, 0 <= s <= 1 -> F' s <= 0) ->
  forall s, 0 <= s <= 1 -> F s <= F 0.
Proof.
  intros D N s S. destruct (Req_dec s 0) as [-> | Z]; [lra |].
  destruct (MVT_cor2 F F' 0 s ltac:(lra) ltac:(intros; apply D; lra)) as [c [E C]]. specialize (N c ltac:(lra)). nra.
Qed.

(** Taylor to second order, from above. *)
Lemma taylor F F1 F2 B : (forall s, 0 <= s <= 1 -> derivable_pt_lim F s (F1 s)) ->
  (forall s, 0 <= s <= 1 -> derivable_pt_lim F1 s (F2 s)) -> (forall s, 0 <= s <= 1 -> F2 s <= B) ->
  F 1 <= F 0 + F1 0 + B / 2.
Proof.
  intros D1 D2 HB.
  assert (S1 : forall s, 0 <= s <= 1 -> F1 s - B * s <= F1 0 - B * 0).
  { apply (falls (fun s => F1 s - B * s) (fun s => F2 s - B)).
    - intros s S. apply derivable_pt_lim_minus; [now apply D2 |].
      assert (K := derivable_pt_lim_scal id B s 1 (derivable_pt_lim_id s)).
      rewrite Rmult_1_r in K. exact K.
    - intros s S. specialize (HB s S). lra. }
  assert (S2 := falls (fun s => F s - F1 0 * s - B / 2 * (s * s)) (fun s => F1 s - F1 0 - B / 2 * (1 * s + s * 1))).
  assert (Q : F 1 - F1 0 * 1 - B / 2 * (1 * 1) <= F 0 - F1 0 * 0 - B / 2 * (0 * 0)).
  { apply S2; [| | lra].
    - intros s S. apply derivable_pt_lim_minus; [apply derivable_pt_lim_minus; [now apply D1 |] |].
      + assert (K := derivable_pt_lim_scal id (F1 0) s 1 (derivable_pt_lim_id s)). rewrite Rmult_1_r in K. exact K.
      + exact (derivable_pt_lim_scal (mult_fct id id) (B / 2) s _
          (derivable_pt_lim_mult id id s 1 1 (derivable_pt_lim_id s) (derivable_pt_lim_id s))).
    - intros s S. specialize (S1 s S). lra. }
  lra.
Qed.

Lemma ln_below z : 0 < z -> ln z <= z - 1.
Proof. intros Z. assert (H := exp_ineq1_le (ln z)). rewrite exp_ln in H; lra. Qed.

(** x ≤ (1 + x) ln(1 + x) *)
Lemma ln_above x : 0 <= x -> x <= (1 + x) * ln (1 + x).
Proof.
  intros X. assert (H := ln_below (/ (1 + x)) ltac:(apply Rinv_0_lt_compat; lra)). rewrite ln_Rinv in H by lra.
  apply (Rmult_le_compat_l (1 + x)) in H; [| lra].
  replace ((1 + x) * (/ (1 + x) - 1)) with (- x) in H by (field; lra). lra.
Qed.

Lemma ln_monotone x y : 0 < x -> x <= y -> ln x <= ln y.
Proof. intros X [H | ->]; [now apply Rlt_le, ln_increasing | lra]. Qed.

(** ** The certificate, for any tangent updates: SGDP's, and those of GD on a scale-invariant function *)
Lemma tangent_growth (E : space) (η : R) (w q : nat -> E) : (forall t, ⟨w t, q t⟩ = 0) ->
  (forall t, w (S t) = (w t - η * q t)%V) -> forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖q t‖².
Proof. intros T U t. rewrite U. apply tangent_step, T. Qed.

Lemma tangent_total (E : space) (η : R) (w q : nat -> E) : (forall t, ⟨w t, q t⟩ = 0) ->
  (forall t, w (S t) = (w t - η * q t)%V) -> forall T, ‖w T‖² - ‖w O‖² = η^2 * (Σ t < T, (‖q t‖²)).
Proof.
  intros P U. induction T as [| T IH]; [simpl; ring |]. rewrite (tangent_growth E η w q P U). cbn [sum]. lra.
Qed.

Lemma tangent_never_shrinks (E : space) (η : R) (w q : nat -> E) : (forall t, ⟨w t, q t⟩ = 0) ->
  (forall t, w (S t) = (w t - η * q t)%V) -> forall t T, (t <= T)%nat -> ‖w t‖² <= ‖w T‖².
Proof.
  intros P U t. induction 1 as [| T _ IH]; [lra |]. rewrite (tangent_growth E η w q P U).
  assert (0 <= η^2 * ‖q T‖²) by (apply Rmult_le_pos; [apply square_nonneg | apply dot_nonneg]). lra.
Qed.

Theorem rate_certificate : forall (E : space) (η : R) (w q : nat -> E),
  η <> 0 -> (forall t, ⟨w t, q t⟩ = 0) -> (forall t, w (S t) = (w t - η * q t)%V) ->
  (forall T, (0 < T)%nat ->
    exists t, (t < T)%nat /\ ‖w t‖² * ‖q t‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)).
Proof.
  intros E η w q N P U T T0. apply one_below_mean; [exact T0 |]. assert (TP := lt_0_INR T T0).
  rewrite (tangent_total E η w q P U). assert (H := pow_nonzero η 2 N).
  replace (INR T * (‖w T‖² * (η^2 * (Σ t < T, (‖q t‖²))) / (η^2 * INR T))) with (‖w T‖² * (Σ t < T, (‖q t‖²)))
    by (field; split; [lra | exact N]).
  rewrite sum_scale. apply sum_le. intros t L. apply Rmult_le_compat_r; [apply dot_nonneg |].
  apply (tangent_never_shrinks E η w q P U). lia.
Qed.

(** ** Down a smooth scale-invariant function *)
Section Rate.
Variables (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R) (L G D : R).
Hypotheses (invariant : scale_invariant f) (has_gradient : forall w, w <> vzero -> gradient f w (grad w)).
Hypothesis has_curvature : forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u).
Hypothesis curvature : forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖².
Hypothesis slope : forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2.
Hypothesis spread : forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D.
Hypothesis L_nonneg : 0 <= L.

(** ∇f has degree −1 … *)
Lemma grad_scale c w : 0 < c -> w <> vzero -> grad (c * w) = ((/ c) * grad w)%V.
Proof.
  intros C N. apply (gradient_unique E f (c * w)%V).
  - apply has_gradient. apply scale_nonzero; auto; lra.
  - apply homogeneity; auto.
Qed.

(** … so that ‖∇f(ŵ)‖² = ‖w‖² ‖∇f(w)‖² … *)
Lemma grad_on_sphere w : w <> vzero -> ‖grad (unit w)‖² = ‖w‖² * ‖grad w‖².
Proof.
  intros N. assert (P := norm_positive E w N). unfold unit.
  rewrite grad_scale by (auto; now apply Rinv_0_lt_compat). gram. rewrite Rinv_inv. rewrite <- (norm_square E w). ring.
Qed.

(** … and the curvature has degree −2. *)
Lemma curvature_scale c w u : 0 < c -> w <> vzero -> H (c * w)%V u = / c * (/ c * H w u).
Proof.
  intros C N. assert (CN : (c * w)%V <> vzero) by (apply scale_nonzero; auto; lra).
  apply (uniqueness_limite (fun s => ⟨grad (c * w + s * u)%V, u⟩) 0).
  - now apply has_curvature.
  - assert (K := has_curvature w u N).
    assert (M := derivable_pt_lim_comp (fun s => / c * s) (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (/ c) (H w u)).
    cbv beta in M. rewrite Rmult_0_r in M. specialize (fun d => M d K).
    assert (I := derivable_pt_lim_scal id (/ c) 0 1 (derivable_pt_lim_id 0)). rewrite Rmult_1_r in I. specialize (M I).
    assert (Q := derivable_pt_lim_scal _ (/ c) 0 _ M). rewrite (Rmult_comm (H w u)) in Q.
    (* near s = 0 the point w + (s/c)u is not zero *)
    assert (P := dot_positive E w N).
    intros eps Heps. destruct (Q eps Heps) as [d Hd].
    set (e := ‖w‖² / (2 * (Rabs ⟨w, u⟩ + 1)) * c). assert (Epos : 0 < e).
    { unfold e. apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat; [exact P |] | exact C].
      assert (A := Rabs_pos ⟨w, u⟩). lra. }
    exists (mkposreal (Rmin d e) (Rmin_pos _ _ (cond_pos d) Epos)). intros h h0 hd. simpl in hd.
    assert (hd1 : Rabs h < d) by (eapply Rlt_le_trans; [exact hd | apply Rmin_l]).
    assert (hd2 : Rabs h < e) by (eapply Rlt_le_trans; [exact hd | apply Rmin_r]).
    specialize (Hd h h0 hd1). unfold mult_real_fct, comp, id in Hd.
    assert (shape : forall s, (c * (w + (/ c * s) * u))%V = (c * w + s * u)%V).
    { intros s. rewrite vadd_scale, vscale_mul. f_equal. f_equal. field. lra. }
    assert (away : forall s, Rabs s < e -> (w + (/ c * s) * u)%V <> vzero).
    { intros s Hs Z. assert (K0 : ⟨w, w + (/ c * s) * u⟩ = 0) by now rewrite Z, dot_zero_r.
      revert K0. gram. intros K0. assert (A := Rabs_pos ⟨w, u⟩).
      assert (B : Rabs (/ c * s * ⟨w, u⟩) < ‖w‖²).
      { rewrite !Rabs_mult, (Rabs_pos_eq (/ c)) by (apply Rlt_le, Rinv_0_lt_compat, C).
        apply Rle_lt_trans with (/ c * e * Rabs ⟨w, u⟩).
        - apply Rmult_le_compat_r; [exact A |]. apply Rmult_le_compat_l; [apply Rlt_le, Rinv_0_lt_compat, C | lra].
        - unfold e. replace (/ c * (‖w‖² / (2 * (Rabs ⟨w, u⟩ + 1)) * c) * Rabs ⟨w, u⟩)
            with (‖w‖² * (Rabs ⟨w, u⟩ / (2 * (Rabs ⟨w, u⟩ + 1)))) by (field; lra).
          rewrite <- (Rmult_1_r ‖w‖²) at 2. apply Rmult_lt_compat_l; [exact P |].
          apply Rmult_lt_reg_r with (2 * (Rabs ⟨w, u⟩ + 1)); [lra |]. unfold Rdiv.
          rewrite Rmult_assoc, Rinv_l by lra. lra. }
      apply Rabs_def2 in B. lra. }
    assert (G1 : forall s, Rabs s < e -> ⟨grad (c * w + s * u)%V, u⟩ = / c * ⟨grad (w + (/ c * s) * u)%V, u⟩).
    { intros s Hs. rewrite <- shape, grad_scale by auto. now rewrite dot_scale. }
    rewrite (G1 (0 + h)), (G1 0) by (rewrite ?Rplus_0_l, ?Rabs_R0; auto). exact Hd.
Qed.

Lemma curvature_everywhere w u : w <> vzero -> Rabs (H w u) <= L * ‖u‖² / ‖w‖².
Proof.
  intros N. assert (P := norm_positive E w N). rewrite <- (norm_times_unit E w) at 1.
  rewrite curvature_scale by (auto; now apply unit_nonzero).
  assert (K := curvature (unit w) u (unit_square E w N)).
  assert (I : 0 < / norm w) by now apply Rinv_0_lt_compat.
  rewrite !Rabs_mult, (Rabs_pos_eq (/ norm w)) by lra. rewrite <- (norm_square E w).
  replace (L * ‖u‖² / (norm w * norm w)) with (/ norm w * (/ norm w * (L * ‖u‖²))) by (field; lra).
  apply Rmult_le_compat_l; [lra |]. apply Rmult_le_compat_l; [lra | exact K].
Qed.

(** ** Descent *)
Variable η : R.
Hypothesis η_pos : 0 < η.

(** The segment of a tangent step stays outside the ball of radius ‖w‖. *)
Lemma segment (w g : E) s : ⟨w, g⟩ = 0 -> ‖w‖² <= ‖w + s * g‖².
Proof. intros T. gram. rewrite T. assert (Q := dot_nonneg E g). assert (0 <= s * s) by nra. nra. Qed.

Theorem descent w : w <> vzero ->
  f (w - η * grad w)%V <= f w - η * ‖grad w‖² * (1 - η * L / (2 * ‖w‖²)).
Proof.
  intros N. set (g := grad w). set (u := ((- η) * g)%V).
  assert (T : ⟨w, g⟩ = 0) by (apply (orthogonality E f invariant), has_gradient, N).
  assert (P := dot_positive E w N).
  assert (away : forall s, (w + s * u)%V <> vzero).
  { intros s Z. assert (K := segment w u s). unfold u in K at 1. rewrite dot_scale_r, T in K.
    specialize (K ltac:(ring)). rewrite Z, dot_zero in K. lra. }
  assert (step : (w - η * g)%V = (w + 1 * u)%V) by (vector; unfold u; gram; ring).
  assert (here : w = (w + 0 * u)%V) by now rewrite vscale_zero, vadd_zero.
  assert (move : forall s r, (w + (s + r) * u)%V = (w + s * u + r * u)%V).
  { intros. now rewrite vscale_add, vadd_assoc. }
  assert (Tay := taylor (fun s => f (w + s * u)%V) (fun s => ⟨grad (w + s * u)%V,
    u⟩) (fun s => H (w + s * u)%V u) (L * ‖u‖² / ‖w‖²)).
  cbv beta in Tay. rewrite <- here, <- step in Tay.
  eapply Rle_trans; [apply Tay | right].
  - intros s _. apply derivative_shift. eapply derivative_ext; [| apply (has_gradient (w + s * u)%V), away].
    intros r. cbv beta. now rewrite move.
  - intros s _. apply derivative_shift. eapply derivative_ext; [| apply (has_curvature (w + s * u)%V u), away].
    intros r. cbv beta. now rewrite move.
  - intros s _. eapply Rle_trans; [apply Rle_abs |]. eapply Rle_trans; [apply curvature_everywhere, away |].
    assert (K : ‖w‖² <= ‖w + s * u‖²) by (apply segment; unfold u; rewrite dot_scale_r, T; ring).
    unfold Rdiv. apply Rmult_le_compat_l; [apply Rmult_le_pos; [exact L_nonneg | apply dot_nonneg] |].
    apply Rinv_le_contravar; lra.
  - fold g. unfold u. gram. field. lra.
Qed.

(** ** The norm stops growing *)
Variables (w : nat -> E).
Hypotheses (start : w O <> vzero) (update : forall t, w (S t) = (w t - η * grad (w t))%V).

Definition r t := ‖w t‖².

Lemma never_zero t : w t <> vzero /\ r O <= r t.
Proof.
  induction t as [| t [N M]]; [split; [exact start | lra] |].
  assert (T : ⟨w t, grad (w t)⟩ = 0) by (apply (orthogonality E f invariant), has_gradient, N).
  assert (K : r t <= r (S t)).
  { unfold r. rewrite update. replace (w t - η * grad (w t))%V with (w t + (- η) * grad (w t))%V by (vector; ring).
    now apply segment. }
  split; [| lra]. apply positive_nonzero. apply Rlt_le_trans with (2 := K). apply dot_positive, N.
Qed.

Lemma r_positive t : 0 < r t.
Proof. apply dot_positive, never_zero. Qed.

Lemma gradients_tangent t : ⟨w t, grad (w t)⟩ = 0.
Proof. apply (orthogonality E f invariant), has_gradient, never_zero. Qed.

Lemma growth t : r (S t) = r t + η^2 * ‖grad (w t)‖².
Proof. exact (tangent_growth E η w _ gradients_tangent update t). Qed.

Lemma relative_growth t : r (S t) - r t <= r t * (η^2 * G^2 / r O ^ 2).
Proof.
  rewrite growth. assert (N := proj1 (never_zero t)). assert (M := proj2 (never_zero t)).
  assert (P := r_positive t). assert (P0 := r_positive O).
  assert (S := slope (unit (w t)) (unit_square E (w t) N)). rewrite grad_on_sphere in S by exact N. fold (r t) in S.
  apply Rmult_le_reg_r with (r t); [exact P |].
  replace ((r t + η^2 * ‖grad (w t)‖² - r t) * r t) with (η^2 * (r t * ‖grad (w t)‖²)) by ring.
  apply Rle_trans with (η^2 * G^2); [apply Rmult_le_compat_l; [apply pow2_ge_0 | exact S] |].
  replace (r t * (η^2 * G^2 / r O ^ 2) * r t) with (η^2 * G^2 * (r t / r O * (r t / r O))) by (field; lra).
  assert (Q : 1 <= r t / r O).
  { apply Rmult_le_reg_r with (r O); [exact P0 |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  assert (C : 0 <= η^2 * G^2) by (apply Rmult_le_pos; apply pow2_ge_0).
  rewrite <- (Rmult_1_r (η^2 * G^2)) at 1. apply Rmult_le_compat_l; [exact C |]. rewrite <- (Rmult_1_r 1) at 1.
  apply Rmult_le_compat; lra.
Qed.

Lemma f_on_sphere (x : E) : x <> vzero -> f x = f (unit x).
Proof. intros N. rewrite <- (norm_times_unit E x) at 1. apply invariant, norm_positive, N. Qed.

(** The sum telescopes against a logarithm. *)
Lemma telescoped T : (r T - r O) / η + f (w T) - f (w O) <= L / 2 * (1 + η^2 * G^2 / r O ^ 2) * (ln (r T) - ln (r O)).
Proof.
  set (M := η^2 * G^2 / r O ^ 2). induction T as [| T IH].
  - right. unfold Rdiv. ring.
  - assert (N := proj1 (never_zero T)). assert (P := r_positive T). assert (P' := r_positive (S T)).
    assert (descends := descent (w T) N). rewrite <- update in descends.
    assert (Gr := growth T). assert (Rel := relative_growth T). fold M in Rel. fold (r T) in descends.
    set (g := ‖grad (w T)‖²) in *. set (x := (r (S T) - r T) / r T).
    assert (X : 0 <= x).
    { apply Rmult_le_pos; [| apply Rlt_le, Rinv_0_lt_compat, P]. rewrite Gr. assert (0 <= η^2 * g); [| lra].
      apply Rmult_le_pos; [apply pow2_ge_0 | apply dot_nonneg]. }
    assert (XM : x <= M).
    { unfold x. apply Rmult_le_reg_r with (r T); [exact P |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
    assert (Lx : ln (1 + x) = ln (r (S T)) - ln (r T)).
    { replace (1 + x) with (r (S T) * / r T) by (unfold x; field; lra).
      rewrite ln_mult, ln_Rinv; [ring | exact P | exact P' | now apply Rinv_0_lt_compat]. }
    assert (Ln := ln_above x X). assert (Lpos : 0 <= ln (1 + x)) by (rewrite <- ln_1; apply ln_monotone; lra).
    assert (XL : x <= (1 + M) * ln (1 + x)) by (eapply Rle_trans; [exact Ln |]; apply Rmult_le_compat_r; lra).
    assert (form : η * g * (1 - η * L / (2 * r T)) = (r (S T) - r T) / η - L / 2 * x).
    { unfold x. rewrite Gr. field. lra. }
    rewrite form in descends. apply (Rmult_le_compat_l (L / 2)) in XL; [| lra]. rewrite Lx in XL.
    replace ((r (S T) - r O) / η) with ((r (S T) - r T) / η + (r T - r O) / η) by (field; lra). lra.
Qed.

Variables K R0 : R.
Hypotheses (K_is : K = η * L / 2 * (1 + η^2 * G^2 / r O ^ 2)).
Hypotheses (R0_is : R0 = 2 * (r O + η * D - 2 * K + 2 * K^2 / r O)).

Lemma norm_is_bounded T : r T <= R0.
Proof.
  assert (P0 := r_positive O). assert (P := r_positive T). assert (Tel := telescoped T).
  assert (NT := proj1 (never_zero T)).
  assert (S := spread (unit (w O)) (unit (w T)) (unit_square E _ start) (unit_square E _ NT)).
  rewrite <- !f_on_sphere in S by assumption. rewrite R0_is. set (M := η^2 * G^2 / r O ^ 2) in *.
  assert (M0 : 0 <= M).
  { apply Rmult_le_pos; [apply Rmult_le_pos; apply pow2_ge_0 | apply Rlt_le, Rinv_0_lt_compat, pow_lt, P0]. }
  assert (K0 : 0 <= K) by (rewrite K_is; apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rmult_le_pos |] |]; lra).
  assert (main : r T - r O <= η * D + K * (ln (r T) - ln (r O))).
  { apply (Rmult_le_compat_l η) in Tel; [| lra]. rewrite K_is.
    replace (η * ((r T - r O) / η + f (w T) - f (w O))) with (r T - r O - η * (f (w O) - f (w T))) in Tel by (field;
      lra).
    apply (Rmult_le_compat_l η) in S; [| lra]. lra. }
  destruct (Rle_lt_or_eq_dec _ _ K0) as [KP | KZ].
  - set (a := 2 * K / r O). assert (A : 0 < a) by (apply Rdiv_lt_0_compat; lra).
    assert (L1 := ln_below (r T / r O / a) ltac:(apply Rdiv_lt_0_compat; [apply Rdiv_lt_0_compat |]; assumption)).
    assert (L2 := ln_below a A).
    replace (ln (r T / r O / a)) with (ln (r T) - ln (r O) - ln a) in L1.
    2: { assert (I0 := Rinv_0_lt_compat _ P0). assert (IA := Rinv_0_lt_compat _ A).
    assert (PI0 := Rmult_lt_0_compat _ _ P I0).
         unfold Rdiv. rewrite (ln_mult _ (/ a)), (ln_mult _ (/ r O)), !ln_Rinv by assumption. ring. }
    assert (L3 : ln (r T) - ln (r O) <= r T / r O / a + a - 2) by lra.
    apply (Rmult_le_compat_l K) in L3; [| exact K0].
    replace (K * (r T / r O / a + a - 2)) with (r T / 2 + 2 * K^2 / r O - 2 * K) in L3 by (unfold a; field; lra). lra.
  - rewrite <- KZ in *. replace (2 * 0^2 / r O) with 0 by (field; lra). nra.
Qed.

End Rate.

Theorem rate : forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R) (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> 0 < η -> w O <> vzero ->
  (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat ->
    exists t, (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0).
Proof.
  intros E f grad H L G D η K R0 w I D1 D2 curvature slope spread L0 η0 N U K_is R0_is. split.
  - intros T T0. destruct (rate_certificate E η w (fun t => grad (w t))) with (T := T) as [t [Ht B]].
    + lra.
    + intros t. now apply (gradients_tangent E f grad I D1 η).
    + exact U.
    + exact T0.
    + exists t. split; [exact Ht |]. rewrite (grad_on_sphere E f grad); auto.
      now apply (never_zero E f grad I D1 η).
  - intros t. now apply (norm_is_bounded E f grad H L G D I D1 D2 curvature slope spread L0 η η0 w N U K R0).
Qed.
