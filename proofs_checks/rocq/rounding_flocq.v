(** IEEE's rounding to nearest even is a rounding of the model, with u = 2^{−digits} and ι half the smallest number.

    Overflow is left out; underflow is gradual. *)
From Coq Require Import Reals Lra Lia ZArith.
From Flocq Require Import Core Relative Plus_error Div_sqrt_error.
From Tangency Require Import rounding.
Open Scope R_scope.

Section Format.
(** [digits] significant bits; 2^lowest is the smallest number. *)
Variables digits lowest : Z.
Context {many : Prec_gt_0 digits}.
Hypothesis two : (1 < digits)%Z.

Definition u : R := bpow radix2 (- digits).
Definition ι : R := / 2 * bpow radix2 lowest.
Definition fl (x : R) : R := round radix2 (FLT_exp lowest digits) ZnearestE x.
Definition representable (x : R) : Prop := generic_format radix2 (FLT_exp lowest digits) x.

Lemma u_bounds : 0 < u < 1.
Proof.
  unfold u. split; [apply bpow_gt_0 |]. change 1 with (bpow radix2 0). apply bpow_lt. lia.
Qed.

Lemma u_is : / 2 * bpow radix2 (- digits + 1) = u.
Proof. unfold u. rewrite bpow_plus, bpow_1. change (IZR radix2) with 2. field. Qed.

(** Any operation *)
Theorem fl_rounds x : rounded u ι 1 x (fl x).
Proof.
  destruct (error_N_FLT radix2 lowest digits many (fun x => negb (Z.even x)) x) as [δ [ε [D [E [_ F]]]]].
  exists (1 + δ), ε. split; [apply one_rounding; [apply u_bounds | now rewrite <- u_is] | now split].
Qed.

(** A sum does not underflow, … *)
Theorem fl_sum x y : representable x -> representable y -> exists ρ, counted u 1 ρ /\ fl (x + y) = (x + y) * ρ.
Proof.
  intros X Y. destruct (FLT_plus_error_N_ex radix2 lowest digits (fun x => negb (Z.even x)) x y X Y) as [δ [D E]].
  exists (1 + δ). split; [| exact E]. apply one_rounding; [apply u_bounds |].
  eapply Rle_trans; [exact D |]. eapply Rle_trans; [apply u_rod1pu_ro_le_u_ro |]. unfold u_ro. right. apply u_is.
Qed.

(** … nor does a root. *)
Theorem fl_root x : (lowest <= 2 * (1 - digits))%Z -> representable x -> exists ρ,
  counted u 1 ρ /\ fl (sqrt x) = sqrt x * ρ.
Proof.
  intros L X. destruct (sqrt_error_N_FLT_ex radix2 digits (fun x => negb (Z.even x)) two lowest L x X) as [δ [D E]].
  exists (1 + δ). split; [| exact E]. apply one_rounding; [apply u_bounds |]. eapply Rle_trans; [exact D |].
  eapply Rle_trans; [apply om1ds1p2u_ro_le_u_rod1pu_ro |].
  eapply Rle_trans; [apply u_rod1pu_ro_le_u_ro |]. unfold u_ro. right. apply u_is.
Qed.

(** A sum of products as it is evaluated in the format *)
Fixpoint evaluated (a b : nat -> R) (t : order) : R :=
  match t with
  | product i => fl (a i * b i)
  | plus l r => fl (evaluated a b l + evaluated a b r)
  | fused i r => fl (a i * b i + evaluated a b r)
  end.

Lemma evaluated_representable a b t : representable (evaluated a b t).
Proof.
  destruct t; apply generic_format_round; (apply FLT_exp_valid; exact many) || apply valid_rnd_N.
Qed.

Theorem evaluated_computed a b t : computed u ι a b t (evaluated a b t).
Proof.
  induction t as [i | l IHl r IHr | i r IHr]; simpl; [apply fl_rounds | |].
  - destruct (fl_sum _ _ (evaluated_representable a b l) (evaluated_representable a b r)) as [ρ [C E]].
    exists (evaluated a b l), (evaluated a b r), ρ. auto.
  - exists (evaluated a b r). split; [exact IHr | apply fl_rounds].
Qed.

Lemma ι_nonneg : 0 <= ι.
Proof. apply Rmult_le_pos; [lra | apply bpow_ge_0]. Qed.

Theorem evaluated_error a b t : INR (terms t) * u <= 1 / 2 ->
  Rabs (evaluated a b t - exact a b t) <= γ u (terms t) * size a b t + 2 * INR (terms t) * ι.
Proof.
  intros H. apply inner_product_error; [apply u_bounds | apply ι_nonneg | exact H | apply evaluated_computed].
Qed.

(** The update w' = fw − ηq, with or without a fused operation *)
Theorem updated_error f f' η η' q q' w v e e' e'' :
  Rabs (f' - f) <= e -> Rabs (η' - η) <= e' -> Rabs (q' - q) <= e'' ->
  v = fl (fl (f' * w) - fl (η' * q')) \/ v = fl (f' * w - fl (η' * q')) \/ v = fl (fl (f' * w) - η' * q') ->
  Rabs (v - (f * w - η * q)) <= Rabs w * e + (Rabs η * e'' + Rabs q * e' + e' * e'') +
    (γ u 2 * ((Rabs f + e) * Rabs w + (Rabs η + e') * (Rabs q + e'')) + 3 * ι / (1 - u)).
Proof.
  intros F N Q V. assert (U := u_bounds). assert (I := ι_nonneg).
  assert (H : 2 * u < 1).
  { unfold u. change 1 with (bpow radix2 0). change 2 with (bpow radix2 1). rewrite <- bpow_plus. apply bpow_lt. lia. }
  destruct V as [-> | [-> | ->]].
  - apply (update_error u ι U I) with (f' := f') (η' := η') (q' := q') (y := fl (f' * w)) (z := fl (η' * q'));
      auto using fl_rounds.
  - apply (update_error u ι U I) with (f' := f') (η' := η') (q' := q') (y := f' * w) (z := fl (η' * q'));
      auto using fl_rounds, unrounded.
  - apply (update_error u ι U I) with (f' := f') (η' := η') (q' := q') (y := fl (f' * w)) (z := η' * q');
      auto using fl_rounds, unrounded.
Qed.

End Format.

(** The formats of theory/formats.py *)
#[export] Instance float16_digits : Prec_gt_0 11 := eq_refl.
#[export] Instance bfloat16_digits : Prec_gt_0 8 := eq_refl.
#[export] Instance float32_digits : Prec_gt_0 24 := eq_refl.
#[export] Instance float64_digits : Prec_gt_0 53 := eq_refl.
Definition float16_error := evaluated_error 11 (-24) eq_refl.
Definition bfloat16_error := evaluated_error 8 (-133) eq_refl.
Definition float32_error := evaluated_error 24 (-149) eq_refl.
Definition float64_error := evaluated_error 53 (-1074) eq_refl.
