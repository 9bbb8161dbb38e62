(** Eq. 10: Π_w(x) = x − (ŵ·x) ŵ is the orthogonal projection onto the tangent space of w (§3.1). *)
From Tangency Require Import inner_product.

(** Where w = 0 there is no radial direction. *)
Theorem eq_10_at_zero : forall (E : space) (x : E), project vzero x = x.
Proof. intros. vector. unfold project. gram. ring. Qed.

Section Projection.
Variables (E : space) (w : E).
Implicit Types x y : E.

Lemma project_tangent x : ⟨w, project w x⟩ = 0.
Proof.
  destruct (zero_or_not E w) as [-> | N]; [apply dot_zero |]. unfold project. gram. field. now apply dot_nonzero.
Qed.

Lemma keeps_tangent x : ⟨w, x⟩ = 0 -> project w x = x.
Proof. intros H. vector. unfold project. gram. rewrite H. unfold Rdiv. ring. Qed.

(** At w = 0 too. *)
Lemma project_square x : ‖w‖² * (‖x‖² - ‖project w x‖²) = ⟨w, x⟩^2.
Proof.
  destruct (zero_or_not E w) as [-> | N]; [rewrite !dot_zero; ring |].
  unfold project. gram. field. now apply dot_nonzero.
Qed.

Lemma shortens x : ‖project w x‖² <= ‖x‖².
Proof.
  destruct (zero_or_not E w) as [-> | N]; [rewrite eq_10_at_zero; lra |].
  assert (P := project_square x). assert (Q := dot_positive E w N). assert (S := square_nonneg ⟨w, x⟩). nra.
Qed.

Lemma linear a b x y : project w (a * x + b * y) = (a * project w x + b * project w y)%V.
Proof. vector. unfold project. gram. unfold Rdiv. ring. Qed.

Lemma self_adjoint x y : ⟨project w x, y⟩ = ⟨x, project w y⟩.
Proof. unfold project. gram. unfold Rdiv. ring. Qed.

Hypothesis nonzero : w <> vzero.

Lemma as_printed x : project w x = (x - ⟨unit w, x⟩ * unit w)%V.
Proof.
  unfold project, unit. rewrite dot_scale, vscale_mul. do 2 f_equal.
  assert (N := norm_positive E w nonzero). rewrite <- norm_square. field. lra.
Qed.

Lemma closest x y : ⟨w, y⟩ = 0 -> ‖x - y‖² = ‖x - project w x‖² + ‖project w x - y‖².
Proof. intros H. unfold project. gram. rewrite H. field. now apply dot_nonzero. Qed.

End Projection.

Theorem eq_10 : forall (E : space) (a b c : R) (w x y : E), w <> vzero ->
  project w x = (x - ⟨unit w, x⟩ * unit w)%V /\ ⟨w, project w x⟩ = 0 /\ project w w = vzero /\
  (⟨w, x⟩ = 0 -> project w x = x) /\ project w (a * x + b * y) = (a * project w x + b * project w y)%V /\
  project w (project w x) = project w x /\ ⟨project w x, y⟩ = ⟨x, project w y⟩ /\ ‖project w x‖² <= ‖x‖² /\
  (c <> 0 -> project (c * w) x = project w x) /\ (⟨w, y⟩ = 0 -> ‖x - project w x‖² <= ‖x - y‖²).
Proof.
  intros E a b c w x y N. assert (Z := dot_nonzero E w N). split; [now apply as_printed |].
  split; [apply project_tangent |]. split; [apply dot_definite; unfold project; gram; field; exact Z |].
  split; [apply keeps_tangent |]. split; [apply linear |].
  split; [apply keeps_tangent, project_tangent |]. split; [apply self_adjoint |]. split; [apply shortens |].
  split; [intros C; vector; unfold project; gram; field; auto |].
  intros H. rewrite (closest E w N x y H). assert (P := dot_nonneg E (project w x - y)%V). lra.
Qed.

(** No other tangent vector is as close to x. *)
Theorem eq_10_unique : forall (E : space) (w x y : E),
  w <> vzero -> ⟨w, y⟩ = 0 -> (forall z, ⟨w, z⟩ = 0 -> ‖x - y‖² <= ‖x - z‖²) -> y = project w x.
Proof.
  intros E w x y N H K. specialize (K (project w x) (project_tangent E w x)). rewrite (closest E w N x y H) in K.
  symmetry. apply vector_eq. assert (P := dot_nonneg E (project w x - y)%V). lra.
Qed.
