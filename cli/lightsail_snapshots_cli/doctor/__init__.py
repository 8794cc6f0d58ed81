"""`doctor`: are the project's beliefs about AWS true in this account?

The lists of beliefs are data. `walk` runs the checks, which are in the modules `*_checks`, in the order of `order`;
`cleanup` deletes what they made.
"""
