(** The angle of a step where weight decay and norm growth balance, with momentum: ‖w‖² and the radial component of the
  buffer stand still. *)
From Tangency Require Import inner_product.

(** ** Any step: what is missing to the balance is linear in the changes of the two. *)
Theorem equilibrium_coupled_drift : forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  (1 + β) * η^2 * ‖p‖² = 2 * η * λ * (1 - τ) * ‖w'‖² + (1 - β) * (‖w'‖² - ‖w‖²) - 2 * η * (⟨w', p'⟩ - ⟨w, p⟩).
Proof.
  intros E β τ η λ w p g' w' p' U -> T.
  assert (D : ⟨w', p⟩ = ⟨w, p⟩ - η * ‖p‖²) by (rewrite U; gram; ring).
  assert (G : ‖w'‖² = ‖w‖² - 2 * η * ⟨w, p⟩ + η^2 * ‖p‖²) by (rewrite U; gram; ring).
  rewrite !dot_add_r, !dot_scale_r, dot_add_r, dot_scale_r, T, D, G. ring.
Qed.

Theorem equilibrium_decoupled_drift : forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  (1 + β * s) * η^2 * ‖u‖² =
    (1 - s^2) * (1 - β * s) * ‖w‖² + (1 - β * s) * (‖w'‖² - ‖w‖²) - 2 * s * η * (⟨w', u'⟩ - ⟨w, u⟩).
Proof.
  intros E β τ s η w u g' w' u' U -> T.
  assert (D : ⟨w', u⟩ = s * ⟨w, u⟩ - η * ‖u‖²) by (rewrite U; gram; ring).
  assert (G : ‖w'‖² = s^2 * ‖w‖² - 2 * s * η * ⟨w, u⟩ + η^2 * ‖u‖²) by (rewrite U; gram; ring).
  rewrite dot_add_r, !dot_scale_r, T, D, G. ring.
Qed.

(** ** At the balance *)
Lemma turned_by (E : space) (k : R) (w w' : E) :
  w <> vzero -> ‖w'‖² = ‖w‖² -> ⟨w, w'⟩ = k * ‖w‖² -> cos (angle w w') = k /\ ‖unit w' - unit w‖² = 2 * (1 - k).
Proof.
  intros N L D. assert (P := norm_positive E w N).
  assert (N' : w' <> vzero) by (apply positive_nonzero; rewrite L; now apply dot_positive).
  assert (C : ⟨unit w, unit w'⟩ = k).
  { unfold unit. rewrite dot_scale, dot_scale_r, D. replace (norm w') with (norm w) by (unfold norm; now rewrite L).
    rewrite <- norm_square. field. lra. }
  assert (apart : ‖unit w' - unit w‖² = 2 * (1 - k)).
  { rewrite dot_sub, !dot_sub_r, !unit_square, (dot_comm E (unit w')), C by assumption. ring. }
  assert (along : ‖unit w' + unit w‖² = 2 * (1 + k)).
  { rewrite dot_add, !dot_add_r, !unit_square, (dot_comm E (unit w')), C by assumption. ring. }
  split; [| exact apart]. unfold angle. rewrite C. apply cos_acos.
  assert (A := dot_nonneg E (unit w' - unit w)%V). assert (B := dot_nonneg E (unit w' + unit w)%V). lra.
Qed.

Theorem equilibrium_coupled : forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β).
Proof.
  intros E β τ η λ w p g' w' p' U M T N L S B.
  assert (X := equilibrium_coupled_drift E β τ η λ w p g' w' p' U M T). rewrite L, S in X.
  assert (G : ‖w'‖² = ‖w‖² - 2 * η * ⟨w, p⟩ + η^2 * ‖p‖²) by (rewrite U; gram; ring). rewrite L in G.
  destruct (turned_by E (1 - η * λ * (1 - τ) / (1 + β)) w w' N L) as [C H].
  - rewrite U. gram. apply Rmult_eq_reg_l with (1 + β); [| exact B].
    replace ((1 + β) * ((1 - η * λ * (1 - τ) / (1 + β)) * ‖w‖²)) with ((1 + β - η * λ * (1 - τ)) * ‖w‖²)
      by (field; exact B).
    apply (f_equal (Rmult (1 + β))) in G. lra.
  - split; [exact C |]. rewrite H. field. exact B.
Qed.

Theorem equilibrium_decoupled : forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s).
Proof.
  intros E β τ s η w u g' w' u' U M T N L S B.
  assert (X := equilibrium_decoupled_drift E β τ s η w u g' w' u' U M T). rewrite L, S in X.
  assert (G : ‖w'‖² = s^2 * ‖w‖² - 2 * s * η * ⟨w, u⟩ + η^2 * ‖u‖²) by (rewrite U; gram; ring). rewrite L in G.
  assert (D : ⟨w', u⟩ = s * ⟨w, u⟩ - η * ‖u‖²) by (rewrite U; gram; ring).
  assert (K : ⟨w', u'⟩ = β * ⟨w', u⟩) by (rewrite M, dot_add_r, !dot_scale_r, T; ring). rewrite S, D in K.
  destruct (turned_by E ((s + β) / (1 + β * s)) w w' N L) as [C H].
  - apply Rmult_eq_reg_l with (1 + β * s); [| exact B].
    replace ((1 + β * s) * ((s + β) / (1 + β * s) * ‖w‖²)) with ((s + β) * ‖w‖²) by (field; exact B).
    replace ⟨w, w'⟩ with (s * ‖w‖² - η * ⟨w, u⟩) by (rewrite U; gram; ring).
    (* (1 + βs)(s‖w‖² − ηc) − (s + β)‖w‖² is the radial equation less β times that of the norm. *)
    apply (f_equal (Rmult β)) in G. apply (f_equal (Rmult η)) in K. lra.
  - split; [exact C |]. rewrite H. field. exact B.
Qed.

(** With which wd_ratio a projected step, of cosine 1 − ηλr (decay_balance_angle), turns as far *)
Theorem equilibrium_ratio : forall (η λ β r : R),
  1 + β * (1 - η * λ) <> 0 ->
  η * λ <> 0 ->
  (1 - η * λ * r = (1 - η * λ + β) / (1 + β * (1 - η * λ)) <-> r * (1 + β * (1 - η * λ)) = 1 - β).
Proof.
  intros η λ β r B L. split; intros H.
  - apply Rmult_eq_reg_l with (η * λ); [| exact L]. apply (f_equal (Rmult (1 + β * (1 - η * λ)))) in H.
    unfold Rdiv in H. rewrite (Rmult_comm (_ + β)), <- Rmult_assoc, Rinv_r, Rmult_1_l in H by exact B. lra.
  - apply Rmult_eq_reg_l with (1 + β * (1 - η * λ)); [| exact B].
    unfold Rdiv. rewrite (Rmult_comm (_ + β)), <- Rmult_assoc, Rinv_r, Rmult_1_l by exact B.
    apply (f_equal (Rmult (η * λ))) in H. lra.
Qed.
