(** Rounding errors: the rules of theory/rounded.py, sums of products in any order, and the lines of a projected step.

    The model is fl(a ∘ b) = (a ∘ b)(1 + δ) + ε with |δ| ≤ u and |ε| ≤ ι; sums do not underflow, nothing overflows.
    [rounding_flocq.v] shows that IEEE's rounding to nearest is such.
    Fused operations round less often; they are covered.
    References are to Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition. *)
From Coq Require Import Reals Lra Psatz Lia.
Open Scope R_scope.

Lemma over_times x y : y <> 0 -> x / y * y = x.
Proof. intros. now field. Qed.

Section Model.
(** The unit roundoff, and the largest error of an underflow *)
Variables u ι : R.
Hypotheses (u_bounds : 0 < u < 1) (ι_nonneg : 0 <= ι).

(** Products and quotients of k factors 1 + δ, |δ| ≤ u, lie here (Stewart's relative error counter; Higham, §3.4). *)
Definition counted (k : nat) (ρ : R) : Prop := (1 - u)^k <= ρ <= / (1 - u)^k.
(** γ_k (Higham, Lemma 3.1) *)
Definition γ (k : nat) : R := INR k * u / (1 - INR k * u).

Lemma power_positive k : 0 < (1 - u)^k.
Proof. apply pow_lt. lra. Qed.

Lemma counted_positive k ρ : counted k ρ -> 0 < ρ.
Proof. intros [H _]. assert (P := power_positive k). lra. Qed.

Lemma counted_one : counted 0 1.
Proof. unfold counted. simpl. rewrite Rinv_1. lra. Qed.

Lemma one_rounding δ : Rabs δ <= u -> counted 1 (1 + δ).
Proof.
  intros D. assert (B : - u <= δ <= u) by (unfold Rabs in D; destruct Rcase_abs in D; lra).
  unfold counted. simpl. rewrite Rmult_1_r. split; [lra |].
  apply Rmult_le_reg_r with (1 - u); [lra |]. rewrite Rinv_l by lra. nra.
Qed.

Lemma counted_times j k ρ σ : counted j ρ -> counted k σ -> counted (j + k) (ρ * σ).
Proof.
  intros [A B] [C D]. assert (P := power_positive j). assert (Q := power_positive k).
  unfold counted. rewrite pow_add. split; [apply Rmult_le_compat; lra |].
  assert (P1 := Rinv_0_lt_compat _ P). assert (Q1 := Rinv_0_lt_compat _ Q).
  rewrite Rinv_mult. apply Rmult_le_compat; lra.
Qed.

Lemma counted_over k ρ : counted k ρ -> counted k (/ ρ).
Proof.
  intros C. assert (R0 := counted_positive k ρ C). destruct C as [A B]. assert (P := power_positive k). split.
  - rewrite <- (Rinv_inv ((1 - u)^k)). apply Rinv_le_contravar; [exact R0 | exact B].
  - apply Rinv_le_contravar; lra.
Qed.

Lemma counted_more j k ρ : (j <= k)%nat -> counted j ρ -> counted k ρ.
Proof.
  intros L C. replace k with (j + (k - j))%nat by lia. rewrite <- (Rmult_1_r ρ). apply counted_times; [exact C |].
  assert (P := power_positive (k - j)). assert (Q := pow_incr (1 - u) 1 (k - j) ltac:(lra)). rewrite pow1 in Q.
  split; [exact Q |]. apply Rle_trans with (/ 1); [rewrite Rinv_1; lra |]. now apply Rinv_le_contravar.
Qed.

Lemma bernoulli k : INR k * u < 1 -> 1 - INR k * u <= (1 - u)^k.
Proof.
  induction k as [| k IH]; intros H; [simpl; lra |]. rewrite S_INR in *. assert (P := pos_INR k).
  assert (I := IH ltac:(nra)). simpl. apply (Rmult_le_compat_l (1 - u)) in I; [| lra].
  assert (0 <= INR k * u * u) by (apply Rmult_le_pos; [apply Rmult_le_pos |]; lra). lra.
Qed.

Theorem counted_error k ρ : INR k * u < 1 -> counted k ρ -> Rabs (ρ - 1) <= γ k.
Proof.
  intros H [A B]. assert (I := bernoulli k H). assert (P := power_positive k).
  assert (K : / (1 - u)^k <= / (1 - INR k * u)) by (apply Rinv_le_contravar; lra).
  assert (G : γ k = / (1 - INR k * u) - 1) by (unfold γ; field; lra).
  assert (N : 0 <= INR k * u) by (apply Rmult_le_pos; [apply pos_INR | lra]).
  assert (M : INR k * u <= γ k).
  { unfold γ. apply Rmult_le_reg_r with (1 - INR k * u); [lra |]. rewrite over_times by lra. nra. }
  apply Rabs_le. rewrite G in *. lra.
Qed.

Lemma γ_nonneg k : INR k * u < 1 -> 0 <= γ k.
Proof.
  intros H. unfold γ. apply Rmult_le_pos; [apply Rmult_le_pos; [apply pos_INR | lra] |].
  apply Rlt_le, Rinv_0_lt_compat. lra.
Qed.

(** ** The rules of running error analysis (§3.3): operands known up to e and e',
  an operation that counts k roundings *)
Definition rounded (k : nat) (x r : R) : Prop := exists ρ ε, counted k ρ /\ Rabs ε <= ι /\ r = x * ρ + ε.

(** What is fused is not rounded. *)
Lemma unrounded k x : rounded k x x.
Proof.
  exists 1, 0. rewrite Rabs_R0. repeat split; try lra; apply (counted_more 0 k 1 ltac:(lia) counted_one).
Qed.

Lemma counted_off k ρ x s : INR k * u < 1 -> counted k ρ -> Rabs x <= s -> Rabs (x * ρ - x) <= γ k * s.
Proof.
  intros H C S. replace (x * ρ - x) with ((ρ - 1) * x) by ring. rewrite Rabs_mult.
  apply Rmult_le_compat; [apply Rabs_pos | apply Rabs_pos | now apply counted_error | exact S].
Qed.

Lemma rounded_error k x s r : INR k * u < 1 -> Rabs x <= s -> rounded k x r -> Rabs (r - x) <= γ k * s + ι.
Proof.
  intros H S [ρ [ε [C [E ->]]]]. replace (x * ρ + ε - x) with (x * ρ - x + ε) by ring.
  eapply Rle_trans; [apply Rabs_triang |]. apply Rplus_le_compat; [now apply counted_off | exact E].
Qed.

(** From a computed number to the exact one over what its operands carry *)
Lemma with_carried r x y c b : Rabs (r - y) <= b -> Rabs (y - x) <= c -> Rabs (r - x) <= c + b.
Proof.
  intros B C. replace (r - x) with (y - x + (r - y)) by ring. eapply Rle_trans; [apply Rabs_triang |]. lra.
Qed.

Lemma near_size a' a e : Rabs (a' - a) <= e -> Rabs a' <= Rabs a + e.
Proof. intros H. replace a' with (a + (a' - a)) by ring. eapply Rle_trans; [apply Rabs_triang |]. lra. Qed.

Lemma product_size a a' b b' e e' : Rabs (a' - a) <= e -> Rabs (b' - b) <= e' ->
  Rabs (a' * b') <= (Rabs a + e) * (Rabs b + e').
Proof. intros A B. rewrite Rabs_mult. apply Rmult_le_compat; try apply Rabs_pos; now apply near_size. Qed.

Lemma product_carried a a' b b' e e' : Rabs (a' - a) <= e -> Rabs (b' - b) <= e' ->
  Rabs (a' * b' - a * b) <= Rabs a * e' + Rabs b * e + e * e'.
Proof.
  intros A B. replace (a' * b' - a * b) with (a * (b' - b) + b * (a' - a) + (a' - a) * (b' - b)) by ring.
  eapply Rle_trans; [apply Rabs_triang |]. apply Rplus_le_compat; [eapply Rle_trans; [apply Rabs_triang |] |].
  - rewrite !Rabs_mult. apply Rplus_le_compat; apply Rmult_le_compat_l; auto; apply Rabs_pos.
  - rewrite Rabs_mult. apply Rmult_le_compat; auto; apply Rabs_pos.
Qed.

Theorem product_rule k a a' b b' e e' r :
  INR k * u < 1 -> Rabs (a' - a) <= e -> Rabs (b' - b) <= e' -> rounded k (a' * b') r ->
  Rabs (r - a * b) <= Rabs a * e' + Rabs b * e + e * e' + (γ k * ((Rabs a + e) * (Rabs b + e')) + ι).
Proof.
  intros H A B C. apply (with_carried r (a * b) (a' * b')); [| now apply product_carried].
  apply rounded_error; auto. now apply product_size.
Qed.

Theorem sum_rule k a a' b b' e e' ρ :
  INR k * u < 1 -> Rabs (a' - a) <= e -> Rabs (b' - b) <= e' -> counted k ρ ->
  Rabs ((a' + b') * ρ - (a + b)) <= e + e' + γ k * (Rabs a + Rabs b + (e + e')).
Proof.
  intros H A B C. apply (with_carried _ (a + b) (a' + b')).
  - apply counted_off; auto. eapply Rle_trans; [apply Rabs_triang |].
    apply near_size in A. apply near_size in B. lra.
  - replace (a' + b' - (a + b)) with (a' - a + (b' - b)) by ring. eapply Rle_trans; [apply Rabs_triang |]. lra.
Qed.

(** |a| ≤ top and least ≤ |b| *)
Theorem quotient_rule k a a' b b' e e' top least r :
  INR k * u < 1 -> Rabs (a' - a) <= e -> Rabs (b' - b) <= e' -> Rabs a <= top -> least <= Rabs b -> e' < least ->
  rounded k (a' / b') r ->
  let carried := e / (least - e') + top * e' / (least * (least - e')) in
  Rabs (r - a / b) <= carried + (γ k * (top / least + carried) + ι).
Proof.
  intros H A B Ta Lb L C carried. assert (E' : 0 <= e') by (eapply Rle_trans; [apply Rabs_pos | exact B]).
  assert (Lb' : least - e' <= Rabs b').
  { assert (Z := near_size b b' e' ltac:(now rewrite Rabs_minus_sym)). lra. }
  assert (nonzero : forall x, 0 < Rabs x -> x <> 0) by (intros x X ->; rewrite Rabs_R0 in X; lra).
  assert (Nb := nonzero b ltac:(lra)). assert (Nb' := nonzero b' ltac:(lra)).
  assert (near : Rabs (a' / b' - a / b) <= carried).
  { replace (a' / b' - a / b) with ((a' - a) * / b' + a * (b - b') * / (b * b')) by (field; auto).
    eapply Rle_trans; [apply Rabs_triang |]. rewrite !Rabs_mult, !Rabs_inv, Rabs_mult, (Rabs_minus_sym b b').
    apply Rplus_le_compat; apply Rmult_le_compat.
    - apply Rabs_pos.
    - apply Rlt_le, Rinv_0_lt_compat. lra.
    - exact A.
    - apply Rinv_le_contravar; lra.
    - apply Rmult_le_pos; apply Rabs_pos.
    - apply Rlt_le, Rinv_0_lt_compat, Rmult_lt_0_compat; lra.
    - apply Rmult_le_compat; auto; apply Rabs_pos.
    - apply Rinv_le_contravar; [apply Rmult_lt_0_compat; lra | apply Rmult_le_compat; lra]. }
  apply (with_carried r (a / b) (a' / b')); [| exact near]. apply rounded_error; auto.
  eapply Rle_trans; [apply near_size, near |]. apply Rplus_le_compat_r. unfold Rdiv. rewrite Rabs_mult, Rabs_inv.
  apply Rmult_le_compat; [apply Rabs_pos | apply Rlt_le, Rinv_0_lt_compat; lra | exact Ta | apply Rinv_le_contravar;
    lra].
Qed.

(** Roots move by at most √e, and by e/(2 least) where both are at least that. *)
Lemma root_carried a a' e : 0 <= a -> 0 <= a' -> Rabs (a' - a) <= e -> Rabs (sqrt a' - sqrt a) <= sqrt e.
Proof.
  assert (half : forall x y, 0 <= x <= y -> sqrt y - sqrt x <= sqrt (y - x)).
  { intros x y [X Y]. assert (sqrt y <= sqrt x + sqrt (y - x)); [| lra].
    assert (Sx := sqrt_pos x). assert (Sd := sqrt_pos (y - x)). rewrite <- (sqrt_square (sqrt x + sqrt (y - x))) by lra.
    apply sqrt_le_1_alt. assert (Qx := sqrt_sqrt x X). assert (Qd := sqrt_sqrt (y - x) ltac:(lra)). nra. }
  intros A A' E. assert (B := Rle_abs (a' - a)). assert (B' := Rle_abs (- (a' - a))). rewrite Rabs_Ropp in B'.
  destruct (Rle_or_lt a a') as [L | L].
  - rewrite Rabs_pos_eq by (assert (M := sqrt_le_1_alt a a' L); lra).
    eapply Rle_trans; [apply half; lra | apply sqrt_le_1_alt; lra].
  - rewrite Rabs_minus_sym, Rabs_pos_eq by (assert (M := sqrt_le_1_alt a' a ltac:(lra)); lra).
    eapply Rle_trans; [apply half; lra | apply sqrt_le_1_alt; lra].
Qed.

Lemma root_carried_far a a' e least : 0 <= a -> 0 <= a' -> 0 < least -> least <= sqrt a -> least <= sqrt a' ->
  Rabs (a' - a) <= e -> Rabs (sqrt a' - sqrt a) <= e / (2 * least).
Proof.
  intros A A' P L L' E. apply Rmult_le_reg_r with (2 * least); [lra |].
  replace (e / (2 * least) * (2 * least)) with e by (field; lra). eapply Rle_trans; [| exact E].
  rewrite <- (sqrt_sqrt a) at 2 by exact A. rewrite <- (sqrt_sqrt a') at 2 by exact A'.
  replace (sqrt a' * sqrt a' - sqrt a * sqrt a) with ((sqrt a' - sqrt a) * (sqrt a' + sqrt a)) by ring.
  rewrite Rabs_mult, (Rabs_pos_eq (sqrt a' + sqrt a)) by lra. apply Rmult_le_compat_l; [apply Rabs_pos | lra].
Qed.

Theorem root_rule k a a' carried ρ :
  INR k * u < 1 -> Rabs (sqrt a' - sqrt a) <= carried -> counted k ρ ->
  Rabs (sqrt a' * ρ - sqrt a) <= carried + γ k * (sqrt a + carried).
Proof.
  intros H A C. apply (with_carried _ (sqrt a) (sqrt a')); [| exact A]. apply counted_off; auto.
  eapply Rle_trans; [apply near_size, A |]. rewrite (Rabs_pos_eq (sqrt a)) by apply sqrt_pos. lra.
Qed.

(** ** A sum of products a_i b_i, in whatever order *)
Inductive order : Type := product (i : nat) | plus (l r : order) | fused (i : nat) (r : order).

Fixpoint terms t : nat := match t with product _ => 1 | plus l r => terms l + terms r | fused _ r => S (terms r) end.
(** The sum of some f_i *)
Fixpoint over (f : nat -> R) t : R :=
  match t with product i => f i | plus l r => over f l + over f r | fused i r => f i + over f r end.

Section Products.
Variables a b : nat -> R.
Definition exact := over (fun i => a i * b i).
Definition size := over (fun i => Rabs (a i * b i)).

(** [computed t v]: some rounding of each operation gives v. *)
Fixpoint computed t (v : R) : Prop :=
  match t with
  | product i => rounded 1 (a i * b i) v
  | plus l r => exists x y ρ, computed l x /\ computed r y /\ counted 1 ρ /\ v = (x + y) * ρ
  | fused i r => exists y, computed r y /\ rounded 1 (a i * b i + y) v
  end.

(** [scaled k t v]: v is the sum of the terms, each times a factor of count k, and what underflow lost of it. *)
Definition term k i (v : R) : Prop :=
  exists ρ ε, counted k ρ /\ Rabs ε <= / (1 - u)^k * ι /\ v = a i * b i * ρ + ε.
Fixpoint scaled k t (v : R) : Prop :=
  match t with
  | product i => term k i v
  | plus l r => exists x y, scaled k l x /\ scaled k r y /\ v = x + y
  | fused i r => exists x y, term k i x /\ scaled k r y /\ v = x + y
  end.

Lemma terms_positive t : (1 <= terms t)%nat.
Proof. induction t; simpl; lia. Qed.

Lemma inverse_at_least_one k : 1 <= / (1 - u)^k.
Proof.
  rewrite <- Rinv_1 at 1. apply Rinv_le_contravar; [apply power_positive |].
  assert (Q := pow_incr (1 - u) 1 k ltac:(lra)). now rewrite pow1 in Q.
Qed.

Lemma term_times j k i v ρ : term j i v -> counted k ρ -> term (j + k) i (v * ρ).
Proof.
  intros [σ [ε [C [E ->]]]] D. exists (σ * ρ), (ε * ρ). split; [now apply counted_times |]. split; [| ring].
  rewrite Rabs_mult, pow_add, Rinv_mult. assert (P := counted_positive _ _ D). rewrite (Rabs_pos_eq ρ) by lra.
  replace (/ (1 - u)^j * / (1 - u)^k * ι) with (/ (1 - u)^j * ι * / (1 - u)^k) by ring.
  apply Rmult_le_compat; [apply Rabs_pos | lra | exact E | apply D].
Qed.

Lemma scaled_times j k t : forall v ρ, scaled j t v -> counted k ρ -> scaled (j + k) t (v * ρ).
Proof.
  induction t as [i | l IHl r IHr | i r IHr]; intros v ρ S C; [now apply term_times | |];
    destruct S as [x [y [X [Y ->]]]]; exists (x * ρ), (y * ρ).
  - repeat split; [now apply IHl | now apply IHr | ring].
  - repeat split; [now apply term_times | now apply IHr | ring].
Qed.

Lemma counted_one_more k : counted k 1.
Proof. apply (counted_more 0); [lia | apply counted_one]. Qed.

Lemma scaled_more j k t v : (j <= k)%nat -> scaled j t v -> scaled k t v.
Proof.
  intros L S. rewrite <- (Rmult_1_r v). replace k with (j + (k - j))%nat by lia.
  apply scaled_times; [exact S | apply counted_one_more].
Qed.

Lemma rounded_term k i v : rounded k (a i * b i) v -> term k i v.
Proof.
  intros [ρ [ε [C [E ->]]]]. exists ρ, ε. repeat split; try apply C. assert (P := inverse_at_least_one k). nra.
Qed.

Lemma computed_scaled t : forall v, computed t v -> scaled (terms t) t v.
Proof.
  induction t as [i | l IHl r IHr | i r IHr]; intros v C; [now apply rounded_term | |]; simpl terms.
  - destruct C as [x [y [ρ [X [Y [Cρ ->]]]]]]. assert (L := terms_positive l). assert (Q := terms_positive r).
    apply (scaled_more (Nat.max (terms l) (terms r) + 1)); [lia |]. apply (scaled_times _ 1 (plus l r)); [| exact Cρ].
    exists x, y. repeat split; [apply (scaled_more (terms l)) | apply (scaled_more (terms r))]; auto; lia.
  - destruct C as [y [Y [ρ [ε [Cρ [E ->]]]]]]. exists (a i * b i * ρ + ε), (y * ρ). repeat split; [| | ring].
    + apply rounded_term. exists ρ, ε. repeat split; auto. apply (counted_more 1); [lia | exact Cρ].
      apply (counted_more 1); [lia | exact Cρ].
    + rewrite <- Nat.add_1_r. apply scaled_times; auto.
Qed.

Lemma term_error k i v : INR k * u < 1 -> term k i v ->
  Rabs (v - a i * b i) <= γ k * Rabs (a i * b i) + / (1 - u)^k * ι.
Proof.
  intros H [ρ [ε [C [E ->]]]]. replace (a i * b i * ρ + ε - a i * b i) with (a i * b i * ρ - a i * b i + ε) by ring.
  eapply Rle_trans; [apply Rabs_triang |]. apply Rplus_le_compat; [apply counted_off; auto; lra | exact E].
Qed.

Lemma scaled_error k t : INR k * u < 1 -> forall v, scaled k t v ->
  Rabs (v - exact t) <= γ k * size t + INR (terms t) * (/ (1 - u)^k * ι).
Proof.
  intros H. induction t as [i | l IHl r IHr | i r IHr]; intros v S; unfold exact, size in *; cbn [terms over].
  - rewrite Rmult_1_l. now apply term_error.
  - destruct S as [x [y [X [Y ->]]]]. rewrite plus_INR. assert (A := IHl x X). assert (B := IHr y Y).
    match goal with |- Rabs (x + y - (?p + ?q)) <= _ => replace (x + y - (p + q)) with (x - p + (y - q)) by ring end.
    eapply Rle_trans; [apply Rabs_triang |]. lra.
  - destruct S as [x [y [X [Y ->]]]]. rewrite S_INR. assert (A := term_error k i x H X). assert (B := IHr y Y).
    match goal with |- Rabs (x + y - (?p + ?q)) <= _ => replace (x + y - (p + q)) with (x - p + (y - q)) by ring end.
    eapply Rle_trans; [apply Rabs_triang |]. lra.
Qed.

(** (3.4): "a sum of n products, in whatever order", by γ_n Σ|a_i b_i|, and what underflow takes *)
Theorem inner_product_error t v : INR (terms t) * u <= 1 / 2 -> computed t v ->
  Rabs (v - exact t) <= γ (terms t) * size t + 2 * INR (terms t) * ι.
Proof.
  intros H C. eapply Rle_trans; [apply (scaled_error (terms t)); [lra | now apply computed_scaled] |].
  apply Rplus_le_compat_l. assert (B := bernoulli (terms t) ltac:(lra)). assert (N := pos_INR (terms t)).
  assert (I : / (1 - u)^terms t <= 2).
  { rewrite <- (Rinv_inv 2). apply Rinv_le_contravar; lra. }
  replace (2 * INR (terms t) * ι) with (INR (terms t) * (2 * ι)) by ring.
  apply Rmult_le_compat_l; [exact N |]. now apply Rmult_le_compat_r.
Qed.

End Products.

(** The same of operands that are known up to e_i and e'_i *)
Theorem sum_of_products_rule (a a' b b' e e' : nat -> R) t v :
  (forall i, Rabs (a' i - a i) <= e i) -> (forall i, Rabs (b' i - b i) <= e' i) ->
  INR (terms t) * u <= 1 / 2 -> computed a' b' t v ->
  Rabs (v - exact a b t) <= over (fun i => Rabs (a i) * e' i + Rabs (b i) * e i + e i * e' i) t +
    (γ (terms t) * over (fun i => (Rabs (a i) + e i) * (Rabs (b i) + e' i)) t + 2 * INR (terms t) * ι).
Proof.
  intros A B H C. apply (with_carried v (exact a b t) (exact a' b' t)).
  - eapply Rle_trans; [now apply inner_product_error |]. apply Rplus_le_compat_r, Rmult_le_compat_l.
    + apply γ_nonneg. lra.
    + unfold size. clear C H. induction t as [i | l IHl r IHr | i r IHr]; cbn [over];
        try apply Rplus_le_compat; auto; now apply product_size.
  - unfold exact. clear C H. induction t as [i | l IHl r IHr | i r IHr]; cbn [over]; [now apply product_carried | |];
      match goal with |- Rabs (?p + ?q - (?p' + ?q')) <= _ =>
        replace (p + q - (p' + q')) with (p - p' + (q - q')) by ring end;
      (eapply Rle_trans; [apply Rabs_triang |]); apply Rplus_le_compat; auto; now apply product_carried.
Qed.

(** ** Eq. 10, x − (w·x / w·w) w, one element of a row; without underflow *)
Section Projection.
Hypothesis no_underflow : ι = 0.

Lemma no_loss ε : Rabs ε <= 0 -> ε = 0.
Proof. intros E. destruct (Req_dec ε 0) as [Z | N]; [exact Z |]. apply Rabs_pos_lt in N. lra. Qed.

Lemma rounded_counts k x r : rounded k x r -> exists ρ, counted k ρ /\ r = x * ρ.
Proof.
  intros [ρ [ε [C [E ->]]]]. exists ρ. split; [exact C |].
  rewrite no_underflow in E. rewrite (no_loss ε E). ring.
Qed.

(** Squares do not cancel: their sum has a relative error. *)
Lemma squares_scaled (w : nat -> R) k t : forall v, scaled w w k t v ->
  0 <= exact w w t /\ (1 - u)^k * exact w w t <= v <= / (1 - u)^k * exact w w t.
Proof.
  assert (one : forall i v, term w w k i v ->
    0 <= w i * w i /\ (1 - u)^k * (w i * w i) <= v <= / (1 - u)^k * (w i * w i)).
  { intros i v [ρ [ε [[A B] [E ->]]]]. assert (N := Rle_0_sqr (w i)). unfold Rsqr in N. split; [exact N |].
    rewrite no_underflow, Rmult_0_r in E. rewrite (no_loss ε E), Rplus_0_r.
    rewrite (Rmult_comm ((1 - u)^k)), (Rmult_comm (/ (1 - u)^k)). split; apply Rmult_le_compat_l; assumption. }
  unfold exact. induction t as [i | l IHl r IHr | i r IHr]; intros v S; cbn [over]; [now apply one | |];
    destruct S as [x [y [X [Y ->]]]]; destruct (IHr y Y) as [E2 [L2 U2]].
  - destruct (IHl x X) as [E1 [L1 U1]]. lra.
  - destruct (one i x X) as [E1 [L1 U1]]. lra.
Qed.

Lemma squares_relative (w : nat -> R) t s : 0 < exact w w t -> computed w w t s ->
  exists ρ, counted (terms t) ρ /\ s = exact w w t * ρ.
Proof.
  intros P C. destruct (squares_scaled w _ t s (computed_scaled w w t s C)) as [_ [A B]].
  exists (s / exact w w t). split; [| field; lra].
  split; apply Rmult_le_reg_r with (1 := P); rewrite over_times by lra; lra.
Qed.

Theorem projection_error (w x : nat -> R) (dot square : order) (i : nat) (d s c y q : R) :
  computed w x dot d -> computed w w square s -> 0 < exact w w square ->
  rounded 1 (d / s) c -> rounded 1 (c * w i) y -> rounded 1 (x i - y) q ->
  let n := (terms dot + terms square)%nat in INR (n + 3) * u < 1 ->
  Rabs (q - (x i - exact w x dot / exact w w square * w i)) <=
    γ 1 * Rabs (x i) + γ (n + 3) * (Rabs (w i) * (size w x dot / exact w w square)).
Proof.
  intros Cd Cs P Cc Cy Cq n H. destruct (squares_relative w square s P Cs) as [σ [Cσ ->]].
  destruct (rounded_counts _ _ _ Cc) as [ρ1 [C1 ->]]. destruct (rounded_counts _ _ _ Cy) as [ρ2 [C2 ->]].
  destruct (rounded_counts _ _ _ Cq) as [ρ3 [C3 ->]].
  assert (S0 := counted_positive _ _ Cσ). set (X := exact w w square) in *. set (D := exact w x dot) in *.
  (* y is w_i/X times the products, each times a factor of count n + 2; the last rounding makes it n + 3 *)
  assert (Sc : scaled w x (n + 3) dot (d * (/ σ * (ρ1 * (ρ2 * ρ3))))).
  { replace (n + 3)%nat with (terms dot + (terms square + (1 + (1 + 1))))%nat by (unfold n; lia).
    apply scaled_times; [now apply computed_scaled |].
    apply counted_times; [now apply counted_over | now repeat apply counted_times]. }
  assert (B := scaled_error w x _ dot H _ Sc). fold D in B. rewrite no_underflow, !Rmult_0_r, Rplus_0_r in B.
  assert (B1 := counted_off 1 ρ3 (x i) (Rabs (x i)) ltac:(simpl; lra) C3 (Rle_refl _)).
  replace ((x i - d / (X * σ) * ρ1 * w i * ρ2) * ρ3 - (x i - D / X * w i))
    with (x i * ρ3 - x i + - (w i * / X * (d * (/ σ * (ρ1 * (ρ2 * ρ3))) - D))) by (field; lra).
  eapply Rle_trans; [apply Rabs_triang |]. apply Rplus_le_compat; [exact B1 |].
  rewrite Rabs_Ropp, !Rabs_mult, Rabs_inv, (Rabs_pos_eq X) by lra.
  replace (γ (n + 3) * (Rabs (w i) * (size w x dot / X))) with (Rabs (w i) * / X * (γ (n + 3) * size w x dot))
    by (unfold Rdiv; ring).
  apply Rmult_le_compat_l; [| exact B]. apply Rmult_le_pos; [apply Rabs_pos | apply Rlt_le, Rinv_0_lt_compat, P].
Qed.

End Projection.

(** ** The update w' = fw − ηq, with the decay f, one element; f, η and q are known up to e, e' and e'' *)
Theorem update_error (f f' η η' q q' w y z v e e' e'' : R) :
  2 * u < 1 -> Rabs (f' - f) <= e -> Rabs (η' - η) <= e' -> Rabs (q' - q) <= e'' ->
  rounded 1 (f' * w) y -> rounded 1 (η' * q') z -> rounded 1 (y - z) v ->
  Rabs (v - (f * w - η * q)) <= Rabs w * e + (Rabs η * e'' + Rabs q * e' + e' * e'') +
    (γ 2 * ((Rabs f + e) * Rabs w + (Rabs η + e') * (Rabs q + e'')) + 3 * ι / (1 - u)).
Proof.
  intros H F N Q [ρ1 [ε1 [C1 [E1 ->]]]] [ρ2 [ε2 [C2 [E2 ->]]]] [ρ3 [ε3 [C3 [E3 ->]]]].
  assert (W : Rabs (w - w) <= 0) by (rewrite Rminus_eq_0, Rabs_R0; lra).
  assert (P1 := product_size f f' w w e 0 F W). assert (P2 := product_size η η' q q' e' e'' N Q).
  rewrite Rplus_0_r in P1. assert (G : INR 2 * u < 1) by (simpl; lra).
  assert (B1 := counted_off 2 (ρ1 * ρ3) _ _ G (counted_times 1 1 _ _ C1 C3) P1).
  assert (B2 := counted_off 2 (ρ2 * ρ3) _ _ G (counted_times 1 1 _ _ C2 C3) P2).
  apply (with_carried _ (f * w - η * q) (f' * w - η' * q')).
  - replace ((f' * w * ρ1 + ε1 - (η' * q' * ρ2 + ε2)) * ρ3 + ε3 - (f' * w - η' * q')) with
      (f' * w * (ρ1 * ρ3) - f' * w + - (η' * q' * (ρ2 * ρ3) - η' * q') + ((ε1 + - ε2) * ρ3 + ε3)) by ring.
    eapply Rle_trans; [apply Rabs_triang |]. apply Rplus_le_compat.
    + eapply Rle_trans; [apply Rabs_triang |]. rewrite Rabs_Ropp. lra.
    + eapply Rle_trans; [apply Rabs_triang |]. rewrite Rabs_mult. assert (T := Rabs_triang ε1 (- ε2)).
      rewrite Rabs_Ropp in T.
      assert (P3 := counted_positive _ _ C3). rewrite (Rabs_pos_eq ρ3) by lra. destruct C3 as [_ U3].
      rewrite pow_1 in U3.
      assert (I := inverse_at_least_one 1). rewrite pow_1 in I.
      replace (3 * ι / (1 - u)) with (2 * ι * / (1 - u) + ι * / (1 - u)) by (field; lra).
      apply Rplus_le_compat; [apply Rmult_le_compat; auto; try lra; apply Rabs_pos | nra].
  - replace (f' * w - η' * q' - (f * w - η * q)) with ((f' - f) * w + - (η' * q' - η * q)) by ring.
    eapply Rle_trans; [apply Rabs_triang |]. rewrite Rabs_Ropp, Rabs_mult. apply Rplus_le_compat.
    + rewrite Rmult_comm. apply Rmult_le_compat_l; [apply Rabs_pos | exact F].
    + now apply product_carried.
Qed.

End Model.
