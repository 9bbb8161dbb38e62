"""The paper's experiments on live runs. Each module imports only from those below it; one file a study:

figure_1 …              the studies, named after the paper
studies                 all of them
page, figures, table    docs/experiments.md, the figures, the table in a terminal
runner                  runs what is missing, in processes
store                   one JSON line a run
tasks                   what a run does, by name; a module each: classify, causal, language, …
fit, history            the loop of every trained run, and what its monitor saw
grids, rosenbrock       what plans share
study                   what a study states before it runs, and how its verdicts come out
statistics              intervals, equivalence, several tests at once
resnets, data, optimizers
preset                  how large the runs are
"""
