"""The hot loops, in the part of Python that compiles to machine code.

Everything here works on flat arrays of integers whose layout is in `layout`, and on nothing else:
no objects, no allocation, no exceptions. `compiling` turns these functions into machine code once
and keeps it; only it imports them, so that a warm start needs no compiler.

What a table does not know yet is not computed here but listed, and the state is left for later:
Python fills the table and calls again.
"""
