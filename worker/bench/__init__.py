"""What ``writeback bench`` measures: this installation beside the raw database, in one run.

Machines differ and are shared, so absolute figures say little. Every figure is therefore set against others that were
taken in turns with it (A B C A B C …), and what counts is the median of their ratios.
"""
