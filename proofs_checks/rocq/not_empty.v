(** The theorems are not empty: a scale-invariant function that is not constant, its gradient,
  and a run of each kind. *)
From Tangency Require Import inner_product eq_04_orthogonality eq_10_projection algorithm_1_sgdp.

Section SquaredCosine.
Variables (E : space) (a : E).

(** cos²∠(w, a) ‖a‖² *)
Definition squared_cosine (w : E) : R := ⟨w, a⟩ * ⟨w, a⟩ / ‖w‖².

Definition slope (w : E) : E := ((2 * ⟨w, a⟩ / ‖w‖²) * project w a)%V.

Theorem squared_cosine_invariant : scale_invariant squared_cosine.
Proof.
  intros c w C. unfold squared_cosine. gram. destruct (zero_or_not E w) as [-> | N].
  - rewrite !dot_zero. unfold Rdiv. ring.
  - field. split; [now apply dot_nonzero | lra].
Qed.

Lemma quadratic_derivative p q r : derivable_pt_lim (fun s => p + s * (q + s * r)) 0 q.
Proof.
  intros eps Heps. assert (A := Rabs_pos r).
  exists (mkposreal (eps / (Rabs r + 1)) ltac:(apply Rdiv_lt_0_compat; lra)). intros h H0 H. simpl in H.
  replace ((p + (0 + h) * (q + (0 + h) * r) - (p + 0 * (q + 0 * r))) / h - q) with (h * r) by (field; exact H0).
  rewrite Rabs_mult. apply (Rmult_lt_compat_r (Rabs r + 1)) in H; [| lra].
  unfold Rdiv in H. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in H by lra. assert (B := Rabs_pos h). nra.
Qed.

Theorem squared_cosine_gradient w : w <> vzero -> gradient squared_cosine w (slope w).
Proof.
  intros N h. assert (P := dot_positive E w N).
  assert (D := derivable_pt_lim_div (fun s => ⟨w, a⟩ * ⟨w, a⟩ + s * (2 * (⟨w, a⟩ * ⟨h, a⟩) + s * (⟨h, a⟩ * ⟨h, a⟩)))
    (fun s => ‖w‖² + s * (2 * ⟨w, h⟩ + s * ‖h‖²)) 0 _ _ (quadratic_derivative _ _ _) (quadratic_derivative _ _ _)).
  cbv beta in D. rewrite !Rmult_0_l, !Rplus_0_r in D. specialize (D ltac:(lra)).
  replace ⟨slope w, h⟩ with
    ((2 * (⟨w, a⟩ * ⟨h, a⟩) * ‖w‖² - 2 * ⟨w, h⟩ * (⟨w, a⟩ * ⟨w, a⟩)) / Rsqr ‖w‖²).
  2: { unfold slope, project, Rsqr. gram. field. lra. }
  eapply derivative_ext; [| exact D]. intros s. unfold div_fct, squared_cosine. gram. f_equal; ring.
Qed.

(** Not constant, as soon as there is a direction besides a *)
Theorem squared_cosine_not_constant b :
  a <> vzero -> b <> vzero -> ⟨a, b⟩ = 0 -> squared_cosine b < squared_cosine a.
Proof.
  intros A B O. assert (P := dot_positive E a A). assert (Q := dot_positive E b B). unfold squared_cosine.
  rewrite (dot_comm E b), O. replace (0 * 0 / ‖b‖²) with 0 by (field; lra).
  replace (‖a‖² * ‖a‖² / ‖a‖²) with ‖a‖² by (field; lra). exact P.
Qed.

(** A gradient is 0 only where w is at right angles to a, or along it. *)
Theorem slope_nonzero w : w <> vzero -> ⟨w, a⟩ <> 0 -> project w a <> vzero -> slope w <> vzero.
Proof.
  intros N A P. apply scale_nonzero; [| exact P]. assert (Q := dot_nonzero E w N).
  apply Rmult_integral_contrapositive_currified; [| now apply Rinv_neq_0_compat].
  apply Rmult_integral_contrapositive_currified; [lra | exact A].
Qed.

Variables (η β τ : R) (w0 : E).
Hypothesis nonzero : w0 <> vzero.

Let hyper (ahead : bool) (b t : R) : hyperparameters reals :=
  Hyperparameters reals η b t ahead 0 (1 / 10) (1 / 10) false.

Theorem a_run_of_momentum : 0 <= β -> exists w g p : nat -> E,
  w O = w0 /\ g O = slope w0 /\ (forall t, gradient squared_cosine (w t) (g t)) /\ p O = ((1 - τ) * g O)%V /\
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) /\ (forall t, w (S t) = (w t - η * p t)%V).
Proof.
  intros B. destruct (heavy_ball_run E 0 squared_cosine slope (hyper false β τ) w0 squared_cosine_invariant
    squared_cosine_gradient nonzero B eq_refl) as [_ H]. do 3 eexists. split; [| split; [| exact H]]; reflexivity.
Qed.

Theorem a_run_of_nesterov : 0 <= β -> β <= 1 -> τ < 1 -> exists w g p u : nat -> E,
  w O = w0 /\ g O = slope w0 /\ (forall t, gradient squared_cosine (w t) (g t)) /\ p O = ((1 - τ) * g O)%V /\
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) /\ (forall t, u t = (g t + β * p t)%V) /\
  (forall t, w (S t) = (w t - η * u t)%V).
Proof.
  intros B0 B1 T. destruct (nesterov_run E 0 squared_cosine slope (hyper true β τ) w0 squared_cosine_invariant
    squared_cosine_gradient nonzero B0 eq_refl B1 T) as [_ H].
  do 4 eexists. split; [| split; [| exact H]]; reflexivity.
Qed.

Theorem a_run_of_gd : exists w p : nat -> E,
  w O = w0 /\ p O = slope w0 /\ (forall t, gradient squared_cosine (w t) (p t)) /\
  (forall t, w (S t) = (w t - η * p t)%V).
Proof.
  destruct (heavy_ball_run E 0 squared_cosine slope (hyper false 0 0) w0 squared_cosine_invariant
    squared_cosine_gradient nonzero (Rle_refl 0) eq_refl) as [_ [G [P0 [P U]]]].
  set (s := descend _ slope (w0, vzero)) in *. cbv beta in *. exists (fun t => fst (s t)), (fun t => slope (fst (s t))).
  split; [reflexivity |]. split; [reflexivity |]. split; [exact G |]. intros t. rewrite U. f_equal.
  apply (f_equal (vscale η)).
  assert (plain : forall x y : E, (0 * x + (1 - 0) * y)%V = y) by (intros; vector; ring).
  destruct t as [| t]; [rewrite P0; vector; simpl; ring | rewrite P; apply plain].
Qed.

End SquaredCosine.
