(** The ledger: how ‖w‖² grows in any run, term by term. Nothing is asked of the gradients until the last section. *)
From Tangency Require Import inner_product sums eq_04_orthogonality eq_10_projection.

(** One step along u = a + b + d: own, fresh, memory, decay *)
Lemma entries (E : space) (s η : R) (w a b d : E) : ‖s * w - η * (a + b + d)‖² - ‖w‖² =
  η^2 * ‖a + b + d‖² - 2 * s * η * ⟨w, a⟩ - 2 * s * η * ⟨w, b⟩ + ((s^2 - 1) * ‖w‖² - 2 * s * η * ⟨w, d⟩).
Proof. gram. ring. Qed.

Theorem ledger : forall (E : space) (s η : nat -> R) (w a b d : nat -> E),
  (forall t, w (S t) = (s t * w t - η t * (a t + b t + d t))%V) ->
  (forall t, ‖w (S t)‖² - ‖w t‖² =
    η t^2 * ‖a t + b t + d t‖² - 2 * s t * η t * ⟨w t, a t⟩ - 2 * s t * η t * ⟨w t, b t⟩ +
    ((s t^2 - 1) * ‖w t‖² - 2 * s t * η t * ⟨w t, d t⟩)) /\
  (forall t, ‖w t‖² - ‖w O‖² = (Σ k < t, (
    η k^2 * ‖a k + b k + d k‖² - 2 * s k * η k * ⟨w k, a k⟩ - 2 * s k * η k * ⟨w k, b k⟩ +
    ((s k^2 - 1) * ‖w k‖² - 2 * s k * η k * ⟨w k, d k⟩)))).
Proof.
  intros E s η w a b d update.
  assert (step : forall t, ‖w (S t)‖² - ‖w t‖² =
    η t^2 * ‖a t + b t + d t‖² - 2 * s t * η t * ⟨w t, a t⟩ - 2 * s t * η t * ⟨w t, b t⟩ +
    ((s t^2 - 1) * ‖w t‖² - 2 * s t * η t * ⟨w t, d t⟩)) by (intros; rewrite update; apply entries).
  split; [exact step |]. induction t as [| t IH]; [simpl; ring |]. cbn [sum]. rewrite <- IH, <- step. ring.
Qed.

(** What x' = β(s x − y) + z adds up to: terms discounted by β a step, and shrunk by σ_t/σ_k *)
Lemma shrunk_sum (β : R) (s σ x y z : nat -> R) :
  (forall t, σ (S t) = s t * σ t) -> (forall t, σ t <> 0) -> x O = z O ->
  (forall t, x (S t) = β * (s t * x t - y t) + z (S t)) ->
  forall t, x t = (Σ k < S t, (β^(t - k) * σ t / σ k * z k)) - (Σ k < t, (β^(t - k) * σ t / σ (S k) * y k)).
Proof.
  intros shrunk N start step t. induction t as [| t IH].
  - rewrite start. simpl. field. apply N.
  - rewrite step, IH. cbn [sum]. rewrite !Nat.sub_diag.
    assert (next : forall f g, (Σ k < t, (β^(S t - k) * σ (S t) / f k * g k)) =
      β * s t * (Σ k < t, (β^(t - k) * σ t / f k * g k))).
    { intros f g. rewrite sum_scale. apply sum_eq. intros k K. replace (S t - k)%nat with (S (t - k)) by lia.
      rewrite shrunk. simpl. unfold Rdiv. ring. }
    rewrite (next σ z), (next (fun k => σ (S k)) y). replace (S t - t)%nat with 1%nat by lia.
    rewrite shrunk. simpl. assert (Z := N t). assert (Z' := N (S t)). rewrite shrunk in Z'.
    field. repeat split; auto; intros K; apply Z'; rewrite K; ring.
Qed.

(** The radial part of a momentum buffer, along any update u *)
Theorem ledger_momentum : forall (E : space) (β τ : R) (s σ η : nat -> R) (w g p u : nat -> E),
  (forall t, σ (S t) = s t * σ t) -> (forall t, σ t <> 0) -> p O = ((1 - τ) * g O)%V ->
  (forall t, p (S t) = (β * p t + (1 - τ) * g (S t))%V) -> (forall t, w (S t) = (s t * w t - η t * u t)%V) ->
  (forall t, ⟨w (S t), p (S t)⟩ = β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩) /\
  (forall t, ⟨w t, p t⟩ = (1 - τ) * (Σ k < S t, (β^(t - k) * σ t / σ k * ⟨w k, g k⟩)) -
    (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ⟨u k, p k⟩)))).
Proof.
  intros E β τ s σ η w g p u shrunk N start buffer update.
  assert (step : forall t, ⟨w (S t), p (S t)⟩ =
    β * (s t * ⟨w t, p t⟩ - η t * ⟨u t, p t⟩) + (1 - τ) * ⟨w (S t), g (S t)⟩).
  { intros t. rewrite buffer, dot_add_r, !dot_scale_r. f_equal. rewrite update at 1. gram. ring. }
  split; [exact step |]. intros t.
  rewrite (shrunk_sum β s σ (fun t => ⟨w t, p t⟩) (fun t => η t * ⟨u t, p t⟩) (fun t => (1 - τ) * ⟨w t, g t⟩)); auto.
  - f_equal. rewrite sum_scale. apply sum_eq. intros. ring.
  - cbv beta. rewrite start. gram. ring.
Qed.

(** For a scale-invariant f nothing is fresh, and the memory of heavy ball is Lemma 2.2's, with schedule and decay. *)
Theorem ledger_scale_invariant : forall (E : space) (f : E -> R) (β τ : R) (s σ η : nat -> R) (w g a b : nat -> E),
  scale_invariant f -> (forall t, gradient f (w t) (g t)) -> (forall t, σ (S t) = s t * σ t) ->
  (forall t, σ t <> 0) -> (forall t, a t = ((1 - τ) * g t)%V) -> b O = vzero ->
  (forall t, b (S t) = (β * (a t + b t))%V) -> (forall t, w (S t) = (s t * w t - η t * (a t + b t))%V) ->
  (forall t, ⟨w t, a t⟩ = 0) /\
  (forall t, - (2 * s t * η t * ⟨w t, b t⟩) =
    2 * s t * η t * (Σ k < t, (β^(t - k) * σ t / σ (S k) * (η k * ‖a k + b k‖²)))).
Proof.
  intros E f β τ s σ η w g a b I G shrunk N fresh empty memory update.
  assert (T : forall t, ⟨w t, g t⟩ = 0) by (intros; now apply (orthogonality E f)).
  assert (A : forall t, ⟨w t, a t⟩ = 0) by (intros t; rewrite fresh, dot_scale_r, T; ring).
  split; [exact A |]. intros t.
  assert (H := shrunk_sum β s σ (fun t => ⟨w t, b t⟩) (fun t => η t * ‖a t + b t‖²) (fun _ => 0) shrunk N).
  cbv beta in H. rewrite H.
  - replace (Σ k < S t, (β^(t - k) * σ t / σ k * 0)) with 0; [ring |]. generalize (S t) as n. intros n.
    induction n as [| n IH]; simpl; [reflexivity |]. rewrite <- IH. ring.
  - rewrite empty. apply dot_zero_r.
  - intros k. rewrite memory, dot_scale_r, update. assert (K := A k). gram.
    rewrite ?(dot_comm E (a k) (w k)), ?(dot_comm E (b k) (w k)), K. ring.
Qed.

(** A projection takes the fresh and the memory entry away, and of the own entry η²(ŵ·(a + b))². *)
Theorem ledger_projected : forall (E : space) (s η : nat -> R) (w a b : nat -> E),
  (forall t, w (S t) = (s t * w t - η t * (project (w t) (a t) + project (w t) (b t)))%V) ->
  (forall t, ‖w (S t)‖² - ‖w t‖² =
    η t^2 * ‖project (w t) (a t) + project (w t) (b t)‖² + (s t^2 - 1) * ‖w t‖²) /\
  (forall t, ‖w t‖² * (‖s t * w t - η t * (a t + b t)‖² - ‖w (S t)‖²) =
    η t^2 * ⟨w t, a t + b t⟩^2 - 2 * s t * η t * ⟨w t, a t + b t⟩ * ‖w t‖²).
Proof.
  intros E s η w a b update.
  assert (growth : forall t, ‖w (S t)‖² - ‖w t‖² =
    η t^2 * ‖project (w t) (a t) + project (w t) (b t)‖² + (s t^2 - 1) * ‖w t‖²).
  { intros t. rewrite update. assert (A := project_tangent E (w t) (a t)). assert (B := project_tangent E (w t) (b t)).
    gram. rewrite A, B. ring. }
  split; [exact growth |]. intros t. assert (H := growth t).
  assert (L : (project (w t) (a t) + project (w t) (b t))%V = project (w t) (a t + b t)).
  { assert (K := linear E (w t) 1 1 (a t) (b t)). rewrite !vscale_one in K. now symmetry. }
  rewrite L in H. assert (Q := project_square E (w t) (a t + b t)).
  replace (‖w (S t)‖²) with (‖w t‖² + η t^2 * ‖project (w t) (a t + b t)‖² + (s t^2 - 1) * ‖w t‖²) by lra.
  replace (‖s t * w t - η t * (a t + b t)‖²)
    with (s t^2 * ‖w t‖² - 2 * s t * η t * ⟨w t, a t + b t⟩ + η t^2 * ‖a t + b t‖²) by (gram; ring).
  rewrite <- Q. ring.
Qed.
