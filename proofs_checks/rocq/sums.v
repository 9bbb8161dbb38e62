(** Finite sums Σ_{k<t}, discounted ones among them. *)
From Coq Require Import Lra Lia.
From Tangency Require Import vocabulary.

Lemma sum_eq t f g : (forall k, (k < t)%nat -> f k = g k) -> sum t f = sum t g.
Proof. induction t as [| t IH]; intros H; simpl; [reflexivity |]. rewrite IH, (H t); auto. Qed.

Lemma sum_scale t c f : c * sum t f = sum t (fun k => c * f k).
Proof. induction t as [| t IH]; simpl; [ring |]. rewrite <- IH. ring. Qed.

Lemma sum_plus t f g : sum t f + sum t g = sum t (fun k => f k + g k).
Proof. induction t as [| t IH]; simpl; [ring |]. rewrite <- IH. ring. Qed.

Lemma sum_le t f g : (forall k, (k < t)%nat -> f k <= g k) -> sum t f <= sum t g.
Proof.
  induction t as [| t IH]; intros H; simpl; [lra |].
  apply Rplus_le_compat; [apply IH; intros; apply H; lia | apply H; lia].
Qed.

Lemma sum_nonneg t f : (forall k, 0 <= f k) -> 0 <= sum t f.
Proof. intros H. induction t as [| t IH]; simpl; [lra |]. specialize (H t). lra. Qed.

(** One of T numbers is at most their mean. *)
Lemma one_below_mean T a b : (0 < T)%nat -> sum T a <= INR T * b -> exists t, (t < T)%nat /\ a t <= b.
Proof.
  intros T0 H.
  assert (search : forall n, (exists t, (t < n)%nat /\ a t <= b) \/ n = O \/ INR n * b < sum n a).
  { induction n as [| n IH]; [auto |]. destruct (Rle_or_lt (a n) b) as [Q | Q]; [left; exists n; auto |].
    destruct IH as [[t [L B]] | [-> | IH]]; [left; exists t; auto | right; right; simpl; lra |].
    right. right. rewrite S_INR. simpl. lra. }
  destruct (search T) as [F | [-> | F]]; [exact F | lia | lra].
Qed.

(** It is the sum of Coq's library. *)
Lemma sum_is_library_sum t f : sum (S t) f = sum_f_R0 f t.
Proof. induction t as [| t IH]; simpl in *; [ring |]. now rewrite <- IH. Qed.

(** Σ_{k<t+1} β^{t+1−k} a_k = β (Σ_{k<t} β^{t−k} a_k + a_t): what every induction on t uses. *)
Lemma discounted_step b a t :
  (Σ k < S t, (b^(S t - k) * a k)) = b * ((Σ k < t, (b^(t - k) * a k)) + a t).
Proof.
  cbn [sum]. rewrite Rmult_plus_distr_l, sum_scale. replace (S t - t)%nat with 1%nat by lia. rewrite pow_1. f_equal.
  apply sum_eq. intros k K. replace (S t - k)%nat with (S (t - k))%nat by lia. simpl. ring.
Qed.

Lemma natural_above x : exists N, x < INR N.
Proof.
  exists (Z.to_nat (up x)). destruct (archimed x) as [A _].
  destruct (Z_lt_le_dec (up x) 0) as [N | P].
  - apply Rlt_le_trans with (1 := A). apply Rle_trans with 0; [apply IZR_le; lia | apply pos_INR].
  - rewrite INR_IZR_INZ, Z2Nat.id by exact P. exact A.
Qed.
