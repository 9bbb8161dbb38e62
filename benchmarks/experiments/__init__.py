"""The paper's experiments on live runs. Each module imports only from those below it; one file a study:

figure_1 …              the studies, named after the paper
studies                 all of them
page, figures, table    docs/experiments.md, the figures, the table in a terminal
runner                  runs what is missing, in processes
store                   one JSON line a run
tasks                   what a run does: classify, language, retrieval, …
study                   what a study states before it runs, and how its verdicts come out
statistics              intervals, equivalence, several tests at once
models, data, optimizers
preset                  how large the runs are
"""
