(** Runs over the rationals, to compare with those of Python (kernel/conformance.py). *)
From Coq Require Import List QArith.
From Tangency Require Import algorithm_1_sgdp algorithm_2_adamp.
Import ListNotations.
Open Scope Q_scope.

Definition tensor : Type := list (list Q).

(** Equality, element by element *)
Definition same_list {A : Type} (same : A -> A -> bool) (x y : list A) : bool :=
  (length x =? length y)%nat && forallb (fun equal => equal) (pairwise same x y).
Definition same : tensor -> tensor -> bool := same_list (same_list Qeq_bool).
Definition same_view (v v' : view) : bool :=
  match v, v' with channel, channel | layer, layer | none, none => true | _, _ => false end.

(** A gradient, the view that Eq. 11 chooses, the weights and the buffers after the step *)
Definition step_made : Type := tensor * view * tensor * list tensor.

(** Whether a run makes these steps *)
Fixpoint follows {S : Type} (choose : tensor -> tensor -> view) (step : tensor * S -> tensor -> tensor * S)
    (buffers : S -> list tensor) (s : tensor * S) (steps : list step_made) : bool :=
  match steps with
  | [] => true
  | (g, v, w, b) :: steps =>
      let s' := step s g in
      same_view (choose (fst s) g) v && same (fst s') w && same_list same (buffers (snd s')) b &&
        follows choose step buffers s' steps
  end.

(** The numbers of the runs that do not *)
Fixpoint differing (n : nat) (results : list bool) : list nat :=
  match results with [] => [] | r :: results => (if r then [] else [n]) ++ differing (S n) results end.

Definition zeros (w : tensor) : tensor := map (map (fun _ => 0)) w.

(** The runs of each algorithm: hyper-parameters, a start, and the steps *)
Definition run : Type := hyperparameters rationals * tensor * list step_made.

Definition gd_run (r : run) : bool :=
  let '(h, w, steps) := r in
  follows (fun _ _ => none) (gd (V := rational_tensors) h) (fun b => [b]) (w, zeros w) steps.

Definition momentum_run (r : run) : bool :=
  let '(h, w, steps) := r in
  follows (fun _ _ => none) (heavy_ball (V := rational_tensors) h) (fun b => [b]) (w, zeros w) steps.

Definition nesterov_run (r : run) : bool := momentum_run r.

Definition sgdp_run (r : run) : bool :=
  let '(h, w, steps) := r in
  follows (choose_view (T := rational_tensors) h) (sgdp (T := rational_tensors) h) (fun b => [b]) (w, zeros w) steps.

Definition adamp_run (r : adam_hyperparameters rationals * tensor * list step_made) : bool :=
  let '(h, w, steps) := r in
  follows (choose_view (T := rational_tensors) h) (adamp rational_elementwise h) (fun m => [first m; second m])
    (w, Moments (zeros w) (zeros w) 0%nat) steps.
