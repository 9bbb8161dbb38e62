(** Eq. 4 the other way round: a tangent gradient makes f scale-invariant; and the gradient at w = 0. *)
From Coq Require Import Reals Lra Psatz.
From Tangency Require Import vocabulary inner_product.
Open Scope R_scope.

(** Along a ray the derivative of f is w·∇f/‖w‖ = 0. *)
Theorem eq_04_converse : forall (E : space) (f : E -> R) (grad : E -> E),
  (forall w, w <> vzero -> gradient f w (grad w)) -> (forall w, w <> vzero -> ⟨w, grad w⟩ = 0) -> scale_invariant f.
Proof.
  intros E f grad gradients tangent c w C.
  assert (nonzero : ‖w‖² <> 0 -> forall t, 0 < t -> (t * w)%V <> vzero).
  { intros N t T Z. apply N. rewrite <- (Rmult_1_l ‖w‖²), <- (Rinv_l t) by lra.
    rewrite Rmult_assoc, <- dot_scale, Z, dot_zero. ring. }
  assert (still : ‖w‖² <> 0 -> forall t, 0 < t -> derivable_pt_lim (fun s => f (s * w)%V) t 0).
  { intros N t T eps Heps. assert (D := gradients (t * w)%V (nonzero N t T) w eps Heps).
    assert (Z : ⟨grad (t * w)%V, w⟩ = 0).
    { apply (Rmult_eq_reg_l t); [| lra]. rewrite <- dot_scale_r, dot_comm, tangent; [ring | now apply nonzero]. }
    destruct D as [d D]. exists d. intros h H0 H. specialize (D h H0 H). rewrite Z in D.
    now rewrite Rplus_0_l, vscale_zero, vadd_zero, <- vscale_add in D. }
  destruct (Req_dec ‖w‖² 0) as [Z | N].
  { apply dot_definite in Z. f_equal. rewrite Z. vector. ring. }
  rewrite <- (vscale_one E w) at 2.
  destruct (Rtotal_order 1 c) as [L | [<- | L]]; [| reflexivity |].
  - destruct (MVT_cor2 (fun s => f (s * w)%V) (fun _ => 0) 1 c L) as [x [X _]]; [| lra].
    intros s S. apply (still N). lra.
  - destruct (MVT_cor2 (fun s => f (s * w)%V) (fun _ => 0) c 1 L) as [x [X _]]; [| lra].
    intros s S. apply (still N). lra.
Qed.

(** At w = 0 only a constant f has a gradient, so that Eq. 4 needs no w ≠ 0. *)
Theorem eq_04_no_gradient_at_0 : forall (E : space) (f : E -> R) (g : E),
  scale_invariant f -> gradient f vzero g -> forall w, f w = f vzero.
Proof.
  intros E f g invariant D w. destruct (Req_dec (f w) (f vzero)) as [e | N]; [exact e | exfalso].
  destruct (D w 1 Rlt_0_1) as [d K]. set (j := f w - f vzero) in *. set (l := ⟨g, w⟩) in *.
  assert (J : 0 < Rabs j) by (apply Rabs_pos_lt; unfold j; lra). assert (A := Rabs_pos l).
  set (s := Rmin (d / 2) (Rabs j / (Rabs l + 1))). assert (P := cond_pos d).
  assert (S : 0 < s) by (apply Rmin_pos; apply Rdiv_lt_0_compat; lra).
  assert (S1 : s <= d / 2) by apply Rmin_l. assert (S2 : s <= Rabs j / (Rabs l + 1)) by apply Rmin_r.
  specialize (K s ltac:(lra) ltac:(rewrite Rabs_pos_eq; lra)).
  rewrite Rplus_0_l, vscale_zero, vadd_zero, vadd_comm, vadd_zero, (invariant s w S) in K. fold j in K.
  apply (Rmult_le_compat_r (Rabs l + 1)) in S2; [| lra].
  unfold Rdiv in S2. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in S2 by lra.
  assert (Q : Rabs (j / s) = Rabs j / s) by (unfold Rdiv; rewrite Rabs_mult, Rabs_inv, (Rabs_pos_eq s); lra).
  assert (T := Rabs_triang_inv (j / s) l). rewrite Q in T.
  assert (M : Rabs j / s < Rabs l + 1) by lra. apply (Rmult_lt_compat_l s) in M; [| exact S].
  replace (s * (Rabs j / s)) with (Rabs j) in M by (field; lra). lra.
Qed.

Corollary gradient_at_0 (E : space) (f : E -> R) (g : E) : scale_invariant f -> gradient f vzero g -> g = vzero.
Proof.
  intros invariant D. apply dot_definite. apply (uniqueness_limite _ 0 _ _ (D g)).
  apply (derivable_pt_lim_ext (fct_cte (f vzero))); [| apply derivable_pt_lim_const].
  intros s. symmetry. now apply (eq_04_no_gradient_at_0 E f g).
Qed.
