(** Eq. 4: the gradient of a scale-invariant function is tangent, w·∇f(w) = 0, and ∇f(cw) = ∇f(w)/c (§2.3). *)
From Tangency Require Import inner_product.

Lemma derivative_unique F x a b : derivable_pt_lim F x a -> derivable_pt_lim F x b -> a = b.
Proof. intros; now apply (uniqueness_limite F x). Qed.

Lemma derivative_ext F G x l : (forall s, F s = G s) -> derivable_pt_lim F x l -> derivable_pt_lim G x l.
Proof. intros K H eps Heps. destruct (H eps Heps) as [d D]. exists d. intros s S0 S1. rewrite <- !K. now apply D. Qed.

Lemma derivative_shift F x l : derivable_pt_lim (fun s => F (x + s)) 0 l -> derivable_pt_lim F x l.
Proof.
  intros H eps Heps. destruct (H eps Heps) as [d K]. exists d. intros h h0 hd. specialize (K h h0 hd).
  rewrite Rplus_0_l, Rplus_0_r in K. exact K.
Qed.

Lemma gradient_unique (E : space) (f : E -> R) w g g' : gradient f w g -> gradient f w g' -> g = g'.
Proof.
  intros H H'. vector. assert (K : forall h, ⟨g, h⟩ = ⟨g', h⟩).
  { intros h. apply (derivative_unique _ _ _ _ (H h) (H' h)). }
  rewrite (K g), (dot_comm E g' g), (K g'). ring.
Qed.

(** Along the line from x to x + h, the derivative at s is ⟨∇f(x + sh), h⟩. *)
Lemma along_line (E : space) (f : E -> R) (x h g : E) s :
  gradient f (x + s * h) g -> derivable_pt_lim (fun r => f (x + r * h)%V) s ⟨g, h⟩.
Proof.
  intros H. apply derivative_shift. eapply derivative_ext; [| apply H]. intros r. cbv beta.
  now rewrite vscale_add, vadd_assoc.
Qed.

Section Invariant.
Variables (E : space) (f : E -> R).
Hypothesis invariant : scale_invariant f.

Theorem orthogonality w g : gradient f w g -> ⟨w, g⟩ = 0.
Proof.
  intros H. rewrite dot_comm. apply (derivative_unique (fun s => f (w + s * w)%V) 0); [apply H |].
  intros eps Heps. exists (mkposreal 1 Rlt_0_1). intros s _ Hs. simpl in Hs. apply Rabs_def2 in Hs.
  assert (K : forall r, -1 < r -> f (w + r * w)%V = f w).
  { intros r Hr. rewrite <- (invariant (1 + r) w) by lra. f_equal. now rewrite vscale_add, vscale_one. }
  rewrite !K by lra. unfold Rminus at 2. rewrite Rplus_opp_r. unfold Rdiv.
  rewrite Rmult_0_l, Rminus_0_r, Rabs_R0. exact Heps.
Qed.

Theorem homogeneity c w g : 0 < c -> gradient f w g -> gradient f (c * w) ((/ c) * g).
Proof.
  intros Hc H h. rewrite dot_scale, Rmult_comm.
  assert (K : forall s, f (w + (/ c * s) * h)%V = f (c * w + s * h)%V).
  { intros s. rewrite <- (invariant c (w + _)%V) by lra. f_equal. rewrite vadd_scale, vscale_mul. do 2 f_equal.
    field. lra. }
  apply derivative_ext with (1 := K).
  assert (D := derivable_pt_lim_comp (fun s => / c * s) (fun s => f (w + s * h)%V) 0 (/ c) ⟨g, h⟩).
  cbv beta in D. rewrite Rmult_0_r in D. apply D; [| apply H].
  assert (L := derivable_pt_lim_scal id (/ c) 0 1 (derivable_pt_lim_id 0)). rewrite Rmult_1_r in L. exact L.
Qed.

End Invariant.

Theorem eq_04 : forall (E : space) (f : E -> R) (c : R) (w g : E),
  scale_invariant f -> gradient f w g -> 0 < c -> ⟨w, g⟩ = 0 /\ gradient f (c * w) ((/ c) * g).
Proof. intros E f c w g I G C. split; [now apply (orthogonality E f) | now apply homogeneity]. Qed.

(** A function whose gradients are tangent is scale-invariant: it is constant along every ray. *)
Theorem eq_04_converse : forall (E : space) (f : E -> R) (grad : E -> E),
  (forall w, w <> vzero -> gradient f w (grad w)) -> (forall w, w <> vzero -> ⟨w, grad w⟩ = 0) ->
  (forall c w, 0 < c -> w <> vzero -> f (c * w)%V = f w).
Proof.
  intros E f grad G T. assert (flat : forall w s, 0 < s -> w <> vzero -> derivable_pt_lim (fun r => f (r * w)%V) s 0).
  { intros w s S N. assert (SN : (s * w)%V <> vzero) by (apply scale_nonzero; [lra | exact N]).
    assert (Z : ⟨grad (s * w)%V, w⟩ = 0).
    { assert (K := T _ SN). rewrite dot_scale, dot_comm in K. apply Rmult_integral in K.
      destruct K; [lra | assumption]. }
    rewrite <- Z. apply derivative_ext with (F := fun r => f (vzero + r * w)%V).
    - intros r. now rewrite vadd_comm, vadd_zero.
    - apply along_line. rewrite vadd_comm, vadd_zero. now apply G. }
  assert (step : forall a b w, 0 < a < b -> w <> vzero -> f (b * w)%V = f (a * w)%V).
  { intros a b w B N. destruct (MVT_cor2 (fun r => f (r * w)%V) (fun _ => 0) a b) as [x [M _]]; [lra | | lra].
    intros s S. apply flat; [lra | exact N]. }
  intros c w C N. rewrite <- (vscale_one E w) at 2. destruct (Rtotal_order c 1) as [L | [-> | L]].
  - symmetry. apply step; auto.
  - reflexivity.
  - apply step; [lra | exact N].
Qed.

(** Only constant functions have a gradient at 0, so no statement has to exclude it. *)
Theorem eq_04_no_gradient_at_0 : forall (E : space) (f : E -> R) (g : E),
  scale_invariant f -> gradient f vzero g -> forall w, f w = f vzero.
Proof.
  intros E f g I G w. destruct (Req_dec (f w) (f vzero)) as [D | D]; [exact D | exfalso].
  assert (C := derivable_continuous_pt _ _ (exist _ _ (G w))). destruct (C (Rabs (f w - f vzero))) as [d [P H]].
  { apply Rabs_pos_lt. lra. }
  assert (Z : (vzero + 0 * w)%V = vzero) by (now rewrite vscale_zero, vadd_zero).
  assert (X : (vzero + d / 2 * w)%V = (d / 2 * w)%V) by (now rewrite vadd_comm, vadd_zero).
  specialize (H (d / 2)). simpl in H. unfold R_dist in H. rewrite Z, X, I in H by lra.
  apply (Rlt_irrefl (Rabs (f w - f vzero))), H. split; [split; [exact Logic.I | lra] |].
  rewrite Rminus_0_r, Rabs_pos_eq; lra.
Qed.
