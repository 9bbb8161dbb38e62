(** Corollary 2.3: bursts A_k = 2^k at k = 2^j have a ratio without a limit. *)
From Coq Require Import PeanoNat.
From Tangency Require Import inner_product sums corollary_2_3_asymptotic_ratio.

Lemma burst_at j : bursts (2^j) = 2^(2^j)%nat.
Proof.
  unfold bursts. rewrite Nat.log2_pow2 by lia. now rewrite Nat.eqb_refl.
Qed.

Lemma quiet_between j k : (2^j < k < 2^(S j))%nat -> bursts k = 0.
Proof.
  intros [A B]. unfold bursts. rewrite (Nat.log2_unique' k j (k - 2^j)) by (simpl in *; lia).
  assert (N : (2^j =? k)%nat = false) by (apply Nat.eqb_neq; lia). now rewrite N.
Qed.

Lemma bursts_nonneg k : 0 <= bursts k.
Proof. unfold bursts. destruct Nat.eqb; [apply pow_le |]; lra. Qed.

(** All earlier terms together are less than the next power of two. *)
Lemma total_below T : total bursts T <= 2^T - 1.
Proof.
  induction T as [| T IH]; [unfold total; simpl; lra |]. rewrite total_grows. simpl.
  assert (bursts T <= 2^T) by (unfold bursts; destruct Nat.eqb; [lra | apply pow_le; lra]). lra.
Qed.

Section NoLimit.
Variable β : R.
Hypothesis β_bounds : 0 < β < 1.
Notation x := (recent β bursts).

Lemma total_positive_after j : 0 < total bursts (S (2^j)).
Proof.
  rewrite total_grows, burst_at. assert (P := total_nonneg bursts bursts_nonneg (2^j)).
  assert (0 < 2^(2^j)%nat) by (apply pow_lt; lra). lra.
Qed.

(** Right after a burst at least β/2 … *)
Lemma after_burst j : β / 2 <= x (S (2^j)).
Proof.
  assert (P := total_positive_after j). unfold recent. rewrite discounted_S.
  assert (D := discounted_nonneg β bursts β_bounds bursts_nonneg (2^j)). assert (B := total_below (2^j)).
  rewrite total_grows in *. rewrite burst_at in *. set (y := 2^(2^j)%nat) in *.
  apply Rmult_le_reg_r with (1 := P). unfold Rdiv at 2. rewrite (Rmult_assoc (β * _)), Rinv_l, Rmult_1_r by lra.
  assert (0 <= β * discounted β bursts (2^j)) by (apply Rmult_le_pos; lra). nra.
Qed.

(** … and between bursts it decays geometrically. *)
Lemma decay j m : (S (2^j) + m <= 2^(S j))%nat -> x (S (2^j) + m)%nat = β^m * x (S (2^j)).
Proof.
  induction m as [| m IH]; intros H; [rewrite Nat.add_0_r; simpl; ring |]. rewrite Nat.add_succ_r.
  assert (Q : bursts (S (2^j) + m)%nat = 0) by (apply (quiet_between j); lia).
  assert (S' := total_mono bursts bursts_nonneg (S (2^j)) (S (2^j) + m) ltac:(lia)).
  assert (P := total_positive_after j).
  rewrite (recursion β bursts bursts_nonneg (S (2^j) + m)) by lra. rewrite IH by lia.
  unfold last. rewrite Q. unfold Rdiv. rewrite Rmult_0_l. simpl. ring.
Qed.

Lemma below_one T : 0 < total bursts T -> x T <= 1.
Proof.
  intros P. unfold recent. apply Rmult_le_reg_r with (1 := P). unfold Rdiv.
  rewrite Rmult_assoc, Rinv_l, Rmult_1_r, Rmult_1_l by lra.
  unfold discounted, total. apply sum_le. intros k K. rewrite <- (Rmult_1_l (bursts k)) at 2.
  apply Rmult_le_compat_r; [apply bursts_nonneg |]. assert (Q := pow_incr β 1 (T - k) ltac:(lra)).
  now rewrite pow1 in Q.
Qed.

Lemma log_grows j : (j < 2^j)%nat.
Proof. apply Nat.pow_gt_lin_r. lia. Qed.

Theorem recent_has_no_limit X : ~ Un_cv x X.
Proof.
  intros L. destruct (L (β / 8) ltac:(lra)) as [N H].
  destruct (pow_lt_1_zero β ltac:(rewrite Rabs_pos_eq; lra) (β / 8) ltac:(lra)) as [M K].
  assert (Js : exists j, (N <= j)%nat /\ (M < j)%nat) by (exists (S (Nat.max N M)); lia).
  destruct Js as [j [JN JM]]. assert (J := log_grows j).
  assert (H1 := H (S (2^j)) ltac:(lia)). assert (H2 := H (2^(S j))%nat ltac:(simpl; lia)).
  assert (A := after_burst j). assert (D := decay j (2^j - 1) ltac:(simpl; lia)).
  replace (S (2^j) + (2^j - 1))%nat with (2^(S j))%nat in D by (simpl; lia).
  assert (B := below_one (S (2^j)) (total_positive_after j)). specialize (K (2^j - 1)%nat ltac:(lia)).
  rewrite Rabs_pos_eq in K by (apply pow_le; lra). assert (0 <= β^(2^j - 1)) by (apply pow_le; lra).
  unfold R_dist in *. rewrite D in H2. apply Rabs_def2 in H1. apply Rabs_def2 in H2.
  assert (β^(2^j - 1) * x (S (2^j)) <= β / 8).
  { rewrite <- (Rmult_1_r (β / 8)). apply Rmult_le_compat; lra. }
  lra.
Qed.

Theorem bursts_have_no_limit l : ~ Un_cv (ratio β bursts) l.
Proof.
  intros L. apply (recent_has_no_limit ((1 - β) / 2 * (limit β - l))). intros eps Heps.
  assert (C : 0 < 2 / (1 - β) * eps) by (apply Rmult_lt_0_compat; [apply Rdiv_lt_0_compat |]; lra).
  destruct (L _ C) as [N H]. exists (Nat.max N 2). intros T T0. specialize (H T ltac:(lia)). unfold R_dist in *.
  assert (P : 0 < total bursts T).
  { apply Rlt_le_trans with (total bursts (S (2^0))); [apply total_positive_after | apply total_mono;
      [apply bursts_nonneg | simpl; lia]]. }
  assert (I := exact_identity β bursts β_bounds T ltac:(lra)).
  replace (x T - (1 - β) / 2 * (limit β - l)) with (- ((1 - β) / 2) * (ratio β bursts T - l)).
  2: { replace (ratio β bursts T) with (limit β - 2 / (1 - β) * x T) by lra. field. lra. }
  rewrite Rabs_mult, Rabs_Ropp, (Rabs_pos_eq ((1 - β) / 2)) by lra.
  apply (Rmult_lt_compat_l ((1 - β) / 2)) in H; [| lra].
  replace ((1 - β) / 2 * (2 / (1 - β) * eps)) with eps in H by (field; lra).
  exact H.
Qed.
End NoLimit.

Theorem corollary_2_3_bursts : forall β l : R, 0 < β -> β < 1 ->
  ~ Un_cv (fun t => (Σ k < t, (bursts k + 2 * (Σ j < k, (β^(k - j) * bursts j)))) / (Σ k < t, (bursts k))) l.
Proof. intros β l B0 B1. exact (bursts_have_no_limit β (conj B0 B1) l). Qed.
