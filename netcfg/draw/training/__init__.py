"""Training diagrams: who feeds whom, who updates whom, and where gradients end.

plan -> cards and flows (model, stages) -> columns, heights (columns, straighten) and lines (channels) -> a scene
(cards, figure, legend), or boxes and wires for the writers that place them themselves (picture)
"""
