(** On scale-invariant weights, projecting whenever the norm would grow is SGDP without its threshold. *)
From Coq Require Import Reals Lra Psatz.
From Tangency Require Import vocabulary inner_product eq_10_projection eq_12_projected_norm_growth.
Open Scope R_scope.

Section Grow_only.
Variables (E : space) (η β : R) (w g p q : nat -> E).
Hypotheses (tangent_gradients : forall t, ⟨w t, g t⟩ = 0) (zero_start : p O = g O)
  (momentum : forall t, p (S t) = (β * p t + g (S t))%V) (β_nonneg : 0 <= β) (η_nonneg : 0 <= η)
  (projected : forall t, ‖w t‖² < ‖w t - η * p t‖² -> q t = project (w t) (p t))
  (plain : forall t, ‖w t - η * p t‖² <= ‖w t‖² -> q t = p t)
  (update : forall t, w (S t) = (w t - η * q t)%V).

Lemma overlap (x y : E) : ⟨project x y, y⟩ = ‖project x y‖².
Proof.
  rewrite (self_adjoint E x y (project x y)), (keeps_tangent E x (project x y)); [apply dot_comm | apply project_tangent].
Qed.

(** Where the norm would not grow, nothing moves. *)
Lemma step t : ⟨w t, p t⟩ <= 0 -> w (S t) = (w t - η * project (w t) (p t))%V.
Proof.
  intros N. rewrite update. destruct (Rlt_or_le ‖w t‖² ‖w t - η * p t‖²) as [G | G]; [now rewrite (projected t G) |].
  rewrite (plain t G). assert (P := dot_nonneg E (p t)). assert (Q := dot_nonneg E (project (w t) (p t))).
  assert (still : η * (η * ‖p t‖²) = 0).
  { revert G. gram. intros G. assert (0 <= η * (η * ‖p t‖²)) by (repeat apply Rmult_le_pos; assumption).
    assert (η * ⟨w t, p t⟩ <= 0) by nra. lra. }
  assert (nothing : forall x : E, ‖x‖² <= ‖p t‖² -> (η * x)%V = vzero).
  { intros x X. apply dot_definite. gram. assert (0 <= ‖x‖²) by apply dot_nonneg. nra. }
  rewrite (nothing (p t)), (nothing (project (w t) (p t))); [reflexivity | | lra]. apply shortens.
Qed.

Lemma inwards t : ⟨w t, p t⟩ <= 0.
Proof.
  induction t as [| t IH].
  - rewrite zero_start, tangent_gradients. lra.
  - rewrite momentum. gram. rewrite tangent_gradients, (step t IH). gram. rewrite overlap.
    assert (Q := dot_nonneg E (project (w t) (p t))). assert (K := Rmult_le_pos _ _ η_nonneg Q).
    assert (0 <= β * - (⟨w t, p t⟩ - η * ‖project (w t) (p t)‖²)) by (apply Rmult_le_pos; [exact β_nonneg | lra]). lra.
Qed.
End Grow_only.

Theorem grow_only_is_sgdp : forall (E : space) (η β : R) (w g p q : nat -> E),
  (forall t, ⟨w t, g t⟩ = 0) ->
  p O = g O ->
  (forall t, p (S t) = (β * p t + g (S t))%V) ->
  0 <= β ->
  0 <= η ->
  (forall t, ‖w t‖² < ‖w t - η * p t‖² -> q t = project (w t) (p t)) ->
  (forall t, ‖w t - η * p t‖² <= ‖w t‖² -> q t = p t) ->
  (forall t, w (S t) = (w t - η * q t)%V) ->
  (forall t, ⟨w t, p t⟩ <= 0) /\
  (forall t, w (S t) = (w t - η * project (w t) (p t))%V) /\
  (forall t, ‖w (S t)‖² = ‖w t‖² + η^2 * ‖project (w t) (p t)‖²).
Proof.
  intros E η β w g p q T Z M B H P N U.
  assert (I := fun t => inwards E η β w g p q T Z M B H P N U t).
  assert (K := fun t => step E η w p q H P N U t (I t)).
  repeat split; auto. intros t. exact (proj1 (eq_12 E η (w t) (p t) _ _ eq_refl (K t))).
Qed.
