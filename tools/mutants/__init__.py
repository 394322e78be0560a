"""Mutation tests of an area: `make mutants AREA=operator/runs SEED=1`.

A mutant is our code with one small fault. Sixty are drawn from all places of the area where one can
be made; each is tried against the unit tests that pass its line. A mutant that no test notices says
what the tests do not hold.

places, operators   where a fault can be made, and which          (pure)
areas, sampling     what belongs to an area, which sixty          (pure)
equal               faults that change nothing, named by hand      (pure)
recording           a plugin of pytest: which test passes which line
coverage_map        those records, kept by the hash of what they depend on
selection           the tests that may notice a mutant
trial, trials       one mutant in a process of its own; all of them, two at a time
report              what came out
"""
