"""Policies: a context and variants in, probabilities out. Pure: no clock, no I/O, no globals.

What a policy is: types, base (and the one draw), bounds.
The menu: registry, made of entries in own_menu, vowpal_menu and auto_menu.
Decided by people: baselines, decision_list (rules, in the language of expressions).
Learned, our own: tallies under thompson and best_variant; columns and ridge under linear; people, kmeans, segmentation
and portraits under segments; quadrature for the chances of being best.
Learned by Vowpal Wabbit: features and scales make its text, vowpal is its only door, window forgets.
The default: auto, which judge tells who earned most.
What they found out is told in English or Spanish, with numbers as writing has them.
"""
