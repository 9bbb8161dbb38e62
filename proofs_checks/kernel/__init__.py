"""The kernel rung: theorems that Coq's kernel accepts, stated by the claims themselves."""
