(** Laws of inner-product spaces, and the tactics that prove vector identities from them. *)
From Coq Require Export Lra Psatz Lia Field.
From Tangency Require Export vocabulary.

Section Laws.
Variable E : space.
Implicit Types x y z : E.

Lemma dot_add_r x y z : ⟨x, y + z⟩ = ⟨x, y⟩ + ⟨x, z⟩.
Proof. now rewrite dot_comm, dot_add, (dot_comm E y), (dot_comm E z). Qed.

Lemma dot_scale_r a x y : ⟨x, a * y⟩ = a * ⟨x, y⟩.
Proof. now rewrite dot_comm, dot_scale, dot_comm. Qed.

Lemma dot_sub x y z : ⟨x - y, z⟩ = ⟨x, z⟩ - ⟨y, z⟩.
Proof. unfold vsub. rewrite dot_add, dot_scale. ring. Qed.

Lemma dot_sub_r x y z : ⟨x, y - z⟩ = ⟨x, y⟩ - ⟨x, z⟩.
Proof. unfold vsub. rewrite dot_add_r, dot_scale_r. ring. Qed.

Lemma dot_zero x : ⟨vzero, x⟩ = 0.
Proof. rewrite <- (vscale_zero E x), dot_scale. ring. Qed.

Lemma dot_zero_r x : ⟨x, vzero⟩ = 0.
Proof. now rewrite dot_comm, dot_zero. Qed.

Lemma vsub_add x y : (x - y + y)%V = x.
Proof.
  unfold vsub. rewrite <- vadd_assoc. rewrite <- (vscale_one E y) at 2. rewrite <- vscale_add.
  replace (-1 + 1) with 0 by ring. now rewrite vscale_zero, vadd_zero.
Qed.

(** Vectors are equal exactly if their difference has no norm: a vector identity becomes one between numbers. *)
Lemma vector_eq x y : ‖x - y‖² = 0 -> x = y.
Proof.
  intros H. apply dot_definite in H. rewrite <- (vsub_add x y), H, vadd_comm. apply vadd_zero.
Qed.

Lemma dot_positive x : x <> vzero -> 0 < ‖x‖².
Proof.
  intros H. destruct (dot_nonneg E x) as [P | P]; [exact P |]. destruct H. now apply dot_definite.
Qed.

Lemma dot_nonzero x : x <> vzero -> ‖x‖² <> 0.
Proof. intros H. apply Rgt_not_eq, dot_positive, H. Qed.

Lemma positive_nonzero x : 0 < ‖x‖² -> x <> vzero.
Proof. intros P ->. rewrite dot_zero in P. lra. Qed.

Lemma zero_or_not x : x = vzero \/ x <> vzero.
Proof. destruct (dot_nonneg E x) as [P | P]; [right; now apply positive_nonzero | left; now apply dot_definite]. Qed.

Lemma norm_square x : norm x * norm x = ‖x‖².
Proof. apply sqrt_sqrt, dot_nonneg. Qed.

Lemma norm_nonneg x : 0 <= norm x.
Proof. apply sqrt_pos. Qed.

Lemma norm_positive x : x <> vzero -> 0 < norm x.
Proof. intros H. apply sqrt_lt_R0, dot_positive, H. Qed.

Lemma unit_square x : x <> vzero -> ‖unit x‖² = 1.
Proof.
  intros N. assert (P := norm_positive x N). unfold unit. rewrite dot_scale, dot_scale_r, <- norm_square. field. lra.
Qed.

(** x = ‖x‖ x̂ *)
Lemma norm_times_unit x : (norm x * unit x)%V = x.
Proof.
  unfold unit. rewrite vscale_mul. destruct (zero_or_not x) as [-> | N].
  - unfold norm. rewrite dot_zero, sqrt_0, Rmult_0_l. apply vscale_zero.
  - rewrite Rinv_r, vscale_one; [reflexivity |]. apply Rgt_not_eq, norm_positive, N.
Qed.

Lemma scale_nonzero c x : c <> 0 -> x <> vzero -> (c * x)%V <> vzero.
Proof.
  intros C N Z. apply N. rewrite <- (vscale_one E x). rewrite <- (Rinv_l c C), <- vscale_mul, Z.
  apply dot_definite. rewrite dot_scale, dot_zero. ring.
Qed.

Lemma unit_nonzero x : x <> vzero -> unit x <> vzero.
Proof. intros N. apply scale_nonzero; [| exact N]. apply Rinv_neq_0_compat, Rgt_not_eq, norm_positive, N. Qed.

End Laws.

(** Take ⟨x, y⟩ for ⟨y, x⟩ everywhere. *)
Ltac same_products :=
  repeat match goal with
  | |- context [dot ?x ?y] =>
      match goal with |- context [dot y x] => tryif constr_eq x y then fail else rewrite (dot_comm _ y x) end
  end.

(** Expand inner products by bilinearity. *)
Ltac gram :=
  repeat (progress rewrite ?dot_add, ?dot_add_r, ?dot_sub, ?dot_sub_r, ?dot_scale, ?dot_scale_r, ?dot_zero,
    ?dot_zero_r);
  same_products.

(** An equation between vectors becomes one between numbers. *)
Ltac vector := apply vector_eq; gram.

Lemma square_nonneg x : 0 <= x^2.
Proof. apply pow2_ge_0. Qed.

Lemma least_square x y : 0 <= y -> x * x <= y * y -> x <= y.
Proof. intros Y H. now apply Rsqr_incr_0_var. Qed.
