(** What the balance of weight decay and norm growth needs. *)
From Tangency Require Import inner_product sums small_spaces eq_10_projection.

Lemma constant_limit a l : Un_cv (fun _ => a) l -> a = l.
Proof.
  intros H. destruct (Req_dec a l) as [D | D]; [exact D | exfalso].
  destruct (H (Rabs (a - l))) as [n K]; [apply Rabs_pos_lt; lra |].
  apply (Rlt_irrefl (Rabs (a - l))), (K n). lia.
Qed.

(** Powers of 4/5: decay alone *)
Definition fading (t : nat) : line := (4 / 5)^t.

(** From (2, 0) to (0, −1/2) and back, along (0, 1/2) and (−2, 0) *)
Definition swung (t : nat) : plane := if Nat.even t then (2, 0) else (0, - / 2).
Definition swing (t : nat) : plane := if Nat.even t then (0, / 2) else (-2, 0).

Ltac far := match goal with H : Rabs _ <= _ |- False => unfold Rabs in H; repeat destruct Rcase_abs in H; lra end.

(** A step along w, from 1 to 0 *)
Theorem decay_balance_needs_tangent : ~ (forall (E : space) (η λ : R) (w q w' : E),
  w' = ((1 - η * λ) * w - η * q)%V ->
  ‖w'‖² = (1 - η * λ)^2 * ‖w‖² + η^2 * ‖q‖² /\
  ⟨w, w'⟩ = (1 - η * λ) * ‖w‖²).
Proof.
  intros H. destruct (H line 1 0 1 1 0) as [C _]; cbn in *; lra.
Qed.

(** The weights move by something else. *)
Theorem decay_balance_needs_update : ~ (forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 ->
  ‖w'‖² = (1 - η * λ)^2 * ‖w‖² + η^2 * ‖q‖² /\
  ⟨w, w'⟩ = (1 - η * λ) * ‖w‖²).
Proof.
  intros H. destruct (H line 0 0 1 0 0) as [C _]; cbn in *; lra.
Qed.

(** A step along w, from 1 to −1 *)
Theorem decay_balance_angle_needs_tangent : ~ (forall (E : space) (η λ : R) (w q w' : E),
  w' = ((1 - η * λ) * w - η * q)%V ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  cos (angle w w') = 1 - η * λ /\
  ‖unit w' - unit w‖² = 2 * η * λ).
Proof.
  intros H. destruct (H line 1 0 1 2 (-1)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

Theorem decay_balance_angle_needs_update : ~ (forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 ->
  w <> vzero ->
  ‖w'‖² = ‖w‖² ->
  cos (angle w w') = 1 - η * λ /\
  ‖unit w' - unit w‖² = 2 * η * λ).
Proof.
  intros H. destruct (H line 1 0 1 0 (-1)) as [_ C]; try (cbn; lra).
  rewrite (unit_positive 1), (unit_negative (-1)) in C by lra. cbn in C. lra.
Qed.

(** 0 has no direction. *)
Theorem decay_balance_angle_needs_nonzero : ~ (forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 ->
  w' = ((1 - η * λ) * w - η * q)%V ->
  ‖w'‖² = ‖w‖² ->
  cos (angle w w') = 1 - η * λ /\
  ‖unit w' - unit w‖² = 2 * η * λ).
Proof.
  intros H. destruct (H line 1 1 0 0 0) as [_ C]; try (cbn; lra). cbn in C. lra.
Qed.

(** A step that shortens w *)
Theorem decay_balance_angle_needs_stationary : ~ (forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 ->
  w' = ((1 - η * λ) * w - η * q)%V ->
  w <> vzero ->
  cos (angle w w') = 1 - η * λ /\
  ‖unit w' - unit w‖² = 2 * η * λ).
Proof.
  intros H. destruct (H line 1 (/ 2) 1 0 (/ 2)) as [_ C]; try (cbn; lra).
  rewrite !unit_positive in C by lra. cbn in C. lra.
Qed.

Theorem decay_balance_stationary_needs_tangent : ~ (forall (E : space) (η λ : R) (w q w' : E),
  w' = ((1 - η * λ) * w - η * q)%V ->
  η <> 0 ->
  (‖w'‖² = ‖w‖² <-> λ * (2 - η * λ) * ‖w‖² = η * ‖q‖²)).
Proof.
  intros H. destruct (H line 1 0 1 2 (-1)) as [C _]; try (cbn; lra). cbn in C. lra.
Qed.

Theorem decay_balance_stationary_needs_update : ~ (forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 ->
  η <> 0 ->
  (‖w'‖² = ‖w‖² <-> λ * (2 - η * λ) * ‖w‖² = η * ‖q‖²)).
Proof.
  intros H. destruct (H line 1 1 1 0 1) as [C _]; try (cbn; lra). cbn in C. lra.
Qed.

Theorem decay_balance_stationary_needs_η_nonzero : ~ (forall (E : space) (η λ : R) (w q w' : E),
  ⟨w, q⟩ = 0 ->
  w' = ((1 - η * λ) * w - η * q)%V ->
  (‖w'‖² = ‖w‖² <-> λ * (2 - η * λ) * ‖w‖² = η * ‖q‖²)).
Proof.
  intros H. destruct (H line 0 1 1 0 1) as [C _]; try (cbn; lra). cbn in C. lra.
Qed.

Theorem decay_balance_run_needs_tangent : ~ (forall (E : space) (η_ λ_ σ_ : nat -> R) (w_ q_ : nat -> E),
  (forall t, w_ (S t) = ((1 - η_ t * λ_ t) * w_ t - η_ t * q_ t)%V) ->
  (forall t, σ_ (S t) = (1 - η_ t * λ_ t) * σ_ t) ->
  (forall t, σ_ t <> 0) ->
  (forall t, ‖w_ t‖² = (σ_ t / σ_ O)^2 * ‖w_ O‖² + (Σ k < t, ((σ_ t / σ_ (S k) * η_ k)^2 * ‖q_ k‖²)))).
Proof.
  intros H. assert (C := H line (fun _ => 1) (fun _ => 0) (fun _ => 1) first first). specialize (C ltac:(intros [| t];
  cbn; lra) ltac:(intros; cbn; lra) ltac:(intros; cbn; lra) 1%nat). cbn in C. lra.
Qed.

Theorem decay_balance_run_needs_update : ~ (forall (E : space) (η_ λ_ σ_ : nat -> R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, σ_ (S t) = (1 - η_ t * λ_ t) * σ_ t) ->
  (forall t, σ_ t <> 0) ->
  (forall t, ‖w_ t‖² = (σ_ t / σ_ O)^2 * ‖w_ O‖² + (Σ k < t, ((σ_ t / σ_ (S k) * η_ k)^2 * ‖q_ k‖²)))).
Proof.
  intros H. assert (C := H line (fun _ => 1) (fun _ => 0) (fun _ => 1) first never). specialize (C ltac:(intros; cbn;
  lra) ltac:(intros; cbn; lra) ltac:(intros; cbn; lra) 1%nat). cbn in C. lra.
Qed.

Theorem decay_balance_run_needs_shrunk : ~ (forall (E : space) (η_ λ_ σ_ : nat -> R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η_ t * λ_ t) * w_ t - η_ t * q_ t)%V) ->
  (forall t, σ_ t <> 0) ->
  (forall t, ‖w_ t‖² = (σ_ t / σ_ O)^2 * ‖w_ O‖² + (Σ k < t, ((σ_ t / σ_ (S k) * η_ k)^2 * ‖q_ k‖²)))).
Proof.
  intros H. assert (C := H line (fun _ => 1) (fun _ => 1) (fun _ => 1) first never). specialize (C ltac:(intros; cbn;
  lra) ltac:(intros [| t]; cbn; lra) ltac:(intros; cbn; lra) 1%nat). cbn in C. lra.
Qed.

Theorem decay_balance_run_needs_not_to_0 : ~ (forall (E : space) (η_ λ_ σ_ : nat -> R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η_ t * λ_ t) * w_ t - η_ t * q_ t)%V) ->
  (forall t, σ_ (S t) = (1 - η_ t * λ_ t) * σ_ t) ->
  (forall t, ‖w_ t‖² = (σ_ t / σ_ O)^2 * ‖w_ O‖² + (Σ k < t, ((σ_ t / σ_ (S k) * η_ k)^2 * ‖q_ k‖²)))).
Proof.
  intros H. assert (C := H line (fun _ => 1) (fun _ => 0) (fun _ => 0) (fun _ => 1) never).
  specialize (C ltac:(intros; cbn; lra) ltac:(intros; cbn; lra) ltac:(intros; cbn; lra) O). cbn in C.
  unfold Rdiv in C. lra.
Qed.

(** s = 1/2: w = −2 stays where it is. *)
Theorem decay_balance_limit_needs_tangent : ~ (forall (E : space) (η λ Q W : R) (w_ q_ : nat -> E),
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖q_ t‖² = Q) ->
  λ * (2 - η * λ) * W = η * Q ->
  (1 - η * λ)^2 < 1 ->
  (forall t, ‖w_ t‖² - W = (1 - η * λ)^(2 * t) * (‖w_ O‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W)).
Proof.
  intros H. destruct (H line 1 (/ 2) 1 (4 / 3) (fun _ => -2) (fun _ => 1)) as [C _]; try (intros; cbn; lra).
  specialize (C 1%nat). cbn in C. lra.
Qed.

Theorem decay_balance_limit_needs_update : ~ (forall (E : space) (η λ Q W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, ‖q_ t‖² = Q) ->
  λ * (2 - η * λ) * W = η * Q ->
  (1 - η * λ)^2 < 1 ->
  (forall t, ‖w_ t‖² - W = (1 - η * λ)^(2 * t) * (‖w_ O‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W)).
Proof.
  intros H. destruct (H line 1 (/ 2) 0 0 (fun _ => 1) never) as [C _]; try (intros; cbn; lra).
  specialize (C 1%nat). cbn in C. lra.
Qed.

Theorem decay_balance_limit_needs_one_length : ~ (forall (E : space) (η λ Q W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  λ * (2 - η * λ) * W = η * Q ->
  (1 - η * λ)^2 < 1 ->
  (forall t, ‖w_ t‖² - W = (1 - η * λ)^(2 * t) * (‖w_ O‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W)).
Proof.
  intros H. destruct (H line 1 (/ 2) (3 / 4) 1 (fun t => (/ 2)^t) never) as [C _]; try (intros; cbn; lra).
  specialize (C 1%nat). cbn in C. lra.
Qed.

Theorem decay_balance_limit_needs_standing : ~ (forall (E : space) (η λ Q W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖q_ t‖² = Q) ->
  (1 - η * λ)^2 < 1 ->
  (forall t, ‖w_ t‖² - W = (1 - η * λ)^(2 * t) * (‖w_ O‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W)).
Proof.
  intros H. destruct (H line 1 (/ 2) 0 1 (fun t => (/ 2)^t) never) as [C _]; try (intros; cbn; lra).
  specialize (C 1%nat). cbn in C. lra.
Qed.

(** Without decay nothing moves. *)
Theorem decay_balance_limit_needs_contracting : ~ (forall (E : space) (η λ Q W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖q_ t‖² = Q) ->
  λ * (2 - η * λ) * W = η * Q ->
  (forall t, ‖w_ t‖² - W = (1 - η * λ)^(2 * t) * (‖w_ O‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W)).
Proof.
  intros H. destruct (H line 1 0 0 0 (fun _ => 1) never) as [_ C]; try (intros; cbn; lra).
  apply constant_limit in C. cbn in C. lra.
Qed.

(** s = 4/5: w = 1 stays where it is. *)
Theorem decay_balance_equilibrium_needs_tangent : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) ->
  0 < W ->
  λ * (2 - η * λ) * W^2 = η * G ->
  1 <= 2 * (1 - η * λ)^2 ->
  (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H line 1 (/ 5) (/ 25) (/ 3) (fun _ => 1) (fun _ => - / 5)) as [C _]; try (intros; unfold fading;
  cbn; lra).
  specialize (C O). unfold fading in C. cbn in C. far.
Qed.

Theorem decay_balance_equilibrium_needs_update : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) ->
  0 < W ->
  λ * (2 - η * λ) * W^2 = η * G ->
  1 <= 2 * (1 - η * λ)^2 ->
  (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H plane 1 (/ 5) 1 (5 / 3) (fun _ => (1, 0)) (fun _ => (0, 1))) as [C _]; try (intros;
  unfold fading; cbn; lra).
  specialize (C O). unfold fading in C. cbn in C. far.
Qed.

Theorem decay_balance_equilibrium_needs_product : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  0 < W ->
  λ * (2 - η * λ) * W^2 = η * G ->
  1 <= 2 * (1 - η * λ)^2 ->
  (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H line 1 (/ 5) (9 / 25) 1 fading never) as [C _]; try (intros; unfold fading; cbn; lra).
  specialize (C O). unfold fading in C. cbn in C. far.
Qed.

(** Decay alone does not turn w. *)
Theorem decay_balance_equilibrium_needs_W_positive : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) ->
  λ * (2 - η * λ) * W^2 = η * G ->
  1 <= 2 * (1 - η * λ)^2 ->
  (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H line 1 (/ 5) 0 0 fading never) as [_ [_ C]]; try (intros; unfold fading; cbn; lra).
  assert (K : forall t, ⟨unit (fading t), unit (fading (S t))⟩ = 1).
  { intros t. rewrite !unit_positive by (apply pow_lt; lra). cbn. ring. }
  assert (Z : Un_cv (fun _ => 1) (1 - 1 * / 5)).
  { intros eps P. destruct (C eps P) as [n N]. exists n. intros t L. specialize (N t L). cbv beta in N.
  now rewrite K in N. }
  apply constant_limit in Z. lra.
Qed.

Theorem decay_balance_equilibrium_needs_standing : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) ->
  0 < W ->
  1 <= 2 * (1 - η * λ)^2 ->
  (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H line 1 (/ 5) 0 1 fading never) as [C _]; try (intros; unfold fading; cbn; lra).
  specialize (C O). unfold fading in C. cbn in C. far.
Qed.

(** At ηλ = 1 it goes to and fro. *)
Theorem decay_balance_equilibrium_needs_short : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) ->
  0 < W ->
  λ * (2 - η * λ) * W^2 = η * G ->
  (1 - η * λ)^2 < 1 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H plane 1 1 1 1 swung swing) as [C _]; try (cbn; lra).
  - intros t. unfold swung, swing. destruct (Nat.even t); cbn; lra.
  - intros t. unfold swung, swing. rewrite Nat.even_succ, <- Nat.negb_even.
    destruct (Nat.even t); unfold vsub; cbn; f_equal; lra.
  - intros t. unfold swung, swing. destruct (Nat.even t); cbn; lra.
  - specialize (C O). unfold swung in C. cbn in C. far.
Qed.

Theorem decay_balance_equilibrium_needs_contracting : ~ (forall (E : space) (η λ G W : R) (w_ q_ : nat -> E),
  (forall t, ⟨w_ t, q_ t⟩ = 0) ->
  (forall t, w_ (S t) = ((1 - η * λ) * w_ t - η * q_ t)%V) ->
  (forall t, ‖w_ t‖² * ‖q_ t‖² = G) ->
  0 < W ->
  λ * (2 - η * λ) * W^2 = η * G ->
  1 <= 2 * (1 - η * λ)^2 ->
  (forall t, Rabs (‖w_ (S (S t))‖² - W) <= (1 - η * λ)^2 * Rabs (‖w_ (S t)‖² - W)) /\
  Un_cv (fun t => ‖w_ t‖²) (W) /\
  Un_cv (fun t => ⟨unit (w_ t), unit (w_ (S t))⟩) (1 - η * λ)).
Proof.
  intros H. destruct (H line 1 0 0 (/ 2) (fun _ => 1) never) as [_ [C _]]; try (intros; cbn; lra).
  apply constant_limit in C. cbn in C. lra.
Qed.
