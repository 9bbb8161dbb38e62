(** What the rate needs. *)
From Tangency Require Import small_spaces.

(** ** f = 0 has every smoothness, and ‖w‖²/2 has, but for scale invariance. *)
Ltac still := first [apply constant_invariant | intros; apply constant_gradient | exact R1_neq_R0 |
  intros; apply (derivable_pt_lim_const ⟨vzero, _⟩) | intros; cbn in *; rewrite ?Rabs_R0; nra |
  cbn; unfold Rdiv; rewrite ?Rmult_0_l, ?Rinv_0; field].

Lemma radial_derivative (E : space) (w u : E) : derivable_pt_lim (fun s => ⟨w + s * u, u⟩) 0 ‖u‖².
Proof.
  apply (derivable_pt_lim_ext (fun s => ⟨w, u⟩ + s * ‖u‖²)); [intros s; gram; ring |].
  rewrite <- (Rplus_0_l ‖u‖²) at 1. apply derivable_pt_lim_plus; [apply (derivable_pt_lim_const ⟨w, u⟩) |].
  rewrite <- (Rmult_1_l ‖u‖²) at 1. apply derivable_pt_lim_scal_right, derivable_pt_lim_id.
Qed.

(** A step from 1 to 0 along w itself. *)
Lemma no_certificate : ~ (forall T, (0 < T)%nat -> exists t, (t < T)%nat /\
  ‖unit (first t)‖² <= ‖first T‖² * (‖first T‖² - ‖first O‖²) / (1^2 * INR T)).
Proof.
  intros C. destruct (C 1%nat ltac:(lia)) as [t [L B]]. replace t with O in B by lia.
  unfold unit in B. rewrite line_norm in B by (cbn; lra). cbn in B. unfold Rdiv in B.
  rewrite !Rmult_1_r, !Rinv_1 in B. lra.
Qed.

(** f = ‖w‖²/2 and η = 1. *)
Theorem rate_needs_scale_invariant :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> 0 < η -> w O <> vzero ->
  (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H. apply no_certificate.
  eapply (H line (fun x => ‖x‖² / 2) (fun x => x) (fun _ u => ‖u‖²) 1 1 0 1 _ _ first); try reflexivity; try lra.
  - intros. apply half_square_gradient.
  - intros. apply radial_derivative.
  - intros x u _. rewrite Rabs_pos_eq by apply dot_nonneg. lra.
  - intros x X. rewrite X. lra.
  - intros x y X Y. rewrite X, Y. lra.
  - apply R1_neq_R0.
  - intros [| t]; cbn; ring.
Qed.

Theorem rate_needs_gradient :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> 0 < η -> w O <> vzero ->
  (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H. apply no_certificate.
  eapply (H line (fun _ => 0) (fun x => x) (fun _ u => ‖u‖²) 1 1 0 1 _ _ first); try reflexivity; try lra.
  - apply constant_invariant.
  - intros. apply radial_derivative.
  - intros x u _. rewrite Rabs_pos_eq by apply dot_nonneg. lra.
  - intros x X. rewrite X. lra.
  - intros. lra.
  - apply R1_neq_R0.
  - intros [| t]; cbn; ring.
Qed.

(** ** f = cos² of the angle to the first axis, whose curvature no L = 0 bounds. *)
Definition square (w : plane) : R := fst w * fst w + snd w * snd w.
Definition cosine (w : plane) : R := fst w * fst w / square w.
Definition rise (w : plane) : plane :=
  ((2 * fst w * snd w / (square w * square w)) * ((snd w, - fst w) : plane))%V.
Definition bend (w u : plane) : R := let k := 2 * (snd w * fst u - fst w * snd u) in let q := square w in
  (k * (fst w * snd u + snd w * fst u) * (q * q) - (2 * ⟨w, u⟩ * q + q * (2 * ⟨w, u⟩)) * (k * (fst w * snd w))) /
  Rsqr (q * q).

Lemma quadratic_derivative p q r : derivable_pt_lim (fun s => p + s * (q + s * r)) 0 q.
Proof.
  assert (L : derivable_pt_lim (fun s => q + s * r) 0 r).
  { assert (K := derivable_pt_lim_plus _ _ 0 _ _ (derivable_pt_lim_const q 0)
      (derivable_pt_lim_scal_right _ 0 1 r (derivable_pt_lim_id 0))). rewrite Rplus_0_l, Rmult_1_l in K. exact K. }
  assert (K := derivable_pt_lim_plus _ _ 0 _ _ (derivable_pt_lim_const p 0)
    (derivable_pt_lim_mult id _ 0 _ _ (derivable_pt_lim_id 0) L)). cbv beta in K.
  replace (0 + (1 * (q + 0 * r) + id 0 * r)) with q in K by (unfold id; ring). exact K.
Qed.

Lemma square_line w u : derivable_pt_lim (fun s => square (w + s * u)%V) 0 (2 * ⟨w, u⟩).
Proof.
  apply (derivable_pt_lim_ext (fun s => square w + s * (2 * ⟨w, u⟩ + s * square u))); [| apply quadratic_derivative].
  intros s. unfold square. cbn. ring.
Qed.

Lemma square_positive w : w <> vzero -> 0 < square w.
Proof. exact (dot_positive plane w). Qed.

Lemma at_0 w u : square (w + 0 * u)%V = square w.
Proof. now rewrite vscale_zero, vadd_zero. Qed.

Lemma cosine_gradient w : w <> vzero -> gradient cosine w (rise w).
Proof.
  intros N u. assert (P := square_positive w N).
  assert (D := derivable_pt_lim_div _ _ 0 _ _
    (quadratic_derivative (fst w * fst w) (2 * fst w * fst u) (fst u * fst u)) (square_line w u)).
  cbv beta in D. rewrite at_0 in D. specialize (D ltac:(lra)).
  apply (derivable_pt_lim_ext _ (fun s => cosine (w + s * u)%V)) in D.
  - replace ⟨rise w, u⟩ with ((2 * fst w * fst u * square w - 2 * ⟨w, u⟩ * (fst w * fst w)) / Rsqr (square w)).
    + rewrite Rmult_0_l, Rplus_0_r in D. exact D.
    + unfold rise, Rsqr, square in *. cbn in *. field. lra.
  - intros s. unfold div_fct, cosine. f_equal. cbn. ring.
Qed.

Lemma cosine_bend w u : w <> vzero -> derivable_pt_lim (fun s => ⟨rise (w + s * u)%V, u⟩) 0 (bend w u).
Proof.
  intros N. assert (P := square_positive w N). set (k := 2 * (snd w * fst u - fst w * snd u)).
  assert (D := derivable_pt_lim_div _ _ 0 _ _ (quadratic_derivative (k * (fst w * snd w))
    (k * (fst w * snd u + snd w * fst u)) (k * (fst u * snd u)))
    (derivable_pt_lim_mult _ _ 0 _ _ (square_line w u) (square_line w u))).
  unfold mult_fct in D at 1. cbv beta in D. rewrite at_0 in D. specialize (D ltac:(nra)).
  apply (derivable_pt_lim_ext _ (fun s => ⟨rise (w + s * u)%V, u⟩)) in D.
  - unfold mult_fct in D. rewrite at_0, Rmult_0_l, Rplus_0_r in D. exact D.
  - intros s. unfold div_fct, mult_fct, k. cbn. unfold Rdiv. ring.
Qed.

Lemma cosine_invariant : scale_invariant cosine.
Proof.
  intros c [x y] C. unfold cosine, square. cbn. destruct (Req_dec (x * x + y * y) 0) as [Z | N].
  - replace x with 0 by nra. rewrite Rmult_0_r. unfold Rdiv. ring.
  - replace (c * x * (c * x) + c * y * (c * y)) with (c * c * (x * x + y * y)) by ring. field. split; [exact N | lra].
Qed.

Lemma cosine_slope w : ‖w‖² = 1 -> ‖rise w‖² <= 1^2.
Proof.
  destruct w as [x y]. intros W. unfold rise, square. cbn in *. rewrite W. unfold Rdiv. rewrite Rmult_1_r, Rinv_1.
  assert (0 <= (x * x - y * y) * (x * x - y * y)) by apply Rle_0_sqr. nra.
Qed.

Lemma cosine_spread w w' : ‖w‖² = 1 -> ‖w'‖² = 1 -> cosine w - cosine w' <= 1.
Proof.
  destruct w as [x y], w' as [x' y']. intros W W'. unfold cosine, square. cbn in *. rewrite W, W'. nra.
Qed.

Fixpoint run (t : nat) : plane := match t with O => (1, 1) | S t => (run t - 8 * rise (run t))%V end.

(** η = 8: the first step goes from (1, 1) to (-3, 5), further than 20. *)
Lemma too_far : ~ (forall t, ‖run t‖² <= 20).
Proof.
  intros C. specialize (C 1%nat). unfold run, rise, square in C. cbn in C.
  replace (2 * 1 * 1 / ((1 * 1 + 1 * 1) * (1 * 1 + 1 * 1))) with (/ 2) in C by field. lra.
Qed.

Lemma run_start : run O <> vzero.
Proof. intros Z. apply (f_equal fst) in Z. cbn in Z. lra. Qed.

(** H = 0 is not the second derivative. *)
Theorem rate_needs_second_derivative :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> 0 < η -> w O <> vzero ->
  (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H. apply too_far. apply (H plane cosine rise (fun _ _ => 0) 0 1 1 8 0 20 run);
    auto using cosine_invariant, cosine_gradient, cosine_slope, cosine_spread, run_start; try lra; try (cbn; field).
  intros w u _. rewrite Rabs_R0. lra.
Qed.

Theorem rate_needs_curvature :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) -> (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L ->
  0 < η -> w O <> vzero -> (forall t, w (S t) = (w t - η * grad (w t))%V) ->
  K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) -> R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H. apply too_far. apply (H plane cosine rise bend 0 1 1 8 0 20 run);
    auto using cosine_invariant, cosine_gradient, cosine_bend, cosine_slope, cosine_spread, run_start; try lra;
    cbn; field.
Qed.

Theorem rate_needs_spread :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) -> 0 <= L -> 0 < η ->
  w O <> vzero -> (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H.
  destruct (H line (fun _ => 0) (fun _ => vzero) (fun _ _ => 0) 0 0 (-100) 1 0 (-198) (fun _ => 1)) as [_ C]; try still.
  specialize (C O). cbn in C. lra.
Qed.

(** 0 ≤ L follows from the bound of the curvature. *)
Theorem rate_L_nonneg : forall (E : space) (H : E -> E -> R) (L : R) (w : E), w <> vzero ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> 0 <= L.
Proof.
  intros E H L w N B. assert (P := norm_positive E w N).
  assert (U : ‖unit w‖² = 1) by (unfold unit; rewrite dot_scale, dot_scale_r, <- norm_square; field; lra).
  specialize (B (unit w) (unit w) U). rewrite U in B. assert (A := Rabs_pos (H (unit w) (unit w))). lra.
Qed.

Theorem rate_needs_η_positive :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> w O <> vzero ->
  (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H.
  destruct (H line (fun _ => 0) (fun _ => vzero) (fun _ _ => 0) 0 0 100 (-1) 0 (-198) (fun _ => 1)) as [_ C]; try still.
  specialize (C O). cbn in C. lra.
Qed.

Theorem rate_needs_nonzero :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> 0 < η ->
  (forall t, w (S t) = (w t - η * grad (w t))%V) -> K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) ->
  R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H.
  destruct (H line (fun _ => 0) (fun _ => vzero) (fun _ _ => 0) 1 0 0 1 (/ 2) (-2) (fun _ => 0)) as [_ C]; try still.
  specialize (C O). cbn in C. lra.
Qed.

Theorem rate_needs_update :
  ~ (forall (E : space) (f : E -> R) (grad : E -> E) (H : E -> E -> R)
    (L G D η K R0 : R) (w : nat -> E),
  scale_invariant f -> (forall w, w <> vzero -> gradient f w (grad w)) ->
  (forall w u, w <> vzero -> derivable_pt_lim (fun s => ⟨grad (w + s * u)%V, u⟩) 0 (H w u)) ->
  (forall w u, ‖w‖² = 1 -> Rabs (H w u) <= L * ‖u‖²) -> (forall w, ‖w‖² = 1 -> ‖grad w‖² <= G^2) ->
  (forall w w', ‖w‖² = 1 -> ‖w'‖² = 1 -> f w - f w' <= D) -> 0 <= L -> 0 < η -> w O <> vzero ->
  K = η * L / 2 * (1 + η^2 * G^2 / (‖w O‖²)^2) -> R0 = 2 * (‖w O‖² + η * D - 2 * K + 2 * K^2 / ‖w O‖²) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖grad (unit (w t))‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T)) /\
  (forall t, ‖w t‖² <= R0)).
Proof.
  intros H.
  destruct (H line (fun _ => 0) (fun _ => vzero) (fun _ _ => 0) 0 0 0 1 0 2 (fun t => 2 - first t)) as [_ C]; try still.
  specialize (C 1%nat). cbn in C. lra.
Qed.

(** Without steps nothing shows how large the updates are. *)
Theorem rate_certificate_needs_η_nonzero : ~ (forall (E : space) (η : R) (w q : nat -> E),
  (forall t, ⟨w t, q t⟩ = 0) -> (forall t, w (S t) = (w t - η * q t)%V) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖w t‖² * ‖q t‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T))).
Proof.
  intros H. destruct (H plane 0 (fun _ => (1, 0)) (fun _ => (0, 1)) ltac:(intros; cbn; ring)
    ltac:(intros; cbn; f_equal; ring) 1%nat ltac:(lia)) as [t [_ C]].
  cbn in C. lra.
Qed.

Theorem rate_certificate_needs_tangent : ~ (forall (E : space) (η : R) (w q : nat -> E),
  η <> 0 -> (forall t, w (S t) = (w t - η * q t)%V) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖w t‖² * ‖q t‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T))).
Proof.
  intros H. destruct (H line 1 first first R1_neq_R0 ltac:(intros [| t]; cbn; ring) 1%nat ltac:(lia)) as [t [L C]].
  replace t with O in C by lia. cbn in C. unfold Rdiv in C. rewrite !Rmult_1_r, Rinv_1 in C. lra.
Qed.

Theorem rate_certificate_needs_update : ~ (forall (E : space) (η : R) (w q : nat -> E),
  η <> 0 -> (forall t, ⟨w t, q t⟩ = 0) ->
  (forall T, (0 < T)%nat -> exists t,
    (t < T)%nat /\ ‖w t‖² * ‖q t‖² <= ‖w T‖² * (‖w T‖² - ‖w O‖²) / (η^2 * INR T))).
Proof.
  intros H. destruct (H plane 1 (fun _ => (1, 0)) (fun _ => (0, 1)) R1_neq_R0 ltac:(intros; cbn; ring) 1%nat
    ltac:(lia)) as [t [_ C]].
  cbn in C. lra.
Qed.
