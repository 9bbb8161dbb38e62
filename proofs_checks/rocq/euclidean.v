(** R^n with ⟨x, y⟩ = Σ x_i y_i is such a space: what is proved for every space is proved for the paper's weights. *)
From Coq Require Import Lra Psatz Vector.
From Tangency Require Import vocabulary.

Section Rn.
Variable n : nat.
Local Notation "'R^' k" := (Vector.t R k) (at level 9).

Definition rzero k : R^k := Vector.const 0 k.
Definition radd {k} : R^k -> R^k -> R^k := Vector.map2 Rplus.
Definition rscale {k} (a : R) : R^k -> R^k := Vector.map (Rmult a).
Definition rdot {k} (x y : R^k) : R := Vector.fold_right Rplus (Vector.map2 Rmult x y) 0.

(** Induction over one, two, three vectors of the same length. *)
Ltac one := intros x; induction x as [| h m x IH];
  simpl; try rewrite IH; try reflexivity; try (f_equal; ring).
Ltac two := intros x; induction x as [| h m x IH]; intros y;
  [apply (Vector.case0 (fun y => _)) with (v := y) | apply (Vector.caseS' y); intros h2 y'];
  unfold rdot in *; simpl; try rewrite IH; try reflexivity; try (f_equal; ring); try ring.
Ltac three := intros x; induction x as [| h m x IH]; intros y z;
  [revert z; apply (Vector.case0 (fun y => forall z, _)) with (v := y); intros z;
    apply (Vector.case0 (fun z => _)) with (v := z)
  | apply (Vector.caseS' y); intros h2 y'; apply (Vector.caseS' z); intros h3 z'];
  unfold rdot in *; simpl; try rewrite IH; try reflexivity; try (f_equal; ring); try ring.

Lemma radd_comm {k} : forall x y : R^k, radd x y = radd y x.
Proof. unfold radd. two. Qed.

Lemma radd_assoc {k} : forall x y z : R^k, radd x (radd y z) = radd (radd x y) z.
Proof. unfold radd. three. Qed.

Lemma radd_zero {k} : forall x : R^k, radd x (rzero k) = x.
Proof. unfold radd, rzero. one. Qed.

Lemma rscale_zero {k} : forall x : R^k, rscale 0 x = rzero k.
Proof. unfold rscale, rzero. one. Qed.

Lemma rscale_one {k} : forall x : R^k, rscale 1 x = x.
Proof. unfold rscale. one. Qed.

Lemma rscale_mul {k} a b : forall x : R^k, rscale a (rscale b x) = rscale (a * b) x.
Proof. unfold rscale. one. Qed.

Lemma rscale_add {k} a b : forall x : R^k, rscale (a + b) x = radd (rscale a x) (rscale b x).
Proof. unfold rscale, radd. one. Qed.

Lemma radd_scale {k} c : forall x y : R^k, rscale c (radd x y) = radd (rscale c x) (rscale c y).
Proof. unfold rscale, radd. two. Qed.

Lemma product_comm {k} : forall x y : R^k, rdot x y = rdot y x.
Proof. two. Qed.

Lemma product_add {k} : forall x y z : R^k, rdot (radd x y) z = rdot x z + rdot y z.
Proof. unfold radd. three. Qed.

Lemma product_scale {k} c : forall x y : R^k, rdot (rscale c x) y = c * rdot x y.
Proof. unfold rscale. two. Qed.

Lemma product_nonneg {k} : forall x : R^k, 0 <= rdot x x.
Proof. unfold rdot. induction x as [| a m x IH]; simpl; [lra | nra]. Qed.

Lemma product_definite {k} : forall x : R^k, rdot x x = 0 -> x = rzero k.
Proof.
  induction x as [| a m x IH]; [reflexivity |]. intros H.
  assert (P := product_nonneg x). unfold rdot in *. simpl in *.
  assert (a = 0) by nra. subst a. unfold rzero in *. simpl. rewrite <- IH; [reflexivity | nra].
Qed.

Definition euclidean : space :=
  Space (R^n) (rzero n) radd rscale rdot radd_comm radd_assoc radd_zero rscale_zero rscale_one rscale_mul
    rscale_add radd_scale product_comm product_add product_scale product_nonneg product_definite.

End Rn.
