(** Small spaces, and functions with their gradients, of which counterexamples are made. *)
From Tangency Require Export inner_product.

(** The real line. *)
Definition line : space.
Proof. refine (Space R 0 Rplus Rmult Rmult _ _ _ _ _ _ _ _ _ _ _ _ _); intros; try ring; nra. Defined.

(** Two spaces side by side, at right angles. *)
Definition product (E F : space) : space.
Proof.
  refine (Space (E * F) (vzero, vzero) (fun x y => (fst x + fst y, snd x + snd y)%V)
    (fun a x => (a * fst x, a * snd x)%V) (fun x y => ⟨fst x, fst y⟩ + ⟨snd x, snd y⟩) _ _ _ _ _ _ _ _ _ _ _ _ _).
  - intros. f_equal; apply vadd_comm.
  - intros. cbn. f_equal; apply vadd_assoc.
  - intros [x y]. cbn. f_equal; apply vadd_zero.
  - intros. f_equal; apply vscale_zero.
  - intros [x y]. cbn. f_equal; apply vscale_one.
  - intros. cbn. f_equal; apply vscale_mul.
  - intros. cbn. f_equal; apply vscale_add.
  - intros. cbn. f_equal; apply vadd_scale.
  - intros. f_equal; apply dot_comm.
  - intros. cbn. rewrite !dot_add. ring.
  - intros. cbn. rewrite !dot_scale. ring.
  - intros. apply Rplus_le_le_0_compat; apply dot_nonneg.
  - intros [x y] Z. cbn in Z. assert (P := dot_nonneg E x). assert (Q := dot_nonneg F y).
    f_equal; apply dot_definite; lra.
Defined.

Definition plane : space := product line line.
Definition solid : space := product line plane.

Lemma axis_nonzero : ((1, 0) : plane) <> vzero.
Proof. intros Z. apply (f_equal fst) in Z. now apply R1_neq_R0. Qed.

Lemma line_norm (x : line) : 0 <= x -> norm x = x.
Proof. apply sqrt_square. Qed.

(** Units of the line *)
Lemma unit_positive (x : line) : 0 < x -> unit x = 1.
Proof. intros P. unfold unit. rewrite line_norm by lra. cbn. field. lra. Qed.

Lemma unit_negative (x : line) : x < 0 -> unit x = -1.
Proof.
  intros P. unfold unit, norm. replace (‖x‖²) with ((- x) * (- x)) by (cbn; ring). rewrite sqrt_square by lra. cbn.
  field. lra.
Qed.

(** 0, 0, 0, 0, …, 1, 0, 0, 0, … and 0, 1, 0, 0, … *)
Definition never (t : nat) : line := vzero.
Definition first (t : nat) : line := match t with O => 1 | _ => 0 end.
Definition second (t : nat) : line := match t with 1%nat => 1 | _ => 0 end.

Lemma constant_invariant (E : space) a : scale_invariant (fun _ : E => a).
Proof. now intros c w _. Qed.

Lemma constant_gradient (E : space) a (w : E) : gradient (fun _ => a) w vzero.
Proof. intros h. rewrite dot_zero. apply (derivable_pt_lim_const a). Qed.

(** ‖w‖²/2, not scale-invariant, has the gradient w. *)
Lemma half_square_gradient (E : space) (w : E) : gradient (fun x => ‖x‖² / 2) w w.
Proof.
  intros h eps Heps. assert (P := dot_nonneg E h).
  exists (mkposreal (eps / (‖h‖² + 1)) ltac:(apply Rdiv_lt_0_compat; lra)). intros s S0 S. cbn in S.
  apply (Rmult_lt_compat_r (‖h‖² + 1)) in S; [| lra].
  unfold Rdiv in S. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in S by lra.
  replace ((‖w + (0 + s) * h‖² / 2 - ‖w + 0 * h‖² / 2) / s - ⟨w, h⟩) with (s * (‖h‖² / 2)) by (gram; field; exact S0).
  rewrite Rabs_mult, (Rabs_pos_eq (‖h‖² / 2)) by lra. assert (Q := Rabs_pos s). nra.
Qed.

(** ** A function whose gradient is zero but in one quadrant: y/x for x, y > 0, else 0. *)
Definition corner (w : plane) : R :=
  if Rlt_dec 0 (fst w) then if Rlt_dec 0 (snd w) then snd w / fst w else 0 else 0.

Lemma corner_invariant : scale_invariant corner.
Proof.
  intros c [x y] C. unfold corner. cbn.
  destruct (Rlt_dec 0 x) as [X | X], (Rlt_dec 0 (c * x)) as [X' | X']; try reflexivity; try nra.
  destruct (Rlt_dec 0 y) as [Y | Y], (Rlt_dec 0 (c * y)) as [Y' | Y']; try reflexivity; try nra. field. lra.
Qed.

Lemma near a h : 0 < a -> exists d, 0 < d /\ forall s, - d < s < d -> 0 < a + s * h.
Proof.
  intros A. assert (B := Rabs_pos h). exists (a / (Rabs h + 1)). split; [apply Rdiv_lt_0_compat; lra |].
  intros s S. assert (K : Rabs s < a / (Rabs h + 1)) by (apply Rabs_def1; lra).
  apply (Rmult_lt_compat_r (Rabs h + 1)) in K; [| lra].
  unfold Rdiv in K. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in K by lra.
  assert (M : Rabs (s * h) < a) by (rewrite Rabs_mult; assert (N := Rabs_pos s); lra). apply Rabs_def2 in M. lra.
Qed.

Lemma corner_gradient : gradient corner (1, 1) (-1, 1).
Proof.
  intros [x y]. destruct (near 1 x Rlt_0_1) as [d [D X]]. destruct (near 1 y Rlt_0_1) as [e [E Y]].
  assert (line : forall a, derivable_pt_lim (fun s => 1 + s * a) 0 a).
  { intros a. assert (K := derivable_pt_lim_plus _ _ 0 _ _ (derivable_pt_lim_const 1 0)
      (derivable_pt_lim_scal_right _ 0 1 a (derivable_pt_lim_id 0))). rewrite Rplus_0_l, Rmult_1_l in K. exact K. }
  assert (Q := derivable_pt_lim_div _ _ 0 _ _ (line y) (line x)). cbv beta in Q. specialize (Q ltac:(lra)).
  apply (derivable_pt_lim_locally_ext (div_fct (fun s => 1 + s * y) (fun s => 1 + s * x)) _ 0 (- Rmin d e) (Rmin d e)).
  - assert (P := Rmin_pos d e D E). lra.
  - intros s S. assert (L := Rmin_l d e). assert (R := Rmin_r d e).
    specialize (X s ltac:(lra)). specialize (Y s ltac:(lra)). unfold corner, div_fct. cbn.
    destruct (Rlt_dec 0 (1 + s * x)); [| lra]. destruct (Rlt_dec 0 (1 + s * y)); [reflexivity | lra].
  - replace (⟨(-1, 1) : plane, (x, y)⟩) with ((y * (1 + 0 * x) - x * (1 + 0 * y)) / Rsqr (1 + 0 * x)); [exact Q |].
    unfold Rsqr. cbn. field.
Qed.

Lemma corner_flat x y : x < 0 \/ y < 0 -> gradient corner (x, y) vzero.
Proof.
  intros away [a b]. rewrite dot_zero.
  assert (N : exists d, 0 < d /\ forall s, - d < s < d -> x + s * a < 0 \/ y + s * b < 0).
  { destruct away as [X | Y].
    - destruct (near (- x) (- a)) as [d [D K]]; [lra |].
      exists d. split; [exact D |]. intros s S. specialize (K s S). lra.
    - destruct (near (- y) (- b)) as [d [D K]]; [lra |].
      exists d. split; [exact D |]. intros s S. specialize (K s S). lra. }
  destruct N as [d [D N]].
  apply (derivable_pt_lim_locally_ext (fct_cte 0) _ 0 (- d) d); [lra | | apply derivable_pt_lim_const].
  intros s S. unfold corner, fct_cte. cbn. specialize (N s S).
  destruct (Rlt_dec 0 (x + s * a)); [| reflexivity]. destruct (Rlt_dec 0 (y + s * b)); [lra | reflexivity].
Qed.

(** A run along (-1, 1) from (1, 1), where the gradient is not zero, to outside the quadrant, where it is. *)
Definition pushed (s : nat -> R) (t : nat) : plane := (1 + s t, 1 - s t).
Definition push (t : nat) : plane := (first t * ((-1, 1) : plane))%V.

Lemma pushed_gradient s : s O = 0 -> (forall t, 1 < s (S t) \/ s (S t) < -1) ->
  forall t, gradient corner (pushed s t) (push t).
Proof.
  intros Z away [| t]; unfold pushed, push.
  - rewrite Z, Rplus_0_r, Rminus_0_r. cbn [first]. rewrite vscale_one. apply corner_gradient.
  - cbn [first]. rewrite vscale_zero. apply corner_flat. destruct (away t); lra.
Qed.

(** What the runs of the counterexamples have to satisfy. *)
Ltac finish := first [apply constant_invariant | intros t; exact (constant_gradient _ _ _)
  | intros t; apply half_square_gradient | cbn; lra | intros [| [| t]]; cbn; ring].
