"""What changed between two programs: in their networks, and in how they train.

two programs -> which block became which (align) -> differences (networks, training) -> text, data or a picture
"""
