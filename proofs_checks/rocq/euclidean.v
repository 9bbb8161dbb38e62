(** Rows of vectors are a space, and so are rows of numbers: R^n with ⟨x, y⟩ = Σ x_i y_i.

    What is proved for every space is proved for the paper's weights: a row of a layer, or all of it as one row. *)
From Coq Require Import Vector.
From Tangency Require Import inner_product.

Section Rows.
Variable E : space.

Definition rows_zero n : Vector.t E n := Vector.const vzero n.
Definition rows_add {n} : Vector.t E n -> Vector.t E n -> Vector.t E n := Vector.map2 vadd.
Definition rows_scale {n} (a : R) : Vector.t E n -> Vector.t E n := Vector.map (vscale a).
Definition rows_dot {n} (x y : Vector.t E n) : R := Vector.fold_right Rplus (Vector.map2 dot x y) 0.

(** Induction over one, two, three vectors of the same length *)
Ltac finish IH := unfold rows_add, rows_scale, rows_dot, rows_zero in *; simpl; try rewrite IH;
  try reflexivity; try (f_equal; apply E); try (gram; ring).
Ltac one := intros x; induction x as [| h m x IH]; finish IH.
Ltac two := intros x; induction x as [| h m x IH]; intros y;
  [apply (Vector.case0 (fun y => _)) with (v := y) | apply (Vector.caseS' y); intros k y']; finish IH.
Ltac three := intros x; induction x as [| h m x IH]; intros y z;
  [revert z; apply (Vector.case0 (fun y => forall z, _)) with (v := y); intros z;
    apply (Vector.case0 (fun z => _)) with (v := z)
  | apply (Vector.caseS' y); intros k y'; apply (Vector.caseS' z); intros l z']; finish IH.

Lemma rows_add_comm {n} : forall x y : Vector.t E n, rows_add x y = rows_add y x.
Proof. two. Qed.

Lemma rows_add_assoc {n} : forall x y z : Vector.t E n, rows_add x (rows_add y z) = rows_add (rows_add x y) z.
Proof. three. Qed.

Lemma rows_add_zero {n} : forall x : Vector.t E n, rows_add x (rows_zero n) = x.
Proof. one. Qed.

Lemma rows_scale_zero {n} : forall x : Vector.t E n, rows_scale 0 x = rows_zero n.
Proof. one. Qed.

Lemma rows_scale_one {n} : forall x : Vector.t E n, rows_scale 1 x = x.
Proof. one. Qed.

Lemma rows_scale_mul {n} a b : forall x : Vector.t E n, rows_scale a (rows_scale b x) = rows_scale (a * b) x.
Proof. one. Qed.

Lemma rows_scale_add {n} a b : forall x : Vector.t E n,
  rows_scale (a + b) x = rows_add (rows_scale a x) (rows_scale b x).
Proof. one. Qed.

Lemma rows_add_scale {n} c : forall x y : Vector.t E n,
  rows_scale c (rows_add x y) = rows_add (rows_scale c x) (rows_scale c y).
Proof. two. Qed.

Lemma rows_dot_comm {n} : forall x y : Vector.t E n, rows_dot x y = rows_dot y x.
Proof. two. Qed.

Lemma rows_dot_add {n} : forall x y z : Vector.t E n, rows_dot (rows_add x y) z = rows_dot x z + rows_dot y z.
Proof. three. Qed.

Lemma rows_dot_scale {n} c : forall x y : Vector.t E n, rows_dot (rows_scale c x) y = c * rows_dot x y.
Proof. two. Qed.

Lemma rows_dot_nonneg {n} : forall x : Vector.t E n, 0 <= rows_dot x x.
Proof. unfold rows_dot. induction x as [| a m x IH]; simpl; [lra |]. assert (P := dot_nonneg E a). lra. Qed.

Lemma rows_dot_definite {n} : forall x : Vector.t E n, rows_dot x x = 0 -> x = rows_zero n.
Proof.
  induction x as [| a m x IH]; [reflexivity |]. intros H. assert (P := rows_dot_nonneg x). assert (Q := dot_nonneg E a).
  unfold rows_dot, rows_zero in *. simpl in *. f_equal; [apply dot_definite | apply IH]; lra.
Qed.

Definition rows (n : nat) : space :=
  Space (Vector.t E n) (rows_zero n) rows_add rows_scale rows_dot rows_add_comm rows_add_assoc rows_add_zero
    rows_scale_zero rows_scale_one rows_scale_mul rows_scale_add rows_add_scale rows_dot_comm rows_dot_add
    rows_dot_scale rows_dot_nonneg rows_dot_definite.

End Rows.

(** The real numbers, with ⟨x, y⟩ = xy *)
Definition numbers : space.
Proof. refine (Space R 0 Rplus Rmult Rmult _ _ _ _ _ _ _ _ _ _ _ _ _); intros; try ring; nra. Defined.

(** R^n *)
Definition euclidean (n : nat) : space := rows numbers n.
