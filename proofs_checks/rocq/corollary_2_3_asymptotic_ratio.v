(** Corollary 2.3, the asymptotic ratio of norm growths (§2.4; proof in Appendix A.2). *)
From Tangency Require Import inner_product sums.
From Tangency Require Import eq_04_orthogonality lemma_2_1_gd_norm_growth lemma_2_2_momentum_norm_growth.

Section Sequences.
Variables (β : R) (A : nat -> R).
Hypotheses (β_bounds : 0 < β < 1) (A_nonneg : forall k, 0 <= A k).

(** S, the sum of A_k; D, the discounted sum of Lemma 2.2; N, all the discounted sums so far. *)
Definition total T := Σ k < T, (A k).
Definition discounted T := Σ k < T, (β^(T - k) * A k).
Definition accumulated T := Σ k < T, (discounted k).
(** The ratio of growths with and without momentum, after T steps with the same ‖p_k‖² = A_k. *)
Definition ratio T := (Σ k < T, (A k + 2 * (Σ j < k, (β^(k - j) * A j)))) / (Σ k < T, (A k)).
Definition limit := 1 + 2 * β / (1 - β).
(** x_t, what the recent updates weigh, and a_t, what the last one weighs. *)
Definition recent T := discounted T / total T.
Definition last T := A T / total (S T).

Lemma discounted_S T : discounted (S T) = β * (discounted T + A T).
Proof. apply discounted_step. Qed.

Lemma discounted_nonneg T : 0 <= discounted T.
Proof. apply sum_nonneg. intros k. apply Rmult_le_pos; [apply pow_le; lra | apply A_nonneg]. Qed.

Lemma total_nonneg T : 0 <= total T.
Proof. now apply sum_nonneg. Qed.

Lemma recent_nonneg T : 0 <= recent T.
Proof.
  unfold recent. destruct (total_nonneg T) as [P | P].
  - apply Rmult_le_pos; [apply discounted_nonneg | apply Rlt_le, Rinv_0_lt_compat, P].
  - rewrite <- P. unfold Rdiv. rewrite Rinv_0. lra.
Qed.

Lemma accumulated_closed T : (1 - β) * accumulated T = β * total T - discounted T.
Proof.
  induction T as [| T IH]; [unfold accumulated, total, discounted; simpl; ring |].
  rewrite discounted_S. unfold accumulated, total in *. simpl. lra.
Qed.

Theorem exact_identity T : total T <> 0 -> limit - ratio T = 2 / (1 - β) * recent T.
Proof.
  intros N. unfold ratio. fold (total T).
  replace (Σ k < T, (A k + 2 * (Σ j < k, (β^(k - j) * A j)))) with (total T + 2 * accumulated T)
    by (unfold accumulated, total; rewrite sum_scale, sum_plus; reflexivity).
  assert (C := accumulated_closed T).
  replace (accumulated T) with ((β * total T - discounted T) / (1 - β)) by (rewrite <- C; field; lra).
  unfold limit, recent. field. lra.
Qed.

Theorem never_exceeded T : total T <> 0 -> ratio T <= limit.
Proof.
  intros N. assert (I := exact_identity T N). assert (X := recent_nonneg T).
  assert (0 <= 2 / (1 - β) * recent T); [| lra].
  apply Rmult_le_pos; [apply Rlt_le, Rdiv_lt_0_compat; lra | exact X].
Qed.

(** At a finite t the ratio falls short of its limit by at most this. *)
Theorem finite_bound M T : (forall k, (k < T)%nat -> A k <= M) -> 0 < total T ->
  limit - ratio T <= 2 * β * (1 - β^T) / (1 - β)^2 * (M / total T).
Proof.
  intros B P. rewrite exact_identity by lra. unfold recent.
  assert (D : (1 - β) * discounted T <= β * (1 - β^T) * M).
  { clear P. induction T as [| T IH]; [unfold discounted; simpl; lra |]. rewrite discounted_S.
    assert (H1 := IH ltac:(intros; apply B; lia)). assert (H2 := B T ltac:(lia)).
    apply (Rmult_le_compat_l β) in H1; [| lra]. apply (Rmult_le_compat_l (β * (1 - β))) in H2; [| nra]. simpl. lra. }
  assert (I : 0 < / (1 - β)) by (apply Rinv_0_lt_compat; lra). assert (J : 0 < / total T) by now apply Rinv_0_lt_compat.
  replace (2 / (1 - β) * (discounted T / total T))
    with (2 * / (1 - β) * / (1 - β) * / total T * ((1 - β) * discounted T)) by (field; lra).
  replace (2 * β * (1 - β^T) / (1 - β)^2 * (M / total T))
    with (2 * / (1 - β) * / (1 - β) * / total T * (β * (1 - β^T) * M)) by (field; lra).
  apply Rmult_le_compat_l; [| exact D]. repeat apply Rmult_le_pos; lra.
Qed.

(** ** The limit *)
Hypothesis not_all_zero : exists k, 0 < A k.

Lemma total_grows T : total (S T) = total T + A T.
Proof. reflexivity. Qed.

Lemma total_mono m n : (m <= n)%nat -> total m <= total n.
Proof. induction 1 as [| n _ IH]; [lra |]. rewrite total_grows. specialize (A_nonneg n). lra. Qed.

Lemma total_positive : exists N, forall T, (N <= T)%nat -> 0 < total T.
Proof.
  destruct not_all_zero as [k K]. exists (S k). intros T H. apply Rlt_le_trans with (total (S k)).
  - rewrite total_grows. assert (P := total_nonneg k). lra.
  - now apply total_mono.
Qed.

Lemma recursion T : 0 < total T -> recent (S T) = β * (1 - last T) * recent T + β * last T.
Proof.
  intros P. unfold recent, last. rewrite discounted_S, total_grows. assert (Q := A_nonneg T). field. lra.
Qed.

Lemma last_bounds T : 0 < total T -> 0 <= last T <= 1.
Proof.
  intros P. unfold last. rewrite total_grows. assert (Q := A_nonneg T). split.
  - apply Rmult_le_pos; [exact Q | apply Rlt_le, Rinv_0_lt_compat; lra].
  - apply Rmult_le_reg_r with (total T + A T); [lra |]. field_simplify; lra.
Qed.

(** x' ≤ βx + a and a → 0 force x → 0. *)
Lemma contraction (x a : nat -> R) N :
  (forall t, 0 <= x t) -> (forall t, (N <= t)%nat -> x (S t) <= β * x t + a t) -> Un_cv a 0 -> Un_cv x 0.
Proof.
  intros X H Z eps Heps.
  destruct (Z (eps * (1 - β) / 2)) as [N1 H1]; [apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; lra | lra] |].
  set (n := Nat.max N N1).
  assert (K : forall m, x (n + m)%nat <= β^m * x n + eps / 2).
  { induction m as [| m IH]; [rewrite Nat.add_0_r; simpl; lra |]. rewrite Nat.add_succ_r.
    assert (L := H (n + m)%nat ltac:(lia)). assert (Q := H1 (n + m)%nat ltac:(lia)).
    unfold R_dist in Q. rewrite Rminus_0_r in Q. apply Rabs_def2 in Q.
    apply (Rmult_le_compat_l β) in IH; [| lra]. simpl. lra. }
  destruct (pow_lt_1_zero β ltac:(rewrite Rabs_pos_eq; lra) (eps / 2 / (x n + 1))) as [N2 H2].
  { apply Rdiv_lt_0_compat; [lra |]. specialize (X n). lra. }
  exists (n + N2)%nat. intros t T. unfold R_dist. rewrite Rminus_0_r, Rabs_pos_eq by apply X.
  replace t with (n + (t - n))%nat by lia. apply Rle_lt_trans with (1 := K _).
  assert (Q := H2 (t - n)%nat ltac:(lia)). rewrite Rabs_pos_eq in Q by (apply pow_le; lra).
  assert (W := X n). assert (V : β^(t - n) * (x n + 1) < eps / 2).
  { apply Rmult_lt_reg_r with (/ (x n + 1)); [apply Rinv_0_lt_compat; lra |].
    replace (β^(t - n) * (x n + 1) * / (x n + 1)) with (β^(t - n)) by (field; lra). exact Q. }
  assert (0 <= β^(t - n)) by (apply pow_le; lra). lra.
Qed.

Lemma recent_iff_last : Un_cv recent 0 <-> Un_cv last 0.
Proof.
  destruct total_positive as [N P]. split; intros Z.
  - intros eps Heps. destruct (Z (β * eps) ltac:(apply Rmult_lt_0_compat; lra)) as [M H].
    exists (Nat.max N M). intros t T. specialize (H (S t) ltac:(lia)). unfold R_dist in *. rewrite Rminus_0_r in *.
    assert (Q := P t ltac:(lia)). assert (L := last_bounds t Q). assert (X := recent_nonneg t).
    rewrite Rabs_pos_eq in H by apply recent_nonneg. rewrite recursion in H by assumption.
    rewrite Rabs_pos_eq by lra. assert (0 <= β * (1 - last t) * recent t) by (apply Rmult_le_pos;
      [apply Rmult_le_pos |]; lra).
    apply Rmult_lt_reg_l with β; lra.
  - apply (contraction recent last N); [apply recent_nonneg | | exact Z]. intros t T.
    assert (Q := P t T). rewrite recursion by assumption. assert (L := last_bounds t Q). assert (X := recent_nonneg t).
    assert (0 <= β * last t * recent t) by (apply Rmult_le_pos; [apply Rmult_le_pos |]; lra).
    assert (β * last t <= last t) by nra. lra.
Qed.

Lemma ratio_iff_recent : Un_cv ratio limit <-> Un_cv recent 0.
Proof.
  destruct total_positive as [N P]. assert (C : 0 < 2 / (1 - β)) by (apply Rdiv_lt_0_compat; lra).
  assert (K : forall t, (N <= t)%nat -> Rabs (ratio t - limit) = 2 / (1 - β) * recent t).
  { intros t T. rewrite Rabs_minus_sym, exact_identity by (specialize (P t T); lra).
    apply Rabs_pos_eq, Rmult_le_pos; [lra | apply recent_nonneg]. }
  split; intros Z eps Heps.
  - destruct (Z (2 / (1 - β) * eps) ltac:(now apply Rmult_lt_0_compat)) as [M H]. exists (Nat.max N M). intros t T.
    specialize (H t ltac:(lia)). unfold R_dist in *. rewrite K in H by lia.
    rewrite Rminus_0_r, Rabs_pos_eq by apply recent_nonneg. now apply Rmult_lt_reg_l with (1 := C).
  - destruct (Z (eps / (2 / (1 - β))) ltac:(now apply Rdiv_lt_0_compat)) as [M H]. exists (Nat.max N M). intros t T.
    specialize (H t ltac:(lia)). unfold R_dist in *. rewrite Rminus_0_r, Rabs_pos_eq in H by apply recent_nonneg.
    rewrite K by lia. apply Rmult_lt_compat_l with (1 := C) in H.
    replace (2 / (1 - β) * (eps / (2 / (1 - β)))) with eps in H; [exact H |].
    field. lra.
Qed.

(** The weakest condition: the limit is reached exactly if single updates cease to matter. *)
Theorem limit_iff : Un_cv ratio limit <-> Un_cv last 0.
Proof. rewrite ratio_iff_recent. apply recent_iff_last. Qed.

(** The paper's condition: 0 < Σ A_k < ∞. *)
Theorem limit_of_summable l : Un_cv total l -> 0 < l -> Un_cv ratio limit.
Proof.
  intros C L. apply limit_iff. intros eps Heps.
  assert (E : 0 < Rmin (l / 2) (eps * l / 4)) by (apply Rmin_pos; [lra | apply Rdiv_lt_0_compat;
    [apply Rmult_lt_0_compat |]; lra]).
  destruct (C _ E) as [N H]. exists N. intros t T. assert (H0 := H t T). assert (H1 := H (S t) ltac:(lia)).
  unfold R_dist in *. apply Rabs_def2 in H0. apply Rabs_def2 in H1.
  assert (M1 := Rmin_l (l / 2) (eps * l / 4)). assert (M2 := Rmin_r (l / 2) (eps * l / 4)).
  assert (P : 0 < total (S t)) by lra. unfold last. rewrite Rminus_0_r, Rabs_pos_eq.
  - apply Rmult_lt_reg_r with (total (S t)); [exact P |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    rewrite total_grows in *. nra.
  - apply Rmult_le_pos; [apply A_nonneg | apply Rlt_le, Rinv_0_lt_compat, P].
Qed.

End Sequences.

(** ** Weights: with and without momentum, on scale-invariant functions of any spaces, with the same ‖p_t‖² *)
Lemma limit_ext (a b : nat -> R) l : (forall t, a t = b t) -> Un_cv a l -> Un_cv b l.
Proof. intros same C eps Heps. destruct (C eps Heps) as [N H]. exists N. intros t. rewrite <- same. apply H. Qed.

Lemma ratio_of_weights (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R) (w g p : nat -> E) (w' p' : nat -> E') :
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  forall t, ratio β (fun k => ‖p k‖²) t = (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²).
Proof.
  intros I G start buffer update I' G' update' H same t.
  assert (T : forall t, ⟨w t, g t⟩ = 0) by (intros; now apply (orthogonality E f)).
  rewrite (total_growth E η β τ w g p T start buffer update t).
  assert (GD : ‖w' t‖² - ‖w' O‖² = η^2 * (Σ k < t, (‖p k‖²))).
  { destruct (lemma_2_1 E' f' η w' p' I' G' update') as [K _].
    induction t as [| t IH]; [simpl; ring |]. rewrite K, <- same. cbn [sum]. lra. }
  rewrite GD. unfold ratio, Rdiv. rewrite Rinv_mult.
  set (x := Σ k < t, (‖p k‖² + 2 * (Σ j < k, (β^(k - j) * ‖p j‖²)))).
  replace (η^2 * x * (/ η^2 * / (Σ k < t, (‖p k‖²)))) with (η^2 * / η^2 * (x * / (Σ k < t, (‖p k‖²)))) by ring.
  rewrite Rinv_r by now apply pow_nonzero. ring.
Qed.

Lemma squares_nonneg (E : space) (p : nat -> E) k : 0 <= ‖p k‖².
Proof. apply dot_nonneg. Qed.

(** The weakest condition: single updates cease to matter. *)
Theorem corollary_2_3 : forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0 ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β)).
Proof.
  intros E E' f f' η β τ w g p w' p' I G s b u I' G' u' H B0 B1 same P C.
  apply limit_ext with (1 := ratio_of_weights E E' f f' η β τ w g p w' p' I G s b u I' G' u' H same).
  apply (limit_iff β (fun k => ‖p k‖²)); [lra | apply squares_nonneg | exact P | exact C].
Qed.

(** It is necessary as well. *)
Theorem corollary_2_3_converse : forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  (exists k, 0 < ‖p k‖²) -> Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β)) ->
  Un_cv (fun t => ‖p t‖² / (Σ k < S t, (‖p k‖²))) 0.
Proof.
  intros E E' f f' η β τ w g p w' p' I G s b u I' G' u' H B0 B1 same P C.
  apply (limit_iff β (fun k => ‖p k‖²)); [lra | apply squares_nonneg | exact P |]. revert C. apply limit_ext.
  intros t. symmetry.
  exact (ratio_of_weights E E' f f' η β τ w g p w' p' I G s b u I' G' u' H same t).
Qed.

(** The paper's condition: the sum of the ‖p_k‖² converges, and not to 0. *)
Theorem corollary_2_3_as_printed : forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E') (s : R),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  Un_cv (fun t => Σ k < t, (‖p k‖²)) s -> 0 < s ->
  Un_cv (fun t => (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²)) (1 + 2 * β / (1 - β)).
Proof.
  intros E E' f f' η β τ w g p w' p' l I G s b u I' G' u' H B0 B1 same C L.
  apply limit_ext with (1 := ratio_of_weights E E' f f' η β τ w g p w' p' I G s b u I' G' u' H same).
  apply (limit_of_summable β (fun k => ‖p k‖²)) with (l := l); [lra | apply squares_nonneg | | exact C | exact L].
  destruct (C l L) as [N Z]. specialize (Z N (Nat.le_refl N)). unfold R_dist in Z. apply Rabs_def2 in Z.
  assert (Q : 0 < Σ k < N, (‖p k‖²)) by lra. clear - Q. induction N as [| N IH]; simpl in Q; [lra |].
  destruct (dot_nonneg E (p N)) as [K | K]; [now exists N | apply IH; lra].
Qed.

(** The limit is never exceeded … *)
Theorem corollary_2_3_from_below : forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E'),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  (forall t, 0 < (Σ k < t, (‖p k‖²)) ->
    (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²) <= 1 + 2 * β / (1 - β)).
Proof.
  intros E E' f f' η β τ w g p w' p' I G s b u I' G' u' H B0 B1 same t P.
  rewrite <- (ratio_of_weights E E' f f' η β τ w g p w' p' I G s b u I' G' u' H same t).
  apply never_exceeded; [lra | apply squares_nonneg | now apply Rgt_not_eq].
Qed.

(** … and missed by this much at most. *)
Theorem corollary_2_3_at_finite_t : forall (E E' : space) (f : E -> R) (f' : E' -> R) (η β τ : R)
    (w g p : nat -> E) (w' p' : nat -> E') (M : R),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (w t - η * p t)%V) ->
  scale_invariant f' -> (forall t, gradient f' (w' t) (p' t)) -> (forall t, w' (S t) = (w' t - η * p' t)%V) ->
  η <> 0 -> 0 < β -> β < 1 -> (forall t, ‖p t‖² = ‖p' t‖²) ->
  (forall t, ‖p t‖² <= M) ->
  (forall t, 0 < (Σ k < t, (‖p k‖²)) ->
    1 + 2 * β / (1 - β) - (‖w t‖² - ‖w O‖²) / (‖w' t‖² - ‖w' O‖²) <=
      2 * β * (1 - β^t) / (1 - β)^2 * (M / (Σ k < t, (‖p k‖²)))).
Proof.
  intros E E' f f' η β τ w g p w' p' M I G s b u I' G' u' H B0 B1 same Hm t P.
  rewrite <- (ratio_of_weights E E' f f' η β τ w g p w' p' I G s b u I' G' u' H same t).
  now apply finite_bound; [| intros |].
Qed.

(** ** What happens without the condition *)
(** Growing updates A_k = ρ^k, ρ > 1: the ratio tends to 1 + 2β/(ρ − β). *)
Theorem corollary_2_3_geometric : forall β ρ : R, 0 < β -> β < 1 -> 1 < ρ ->
  Un_cv (fun t => (Σ k < t, (ρ^k + 2 * (Σ j < k, (β^(k - j) * ρ^j)))) / (Σ k < t, (ρ^k))) (1 + 2 * β / (ρ - β)).
Proof.
  intros β ρ β_pos β_below H. set (A := fun k => ρ^k). change (Un_cv (ratio β A) (1 + 2 * β / (ρ - β))).
  assert (β_bounds : 0 < β < 1) by lra.
  assert (T1 : forall T, total A T = (ρ^T - 1) / (ρ - 1)).
  { induction T as [| T IH]; [unfold total; simpl; field; lra |]. rewrite total_grows, IH. unfold A. simpl. field.
    lra. }
  assert (D1 : forall T, discounted β A T = β * (ρ^T - β^T) / (ρ - β)).
  { induction T as [| T IH]; [unfold discounted; simpl; field; lra |]. rewrite discounted_S, IH. unfold A. simpl.
    field. lra. }
  set (c := 2 * β / (1 - β) * ((ρ - 1) / (ρ - β))). assert (Cpos : 0 < c).
  { unfold c. apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat | apply Rdiv_lt_0_compat]; lra. }
  assert (big : forall T, 1 + INR T * (ρ - 1) <= ρ^T).
  { intros T. apply Rle_trans with ((1 + (ρ - 1))^T); [apply poly; lra | right; f_equal; ring]. }
  assert (gap : forall T, (1 <= T)%nat -> ratio β A T - (1 + 2 * β / (ρ - β)) = - (c * ((1 - β^T) / (ρ^T - 1)))).
  { intros T T0. assert (P : 1 < ρ^T).
    { specialize (big T). apply le_INR in T0. simpl in T0. nra. }
    assert (I := exact_identity β A β_bounds T). unfold recent in I. rewrite D1, T1 in I.
    assert (N : (ρ^T - 1) / (ρ - 1) <> 0) by (apply Rgt_not_eq, Rdiv_lt_0_compat; lra). specialize (I N).
    replace (ratio β A T) with (limit β - 2 / (1 - β) * (β * (ρ^T - β^T) / (ρ - β) / ((ρ^T - 1) / (ρ - 1)))) by lra.
    unfold limit, c. field. repeat split; lra. }
  clearbody c. clear T1 D1. intros eps Heps. destruct (natural_above (c / (eps * (ρ - 1)))) as [N HN].
  exists (S N). intros T T0. unfold R_dist. rewrite gap by lia. rewrite Rabs_Ropp.
  assert (B : 0 <= β^T) by (apply pow_le; lra). assert (B1 : β^T <= 1) by (rewrite <- (pow1 T); apply pow_incr; lra).
  assert (HT : c / (eps * (ρ - 1)) < INR T) by (apply Rlt_trans with (1 := HN); apply lt_INR; lia).
  assert (EP : 0 < eps * (ρ - 1)) by (apply Rmult_lt_0_compat; lra).
  assert (Q : 0 < INR T * (ρ - 1)).
  { apply Rmult_lt_0_compat; [| lra]. apply Rlt_trans with (2 := HT). now apply Rdiv_lt_0_compat. }
  specialize (big T). assert (V : 0 < / (ρ^T - 1)) by (apply Rinv_0_lt_compat; lra).
  rewrite Rabs_pos_eq by (apply Rmult_le_pos; [lra |]; apply Rmult_le_pos; lra).
  apply Rle_lt_trans with (c * (1 / (INR T * (ρ - 1)))).
  - apply Rmult_le_compat_l; [lra |]. unfold Rdiv. apply Rmult_le_compat; [lra | lra | lra |].
    apply Rinv_le_contravar; lra.
  - apply Rmult_lt_reg_r with (INR T * (ρ - 1)); [exact Q |]. unfold Rdiv.
    rewrite Rmult_1_l, Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    apply (Rmult_lt_compat_r (eps * (ρ - 1))) in HT; [| exact EP].
    unfold Rdiv in HT. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in HT by lra. lra.
Qed.
