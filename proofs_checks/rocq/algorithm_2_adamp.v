(** Algorithm 2, AdamP (§3.1): Adam's update, projected like that of Algorithm 1, as theory/algorithms.py has it. *)
From Coq Require Import Vector QArith Qreduction.
From Tangency Require Import inner_product euclidean algorithm_1_sgdp.
Open Scope R_scope.

(** What Adam needs besides: roots, and a function of the elements of two tensors, pairwise *)
Record elementwise (K : number_system) (T : tensors K) : Type := Elementwise {
  num_sqrt : K -> K;
  each_number : (K -> K -> K) -> T -> T -> T
}.
Arguments num_sqrt {_ _}. Arguments each_number {_ _}.

(** [shared] has η, λ, δ, r and the flags; its β and τ are not Adam's. *)
Record adam_hyperparameters (K : number_system) : Type := AdamHyperparameters {
  shared :> hyperparameters K;
  beta1 : K; beta2 : K; epsilon : K; bias_correction : bool
}.
Arguments shared {_}. Arguments beta1 {_}. Arguments beta2 {_}. Arguments epsilon {_}. Arguments bias_correction {_}.

(** m, v and the number of steps *)
Record moments (V : Type) : Type := Moments { first : V; second : V; steps : nat }.
Arguments Moments {_}. Arguments first {_}. Arguments second {_}. Arguments steps {_}.

Section AdamP.
Import Operations.
Context {K : number_system} {T : tensors K} (X : elementwise K T).
Variable h : adam_hyperparameters K.

Fixpoint power (x : K) (t : nat) : K := match t with O => 1%num | S t => (x * power x t)%num end.

(** Algorithm 2, line 3 *)
Definition next_moments (s : moments T) (g : T) : moments T :=
  Moments (beta1 h * first s + (1 - beta1 h) * g)%vec
    (beta2 h * second s + (1 - beta2 h) * each_number X (num_mul K) g g)%vec (S (steps s)).

(** Line 4, p = m/(√v + ε); with bias correction m/(√v/√(1−β₂ᵗ) + ε) *)
Definition adam_update (s : moments T) (g : T) : T :=
  let m := if with_nesterov h then (beta1 h * first s + (1 - beta1 h) * g)%vec else first s in
  let scale := if bias_correction h then num_sqrt X (1 - power (beta2 h) (steps s)) else 1%num in
  each_number X (fun m v => m / (num_sqrt X v / scale + epsilon h))%num m (second s).

(** η, with bias correction η/(1−β₁ᵗ) *)
Definition step_size (s : moments T) : K :=
  if bias_correction h then (lr h / (1 - power (beta1 h) (steps s)))%num else lr h.

(** 1 − ηλr *)
Definition adam_decay (v : view) : K :=
  (1 - lr h * weight_decay h * match v with none => 1 | _ => wd_ratio h end)%num.

Definition adamp (s : T * moments T) (g : T) : T * moments T :=
  let v := choose_view h (fst s) g in let m := next_moments (snd s) g in
  (step_along v (adam_decay v) (step_size m) (fst s) (adam_update m g), m).

End AdamP.

(** ** Over the reals *)
Section OverReals.
Variables (d n : nat) (h : adam_hyperparameters reals).
Local Notation tensor := (rows (euclidean d) n).
Local Notation T := (real_tensors (euclidean d) (INR d) n).
Local Notation "x [ i ]" := (Vector.nth x i) (at level 1, format "x [ i ]").

Definition real_elementwise : elementwise reals T := Elementwise reals T sqrt (fun f => Vector.map2 (Vector.map2 f)).

Theorem algorithm_2 (w g p w' : tensor) (s s' : moments tensor) (v : view) (η : R) :
  (w', s') = adamp real_elementwise h (w, s) g ->
  p = adam_update real_elementwise h s' g -> v = choose_view (T := T) h w g -> η = step_size (T := T) h s' ->
  first s' = (beta1 h * first s + (1 - beta1 h) * g)%V /\
  second s' = (beta2 h * second s + (1 - beta2 h) * (Vector.map2 (Vector.map2 Rmult) g g : tensor))%V /\
  (v = channel -> forall i, w'[i] = ((1 - lr h * weight_decay h * wd_ratio h) * w[i] - η * project w[i] p[i])%V) /\
  (v = layer -> w' = ((1 - lr h * weight_decay h * wd_ratio h) * w - η * project w p)%V) /\
  (v = none -> w' = ((1 - lr h * weight_decay h) * w - η * p)%V).
Proof.
  intros St -> V ->. unfold adamp in St. cbn [fst snd] in St. rewrite <- V in St. injection St as -> ->.
  split; [reflexivity |]. split; [reflexivity |]. assert (K := step_along_is (euclidean d) (INR d) n v). clear V.
  unfold adam_decay. destruct v; simpl num_mul; rewrite ?Rmult_1_r; split; [| split | | split | | split];
    intros V; try discriminate; now apply K.
Qed.

(** Without weight decay a projected step is one of Eq. 12. *)
Theorem adamp_is_eq_12 (w g p w' : tensor) (s s' : moments tensor) (v : view) (η : R) :
  (w', s') = adamp real_elementwise h (w, s) g ->
  p = adam_update real_elementwise h s' g -> v = choose_view (T := T) h w g -> η = step_size (T := T) h s' ->
  weight_decay h = 0 ->
  (v = channel -> forall i, ‖w'[i]‖² = ‖w[i]‖² + η^2 * ‖project w[i] p[i]‖² /\ ‖w'[i]‖² <= ‖w[i]‖² + η^2 * ‖p[i]‖²) /\
  (v = layer -> ‖w'‖² = ‖w‖² + η^2 * ‖project w p‖² /\ ‖w'‖² <= ‖w‖² + η^2 * ‖p‖²).
Proof.
  intros St -> V -> Z. unfold adamp in St. cbn [fst snd] in St. rewrite <- V in St. injection St as -> ->.
  assert (one : forall r : R, 1 - lr h * 0 * r = 1) by (intros; ring).
  unfold adam_decay. rewrite Z. simpl num_sub. rewrite one. apply step_along_is_eq_12.
Qed.

End OverReals.

(** ** Over the rationals *)
(** The root of a square; of another number it is not one. *)
Definition rational_root (x : rationals) : rationals := Qmake (Z.sqrt (Qnum (Qred x))) (Pos.sqrt (Qden (Qred x))).

Definition rational_elementwise : elementwise rationals rational_tensors :=
  Elementwise rationals rational_tensors rational_root (fun f => pairwise (pairwise f)).
