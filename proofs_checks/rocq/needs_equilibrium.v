(** What the angle at the balance of weight decay and momentum needs. *)
From Tangency Require Import inner_product small_spaces.

(** Something else reflects w. *)
Theorem equilibrium_coupled_needs_update : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line 0 0 1 0 1 0 0 (-1) 0) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** Something else fills the buffer. *)
Theorem equilibrium_coupled_needs_buffer : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line 0 0 1 0 1 2 0 (-1) (-2)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** A gradient along w' fills it. *)
Theorem equilibrium_coupled_needs_tangent : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line 0 0 1 0 1 2 (-2) (-1) (-2)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** 0 has no direction. *)
Theorem equilibrium_coupled_needs_nonzero : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line 0 0 1 1 0 0 0 0 0) as [_ C]; try (cbn; lra).
  cbn in C. lra.
Qed.

(** From 1 to 1/2, where the buffer goes from 1/2 to 1 *)
Theorem equilibrium_coupled_needs_norm : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line 1 0 1 1 1 (/ 2) 0 (/ 2) 1) as [_ C]; try (cbn; lra).
  rewrite !unit_positive in C by lra. cbn in C. lra.
Qed.

(** Reflected, and nothing is left of the buffer. *)
Theorem equilibrium_coupled_needs_radial : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  1 + β <> 0 ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line 0 0 1 0 1 2 0 (-1) 0) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** β = −1 balances at any angle. *)
Theorem equilibrium_coupled_needs_damped : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', p'⟩ = ⟨w, p⟩ ->
  cos (angle w w') = 1 - η * λ * (1 - τ) / (1 + β) /\
  ‖unit w' - unit w‖² = 2 * η * λ * (1 - τ) / (1 + β)).
Proof.
  intros H. destruct (H line (-1) 0 1 0 1 2 0 (-1) (-2)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_needs_update : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line 0 0 1 1 1 0 0 (-1) 0) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_needs_buffer : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line 0 0 1 1 1 2 0 (-1) (-2)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_needs_tangent : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line 0 0 1 1 1 2 (-2) (-1) (-2)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_needs_nonzero : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line 0 0 0 1 0 0 0 0 0) as [_ C]; try (cbn; lra).
  cbn in C. lra.
Qed.

(** Decay alone does not turn w. *)
Theorem equilibrium_decoupled_needs_norm : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line 0 0 (/ 2) 1 1 0 0 (/ 2) 0) as [_ C]; try (cbn; lra).
  rewrite !unit_positive in C by lra. cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_needs_radial : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  1 + β * s <> 0 ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line 0 0 1 1 1 2 0 (-1) 0) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** β = −1 without decay balances at any angle. *)
Theorem equilibrium_decoupled_needs_damped : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  ⟨w', u'⟩ = ⟨w, u⟩ ->
  cos (angle w w') = (s + β) / (1 + β * s) /\
  ‖unit w' - unit w‖² = 2 * (1 - s) * (1 - β) / (1 + β * s)).
Proof.
  intros H. destruct (H line (-1) 0 1 1 1 2 0 (-1) (-2)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** βs = −1: there is no angle to match, and a quotient by 0 is 0 to the kernel. *)
Theorem equilibrium_ratio_needs_damped : ~ (forall (η λ β r : R),
  η * λ <> 0 ->
  (1 - η * λ * r = (1 - η * λ + β) / (1 + β * (1 - η * λ)) <-> r * (1 + β * (1 - η * λ)) = 1 - β)).
Proof.
  intros H. destruct (H 1 (3 / 2) 2 (2 / 3)) as [C _]; [lra |].
  replace (1 + 2 * (1 - 1 * (3 / 2))) with 0 in C by lra. unfold Rdiv in C. rewrite Rinv_0 in C. lra.
Qed.

(** Without decay no step turns. *)
Theorem equilibrium_ratio_needs_decayed : ~ (forall (η λ β r : R),
  1 + β * (1 - η * λ) <> 0 ->
  (1 - η * λ * r = (1 - η * λ + β) / (1 + β * (1 - η * λ)) <-> r * (1 + β * (1 - η * λ)) = 1 - β)).
Proof.
  intros H. destruct (H 1 0 (/ 2) 1) as [C _]; lra.
Qed.

Theorem equilibrium_coupled_drift_needs_update : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  ⟨w', g'⟩ = 0 ->
  (1 + β) * η^2 * ‖p‖² = 2 * η * λ * (1 - τ) * ‖w'‖² + (1 - β) * (‖w'‖² - ‖w‖²) - 2 * η * (⟨w', p'⟩ - ⟨w, p⟩)).
Proof.
  intros H. assert (C := H line 0 0 1 0 1 1 0 1 0). cbn in C. lra.
Qed.

Theorem equilibrium_coupled_drift_needs_buffer : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  ⟨w', g'⟩ = 0 ->
  (1 + β) * η^2 * ‖p‖² = 2 * η * λ * (1 - τ) * ‖w'‖² + (1 - β) * (‖w'‖² - ‖w‖²) - 2 * η * (⟨w', p'⟩ - ⟨w, p⟩)).
Proof.
  intros H. assert (C := H line 0 0 1 0 1 (/ 2) 0 (/ 2) 1). cbn in C. lra.
Qed.

Theorem equilibrium_coupled_drift_needs_tangent : ~ (forall (E : space) (β τ η λ : R) (w p g' w' p' : E),
  w' = (w - η * p)%V ->
  p' = (β * p + (1 - τ) * (g' + λ * w'))%V ->
  (1 + β) * η^2 * ‖p‖² = 2 * η * λ * (1 - τ) * ‖w'‖² + (1 - β) * (‖w'‖² - ‖w‖²) - 2 * η * (⟨w', p'⟩ - ⟨w, p⟩)).
Proof.
  intros H. assert (C := H line 0 0 1 0 1 (/ 2) 1 (/ 2) 1). cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_drift_needs_update : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  u' = (β * u + (1 - τ) * g')%V ->
  ⟨w', g'⟩ = 0 ->
  (1 + β * s) * η^2 * ‖u‖² =
    (1 - s^2) * (1 - β * s) * ‖w‖² + (1 - β * s) * (‖w'‖² - ‖w‖²) - 2 * s * η * (⟨w', u'⟩ - ⟨w, u⟩)).
Proof.
  intros H. assert (C := H line 0 0 1 1 1 1 0 1 0). cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_drift_needs_buffer : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  ⟨w', g'⟩ = 0 ->
  (1 + β * s) * η^2 * ‖u‖² =
    (1 - s^2) * (1 - β * s) * ‖w‖² + (1 - β * s) * (‖w'‖² - ‖w‖²) - 2 * s * η * (⟨w', u'⟩ - ⟨w, u⟩)).
Proof.
  intros H. assert (C := H line 0 0 1 1 1 (/ 2) 0 (/ 2) 1). cbn in C. lra.
Qed.

Theorem equilibrium_decoupled_drift_needs_tangent : ~ (forall (E : space) (β τ s η : R) (w u g' w' u' : E),
  w' = (s * w - η * u)%V ->
  u' = (β * u + (1 - τ) * g')%V ->
  (1 + β * s) * η^2 * ‖u‖² =
    (1 - s^2) * (1 - β * s) * ‖w‖² + (1 - β * s) * (‖w'‖² - ‖w‖²) - 2 * s * η * (⟨w', u'⟩ - ⟨w, u⟩)).
Proof.
  intros H. assert (C := H line 0 0 1 1 1 (/ 2) 1 (/ 2) 1). cbn in C. lra.
Qed.
